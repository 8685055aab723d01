# SPDX-License-Identifier: Apache-2.0
"""One cell of the committed table of the digits, made again to the digit.

Training is in float32 on the CPU, whose last bits depend on the instructions that a processor has;
so the cell runs in a process that is held to those that all of them have, on one thread. With
another release of PyTorch the committed table is to be made again.
"""

import csv
import json
from pathlib import Path

import torch

from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.comparison.runner import run_cells
from scaledrop_flow.comparison.table import cells_of, row_of
from scaledrop_flow.studies.methods import DIGITS, digits_plan
from scaledrop_flow.studies.table import as_text

STUDIES = Path(__file__).parents[3] / "docs/studies"
METHOD, SEED = "scale-dropout", 0
OF_THE_DAY = {"train_seconds"}


def committed():
    with (STUDIES / "methods-digits.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_committed_cell_is_made_again_to_the_digit(tmp_path):
    row = next(one for one in committed() if (one["method"], one["seed"]) == (METHOD, str(SEED)))
    plan = digits_plan(tmp_path, Choices(only=(METHOD,), seeds=(SEED,), jobs=1))
    ((name, cell),) = cells_of(plan, {(METHOD, "digits"): float(row["value"])})
    (done,) = run_cells([cell], tmp_path, plan.choices, portable=True)
    made = {key: str(as_text(value)) for key, value in row_of(plan, name, METHOD, done).items()}
    assert int(made["right"]) == int(row["right"])
    compared = [column for column in row if column not in OF_THE_DAY]
    assert {column: made[column] for column in compared} == {c: row[c] for c in compared}
    assert len(compared) > 25


def test_the_committed_table_is_whole_and_says_where_it_is_from():
    assert [(row["method"], row["seed"]) for row in committed()] == [
        (key, seed) for key in DIGITS for seed in "012"
    ]
    beside = json.loads((STUDIES / "methods-digits.json").read_text())
    assert beside["command"] == "scaledrop study methods-digits"
    assert beside["measured"]["torch"] == [torch.__version__]
