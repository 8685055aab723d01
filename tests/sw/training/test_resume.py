# SPDX-License-Identifier: Apache-2.0
"""Interrupted anywhere, a training goes on to the very bytes of an uninterrupted one."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from training_runs import CONV

from scaledrop.data import ImageSet
from scaledrop.errors import UserError
from scaledrop.training import (
    EpochRecord,
    Keeper,
    ResumePoint,
    TrainConfig,
    TrainResult,
    load_checkpoint,
    load_resume,
    save_checkpoint,
    save_resume,
    train,
)
from scaledrop.training import trainer as trainer_module
from scaledrop.training.batches import Batches

Run = tuple[TrainConfig, ImageSet]


def interrupted(config: TrainConfig, data: ImageSet, path: Path, epoch: int, batch: int) -> None:
    """Train until ``batch`` of ``epoch``, and be stopped there."""

    def stop(at_epoch: int, at_batch: int, _: int) -> None:
        if (at_epoch, at_batch) == (epoch, batch):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Keeper(path) as keeper:
        train(config, data, on_batch=stop, save=keeper)


def same(one: TrainResult, two: TrainResult) -> bool:
    a, b = one.net.state_dict(), two.net.state_dict()
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("epoch", "batch"), [(2, 3), (3, 1), (3, 7)])
def test_resumed_equals_uninterrupted(kind: Run, epoch: int, batch: int, tmp_path: Path) -> None:
    config, data = kind
    whole = train(config, data)
    interrupted(config, data, tmp_path / "last", epoch, batch)
    point = load_resume(tmp_path / "last")
    assert len(point.history) == epoch - 1
    seen: list[EpochRecord] = []
    resumed = train(config, data, seen.append, resume=point)
    assert same(resumed, whole)
    assert resumed.history == whole.history and resumed.history[epoch - 1 :] == tuple(seen)
    for name, result in (("a", whole), ("b", resumed)):
        save_checkpoint(result.net, config, tmp_path / name, result.history)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_interrupted_after_the_last_epoch(
    few: ImageSet, kind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = kind
    whole = train(config, data)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trainer_module, "calibrate_norms", stop)
        with Keeper(tmp_path / "last") as keeper:
            train(config, data, save=keeper)
    resumed = train(config, data, resume=load_resume(tmp_path / "last"))
    assert same(resumed, whole) and resumed.history == whole.history


@pytest.fixture(scope="module")
def point(few: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> ResumePoint:
    """Of the convolutional run, after its first epoch."""
    path = tmp_path_factory.mktemp("point") / "last"
    interrupted(CONV, few, path, 2, 4)
    return load_resume(path)


@pytest.mark.parametrize("name", ["masks", "order", "augment"])
def test_every_generator_matters(name: str, point: ResumePoint, few: ImageSet) -> None:
    """The planted fault: a generator that is not restored must show."""
    whole = train(point.config, few, resume=point)
    fresh = {**point.generators, name: torch.Generator().manual_seed(1).get_state()}
    other = train(point.config, few, resume=dataclasses.replace(point, generators=fresh))
    assert not same(other, whole)


def test_the_moments_matter(point: ResumePoint, few: ImageSet) -> None:
    whole = train(point.config, few, resume=point)
    zero = {
        index: {name: torch.zeros_like(value) for name, value in values.items()}
        for index, values in point.optimiser.items()
    }
    assert not same(
        train(point.config, few, resume=dataclasses.replace(point, optimiser=zero)), whole
    )


def test_a_state_is_a_copy(point: ResumePoint, few: ImageSet) -> None:
    before = {name: value.clone() for name, value in point.state.items()}
    train(point.config, few, resume=point)
    assert all(torch.equal(value, before[name]) for name, value in point.state.items())


def test_another_run_is_not_resumed(point: ResumePoint, few: ImageSet, digits: ImageSet) -> None:
    longer = dataclasses.replace(point.config, epochs=9)
    with pytest.raises(UserError, match=r"^epochs: is 9 but was 3 in the interrupted run; give 3"):
        train(longer, few, resume=point)
    network = dataclasses.replace(point.config.network, p=0.25)
    with pytest.raises(UserError, match=r"^network.p: is \(0.25, 0.25\) but was \(0.15, 0.15\) in"):
        train(dataclasses.replace(point.config, network=network), few, resume=point)
    with pytest.raises(UserError, match=r"^data: the training images of 'digits' are not those of"):
        train(point.config, digits, resume=point)
    elsewhere = dataclasses.replace(point, device="cuda")
    message = r"^device: is 'cpu' but was 'cuda' in the interrupted run; give 'cuda' to go on with"
    with pytest.raises(UserError, match=message):
        train(point.config, few, resume=elsewhere)


def test_the_device_is_kept(point: ResumePoint, tmp_path: Path) -> None:
    assert point.device == "cpu"
    save_resume(dataclasses.replace(point, device="cuda"), tmp_path / "last")
    assert load_resume(tmp_path / "last").device == "cuda"


def test_an_unfinished_run_is_a_network_too(few: ImageSet, tmp_path: Path, kind: Run) -> None:
    config, data = kind
    interrupted(config, data, tmp_path / "last", 3, 2)
    found = load_checkpoint(tmp_path / "last")
    assert found.config == config and len(found.history) == 2 and not found.net.training


def test_writing_is_not_more_often_than_asked(point: ResumePoint, tmp_path: Path) -> None:
    path = tmp_path / "last"
    with Keeper(path, interval=1e9) as keeper:
        keeper(point)
        assert not path.exists()
    assert load_resume(path).history == point.history
    keeper = Keeper(path, interval=0)
    path.unlink()
    keeper(point)
    assert path.exists()
    keeper.discard()
    keeper.flush()
    assert not path.exists()


def test_a_bad_loss_leaves_the_last_good_epoch(
    few: ImageSet, kind: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, data = kind
    calls = 0

    def spoiled(*given: object) -> tuple[torch.Tensor, torch.Tensor]:
        nonlocal calls
        calls += 1
        loss, task = original(*given)  # type: ignore[arg-type]
        return (loss * float("nan") if calls == 11 else loss), task

    original = trainer_module.scale_dropout_loss
    monkeypatch.setattr(trainer_module, "scale_dropout_loss", spoiled)
    steps = train_steps(config, data)
    where = f"step {(11 - 1) % steps + 1} of epoch {(11 - 1) // steps + 1}"
    with pytest.raises(UserError) as error, Keeper(tmp_path / "last") as keeper:
        train(config, data, save=keeper)
    rate = config.learning_rate
    assert str(error.value) == (
        f"learning_rate: the loss became nan in {where} at {rate}; lower learning_rate"
    )
    found = load_resume(tmp_path / "last")
    assert len(found.history) == (11 - 1) // steps
    assert all(value.isfinite().all() for value in found.state.values())


def train_steps(config: TrainConfig, data: ImageSet) -> int:
    return Batches(config, data, torch.device("cpu")).steps
