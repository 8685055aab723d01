# SPDX-License-Identifier: Apache-2.0
"""The driver's transport over a serial line: a board behind a USB cable, or a simulation of one."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from scaledrop.driver.commands import Answer, address_bytes, parse_answer, pixel_command
from scaledrop.driver.protocol import (
    ANSWER_BYTES,
    FIRST,
    HELLO_MAGIC,
    VERSION,
    Opcode,
    Status,
    check_byte,
    checked,
)
from scaledrop.driver.transport import BusError
from scaledrop.errors import UserError

__all__ = ["BytePipe", "SerialTransport"]

ATTEMPTS = 3
NOISE_BYTES = 1 << 16
PATIENCE_S = 10.0
TAKES = 64
"""Words that are asked for at once at most."""


class BytePipe(Protocol):
    """A line to a device, such as a ``serial.Serial``."""

    def read(self, size: int) -> bytes:
        """One to ``size`` bytes; none when none came for a time longer than the device needs to
        forget half a command, see :class:`SerialTransport`."""

    def write(self, data: bytes) -> object:
        """Send bytes."""

    def close(self) -> object:
        """Give the line back."""


class SerialTransport:
    """A :class:`scaledrop.driver.Transport` over a byte pipe.

    Commands go out as many at a time as the device can hold, so that the time of a round trip, some
    milliseconds over USB, is not paid for each. A command that came to harm on the way was not
    executed, and is sent again after the line has been silent for the time of a read.

    Args:
        pipe: Its reads give up after a longer silence than the device waits for the rest of a
            command (0.1 s at most), 0.5 s for example.
        where: Name of the line in messages.
        reset: Reset the device, its bits too, when the line is opened.
        patience: Seconds after which a result, or room for an image, is no longer expected.
        clock: Seconds; that of a simulation where there is one.

    Raises:
        UserError: nothing answers, or not as the device does.
    """

    def __init__(
        self,
        pipe: BytePipe,
        where: str = "serial line",
        *,
        reset: bool = True,
        patience: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.pipe, self.where, self.patience, self.clock = pipe, where, patience, clock
        self._window, self.source = 0, 0
        self._connect(Opcode.RESET if reset else Opcode.HELLO)

    def close(self) -> None:
        """Give the line back; so does leaving a ``with``."""
        self.pipe.close()

    def __enter__(self) -> SerialTransport:
        return self

    def __exit__(self, *reason: object) -> None:
        self.close()

    def reset(self) -> None:
        """The device as after power-up, but for memories that were loaded; its bits begin anew."""
        self._greeted(self._exchange([checked(bytes([Opcode.RESET]))])[0])

    def read32(self, address: int) -> int:
        """The word at a byte address."""
        command = bytes([Opcode.READ]) + address_bytes(address)
        answer = self._exchange([checked(command)])[0]
        return self._okay(answer, f"read of {address:#x}").word

    def write32(self, address: int, word: int) -> None:
        """Write a word to a byte address."""
        command = bytes([Opcode.WRITE]) + address_bytes(address) + word.to_bytes(4, "little")
        self._okay(self._exchange([checked(command)])[0], f"write to {address:#x}")

    def send(self, frame: bytes) -> None:
        """Send a frame; returns when the device has all of it.

        Raises:
            UserError: the device takes no pixels; it has to be reset.
        """
        at, deadline = 0, self.clock() + self.patience
        most = 4 * max(1, (1 << self._window) // 6)
        while at < len(frame):
            parts = [frame[k : k + 4] for k in range(at, min(at + most, len(frame)), 4)]
            last = at + most >= len(frame)
            commands = [
                pixel_command(part, first=k == 0, last=last and k == len(parts) - 1)
                for k, part in enumerate(parts)
            ]
            before = at
            for part, answer in zip(parts, self._exchange(commands), strict=True):
                at += len(part)
                if answer.status is Status.BUSY:
                    at -= answer.word
                    break
                self._okay(answer, "pixels")
            if at > before:
                deadline = self.clock() + self.patience
            elif self.clock() > deadline:
                raise UserError(
                    f"{self.where}: the device took no pixels for {self.patience:g} s; reset it"
                )

    def receive(self, limit: int) -> list[int]:
        """Wait for a frame.

        Raises:
            BusError: it does not come, or is longer than ``limit``.
        """
        words: list[int] = []
        opcode, count, deadline = Opcode.TAKE | FIRST, 1, self.clock() + self.patience
        most = max(1, min(TAKES, (1 << self._window) // 2))
        while True:
            commands = [checked(bytes([opcode])), *[checked(bytes([Opcode.TAKE]))] * (count - 1)]
            before, opcode = len(words), Opcode.TAKE
            for answer in self._exchange(commands):
                if answer.status is Status.BUSY:
                    continue
                if answer.status is not Status.LAST:
                    self._okay(answer, "results")
                words.append(answer.word)
                if len(words) > limit:
                    raise BusError(f"a frame of more than {limit} words came")
                if answer.status is Status.LAST:
                    return words
            if len(words) > before:
                deadline = self.clock() + self.patience
            elif self.clock() > deadline:
                raise BusError(f"no frame came within {self.patience:g} s")
            count = min(most, max(1, limit - len(words))) if len(words) > before else 1

    def _okay(self, answer: Answer, what: str) -> Answer:
        if answer.status in (Status.SLVERR, Status.DECERR):
            raise BusError(f"{what}: {answer.status.name}")
        if answer.status is not Status.OKAY:
            raise self._garbled(f"{what} was answered {answer.status.name}")
        return answer

    def _garbled(self, what: str) -> UserError:
        return UserError(
            f"{self.where}: {what}; is this the port, and the baud rate, of the board?"
        )

    def _connect(self, opcode: Opcode) -> None:
        """Come to terms with whatever is at the other end, in whatever state it is."""
        heard = False
        for _ in range(ATTEMPTS):
            self._fall_silent()
            self.pipe.write(checked(bytes([opcode])))
            answer = self._read(ANSWER_BYTES)
            heard = heard or bool(answer)
            if len(answer) == ANSWER_BYTES and not check_byte(answer):
                self._greeted(parse_answer(answer))
                return
        if heard:
            raise self._garbled("what answers is no demonstrator")
        raise UserError(
            f"{self.where}: no answer; check the cable, the port, the baud rate, and that the FPGA "
            "has been configured"
        )

    def _greeted(self, answer: Answer) -> None:
        magic, version = answer.word >> 24, answer.word >> 16 & 0xFF
        if answer.status is not Status.OKAY or magic != HELLO_MAGIC:
            raise self._garbled("what answers is no demonstrator")
        if version != VERSION:
            raise UserError(
                f"{self.where}: the link is of version {version}, not {VERSION}; build the board's "
                "bitstream with this release"
            )
        self._window, self.source = answer.word & 0xFF, answer.word >> 8 & 0xFF

    def _fall_silent(self) -> None:
        """Throw away what comes, until nothing does: by then no command is half done."""
        for _ in range(NOISE_BYTES >> 8):
            if not self.pipe.read(256):
                return
        raise self._garbled("bytes come without end")

    def _read(self, size: int) -> bytes:
        """So many bytes, or those before a silence."""
        found = b""
        while len(found) < size:
            more = self.pipe.read(size - len(found))
            if not more:
                break
            found += more
        return found

    def _exchange(self, commands: Sequence[bytes]) -> list[Answer]:
        """Answers of commands that are executed in their order, each once."""
        answers: list[Answer] = []
        refused = 0
        while len(answers) < len(commands):
            batch = self._batch(commands[len(answers) :])
            self.pipe.write(b"".join(batch))
            heard = self._answers(len(batch))
            if heard[-1].status is Status.REFUSED:
                refused += 1
                if refused == ATTEMPTS:
                    raise self._garbled(f"a command was refused {ATTEMPTS} times")
                heard.pop()
                self._connect(Opcode.HELLO)
            answers += heard
        return answers

    def _batch(self, commands: Sequence[bytes]) -> list[bytes]:
        """As many as the device can hold."""
        batch, room = [commands[0]], (1 << self._window) - len(commands[0])
        for command in commands[1:]:
            room -= len(command)
            if room < 0:
                break
            batch.append(command)
        return batch

    def _answers(self, count: int) -> list[Answer]:
        """So many answers, or those up to one that says REFUSED."""
        data, found = self._read(count * ANSWER_BYTES), []
        for at in range(0, count * ANSWER_BYTES, ANSWER_BYTES):
            one = data[at : at + ANSWER_BYTES]
            if len(one) < ANSWER_BYTES:
                raise UserError(f"{self.where}: the device stopped answering; open the line again")
            if check_byte(one):
                raise self._garbled("an answer is garbled")
            found.append(parse_answer(one))
            if found[-1].status is Status.REFUSED:
                break
        return found
