# SPDX-License-Identifier: Apache-2.0
"""A device made of a dictionary: what the driver's tests talk to."""

from scaledrop.device_sizes import DeviceSizes, Memory, MemoryShape
from scaledrop.driver import BusError
from scaledrop.packets import ABORTED_WORD, Leaf, Result, result_words
from scaledrop.register_types import Access
from scaledrop.registers import register_map

SIZES = DeviceSizes(
    layers=3,
    classes=2,
    input_bits=12,
    pixels=4,
    scale_parts=2,
    memories={Memory.HEAD: MemoryShape(3, 2)},
)
RESULT = Result((5, -6), (7, 8), (9, 0), 0, True, 11)
LEAF = Leaf(5, 9, (-1, 1))


class Toy:
    """A transport to a device that answers every image with RESULT."""

    def __init__(self, sizes=SIZES):
        self.registers = register_map(sizes)
        self.words = {
            one.address(at): one.reset(at) for one in self.registers for at in range(one.count)
        }
        self.memory, self.frames, self.sent, self.limits = {}, [], [], []
        self.broken = {}

    def place(self):
        word = self.words[self.registers["HOST_ADDRESS"].offset]
        return word & 0xFFFFFF, word >> 24

    def move(self):
        address, part = self.place()
        self.words[self.registers["HOST_ADDRESS"].offset] = (
            address | 1 << 24 if part == 0 else address + 1
        )

    def read32(self, address):
        register, _ = self.found(address)
        if register.name == "HOST_DATA":
            word = self.memory[self.place()]
            self.move()
            return word
        return self.words[address]

    def write32(self, address, word):
        register, _ = self.found(address)
        if register.access is Access.RO:
            raise BusError("refused")
        if register.name == "HOST_DATA":
            self.memory[self.place()] = word
            self.move()
        elif register.access is Access.W1C:
            self.words[address] &= ~word
        elif register.name == "CONTROL":
            self.frames.append([ABORTED_WORD])
        else:
            self.words[address] = word

    def found(self, address):
        found = self.registers.at(address)
        if found is None or found[0].name in self.broken:
            self.words[self.registers["ERRORS"].offset] |= self.broken.get(
                found[0].name if found else "", 0
            )
            raise BusError("refused")
        return found

    def send(self, frame):
        self.sent.append(frame)
        self.frames.append(result_words(RESULT, SIZES))

    def receive(self, limit):
        self.limits.append(limit)
        if not self.frames:
            raise BusError("nothing came")
        return self.frames.pop(0)

    def fields(self, name, index=0):
        register = self.registers[name]
        return register.decode(self.words[register.address(index)])
