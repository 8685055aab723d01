# SPDX-License-Identifier: Apache-2.0
"""An energy estimate as a section of a page, or as a page of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from scaledrop.energy import Band, format_joules
from scaledrop.energy.baselines import SourceCost
from scaledrop.energy.comparison import NOT_EQUAL_WORK, Ratio, figure, verdict
from scaledrop.energy.generators import Generator
from scaledrop.energy.references import Reference
from scaledrop.energy.sources import Grain
from scaledrop.errors import UserError
from scaledrop_flow.energy_report.data import Bar
from scaledrop_flow.energy_report.layout import microjoules, told
from scaledrop_flow.report.style import svg

__all__ = ["EnergySection", "Picture", "render_page", "render_section"]

FOLDERS = (Path(__file__).parent, Path(__file__).parents[1] / "report")


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure of the page.

    Attributes:
        name: Letters, digits and hyphens, unique on the page.
        title: Above it, and read out in its place.
        figure: Drawn by this package.
        caption: Below it.
    """

    name: str
    title: str
    figure: Figure
    caption: str = ""

    @property
    def svg(self) -> Markup:
        return Markup(svg(self.figure, self.name, self.title))


@dataclass(frozen=True, eq=False)
class EnergySection:
    """Everything that is said of the energy of a network; what is empty is left out.

    Attributes:
        title: Of the page.
        joules: Per image, of the configuration that the page is about.
        bars: Configurations by component.
        pictures: In their order.
        ratios: Published figures over ``joules``.
        sources: Other stochastic sources.
        references: Estimates of other tools.
        assumptions, not_counted: Lists to print.
        lede: Ends the first line: network, passes, mode, table.
        command: That makes the page again.

    Raises:
        UserError: two pictures of one name.
    """

    title: str
    joules: Band
    bars: Sequence[Bar] = ()
    pictures: Sequence[Picture] = ()
    ratios: Sequence[Ratio] = ()
    sources: Sequence[SourceCost] = ()
    references: Sequence[Reference] = ()
    assumptions: Sequence[str] = ()
    not_counted: Sequence[str] = ()
    lede: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        names = [picture.name for picture in self.pictures]
        if len(set(names)) != len(names):
            raise UserError(f"pictures: names must differ, not {', '.join(names)}; rename one")

    @property
    def parts(self) -> list[str]:
        """Components over all bars, in their order."""
        return list(dict.fromkeys(name for bar in self.bars for name in bar.parts))

    @property
    def changes(self) -> dict[Grain, tuple[str, ...]]:
        """What each grain of the sources changes beside its numbers."""
        return {one.grain: one.changes for one in self.sources}

    @property
    def generators(self) -> list[Generator]:
        """Each generator of the sources once."""
        return list({one.generator.name: one.generator for one in self.sources}.values())

    @property
    def verdict(self) -> str:
        return verdict(self.ratios)

    @property
    def goal(self) -> str:
        return figure(self.ratios[0].goal)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([str(folder) for folder in FOLDERS]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        band=told,
        joules=lambda joules: microjoules(format_joules(joules)),
        micro=microjoules,
        times=figure,
    )
    return environment


def _render(template: str, section: EnergySection) -> str:
    found = _environment().get_template(template)
    return found.render(section=section, not_equal_work=NOT_EQUAL_WORK)


def render_section(section: EnergySection) -> Markup:
    """The section as HTML for a page with the style of the reports, headings from h2 on.

    Raises:
        UserError: figures are compared and none of them is verified.
    """
    return Markup(_render("section.html.j2", section))


def render_page(section: EnergySection) -> str:
    """A page that needs nothing but itself; the same section gives the same bytes.

    Raises:
        UserError: figures are compared and none of them is verified.
    """
    return _render("energy.html.j2", section)
