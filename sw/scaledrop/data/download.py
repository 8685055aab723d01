# SPDX-License-Identifier: Apache-2.0
"""Downloading a set: streamed, checked against its digests, and stored whole or not at all."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError

from scaledrop.data.catalogue import BY_HAND, set_folder
from scaledrop.data.checksum import Hashes, mismatch
from scaledrop.data.sources import SOURCES, Source
from scaledrop.errors import UserError

__all__ = ["Progress", "fetch"]

Progress = Callable[[str, int, int], None]
"""Called with the file's name, the bytes so far and the bytes in all."""

BLOCK = 1 << 16
TIMEOUT = 30.0
"""Seconds to wait for a connection, and for each block."""


class _RefusedError(Exception):
    """One address did not give the file; the next may."""


def fetch(name: str, root: Path | None = None, progress: Progress | None = None) -> list[Path]:
    """Download the files of a set that are not at hand yet.

    A file is written beside its place and moved there once every known digest agrees, so an
    interruption leaves nothing half done. A file at hand with the right digests is kept; one with
    others is replaced, and stays as it is if the download fails.

    Args:
        name: a set, as for ``load_set``; the digits are embedded and need no file.
        root: the data root; see ``data_root``.
        progress: called as each block arrives.

    Returns:
        The files of the set, on disk.

    Raises:
        UserError: unknown set, no network, an address without the file, a truncated answer, a wrong
            checksum, or a folder that cannot be written; the message names each address tried.
    """
    if name == "digits":
        return []
    folder = set_folder(name, root)
    if name not in SOURCES:
        raise UserError(
            f"{name}: cannot be fetched, as its files have no published checksum; {BY_HAND[name]} "
            f"and put them in {folder}"
        )
    return [_fetch_file(source, folder, progress) for source in SOURCES[name]]


def _fetch_file(source: Source, folder: Path, progress: Progress | None) -> Path:
    path = folder / source.file
    try:
        if path.is_file() and mismatch(path, source.digests) is None:
            return path
        folder.mkdir(parents=True, exist_ok=True)
        failures = _from_any(source, path, progress)
    except OSError as error:
        raise UserError(
            f"{path}: cannot be written ({error.strerror or error}); choose another folder with "
            "--data or SCALEDROP_DATA"
        ) from None
    if failures:
        raise UserError(
            f"{source.file}: could not be fetched ({'; '.join(failures)}); check the network and "
            f"try again, or put the file in {folder} yourself"
        )
    return path


def _from_any(source: Source, path: Path, progress: Progress | None) -> list[str]:
    """Store the file from the first address that has it; else what each of them said."""
    failures = []
    for url in source.urls:
        try:
            _from_one(url, source, path, progress)
            return []
        except _RefusedError as error:
            failures.append(f"{url}: {error}")
    return failures


def _from_one(url: str, source: Source, path: Path, progress: Progress | None) -> None:
    temporary = path.with_name(f".{path.name}-{os.getpid()}.part")
    try:
        _stream(url, source, temporary, progress)
        os.replace(temporary, path)
    finally:
        with suppress(OSError):
            temporary.unlink()


def _stream(url: str, source: Source, temporary: Path, progress: Progress | None) -> None:
    hashes, done = Hashes(source.digests), 0
    with _open(url) as response, temporary.open("wb") as file:
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdigit() else source.size
        while block := _read(response):
            file.write(block)
            hashes.update(block)
            done += len(block)
            if progress is not None:
                progress(source.file, done, total)
    if length.isdigit() and done != total:
        raise _RefusedError(f"the answer ended after {done} of {total} bytes")
    wrong = hashes.mismatch(source.digests)
    if wrong is not None:
        raise _RefusedError(f"wrong checksum: {wrong}")


def _open(url: str) -> HTTPResponse:
    request = urllib.request.Request(url, headers={"User-Agent": "scaledrop"})
    try:
        response: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        raise _RefusedError(f"{error.code} {error.reason}") from None
    except (OSError, HTTPException) as error:
        raise _RefusedError(f"no answer, {getattr(error, 'reason', error)}") from None
    return response


def _read(response: HTTPResponse) -> bytes:
    try:
        return response.read(BLOCK)
    except (OSError, HTTPException) as error:
        raise _RefusedError(f"the answer broke off, {error}") from None
