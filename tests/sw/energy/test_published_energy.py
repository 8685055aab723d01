# SPDX-License-Identifier: Apache-2.0
"""Published energies: the shipped rows, a reader's own, and verdicts that follow the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from scaledrop.energy import Band
from scaledrop.energy.band import Label
from scaledrop.energy.comparison import Holds, compare, figure, verdict
from scaledrop.energy.published import Published, load_published, with_own
from scaledrop.energy.references import REFERENCES, load_references
from scaledrop.errors import UserError

GOOD: dict[str, Any] = {
    "name": "mine",
    "method": "one bit per layer",
    "hardware": "junctions",
    "uj_per_image": 0.2,
    "source": "table IV",
    "label": "S",
    "verified": True,
}


def write(folder: Path, *rows: Any) -> Path:
    path = folder / "p.yaml"
    path.write_text(yaml.safe_dump({"name": "p", "rows": list(rows)}))
    return path


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


def row(name: str, microjoules: float, verified: bool = True) -> Published:
    label = "S" if verified else "MEM"
    given = {"name": name, "uj_per_image": microjoules, "label": label, "verified": verified}
    return Published.model_validate(GOOD | given)


def test_verified_rows_are_the_inverse_of_their_abstracts() -> None:
    verified = {one.name: one.uj_per_image for one in load_published() if one.verified}
    assert verified == {
        "VIBNN": pytest.approx(1e6 / 52_694.8, rel=1e-4, abs=0),
        "BYNQNet": pytest.approx(1e6 / 44.7e3, rel=1e-4, abs=0),
    }


def test_what_is_remembered_says_so_everywhere() -> None:
    remembered = {one.name: one for one in load_published() if not one.verified}
    assert {name: one.uj_per_image for name, one in remembered.items()} == {
        "BYNQNet, as tabulated later": 21.09,
        "Jia et al.": 46.0,
        "Malhotra et al.": 9.3,
        "SpinDrop": 2.0,
        "Spatial-SpinDrop": 0.68,
        "Scale-Dropout": 0.18,
    }
    for one in remembered.values():
        assert one.label is Label.MEM and one.note.startswith("Unverified.")
        assert one.title == f"{one.name} (unverified)"


def test_own_rows_replace_those_of_their_name(tmp_path: Path) -> None:
    read = GOOD | {"name": "Scale-Dropout", "uj_per_image": "2.1e-1"}
    own = load_published(write(tmp_path, read, GOOD))
    both = {one.name: one for one in with_own(load_published(), own)}
    assert len(both) == len(load_published()) + 1
    assert both["Scale-Dropout"].uj_per_image == 0.21 and both["Scale-Dropout"].verified
    assert both["mine"].title == "mine"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            without("uj_per_image") | {"energy": 0.2},
            "rows[0] (mine) energy: unknown key 'energy' with value 0.2; "
            "write uj_per_image, in microjoules",
        ),
        (
            GOOD | {"uj_per_image": "0.2 uJ"},
            "rows[0] (mine) uj_per_image: must be a number in the unit of its name, not '0.2 uJ'",
        ),
        (
            GOOD | {"colour": "red"},
            "rows[0] (mine) colour: unknown key 'colour' with value 'red'; "
            "remove it or correct its spelling",
        ),
        (
            GOOD | {"uj_per_image": -0.2},
            "rows[0] (mine): uj_per_image must be a finite number above 0, not -0.2; "
            "give microjoules per image",
        ),
        (
            GOOD | {"uj_per_image": float("inf")},
            "rows[0] (mine): uj_per_image must be a finite number above 0, not inf; "
            "give microjoules per image",
        ),
        (without("verified"), "rows[0] (mine) verified: missing; add it"),
        (
            GOOD | {"label": "MEM"},
            "rows[0] (mine): verified is true but label is MEM; say false, or give the label of "
            "what was read",
        ),
        (GOOD | {"source": " "}, "rows[0] (mine): source is empty; say what was published where"),
    ],
)
def test_a_broken_row_is_refused_by_name(tmp_path: Path, given: Any, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_published(write(tmp_path, given))
    assert str(caught.value) == f"published p.yaml: {message}"


def test_a_broken_file_is_refused_by_name(tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(UserError) as caught:
            load_published(path)
        return str(caught.value)

    assert refused(write(tmp_path, GOOD, GOOD)) == (
        "published p.yaml: name 'mine' appears 2 times; keep one row"
    )
    assert refused(write(tmp_path)) == (
        "published p.yaml: rows is empty; give one row a publication"
    )
    assert refused(tmp_path / "none.yaml") == (
        "published: no file none.yaml; give a YAML file like published.yaml"
    )
    (tmp_path / "p.yaml").write_bytes(b"name: caf\xe9")
    assert refused(tmp_path / "p.yaml") == (
        "published p.yaml: is not text in UTF-8; save it as such"
    )
    (tmp_path / "p.yaml").write_text("- 1")
    assert refused(tmp_path / "p.yaml") == (
        "published p.yaml: must be a mapping with name and rows; see published.yaml"
    )


def test_ratios_turn_the_band_around() -> None:
    (one,) = compare(Band(0.1e-6, 0.05e-6, 0.4e-6), [row("theirs", 20.0)])
    assert (one.times.value, one.times.low, one.times.high) == pytest.approx((200, 50, 400))
    assert one.allowed == pytest.approx(0.2e-6, rel=1e-9, abs=0)


@pytest.mark.parametrize(
    ("microjoules", "holds", "words"),
    [
        (41.0, Holds.ALL, "holds over the whole band, with a factor of 1.0 to spare"),
        (80.0, Holds.ALL, "with a factor of 2.0 to spare at the high end"),
        (39.0, Holds.VALUE, "at the value, not at the high end: the high end is 1.0 times too"),
        (20.0, Holds.VALUE, "the high end is 2.0 times too much"),
        (9.0, Holds.LOW, "holds at the low end only: the high end is 4.4 times too much"),
        (4.0, Holds.NONE, "holds nowhere in the band: the high end is 10 times too much"),
    ],
)
def test_the_sentence_follows_from_the_numbers(
    microjoules: float, holds: Holds, words: str
) -> None:
    (one,) = compare(Band(0.1e-6, 0.05e-6, 0.4e-6), [row("theirs", microjoules)])
    assert one.holds is holds and words in one.text


def test_verified_rows_come_first_and_decide() -> None:
    rows = [row("low", 1.0, False), row("b", 20.0), row("c", 30.0), row("high", 99.0, False)]
    ratios = compare(Band(0.1e-6, 0.05e-6, 0.15e-6), rows)
    assert [one.row.name for one in ratios] == ["c", "b", "high", "low"]
    assert verdict(ratios) == (
        "100 times less than every verified baseline holds over our whole band. Ours is 100 nJ (50 "
        "to 150 nJ); b takes 200 times that (130 to 400). 100 times needs 200 nJ or less: the high "
        "end has a factor of 1.3 to spare."
    )
    assert "baseline does not hold." in verdict(compare(Band(1e-6, 1e-6, 1e-6), rows))
    assert "at our low end only." in verdict(compare(Band(0.3e-6, 0.1e-6, 0.4e-6), rows))
    unsafe = verdict(compare(Band(0.1e-6, 0.1e-6, 0.4e-6), rows))
    assert "holds at our value, not at our high end." in unsafe
    assert unsafe.endswith("the high end is 2.0 times too much.")
    with pytest.raises(UserError, match=r"^published: no baseline is verified; read one source"):
        verdict(compare(Band(1e-6, 1e-6, 1e-6), rows[:1]))


def test_the_paper_and_its_forerunners_are_no_baseline_of_its_claim() -> None:
    rows = load_published()
    assert {one.name for one in rows if not one.baseline} == {
        "SpinDrop",
        "Spatial-SpinDrop",
        "Scale-Dropout",
    }
    read = [one.model_copy(update={"verified": True, "label": Label.S}) for one in rows]
    assert "Malhotra et al. takes" in verdict(compare(Band(1e-8, 1e-8, 1e-8), read))
    ratios = compare(Band(0.1e-6, 0.05e-6, 0.15e-6), rows)
    assert verdict(ratios, "SpinDrop").startswith(
        "100 times less than SpinDrop (unverified) does not hold."
    )
    assert verdict(ratios, "VIBNN") == verdict(ratios).replace("every verified baseline", "VIBNN")
    with pytest.raises(UserError, match=r"^against: 'x' is not a row; choose one of BYNQNet, VIB"):
        verdict(ratios, "x")


def test_a_band_that_is_none_is_refused() -> None:
    for ours in (Band(0, 0, 0), Band(1e-6, 2e-6, 3e-6)):
        with pytest.raises(UserError, match=r"^ours: must be above 0 and in order, not Band"):
            compare(ours, load_published())
    with pytest.raises(UserError, match=r"^goal: must be above 0, not 0; 100 is the claim"):
        compare(Band(1, 1, 1), load_published(), 0)


@pytest.mark.parametrize(
    ("ratio", "text"), [(0.123, "0.12"), (1, "1.0"), (9.96, "10"), (105.4, "110"), (1234, "1,200")]
)
def test_ratios_have_two_digits(ratio: float, text: str) -> None:
    assert figure(ratio) == text


def test_references_carry_their_whole_configuration() -> None:
    found = {one.name: one for one in load_references()}
    assert {name: one.nj_per_pass for name, one in found.items()} == {
        "NeuroSim SRAM 22 nm": 4.9,
        "NeuroSim RRAM 22 nm": 7.1,
        "NeuroSim 10k/25k 22 nm": 8.1,
        "NeuroSim SRAM 45 nm": 30,
    }
    for one in found.values():
        assert (one.rows, one.columns, one.adc_bits, one.weight_bits, one.input_bits) == (
            32,
            32,
            5,
            1,
            1,
        )
    sram = found["NeuroSim SRAM 22 nm"]
    assert sram.parts == pytest.approx(
        {"converters": 1.75e-9, "accumulation": 0.26e-9, "other": 2.9e-9}, rel=1e-9, abs=0
    )
    assert sram.joules * 20 == pytest.approx(98e-9, rel=1e-3, abs=0)
    assert found["NeuroSim 10k/25k 22 nm"].configuration == (
        "LeNet-5, 1-bit weights and 1-bit inputs, 32 x 32 arrays of RRAM with the resistances of a "
        "magnetic junction, 10 and 25 kOhm, 5-bit converter, 22 nm"
    )


def test_a_broken_reference_is_refused_by_name(tmp_path: Path) -> None:
    def refused(old: str, new: str) -> str:
        path = tmp_path / "r.yaml"
        path.write_text(REFERENCES.read_text().replace(old, new, 1))
        with pytest.raises(UserError) as caught:
            load_references(path)
        return str(caught.value)

    at = "references r.yaml: rows[0] (NeuroSim SRAM 22 nm)"
    assert refused("other: 2.9", "other: 1.9") == (
        f"{at}: parts_nj sum to 3.91, not to nj_per_pass 4.9; add what is missing as other"
    )
    assert refused("nj_per_pass: 4.9", "nj: 4.9") == (
        f"{at} nj: unknown key 'nj' with value 4.9; write nj_per_pass, in nanojoules"
    )
    assert refused("adc_bits: 5", "adc_bits: 0") == f"{at}: adc_bits must be 1 or more, not 0"
