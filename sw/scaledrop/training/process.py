# SPDX-License-Identifier: Apache-2.0
"""What training sets in its process: threads, the allocator, and words for a lack of memory."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from scaledrop.errors import UserError

__all__ = ["chosen_device", "keep_heap", "memory_errors", "pinned"]

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
KEPT = 1 << 30
"""Bytes of free heap that are kept rather than given back."""
LARGEST_HEAP_BLOCK = 32 << 20
"""The most that glibc accepts as M_MMAP_THRESHOLD where a pointer has 64 bits."""

OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


def keep_heap() -> bool:
    """Tell the C library to keep the memory of one training step for the next.

    As delivered, glibc may give the activations of each step back to the kernel and get them page
    by page again; measured on LeNet-5, that takes a tenth of the time. The setting holds for the
    rest of the process, lets it keep up to 1 GiB of free memory, and changes no result.

    Returns:
        Whether it was done; other C libraries than glibc are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    settings = (
        (M_MMAP_THRESHOLD, LARGEST_HEAP_BLOCK),
        (M_TRIM_THRESHOLD, KEPT),
        (M_TOP_PAD, 64 << 20),
    )
    return all(mallopt(name, value) == 1 for name, value in settings)


@contextmanager
def pinned(threads: int) -> Iterator[None]:
    """The number of threads changes the order of float sums, hence the bits of the result; on a
    GPU, the choice of algorithm does."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
            yield
    finally:
        torch.set_num_threads(before)


def chosen_device(name: str) -> torch.device:
    """The device called "cpu", "cuda" or "auto" (CUDA where there is one).

    Raises:
        UserError: another name, or no CUDA device.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise UserError(f"device: must be one of auto, cpu, cuda, not {name!r}")
    found = torch.cuda.is_available()
    if name == "cuda" and not found:
        raise UserError("device: 'cuda' is asked for but PyTorch finds none; use cpu or auto")
    return torch.device("cuda" if found and name != "cpu" else "cpu")


@contextmanager
def memory_errors(batch_size: int) -> Iterator[None]:
    """Turn a lack of memory within into a message.

    Raises:
        UserError: names ``batch_size``.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        lacking = isinstance(error, MemoryError | torch.cuda.OutOfMemoryError)
        if not lacking and not any(words in str(error) for words in OUT_OF_MEMORY):
            raise
        raise UserError(
            f"batch_size: a batch of {batch_size} does not fit in memory; lower batch_size"
        ) from None
