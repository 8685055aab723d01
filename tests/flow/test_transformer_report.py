# SPDX-License-Identifier: Apache-2.0
"""Tables and picture of the transformer study: paired by seed, and those that are committed."""

import re
from pathlib import Path

import numpy as np
import pytest

from scaledrop_flow.report.transformer import (
    SCORES,
    clear,
    methods_table,
    options_picture,
    options_table,
    read_rows,
    settings_table,
    with_tables,
)
from scaledrop_flow.studies.transformer_cases import TREATMENTS

DOCS = Path(__file__).parents[2] / "docs"
BASE = "vit-scale-dropout"


def row(stage, case, seed, score, **values):
    """Every score is ``score``."""
    names = [*SCORES, "valid_nll", "gamma_mean_input", "gamma_mean_output"]
    some = {name: str(score) for name in names} | {"bits_per_pass": "11", "setting": "0.1"}
    return some | {"stage": stage, "case": case, "seed": str(seed)} | values


@pytest.fixture
def rows():
    """Seeds differ by far more than the option does from what it stands on."""
    found = [row("setting", BASE, 0, 0.9, setting="0.05")]
    for seed, level in ((2, 0.2), (0, 0.4), (1, 0.6)):
        found.append(row("method", BASE, seed, level))
    for seed, level in ((0, 0.41), (1, 0.611), (2, 0.209)):
        found.append(row("option", f"{BASE} + HG", seed, level))
    return found


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ([0.010, 0.011, 0.009], True),
        ([0.01, 0.02, 0.0], False),
        ([-0.03, -0.031, -0.029], True),
        ([0.0, 0.0, 0.0], False),
        ([0.5], False),
    ],
)
def test_clear_is_students_t(values, wanted):
    """For three pairs: |mean| > 4.303 s / sqrt(3)."""
    assert clear(np.array(values)) is wanted


def test_differences_are_paired_by_seed(rows):
    head, _, line = options_table(rows)
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[0] == "HG" and cells[2] == "+0.010 ± 0.001 *"
    assert len(cells) == len(head.strip("|").split("|"))


def test_means_are_over_the_seeds(rows):
    line = methods_table(rows)[2]
    assert "| vit-scale-dropout | 0.1 | 40.0 ± 20.0 | 0.400 ± 0.200 |" in line


def test_a_network_that_draws_nothing_has_no_mutual_information(rows):
    rows += [row("method", "vit", seed, 0.3, bits_per_pass="0") for seed in range(3)]
    for line in (methods_table(rows)[3], options_table(rows)[2]):
        assert line.split(" | ").count("-") == 3


def test_all_values_are_shown_and_the_one_taken_is_marked(rows):
    lines = settings_table(rows)[2:]
    assert lines[0].startswith("| vit-scale-dropout | 0.05 | 0.900 |")
    assert lines[1].startswith("| vit-scale-dropout | 0.1 (taken) | 0.400 |")


def test_the_picture_has_a_line_for_each_option(rows):
    axes = options_picture(rows).axes
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["HG"]
    assert list(axes[0].lines[1].get_xdata()) == pytest.approx([0.01, 0.011, 0.009])


@pytest.fixture(scope="module")
def committed():
    return read_rows(DOCS / "studies" / "transformer.csv")


def test_the_committed_table_has_every_seed_of_what_it_has(committed):
    options = [r["case"] for r in committed if r["stage"] == "option"]
    assert set(options) <= {f"{BASE} + {name}" for name in TREATMENTS}
    assert len(committed) == 6 + 3 * 3 + 3 * len(set(options))


def test_the_program_of_the_page_runs(capsys):
    page = (DOCS / "transformer.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"^```python\n(.*?)^```", page, re.M | re.S)
    exec(compile(program, "transformer.md", "exec"), {})
    assert capsys.readouterr().out.startswith("11 [")


def test_the_page_has_the_tables_of_the_study(committed):
    page = (DOCS / "transformer.md").read_text(encoding="utf-8")
    assert with_tables(page, committed) == page
    assert with_tables(page, committed[:-6]) != page
