# SPDX-License-Identifier: Apache-2.0
"""Every command and program in the documents runs, in the order in which it is read."""

import re
import shlex
import sys
from pathlib import Path

import pytest

from scaledrop.training import config_from_file
from scaledrop_flow import cli

ROOT = Path(__file__).parent.parent.parent
PAGES = ("tutorial", "training", "device-cards", "randomness")
DOCUMENTS = [*(f"docs/{name}.md" for name in PAGES), "README.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


def blocks(path):
    return [(kind, text) for kind, text in BLOCK.findall((ROOT / path).read_text())]


def command(line, monkeypatch):
    monkeypatch.setattr(sys, "argv", shlex.split(line))
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 0, line


@pytest.mark.parametrize("path", DOCUMENTS)
def test_commands_and_programs_run(path, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, text in blocks(path):
        if kind == "python":
            exec(compile(text, path, "exec"), {})
            ran += 1
        if kind == "yaml":
            Path("mine.yaml").write_text(text)
            config_from_file(Path("mine.yaml"))
            ran += 1
        for line in text.splitlines() if not kind else []:
            if line.startswith("scaledrop "):
                command(line, monkeypatch)
                ran += 1
    assert ran >= 4


def test_links_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_make_targets_of_the_documents_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    text = "".join(path.read_text() for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)\b", text, re.M))
    assert {"sim", "test"} <= named <= targets
