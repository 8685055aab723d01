# SPDX-License-Identifier: Apache-2.0
"""The transport over a serial line: the driver's calls, pauses, noise, and what it says of them."""

import builtins
import os
import select
import sys
import threading
import types

import numpy as np
import pytest
from toy_device import RESULT, SIZES, Toy

from scaledrop.driver import BusError, Device
from scaledrop.driver.port import SerialPort, open_serial
from scaledrop.driver.protocol import Opcode, Source, check_byte, checked
from scaledrop.driver.serial import SerialTransport
from scaledrop.errors import UserError
from scaledrop.packets import Frame, result_words
from serial_loopback import Loopback


class Board(Toy):
    """The toy device behind a line: frames become words."""

    def __init__(self):
        super().__init__()
        self.outgoing, self.resets = [], 0

    def image(self, frame):
        self.sent.append(frame)
        words = result_words(RESULT, SIZES)
        self.outgoing += [(word, at == len(words) - 1) for at, word in enumerate(words)]

    def reset(self):
        self.resets += 1

    def write32(self, address, word):
        super().write32(address, word)
        self.outgoing += [(frame[0], 1) for frame in self.frames]
        self.frames.clear()


def opened(window=6, **changes):
    board = Board()
    pipe = Loopback(board, window=window, **changes)
    return SerialTransport(pipe, "line", patience=0.0), pipe, board


def test_the_check_byte_is_that_of_the_catalogue():
    # CRC-8 with 0x07 begun at 0 has 0xF4 of "123456789"; begun at 0xFF, 0xFB.
    assert check_byte(b"123456789") == 0xFB
    assert check_byte(checked(b"abc")) == 0


@pytest.mark.parametrize("window", [0, 4, 6, 8])
def test_the_driver_runs_over_a_line(window):
    transport, _, board = opened(window)
    device = Device(transport, SIZES)
    device.identify()
    device.configure(passes=3, min_votes=2)
    assert board.fields("PASSES") == {"value": 3}
    images = np.arange(12).reshape(3, 4)
    assert device.infer(images) == [Frame((), RESULT)] * 3
    assert board.sent == [row.astype("<u2").tobytes() for row in images]
    assert transport.source == Source.LFSR
    device.abort()


def test_opening_resets_unless_told_not_to():
    _, _, board = opened()
    assert board.resets == 1
    transport = SerialTransport(Loopback(board), reset=False)
    assert board.resets == 1
    transport.reset()
    assert board.resets == 2


def test_a_refused_access_is_a_bus_error():
    transport, _, _ = opened()
    with pytest.raises(BusError, match=r"^read of 0xffc: SLVERR$"):
        transport.read32(0xFFC)
    with pytest.raises(BusError, match=r"^write to 0xffc: SLVERR$"):
        transport.write32(0xFFC, 1)
    with pytest.raises(UserError, match=r"^address: must be 0 to 0xfff, not 0x1000$"):
        transport.read32(0x1000)


def test_pixels_that_find_no_room_are_sent_again():
    transport, pipe, board = opened()
    transport.patience = 9.0
    rng = np.random.default_rng(2)
    pipe.room = lambda: int(rng.integers(0, 9))
    frame = rng.integers(0, 256, 201).astype(np.uint8).tobytes()
    transport.send(frame)
    assert board.sent == [frame]


def test_no_room_for_long_is_told():
    transport, pipe, _ = opened()
    pipe.room = lambda: 0
    with pytest.raises(UserError) as caught:
        transport.send(b"1234")
    assert str(caught.value) == "line: the device took no pixels for 0 s; reset it"


def test_frames_are_kept_apart():
    transport, _, board = opened()
    transport.patience = 9.0
    board.outgoing = [(1, 0), (2, 1), (3, 1), (4, 0), (5, 0), (6, 1)]
    assert [transport.receive(8) for _ in range(3)] == [[1, 2], [3], [4, 5, 6]]


def test_a_frame_that_does_not_come_or_is_too_long():
    transport, _, board = opened()
    with pytest.raises(BusError, match=r"^no frame came within 0 s$"):
        transport.receive(4)
    board.outgoing = [(at, 0) for at in range(9)]
    with pytest.raises(BusError, match=r"^a frame of more than 4 words came$"):
        transport.receive(4)


def turned(data):
    """A bit of the first byte turned over."""
    return bytes([data[0] ^ 1]) + data[1:]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: b"\x00" + data,
        lambda data: b"\xff\x30" + data,
        turned,
        lambda data: data[:-1] + bytes([data[-1] ^ 0x80]),
    ],
)
def test_a_command_that_came_to_harm_is_sent_again(spoil):
    transport, pipe, board = opened()
    pipe.spoil = spoil
    transport.write32(board.registers["MIN_VOTES"].address(), 5)
    assert board.fields("MIN_VOTES") == {"value": 5}
    pipe.spoil = spoil
    transport.patience = 9.0
    transport.send(bytes(range(40)))
    assert board.sent == [bytes(range(40))]
    pipe.spoil = spoil
    assert transport.receive(40) == result_words(RESULT, SIZES)
    assert board.resets == 1


def test_a_command_that_is_always_refused_is_told():
    transport, pipe, _ = opened()

    class Noisy:
        def __init__(self, pipe):
            self.pipe, self.read = pipe, pipe.read

        def write(self, data):
            self.pipe.write(data if data[0] & 0xF0 == Opcode.HELLO else turned(data))

    transport.pipe = Noisy(pipe)
    with pytest.raises(UserError) as caught:
        transport.read32(0)
    assert str(caught.value) == (
        "line: a command was refused 3 times; is this the port, and the baud rate, of the board?"
    )


@pytest.mark.parametrize(
    ("garble", "message"),
    [
        (
            turned,
            "line: an answer is garbled; is this the port, and the baud rate, of the board?",
        ),
        (lambda data: data[:3], "line: the device stopped answering; open the line again"),
        (lambda data: b"", "line: the device stopped answering; open the line again"),
    ],
)
def test_an_answer_that_came_to_harm_is_told(garble, message):
    transport, pipe, _ = opened()
    pipe.garble = garble
    with pytest.raises(UserError) as caught:
        transport.read32(0)
    assert str(caught.value) == message


@pytest.mark.parametrize("length", range(1, 8))
def test_half_a_command_of_another_host_is_forgotten(length):
    board = Board()
    pipe = Loopback(board)
    pipe.write(checked(bytes([Opcode.WRITE, 0, 0, 1, 2, 3, 4]))[:length])
    SerialTransport(pipe)
    assert board.resets == 1


def test_answers_of_another_host_are_thrown_away():
    board = Board()
    pipe = Loopback(board)
    pipe.write(checked(bytes([Opcode.TAKE])) * 20)
    assert SerialTransport(pipe).read32(0) == board.read32(0)


class Deaf:
    """A line at whose end something else is, or nothing."""

    def __init__(self, says=b""):
        self.says, self.heard = says, 0

    def read(self, size):
        found, self.heard = (self.says if self.heard else b"")[:size], 0
        return found

    def write(self, data):
        self.heard += 1


class Endless(Deaf):
    def read(self, size):
        return b"$" * size


GARBLED = "; is this the port, and the baud rate, of the board?"


@pytest.mark.parametrize(
    ("pipe", "message"),
    [
        (
            Deaf(),
            "line: no answer; check the cable, the port, the baud rate, and that the FPGA has been "
            "configured",
        ),
        (Deaf(b"$GPGGA"), f"line: what answers is no demonstrator{GARBLED}"),
        (Deaf(checked(b"\xa0ABCD")), f"line: what answers is no demonstrator{GARBLED}"),
        (Endless(), f"line: bytes come without end{GARBLED}"),
        (
            Loopback(Board(), version=7),
            "line: the link is of version 7, not 1; build the board's bitstream with this release",
        ),
    ],
)
def test_who_is_no_demonstrator(pipe, message):
    with pytest.raises(UserError) as caught:
        SerialTransport(pipe, "line")
    assert str(caught.value) == message


class FakeSerial(types.ModuleType):
    """pyserial, with a board at ``/dev/board``."""

    class SerialException(OSError):
        pass

    def __init__(self):
        super().__init__("serial")
        self.tools = types.SimpleNamespace(list_ports=self)
        self.pipe = Loopback(Board())

    def comports(self):
        return [types.SimpleNamespace(device="/dev/ttyUSB3")]

    def Serial(self, name, baud, **settings):
        if name != "/dev/board":
            error = {"/dev/none": 2, "/dev/mine": 13, "/dev/busy": 16}.get(name)
            if error is None:
                raise ValueError("Invalid baud rate")
            raise self.SerialException(error, "could not open port")
        return self.pipe


@pytest.fixture
def fake(monkeypatch):
    module = FakeSerial()
    for name in ("serial", "serial.tools", "serial.tools.list_ports"):
        monkeypatch.setitem(sys.modules, name, module)
    return module


def test_a_port_is_opened_and_closed(fake):
    with open_serial("/dev/board", 115_200) as transport:
        assert transport.read32(0) == fake.pipe.device.read32(0)
    assert fake.pipe.closed


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("/dev/none", "/dev/none: no such port; found here: /dev/ttyUSB3"),
        (
            "/dev/mine",
            "/dev/mine: no permission; on Linux add yourself to the group of the port, often "
            "dialout",
        ),
        ("/dev/busy", "/dev/busy: another program has it"),
        ("/dev/slow", "/dev/slow: cannot run at 9600 baud (Invalid baud rate)"),
    ],
)
def test_a_port_that_cannot_be_opened(fake, name, message):
    with pytest.raises(UserError) as caught:
        open_serial(name, 9600)
    assert str(caught.value) == message


def test_a_port_where_nobody_answers_is_closed(fake):
    fake.pipe.spoil = lambda data: b""
    fake.pipe.write = lambda data: None
    with pytest.raises(UserError, match=r"^/dev/board: no answer"):
        open_serial("/dev/board", 9600)
    assert fake.pipe.closed


def test_a_port_that_goes_away(fake):
    port = SerialPort("/dev/board", 9600)

    def gone(*_):
        raise fake.SerialException("device disconnected")

    fake.pipe.read = fake.pipe.write = gone
    for call in (lambda: port.read(1), lambda: port.write(b"1")):
        with pytest.raises(UserError) as caught:
            call()
        assert str(caught.value) == "/dev/board: device disconnected; plug it in and try again"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no pseudo-terminals here")
def test_through_pyserial_itself():
    """A pseudo-terminal in the place of the cable, and pyserial as it is."""
    pytest.importorskip("serial")
    ours, theirs = os.openpty()
    pipe = Loopback(Board())

    def serve():
        while not pipe.closed:
            if select.select([ours], [], [], 0.05)[0]:
                pipe.write(os.read(ours, 4096))
                os.write(ours, pipe.read(4096))

    server = threading.Thread(target=serve)
    server.start()
    try:
        with open_serial(os.ttyname(theirs), 115_200) as transport:
            device = Device(transport, SIZES)
            device.identify()
            device.configure(passes=3)
            assert device.infer(np.arange(12).reshape(3, 4)) == [Frame((), RESULT)] * 3
    finally:
        pipe.closed = True
        server.join()
        os.close(ours)
        os.close(theirs)


def test_without_pyserial(monkeypatch):
    real = builtins.__import__

    def missing(name, *rest):
        if name.startswith("serial"):
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(UserError) as caught:
        SerialPort("/dev/board", 9600)
    assert str(caught.value) == "serial ports: need pyserial; pip install 'scaledrop[fpga]'"
