# SPDX-License-Identifier: Apache-2.0
"""An accelerator as a host sees it: identify, configure, load, infer, watch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy.typing as npt

from scaledrop.checks import check_integer
from scaledrop.device_sizes import DeviceSizes, Memory
from scaledrop.driver.access import MemoryAccess, RegisterAccess
from scaledrop.driver.contents import Contents
from scaledrop.driver.description import Description
from scaledrop.driver.pixels import pixel_frames
from scaledrop.driver.status import Status, read_counters, read_status
from scaledrop.driver.transport import BusError, Transport
from scaledrop.errors import UserError
from scaledrop.events import Event
from scaledrop.form import Form
from scaledrop.monitors import MonitorFlag
from scaledrop.packets import ABORTED_WORD, Frame, PacketType, packet_length, parse_frame
from scaledrop.register_types import Keeper
from scaledrop.walk import MASS, Mode

__all__ = ["Device"]

MOST_FRAMES = 3
EVENTS = tuple(map(str, Event))


class Device:
    """Driver of one accelerator.

    Args:
        transport: How to reach it.
        sizes: What it should be; :meth:`identify` compares.
        events: Names of the counters, in their order; those of scaledrop.events if not given.
        description: All of this and more, from the sidecar; see :meth:`described`.

    Raises:
        UserError: other than ``sizes.events`` names; the small form has none.
    """

    def __init__(
        self,
        transport: Transport,
        sizes: DeviceSizes,
        events: Sequence[str] | None = None,
        description: Description | None = None,
    ) -> None:
        if events is None:
            events = EVENTS if sizes.form is Form.FULL else ()
        if len(events) != sizes.events:
            raise UserError(f"events: must be {sizes.events} names, not {len(events)}")
        self.transport, self.sizes, self.events = transport, sizes, tuple(events)
        self.access = RegisterAccess(transport, sizes)
        self.memories = MemoryAccess(self.access)
        self.description = description
        self._leaves = 0

    @classmethod
    def described(cls, transport: Transport, description: Description) -> Device:
        """The driver of a device whose sidecar was read: it knows how images are shaped."""
        return cls(transport, description.sizes, description.events, description)

    def identify(self) -> None:
        """Compare everything that the device says it is with the sizes given.

        Raises:
            UserError: names the first field that differs, what it is and what it should be.
        """
        for register in self.access.registers:
            if register.keeper is not Keeper.CONSTANT:
                continue
            for index in range(register.count):
                found = self.access.read(register.name, index)
                for name, wanted in register.decode(register.reset(index)).items():
                    if found[name] != wanted:
                        at = f"[{index}]" if register.is_array else ""
                        raise UserError(
                            f"{register.name}{at}.{name}: is {found[name]:#x} in the device, "
                            f"not {wanted:#x}; give the sizes of this device"
                        )

    def configure(
        self,
        *,
        mode: Mode = Mode.PASSES,
        passes: int = 1,
        cutoff: int = 0,
        min_votes: int = 0,
        min_margin: int = 0,
        records: bool = False,
        stop: Iterable[MonitorFlag] = (),
        drive_codes: Sequence[int] | None = None,
        scale_errors: int = 0,
    ) -> None:
        """Set how the next images are evaluated.

        Args:
            mode: Which networks are averaged.
            passes: T of the modes ``PASSES`` and ``SHARED``.
            cutoff: Mode ``EXACT``: branches lighter than this many 2**-24 are left out.
            min_votes, min_margin: Abstain below; 0 never does.
            records: Send the logits of every leaf too.
            stop: Monitors that stop the accelerator.
            drive_codes: Dropout probability of every layer in 2**-16; None leaves them.
            scale_errors: Bits turned over in every stored word of scales, for tests.

        Raises:
            UserError: names the register and the value, what the form of the device does not have,
                or that an image is held.
        """
        stops = sum(1 << flag for flag in set(stop))
        asked = {"mode exact": mode is Mode.EXACT, "cutoff": cutoff, "records": records}
        self._refuse({**asked, "stop": stops, "scale_errors": scale_errors})
        check_integer(passes, 1, self.sizes.max_passes, "PASSES.value")
        check_integer(min_margin, 0, 2**64 - 1, "MIN_MARGIN")
        check_integer(scale_errors, 0, (1 << 32 * self.sizes.scale_parts) - 1, "SCALE_XOR")
        if drive_codes is not None:
            self._check_drive_codes(drive_codes)
        self.access.write("PASSES", value=passes)
        self.access.write("MIN_VOTES", value=min_votes)
        self.access.write("MIN_MARGIN_LOW", value=min_margin & 0xFFFFFFFF)
        self.access.write("MIN_MARGIN_HIGH", value=min_margin >> 32)
        setup = {"mode": list(Mode).index(mode)}
        if self.sizes.form is Form.FULL:
            setup["records"] = int(records)
            self.access.write("CUTOFF", value=cutoff)
            self.access.write("STOP_ENABLE", value=stops)
        self.access.write("SETUP", **setup)
        self._drive(drive_codes or ())
        for part in range(self.sizes.scale_parts):
            value = scale_errors >> 32 * part & 0xFFFFFFFF
            self.access.write("SCALE_XOR", part, value=value)
        most = MASS // max(cutoff, 1) + 1 if mode is Mode.EXACT else passes
        shared = most if mode is Mode.PASSES else min(most, 2**self.sizes.layers)
        self._leaves = shared if records else 0

    def _refuse(self, asked: Mapping[str, object]) -> None:
        """What is asked for must be built."""
        for feature, value in asked.items():
            if value:
                self.sizes.form.require(feature)

    def _check_drive_codes(self, codes: Sequence[int]) -> None:
        if len(codes) != self.sizes.layers:
            raise UserError(f"DRIVE_CODE: {self.sizes.layers} are needed, not {len(codes)}")

    def _drive(self, codes: Sequence[int]) -> None:
        for layer, code in enumerate(codes):
            self.access.write("DRIVE_CODE", layer, value=code)

    def install(self, contents: Contents, check: bool = True) -> None:
        """Make the device another network of its structure: memories and drive codes.

        Raises:
            UserError: the network does not fit, an image is held, a word reads back differently,
                or the sidecar was not given.
        """
        self.sizes.form.require("install")
        if self.description is None:
            raise UserError("install: needs the sidecar; make the device with Device.described")
        self._check_drive_codes(contents.drive_codes)
        self.load(contents.fitted(self.description), check)
        self._drive(contents.drive_codes)

    def load(self, contents: Mapping[Memory, Sequence[int]], check: bool = True) -> None:
        """Fill memories from their first word on and, with ``check``, read them back.

        Raises:
            UserError: contents do not fit, an image is held, or a word reads back differently.
        """
        self.sizes.form.require("load")
        for memory, words in contents.items():
            self.memories.store(memory, words)
        for memory, words in contents.items() if check else ():
            found = self.read_back(memory, 0, len(words))
            for at, (is_now, wanted) in enumerate(zip(found, words, strict=True)):
                if is_now != wanted:
                    raise UserError(f"{memory.name}[{at}]: holds {is_now:#x}, not {wanted:#x}")

    def read_back(self, memory: Memory, first: int = 0, count: int | None = None) -> list[int]:
        """Words of a memory, by default all.

        Raises:
            UserError: no such memory or words, or an image is held.
        """
        self.sizes.form.require("read_back")
        return self.memories.fetch(memory, first, count)

    def infer(self, images: npt.ArrayLike) -> list[Frame]:
        """Evaluate images (N, pixels), two in the device at a time.

        Pixels are in the order of the stream: position by position, channels together. With a
        description images may be (N, *input_shape) too, and are in the order of that shape.

        Raises:
            UserError: wrong pixels, no answer, or an answer that is none.
        """
        shape = None if self.description is None else self.description.input_shape
        frames = pixel_frames(images, self.sizes, shape)
        answers: list[Frame] = []
        for at, frame in enumerate(frames):
            self.transport.send(frame)
            if at:
                answers.append(parse_frame(self._receive(), self.sizes))
        if frames:
            answers.append(parse_frame(self._receive(), self.sizes))
        return answers

    def _receive(self) -> list[int]:
        leaf, result = (
            packet_length(kind, self.sizes) for kind in (PacketType.LEAF, PacketType.RESULT)
        )
        try:
            return self.transport.receive(self._leaves * leaf + result + 1)
        except BusError as error:
            raise UserError(f"results: {error}; see status()") from None

    def status(self) -> Status:
        """What goes on, and what went wrong since the last :meth:`clear`.

        The small form has no monitors: none ever fires.
        """
        return read_status(self.access)

    def counters(self) -> list[dict[str, int]]:
        """Events of each layer since reset, modulo 2**48.

        Raises:
            UserError: the form of the device has no counters.
        """
        self.sizes.form.require("counters")
        return read_counters(self.access, self.events)

    def abort(self) -> None:
        """Drop every image held, and every result that was not fetched.

        Raises:
            UserError: the result stream does not come to an end.
        """
        self.access.write("CONTROL", abort=1)
        for _ in range(MOST_FRAMES):
            if self._receive()[-1:] == [ABORTED_WORD]:
                return
        raise UserError("results: the device did not close the stream after an abort")

    def clear(self) -> None:
        """Forget what went wrong."""
        for name in ("ERRORS", "MONITORS") if self.sizes.form is Form.FULL else ("ERRORS",):
            register = self.access.registers[name]
            self.access.write_word(register, sum(field.mask for field in register.fields))
