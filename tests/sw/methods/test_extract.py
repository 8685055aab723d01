# SPDX-License-Identifier: Apache-2.0
"""A small network cut out of a large one equals the large one with masked channels."""

import pytest
import torch

from scaledrop.graph import Concat, Kind, Layer, MaxPool, Upsample, Window
from scaledrop.methods.extract import balanced, extract, small_config
from scaledrop.methods.masks import MaskNet
from scaledrop.nn.config import NetworkConfig

LENET = NetworkConfig("t", (28, 28), 4, "lenet5", widths=(4, 6, 40, 30))
MLP = NetworkConfig("t", (8, 8), 4, widths=(30, 40))
JOINED = NetworkConfig(
    "t",
    (8, 8),
    4,
    "custom",
    nodes=(
        Layer("a", 5, Window(3, padding=1)),
        MaxPool("half"),
        Layer("b", 6, Window(3, padding=1)),
        Upsample("whole"),
        Concat("join", ("whole", "a")),
        Layer("c", 12, Window(3)),
        Layer("head", 4, output=Kind.LOGITS),
    ),
)


def masked(config: NetworkConfig, keep: int, seed: int) -> tuple[MaskNet, dict]:
    """A network in evaluation with statistics of its own, and channels kept at random."""
    random = torch.Generator().manual_seed(seed)
    net = MaskNet(config, seed, 2, random).double().train()
    net.choose(1)
    kept = {}
    for name, masks in net.masks.items():
        rows = torch.randperm(masks.shape[1], generator=random)
        kept[name] = rows[: max(2, len(rows) * keep // 10)].sort().values
        with torch.no_grad():
            masks.zero_()
            masks[1, kept[name]] = 1
    shape = (32, *config.input_shape)
    with torch.no_grad():
        for _, site in net.layers:
            site.norm.bias.normal_(generator=random)
            site.alpha.uniform_(0.5, 2, generator=random)
        for _ in range(4):
            net(torch.randint(0, 256, shape, generator=random))
    return net.eval(), kept


@pytest.mark.parametrize("config", [LENET, MLP, JOINED], ids=["lenet5", "mlp", "joined"])
@pytest.mark.parametrize("keep", [4, 7])
def test_a_member_equals_the_masked_network(config, keep):
    net, kept = masked(config, keep, seed=keep)
    small = extract(net, kept, small_config(config, kept, "small")).eval()
    random = torch.Generator().manual_seed(9)
    pixels = torch.randint(0, 256, (40, *config.input_shape), generator=random)
    assert torch.equal(small(pixels), net(pixels))
    for name, rows in kept.items():
        assert len(small.crossbars[name].weight) == len(rows)


def test_another_channel_gives_other_logits():
    net, kept = masked(MLP, 5, seed=1)
    wrong = {**kept, "dense0": (kept["dense0"] + 1) % 30}
    pixels = torch.randint(0, 256, (40, 8, 8), generator=torch.Generator().manual_seed(9))
    small = extract(net, wrong, small_config(MLP, wrong, "small")).eval()
    assert not torch.equal(small(pixels), net(pixels))


def test_the_small_configuration_has_the_widths():
    kept = {"conv1": torch.tensor([0, 3]), "dense2": torch.arange(7)}
    small = small_config(LENET, kept, "small")
    assert [layer.channels for layer in small.graph.layers] == [2, 6, 40, 7, 4]
    assert small.name == "small" and NetworkConfig.from_json(small.to_json()) == small


def test_balanced_rows_keep_their_signs_and_lose_their_mean():
    rows = torch.randn((50, 9), generator=torch.Generator().manual_seed(0)).double() + 0.5
    rows[0] = rows[0].abs()
    found = balanced(rows)
    assert torch.equal(found.sign(), rows.sign())
    assert torch.equal(found[0], rows[0])
    mixed = (rows > 0).any(dim=1) & (rows < 0).any(dim=1)
    assert bool((found[mixed].mean(dim=1).abs() < 1e-14).all()) and int(mixed.sum()) > 40


def test_the_large_network_is_left_alone():
    net, kept = masked(MLP, 5, seed=1)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    small = extract(net, kept, small_config(MLP, kept, "small"))
    with torch.no_grad():
        for parameter in small.parameters():
            parameter.zero_()
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
