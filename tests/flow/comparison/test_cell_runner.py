# SPDX-License-Identifier: Apache-2.0
"""Cells: measured once, kept at once, found again, measured anew when anything changes."""

import dataclasses
import json
import os

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop_flow.comparison.cells import Cell, digest_of_arrays, kept, packed, unpacked
from scaledrop_flow.comparison.choices import Choices, seeds_of
from scaledrop_flow.comparison.runner import PORTABLE, run_cells
from scaledrop_flow.studies.run import run_study
from scaledrop_flow.studies.table import write_table

ONE = Choices(jobs=1)
CALLS = []


def square(x, refuse=False):
    CALLS.append(x)
    if refuse:
        raise UserError(f"x: must not be {x}")
    if x == 99:
        raise KeyboardInterrupt
    return {"square": x * x}


def environment():
    return {"threads": os.environ["OMP_NUM_THREADS"], "portable": os.environ.get("MKL_CBWR", "")}


def killed():
    os._exit(9)


def cell(x, **changes):
    values = {"case": f"x {x}", "seed": 0, "depends": {"x": x}, "work": square, "given": (x,)}
    return Cell(**{"study": "squares", "version": 1, **values, **changes})


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def test_a_second_run_measures_nothing_and_keeps_the_order(tmp_path):
    cells = [cell(x, weight=x) for x in (2, 5, 3)]
    first = list(run_cells(cells, tmp_path, ONE))
    assert [one.result["square"] for one in first] == [4, 25, 9]
    assert CALLS == [5, 3, 2]  # the longest first
    again = list(run_cells(cells, tmp_path, ONE))
    assert [one.result for one in again] == [one.result for one in first]
    assert CALLS == [5, 3, 2] and all(one.found for one in again)
    row = first[0].row
    assert (row["case"], row["seed"], row["cell"]) == ("x 2", 0, cells[0].key[:12])
    assert row["provenance"]["seconds"] >= 0 and row["provenance"]["processor"]


def test_a_table_lists_where_its_cells_were_measured(tmp_path):
    cells = [cell(2), cell(3)]
    path = tmp_path / "squares.csv"
    rows = ({**one.row, **one.result} for one in run_cells(cells, tmp_path, ONE))
    assert write_table(rows, path, "scaledrop study squares") == 2
    assert path.read_text().splitlines()[0] == "case,seed,cell,square"
    measured = json.loads(path.with_suffix(".json").read_text())["measured"]
    assert len(measured["processor"]) == 1 and measured["seconds"] >= 0


def test_an_interrupted_run_goes_on_with_what_is_missing(tmp_path):
    cells = [cell(2), cell(99), cell(3)]
    with pytest.raises(KeyboardInterrupt):
        list(run_cells(cells, tmp_path, ONE))
    assert CALLS == [2, 99]
    cells[1] = cell(4)
    assert [one.result["square"] for one in run_cells(cells, tmp_path, ONE)] == [4, 16, 9]
    assert CALLS == [2, 99, 4, 3]


OF_ANOTHER = '{"about": {}, "result": {"square": 0}, "provenance": {}}'


@pytest.mark.parametrize("damage", ["", "{", OF_ANOTHER, "[]"])
def test_a_damaged_file_is_measured_again(tmp_path, damage):
    list(run_cells([cell(3)], tmp_path, ONE))
    path = cell(3).path(tmp_path)
    path.write_text(damage)
    assert kept(cell(3), tmp_path) is None
    assert [one.result["square"] for one in run_cells([cell(3)], tmp_path, ONE)] == [9]
    assert json.loads(path.read_text())["result"] == {"square": 9}


@pytest.mark.parametrize(
    "change",
    [
        {"study": "cubes"},
        {"version": 2},
        {"case": "another"},
        {"seed": 1},
        {"depends": {"x": 3, "data": "0"}},
        {"device": "cuda"},
    ],
)
def test_any_dependency_changes_the_name(change):
    assert cell(3, **change).key != cell(3).key


def test_what_a_result_does_not_depend_on_leaves_the_name():
    assert cell(3, weight=9.0).key == cell(3).key


def test_another_release_of_torch_changes_the_name(monkeypatch):
    before = cell(3).key
    monkeypatch.setattr("torch.__version__", "0.0")
    assert cell(3).key != before


def test_one_cell_that_is_refused_does_not_cost_the_others(tmp_path):
    cells = [cell(2), cell(7, given=(7, True)), cell(3)]
    with pytest.raises(UserError, match=r"^squares, x 7, seed 0: x: must not be 7$"):
        list(run_cells(cells, tmp_path, ONE))
    assert kept(cells[2], tmp_path).result == {"square": 9}


def test_two_cells_of_one_key_and_values_that_are_not_json_are_refused(tmp_path):
    with pytest.raises(UserError, match="cells: two depend on the same things"):
        list(run_cells([cell(2), cell(2)], tmp_path, ONE))
    with pytest.raises(UserError, match=r"depends: of x 2, seed 0 must be plain JSON values"):
        cell(2, depends={"x": np.zeros(1)})
    bad = cell(2, work=dataclasses.make_dataclass("NoJson", ["x"]))
    with pytest.raises((UserError, TypeError)):
        list(run_cells([bad], tmp_path, ONE))


def test_processes_of_their_own_have_one_thread_and_may_be_portable(tmp_path):
    cells = [cell(x, work=environment, given=()) for x in range(2)]
    found = list(run_cells(cells, tmp_path, Choices(jobs=1), portable=True))
    assert all(one.result == {"threads": "1", "portable": "COMPATIBLE"} for one in found)
    assert os.environ.get("MKL_CBWR") != PORTABLE["MKL_CBWR"]


def test_a_process_that_is_killed_is_said_and_what_was_kept_stays(tmp_path):
    cells = [cell(2, weight=9.0), cell(3, work=killed, given=())]
    list(run_cells(cells[:1], tmp_path, ONE))
    with pytest.raises(UserError, match=r"^cells: a process was killed, perhaps for want of mem"):
        list(run_cells(cells, tmp_path, ONE, portable=True))
    assert kept(cells[0], tmp_path).result == {"square": 4} and kept(cells[1], tmp_path) is None


def test_progress_names_the_cells(tmp_path):
    said = []
    list(run_cells([cell(2), cell(3)], tmp_path, ONE, said.append))
    assert said[0] == "2 of 2 cells to measure, 1 at a time, about 0 min"
    assert said[1].startswith("1 of 2: x 2, seed 0; about ")


def test_arrays_come_back_as_they_were():
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    back = unpacked(json.loads(json.dumps(packed(values))))
    assert back.dtype == np.float32 and (back == values).all()
    assert digest_of_arrays(values) != digest_of_arrays(values.reshape(4, 3))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"device": "tpu"}, "device: must be one of cpu, cuda, auto, not 'tpu'"),
        ({"jobs": -1}, "jobs: must be 0 or more, not -1; 0 is one a core"),
        ({"seeds": (-1,)}, r"seeds: must be 0 or more, not \(-1,\); change them"),
    ],
)
def test_impossible_choices_are_refused(given, message):
    with pytest.raises(UserError, match=f"^{message}$"):
        Choices(**given)


def test_a_study_gets_the_choices_it_takes_and_no_others(tmp_path):
    def plain(data, cache, progress):
        yield {"a": 1}

    def choosing(data, cache, progress, choices=ONE):
        yield {"seeds": len(choices.seeds)}

    def run(study, choices):
        path, count = run_study("mine", study, None, tmp_path, print, choices, tmp_path)
        assert count == 1
        return path.name, path.read_text(), json.loads(path.with_suffix(".json").read_text())

    assert run(plain, Choices())[:2] == ("mine.csv", "a\n1\n")
    name, text, beside = run(choosing, Choices(smoke=True, seeds=(4, 5)))
    assert (name, text) == ("mine-smoke.csv", "seeds\n2\n")
    assert beside["command"] == "scaledrop study mine --smoke --seeds 4,5"
    with pytest.raises(UserError, match=r"^study: mine has no choices; leave out --smoke"):
        run(plain, Choices(smoke=True))


def test_seeds_are_read_as_a_person_writes_them():
    assert seeds_of(None) == () and seeds_of("0,2") == (0, 2)
    with pytest.raises(UserError, match=r"^seeds: must be numbers such as 0,1,2, not 'a'$"):
        seeds_of("a")
