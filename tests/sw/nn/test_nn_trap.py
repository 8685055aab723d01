# SPDX-License-Identifier: Apache-2.0
"""The trap: with one mask bit for the whole batch, BatchNorm divides the scale out again."""

from __future__ import annotations

import pytest
import torch

from scaledrop.nn import NetworkConfig, ScaleDropNet

UNITS = [1.0, 0.5, 2.0]


def run(mask: str, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits of one layer in training whose scales are all ``factor``, and alpha's gradient."""
    config = NetworkConfig("one", (30,), 5, p=0.5, mask=mask, init="ones")
    net = ScaleDropNet(config, seed=2).double()
    norm, alpha = net.blocks[0].norm, net.blocks[0].scale.alpha
    norm.eps = 1e-12  # of a variance of 1e5
    with torch.no_grad():
        alpha.fill_(factor)
    x = torch.randint(0, 256, (64, 30), generator=torch.Generator().manual_seed(0))
    masks = net.draw_masks(64) if mask == "sample" else torch.ones(64, 1)
    logits = net(x, masks)
    torch.nn.functional.cross_entropy(logits, torch.arange(64) % 5).backward()
    assert alpha.grad is not None
    return logits.detach(), alpha.grad


@pytest.mark.parametrize("factor", UNITS)
def test_one_bit_for_the_batch_leaves_the_scale_without_effect(factor: float) -> None:
    logits, gradient = run("batch", factor)
    torch.testing.assert_close(logits, run("batch", 1.0)[0], atol=1e-12, rtol=0)
    assert gradient.abs().max() < 1e-12


def test_one_bit_for_each_sample_lets_it_act() -> None:
    ones, gradient = run("sample", 1.0)
    assert gradient.abs().max() > 1e-3
    doubled, _ = run("sample", 2.0)
    assert (ones - doubled).abs().max() > 0.1
