# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: what is saved comes back, what was changed is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from scaledrop import frozen_file
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.nn import NetworkConfig, ScaleDropNet
from scaledrop.training import (
    EpochRecord,
    TrainConfig,
    load_checkpoint,
    load_resume,
    save_checkpoint,
)

CONFIG = TrainConfig(NetworkConfig("small", (4,), 3, widths=(6,), p=(0.1, 0.2)), seed=4)
GOOD = {
    "config": CONFIG.to_json(),
    "state": dict(ScaleDropNet(CONFIG.network).state_dict()),
    "history": [],
}
HISTORY = (EpochRecord(1, 2, 0.7, 0.6, 0.5, None, 0.01, 3.5), EpochRecord(2, 2, 0.6, 0.5, 0.7, 0.6))


@pytest.fixture
def net() -> ScaleDropNet:
    return ScaleDropNet(CONFIG.network, seed=9)


def with_header(body: bytes, version: str = "2") -> bytes:
    digest = hashlib.sha256(body).hexdigest()
    return f"SCALEDROP-CHECKPOINT {version} {digest}\n".encode() + body


def saved(payload: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(payload, buffer)
    return with_header(buffer.getvalue())


def test_round_trip(net: ScaleDropNet, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "net.ckpt"
    digest = save_checkpoint(net, CONFIG, path, HISTORY)
    loaded = load_checkpoint(path)
    assert (loaded.config, loaded.sha256) == (CONFIG, digest)
    assert loaded.history == HISTORY
    assert [record.seconds for record in loaded.history] == [0.0, 0.0]
    assert not loaded.net.training
    assert frozen_file.digest(freeze(loaded.net, {})) == frozen_file.digest(freeze(net, {}))
    state = net.state_dict()
    assert all(torch.equal(v, state[k]) for k, v in loaded.net.state_dict().items())


def test_writing_leaves_one_file_and_replaces_the_old_one(
    net: ScaleDropNet, tmp_path: Path
) -> None:
    path = tmp_path / "net.ckpt"
    path.write_text("old")
    save_checkpoint(net, CONFIG, path)
    assert list(tmp_path.iterdir()) == [path]
    assert load_checkpoint(path).config == CONFIG


def test_a_failed_write_leaves_the_old_file(
    net: ScaleDropNet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "net.ckpt"
    path.write_text("old")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(UserError, match=r"cannot be written .No space left on device.; choose"):
        save_checkpoint(net, CONFIG, path)
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "old"


def test_every_changed_or_missing_byte_is_refused(net: ScaleDropNet, tmp_path: Path) -> None:
    path = tmp_path / "net.ckpt"
    save_checkpoint(net, CONFIG, path)
    data = path.read_bytes()
    for position in range(0, len(data), 97):
        changed = bytearray(data)
        changed[position] ^= 1
        path.write_bytes(changed)
        with pytest.raises(UserError, match=r"net.ckpt: (header|version|sha256): "):
            load_checkpoint(path)
    for length in (0, 1, 50, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(UserError, match=r"net.ckpt: (header|sha256): "):
            load_checkpoint(path)


class Harmful:
    def __reduce__(self) -> tuple[Any, ...]:
        return (print, ("code of the file ran",))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04", "header: not a checkpoint"),
        (with_header(b"", "1"), "version: 1 is unknown; this program reads version 2"),
        (with_header(b""), "state: cannot be read"),
        (with_header(b"not a zip"), "state: cannot be read"),
        (with_header(pickle.dumps(Harmful(), protocol=2)), "state: cannot be read"),
        (saved(Harmful()), "state: cannot be read"),
        (saved([1]), "state: cannot be read"),
        (saved({"config": "{"}), "config: cannot be read"),
        (saved({"config": 3, "state": {}}), "config: cannot be read"),
        (saved({"config": "{}", "state": {}}), "network: is missing; give it"),
        (saved({"config": CONFIG.to_json()}), "state: cannot be read"),
        (saved({"config": CONFIG.to_json(), "state": {}}), "state: cannot be read"),
        (saved({"config": CONFIG.to_json(), "state": 3}), "state: cannot be read"),
        (saved({**GOOD, "history": 3}), "state: cannot be read"),
        (saved({**GOOD, "history": [{"epoch": 1}]}), "state: cannot be read"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused(
    data: bytes, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.ckpt"
    path.write_bytes(data)
    with pytest.raises(UserError, match=f"net.ckpt: {message}") as error:
        load_checkpoint(path)
    assert "\n" not in str(error.value)
    assert "ran" not in capsys.readouterr().out


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none.ckpt: cannot be read \(No such file.*; train first"):
        load_checkpoint(tmp_path / "none.ckpt")


def test_a_configuration_of_another_network_is_refused(net: ScaleDropNet, tmp_path: Path) -> None:
    other = dataclasses.replace(CONFIG, network=dataclasses.replace(CONFIG.network, widths=(7,)))
    with pytest.raises(UserError, match=r"^config: network differs from that of net; give"):
        save_checkpoint(net, other, tmp_path / "net.ckpt")


def test_a_finished_run_is_not_resumed(net: ScaleDropNet, tmp_path: Path) -> None:
    save_checkpoint(net, CONFIG, tmp_path / "net.ckpt")
    with pytest.raises(UserError, match=r"net.ckpt: resume: the file is of a finished run; there"):
        load_resume(tmp_path / "net.ckpt")


@pytest.mark.parametrize(
    "resume",
    [
        3,
        {},
        {"optimiser": {}, "generators": {}, "data_sha256": ""},
        {
            "optimiser": {},
            "generators": dict.fromkeys(("masks", "order", "augment"), torch.zeros(3)),
            "data_sha256": "",
        },
    ],
)
def test_a_malformed_state_of_a_run_is_refused(resume: Any, tmp_path: Path) -> None:
    (tmp_path / "last").write_bytes(saved({**GOOD, "resume": resume}))
    with pytest.raises(UserError, match=r"last: state: cannot be read \("):
        load_resume(tmp_path / "last")
