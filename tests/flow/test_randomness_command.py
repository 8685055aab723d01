# SPDX-License-Identifier: Apache-2.0
"""``scaledrop randomness`` as a person uses it."""

import json
from pathlib import Path

import numpy as np


def record(path, p, count=20_000, seed=1):
    np.savetxt(path, np.random.default_rng(seed).random(count) < p, fmt="%d")


def test_sound_bits(run):
    record("bits.csv", 0.2)
    status, out, err = run("randomness", "bits.csv", "--p", 0.2, "--json", "out/report.json")
    assert (status, err) == (0, "")
    assert "bits        20,000, p 0.2 programmed" in out
    assert "skipped     SP 800-22: assumes that p is 0.5" in out
    assert "chance brings 0.12 and allows 1" in out
    assert "result      no sign against independent bits of this probability" in out
    report = json.loads(Path("out/report.json").read_text())
    assert report["file"] == "bits.csv" and report["passed"] and report["bits"] == 20_000


def test_bits_of_another_probability_are_rejected(run):
    record("bits.csv", 0.25)
    status, out, err = run("randomness", "bits.csv", "--p", 0.2)
    assert (status, err) == (1, "")
    assert "REJECTED: share of ones" in out


def test_equal_bits_and_packed_bytes(run):
    Path("stuck.bin").write_bytes(b"\xff" * 1000)
    status, out, _ = run("randomness", "stuck.bin")
    assert status == 1 and "all bits are equal" in out


def test_mistakes(run):
    record("short.txt", 0.5, 999)
    Path("other.txt").write_text("0101x")
    for arguments, text in (
        (("short.txt",), "bits: an assessment needs at least 1000, not 999; record more"),
        (("other.txt",), "other.txt: must be 0 and 1 with blanks between, not b'x' as bit 4;"),
        (("short.txt", "--format", "hex"), "format: must be one of bits, bytes, csv, not 'hex'"),
        (("gone.txt",), "gone.txt: cannot be read (No such file or directory)"),
    ):
        status, out, err = run("randomness", *arguments)
        assert (status, out) == (2, "") and err.startswith(f"scaledrop: {text}")
        assert err.count("\n") == 1
