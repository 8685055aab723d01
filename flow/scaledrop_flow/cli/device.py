# SPDX-License-Identifier: Apache-2.0
"""The verbs of ``scaledrop device``: list, show, fit, plot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledrop.errors import UserError
from scaledrop_flow.cli.options import app, write_json

__all__ = ["device_app"]

device_app = typer.Typer(help="Models of the stochastic device: cards, fits, pictures.")
app.add_typer(device_app, name="device")
CardName = Annotated[str, typer.Argument(help="A card that ships, or a YAML file.")]


@device_app.command("list")
def list_cards() -> None:
    """Say which device cards ship."""
    from scaledrop_flow.device.show import show_cards

    show_cards()


@device_app.command("show")
def show(card: CardName) -> None:
    """Every parameter of a card: value, unit, spread, how far it is trusted, source."""
    from scaledrop.device.card_file import load_card
    from scaledrop_flow.device.show import show_card

    show_card(load_card(card))


@device_app.command("fit")
def fit(
    measurements: Annotated[
        Path, typer.Argument(help="CSV: drive_v, pulse_ns, trials, switched, temperature_k.")
    ],
    out: Annotated[Path, typer.Option(help="Card to write; a report goes beside it.")],
    base: Annotated[
        str, typer.Option(help="Empirical card for what was not measured.")
    ] = "hikstor80",
    name: Annotated[str | None, typer.Option(help="Of the card; the file's if not said.")] = None,
) -> None:
    """Fit switching counts by maximum likelihood and write a device card."""
    from scaledrop.device.card_file import load_card, save_card
    from scaledrop.device.fit_card import fit_card
    from scaledrop.device.measurements import read_counts
    from scaledrop.names import check_name
    from scaledrop_flow.console import console
    from scaledrop_flow.device.show import fit_report, show_fit

    if out.suffix not in {".yaml", ".yml"}:
        raise UserError(f"out: {out.name!r} must end in .yaml; rename it")
    chosen = name or out.stem
    check_name(chosen, "name")
    found, card = fit_card(read_counts(measurements), load_card(base), chosen)
    save_card(card, out)
    report = out.with_suffix(".fit.json")
    write_json(report, fit_report(found))
    show_fit(found)
    console.print(f"wrote {out} and {report}", markup=False)


@device_app.command("plot")
def plot(
    card: CardName,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("build/device"),
    kind: Annotated[str, typer.Option("--format", help="svg or png.")] = "svg",
) -> None:
    """Draw P against voltage, P against temperature, and energy against P."""
    from scaledrop.device.card_file import load_card
    from scaledrop_flow.console import console
    from scaledrop_flow.device.pictures import pictures
    from scaledrop_flow.report.style import save

    if kind not in {"svg", "png"}:
        raise UserError(f"format: {kind!r} is not known; choose svg or png")
    loaded = load_card(card)
    out.mkdir(parents=True, exist_ok=True)
    for name, figure in pictures(loaded).items():
        path = out / f"{loaded.name}-{name}.{kind}"
        save(figure, path)
        console.print(f"wrote {path}", markup=False)
