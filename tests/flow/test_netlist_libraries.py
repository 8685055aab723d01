# SPDX-License-Identifier: Apache-2.0
"""Cell libraries: where they are looked for, what is read of them, and what is refused."""

import gzip
from pathlib import Path

import pytest
from netlist_cells import LIBERTY

from scaledrop.errors import UserError
from scaledrop_flow.netlist.libraries import find_liberty, open_library


def refusal(call, *arguments):
    with pytest.raises(UserError) as caught:
        call(*arguments)
    return str(caught.value)


def test_without_a_library(monkeypatch):
    monkeypatch.delenv("SCALEDROP_PDK", raising=False)
    assert refusal(find_liberty) == (
        "liberty: no cell library; give its Liberty files, or set SCALEDROP_PDK to a folder that "
        "has one folder of .lib or .lib.gz files a library"
    )


def test_a_missing_file():
    message = refusal(find_liberty, [Path("nowhere.lib")])
    assert message == "liberty: no file nowhere.lib; give Liberty files, .lib or .lib.gz"


def test_one_library_a_folder(monkeypatch, tmp_path):
    for name in ("b/two.lib", "b/one.lib.gz", "a/x.lib", "c/readme.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("SCALEDROP_PDK", str(tmp_path))
    found = {name: [path.name for path in files] for name, files in find_liberty().items()}
    assert found == {"a": ["x.lib"], "b": ["one.lib.gz", "two.lib"]}


def test_an_empty_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("SCALEDROP_PDK", str(tmp_path))
    message = f"SCALEDROP_PDK: {tmp_path} has no folder with .lib or .lib.gz files; correct it"
    assert refusal(find_liberty) == message


@pytest.mark.parametrize("packed", [False, True])
def test_the_header(tmp_path, packed):
    data = LIBERTY.encode()
    path = tmp_path / ("four.lib.gz" if packed else "four.lib")
    path.write_bytes(gzip.compress(data) if packed else data)
    library = open_library([path], tmp_path / "copy", 65)
    assert (library.name, library.node_nm, library.supply_v) == ("four", 65, 1.2)
    assert library.time_s == 1e-9
    assert library.files == (tmp_path / "copy" / "four.lib",)
    assert library.files[0].read_text() == LIBERTY


def test_times_in_picoseconds_and_a_known_node(tmp_path):
    path = tmp_path / "asap7_a.lib"
    path.write_text(LIBERTY.replace("1ns", "1ps"))
    library = open_library([path], tmp_path / "copy")
    assert (library.node_nm, library.time_s) == (7, 1e-12)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LIBERTY, "node: of library four is not known; give --node NM"),
        (LIBERTY.replace("nom_voltage", "volts"), "liberty: {path} gives no nom_voltage; add it"),
        (LIBERTY.replace("time_unit", "unit"), "liberty: {path} gives no time_unit; add it"),
        ("cell (NAND) {}", "liberty: {path} has no library group; give a Liberty file"),
    ],
)
def test_what_is_refused(tmp_path, text, message):
    path = tmp_path / "x.lib"
    path.write_text(text)
    assert refusal(open_library, [path], tmp_path / "copy") == message.format(path=path)


def test_a_damaged_archive(tmp_path):
    path = tmp_path / "x.lib.gz"
    path.write_bytes(gzip.compress(LIBERTY.encode())[:100])
    message = refusal(open_library, [path], tmp_path / "copy")
    assert message.startswith(f"liberty: {path} cannot be read (")
    assert message.endswith("); fetch it again")
