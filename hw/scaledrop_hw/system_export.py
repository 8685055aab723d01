# SPDX-License-Identifier: Apache-2.0
"""Verilog export of a system: with it, all that its driver needs, and the network as words."""

import json
from pathlib import Path

from scaledrop.atomic import write_atomically
from scaledrop.driver import Contents
from scaledrop.driver.description import WordField, sizes_to_json
from scaledrop.frozen_file import digest
from scaledrop.graph_json import nodes_to_json
from scaledrop.registers import MAP_VERSION, register_map
from scaledrop_hw.export import as_text, checked_name, fields, ports, sidecar, verilog_text

__all__ = ["export_system", "memory_contents", "structure", "system_sidecar"]

NAMES = ("name", "source", "sources")


def structure(accelerator):
    """What is built in and cannot be loaded: all of a network but its numbers, and its mapping."""
    mapping = accelerator.mapping
    network, array = mapping.network, mapping.array
    nodes = nodes_to_json(network.graph.nodes)
    return {
        "nodes": [{k: v for k, v in node.items() if k not in NAMES} for node in nodes],
        "input_shape": list(network.input_shape),
        "input_bits": network.input_bits,
        "scale_bits": network.scale_bits,
        "scale_frac_bits": network.scale_frac_bits,
        "array": [array.rows, array.columns, array.lanes],
        "methods": [str(mapped.method) for mapped in mapping.layers],
        "datapath": accelerator.datapath,
    }


def _word_fields(layout):
    return tuple(WordField(**field) for field in fields(layout))


def memory_contents(accelerator):
    """The network that is built in as words for a host to load; see scaledrop.driver.Contents."""
    mapping, contents = accelerator.mapping, accelerator.contents
    return Contents(
        network=mapping.network.name,
        digest=digest(mapping.network),
        structure=structure(accelerator),
        drive_codes=tuple(mapping.drop_codes),
        formats={memory: _word_fields(one.layout) for memory, one in contents.items()},
        words={memory: tuple(one.words) for memory, one in contents.items()},
    )


def _registers(sizes):
    """Registers in short; the manual has the rest."""
    return [
        {
            "name": register.name,
            "offset": register.offset,
            "access": str(register.access),
            "locked": register.locked,
            "count": register.count,
            "fields": {field.name: [field.offset, field.width] for field in register.fields},
        }
        for register in register_map(sizes)
    ]


def system_sidecar(system, name, text):
    """Description of an exported system as JSON values."""
    core, sizes = system.accelerator, system.sizes
    formats = {
        memory.name.lower(): {"fields": list(fields(one.layout))}
        for memory, one in core.contents.items()
    }
    return {
        **sidecar(core, name, text),
        "ports": ports(system),
        "bus": {"pixel_bits": system.pixel_bits, "map_version": list(MAP_VERSION)},
        "device": sizes_to_json(sizes),
        "structure": structure(core),
        "formats": formats,
        "registers": _registers(sizes),
    }


def export_system(system, directory, name="scaledrop_axi"):
    """Write ``name.v``, ``name.json`` and, if a host can load another network,
    ``name_contents.json``; returns their paths.

    Raises:
        UserError: the name is no identifier, or the folder cannot be written.
    """
    text = verilog_text(system, checked_name(name))
    files = {
        f"{name}.v": text,
        f"{name}.json": as_text(system_sidecar(system, name, text)),
    }
    if system.sizes.memories:
        contents = memory_contents(system.accelerator).as_json()
        files[f"{name}_contents.json"] = json.dumps(contents, separators=(",", ":")) + "\n"
    directory = Path(directory)
    for file, content in files.items():
        write_atomically(directory / file, content.encode())
    return [directory / file for file in files]
