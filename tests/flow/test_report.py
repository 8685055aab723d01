# SPDX-License-Identifier: Apache-2.0
"""The page: self-contained, deterministic, complete, safe with hostile text, robust to nulls."""

from __future__ import annotations

import copy
import dataclasses
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from datapath import SIZES
from scaledrop.energy import EVENTS, Band, Machine, estimate, format_band, load_table
from scaledrop.errors import UserError
from scaledrop_flow.report import Gallery, render
from scaledrop_flow.report.pictures import thumbnail

LAYERS = (("dense1", 64, 128, 8), ("dense2", 128, 128, 1), ("dense3", 128, 10, 1))


def digits_gallery(images: int = 120, passes: int = 20) -> Gallery:
    """Real digits, with the predictions of a nearest-mean classifier shaken over the passes."""
    digits = load_digits()
    pictures, labels = digits.images[-images:], digits.target[-images:]
    means = np.stack(
        [digits.images[:-images][digits.target[:-images] == k].mean(0) for k in range(10)]
    )
    distance = ((pictures[:, None] - means[None]) ** 2).mean((2, 3))
    noise = np.random.default_rng(1).normal(0, 0.7, (images, passes, 10))
    logits = -distance[:, None] / 2.5 + noise
    each = np.exp(logits - logits.max(-1, keepdims=True))
    each /= each.sum(-1, keepdims=True)
    mean = each.mean(1)
    entropy = -(mean * np.log(mean)).sum(-1)
    inner = -(each * np.log(each)).sum(-1).mean(1)
    votes = (logits.argmax(-1)[..., None] == np.arange(10)).sum(1)
    grey = np.rint(pictures * 255 / 16).astype(np.uint8)
    return Gallery(grey, labels, mean, entropy, entropy - inner, votes)


def events_of(images: int, passes: int) -> dict[str, dict[str, int]]:
    out = {}
    for name, fan_in, channels, planes in LAYERS:
        tiles = -(-fan_in // 64) * -(-channels // 16) * planes
        runs, beats, hidden = images * passes, -(-channels // 16), channels > 10
        counts = {
            "cycles": 3 * tiles + 41,
            "waiting": 2,
            "activations": tiles,
            "row_drives": tiles * (64 if planes == 1 else 29),
            "conversions": 16 * tiles,
            "additions": 16 * tiles,
            "scale_reads": beats,
            "multiplies": channels,
            "comparisons": channels if hidden else 0,
            "logit_macs": 0 if hidden else channels,
            "buffer_reads": tiles,
            "buffer_writes": beats if hidden else 0,
            "spin_resets": 1,
            "spin_writes": 1,
            "spin_reads": 1,
            "pixels": 0,
            "results": 0,
        }
        assert set(counts) == set(EVENTS)
        out[name] = {event: n * runs for event, n in counts.items()}
    return out


def full_report(images: int = 120, passes: int = 20) -> dict[str, Any]:
    events = events_of(images, passes)
    cycles: list[dict[str, Any]] = [
        {"name": k, "predicted": v["cycles"], "simulated": v["cycles"]} for k, v in events.items()
    ]
    total = sum(one["predicted"] for one in cycles)
    machine = Machine(dict.fromkeys(events, SIZES), 1)
    return {
        "ok": True,
        "model_sha256": "5f2b" * 16,
        "images": images,
        "passes": passes,
        "mode": "passes",
        "masks": 0,
        "leaves": 20,
        "covered": 1.0,
        "datapath": "reference",
        "convolution": "auto",
        "bus": "none",
        "seed": 20231127,
        "command": "scaledrop cosim --config digits --images 120 --passes 20 --seed 20231127",
        "network": {
            "name": "digits",
            "input_shape": [8, 8],
            "layers": [
                {"name": n, "in_features": i, "out_features": o, "p": p, "planes": q}
                for (n, i, o, q), p in zip(LAYERS, (0.1125, 0.1501, 0.0502), strict=True)
            ],
        },
        "array": {"rows": 64, "columns": 16, "lanes": 16},
        "checked": {
            "masks": 7200,
            "hidden_bits": 614400,
            "logits": 24000,
            "sums": 1200,
            "squares": 1202,
            "votes": 1201,
            "predicted": 1203,
            "covered": 1204,
            "abstain": 1205,
            "monitors": 1,
            "counters": 42,
            "device_writes": 17,
            "total": 648043,
        },
        "mismatches": 0,
        "first_difference": None,
        "skipped": 1,
        "skips": ["netlist: no synthesizer was asked for"],
        "accuracy": {"float": 0.9583, "integer": 0.9584, "rtl": 0.9585},
        "backends": [
            {"name": "float64 PyTorch", "checked": 316801, "mismatches": 0},
            {"name": "RTL, Verilator", "checked": 331242, "mismatches": 0},
        ],
        "uncertainty": {
            "entropy_right": 0.3121,
            "entropy_wrong": 1.0473,
            "auroc_errors": 0.9312,
            "nll": 0.1934,
            "ece": 0.0215,
        },
        "cycles": {"predicted": total, "simulated": total, "by_layer": cycles},
        "events": {"predicted": events, "simulated": copy.deepcopy(events)},
        "energy_j": estimate(events, machine, load_table("mtj45"), images).as_json(),
        "wall_s": {"train": 14.21, "freeze": 0.3127, "generate": 2.114, "cosim": 9.871},
        "versions": {"scaledrop": "0.1.0", "torch": "2.13.0", "verilator": "5.048"},
    }


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return digits_gallery()


@pytest.fixture(scope="module")
def page(gallery: Gallery) -> str:
    return render(full_report(), gallery)


class Reader(HTMLParser):
    """Collects text, resource attributes, and whether every tag that opens also closes."""

    VOID = {"meta", "img", "br", "link", "input"}

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.resources, self.open, self.tags = "", [""], [""], {""}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        wanted = {"src", "href", "xlink:href", "data", "action", "srcset"}
        self.resources += [value or "" for name, value in attrs if name in wanted]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.resources += [value or "" for name, value in attrs if name in {"href", "xlink:href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1] != "style":
            self.text += data


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    reader = Reader(page)
    assert reader.open == [""]
    assert not re.search(r"https?://|@import|url\((?!#)", page)
    assert all(r.startswith(("data:image/png;base64,", "#")) for r in reader.resources if r)
    assert not reader.tags & {"script", "link", "iframe", "object"}
    assert {"svg", "img", "table"} <= reader.tags


def test_the_same_report_gives_the_same_bytes(page: str, gallery: Gallery) -> None:
    assert render(full_report(), gallery) == page
    assert not re.search(r"20\d\d-\d\d-\d\d", page)


def test_references_inside_the_pictures_resolve(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:url\(#|href="#)([^")]+)', page)) <= set(ids)


def numbers_of(value: Any) -> list[str]:
    """Every number of the report as the page writes it; energies are two digits and a band."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in numbers_of(one)]
    if isinstance(value, list):
        return [text for one in value for text in numbers_of(one)]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    return [f"{value:,}" if isinstance(value, int) else f"{value:.4g}"]


def test_every_number_of_the_report_appears(page: str) -> None:
    report, text = full_report(), Reader(page).text
    energy, accuracy = report.pop("energy_j"), report.pop("accuracy")
    assert str(report.pop("seed")) in text
    assert report.pop("covered") == 1.0 and "100.00 %" in text
    expected = numbers_of(report)
    expected += [f"{100 * value:.2f} %" for value in accuracy.values()]
    for one in (energy, *energy["by_component"]):
        expected.append(format_band(Band(one["value"], one["low"], one["high"])))
    shares = [one["share"] for one in energy["by_component"]]
    expected += [f"{100 * s:.1f} %" if s >= 0.0005 else "under 0.1 %" for s in shares]
    assert not [n for n in expected if n not in text]
    assert len(expected) > 150


def test_every_text_of_the_report_appears(page: str) -> None:
    report, text = full_report(), Reader(page).text
    for one in report["energy_j"]["by_component"]:
        assert one["name"] in text and one["source"] in text
    assert all(one in text for one in report["energy_j"]["not_counted"])
    assert all(one in text for one in (*report["skips"], report["command"], "mtj45", "5f2b" * 16))
    assert all(f"{k}{v}" in text.replace("\n", "") for k, v in report["versions"].items())
    assert "Bit for bit the same" in text and "Mismatches found" not in text


WAYS = {
    "passes": ({}, ["20 passes", "passes won by each class", "100.00 %"]),
    "one pass": ({"passes": 1}, ["1 pass."]),
    "shared": (
        {"mode": "shared", "datapath": "folded", "convolution": "taps", "bus": "axi"},
        ["20 passes", "the same first bits are one evaluation", "folded", "taps", "axi"],
    ),
    "exact": (
        {"mode": "exact", "leaves": 8},
        ["8 masks", "weight of the masks won by each class", "no random bit."],
    ),
    "most probable": (
        {"mode": "exact", "leaves": 1, "masks": 3, "covered": 0.98139},
        ["1 mask.", "at most the 3 most probable ones.", "98.13 %"],
    ),
    "nearly all": ({"mode": "exact", "masks": 7, "covered": 1 - 2**-24}, ["99.99 %"]),
}


@pytest.mark.parametrize("name", WAYS)
def test_how_it_was_inferred_is_told(gallery: Gallery, name: str) -> None:
    ways, expected = WAYS[name]
    text = re.sub(r"\s+", " ", Reader(render({**full_report(), **ways}, gallery)).text)
    assert not [words for words in expected if words not in text]
    inferred = text[text.index("How it was inferred") : text.index("Network and array")]
    report = {**full_report(), **ways}
    for key in ("mode", "datapath", "convolution", "bus"):
        assert report[key] in inferred
    assert ("no random bit" in text) == (report["mode"] == "exact")


def test_what_is_remembered_is_shown_as_unverified(page: str) -> None:
    assert page.count("MEM, unverified") == 3
    assert "row drivers (unverified)" in page


def test_wrong_ones_are_in_the_gallery(page: str, gallery: Gallery) -> None:
    wrong = np.flatnonzero(gallery.predicted != gallery.labels)
    assert 3 <= len(wrong) <= 24
    shelf = page[page.index("<h3>Wrong") :]
    for index in wrong:
        assert thumbnail(gallery.images[index]) in shelf
        assert f"image {index}, class {gallery.labels[index]}" in shelf
        assert f"p {gallery.mean[index].max():.3f}" in shelf
        assert f"H {gallery.entropy[index]:.3f}" in shelf
    assert f"{len(wrong)} of 120, the least certain first" in shelf


def test_more_wrong_ones_than_fit_are_counted(gallery: Gallery) -> None:
    shifted = dataclasses.replace(gallery, labels=(gallery.predicted + 1) % 10)
    page = render(full_report(), shifted)
    assert "120 of 120, the least certain first; 24 shown" in page
    assert "right: none" in page


def test_most_and_least_certain_are_where_they_say(page: str, gallery: Gallery) -> None:
    most, least = int(gallery.entropy.argmin()), int(gallery.entropy.argmax())
    at = [page.index(f"<h3>{title}") for title in ("Most certain", "Least certain", "Wrong")]
    assert page.index(f"no. {most}<") in range(at[0], at[1])
    assert f"no. {least}<" in page[at[1] : at[2]]


def test_hostile_text_is_escaped(gallery: Gallery) -> None:
    bad = "<script>alert('x')</script>\"&"
    report = full_report()
    report |= {"command": bad, "mode": bad, "first_difference": bad, "skips": [bad]}
    report["network"]["name"] = report["network"]["layers"][0]["name"] = bad
    report["events"]["predicted"][bad] = {bad: 1}
    report["versions"][bad] = report["model_sha256"] = bad
    report["energy_j"]["by_component"][0] |= {"name": bad, "source": bad, "label": bad}
    report["energy_j"]["not_counted"] = [bad]
    page = render(report, gallery)
    assert "<script" not in page
    assert "script" not in Reader(page).tags and bad in Reader(page).text


def test_mismatches_are_the_headline(gallery: Gallery) -> None:
    report = full_report()
    report |= {"ok": False, "mismatches": 1, "first_difference": "dense2, channel 7, pass 3"}
    report["backends"][1]["mismatches"] = 1
    report["cycles"]["by_layer"][0]["simulated"] += 1
    report["events"]["simulated"]["dense1"]["additions"] += 1
    page = render(report, gallery)
    text = Reader(page).text
    before = report["events"]["predicted"]["dense1"]["additions"]
    assert "Mismatches found" in text and "1 mismatch." in re.sub(r", 1 skipped", "", text)
    assert "First difference. dense2, channel 7, pass 3" in text
    assert f"{before:,} → {before + 1:,}" in text
    assert page.count('class="differ"') >= 3


def test_a_netlist_is_not_called_rtl(gallery: Gallery) -> None:
    report = full_report() | {"netlist": {"kind": "ecp5", "cells": 7, "tool": "yosys 0"}}
    text = Reader(render(report, gallery)).text
    assert "ecp5 netlist, simulated" in text and "on the ecp5 netlist" in text
    assert "RTL, simulated" not in text and "on the RTL" not in text


def test_a_missing_float_accuracy_is_not_run(gallery: Gallery) -> None:
    report = full_report()
    report["accuracy"]["float"] = None
    text = Reader(render(report, gallery)).text
    assert re.search(r"float64 PyTorch\s*not run", text) and "95.84 %" in text


def nulls(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else []
    found = [path] if path else []
    return found + [p for key, one in items for p in nulls(one, (*path, key))]


def test_any_null_is_survived(gallery: Gallery) -> None:
    small = dataclasses.replace(
        gallery, **{f.name: getattr(gallery, f.name)[:2] for f in dataclasses.fields(gallery)}
    )
    paths = [p for p in nulls(full_report()) if len(p) < 3]
    for path in paths:
        report = full_report()
        holder = report
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = None
        assert "None" not in Reader(render(report, small)).text, path
    assert len(paths) > 30


def test_an_empty_run_still_has_a_page(gallery: Gallery) -> None:
    empty = dataclasses.replace(
        gallery, **{f.name: getattr(gallery, f.name)[:0] for f in dataclasses.fields(gallery)}
    )
    text = Reader(render({}, empty)).text
    assert "Not judged" in text and "not estimated" in text and "not run" in text


def test_wrong_shapes_are_refused_by_name(gallery: Gallery) -> None:
    with pytest.raises(UserError) as caught:
        dataclasses.replace(gallery, votes=gallery.votes[:, :9])
    assert str(caught.value) == "gallery.votes: must be (120, 10), not (120, 9); reshape"
    with pytest.raises(UserError) as caught:
        dataclasses.replace(gallery, images=gallery.images[0])
    assert str(caught.value) == "gallery.images: must be (N, H, W), not (8, 8); reshape"
