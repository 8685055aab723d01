# SPDX-License-Identifier: Apache-2.0
"""The verb ``scaledrop compare``: the page of the comparison from its tables."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scaledrop_flow.cli.options import Out, app

__all__ = ["compare"]


@app.command()
def compare(
    studies: Annotated[Path, typer.Option(help="Folder of the tables.")] = Path("docs/studies"),
    name: Annotated[str, typer.Option(help="Table: methods, methods-digits ...")] = "methods",
    docs: Annotated[
        Path | None, typer.Option(help="Markdown whose marked tables are made anew, with pictures.")
    ] = None,
    out: Out = Path("build/compare"),
) -> None:
    """Methods beside methods: a page with tables, claims and pictures, from what was measured."""
    from scaledrop.atomic import write_atomically
    from scaledrop_flow.comparison.page import rendered
    from scaledrop_flow.comparison.save import save_docs
    from scaledrop_flow.console import console

    if docs is not None:
        for path in save_docs(docs, studies):
            console.print(f"wrote {path}", markup=False)
        if not (studies / f"{name}.csv").is_file():
            return
    write_atomically(out / "index.html", rendered(studies, name).encode())
    console.print(f"wrote {out / 'index.html'}", markup=False)
