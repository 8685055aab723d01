# SPDX-License-Identifier: Apache-2.0
"""Energy pictures: every bar is its figure, the unverified is hatched, same input, same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from scaledrop.energy import Band, Swing
from scaledrop.errors import UserError
from scaledrop_flow.energy_report import (
    Bar,
    Ceiling,
    Kind,
    Level,
    RooflinePoint,
    Step,
    band_picture,
    breakdown_picture,
    roofline_picture,
    tornado_picture,
    waterfall_picture,
)
from scaledrop_flow.energy_report.colours import PARTS, part_styles
from scaledrop_flow.energy_report.data import OTHER
from scaledrop_flow.energy_report.waterfall import change
from scaledrop_flow.report.style import save


def band(nanojoules: float) -> Band:
    return Band(nanojoules * 1e-9, nanojoules * 0.5e-9, nanojoules * 4e-9)


BARS = [
    Bar("passes", {"array": band(20), "converters": band(60), "spin unit": band(1)}),
    Bar("shared", {"array": band(4), "converters": band(8), "spin unit": band(1)}),
]
LEVELS = [
    Level("ours", band(100), Kind.OURS),
    Level("read", Band(2e-5, 2e-5, 2e-5), Kind.VERIFIED),
    Level("remembered", Band(2e-6, 2e-6, 2e-6), Kind.UNVERIFIED),
    Level("tool", Band(1e-7, 1e-7, 1e-7), Kind.TOOL),
]
STEPS = [Step("paper", band(100)), Step("folded", band(80)), Step("guarded", band(90))]
SWINGS = [
    Swing("register", 90e-9, 130e-9),
    Swing("adc", 50e-9, 200e-9),
    Swing("row_driver", 98e-9, 104e-9, unverified=True),
    Swing("spin_read", 99.9e-9, 100.1e-9),
]
POINTS = [RooflinePoint("conv", 100, 40, {"cells in use": 60}), RooflinePoint("dense", 400, 90)]
CEILINGS = [Ceiling("peak", rate=128), Ceiling("drain", beats=1.0)]
DRAW: dict[str, Callable[[], Figure]] = {
    "breakdown": lambda: breakdown_picture(BARS),
    "shares": lambda: breakdown_picture(BARS, relative=True),
    "bands": lambda: band_picture(LEVELS, goal=1.9e-7, note="a hundredth"),
    "waterfall": lambda: waterfall_picture(STEPS),
    "tornado": lambda: tornado_picture(100e-9, SWINGS),
    "roofline": lambda: roofline_picture(POINTS, CEILINGS),
}


def axes_of(figure: Figure) -> Axes:
    (axes,) = figure.axes
    return axes


def texts(figure: Figure) -> str:
    axes = axes_of(figure)
    found = [text.get_text() for text in axes.texts]
    found += [label.get_text() for label in (*axes.get_yticklabels(), *axes.get_xticklabels())]
    for legend in figure.legends:
        found += [text.get_text() for text in legend.get_texts()]
    return "\n".join(found)


def rectangles(figure: Figure, y: int) -> list[Rectangle]:
    """Bars of a row, from the left."""
    found = [one for one in axes_of(figure).patches if isinstance(one, Rectangle)]
    row = [one for one in found if abs(one.get_y() + one.get_height() / 2 - y) < 1e-9]
    return sorted(row, key=lambda one: one.get_x())


@pytest.mark.parametrize("name", DRAW)
def test_the_same_figures_give_the_same_bytes(tmp_path: Path, name: str) -> None:
    for suffix in (".svg", ".png") if name == "bands" else (".svg",):
        written = []
        for take in ("a", "b"):
            (tmp_path / take).mkdir(exist_ok=True)
            path = tmp_path / take / f"{name}{suffix}"
            save(DRAW[name](), path)
            written.append(path.read_bytes())
        assert written[0] == written[1]
    svg = (tmp_path / "a" / f"{name}.svg").read_text()
    assert "<dc:date>" not in svg and "mathdefault" not in svg


def test_a_stack_is_its_components_and_its_bracket_the_band() -> None:
    figure = DRAW["breakdown"]()
    for y, bar in enumerate(BARS):
        found = rectangles(figure, y)
        widths = [one.get_width() for one in found]
        assert widths == pytest.approx([b.value for b in bar.parts.values()], rel=1e-9, abs=0)
        begins = [sum(widths[:at]) for at in range(3)]
        assert [one.get_x() for one in found] == pytest.approx(begins, rel=1e-9, abs=1e-20)
    ends = [
        line.get_xdata()
        for line in axes_of(figure).lines
        if list(line.get_ydata()) == [0, 0]  # type: ignore[arg-type]
    ]
    assert list(ends[0]) == pytest.approx([40.5e-9, 324e-9], rel=1e-9, abs=0)  # type: ignore[arg-type]
    assert "81 nJ (40 to 320 nJ)" in texts(figure) and "spin unit" in texts(figure)


def test_shares_fill_every_bar() -> None:
    figure = DRAW["shares"]()
    for y, bar in enumerate(BARS):
        widths = [one.get_width() for one in rectangles(figure, y)]
        assert sum(widths) == pytest.approx(1)
        assert widths[0] == pytest.approx(bar.parts["array"].value / bar.joules.value)


def test_more_than_eight_components_end_in_other() -> None:
    parts = {f"c{i}": band(i) for i in range(1, 12)}
    figure = breakdown_picture([Bar("one", parts)])
    told = texts(figure)
    assert OTHER in told and "c11" in told and "c4\n" not in told
    assert len(rectangles(figure, 0)) == 8
    assert rectangles(figure, 0)[-1].get_width() == pytest.approx(10e-9, rel=1e-9, abs=0)


def test_parts_keep_apart_by_colour_then_by_hatch() -> None:
    styles = part_styles([*map(str, range(20)), OTHER])
    assert len(set(styles.values())) == 21
    assert [styles[str(i)] for i in range(8)] == [(colour, "") for colour in PARTS]


def test_the_unverified_is_hatched_and_says_so() -> None:
    figure = DRAW["bands"]()
    hatched = {y: bool(rectangles(figure, y)[0].get_hatch()) for y in range(4)}
    assert hatched == {0: False, 1: False, 2: True, 3: False}
    told = texts(figure)
    assert "remembered (unverified)" in told and "read (unverified)" not in told
    assert "a hundredth: 190 nJ" in told and "100 nJ (50 to 400 nJ)" in told
    ours = rectangles(figure, 0)[0]
    assert (ours.get_x(), ours.get_x() + ours.get_width()) == pytest.approx(
        (50e-9, 400e-9), rel=1e-9, abs=0
    )
    right = [
        rectangles(figure, y)[0].get_x() + rectangles(figure, y)[0].get_width() for y in (1, 2)
    ]
    assert right == pytest.approx([2e-5, 2e-6], rel=1e-9, abs=0)
    plain = band_picture(LEVELS[:2])
    assert "unverified" not in texts(plain)


def test_a_waterfall_falls_from_total_to_total() -> None:
    figure = DRAW["waterfall"]()
    found = [rectangles(figure, y)[0] for y in range(4)]
    spans = [(one.get_x(), one.get_x() + one.get_width()) for one in found]
    expected = [(0, 100e-9), (80e-9, 100e-9), (80e-9, 90e-9), (0, 90e-9)]
    for span, ends in zip(spans, expected, strict=True):
        assert span == pytest.approx(ends, rel=1e-9, abs=1e-18)
    assert found[1].get_facecolor() != found[2].get_facecolor()
    told = texts(figure)
    assert "\u221220.0 %, to 80 nJ" in told and "+12.5 %, to 90 nJ" in told
    assert "added" in told and "added" not in texts(waterfall_picture(STEPS[:2]))
    assert axes_of(figure).get_xscale() == "linear"
    far = waterfall_picture([Step("a", band(100)), Step("b", band(5))])
    assert axes_of(far).get_xscale() == "log" and "\u00f7 20, to 5.0 nJ" in texts(far)


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (2.0, 1.5, "\u221225.0 %"),
        (2.0, 1.0, "\u00f7 2.0"),
        (1.0, 1.99, "+99.0 %"),
        (1.0, 3.0, "\u00d7 3.0"),
        (1.0, 1.0, "no change"),
    ],
)
def test_a_step_is_told_as_a_share_or_a_factor(before: float, after: float, text: str) -> None:
    assert change(before, after) == text


def test_a_tornado_has_the_widest_row_on_top_and_the_narrow_ones_counted() -> None:
    figure = DRAW["tornado"]()
    labels = [label.get_text() for label in axes_of(figure).get_yticklabels()]
    assert labels == ["adc", "register", "row_driver (unverified)", "1 more"]
    low, high = rectangles(figure, 0)
    assert low.get_x() + low.get_width() == pytest.approx(50e-9, rel=1e-9, abs=0)
    assert high.get_x() + high.get_width() == pytest.approx(200e-9, rel=1e-9, abs=0)
    assert all(one.get_hatch() for one in rectangles(figure, 2))
    assert not any(one.get_hatch() for one in rectangles(figure, 0))
    told = texts(figure)
    assert "\u221250 %, +100 %" in told and "each moves 200 pJ at most" in told
    many = tornado_picture(1e-7, [Swing(f"r{i}", 5e-8, 2e-7) for i in range(15)])
    assert axes_of(many).get_yticklabels()[-1].get_text() == "3 more"


def test_a_roofline_has_its_ceilings_and_a_point_a_layer() -> None:
    figure = DRAW["roofline"]()
    axes = axes_of(figure)
    lines = {line.get_label(): line for line in axes.lines}
    assert set(lines["peak"].get_ydata()) == {128.0}  # type: ignore[arg-type]
    drain = lines["drain"]
    assert list(drain.get_ydata()) == pytest.approx(list(drain.get_xdata()))  # type: ignore[arg-type]
    at = [
        (float(line.get_xdata()[0]), float(line.get_ydata()[0]))  # type: ignore[index,arg-type]
        for line in axes.lines
        if line.get_marker() == "o"
    ]
    assert at == [(100, 40), (400, 90)]
    assert any(list(line.get_ydata()) == [60] for line in axes.lines)  # type: ignore[arg-type]
    assert "its limit: cells in use" in texts(figure) and "conv" in texts(figure)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: breakdown_picture([]), "bars: must be one or more, each with joules; estimate"),
        (
            lambda: breakdown_picture([Bar("x", {"a": Band(0, 0, 0)})]),
            "bars: must be one or more, each with joules; estimate a configuration",
        ),
        (lambda: band_picture([]), "levels: must be one or more, each above 0 joules; leave out"),
        (
            lambda: band_picture([Level("x", Band(1, 0, 1), Kind.OURS)]),
            "levels: must be one or more, each above 0 joules; leave out what is not",
        ),
        (lambda: waterfall_picture(STEPS[:1]), "steps: must be two or more, each above 0 joules;"),
        (lambda: tornado_picture(1.0, []), "swings: must be one or more around a total above 0;"),
        (lambda: tornado_picture(0.0, SWINGS), "swings: must be one or more around a total above"),
        (lambda: roofline_picture([], CEILINGS), "points, ceilings: must be one or more, each"),
        (lambda: roofline_picture(POINTS, []), "points, ceilings: must be one or more, each above"),
    ],
)
def test_nothing_to_draw_is_refused(draw: Callable[[], Figure], message: str) -> None:
    with pytest.raises(UserError) as caught:
        draw()
    assert str(caught.value).startswith(message)
