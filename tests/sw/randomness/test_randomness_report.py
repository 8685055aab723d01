# SPDX-License-Identifier: Apache-2.0
"""The whole assessment: what runs, what is skipped, how often it is wrong, what it finds."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from scaledrop.errors import UserError
from scaledrop.health import find_alarms, limits_of
from scaledrop.randomness import allowed_failures, assess, health_check, holm, read_bits


def drawn(p, count, seed):
    return (np.random.default_rng(seed).random(count) < p).astype(np.uint8)


def test_a_fair_stream_is_tested_by_both_families():
    report = assess(drawn(0.5, 400_000, 1), 0.5)
    names = [one.test for one in report.verdicts]
    assert len(names) == len(set(names)) == 24 and not report.skipped
    assert sum(name.startswith("SP 800-22 ") for name in names) == 12
    assert report.passed and report.allowed_failures == 2
    assert report.expected_failures == pytest.approx(0.24)
    assert 0.8 < report.min_entropy < 1 and report.ideal_entropy == 1.0


def test_without_p_nothing_that_needs_it_is_run():
    report = assess(drawn(0.2, 20_000, 2))
    names = {one.test for one in report.verdicts}
    assert "share of ones" not in names and {"runs", "words", "drift", "health"} <= names
    assert report.skipped == {
        "SP 800-22": "assumes that p is 0.5; whiten the bits and assess those"
    }
    assert report.passed and report.p is None
    assert report.ideal_entropy == pytest.approx(0.32, abs=0.02)


def test_short_streams_say_how_many_bits_are_missing():
    report = assess(drawn(0.5, 1000, 3), 0.5)
    assert report.skipped == {
        "SP 800-22 matrix rank": "bits: matrix rank needs at least 38912, not 1000; record more",
        "SP 800-22 universal": "bits: universal needs at least 387840, not 1000; record more",
    }
    assert report.entropy["compression"] is None
    with pytest.raises(UserError) as caught:
        assess(drawn(0.5, 999, 3))
    assert str(caught.value) == "bits: an assessment needs at least 1000, not 999; record more"


def test_how_often_sound_streams_are_rejected():
    """At most alpha for Holm and about alpha for the count; three deviations above both."""
    streams = (drawn(0.2, 2000, seed) for seed in range(100))
    wrong = sum(not assess(stream, 0.2, 0.05).passed for stream in streams)
    assert wrong <= 10 + 3 * np.sqrt(100 * 0.1 * 0.9)


@pytest.mark.parametrize("p", [0.2, 0.5, None])
def test_faults_are_rejected_and_named(p):
    bits = drawn(p or 0.3, 40_000, 4)
    bits[20_000:20_300] = 1
    report = assess(bits, p)
    assert not report.passed and {"equal run", "worst window"} <= set(report.rejected)
    assert report.failures >= len(report.rejected)
    if p:
        assert "health" in report.rejected and 20_000 < report.health.first < 20_100


def test_a_wrong_probability_is_rejected_if_it_was_said():
    bits = drawn(0.21, 200_000, 5)
    assert not assess(bits, 0.2).passed
    assert assess(bits).passed


def test_either_count_or_correction_rejects():
    report = assess(drawn(0.2, 2000, 10), 0.2)
    assert report.passed
    assert not replace(report, failures=report.allowed_failures + 1).passed
    assert not replace(report, rejected=("drift",)).passed


@pytest.mark.parametrize("value", [0, 1])
@pytest.mark.parametrize("p", [None, 0.5])
def test_a_stuck_source_is_rejected_and_its_report_is_json(value, p):
    report = assess(np.full(20_000, value), p)
    assert not report.passed and report.min_entropy == 0.0
    assert report.autocorrelation is None
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert found["passed"] is False
    assert found["transitions"]["after_one" if value == 0 else "after_zero"]["value"] is None


def test_json_has_all_and_the_input_is_left_alone():
    bits = drawn(0.2, 20_000, 6)
    before = bits.copy()
    report = assess(bits, 0.2)
    assert np.array_equal(bits, before) and bits.flags.writeable
    found = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert found["bits"] == 20_000 and len(found["verdicts"]) == len(report.verdicts)
    assert all(one["passed"] is (one["p_value"] >= 0.01) for one in found["verdicts"])
    assert len(found["autocorrelation"]["values"]) == 32
    assert [one["method"] for one in found["whitenings"]][:2] == ["none", "xor 2"]
    assert found == json.loads(json.dumps(assess(list(before), 0.2).as_dict()))


def test_holm_by_hand_and_allowed_failures():
    assert holm([0.04, 0.01, 0.03, 0.5]) == pytest.approx([0.09, 0.04, 0.09, 0.5])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    for tests in (1, 12, 24, 100):
        allowed = allowed_failures(tests, 0.01)
        assert stats.binom.sf(allowed, tests, 0.01) <= 0.01
        assert allowed == 0 or stats.binom.sf(allowed - 1, tests, 0.01) > 0.01


def test_health_is_that_of_the_hardware():
    bits = drawn(0.3, 50_000, 7)
    bits[30_000:31_000] = 0
    found = health_check(bits, 0.3)
    limits = limits_of(19661)
    at, which = np.nonzero(find_alarms(1 - bits, limits, 1024))
    assert found.code == 19661 and found.first == at[0]
    assert {name for name, count in found.alarms.items() if count} == {
        limits._fields[one] for one in which
    }
    assert found.verdict().p_value < 1e-6
    assert health_check(drawn(0.3, 50_000, 8), 0.3).verdict().p_value == 1.0


@pytest.mark.parametrize(("p", "alpha", "field"), [(0.0, 0.01, "p"), (0.2, 1.0, "alpha")])
def test_wrong_levels(p, alpha, field):
    with pytest.raises(UserError, match=f"^{field}: must lie between 0 and 1, not"):
        assess(drawn(0.5, 1000, 9), p, alpha)


CONTENTS = {
    "a.txt": (b"0 1\n1\t1\r\n0", None, [0, 1, 1, 1, 0]),
    "a.bin": (b"\xa5\x01", None, [1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]),
    "a.csv": (b"\xef\xbb\xbfbit\n0\n1\n\n1\n", None, [0, 1, 1]),
    "b.csv": (b"0,1, 1\n0,0,1", None, [0, 1, 1, 0, 0, 1]),
    "c.csv": (b"01", "bits", [0, 1]),
    "d.dat": (b"\x80", "bytes", [1, 0, 0, 0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_files(name, tmp_path):
    content, form, bits = CONTENTS[name]
    (tmp_path / name).write_bytes(content)
    assert read_bits(tmp_path / name, form).tolist() == bits


@pytest.mark.parametrize(
    ("name", "content", "form", "message"),
    [
        ("a.txt", b"0102", None, "must be 0 and 1 with blanks between, not b'2' as bit 3; "
         "--format bytes or csv reads the others"),
        ("a.csv", b"bit\n1\n0.5", None, "line 3: must be 0 or 1, not '0.5'; keep the column of "
         "bits"),
        ("a.csv", b"2\n1", None, "line 1: must be 0 or 1, not '2'; keep the column of bits"),
        ("a.csv", b"time,bit\n0,1\n3,1", None, "line 3: must be 0 or 1, not '3'; keep the column "
         "of bits"),
        ("a.csv", b"bit\n", None, "has no bits; check the file and --format, now csv"),
        ("a.bin", b"", None, "has no bits; check the file and --format, now bytes"),
        ("none", None, None, "cannot be read (No such file or directory); check the path"),
    ],
)  # fmt: skip
def test_files_that_are_not_bits(name, content, form, message, tmp_path):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_bits(path, form)
    assert str(caught.value) == f"{path}: {message}"


def test_an_unknown_format(tmp_path):
    with pytest.raises(UserError) as caught:
        read_bits(tmp_path / "a", "hex")
    assert str(caught.value) == "format: must be one of bits, bytes, csv, not 'hex'"
