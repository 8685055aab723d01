# SPDX-License-Identifier: Apache-2.0
"""Work cut into chunks and spread over the cores, each chunk on one thread."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

__all__ = ["cores", "in_chunks"]

Result = TypeVar("Result")


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_chunks(
    count: int, size: int, work: Callable[[slice], Result], parallel: bool = True
) -> list[Result]:
    """``work`` on every slice of at most ``size`` of ``range(count)``; results in order.

    Matrix products inside are held to one thread each, so that chunks share the cores between them.
    """
    slices = [slice(at, min(at + size, count)) for at in range(0, count, size)]
    threads = min(cores(), len(slices)) if parallel else 1
    if not parallel:
        return [work(part) for part in slices]
    with _controller().limit(limits=1, user_api="blas"):
        if threads <= 1:
            return [work(part) for part in slices]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(work, slices))
