# SPDX-License-Identifier: Apache-2.0
"""The network as a module: masks, modes, traces, devices, messages."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.graph import Kind, Layer, MaxPool, Node, Quantise, Window
from scaledrop.nn import NetworkConfig, ScaleDropNet

CONFIG = NetworkConfig("net", input_shape=(4, 4), classes=3, widths=(12, 8), p=0.25)
LENET = NetworkConfig("lenet", (28, 28), 4, "lenet5", (3, 4, 10, 8), p=0.3)
RESNET = NetworkConfig("resnet", (3, 8, 8), 4, "resnet18", (4, 5, 6), planes=2)
UNET = NetworkConfig("unet", (16, 16), 3, "unet", (4, 8), p=(0.0,) * 7)
ALL = [CONFIG, LENET, RESNET, UNET]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(count: int, config: NetworkConfig = CONFIG, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (count, *config.input_shape), generator=generator(seed))


def normalised_net(config: NetworkConfig = CONFIG, seed: int = 1) -> ScaleDropNet:
    """A network with the statistics of some images, and offsets: at a threshold of 0 the scale
    would have no say.
    """
    net = ScaleDropNet(config, seed)
    for block in net.blocks:
        block.norm.momentum = 1.0
        torch.nn.init.uniform_(block.norm.bias, -1, 1, generator=generator())
    with torch.no_grad():
        net(pixels(64, config, seed=1))
    return net


def test_clamp_brings_latent_values_back() -> None:
    net = ScaleDropNet(CONFIG)
    with torch.no_grad():
        net.blocks[0].crossbar.weight.fill_(7.0)
        net.blocks[0].scale.alpha.fill_(-7.0)
    net.clamp_()
    assert net.blocks[0].crossbar.weight.max() == 1
    assert net.blocks[0].scale.alpha.tolist() == [2.0**-6] * 12


def test_layers_are_found_by_name_in_the_order_of_their_bits() -> None:
    net = ScaleDropNet(RESNET)
    names = [node.name for node in RESNET.graph.layers]
    assert list(net.layers) == names == [block.node.name for block in net.blocks]
    assert net.block(names[3]) is net.blocks[3]
    assert "layers.stem.crossbar.weight" in net.state_dict()


@pytest.mark.parametrize("config", ALL, ids=lambda config: config.name)
def test_every_parameter_gets_a_gradient(config: NetworkConfig) -> None:
    net = ScaleDropNet(config, seed=3)
    net(pixels(16, config)).square().mean().backward()
    for name, value in net.named_parameters():
        assert value.grad is not None and value.grad.isfinite().all(), name
        assert (value.grad != 0).any() or name.startswith(f"layers.{net.blocks[-1].node.name}")


def test_masks_come_from_the_networks_generator_only() -> None:
    def run(disturb: bool) -> torch.Tensor:
        net = ScaleDropNet(CONFIG, seed=5)
        if disturb:
            torch.manual_seed(99)
            torch.rand(7)
        result: torch.Tensor = net(pixels(32))
        return result

    before = torch.get_rng_state()
    first = run(disturb=False)
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, run(disturb=True))


def test_forward_draws_all_bits_of_a_pass_at_once() -> None:
    net = ScaleDropNet(CONFIG, seed=5)
    net.set_seed(3)
    masks = net.draw_masks(32)
    net.set_seed(3)
    drawn = net(pixels(32))
    assert masks.shape == (32, 3) and masks.dtype == torch.bool
    assert torch.equal(drawn, net(pixels(32), masks))


def test_set_seed_repeats_and_changes_the_masks() -> None:
    net = ScaleDropNet(CONFIG, seed=5)
    bits = []
    for seed in (1, 1, 2):
        net.set_seed(seed)
        bits.append(net.draw_masks(64))
    assert torch.equal(bits[0], bits[1]) and not torch.equal(bits[0], bits[2])
    assert not torch.equal(bits[0][:, 0], bits[0][:, 1])


def test_masks_may_come_from_another_generator() -> None:
    net = ScaleDropNet(CONFIG)
    state = net.generator.get_state()
    assert torch.equal(net.draw_masks(9, generator(2)), net.draw_masks(9, generator(2)))
    assert torch.equal(state, net.generator.get_state())


@pytest.mark.parametrize(("mask", "shared"), [("sample", False), ("batch", True)])
def test_masks_differ_within_a_batch_unless_they_are_the_batchs(mask: str, shared: bool) -> None:
    net = normalised_net(dataclasses.replace(CONFIG, mask=mask, p=0.5))
    logits = net(pixels(1).repeat(64, 1, 1))
    assert bool((logits == logits[0]).all()) is shared
    masks = net.draw_masks(64)
    assert bool((masks == masks[0]).all()) is shared


def test_the_twin_without_dropout_keeps_every_scale() -> None:
    net = normalised_net(UNET)
    assert net.draw_masks(100).all()
    assert torch.equal(net(pixels(4, UNET)), net(pixels(4, UNET), torch.ones(4, 7)))


@pytest.mark.parametrize("layer", range(3))
def test_the_bit_of_each_layer_matters_where_its_scale_is_not_one(layer: int) -> None:
    net = normalised_net().double().eval()
    masks = torch.ones(256, 3)
    _, kept = net.trace(pixels(256), masks)
    masks[:, layer] = 0
    _, dropped = net.trace(pixels(256), masks)
    assert not torch.equal(kept, dropped)


def test_masks_do_not_matter_where_every_scale_is_one() -> None:
    net = ScaleDropNet(dataclasses.replace(CONFIG, init="ones")).double().eval()
    masks = torch.cartesian_prod(*[torch.tensor([0, 1])] * 3)
    _, logits = net.trace(pixels(1).repeat(8, 1, 1), masks)
    assert (logits == logits[0]).all()


def test_first_scales_are_the_mean_magnitude_of_the_weights() -> None:
    net = ScaleDropNet(dataclasses.replace(LENET, init="mean", normalise=True))
    for block in net.blocks:
        weight = block.crossbar.centred_weight().abs().flatten(1).mean(dim=1)
        torch.testing.assert_close(block.scale.alpha, weight)
        assert 0.5 < block.scale.alpha.mean() < 1


@pytest.mark.parametrize("config", ALL, ids=lambda config: config.name)
def test_evaluation_does_not_depend_on_the_batch(config: NetworkConfig) -> None:
    net = normalised_net(config).double().eval()
    masks = torch.randint(0, 2, (9, len(net.blocks)), generator=generator())
    hidden, logits = net.trace(pixels(9, config), masks)
    for row in range(9):
        alone, logit = net.trace(pixels(9, config)[row : row + 1], masks[row : row + 1])
        assert torch.equal(logit[0], logits[row])
        assert all(torch.equal(value[0], hidden[name][row]) for name, value in alone.items())


@pytest.mark.parametrize("config", ALL, ids=lambda config: config.name)
def test_trace_and_forward_agree_and_shapes_are_as_documented(config: NetworkConfig) -> None:
    net = normalised_net(config).double().eval()
    masks = torch.ones(5, len(net.blocks))
    hidden, logits = net.trace(pixels(5, config), masks)
    assert list(hidden) == [node.name for node in net.graph.layers[:-1]]
    for node in net.graph.layers[:-1]:
        value = hidden[node.name]
        assert value.shape == (5, *net.graph.values[node.name].shape)
        codes = node.output is Kind.CODES
        assert value.dtype == (torch.uint8 if codes else torch.int32)
        assert value.max() < 2**node.planes or not codes
    assert logits.shape == (5, *net.graph.logits.shape)
    assert torch.equal(logits, net(pixels(5, config).flatten(1), masks))


def test_split_evaluation_is_forward() -> None:
    net = normalised_net(RESNET).double().eval()
    masks = net.draw_masks(6)
    values = {"input": net.image(pixels(6, RESNET))}
    bits = iter(masks.unbind(dim=1))
    for node in net.graph.nodes:
        inputs = [values[source] for source in net.graph.sources[node.name]]
        if isinstance(node, Layer):
            s = net.layer_sum(node.name, inputs[0])
            values[node.name] = net.layer_output(node.name, s, next(bits))
        else:
            values[node.name] = net.structural(node, *inputs)
    assert torch.equal(values[net.graph.nodes[-1].name], net(pixels(6, RESNET), masks))


def test_a_max_pool_shares_the_gradient_among_equal_codes() -> None:
    net = ScaleDropNet(LENET)
    a = torch.tensor([[[[1.0, 1.0], [-1.0, 1.0]]]], requires_grad=True)
    net.structural(MaxPool("pool"), a).sum().backward()
    assert a.grad is not None
    assert a.grad[0, 0].tolist() == [[0.5, 0.25], [0.0, 0.25]]


def test_a_layer_is_not_structural() -> None:
    with pytest.raises(TypeError, match=r"^conv1: a layer has weights; use layer_sum"):
        net = ScaleDropNet(LENET)
        net.structural(net.graph.nodes[0], torch.ones(1))


@pytest.mark.parametrize("config", ALL, ids=lambda config: config.name)
def test_state_goes_from_one_network_to_another(config: NetworkConfig) -> None:
    net, other = normalised_net(config), ScaleDropNet(config, seed=77)
    other.load_state_dict(net.state_dict())
    masks = torch.ones(4, len(net.blocks))
    x = pixels(4, config)
    assert torch.equal(net.eval()(x, masks), other.eval()(x, masks))
    assert torch.equal(net(x, masks), copy.deepcopy(net)(x, masks))


def test_training_in_half_precision() -> None:
    net = ScaleDropNet(RESNET)
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(pixels(8, RESNET))
        loss = torch.nn.functional.cross_entropy(logits, torch.zeros(8, dtype=torch.int64))
    loss.backward()
    for name, value in net.named_parameters():
        assert value.dtype == torch.float32, name
        assert value.grad is not None and value.grad.isfinite().all(), name


@pytest.mark.parametrize("config", ALL[1:], ids=lambda config: config.name)
def test_a_compiler_sees_one_graph(config: NetworkConfig) -> None:
    graphs = []

    def backend(graph: torch.fx.GraphModule, _: object) -> torch.fx.GraphModule:
        graphs.append(graph)
        return graph

    net = ScaleDropNet(config)
    masks = net.draw_masks(4)
    torch._dynamo.reset()
    compiled = torch.compile(net, backend=backend, fullgraph=True)
    assert torch.equal(compiled(pixels(4, config), masks), net(pixels(4, config), masks))
    assert len(graphs) == 1


def test_compiled_training_draws_fresh_masks() -> None:
    net, twin = ScaleDropNet(CONFIG, seed=2), ScaleDropNet(CONFIG, seed=2)
    torch._dynamo.reset()
    compiled = torch.compile(net)
    for _ in range(2):
        got, expected = compiled(pixels(16)), twin(pixels(16))
        torch.testing.assert_close(got, expected)
    got.sum().backward()
    expected.sum().backward()
    for mine, other in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="GPU: none is here")
@pytest.mark.parametrize("config", ALL, ids=lambda config: config.name)
def test_a_gpu_gives_the_same_bits(config: NetworkConfig) -> None:
    net = normalised_net(config).double().eval()
    masks = torch.randint(0, 2, (9, len(net.blocks)), generator=generator())
    hidden, logits = net.trace(pixels(9, config), masks)
    there = copy.deepcopy(net).cuda()
    there_hidden, there_logits = there.trace(pixels(9, config), masks)
    assert there_logits.is_cuda and torch.equal(logits, there_logits.cpu())
    assert all(torch.equal(value, there_hidden[name].cpu()) for name, value in hidden.items())
    there.float().train()(pixels(9, config)).sum().backward()
    assert all(value.grad is not None for value in there.parameters())


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        (torch.ones(2, 15), torch.ones(2, 3), "pixels: shape must be (B, 4, 4), not (2, 15)"),
        (
            torch.full((2, 16), 0.5),
            torch.ones(2, 3),
            "pixels: must be whole numbers 0 to 255; do not scale or centre them",
        ),
        (
            torch.full((2, 16), 256),
            torch.ones(2, 3),
            "pixels: must be whole numbers 0 to 255; do not scale or centre them",
        ),
        (torch.ones(2, 16), None, "masks: evaluation needs them; give a (B, 3) tensor of 0/1"),
        (
            torch.ones(2, 16),
            torch.ones(2, 4),
            "masks: shape must be (2, 3), not (2, 4); give one bit per sample and layer",
        ),
        (
            torch.ones(2, 16),
            torch.full((2, 3), 0.5),
            "masks: must be 0 or 1; give 1 to keep the scale",
        ),
    ],
)
def test_wrong_inputs_are_refused(
    images: torch.Tensor, masks: torch.Tensor | None, message: str
) -> None:
    with pytest.raises(UserError) as error:
        ScaleDropNet(CONFIG).eval()(images, masks)
    assert str(error.value) == message


def test_narrow_pixels_are_checked_in_every_type() -> None:
    net = ScaleDropNet(dataclasses.replace(CONFIG, input_bits=4))
    for dtype in (torch.uint8, torch.int16, torch.float32):
        net(torch.full((2, 4, 4), 15, dtype=dtype))
        with pytest.raises(UserError, match=r"^pixels: must be whole numbers 0 to 15"):
            net(torch.full((2, 4, 4), 16, dtype=dtype))


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UserError, match=r"^seed: must be 0 to .*, not -1; give a whole number"):
        ScaleDropNet(CONFIG, seed=-1)


def test_a_name_of_pytorch_is_refused() -> None:
    nodes: tuple[Node, ...] = (
        Layer("half", 3, Window(3), output=Kind.STREAM),
        Quantise("bits"),
        Layer("head", 2, output=Kind.LOGITS),
    )
    with pytest.raises(UserError, match=r"^layers.half: PyTorch keeps this name; rename the"):
        ScaleDropNet(NetworkConfig("own", (4, 4), 2, "custom", nodes=nodes))
