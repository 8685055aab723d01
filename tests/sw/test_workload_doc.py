# SPDX-License-Identifier: Apache-2.0
"""The program and the table of the design note on counts from shapes."""

import re
from pathlib import Path

import pytest

from scaledrop.array_shape import ArrayShape
from scaledrop.events import Event
from scaledrop.workload import count

NOTE = Path(__file__).parents[2] / "docs" / "design" / "0015-counts-from-shapes.md"
TITLES = {
    "LeNet-5": "lenet5",
    "VGG-small": "vgg_small",
    "ResNet-20": "resnet20",
    "ResNet-18": "resnet18",
    "U-Net, 128 x 128": "unet",
}


def test_the_program_runs():
    (program,) = re.findall(r"^```python\n(.*?)^```", NOTE.read_text(), re.MULTILINE | re.DOTALL)
    exec(compile(program, str(NOTE), "exec"), {})


@pytest.mark.parametrize("title", TITLES)
def test_the_table(title):
    (line,) = (line for line in NOTE.read_text().splitlines() if line.startswith(f"| {title} |"))
    cells = [cell.strip() for cell in line.strip("|").split("|")][1:]
    run = count(TITLES[title], ArrayShape(64, 16), passes=1, density=0.5)
    events = {name: sum(one[name] for one in run.counts.values()) for name in Event}
    found = [
        sum(entry.macs for entry in run.layout.layers),
        run.footprint.cells_used,
        events[Event.ACTIVATIONS],
        events[Event.CONVERSIONS],
        run.cycles,
    ]
    assert [int(cell.replace(",", "")) for cell in cells[:5]] == found
    assert cells[5].startswith("yes") == run.runs_today
