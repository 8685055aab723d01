# SPDX-License-Identifier: Apache-2.0
"""What training sets in its process, and what it says when memory is short."""

from __future__ import annotations

import platform

import pytest
import torch

from scaledrop.errors import UserError
from scaledrop.training.process import chosen_device, keep_heap, memory_errors, pinned

LACKING = [
    MemoryError(),
    torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
]


@pytest.mark.parametrize("error", LACKING, ids=lambda error: type(error).__name__)
def test_a_lack_of_memory_names_the_batch_size(error: Exception) -> None:
    with pytest.raises(UserError) as found, memory_errors(512):
        raise error
    assert str(found.value) == (
        "batch_size: a batch of 512 does not fit in memory; lower batch_size"
    )


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(RuntimeError, match=r"^shapes differ$"), memory_errors(512):
        raise RuntimeError("shapes differ")


def test_devices() -> None:
    assert chosen_device("cpu").type == "cpu"
    assert chosen_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(UserError, match=r"^device: must be one of auto, cpu, cuda, not 'tpu'"):
        chosen_device("tpu")


def test_a_missing_gpu_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto").type == "cpu"
    with pytest.raises(UserError, match=r"^device: 'cuda' is asked for but PyTorch finds none"):
        chosen_device("cuda")


def test_the_heap_is_kept_where_glibc_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert keep_heap() == (platform.libc_ver()[0] == "glibc")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    assert keep_heap() is False


def test_threads_come_back() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ValueError, match="stop"), pinned(1):
        assert torch.get_num_threads() == 1
        raise ValueError("stop")
    assert torch.get_num_threads() == before
