# SPDX-License-Identifier: Apache-2.0
"""Tables and page of an energy estimate: complete, honest about trust, safe, the same bytes."""

from __future__ import annotations

import dataclasses
import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from datapath import SIZES
from scaledrop.energy import EVENTS, NOT_COUNTED, Band, Machine, estimate, load_table
from scaledrop.energy.baselines import source_costs
from scaledrop.energy.comparison import compare
from scaledrop.energy.network_figures import figures_of
from scaledrop.energy.published import Published, load_published
from scaledrop.energy.references import load_references
from scaledrop.errors import UserError
from scaledrop.graph import Graph
from scaledrop.topologies import lenet5
from scaledrop_flow.energy_report import (
    EnergySection,
    Picture,
    bar_of,
    bars_table,
    breakdown_picture,
    breakdown_table,
    comparison_table,
    render_page,
    render_section,
    sources_table,
)
from scaledrop_flow.energy_report.tables import share

ESTIMATE = estimate(
    {"one": dict.fromkeys(EVENTS, 1000) | {"scale_reads": 0}},
    Machine({"one": SIZES}, 4),
    load_table("mtj45"),
    1,
)
OURS = Band(60e-9, 20e-9, 180e-9)
BARS = [bar_of("passes", ESTIMATE), bar_of("shared", ESTIMATE)]
COSTS = source_costs(figures_of(Graph((28, 28), 8, lenet5(10))), load_table("mtj45"), 20)


def shown(table: Table) -> str:
    into = io.StringIO()
    Console(width=200, file=into).print(table)
    return into.getvalue()


def line(text: str, begins: str) -> str:
    cells = [re.sub(r" +", " ", one.strip(" │")) for one in text.splitlines()]
    return next(one for one in cells if one.startswith(begins))


def section(**changes: object) -> EnergySection:
    whole = EnergySection(
        title="LeNet-5",
        joules=OURS,
        bars=BARS,
        pictures=[Picture("parts", "Where the joules go", breakdown_picture(BARS))],
        ratios=compare(OURS, load_published()),
        sources=COSTS,
        references=load_references(),
        assumptions=["cells of 1 MOhm"],
        not_counted=NOT_COUNTED,
        lede="20 passes",
        command="scaledrop energy",
    )
    return dataclasses.replace(whole, **changes)  # type: ignore[arg-type]


def test_the_breakdown_has_every_component_and_its_trust() -> None:
    text = shown(breakdown_table(ESTIMATE, "LeNet-5"))
    for one in ESTIMATE.components:
        assert (one.name in text) == (one.joules.high > 0)
    assert "MEM, unverified" in line(text, "row drivers")
    assert line(text, "total").endswith("mtj45")


def test_configurations_stand_side_by_side() -> None:
    text = shown(bars_table(BARS))
    converters = line(text, "converters")
    assert converters.count("740 pJ") == 2
    assert line(text, "band").count(" to ") == 2 and "passes" in text and "shared" in text


def test_the_comparison_tells_trust_and_where_the_goal_holds() -> None:
    text = shown(comparison_table(compare(OURS, load_published())))
    assert "100 times holds" in text and "not equal work" in text
    vibnn = line(text, "VIBNN")
    assert "19 uJ" in vibnn and "320" in vibnn and "110 to 950" in vibnn
    assert vibnn.endswith("CALC") and "over the whole band" in vibnn
    for row in load_published():
        assert row.verified != line(text, row.name + " ").endswith("MEM, unverified")


def test_sources_are_set_beside_the_total() -> None:
    text = shown(sources_table(COSTS, Band(100e-9, 50e-9, 200e-9)))
    assert line(text, "one bit per neuron").endswith("5.4 times")
    assert line(text, "one bit per layer, spin unit").endswith("0.4 %")
    assert "beside our total" not in shown(sources_table(COSTS))


@pytest.mark.parametrize(
    ("part", "text"), [(0.0, "\u2013"), (0.0004, "under 0.1 %"), (0.0006, "0.1 %"), (0.5, "50.0 %")]
)
def test_small_shares_are_not_nothing(part: float, text: str) -> None:
    assert share(part, 1.0) == text


def test_the_page_is_whole_and_needs_nothing_but_itself() -> None:
    page = render_page(section())
    assert page == render_page(section())
    assert page.startswith("<!doctype html>") and "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)
    assert "60 nJ (20 to 180 nJ) per image, 20 passes." in page
    assert "100 times less than every verified baseline holds over our whole band." in page
    assert page.count("MEM, unverified") == page.count('class="tag mem"') == 6
    assert page.count("<svg") == 1
    for text in (*NOT_COUNTED, "cells of 1 MOhm", "NeuroSim SRAM 45 nm", "in word"):
        assert text.replace("'", "&#39;") in page, text
    assert {one.name for one in COSTS} <= set(re.findall(r"<th>([^<]+)</th>", page))
    assert str(render_section(section())) in page


def test_what_is_empty_is_left_out() -> None:
    page = render_page(EnergySection("x", OURS))
    for heading in ("Against published", "By component", "Other stochastic", "Another tool"):
        assert heading not in page
    assert "Not counted" in page and "not given" in page


def test_hostile_text_is_shown_not_run() -> None:
    given = load_published()[0].model_dump() | {"name": "<script>alert(1)</script>"}
    ratios = compare(OURS, [Published.model_validate(given)])
    page = render_page(section(title="<b>x</b>", ratios=ratios, pictures=[]))
    assert "<script" not in page and "&lt;script&gt;" in page and "<b>x</b>" not in page


def test_figures_without_a_verified_one_and_pictures_of_one_name_are_refused() -> None:
    unverified = [row for row in load_published() if not row.verified]
    with pytest.raises(UserError, match=r"^published: no baseline is verified"):
        render_page(section(ratios=compare(OURS, unverified)))
    picture = Picture("a", "A", breakdown_picture(BARS))
    with pytest.raises(UserError, match=r"^pictures: names must differ, not a, a; rename one$"):
        section(pictures=[picture, picture])
