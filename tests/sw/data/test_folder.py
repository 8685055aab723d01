# SPDX-License-Identifier: Apache-2.0
"""A user's own folder of pictures."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scaledrop.data import from_folder, open_images
from scaledrop.errors import UserError


def picture(
    path: Path, value: int | tuple[int, ...] = 0, size: tuple[int, int] = (5, 6), mode: str = "L"
) -> None:
    """A picture of one colour; size is (height, width)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (size[1], size[0]), value).save(path)


def classes(path: Path, count: int = 5) -> None:
    for place, name in enumerate(("cat", "dog")):
        for index in range(count):
            picture(path / name / f"{index}.png", 100 * place + index)


def test_two_parts(tmp_path: Path) -> None:
    classes(tmp_path / "mine" / "train")
    classes(tmp_path / "mine" / "test", 2)
    data = open_images(tmp_path / "mine")
    assert (data.name, data.shape, data.classes) == ("mine", (5, 6), 2)
    assert data.label_names == ("cat", "dog")
    assert data.train_images[:, 0, 0].tolist() == [0, 1, 2, 3, 4, 100, 101, 102, 103, 104]
    assert data.test_images[:, 4, 5].tolist() == [0, 1, 100, 101]
    assert data.test_labels.tolist() == [0, 0, 1, 1]


def test_one_part_is_divided_for_ever(tmp_path: Path) -> None:
    classes(tmp_path)
    data = from_folder(tmp_path)
    assert data.test_labels.tolist() == [0, 1] and len(data.train_images) == 8
    assert data.test_images[:, 0, 0].tolist() == [3, 103]


def test_other_files_are_passed_over(tmp_path: Path) -> None:
    classes(tmp_path)
    (tmp_path / "cat" / "notes.txt").write_text("mine")
    (tmp_path / "dog" / ".hidden.png").write_text("mine")
    (tmp_path / "README").write_text("mine")
    picture(tmp_path / ".cache" / "x.png")
    assert len(from_folder(tmp_path).train_images) == 8


def test_colour_is_taken_where_there_is_any(tmp_path: Path) -> None:
    classes(tmp_path)
    picture(tmp_path / "dog" / "0.png", (10, 20, 30), mode="RGB")
    data = from_folder(tmp_path)
    assert data.shape == (3, 5, 6)
    assert data.train_images[4, :, 0, 0].tolist() == [10, 20, 30]
    assert from_folder(tmp_path, colour=False).train_images[4, 0, 0] == 18
    assert from_folder(tmp_path, colour=True).train_images.shape == (8, 3, 5, 6)


def test_sizes(tmp_path: Path) -> None:
    classes(tmp_path)
    picture(tmp_path / "dog" / "3.jpg", 200, size=(10, 12))
    message = (
        f"{tmp_path / 'dog' / '3.jpg'}: is 10 x 12 (height x width) but "
        f"{tmp_path / 'cat' / '0.png'} is 5 x 6; give a size to resize to"
    )
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        from_folder(tmp_path)
    data = from_folder(tmp_path, size=(8, 4))
    assert data.shape == (8, 4)
    assert (np.concatenate([data.train_images, data.test_images]) == 200).all(axis=(1, 2)).any()
    with pytest.raises(UserError, match=r"^size: must be 1 or more each way, not \(0, 4\); give "):
        from_folder(tmp_path, size=(0, 4))


def broken(folder: Path) -> str:
    classes(folder)
    file = folder / "dog" / "2.png"
    Image.fromarray(np.arange(4000, dtype=np.uint8).reshape(50, 80)).save(file)
    file.write_bytes(file.read_bytes()[:100])
    return f"{file}: is no readable picture; replace or remove it"


def text(folder: Path) -> str:
    classes(folder)
    (folder / "dog" / "2.png").write_text("no picture")
    return f"{folder / 'dog' / '2.png'}: is no readable picture; replace or remove it"


def deep(folder: Path) -> str:
    classes(folder)
    picture(folder / "cat" / "1.png", 40000, mode="I;16")
    return (
        f"{folder / 'cat' / '1.png'}: has pixels of mode I;16, more than 8 bits; convert it to 8 "
        "bits"
    )


def empty_class(folder: Path) -> str:
    classes(folder)
    (folder / "eel").mkdir()
    return f"{folder / 'eel'}: has no pictures; add some or remove the folder"


def no_class(folder: Path) -> str:
    picture(folder / "0.png")
    return f"{folder}: has no folders; make one for each class"


def no_test(folder: Path) -> str:
    classes(folder / "train")
    return f"{folder}: has a folder train but none called test; add it"


def strange_class(folder: Path) -> str:
    classes(folder / "train")
    picture(folder / "test" / "eel" / "0.png")
    return f"{folder / 'test' / 'eel'}: is no class of {folder / 'train'}; rename or add it"


def empty_test(folder: Path) -> str:
    classes(folder / "train")
    (folder / "test").mkdir()
    return f"{folder / 'test'}: has no pictures; add a folder of them for each class"


def too_few(folder: Path) -> str:
    picture(folder / "cat" / "0.png")
    return f"{folder}: has 1 pictures, too few to hold one in five out"


def nothing(folder: Path) -> str:
    return f"{folder}: is no folder; give one with a folder of pictures for each class"


@pytest.mark.parametrize(
    "make",
    [
        broken,
        text,
        deep,
        empty_class,
        no_class,
        no_test,
        strange_class,
        empty_test,
        too_few,
        nothing,
    ],
)
def test_wrong_folders_are_refused(tmp_path: Path, make) -> None:  # type: ignore[no-untyped-def]
    message = make(tmp_path / "mine")
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        from_folder(tmp_path / "mine")


def test_the_order_is_by_name_not_by_disk(tmp_path: Path) -> None:
    for index in (3, 1, 4, 0, 2):
        picture(tmp_path / "train" / "b" / f"{index}.png", index)
        picture(tmp_path / "test" / "b" / f"{index}.png", 10 + index)
    data = from_folder(tmp_path)
    assert np.array_equal(data.train_images[:, 0, 0], np.arange(5))
    assert np.array_equal(data.test_images[:, 0, 0], np.arange(10, 15))
