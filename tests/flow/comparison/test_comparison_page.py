# SPDX-License-Identifier: Apache-2.0
"""The page and the document: made from the tables alone, and the committed ones are up to date."""

import csv
import re
import shutil
import sys
from pathlib import Path

import pytest

from scaledrop.errors import UserError
from scaledrop_flow import cli
from scaledrop_flow.comparison.page import filled, rendered
from scaledrop_flow.comparison.save import TABLES, save_docs
from scaledrop_flow.comparison.tables import Tables
from scaledrop_flow.comparison.written import set_grid

ROOT = Path(__file__).parents[3]
STUDIES = ROOT / "docs/studies"


@pytest.fixture
def studies(tmp_path):
    """Two sets: the digits of the committed table, and the same called otherwise; differences."""
    with (STUDIES / "methods-digits.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows += [{**row, "set": "other"} for row in rows]
    write(tmp_path / "methods.csv", rows)
    standing = {
        "set": "digits",
        "method": "mc-dropout",
        "against": "scale-dropout",
        "score": "auroc_1",
        "difference": 0.04,
        "standing": "better",
    }
    more = [standing, {**standing, "score": "nll", "standing": "worse"}]
    write(tmp_path / "methods-differences.csv", more)
    return tmp_path


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_arrows_stand_where_the_differences_say(studies):
    tables = Tables.read(studies)
    grid = set_grid(tables, "digits")
    cells = {row[0]: dict(zip(grid.head, row, strict=True)) for row in grid.body}
    assert cells["MC-Dropout"]["AUROC rotate:90"].endswith(" ↑")
    assert cells["MC-Dropout"]["NLL"].endswith(" ↓")
    marked = [cell for row in cells.values() for cell in row.values() if cell[-1] in "↑↓"]
    assert len(marked) == 2
    assert not [c for row in set_grid(tables, "other").body for c in row if c[-1] in "↑↓"]
    found = tables.line("digits", "mc-dropout").over("auroc_1")
    assert cells["MC-Dropout"]["AUROC rotate:90"] == f"{found.mean:.3f} ± {found.spread:.3f} ↑"
    assert cells["Scale-Dropout"]["numbers a pass"] == "3 bits"
    assert cells["Deterministic"]["an image, estimated"] == "2.8 nJ (1.1 to 11 nJ)"


def test_the_page_needs_nothing_but_itself_and_comes_again(studies):
    page = rendered(studies)
    assert page == rendered(studies)
    assert page.count("<svg") == 4 and "<script" not in page
    assert not re.search(r"(src|href)=\"(?!#)", page.replace("xlink:href", "x"))
    for text in ("not reproduced", "MC-Dropout", "±", "2.8 nJ", "scaledrop study methods"):
        assert text in page, text


def test_a_page_without_a_table_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"has no methods\.csv; run 'scaledrop study methods'$"):
        rendered(tmp_path)


def test_the_committed_document_is_that_of_the_committed_tables():
    document = (ROOT / "docs/baselines.md").read_text()
    assert filled(document, STUDIES) == document, "run: scaledrop compare --docs docs/baselines.md"


def test_the_committed_pictures_are_those_of_the_committed_tables(tmp_path):
    shutil.copy(ROOT / "docs/baselines.md", tmp_path)
    written = save_docs(tmp_path / "baselines.md", STUDIES)
    made = {path.name for path in written if path.suffix == ".svg"}
    assert made == {path.name for path in (ROOT / "docs/pictures").glob("methods*.svg")}
    assert made >= {"methods-digits-digits-energy.svg", "methods-digits-digits-auroc.svg"}


def test_one_changed_figure_changes_the_document(studies, tmp_path):
    text = "<!-- begin methods -->\n<!-- end methods -->\n"
    before = filled(text, studies)
    path = studies / "methods.csv"
    path.write_text(path.read_text().replace("0.957014", "0.857014"))
    assert filled(text, studies) != before
    assert filled(before, studies) == filled(text, studies)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<!-- begin nothing -->\n<!-- end nothing -->", "mark: 'nothing' is not known; choose"),
        ("<!-- begin claims -->\n", "mark: 'claims' has no end; write <!-- end claims -->"),
    ],
)
def test_wrong_marks_are_refused(text, message, studies):
    with pytest.raises(UserError, match=f"^{message}"):
        filled(text, studies)


def test_the_command_writes_page_document_and_pictures(studies, monkeypatch, tmp_path):
    document = tmp_path / "doc" / "page.md"
    document.parent.mkdir()
    marks = "\n".join(f"<!-- begin {name} -->\n<!-- end {name} -->" for name in TABLES)
    document.write_text(marks)
    line = ["compare", "--studies", str(studies), "--docs", str(document)]
    monkeypatch.setattr(sys, "argv", ["scaledrop", *line, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0
    assert (tmp_path / "out/index.html").read_text() == rendered(studies)
    text = document.read_text()
    assert "Not measured yet: `scaledrop study methods-cifar10`." in text
    for picture in re.findall(r"\]\((.*?\.svg)\)", text):
        assert (document.parent / picture).read_text().startswith("<?xml")
