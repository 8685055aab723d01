# SPDX-License-Identifier: Apache-2.0
"""C header and manual: the header compiles to the map's numbers, the page is up to date."""

import subprocess
import sys
from pathlib import Path

import pytest

from scaledrop.device_sizes import DeviceSizes
from scaledrop.errors import UserError
from scaledrop.registers import register_map
from scaledrop_cosim.toolchain import compiler
from scaledrop_flow.register_files import c_header, markdown, write_register_files

ROOT = Path(__file__).parent.parent.parent
SIZES = DeviceSizes(layers=7, classes=3, drive_codes=(5,) * 7)


def program():
    """A program that holds the header's numbers against the map's."""
    registers = register_map(SIZES)
    lines = ['#include "scaledrop_registers.h"', '#include "scaledrop_registers.h"']
    for register in registers:
        place = f"SCALEDROP_{register.name}"
        if register.is_array:
            pairs = [(f"{place}({at})", register.address(at)) for at in (0, register.count - 1)] + [
                (f"{place}_COUNT", register.count)
            ]
        else:
            pairs = [(place, register.offset)]
        for field in register.fields:
            name = f"{place}_{field.name.upper()}"
            pairs += [(f"{name}_SHIFT", field.offset), (f"{name}_MASK", field.mask)]
        lines += [f'static_assert({name} == {value}u, "{name}");' for name, value in pairs]
    lines.append("int main() { return 0; }")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", ["c", "c++"])
def test_the_header_compiles_and_says_what_the_map_says(language, tmp_path):
    write_register_files(SIZES, tmp_path)
    includes = {"c": "#include <assert.h>\n", "c++": ""}[language]
    (tmp_path / "program").write_text(includes + program())
    standard = {"c": "-std=c11", "c++": "-std=c++17"}[language]
    command = [compiler(), "-x", language, standard, "-Wall", "-Wextra", "-Werror"]
    command += ["-Wno-sign-compare", "-fsyntax-only", str(tmp_path / "program")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_reset_values_stand_in_the_header():
    header = c_header(register_map(SIZES))
    assert "#define SCALEDROP_MAGIC_RESET 0x53445250u\n" in header
    assert "#define SCALEDROP_NETWORK_RESET 0x00030007u\n" in header
    assert "#define SCALEDROP_PASSES_RESET 0x00000001u\n" in header
    assert "SCALEDROP_STATUS_RESET" not in header


def test_the_page_is_up_to_date_and_names_no_sizes(tmp_path):
    command = [sys.executable, "-m", "scaledrop_flow.register_files", str(tmp_path / "page.md")]
    subprocess.run(command, check=True)
    page = (ROOT / "docs" / "registers.md").read_text()
    assert (tmp_path / "page.md").read_text() == page
    assert markdown(register_map(SIZES)) == page


def test_every_register_and_field_is_on_the_page():
    page = markdown(register_map(SIZES))
    for register in register_map(SIZES):
        assert f"**{register.name}" in page
        for field in register.fields:
            assert f"| | {field.name} | |" in page


def test_files_of_a_device(tmp_path):
    paths = write_register_files(SIZES, tmp_path / "new", "mine")
    assert [path.name for path in paths] == ["mine_registers.h", "mine_registers.md"]
    assert paths[0].read_text() == c_header(register_map(SIZES))
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        write_register_files(SIZES, tmp_path / "file")
