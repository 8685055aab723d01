# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``scaledrop device``."""

import json
import re
from pathlib import Path

import pytest

from scaledrop.device.card_file import card_names, load_card
from scaledrop.device.devices import nominal
from scaledrop.device.wafer import long_run, trim
from scaledrop_flow.bench import device as bench

HEAD = "drive_v,pulse_ns,trials,switched\n"
PERCENT = [0, 2, 10, 18, 34, 50, 82, 84, 90, 98, 94, 100]
COUNTS = HEAD + "".join(f"{0.80 + 0.02 * i:.2f},0.75,100,{p}\n" for i, p in enumerate(PERCENT))


def test_list_names_every_card(run):
    status, out, _ = run("device", "list")
    assert status == 0
    for name in card_names():
        assert name in out
    assert re.search(r"hikstor80 .* 6 of 25", out)


@pytest.mark.parametrize("name", card_names())
def test_show_says_what_is_unverified(run, name):
    status, out, _ = run("device", "show", name)
    card = load_card(name)
    assert status == 0 and card.title in out
    assert f"unverified: {', '.join(card.unverified)}\n" in out
    assert "not given, so without effect: " in out


def test_fit_writes_a_card_that_can_be_used(run):
    Path("m.csv").write_text(COUNTS)
    status, out, err = run("device", "fit", "m.csv", "--out", "mine.yaml")
    assert (status, err) == (0, "")
    assert "logistic     chi2 24.9 for 10 degrees of freedom, p = 0.0055: rejected\n" in out
    assert "chosen       asymmetric: chi2 16.4 for 9 degrees of freedom, p = 0.06: holds\n" in out
    assert "asymmetry    2.6457 (95 %: 1.1218 to no bound)" in out
    card = load_card("mine.yaml")
    assert card.name == "mine" and card.si("pulse") == pytest.approx(0.75e-9, rel=1e-12, abs=0)
    assert card.si("slope") == pytest.approx(39.8, abs=0.05)
    assert card.device_sigma("v_th_1ns") == pytest.approx(0.05 * card.si("v_th_1ns"))
    assert "sha256" in card.parameters["slope"].source
    one = nominal(card)
    assert long_run(one, trim(one, 0.5)).item() == pytest.approx(0.5, abs=0.03)
    report = json.loads(Path("mine.fit.json").read_text())
    assert report["chosen"] == "asymmetric" and report["rejected"] is False
    assert [one["dof"] for one in report["laws"]] == [10, 9, 9, 8]
    assert run("device", "show", "mine.yaml")[0] == 0


def test_a_law_that_does_not_hold_is_a_warning(run):
    percent = [0, 2, 36, 38, 52, 74, 74, 92, 100]
    rows = [f"{0.80 + 0.02 * i:.2f},0.75,100,{p}\n" for i, p in enumerate(percent)]
    Path("m.csv").write_text(HEAD + "".join(rows))
    status, out, _ = run("device", "fit", "m.csv", "--out", "mine.yaml")
    assert status == 0 and "rejected\nwarning      no law tried describes these counts" in out
    assert json.loads(Path("mine.fit.json").read_text())["rejected"] is True


MISTAKES = {
    "no card": (("show", "mtj9"), "card: no file mtj9.yaml; give a YAML file or one of: "),
    "no file": (
        ("fit", "gone.csv", "--out", "c.yaml"),
        "gone.csv: cannot be read (No such file or directory); give a CSV file",
    ),
    "no card name": (("fit", "m.csv", "--out", "c.json"), "out: 'c.json' must end in .yaml"),
    "wrong name": (("fit", "m.csv", "--out", "c.yaml", "--name", "a b"), "name: 'a b' must be"),
    "wrong base": (
        ("fit", "m.csv", "--out", "c.yaml", "--base", "she100"),
        "base: card she100 has law macrospin; choose an empirical one",
    ),
    "wrong format": (("plot", "hikstor80", "--format", "pdf"), "format: 'pdf' is not known"),
    "unwritable": (
        ("fit", "m.csv", "--out", "m.csv/c.yaml"),
        "m.csv/c.yaml: cannot be written (File exists); choose another path",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line(run, name):
    Path("m.csv").write_text(COUNTS)
    arguments, text = MISTAKES[name]
    status, _, err = run("device", *arguments)
    assert status == 2 and text in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_plot_draws_the_same_bytes_again(run, kind):
    for folder in ("a", "b"):
        assert run("device", "plot", "hikstor80", "--out", folder, "--format", kind)[0] == 0
    names = sorted(path.name for path in Path("a").iterdir())
    assert names == [f"hikstor80-{n}.{kind}" for n in ("energy", "probability", "temperature")]
    for name in names:
        assert (Path("a") / name).read_bytes() == (Path("b") / name).read_bytes()
    if kind == "svg":
        assert "write voltage, V" in (Path("a") / "hikstor80-probability.svg").read_text()


def test_the_benchmark_checks_before_it_measures(monkeypatch):
    monkeypatch.setattr(bench, "BITS", 1 << 20)
    entries = {one["name"]: one["value"] for one in bench.device_benchmarks(2)}
    assert set(entries) == {"device_bits_per_s", "device_vs_generator"}
    assert entries["device_bits_per_s"] > 1e6 and entries["device_vs_generator"] > 0.1
    with pytest.raises(ValueError, match="repeats: must be 1 or more, not 0"):
        bench.device_benchmarks(0)
    monkeypatch.setattr(bench, "spin_words", lambda seed, count: bench.np.zeros(count, "u4"))
    with pytest.raises(ValueError, match="differs from the unit's own bits"):
        bench.device_benchmarks(1)
