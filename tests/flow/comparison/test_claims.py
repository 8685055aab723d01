# SPDX-License-Identifier: Apache-2.0
"""Verdicts on made-up tables: claims that hold, hold in part, fail, or have no table."""

import csv

import pytest

from scaledrop.errors import UserError
from scaledrop_flow.comparison.checks import CHECKS, judged
from scaledrop_flow.comparison.claims import CLAIMS, Claim, Verdict, load_claims
from scaledrop_flow.comparison.tables import Tables

ALL = {claim.claim: claim for claim in load_claims()}
ROW = {
    "uj": 0.1,
    "uj_low": 0.04,
    "uj_high": 0.15,
    "memory_bits": 100_000,
    "numbers_per_pass": 5,
    "generators": 1,
    "passes": 20,
    "passes_enough": 2,
    "auroc_1": 0.9,
    "auroc_2": 0.8,
    "unknown_1": "a",
    "unknown_2": "b",
}
RIVALS = ("deterministic", "mc-dropout", "spindrop", "spatial-spindrop")


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def tables(folder, methods=None, standings=None):
    """Tables from changes by method, and from (method, score) to standing of the rival."""
    methods = methods or {}
    names = list(dict.fromkeys(("scale-dropout", *RIVALS, *methods)))
    rows = [
        {"set": "fashion-mnist", "method": key, "title": key.upper(), "seed": seed}
        | ROW
        | methods.get(key, {})
        for key in names
        for seed in range(2)
    ]
    write(folder / "methods.csv", rows)
    differences = [
        {
            "set": "fashion-mnist",
            "method": key,
            "against": "scale-dropout",
            "score": score,
            "difference": -0.01,
            "standing": (standings or {}).get((key, score), "no difference"),
        }
        for key in RIVALS
        for score in ("accuracy", "nll", "ece", "aurc", "auroc_1", "auroc_2")
    ]
    write(folder / "methods-differences.csv", differences)
    return Tables.read(folder)


def verdict(claim, found):
    return judged(ALL[claim], found).verdict


@pytest.mark.parametrize(
    ("value", "high", "expected"),
    [
        (0.1, 0.15, Verdict.YES),  # 18.977 / 0.15 is 126
        (0.1, 0.2, Verdict.PART),  # 95 at the high end
        (0.2, 0.3, Verdict.NO),
        (0.19, 0.3, Verdict.NO),
        (0.18, 0.3, Verdict.PART),
    ],
)
def test_a_hundred_times_less_than_published(tmp_path, value, high, expected):
    found = tables(tmp_path, {"scale-dropout": {"uj": value, "uj_high": high}})
    one = judged(ALL["energy-100"], found)
    assert one.verdict is expected
    assert "VIBNN takes" in one.measured and "not equal work" in one.reason


RIVAL_WORSE = {(key, "accuracy"): "worse" for key in ("mc-dropout", "spindrop")}


@pytest.mark.parametrize(
    ("standings", "expected", "said"),
    [
        ({}, Verdict.NO, "better in 0 of 3 comparisons, worse in 0, no difference in 3"),
        (RIVAL_WORSE, Verdict.YES, "better in 2 of 3 comparisons, worse in 0"),
        (
            {**RIVAL_WORSE, ("spatial-spindrop", "accuracy"): "better"},
            Verdict.PART,
            "better in 2 of 3 comparisons, worse in 1",
        ),
        (
            {("mc-dropout", "accuracy"): "better"},
            Verdict.NO,
            "better in 0 of 3 comparisons, worse in 1",
        ),
        ({("deterministic", "accuracy"): "worse"}, Verdict.NO, "better in 0 of 3"),  # no rival
    ],
)
def test_up_to_one_percent_needs_one_difference_and_none_against_it(
    tmp_path, standings, expected, said
):
    one = judged(ALL["accuracy-1"], tables(tmp_path, standings=standings))
    assert one.verdict is expected and one.measured.startswith(said)
    assert "largest gain +0.0100 in accuracy over mc-dropout on fashion-mnist" in one.measured


@pytest.mark.parametrize(
    ("worse", "better", "expected"),
    [
        (4, 0, Verdict.YES),
        (3, 0, Verdict.YES),
        (3, 1, Verdict.PART),
        (2, 0, Verdict.PART),
        (1, 1, Verdict.NO),
        (0, 0, Verdict.NO),
        (0, 4, Verdict.NO),
    ],
)
def test_improved_needs_most(tmp_path, worse, better, expected):
    standings = {(key, "ece"): "worse" for key in RIVALS[:worse]}
    standings |= {(key, "ece"): "better" for key in RIVALS[::-1][:better]}
    assert verdict("calibration", tables(tmp_path, standings=standings)) is expected


def test_a_claim_that_fails_says_so_with_its_reason(tmp_path):
    one = judged(ALL["calibration"], tables(tmp_path))
    assert one.verdict is Verdict.NO
    assert one.reason == "no difference is larger than what seeds and images scatter"
    memory = judged(ALL["neuspin-memory"], tables(tmp_path, {"spindrop": {"memory_bits": 500_000}}))
    assert memory.verdict is Verdict.NO and "one-bit weights" in memory.reason
    assert memory.measured == ("of all methods SPINDROP takes most memory: 5.0 times Scale-Dropout")


def test_ratios_of_methods(tmp_path):
    dear = {"deep-ensemble": {"uj": 12.0}, "residual": {"uj": 90.0}}
    assert verdict("neuspin-energy", tables(tmp_path, dear)) is Verdict.YES
    assert verdict("neuspin-energy", tables(tmp_path, {"residual": {"uj": 90.0}})) is Verdict.NO
    spin = {"spindrop": {"uj": 94.2, "numbers_per_pass": 45}, "spatial-spindrop": {"uj": 1.0}}
    found = tables(tmp_path, spin)
    assert verdict("spatial-energy", found) is Verdict.YES
    modules = judged(ALL["spatial-modules"], found)
    assert modules.verdict is Verdict.UNTESTED and "9.0 times the numbers" in modules.measured
    assert verdict("spatial-energy", tables(tmp_path, {"spindrop": {"uj": 0.2}})) is Verdict.NO


@pytest.mark.parametrize(
    ("ours", "rivals", "expected"),
    [(2, (5, 5, 5), Verdict.YES), (2, (5, 5, 2), Verdict.PART), (2, (5, 2, 1), Verdict.NO)],
)
def test_fewer_passes(tmp_path, ours, rivals, expected):
    keys = ALL["fewer-passes"].rivals
    changes = {key: {"passes_enough": n} for key, n in zip(keys, rivals, strict=True)}
    found = tables(tmp_path, {"scale-dropout": {"passes_enough": ours}, **changes})
    assert verdict("fewer-passes", found) is expected


def test_one_unit_for_the_model(tmp_path):
    found = tables(tmp_path, {"spindrop": {"generators": 120}})
    one = judged(ALL["one-unit"], found)
    assert one.verdict is Verdict.YES and "other methods up to 120" in one.measured
    assert "MC-DROPOUT" in one.measured  # which needs one as well, and it is said
    assert verdict("one-unit", tables(tmp_path, {"scale-dropout": {"generators": 3}})) is Verdict.NO


def test_what_is_remembered_or_not_measured_is_not_tested(tmp_path):
    found = tables(tmp_path)
    for claim in ("figure-0.18", "neuspin-unknown", "affine-faults", "segmentation"):
        one = judged(ALL[claim], found)
        assert one.verdict is Verdict.UNTESTED and one.reason, claim
    assert judged(ALL["figure-0.18"], found).measured == "100 nJ (40 to 150 nJ), estimated"


def test_without_a_table_nothing_is_judged(tmp_path):
    found = Tables.read(tmp_path)
    for claim in ALL.values():
        assert judged(claim, found).verdict is Verdict.UNTESTED, claim.claim


def test_the_file_names_checks_and_labels_that_exist(tmp_path):
    assert len(ALL) >= 12
    assert {claim.check for claim in ALL.values()} == set(CHECKS)
    remembered = [claim.claim for claim in ALL.values() if claim.label == "MEM"]
    assert remembered == ["figure-0.18"]
    wrong = Claim(claim="x", says="x", source="x", label="MEM", check="no_such")
    with pytest.raises(UserError, match=r"^claims: x names check 'no_such'; choose one of energy"):
        judged(wrong, Tables(()))
    twice = tmp_path / "claims.yaml"
    text = CLAIMS.read_text()
    twice.write_text(text.replace("claim: accuracy-1", "claim: energy-100"))
    with pytest.raises(UserError, match=r"^claims claims\.yaml: .*'energy-100' appears 2 times"):
        load_claims(twice)
