# SPDX-License-Identifier: Apache-2.0
"""Co-simulate: generate, build, run the RTL, and hold every back end against the golden model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from scaledrop.analog import AnalogArray
from scaledrop.device.loop import spin_loop
from scaledrop.energy import EnergyEstimate, TechnologyTable, load_table
from scaledrop.errors import UserError
from scaledrop.form import Form
from scaledrop.frozen import FrozenNetwork
from scaledrop.mapping import ArrayShape, NetworkMapping
from scaledrop.nn import ScaleDropNet
from scaledrop.record import PassRecord
from scaledrop.tile_sums import mapping_sums
from scaledrop.walk import Inference, Mode
from scaledrop_cosim.axi.build import build_system
from scaledrop_cosim.backends.analog import AnalogBackend
from scaledrop_cosim.backends.integer import IntegerBackend
from scaledrop_cosim.backends.pytorch import TorchBackend
from scaledrop_cosim.backends.rtl import RtlBackend
from scaledrop_cosim.backends.system import AxiBackend
from scaledrop_cosim.capture import CaptureError
from scaledrop_cosim.checker import CheckReport, check
from scaledrop_cosim.contract import Backend, Workload
from scaledrop_cosim.driver import Disturbance
from scaledrop_cosim.simulation import build
from scaledrop_flow.data import LabelledImages
from scaledrop_flow.gatelevel.kinds import find_kind
from scaledrop_flow.gatelevel.mapped import MappedNetlist
from scaledrop_flow.gatelevel.synthesise import make_netlist
from scaledrop_flow.steps.energy import price
from scaledrop_flow.steps.generate import BUSES, Generated, generate
from scaledrop_hw.sum_pipeline import WEIGHTS

__all__ = ["CosimChoices", "CosimResult", "Listener", "SpinChoice", "cosimulate"]

OUTPUTS = ("report.json", "index.html", "gallery.npz")
"""What a run leaves; an earlier run's is removed first, so that a failure cannot pass for it."""

DATAPATHS = ("reference", "folded")
CONVOLUTIONS = ("auto", "unrolled", "taps")


@dataclass(frozen=True)
class SpinChoice:
    """A physical device in the place of the ideal one; see :func:`scaledrop.device.loop.spin_loop`.

    Attributes:
        card: Name or file of a device card.
        seed: Of the device and its drift; None is the nominal device.
        temperature_c: Degrees Celsius.
        supply: Actual over nominal supply.
        calibrate: The calibrator in the RTL finds and holds the codes, instead of a trim.
    """

    card: str
    seed: int | None = None
    temperature_c: float = 26.85
    supply: float = 1.0
    calibrate: bool = False


@dataclass(frozen=True)
class CosimChoices:
    """What a co-simulation run is asked to do.

    Attributes:
        netlist: Kind of netlist in the place of the RTL; see
            :data:`scaledrop_flow.gatelevel.kinds.KINDS`. None simulates the RTL.

    Raises:
        UserError: a value that this version does not know.
    """

    inference: Inference = field(default_factory=Inference)
    seed: int = 1
    array: ArrayShape = field(default_factory=ArrayShape)
    convolution: str = "auto"
    datapath: str = "reference"
    weights: str = "memory"
    bus: str = "none"
    form: Form = Form.FULL
    disturbance: Disturbance = field(default_factory=Disturbance)
    table: str = "mtj45"
    spin: SpinChoice | None = None
    netlist: str | None = None

    def __post_init__(self) -> None:
        if self.netlist is not None:
            find_kind(self.netlist)
        if self.datapath not in DATAPATHS:
            known = " or ".join(DATAPATHS)
            raise UserError(f"datapath: must be {known}, not {self.datapath!r}")
        if self.weights not in WEIGHTS:
            raise UserError(f"weights: must be {' or '.join(WEIGHTS)}, not {self.weights!r}")
        if self.spin is not None and self.inference.mode is Mode.EXACT:
            raise UserError("spin: mode exact draws no bits; use passes or shared")
        if self.bus not in BUSES:
            raise UserError(f"bus: must be {' or '.join(BUSES)}, not {self.bus!r}")
        if self.form is not Form.FULL and self.bus == "none":
            raise UserError(f"form: {self.form} needs a bus; add --bus axi")
        if self.inference.mode is Mode.EXACT:
            self.form.require("mode exact")
        if self.convolution not in CONVOLUTIONS:
            known = f"{', '.join(CONVOLUTIONS[:-1])} or {CONVOLUTIONS[-1]}"
            raise UserError(f"convolution: must be {known}, not {self.convolution!r}")


class Listener:
    """Hears of progress; the default ignores it."""

    def step(self, name: str) -> None:
        """A step begins."""

    def images(self, finished: int) -> None:
        """The RTL has finished so many images."""


@dataclass
class CosimResult:
    """Everything that a run found out.

    Attributes:
        rtl: Name of the back end that is the RTL, bare or behind a bus.
        checks: One report per back end that ran: integer, PyTorch (if it ran), RTL.
        records: Back end name -> what it computed; the RTL's is missing when it failed.
        skips: Why a back end did not run.
        energy: From the RTL's own counters.
    """

    workload: Workload
    mapping: NetworkMapping
    sidecar: dict[str, object]
    rtl: str = RtlBackend.name
    checks: list[CheckReport] = field(default_factory=list)
    records: dict[str, PassRecord] = field(default_factory=dict)
    counted: dict[str, dict[str, int]] | None = None
    energy: EnergyEstimate | None = None
    skips: list[str] = field(default_factory=list)
    wall_s: dict[str, float] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return all(one.ok for one in self.checks) and self.rtl in self.records

    @contextmanager
    def timed(self, name: str, listener: Listener) -> Iterator[None]:
        listener.step(name)
        start = time.perf_counter()
        yield
        self.wall_s[name] = round(time.perf_counter() - start, 3)


def _run_software(result: CosimResult, net: ScaleDropNet | None, listener: Listener) -> None:
    backends: list[Backend] = [IntegerBackend()]
    array = result.mapping.array
    if array.converter is not None:
        backends.append(AnalogBackend(AnalogArray(array), result.mapping.convolution))
    if net is not None:
        backends.append(TorchBackend(net))
    for backend in backends:
        with result.timed(backend.name, listener):
            observation = backend.infer(result.workload)
            result.checks.append(check(backend.name, result.workload, observation))
            result.records[backend.name] = observation.record


def _run_rtl(result: CosimResult, backend: RtlBackend | AxiBackend) -> None:
    result.rtl = backend.name
    report = backend.verify(result.workload)
    result.checks.append(report)
    result.skips += [f"{kind}: {why}" for kind, why in report.skipped.items()]
    try:
        observation = backend.observation(result.workload)
    except CaptureError:
        return
    result.records[backend.name] = observation.record
    result.counted = observation.counters


def cosimulate(
    network: FrozenNetwork,
    net: ScaleDropNet | None,
    images: LabelledImages,
    choices: CosimChoices,
    folder: Path,
    cache: Path,
    listener: Listener | None = None,
    no_net: str = "no checkpoint of this model was given",
) -> CosimResult:
    """Run every back end on the same workload.

    Args:
        net: The trained network from which ``network`` was frozen, for the float64 back end.
        folder: Receives ``rtl/`` (Verilog, sidecar), ``run/`` (stimulus and capture) and, if
            one was asked for, ``netlist/``.
        cache: Keeps built simulations.
        no_net: Why there is no ``net``, for the report.

    Raises:
        UserError: a size is impossible, a tool is missing, or a folder cannot be written.
    """
    for name in OUTPUTS:
        (folder / name).unlink(missing_ok=True)
    listener = listener or Listener()
    passes = choices.inference.passes
    mapping = NetworkMapping(network, choices.array, choices.convolution)
    workload = _workload(mapping, images, choices)
    table = load_table(choices.table)
    result = CosimResult(workload, mapping, {})
    with result.timed("generate", listener):
        generated = generate(
            network,
            choices.array,
            folder / "rtl",
            max_passes=max(255, passes),
            datapath=choices.datapath,
            weights=choices.weights,
            convolution=choices.convolution,
            bus=choices.bus,
            form=choices.form,
            calibration=None if workload.spin is None else workload.spin.calibration,
        )
    if net is not None and choices.array.converter is not None:
        net, no_net = None, f"knows no converter of {choices.array.converter}"
    if net is None:
        result.skips.append(f"float64 PyTorch: {no_net}")
    if choices.bus == "axi":
        if choices.form is Form.FULL:
            result.skips.append("cycle counters: not predicted behind a bus")
    elif not choices.disturbance.quiet:
        result.skips.append("cycle counters: not predicted under gaps or back-pressure")
    _run_software(result, net, listener)
    netlist = None
    if choices.netlist is not None:
        with result.timed("synthesise", listener):
            made = folder / "netlist"
            netlist = make_netlist(generated.verilog, choices.netlist, made, cache)
    with result.timed("build", listener):
        backend = _rtl_backend(generated, netlist, choices, folder / "run", cache, listener)
        result.sidecar = dict(backend.simulation.sidecar)
    with result.timed("simulate", listener):
        _run_rtl(result, backend)
    if choices.form is not Form.FULL:
        result.skips.append(f"energy: the {choices.form} form counts no events")
    if result.counted is not None:
        with result.timed("energy", listener):
            _price(result, table, choices.datapath == "folded")
    return result


def _workload(mapping: NetworkMapping, images: LabelledImages, choices: CosimChoices) -> Workload:
    """The images with the bits of the ideal device or of a physical one."""
    ideal = Workload(
        mapping.network,
        images.pixels,
        choices.inference.passes,
        choices.seed,
        inference=choices.inference,
        crossbar_sum=mapping_sums(mapping),
    )
    spin = choices.spin
    if spin is None:
        return ideal
    loop = spin_loop(
        spin.card,
        ideal.codes,
        ideal.bits,
        spin.seed,
        spin.temperature_c,
        spin.supply,
        spin.calibrate,
    )
    return replace(ideal, spin=loop)


def _rtl_backend(
    generated: Generated,
    netlist: MappedNetlist | None,
    choices: CosimChoices,
    folder: Path,
    cache: Path,
    listener: Listener,
) -> RtlBackend | AxiBackend:
    """The built simulation of what was generated, or of its netlist."""
    mapping, timing = generated.mapping, generated.timing
    verilog = generated.verilog if netlist is None else netlist.verilog
    cells = None if netlist is None else netlist.models
    if choices.bus == "axi":
        simulation = build_system(verilog, cache, cells)
        return AxiBackend(simulation, mapping, timing, folder, choices.disturbance)
    simulation = build(verilog, cache, cells=cells)
    return RtlBackend(simulation, mapping, timing, folder, choices.disturbance, listener.images)


def _price(result: CosimResult, table: TechnologyTable, folded: bool) -> None:
    """A table that cannot price this array takes the estimate away, not the verification."""
    assert result.counted is not None
    try:
        images = len(result.workload.images)
        result.energy = price(result.counted, result.mapping, table, images, folded)
    except UserError as error:
        result.skips.append(f"energy: {error}")
