# SPDX-License-Identifier: Apache-2.0
"""``scaledrop asic``: what it refuses in one line."""

from netlist_cells import LIBERTY


def test_no_library_of_that_name(run, tmp_path, monkeypatch):
    (tmp_path / "four").mkdir()
    (tmp_path / "four" / "four.lib").write_text(LIBERTY)
    monkeypatch.setenv("SCALEDROP_PDK", str(tmp_path))
    assert run("asic", "--lib", "five") == (
        2,
        "",
        "scaledrop: lib: 'five' is not known; SCALEDROP_PDK has four; or give .lib or .lib.gz "
        "files\n",
    )


def test_a_file_that_is_not_there(run):
    assert run("asic", "--lib", "five.lib")[2] == (
        "scaledrop: liberty: no file five.lib; give Liberty files, .lib or .lib.gz\n"
    )


def test_a_wrong_choice_before_any_work(run, tmp_path):
    (tmp_path / "four.lib").write_text(LIBERTY)
    status, _, error = run("asic", "--lib", "four.lib", "--crossbar", "none")
    assert (status, error) == (2, "scaledrop: crossbar: must be macro or digital, not 'none'\n")
