# SPDX-License-Identifier: Apache-2.0
"""The board's end of a serial line in plain Python, in front of any toy device."""

from scaledrop.driver import BusError
from scaledrop.driver.protocol import (
    FIRST,
    HELLO_MAGIC,
    LAST,
    VERSION,
    Opcode,
    Status,
    check_byte,
    checked,
)

LENGTHS = {Opcode.READ: 4, Opcode.WRITE: 8, Opcode.PIXELS: 6}
WINDOW = 6


class Loopback:
    """A byte pipe to a device with ``read32``, ``write32``, ``reset``, ``image`` (takes a frame of
    pixels) and ``outgoing`` ((word, last) that are to be fetched).

    A read that finds nothing is the silence after which half a command is forgotten.

    Attributes:
        room: How many bytes of pixels find room; called for each command with pixels.
        spoil: Changes what is written, once; then it is None again.
        garble: The same of what is read.
    """

    def __init__(self, device, source=1, version=VERSION, window=WINDOW):
        self.device, self.closed = device, False
        self.hello = HELLO_MAGIC << 24 | version << 16 | source << 8 | window
        self.room = lambda: 4
        self.spoil = self.garble = None
        self.written = []
        self._in, self._out, self._frame = b"", b"", b""
        self._deaf = self._pixels_shut = self._results_shut = False

    def close(self):
        self.closed = True

    def read(self, size):
        found, self._out = self._out[:size], self._out[size:]
        if not found:
            self._in, self._deaf = b"", False
        if self.garble is not None and found:
            found, self.garble = self.garble(found), None
        return found

    def write(self, data):
        self.written.append(data)
        assert len(data) <= max(1 << self.hello % 256, 8), "more than the device can hold"
        if self.spoil is not None:
            data, self.spoil = self.spoil(data), None
        if self._deaf:
            return
        self._in += data
        while self._in and not self._deaf:
            length = LENGTHS.get(self._in[0] & 0xF0, 2)
            if len(self._in) < length:
                return
            command, self._in = self._in[:length], self._in[length:]
            self._run(command)

    def _answer(self, status, word=0):
        self._out += checked(bytes([status]) + word.to_bytes(4, "little"))

    def _run(self, command):
        opcode, flags = command[0] & 0xF0, command[0] & 0xF
        if check_byte(command) or opcode not in tuple(Opcode):
            self._answer(Status.REFUSED)
            self._deaf = True
        elif opcode in (Opcode.HELLO, Opcode.RESET):
            if opcode == Opcode.RESET:
                self.device.reset()
                self._frame = b""
            self._answer(Status.OKAY, self.hello)
        elif opcode in (Opcode.READ, Opcode.WRITE):
            self._access(opcode, command)
        elif opcode == Opcode.PIXELS:
            self._pixels(flags, command[1:5])
        else:
            self._take(flags)

    def _access(self, opcode, command):
        address = int.from_bytes(command[1:3], "little")
        try:
            if opcode == Opcode.READ:
                self._answer(Status.OKAY, self.device.read32(address))
            else:
                self.device.write32(address, int.from_bytes(command[3:7], "little"))
                self._answer(Status.OKAY)
        except BusError:
            self._answer(Status.SLVERR)

    def _pixels(self, flags, data):
        if flags & FIRST:
            self._pixels_shut = False
        count = (flags & 3) + 1
        taken = 0 if self._pixels_shut else min(count, self.room())
        self._frame += data[:taken]
        if taken < count:
            self._pixels_shut = True
            self._answer(Status.BUSY | count - taken - 1)
            return
        if flags & LAST:
            self.device.image(self._frame)
            self._frame = b""
        self._answer(Status.OKAY)

    def _take(self, flags):
        if flags & FIRST:
            self._results_shut = False
        if self._results_shut or not self.device.outgoing:
            self._answer(Status.BUSY)
            return
        word, last = self.device.outgoing.pop(0)
        self._results_shut = bool(last)
        self._answer(Status.LAST if last else Status.OKAY, word)
