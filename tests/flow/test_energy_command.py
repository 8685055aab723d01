# SPDX-License-Identifier: Apache-2.0
"""``scaledrop energy``: its report, its pictures, counts of the RTL, and every refusal."""

import json
import re
from pathlib import Path

import pytest
import yaml

from networks import random_network
from scaledrop.energy import load_table
from scaledrop.frozen_file import digest, save
from scaledrop.mapping import ArrayShape
from scaledrop.workload import count

SMALL = ("--rows", 32, "--columns", 8)
PICTURES = ("steps", "parts", "bands", "tornado", "roofline")


@pytest.fixture(scope="module")
def lenet(tmp_path_factory):
    """Full size from its shapes, priced once."""
    import sys

    from scaledrop_flow import cli

    out = tmp_path_factory.mktemp("energy")
    arguments = ["energy", "--topology", "lenet5", "--density", "0.11", "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as stop:
        patch.setattr(sys, "argv", ["scaledrop", *arguments])
        cli.main()
    assert stop.value.code == 0
    return out, json.loads((out / "energy.json").read_text())


def test_it_leaves_a_report_a_page_and_pictures(lenet):
    out, report = lenet
    assert {path.name for path in out.iterdir()} == {
        *("energy.json", "index.html"),
        *(f"energy-{name}.png" for name in PICTURES),
    }
    assert report["counts"] == "mapping" and report["table"] == "mtj45"
    assert report["chosen"]["mode"] == "shared" and report["chosen"]["datapath"] == "folded"
    page = (out / "index.html").read_text()
    for line in (*report["not_counted"], *report["assumptions"]):
        assert line.replace("'", "&#39;") in page, line


def test_the_steps_go_down_from_the_papers_architecture_to_ours(lenet):
    _, report = lenet
    totals = [step["value"] for step in report["steps"]]
    assert [step["mode"] for step in report["steps"]] == ["passes", "passes", "passes", "shared"]
    assert totals == sorted(totals, reverse=True)
    assert report["chosen"]["value"] == totals[-1]
    assert report["shared_gain"] == pytest.approx(totals[-2] / totals[-1], rel=1e-12)
    assert report["shared_gain"] > 8


def test_every_row_of_the_table_has_its_swing(lenet):
    _, report = lenet
    table = load_table("mtj45")
    names = {swing["name"] for swing in report["sensitivity"]}
    assert names == {row.component for row in table.rows} | {
        f"{row.component} leakage" for row in table.leakage
    }
    value = report["chosen"]["value"]
    assert all(swing["low"] <= value <= swing["high"] for swing in report["sensitivity"])


def test_another_tools_figures_are_met_component_by_component(lenet):
    """Converters within a factor of two of the tool's, and the total at its other node."""
    _, report = lenet
    found = {one["name"]: one for one in report["independent"]}
    sram = found["NeuroSim SRAM 22 nm"]
    converters = sram["ours_parts"]["converters"]["value"] / (sram["parts_nj"]["converters"] * 1e-9)
    assert 0.5 < converters < 2
    assert 0.5 < found["NeuroSim SRAM 45 nm"]["ratio"] < 2
    for one in found.values():
        parts = sum(band["value"] for band in one["ours_parts"].values())
        assert parts == pytest.approx(one["ours"]["value"], rel=1e-9, abs=0)


def model(folder, seed=3):
    network = random_network(seed, [20, 12, 8, 5])
    save(network, folder / "model.sdnet")
    return network


def rtl_report(network, folder, **changes):
    """What a co-simulation leaves of its counters; one more pixel than predicted, to tell it."""
    array = ArrayShape(32, 8, 0)
    counts = count(network, array, mode="shared", folded=True, density=0.5).counts
    first = next(iter(counts.values()))
    report = {
        "model_sha256": digest(network),
        "mode": "shared",
        "datapath": "folded",
        "passes": 20,
        "convolution": "auto",
        "images": 0,
        "array": {"rows": array.rows, "columns": array.columns, "lanes": array.lanes},
        "events": {"simulated": {**counts, next(iter(counts)): {**first, "pixels": 10**6}}},
        **changes,
    }
    path = folder / "report.json"
    path.write_text(json.dumps(report))
    return path


def test_counts_of_the_rtl_are_priced(run, tmp_path):
    path = rtl_report(model(tmp_path), tmp_path)
    arguments = ("energy", "--model", "model.sdnet", "--density", 0.5, *SMALL, "--out", "e")
    assert run(*arguments)[0] == 0
    predicted = json.loads(Path("e/energy.json").read_text())["chosen"]["value"]
    status, out, _ = run(*arguments, "--run", path)
    counted = json.loads(Path("e/energy.json").read_text())
    assert status == 0 and "counts of the RTL's counters" in out
    assert counted["counts"] == "RTL" and counted["chosen"]["value"] > 2 * predicted


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "passes"}, r"run: mode is 'passes' in .*report\.json and 'shared' here; price"),
        ({"passes": 19}, r"run: passes is 19 in .* and 20 here"),
        ({"model_sha256": "0"}, r"run: model_sha256 is '0' in"),
        ({"events": {"simulated": None}}, r"run: .* has no counters of the RTL; run the co-sim"),
        ({"events": None}, r"run: .* is no report of a co-simulation; give its report\.json"),
    ],
)
def test_counters_of_another_run_are_refused(run, tmp_path, changes, message):
    path = rtl_report(model(tmp_path), tmp_path, **changes)
    status, _, err = run(
        *("energy", "--model", "model.sdnet", "--density", 0.5, *SMALL, "--run", path)
    )
    assert status == 2 and re.match(f"scaledrop: {message}", err) and err.count("\n") == 1


def test_a_table_of_the_users_own_and_a_published_figure_are_taken(run, tmp_path):
    model(tmp_path)
    table = load_table("mtj45").model_dump(mode="json", exclude_none=True)
    for row in table["rows"]:
        if row["component"] == "interface":
            row.update(energy_j=1e-6, low_j=1e-6, high_j=1e-6)
    Path("mine.yaml").write_text(yaml.safe_dump({**table, "name": "mine"}))
    row = {
        **{"name": "Mine", "method": "m", "hardware": "h", "dataset": "MNIST", "network": "n"},
        **{"uj_per_image": 5.0, "source": "a table", "label": "S", "verified": True},
        "baseline": True,
    }
    Path("own.yaml").write_text(yaml.safe_dump({"name": "own", "rows": [row]}))
    status, out, err = run(
        *("energy", "--model", "model.sdnet", "--density", 0.5, *SMALL, "--table", "mine.yaml"),
        *("--published", "own.yaml", "--out", "e"),
    )
    assert (status, err) == (0, "")
    report = json.loads(Path("e/energy.json").read_text())
    assert report["table"] == "mine" and report["chosen"]["value"] > 1e-6
    mine = next(one for one in report["published"] if one["name"] == "Mine")
    assert mine["joules"] == pytest.approx(5e-6, rel=1e-12, abs=0) and "Mine" in out
    assert mine["over_ours"]["value"] == pytest.approx(5e-6 / report["chosen"]["value"], rel=1e-9)


def test_another_node_and_a_device_card_change_their_rows(run, tmp_path):
    model(tmp_path)
    base = ("energy", "--model", "model.sdnet", "--density", 0.5, *SMALL, "--out", "e")

    def chosen(*more):
        assert run(*base, *more)[0] == 0
        report = json.loads(Path("e/energy.json").read_text())
        parts = {one["name"]: one for one in report["chosen"]["by_component"]}
        return report["table"], report["chosen"]["value"], parts

    _, value, parts = chosen()
    name, smaller, _ = chosen("--node", 28)
    assert name == "mtj45 at 28 nm, 0.9 V" and smaller < 0.7 * value
    name, _, device = chosen("--spin", "she100")
    assert name == "mtj45 with she100"
    write = device["spin unit, write"]
    assert write["value"] != parts["spin unit, write"]["value"]
    assert write["low"] <= write["value"] <= write["high"] and "she100" in write["source"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--topology", "lenet"), "network: must be one of mlp, lenet5, vgg_small, resnet18,"),
        (
            ("--topology", "lenet5", "--config", "digits"),
            "topology: goes without --config and --model; name one network",
        ),
        (("--topology", "lenet5", "--node", 3), "node_nm: 3 nm is outside of the scaling table,"),
        (("--topology", "lenet5", "--supply", 3, "--node", 28), "supply_v: 3 V is outside of the"),
        (("--topology", "lenet5", "--table", "mtj9"), "table: no file mtj9.yaml; give a YAML file"),
        (("--topology", "lenet5", "--rows", 1024), "rows: 1024 rows need a lossless converter of"),
        (("--topology", "lenet5", "--converter-bits", 0), "converter_bits: must be 1 to 16, not 0"),
        (("--topology", "lenet5", "--datapath", "fast"), "datapath: must be reference or folded,"),
        (("--topology", "lenet5", "--density", 2), "density: must be 0 to 1, not 2"),
        (("--topology", "lenet5", "--published", "no.yaml"), "published: no file no.yaml; give a"),
        (("--topology", "lenet5", "--run", "no.json", "--density", 0.5), "run: no.json: No such"),
    ],
)
def test_mistakes_are_one_line(run, arguments, message):
    status, _, err = run("energy", *arguments)
    assert status == 2 and err.startswith(f"scaledrop: {message}") and err.count("\n") == 1
