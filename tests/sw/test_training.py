# SPDX-License-Identifier: Apache-2.0
"""Training: repeatable, honest about the test part, and good enough to be worth freezing."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from scaledrop import frozen_file, spin
from scaledrop.data import ImageSet, load_digits
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


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_digits()


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
    net = ScaleDropNet(NetworkConfig("small", (4,), 3, (6,)))
    logits, labels = torch.randn(5, 3, generator=torch.Generator()), torch.tensor([0, 1, 2, 0, 1])
    loss, task = scale_dropout_loss(net, logits, labels, 0.5, 0.25)
    expected = torch.nn.functional.cross_entropy(logits, labels).double()
    assert task.item() == pytest.approx(expected.item())
    for block in net.blocks:
        expected = expected + 0.5 * block.linear.weight.double().square().sum()
        expected = expected + 0.25 * (1 - block.scale.alpha.double().mean()) ** 2
    assert loss.item() == pytest.approx(expected.item())


def test_a_loss_that_is_not_a_number_is_refused(digits: ImageSet) -> None:
    config = dataclasses.replace(SHORT, weight_decay=1e38, learning_rate=1e30)
    with pytest.raises(UserError, match=r"^learning_rate: the loss became .* lower learning_rate"):
        train(config, digits)


def test_configurations_are_named_and_hashed() -> None:
    config = CONFIGS["digits"]
    assert (config.network.input_shape, config.network.hidden) == ((8, 8), (128, 128))
    assert (config.network.p, config.network.init_spread) == ((0.1, 0.1, 0.1), 0.3)
    assert named_config("digits", 3).seed == 3
    assert TrainConfig.from_json(config.to_json()) == config
    assert config.config_hash() == dataclasses.replace(config).config_hash()
    assert config.config_hash() != named_config("digits", 1).config_hash()
    spelled = dataclasses.replace(config.network, p=0.1)
    assert dataclasses.replace(config, network=spelled).config_hash() == config.config_hash()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: must be a whole number, 1 or more, not 0; raise it"),
        ({"batch_size": 1}, "batch_size: must be a whole number, 2 or more, not 1; raise it"),
        ({"seed": -1}, "seed: must be a whole number, 0 or more, not -1; raise it"),
        ({"learning_rate": 0.0}, "learning_rate: must be above 0, not 0.0; try 0.005"),
        (
            {"learning_rate": math.nan},
            "learning_rate: must be above 0, not nan; try 0.005",
        ),
        (
            {"weight_decay": -1.0},
            "weight_decay: must be 0 or more, not -1.0; 0 turns the term off",
        ),
        ({"scale_pull": -1.0}, "scale_pull: must be 0 or more, not -1.0; 0 turns the term off"),
    ],
)
def test_a_wrong_run_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as error:
        dataclasses.replace(SHORT, **change)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "config: cannot be read"),
        ("[1]", "config: cannot be read"),
        ("{}", "config: cannot be read"),
        ('{"network":{"name":"x"}}', "config: cannot be read"),
        (CONFIGS["digits"].to_json().replace("epochs", "epoch"), "config: cannot be read"),
        (CONFIGS["digits"].to_json().replace('"classes":10', '"classes":0'), "classes: must be 2"),
    ],
)
def test_a_wrong_configuration_text_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError, match=f"^{message}"):
        TrainConfig.from_json(text)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UserError, match=r"^config: 'digit' is not known; choose one of digits"):
        named_config("digit")


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
