# SPDX-License-Identifier: Apache-2.0
"""A board made of the golden model: registers, counters, and frames that follow from words."""

from dataclasses import replace

import numpy as np

from golden_frames import golden_frames
from scaledrop.driver import description_of
from scaledrop.events import predict_events
from scaledrop.images import stream_order
from scaledrop.packets import leaf_words, result_words
from scaledrop.register_types import Access
from scaledrop.registers import register_map
from scaledrop.walk import Inference, Mode, walk_words


class GoldenBoard:
    """The device behind a Loopback.

    Args:
        mapping: Of the network that is built in.
        sidecar: Of the demonstrator.
        words: Of the write pulses after a reset.
        fault: Changes a Frame before it is sent.
    """

    def __init__(self, mapping, sidecar, words, fault=lambda at, frame: frame):
        self.mapping, self.words, self.fault = mapping, words, fault
        self.description = description_of(sidecar)
        self.registers = register_map(self.description.sizes)
        self.folded = sidecar["parameters"]["datapath"] == "folded"
        self.reset()

    def reset(self):
        self.values = {
            one.address(at): one.reset(at) for one in self.registers for at in range(one.count)
        }
        self.outgoing, self.images, self.walks, self.used = [], [], [], 0

    def field(self, name, field="value"):
        register = self.registers[name]
        return register.decode(self.values[register.address()])[field]

    def read32(self, address):
        register, _ = self.registers.at(address)
        if register.name in ("COUNTER_LOW", "COUNTER_HIGH"):
            return self._counter() >> 32 * (register.name == "COUNTER_HIGH") & 0xFFFFFFFF
        return self.values[address]

    def write32(self, address, word):
        register, _ = self.registers.at(address)
        assert register.access is not Access.RO
        self.values[address] = word

    def _counter(self):
        layers, events = self.mapping.network.layers, self.description.events
        event, layer = divmod(self.field("COUNTER_SELECT"), len(layers))
        images = np.array(self.images)
        counts = predict_events(self.mapping, images, self.walks, None, self.folded)
        return counts[layers[layer].name].get(events[event], 0)

    def image(self, data):
        sizes, network = self.description.sizes, self.mapping.network
        pixels = np.frombuffer(data, dtype=f"<u{sizes.pixel_bytes}").astype(np.int64)[None]
        image = np.asarray(stream_order(pixels, network.input_shape, True))[0]
        mode = list(Mode)[self.field("SETUP", "mode")]
        inference = Inference(mode, self.field("PASSES"))
        words = self.words[self.used :]
        frame = golden_frames(network, [image], inference, words)[0]
        codes = [layer.drop_code for layer in network.layers]
        count = 0 if mode is Mode.EXACT else inference.passes * len(codes)
        self.walks.append(list(walk_words(inference, codes, words[:count])))
        self.used += count
        votes = frame.result.votes[frame.result.predicted]
        abstain = votes < self.field("MIN_VOTES")
        frame = replace(frame, result=replace(frame.result, abstain=abstain))
        frame = self.fault(len(self.images), frame)
        self.images.append(image)
        self._send(frame, sizes)

    def _send(self, frame, sizes):
        full = "records" in {one.name for one in self.registers["SETUP"].fields}
        packets = [leaf_words(leaf, sizes) for leaf in frame.leaves if full]
        words = [word for packet in packets for word in packet] + result_words(frame.result, sizes)
        self.outgoing += [(word, at == len(words) - 1) for at, word in enumerate(words)]
