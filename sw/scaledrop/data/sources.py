# SPDX-License-Identifier: Apache-2.0
"""Where the public sets are downloaded from, and the digests their files must have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["SOURCES", "Source"]


@dataclass(frozen=True)
class Source:
    """One file of a set.

    Attributes:
        file: name it is stored under.
        urls: where it is, tried in order.
        digests: hash name ("md5", "sha256") to hexadecimal digest; all must agree.
        size: bytes, roughly, for progress before the server has named them.
    """

    file: str
    urls: tuple[str, ...]
    digests: Mapping[str, str]
    size: int


IDX = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


def _idx(
    mirrors: tuple[str, ...], files: tuple[str, ...], facts: tuple[tuple[int, str, str], ...]
) -> tuple[Source, ...]:
    """Files of one set from their (size, md5, sha256 or nothing)."""
    return tuple(
        Source(
            file,
            tuple(mirror + file for mirror in mirrors),
            {"md5": md5} | ({"sha256": sha256} if sha256 else {}),
            size,
        )
        for file, (size, md5, sha256) in zip(files, facts, strict=True)
    )


def _medmnist(name: str, size: int, md5: str) -> tuple[Source, ...]:
    file = f"{name}.npz"
    url = f"https://zenodo.org/records/10519652/files/{file}?download=1"
    return (Source(file, (url,), {"md5": md5}, size),)


SOURCES: dict[str, tuple[Source, ...]] = {
    # md5 as given by torchvision, sha256 as given by several public loaders; computed for all but
    # the training images, of which only the decompressed bytes were.
    "mnist": _idx(
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        IDX,
        (
            (
                9912422,
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            ),
            (
                28881,
                "d53e105ee54ea40749a09fcbcd1e9432",
                "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            ),
            (
                1648877,
                "9fb629c4189551a2d022fa330f9573f3",
                "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            ),
            (
                4542,
                "ec29112dd5afa0611ce80d1b7f02629c",
                "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            ),
        ),
    ),
    # md5 as published by Zalando Research; sha256 of files with those md5, computed.
    "fashion-mnist": _idx(
        (
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        IDX,
        (
            (
                26421880,
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
            ),
            (
                29515,
                "25c81989df183df01b3e8a0aad5dffbe",
                "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
            ),
            (
                4422102,
                "bef4ecab320f06d8554ea6380940ec79",
                "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
            ),
            (
                5148,
                "bb300cfdad3c16e7a12a480ee83cd310",
                "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
            ),
        ),
    ),
    # md5 as given by torchvision, sha256 as given by torchvision's prototype loaders; not computed.
    "kmnist": _idx(
        (
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
        IDX,
        (
            (
                18165135,
                "bdb82020997e1d708af4cf47b453dcf7",
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
            ),
            (
                29497,
                "e144d726b3acfaa3e44228e80efcd344",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
            ),
            (
                3041136,
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
            ),
            (
                5120,
                "7320c461ea6c1c855c0b718fb2a4b134",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
    ),
    # Computed on unaltered files; the md5 agree with those in public loaders.
    "notmnist": _idx(
        ("https://github.com/davidflanagan/notMNIST-to-MNIST/raw/master/",),
        IDX[2:],
        (
            (
                3172375,
                "2c87c839a4ef9b238846600eec8c35b7",
                "70ae9e06201f2827e5b0a3781a3169d735dd2efc69996b9eeaee7f10ed4044d7",
            ),
            (
                5118,
                "7ea9118cbafd0f6e3ee2ad771d782a01",
                "1fa03836e01c862542f8eb83463bb951bebec6fcb3efa28dad748c6b38a9021b",
            ),
        ),
    ),
    # md5 as on the authors' page; not computed.
    "cifar10": (
        Source(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            {"md5": "c32a1d4ab5d03f1284b67883e8d87530"},
            170052171,
        ),
    ),
    # md5 as given by the medmnist package; not computed.
    "breastmnist": _medmnist("breastmnist", 559580, "750601b1f35ba3300ea97c75c52ff8f6"),
    "pneumoniamnist": _medmnist("pneumoniamnist", 4170669, "28209eda62fecd6e6a2d98b1501bb15f"),
    "dermamnist": _medmnist("dermamnist", 19725078, "0744692d530f8e62ec473284d019b0c7"),
}
"""Set name to its files. Comments say how far each digest is known."""
