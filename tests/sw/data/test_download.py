# SPDX-License-Identifier: Apache-2.0
"""Downloads, from a server on this machine."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from scaledrop.data import SET_NAMES, SOURCES, Source, data_root, fetch, load_digits, load_set
from scaledrop.data import download as module
from scaledrop.data.catalogue import FOLDERS
from scaledrop.errors import UserError

CONTENT = bytes(range(256)) * 1000
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
DIGESTS = {"md5": MD5, "sha256": SHA256}


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT at /good, and the ways of failing at their names."""

    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/open":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        body = {"/wrong": b"x" * len(CONTENT), "/short": CONTENT[:100000], "/open": CONTENT[:9]}
        self.wfile.write(body.get(self.path, CONTENT))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    Handler.asked.clear()


def offer(monkeypatch: pytest.MonkeyPatch, *urls: str, digests: dict[str, str] = DIGESTS) -> None:
    monkeypatch.setitem(SOURCES, "kmnist", (Source("a.bin", urls, digests, 7),))


def left(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_a_file_arrives_whole(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, f"{server}/good")
    seen: list[tuple[str, int, int]] = []
    paths = fetch("kmnist", tmp_path, lambda *step: seen.append(step))
    assert paths == [tmp_path / "kmnist" / "a.bin"] and paths[0].read_bytes() == CONTENT
    assert seen[-1] == ("a.bin", len(CONTENT), len(CONTENT))
    assert [step[1] for step in seen] == sorted(step[1] for step in seen) and len(seen) > 1
    assert left(tmp_path) == ["kmnist/a.bin"]


def test_a_file_at_hand_is_kept_and_a_wrong_one_replaced(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, f"{server}/good")
    [path] = fetch("kmnist", tmp_path)
    fetch("kmnist", tmp_path)
    assert Handler.asked == ["/good"]
    path.write_bytes(b"damaged")
    fetch("kmnist", tmp_path)
    assert path.read_bytes() == CONTENT and Handler.asked == ["/good"] * 2


def test_the_next_address_is_tried(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, *(f"{server}/{path}" for path in ("gone", "wrong", "short", "good", "gone")))
    [path] = fetch("kmnist", tmp_path)
    assert path.read_bytes() == CONTENT
    assert Handler.asked == ["/gone", "/wrong", "/short", "/good"]


WRONG = hashlib.md5(b"x" * len(CONTENT)).hexdigest()
SHORT = hashlib.md5(CONTENT[:9]).hexdigest()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("gone", "404 Not Found"),
        ("wrong", f"wrong checksum: md5 is {WRONG}, not {MD5}"),
        ("short", "the answer ended after 100000 of 256000 bytes"),
        ("open", f"wrong checksum: md5 is {SHORT}, not {MD5}"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, path: str, reason: str
) -> None:
    offer(monkeypatch, f"{server}/{path}")
    message = (
        f"a.bin: could not be fetched ({server}/{path}: {reason}); check the network and try "
        f"again, or put the file in {tmp_path / 'kmnist'} yourself"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        fetch("kmnist", tmp_path)
    assert left(tmp_path) == []
    # and what was there before stays
    (tmp_path / "kmnist" / "a.bin").write_bytes(b"old")
    with pytest.raises(UserError):
        fetch("kmnist", tmp_path)
    assert left(tmp_path) == ["kmnist/a.bin"]
    assert (tmp_path / "kmnist" / "a.bin").read_bytes() == b"old"


def test_every_digest_counts(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, f"{server}/good", digests={"md5": MD5, "sha256": "00"})
    with pytest.raises(UserError, match=f"wrong checksum: sha256 is {SHA256}, not 00"):
        fetch("kmnist", tmp_path)
    assert left(tmp_path) == []


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, "http://127.0.0.1:9/a", "http://nowhere.invalid/a")
    with pytest.raises(UserError) as error:
        fetch("kmnist", tmp_path)
    assert re.fullmatch(
        r"a\.bin: could not be fetched \(http://127\.0\.0\.1:9/a: no answer, .*refused; "
        r"http://nowhere\.invalid/a: no answer, .*\); check the network and try again, or put "
        r"the file in .*kmnist yourself",
        str(error.value),
    )


def test_a_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 0.2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as silent:  # listens, never answers
        offer(monkeypatch, f"http://127.0.0.1:{silent.server_port}/good")
        with pytest.raises(UserError, match="no answer, timed out"):
            fetch("kmnist", tmp_path)


def test_an_interruption_leaves_nothing(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, f"{server}/good")

    def stop(name: str, done: int, total: int) -> None:
        assert left(tmp_path) != []
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("kmnist", tmp_path, stop)
    assert left(tmp_path) == []


def test_a_folder_that_cannot_be_made(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    offer(monkeypatch, f"{server}/good")
    (tmp_path / "root").write_bytes(b"a file")
    with pytest.raises(UserError, match=r"a\.bin: cannot be written \(.*\); choose another folder"):
        fetch("kmnist", tmp_path / "root")


def test_what_cannot_be_fetched(tmp_path: Path) -> None:
    assert fetch("digits", tmp_path) == []
    message = (
        "isbi2012: cannot be fetched, as its files have no published checksum; download "
        "train-volume.tif and train-labels.tif of the ISBI 2012 EM segmentation challenge "
        "(https://imagej.net/events/isbi-2012-segmentation-challenge) and put them in "
        f"{tmp_path / 'isbi2012_em'}"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        fetch("isbi2012", tmp_path)
    for call in (fetch, load_set):
        with pytest.raises(UserError, match=r"^data: no set is called 'minst'; choose one of dig"):
            call("minst", tmp_path)


def test_load_set_downloads_only_when_asked(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Source("breastmnist.npz", (f"{server}/good",), DIGESTS, 7)
    monkeypatch.setitem(SOURCES, "breastmnist", (source,))
    folder = tmp_path / "medmnist"
    message = (
        f"breastmnist: breastmnist.npz is not in {folder}; run 'scaledrop data fetch breastmnist', "
        "or name the folder that holds medmnist with --data or SCALEDROP_DATA"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        load_set("breastmnist", tmp_path)
    for _ in range(2):
        with pytest.raises(UserError, match="is no npz file of plain arrays"):
            load_set("breastmnist", tmp_path, download=True)
    assert Handler.asked == ["/good"]


def test_where_data_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_root().parts[-2:] == ("scaledrop", "data")
    monkeypatch.setenv("SCALEDROP_DATA", str(tmp_path))
    assert data_root() == tmp_path and data_root(tmp_path / "mine") == tmp_path / "mine"
    with pytest.raises(UserError, match=re.escape(f"is not in {tmp_path / 'mnist'}; run")):
        load_set("mnist")


def test_digits_are_the_embedded_ones() -> None:
    assert np.array_equal(load_set("digits").test_images, load_digits().test_images)


def test_the_table_is_whole() -> None:
    assert set(SOURCES) == set(FOLDERS) - {"isbi2012"} and SET_NAMES[0] == "digits"
    for source in (source for sources in SOURCES.values() for source in sources):
        assert source.urls and all(re.match("https?://", url) for url in source.urls)
        assert source.digests and source.size > 0
        for kind, digest in source.digests.items():
            assert (
                re.fullmatch("[0-9a-f]+", digest) and len(digest) == {"md5": 32, "sha256": 64}[kind]
            )


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist", "notmnist"])
def test_the_table_against_real_files(real, name: str) -> None:  # type: ignore[no-untyped-def]
    folder = real(name) / FOLDERS[name]
    agree = [module.mismatch(folder / s.file, s.digests) is None for s in SOURCES[name]]
    # a gzip file may be packed anew: at most one of the set
    assert sum(agree) >= len(agree) - 1
