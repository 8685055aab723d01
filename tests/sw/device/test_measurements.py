# SPDX-License-Identifier: Apache-2.0
"""Counts from a file, and what is refused with a remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaledrop.device.measurements import read_counts
from scaledrop.errors import UserError

HEAD = "drive_v,pulse_ns,trials,switched\n"
GOOD = HEAD + "0.86,0.75,100,34\n0.84,0.75,100,18\n0.88,0.75,100,50\n"


def write(folder: Path, text: str) -> Path:
    (folder / "m.csv").write_text(text)
    return folder / "m.csv"


def refused(folder: Path, text: str) -> str:
    with pytest.raises(UserError) as caught:
        read_counts(write(folder, text)).require_transition()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_columns_in_any_order_comments_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeff# device A\n switched,trials,temperature_k,pulse_ns,drive_v\n\n3,10,310,2,0.5\n"
    counts = read_counts(write(tmp_path, text + "4,10,,2,0.6\n"))
    assert counts.drive_v.tolist() == [0.5, 0.6] and counts.pulse_s.tolist() == [2e-9, 2e-9]
    assert counts.temperature_k.tolist() == [310, 300]
    assert counts.trials.tolist() == [10, 10] and counts.switched.tolist() == [3, 4]
    assert len(counts.digest) == 64 and counts.name == "m.csv"


MISTAKES = {
    "0.9,0.75,100,101\n": (
        "m.csv line 5: switched 101 is above trials 100; give counts, not percent, and correct "
        "the one that is wrong"
    ),
    "nan,0.75,100,1\n": ("m.csv line 5: drive_v is nan; leave the row out or measure it again"),
    "0.9,0.75,100,nan\n": ("m.csv line 5: switched is nan; leave the row out or measure it again"),
    "x,0.75,100,1\n": "m.csv line 5: drive_v 'x' is not a number; correct it",
    "0.9,0.75,100\n": "m.csv line 5: switched '' is not a number; correct it",
    "0.9,0.75,100,0.5\n": "m.csv line 5: switched 0.5 must be a whole number, 0 or more",
    "0.9,0.75,100,-1\n": "m.csv line 5: switched -1 must be a whole number, 0 or more",
    "0.9,0,100,1\n": "m.csv line 5: pulse_ns 0 must be above 0; give it in nanoseconds",
    "0,9,0,75,100,10\n": ("m.csv line 5: has 6 cells for 4 columns; write decimals with a point"),
    "0.9,1,0,0\n": "m.csv line 5: trials is 0; leave the row out",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_wrong_cell_is_named_by_its_line(tmp_path: Path, line: str) -> None:
    assert refused(tmp_path, GOOD + line) == MISTAKES[line]


def test_wrong_columns_and_files_are_named(tmp_path: Path) -> None:
    assert refused(tmp_path, GOOD.replace("trials", "n")) == (
        "m.csv: has no column trials; the first line must name drive_v, pulse_ns, trials, switched "
        "and, if wanted, temperature_k"
    )
    assert refused(tmp_path, "T," + HEAD + "1,1,1,1,1\n") == (
        "m.csv: unknown column 'T'; remove it or correct its name"
    )
    assert refused(tmp_path, "trials," + HEAD) == (
        "m.csv: column trials is there twice; remove one"
    )
    assert refused(tmp_path, "").startswith("m.csv: has no column drive_v")
    assert refused(tmp_path, HEAD) == (
        "m.csv: has no measurements; give one line for each drive voltage"
    )
    with pytest.raises(UserError) as caught:
        read_counts(tmp_path / "gone.csv")
    assert str(caught.value) == (
        f"{tmp_path / 'gone.csv'}: cannot be read (No such file or directory); give a CSV file"
    )
    (tmp_path / "m.csv").write_bytes(b"\xff\xfe\x81")
    with pytest.raises(UserError, match="is not text in UTF-8"):
        read_counts(tmp_path / "m.csv")


def rows(*points: tuple[float, int], pulse: float = 1) -> str:
    return "".join(f"{volts},{pulse},100,{count}\n" for volts, count in points)


def test_what_bounds_no_slope_says_what_to_measure(tmp_path: Path) -> None:
    assert refused(tmp_path, HEAD + rows((0.8, 10), (0.9, 80))) == (
        "m.csv: 2 points; measure 3 drive voltages or more, at least 2 of them where some of the "
        "writes switch and some do not"
    )
    assert refused(tmp_path, HEAD + rows((0.8, 0), (0.9, 0), (1.0, 0))) == (
        "m.csv: no write switched, so there is no transition; add drive voltages above 1 V"
    )
    assert refused(tmp_path, HEAD + rows((0.8, 100), (0.9, 100), (1.0, 100))) == (
        "m.csv: every write switched, so there is no transition; add drive voltages below 0.8 V"
    )
    assert refused(tmp_path, HEAD + rows((0.8, 0), (0.9, 0), (1.0, 100))) == (
        "m.csv: 0 drive voltages where some of the writes switch and some do not, so the slope has "
        "no upper bound; add drive voltages between 0.9 and 1 V until there are 2 or more at one "
        "pulse width"
    )
    one = HEAD + rows((0.8, 0), (0.9, 50), (1.0, 100))
    assert refused(tmp_path, one).startswith("m.csv: 1 drive voltages where some of the writes")
    twice = HEAD + rows((0.8, 0), (0.9, 40), (0.9, 50), (1.0, 100))
    assert refused(tmp_path, twice).startswith("m.csv: 1 drive voltages where some of the writes")
    two_widths = one + rows((0.7, 0), (0.8, 40), (0.9, 100), pulse=2)
    assert refused(tmp_path, two_widths).startswith("m.csv: 2 drive voltages where some")


def test_a_reversed_drive_is_noticed(tmp_path: Path) -> None:
    assert refused(tmp_path, HEAD + rows((-0.8, 10), (-0.9, 50), (-1.0, 90))) == (
        "m.csv: fewer writes switch as drive_v rises; give the magnitude of the drive, positive "
        "towards the switched state"
    )
