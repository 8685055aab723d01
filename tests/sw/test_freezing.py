# SPDX-License-Identifier: Apache-2.0
"""The frozen network equals the float64 network: every code, every logit, every mask."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch

from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.frozen import FrozenNetwork, Stream, Threshold
from scaledrop.graph import (
    Add,
    Concat,
    Kind,
    Layer,
    MaxPool,
    Node,
    Quantise,
    Subsample,
    SumPool,
    Upsample,
    Window,
)
from scaledrop.nn import NetworkConfig, ScaleDropBlock, ScaleDropNet
from scaledrop.numbers import activation_bit, activation_code, scaled_bound
from scaledrop.record import PassRecord

GAMMAS = [1.0, -1.0, 0.0, -0.0, 1e-30, -1e-30, 1e-300, -1e-300, 3.7, -0.2]
BETAS = [0.0, -0.0, 0.5, -0.5, 1e-30, -1e-30, 1.75, -2.0]

Images = npt.NDArray[np.integer]


def all_masks(layers: int) -> npt.NDArray[np.uint8]:
    return np.array(list(itertools.product((0, 1), repeat=layers)), dtype=np.uint8)


def some_masks(layers: int, seed: int) -> npt.NDArray[np.uint8]:
    """All of them, or eight that are as good as random, all kept and all dropped among them."""
    if layers <= 4:
        return all_masks(layers)
    masks = np.random.default_rng(seed).integers(0, 2, (8, layers), dtype=np.uint8)
    masks[0], masks[1] = 0, 1
    return masks


def evaluate(
    net: ScaleDropNet, images: Images, frac: int, masks: npt.NDArray[np.uint8]
) -> PassRecord:
    """The float64 network under masks (T, L), as the record of a back end."""
    count, passes = len(images), len(masks)
    pixels = torch.from_numpy(images.astype(np.float64))
    hidden, logits = net.trace(
        pixels.repeat_interleave(passes, dim=0), torch.from_numpy(masks).repeat(count, 1)
    )
    integers = logits.movedim(1, -1).numpy() * 2.0**frac
    assert (integers == np.rint(integers)).all()
    return PassRecord.of_passes(
        np.broadcast_to(masks, (count, *masks.shape)),
        tuple(h.numpy().reshape(count, passes, *h.shape[1:]) for h in hidden.values()),
        integers.astype(np.int64).reshape(count, passes, *integers.shape[1:]),
    )


def first_difference(net: ScaleDropNet, frozen: FrozenNetwork, images: Images) -> str:
    masks = some_masks(len(net.blocks), 0)
    expected = evaluate(net, images, frozen.logit_frac_bits, masks)
    got = infer(frozen, images, expected.masks)
    for index, (a, b) in enumerate(zip(expected.hidden, got.hidden, strict=True)):
        if not np.array_equal(a, np.broadcast_to(b, a.shape)):
            return f"hidden {index}"
    return "" if np.array_equal(expected.logits, got.logits) else "logits"


def randomise(net: ScaleDropNet, block: ScaleDropBlock, random: np.random.Generator) -> None:
    """Statistics on and off the grid of sums, variances down to 0, every kind of gamma."""
    value, channels = net.graph.input_of(block.node), block.node.channels
    spread = (2**value.planes - 1) * (block.crossbar.fan_in * value.addends) ** 0.5
    mean = random.normal(0, spread, channels)
    on_grid = random.random(channels) < 0.5
    hidden = block.node.output is Kind.CODES
    factors = [0.0, 1e-9, 1.0, 4.0] if hidden else [1.0, 4.0]
    gamma = random.choice(GAMMAS, channels) * random.choice([1.0, 0.37], channels)
    if not hidden:
        gamma[0] = 1.0
    values = {
        "running_mean": np.where(on_grid, np.rint(mean * 64) / 64, mean),
        "running_var": spread**2 * random.choice(factors, channels),
        "weight": gamma,
        "bias": random.choice(BETAS, channels),
    }
    with torch.no_grad():
        for key, array in values.items():
            getattr(block.norm, key).copy_(torch.from_numpy(array))
        alpha = random.uniform(0, 254.4 / 64, channels)
        block.scale.alpha.copy_(torch.from_numpy(alpha))


def random_net(seed: int, config: NetworkConfig) -> ScaleDropNet:
    random = np.random.default_rng(seed)
    net = ScaleDropNet(config, seed).double().eval()
    for block in net.blocks:
        randomise(net, block, random)
    return net


def random_images(seed: int, config: NetworkConfig, count: int) -> Images:
    top = 2**config.input_bits
    return np.random.default_rng(seed).integers(0, top, (count, *config.input_shape))


def random_config(seed: int) -> NetworkConfig:
    random = np.random.default_rng(seed)
    widths = tuple(int(w) for w in random.integers(1, 40, random.integers(0, 4)))
    return NetworkConfig(
        "random",
        (int(random.integers(1, 30)),),
        int(random.integers(2, 11)),
        widths=widths,
        planes=int(random.choice([1, 1, 2, 3])),
        p=0.2,
        input_bits=int(random.choice([1, 4, 8])),
    )


@pytest.mark.parametrize("seed", range(40))
def test_random_perceptrons_equal_their_frozen_form_under_every_mask(seed: int) -> None:
    config = random_config(seed)
    net = random_net(seed, config)
    assert first_difference(net, freeze(net, {}), random_images(seed, config, 40)) == ""


def test_every_image_of_a_small_network() -> None:
    config = NetworkConfig("small", (4,), 3, widths=(6, 5), input_bits=2)
    net = random_net(7, config)
    images = np.array(list(itertools.product(range(4), repeat=4)), dtype=np.uint8)
    assert first_difference(net, freeze(net, {}), images) == ""


TOPOLOGIES = [
    ("lenet5", (28, 28), (3, 4, 10, 8)),
    ("vgg_small", (3, 9, 9), (3, 4)),
    ("resnet18", (3, 8, 8), (4, 8, 8)),
    ("resnet20", (3, 8, 8), (4, 8, 8)),
    ("unet", (16, 16), (4, 8)),
    ("unet", (2, 8, 8), (3, 4, 5)),
]


@pytest.mark.parametrize("planes", [1, 2, 3])
@pytest.mark.parametrize(("topology", "shape", "widths"), TOPOLOGIES)
def test_every_topology_equals_its_frozen_form(
    topology: str, shape: tuple[int, ...], widths: tuple[int, ...], planes: int
) -> None:
    config = NetworkConfig("net", shape, 3, topology, widths, planes)
    for seed in range(2):
        net = random_net(seed, config)
        frozen = freeze(net, {})
        assert frozen.graph == config.graph
        assert first_difference(net, frozen, random_images(seed, config, 3)) == ""


STRIDED = (
    Layer("a", 5, Window(3, 2, 2), planes=2),
    MaxPool("b", 3),
    Layer("c", 4, Window(2, 1, 1)),
    SumPool("d"),
    Layer("e", 6),
    Layer("f", 3, output=Kind.LOGITS),
)
JOINED = (
    Layer("a", 3, Window(3, padding=1), planes=3),
    MaxPool("b"),
    Upsample("c"),
    Concat("d", ("a", "c", "a")),
    Layer("e", 4, Window(1), output=Kind.STREAM),
    Layer("f", 4, Window(3, 1, 1), output=Kind.STREAM, source="d"),
    Add("g", ("e", "f")),
    Subsample("h", 3, 7),
    Quantise("i", 4),
    Layer("j", 3, Window(2, padding=1), output=Kind.LOGITS),
)
DENSE = (
    Layer("a", 9, output=Kind.STREAM),
    Quantise("b", 2),
    Layer("c", 9, output=Kind.STREAM),
    Add("d", ("c", "a")),
    Add("e", ("d", "d")),
    Quantise("f"),
    Layer("g", 3, output=Kind.LOGITS),
)


@pytest.mark.parametrize("nodes", [STRIDED, JOINED, DENSE], ids=["strided", "joined", "dense"])
@pytest.mark.parametrize("stream", [(16, 8), (7, 5), (5, 0)])
@pytest.mark.parametrize("seed", range(4))
def test_own_graphs_equal_their_frozen_form(
    seed: int, stream: tuple[int, int], nodes: tuple[Node, ...]
) -> None:
    config = NetworkConfig(
        "own",
        (2, 12, 10),
        3,
        "custom",
        nodes=nodes,
        input_bits=4,
        stream_bits=stream[0],
        stream_frac_bits=stream[1],
    )
    net = random_net(seed, config)
    assert first_difference(net, freeze(net, {}), random_images(seed, config, 4)) == ""


def test_the_random_values_exercise_the_rules() -> None:
    """Codes of every value, streams that saturate and streams that do not."""
    config = NetworkConfig("own", (2, 12, 10), 3, "custom", nodes=JOINED)
    config = dataclasses.replace(config, stream_bits=7, stream_frac_bits=5)
    codes: set[int] = set()
    values: set[int] = set()
    for seed in range(8):
        images = torch.from_numpy(random_images(seed, config, 8))
        hidden, _ = random_net(seed, config).trace(images, torch.ones(8, 4))
        codes |= set(hidden["a"].flatten().tolist())
        values |= set(hidden["e"].flatten().tolist()) | set(hidden["f"].flatten().tolist())
    assert codes == set(range(8))
    assert {-64, 63} <= values and len(values) > 60


@pytest.mark.parametrize("planes", [1, 2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_thresholds_agree_at_every_sum(seed: int, planes: int) -> None:
    config = NetworkConfig("sums", (6,), 2, widths=(60,), input_bits=3, planes=planes)
    net = random_net(seed, config)
    frozen = freeze(net, {})
    output = frozen.layers[0].output
    assert isinstance(output, Threshold) and output.planes == planes
    scale = np.maximum(frozen.layers[0].scale, 64)
    reach = scale * frozen.layers[0].sum_bound
    bound = scaled_bound(frozen.layers[0].sum_bound, config.scale_bits)
    shat = np.arange(-bound, bound + 1)[:, None]
    with torch.no_grad():
        block = net.blocks[0]
        y = block.norm(torch.from_numpy(shat / 64.0).expand(-1, 60))
        codes = ((block.activation(y) + 2**planes - 1) / 2).numpy()
    if planes == 1:
        assert np.array_equal(activation_bit(shat, output.threshold, output.flip), codes)
    else:
        got = activation_code(shat[..., None], output.threshold, output.flip[:, None])
        assert np.array_equal(got[np.abs(shat) <= reach], codes[np.abs(shat) <= reach])


def one_channel(
    gamma: float, beta: float, mean: float, planes: int = 1, alpha: float = 1.0
) -> tuple[list[int], int]:
    config = NetworkConfig("one", (2,), 2, widths=(1,), input_bits=1, planes=planes, init="ones")
    net = ScaleDropNet(config).double()
    norm = net.blocks[0].norm
    norm.eps = 0.0
    with torch.no_grad():
        net.blocks[0].scale.alpha.fill_(alpha)
        norm.weight.fill_(gamma)
        norm.bias.fill_(beta)
        norm.running_mean.fill_(mean)
    output = freeze(net, {}).layers[0].output
    assert isinstance(output, Threshold)
    return output.threshold.reshape(-1).tolist(), int(output.flip[0])


@pytest.mark.parametrize(
    ("gamma", "beta", "mean", "expected"),
    [
        (1.0, 0.0, 0.0, (0, 0)),  # sign(0) = +1
        (1.0, 0.0, 0.25, (16, 0)),
        (-1.0, 0.0, 0.25, (17, 1)),  # +1 on the point itself, so stored one above
        (1.0, 0.0, 0.26, (17, 0)),
        (-1.0, 0.0, 0.26, (17, 1)),
        (0.0, 0.5, 0.0, (-510, 0)),  # always
        (0.0, 0.0, 0.0, (-510, 0)),
        (-0.0, -0.0, 0.0, (-510, 0)),
        (0.0, -0.5, 0.0, (-510, 1)),  # never
        (1.0, 0.0, -1e6, (-510, 0)),
        (1.0, 0.0, 1e6, (-510, 1)),
        (1.0, 0.0, 510 / 64, (510, 0)),  # at the very last sum
        (-1.0, 0.0, -510 / 64, (-509, 1)),  # at the very first
    ],
)
def test_the_canonical_forms(
    gamma: float, beta: float, mean: float, expected: tuple[int, int]
) -> None:
    (threshold,), flip = one_channel(gamma, beta, mean)
    assert (threshold, flip) == expected


@pytest.mark.parametrize(
    ("gamma", "beta", "expected"),
    [
        (1.0, 0.0, ([-32, 0, 32], 0)),  # an edge belongs to the step above it
        (-1.0, 0.0, ([33, 1, -31], 1)),  # the lowest code's decision first, and it falls last
        (1.0, 0.25, ([-48, -16, 16], 0)),
        (0.0, 0.25, ([-510, -510, 129], 0)),  # always code 2: two sums of 64 cannot reach 129
        (0.0, -9.0, ([129, 129, 129], 0)),
        (0.0, 9.0, ([-510, -510, -510], 0)),
        (1.0, 8.25, ([-510, -510, -496], 0)),
        (-1.0, 8.25, ([129, 129, 497], 1)),  # only the highest decision ever falls
    ],
)
def test_the_canonical_forms_of_two_bits(
    gamma: float, beta: float, expected: tuple[list[int], int]
) -> None:
    assert one_channel(gamma, beta, 0.0, planes=2) == expected


def test_a_shifted_threshold_is_caught() -> None:
    config = NetworkConfig("small", (4,), 3, widths=(6,), input_bits=4)
    net = ScaleDropNet(config, 1).double().eval()
    frozen = freeze(net, {})
    output = frozen.layers[0].output
    assert isinstance(output, Threshold)
    wrong = Threshold(output.threshold + 64, output.flip)
    nodes = (dataclasses.replace(frozen.layers[0], output=wrong), *frozen.nodes[1:])
    images = np.array(list(itertools.product(range(0, 16, 3), repeat=4)), dtype=np.uint8)
    broken = dataclasses.replace(frozen, nodes=nodes)
    assert first_difference(net, frozen, images) == ""
    assert first_difference(net, broken, images) == "hidden 0"


def test_a_shifted_stream_is_caught() -> None:
    config = NetworkConfig("dense", (6,), 3, "custom", nodes=DENSE, input_bits=4)
    net = random_net(0, config)
    frozen = freeze(net, {})
    output = frozen.layers[0].output
    assert isinstance(output, Stream)
    unit = 1 << frozen.stream_shift(output)
    wrong = dataclasses.replace(output, offset=output.offset + unit)
    nodes = (dataclasses.replace(frozen.layers[0], output=wrong), *frozen.nodes[1:])
    broken = dataclasses.replace(frozen, nodes=nodes)
    assert first_difference(net, broken, random_images(0, config, 9)) == "hidden 0"


@pytest.fixture(scope="module")
def trained() -> ScaleDropNet:
    """A small network a few steps from its start, in float32."""
    config = NetworkConfig("steps", (3, 8, 8), 4, "resnet20", (4, 6, 8), init="mean", ste="bireal")
    net = ScaleDropNet(config, 3)
    optimiser = torch.optim.Adam(net.parameters(), lr=0.01)
    images = torch.from_numpy(random_images(1, config, 64))
    labels = images.flatten(1).double().std(dim=1).argsort().argsort() // 16
    for rows in torch.arange(64).reshape(4, 16).repeat(5, 1):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(images[rows]), labels[rows]).backward()
        optimiser.step()
        net.clamp_()
    return net.eval()


def test_a_trained_network(trained: ScaleDropNet) -> None:
    frozen = freeze(trained, {})
    double = ScaleDropNet(trained.config)
    double.load_state_dict(trained.state_dict())
    images = random_images(2, trained.config, 20)
    assert first_difference(double.double().eval(), frozen, images) == ""


def test_freezing_leaves_the_network_as_it_was(trained: ScaleDropNet) -> None:
    before = {key: value.clone() for key, value in trained.state_dict().items()}
    trained.train()
    frozen = freeze(trained, {"from": "a test"})
    assert trained.training
    trained.eval()
    assert all(torch.equal(v, before[k]) for k, v in trained.state_dict().items())
    assert all(v.dtype == before[k].dtype for k, v in trained.state_dict().items())
    assert frozen.provenance == {"from": "a test"}
    assert [layer.drop_code for layer in frozen.layers] == [9830] * 20


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "key",
    [
        "layers.dense0.crossbar.weight",
        "layers.dense1.scale.alpha",
        "layers.dense0.norm.weight",
        "layers.dense0.norm.running_mean",
        "layers.dense1.norm.running_var",
        "layers.dense1.norm.bias",
    ],
)
def test_what_is_not_a_number_is_refused(key: str, value: float) -> None:
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, widths=(6,)))
    net.state_dict()[key].view(-1)[1] = value
    with pytest.raises(UserError) as error:
        freeze(net, {})
    assert str(error.value) == (
        f"{key}: has a value that is not a number; train again with a lower learning_rate"
    )


def small() -> ScaleDropNet:
    return ScaleDropNet(NetworkConfig("small", (4,), 3, widths=(6,))).double()


def test_a_scale_outside_its_format_is_refused() -> None:
    net = small()
    with torch.no_grad():
        net.blocks[0].scale.alpha[2] = 4.5
    with pytest.raises(UserError, match=r"^layers.dense0.scale.alpha: 4.5 does not fit 8 bits"):
        freeze(net, {})


def test_a_negative_variance_is_refused() -> None:
    net = small()
    net.blocks[1].norm.running_var[0] = -1.0
    with pytest.raises(UserError, match=r"^layers.dense1.norm.running_var: has a negative"):
        freeze(net, {})


def test_a_norm_that_overflows_is_refused() -> None:
    net = small()
    net.blocks[0].norm.running_mean[0] = 1e308
    net.blocks[0].norm.weight.data[0] = 10.0
    with pytest.raises(UserError, match=r"^layers.dense0.norm: overflows for some sums"):
        freeze(net, {})


def test_a_gain_that_does_not_fit_is_refused_by_layer() -> None:
    net = small()
    net.blocks[1].norm.weight.data[0] = 1e9
    with pytest.raises(UserError, match=r"^layers.dense1.norm: .*e\+08 does not fit 12 bits"):
        freeze(net, {})


def test_a_gain_too_coarse_for_the_stream_is_refused() -> None:
    config = NetworkConfig("dense", (6,), 3, "custom", nodes=DENSE, gain_bits=2, scale_frac_bits=0)
    net = ScaleDropNet(config)
    with pytest.raises(UserError) as error:
        freeze(net, {})
    assert str(error.value) == (
        "gain_bits: 2 leave layers.a.norm 0 fraction bits, too few for a stream of 8; "
        "raise gain_bits"
    )


def test_what_float64_cannot_hold_is_refused() -> None:
    wide = NetworkConfig(
        "wide", (4096,), 2, input_bits=16, scale_bits=16, scale_frac_bits=8, gain_bits=24
    )
    with pytest.raises(UserError) as error:
        freeze(ScaleDropNet(wide), {})
    assert str(error.value) == (
        "gain_bits: logits of 68 bits are not exact in float64, 53 are; lower gain_bits, now 24 "
        "(layer 'dense0')"
    )
    nodes = (Layer("a", 1, output=Kind.STREAM), Quantise("b"), Layer("c", 2, output=Kind.LOGITS))
    streams = dataclasses.replace(wide, topology="custom", nodes=nodes, p=0.1)
    with pytest.raises(UserError, match=r"^gain_bits: stream values of 68 bits are not exact"):
        freeze(ScaleDropNet(streams), {})
    huge = dataclasses.replace(wide, input_shape=(2**20, 4), widths=(1,), p=0.1)
    with pytest.raises(UserError, match=r"^scale_bits: scaled sums of 55 bits are not exact"):
        freeze(ScaleDropNet(huge), {})
