# SPDX-License-Identifier: Apache-2.0
"""Training: repeatable, honest about the test part, and good enough to be worth freezing."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from training_runs import CONV, DENSE, PIXELS

from scaledrop import frozen_file, spin
from scaledrop.data import ImageSet
from scaledrop.engine import infer
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.nn import NetworkConfig, ScaleDropNet
from scaledrop.prediction import summarise
from scaledrop.training import (
    CONFIGS,
    EpochRecord,
    TrainConfig,
    named_config,
    scale_dropout_loss,
    train,
)

SHORT = dataclasses.replace(CONFIGS["digits"], epochs=2)


def frozen_digest(config: TrainConfig, data: ImageSet) -> str:
    return frozen_file.digest(freeze(train(config, data).net, {}))


def test_the_seed_decides_every_bit(digits: ImageSet) -> None:
    first = frozen_digest(SHORT, digits)
    torch.manual_seed(123)
    np.random.seed(123)
    assert frozen_digest(SHORT, digits) == first
    assert frozen_digest(dataclasses.replace(SHORT, seed=1), digits) != first


def test_the_test_part_has_no_influence(digits: ImageSet) -> None:
    blind = dataclasses.replace(
        digits, test_images=digits.test_images[:0], test_labels=digits.test_labels[:0]
    )
    assert frozen_digest(SHORT, blind) == frozen_digest(SHORT, digits)


def test_threads_are_pinned_and_restored(digits: ImageSet) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []
    try:
        torch.set_num_threads(2)
        train(SHORT, digits, lambda record: seen.append(torch.get_num_threads()))
        assert (seen, torch.get_num_threads()) == ([1, 1], 2)
    finally:
        torch.set_num_threads(before)


def test_progress_and_history(digits: ImageSet) -> None:
    records: list[EpochRecord] = []
    result = train(SHORT, digits, records.append)
    assert result.history == tuple(records)
    assert [(r.epoch, r.epochs) for r in records] == [(1, 2), (2, 2)]
    assert records[1].task_loss < records[0].task_loss < math.log(10) * 1.5
    assert records[0].accuracy < records[1].accuracy <= 1
    assert not result.net.training


def test_the_digits_configuration_reaches_its_accuracy(digits: ImageSet) -> None:
    net = train(named_config("digits", seed=0), digits).net
    frozen = freeze(net, {})
    words = spin.uniform_words(1, 360 * 20 * 3)
    masks = spin.masks_from_words(frozen, words, 360, 20)
    prediction = summarise(infer(frozen, digits.test_images, masks).logits, frozen.logit_frac_bits)
    assert (prediction.predicted == digits.test_labels).mean() >= 0.975
    # The scales must not have shrunk to one, or the passes would agree by construction.
    assert all(block.scale.alpha.std() > 0.05 for block in net.blocks[:-1])
    assert prediction.variance.max() > 0


def test_the_loss_is_its_formula() -> None:
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, widths=(6,)))
    logits, labels = torch.randn(5, 3, generator=torch.Generator()), torch.tensor([0, 1, 2, 0, 1])
    loss, task = scale_dropout_loss(net, logits, labels, 0.5, 0.25, 0.3)
    shares = torch.nn.functional.one_hot(labels, 3) * 0.7 + 0.1
    expected = -(shares * logits.log_softmax(dim=1)).sum(dim=1).mean().double()
    assert task.item() == pytest.approx(expected.item())
    for block in net.blocks:
        expected = expected + 0.5 * block.crossbar.weight.double().square().sum()
        expected = expected + 0.25 * (1 - block.scale.alpha.double().mean()) ** 2
    assert loss.item() == pytest.approx(expected.item())


def test_a_loss_that_is_not_a_number_is_refused(digits: ImageSet) -> None:
    config = dataclasses.replace(SHORT, weight_decay=1e38, learning_rate=1e30)
    with pytest.raises(UserError) as error:
        train(config, digits)
    assert str(error.value) == (
        "learning_rate: the loss became inf in step 1 of epoch 1 at 1e+30; lower learning_rate"
    )


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            dataclasses.replace(
                SHORT, network=dataclasses.replace(SHORT.network, input_shape=(28, 28))
            ),
            r"input_shape: \(28, 28\) does not match the digits images of \(8, 8\); change",
        ),
        (
            dataclasses.replace(SHORT, network=dataclasses.replace(SHORT.network, classes=4)),
            "classes: 4 does not match the 10 of digits; change",
        ),
        (
            dataclasses.replace(SHORT, batch_size=1438),
            "batch_size: 1438 is more than the 1437 training images; lower it",
        ),
    ],
)
def test_data_that_does_not_fit_is_refused(
    config: TrainConfig, message: str, digits: ImageSet
) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        train(config, digits)


def with_changes(config: TrainConfig, **changes: Any) -> TrainConfig:
    return dataclasses.replace(config, **changes)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (with_changes(PIXELS, augment="shift"), "augment: 'shift' is for labels of whole images"),
        (with_changes(PIXELS, tile=25), r"tile: 25 is more than the squares images of \(24, 24\)"),
        (
            with_changes(PIXELS, tile=16),
            r"input_shape: \(8, 8\) does not match the squares crops",
        ),
        (
            with_changes(PIXELS, batch_size=145),
            "batch_size: 145 is more than the 144 crops of 8 x 8; lower it",
        ),
        (
            with_changes(
                DENSE, network=dataclasses.replace(DENSE.network, input_shape=(24, 24), classes=2)
            ),
            r"topology: 'mlp' gives logits of shape \(2,\), but the labels of squares are one for "
            "each pixel; change the topology",
        ),
    ],
)
def test_pixel_labels_that_do_not_fit_are_refused(
    config: TrainConfig, message: str, squares: ImageSet
) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        train(config, squares)


def test_crops_of_images_with_one_label_are_refused(few: ImageSet) -> None:
    with pytest.raises(UserError, match=r"^tile: 8 is for labels of pixels; use 0 and augment"):
        train(dataclasses.replace(DENSE, tile=8), few)


def test_pixels_are_learnt(squares: ImageSet) -> None:
    result = train(dataclasses.replace(PIXELS, epochs=12), squares)
    share = squares.valid_labels
    assert share is not None
    assert result.history[-1].validation_accuracy > max(1 - share.mean(), 0.9)  # type: ignore[operator]


def test_validation_is_measured_and_changes_nothing(few: ImageSet) -> None:
    blind = dataclasses.replace(few, valid_images=None, valid_labels=None)
    seeing, other = train(DENSE, few), train(DENSE, blind)
    state = other.net.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in seeing.net.state_dict().items())
    assert [record.validation_accuracy for record in other.history] == [None] * 3
    measured = [record.validation_accuracy for record in seeing.history]
    assert all(value is not None and 0.2 < value <= 1 for value in measured)


def test_the_rate_falls_along_half_a_cosine(few: ImageSet) -> None:
    rates = [record.learning_rate for record in train(DENSE, few).history]
    assert rates == pytest.approx([0.01, 0.0075, 0.0025])


def test_scales_may_have_a_rate_of_their_own(few: ImageSet) -> None:
    start = ScaleDropNet(DENSE.network, DENSE.seed)
    still = train(dataclasses.replace(DENSE, scale_learning_rate=1e-9, scale_pull=0.0), few).net
    moved = train(DENSE, few).net
    for before, after, other in zip(start.blocks, still.blocks, moved.blocks, strict=True):
        assert torch.allclose(before.scale.alpha, after.scale.alpha, atol=1e-5)
        assert not torch.allclose(before.scale.alpha, other.scale.alpha, atol=1e-3)


def test_calibration_changes_the_statistics_alone(few: ImageSet) -> None:
    plain = train(dataclasses.replace(CONV, calibrate_passes=0), few).net.state_dict()
    calibrated = train(CONV, few).net.state_dict()
    differing = {name for name, value in plain.items() if not torch.equal(value, calibrated[name])}
    assert differing and all("running_" in name or "num_batches" in name for name in differing)


def test_bfloat16_trains(few: ImageSet) -> None:
    result = train(dataclasses.replace(CONV, precision="bfloat16"), few)
    assert result.history[-1].task_loss < result.history[0].task_loss
    assert {value.dtype for value in result.net.parameters()} == {torch.float32}


def test_every_batch_is_told(few: ImageSet) -> None:
    seen: list[tuple[int, int, int]] = []
    train(DENSE, few, on_batch=lambda *given: seen.append(given))
    assert seen == [(epoch, batch, 7) for epoch in (1, 2, 3) for batch in range(1, 8)]


def test_weights_spoilt_by_the_last_step_are_not_kept(
    few: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(net: ScaleDropNet) -> None:
        with torch.no_grad():
            net.blocks[0].crossbar.weight[0, 0] = math.nan

    kept: list[object] = []

    def at_the_end(epoch: int, batch: int, batches: int) -> None:
        if (epoch, batch) == (2, batches - 1):
            monkeypatch.setattr(ScaleDropNet, "clamp_", spoil)

    with pytest.raises(UserError, match=r"^learning_rate: the weights became .* NaN in epoch 2 at"):
        train(DENSE, few, on_batch=at_the_end, save=kept.append)
    assert len(kept) == 1


def test_a_lack_of_memory_is_a_message(few: ImageSet) -> None:
    def lack(*_: int) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.raises(UserError, match=r"^batch_size: a batch of 32 does not fit in memory"):
        train(DENSE, few, on_batch=lack)
