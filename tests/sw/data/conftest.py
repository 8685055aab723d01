# SPDX-License-Identifier: Apache-2.0
"""The public sets at hand, for tests that need real data."""

import os
from pathlib import Path

import pytest

from scaledrop.data.catalogue import FOLDERS


@pytest.fixture
def real(monkeypatch):
    """The data root that holds a set, or a skip."""
    root = os.environ.get("SCALEDROP_DATA", "")

    def root_of(name: str) -> Path:
        folder = Path(root) / FOLDERS[name]
        there = (folder / f"{name}.npz").is_file() if folder.name == "medmnist" else folder.is_dir()
        if not root or not there:
            pytest.skip(f"data: SCALEDROP_DATA has no {name}")
        return Path(root)

    return root_of


@pytest.fixture(autouse=True)
def no_data(request, monkeypatch, tmp_path):
    """No test finds a data root, or a proxy, of the person who runs it."""
    if "real" not in request.fixturenames:
        monkeypatch.delenv("SCALEDROP_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
