# SPDX-License-Identifier: Apache-2.0
"""The transformer study in its small form: what is chosen, what is kept, what is refused."""

import numpy as np
import pytest

from scaledrop.errors import UserError
from scaledrop.methods.transformer import TRANSFORMERS, Treatment
from scaledrop_flow.comparison.choices import Choices
from scaledrop_flow.studies import transformer
from scaledrop_flow.studies.transformer import KINDS, transformer_study
from scaledrop_flow.studies.transformer_cases import DIGITS, FASHION, TREATMENTS, images_of, network

SMALL = Choices(smoke=True, only=("HG",), seeds=(0,), jobs=1)


def run(folder, said=None):
    return list(transformer_study(None, folder, (said or []).append, SMALL))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cells")


@pytest.fixture(scope="module")
def rows(folder):
    return run(folder)


def test_every_value_is_tried_and_the_best_on_the_validation_part_is_taken(rows):
    left = [row for row in rows if row["stage"] == "setting"]
    taken = {row["case"]: row for row in rows if row["stage"] == "method"}
    assert set(taken) == {method.key for method in TRANSFORMERS} == set(KINDS)
    for method in TRANSFORMERS:
        row, others = taken[method.key], [one for one in left if one["case"] == method.key]
        assert {one["setting"] for one in [row, *others]} == set(method.setting.values)
        assert row["valid_nll"] <= min(one["valid_nll"] for one in others)
    assert len({row["cell"] for row in rows}) == len(rows) == 10


def test_options_stand_on_top_of_scale_dropout_as_chosen(rows):
    base = next(r for r in rows if (r["stage"], r["case"]) == ("method", "vit-scale-dropout"))
    (option,) = [row for row in rows if row["stage"] == "option"]
    assert option["case"] == "vit-scale-dropout + HG"
    assert option["setting"] == base["setting"]
    assert (option["bits_per_pass"], base["bits_per_pass"]) == (11, 11)
    assert option["memory_bits"] - base["memory_bits"] == 2 * 2 * 64 * 32


def test_a_row_has_what_the_page_shows(rows):
    for row in rows:
        scores = [row[name] for name in row if name.startswith(("auroc", "accuracy", "ece"))]
        assert len(scores) == 6 and all(0 <= score <= 1 for score in scores)
        assert row["passes"] == (1 if row["case"] == "vit" else DIGITS.passes)
        if row["case"] == "vit":
            assert row["mutual_information"] == 0 and row["bits_per_pass"] == 0


def test_what_was_measured_is_not_measured_again(folder, rows, monkeypatch):
    monkeypatch.setattr(transformer, "measure", None)
    said = []
    assert run(folder, said) == rows
    assert said == []


def test_an_unknown_option_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"only: must be one of IWD, .* not 'IDW'"):
        next(transformer_study(None, tmp_path, print, Choices(smoke=True, only=("IDW",))))


def test_the_parts_are_apart_and_the_same_for_all():
    images, again = images_of(DIGITS), images_of(DIGITS)
    known = images.known
    assert [len(part) for part in (known.train_images, known.valid_images, known.test_images)] == [
        DIGITS.train,
        DIGITS.valid,
        DIGITS.test,
    ]
    rows = np.concatenate([known.train_images, known.valid_images, known.test_images])
    assert len(np.unique(rows.reshape(len(rows), -1), axis=0)) == len(rows)
    assert np.array_equal(known.train_images, again.known.train_images)
    assert all(len(pixels) == DIGITS.unknown for pixels in images.unknown.values())


def test_label_smoothing_is_the_setting_of_the_deterministic_one_alone():
    plain, net = network(FASHION.run(1), "none", 0.05)
    assert (plain.label_smoothing, net.randomness) == (0.05, "none")
    for kind in ("attention", "scale"):
        other, net = network(FASHION.run(1), kind, 0.05)
        assert (other.label_smoothing, net.p, net.randomness) == (0.0, 0.05, kind)
        assert other.learning_rate == plain.learning_rate and other.epochs == plain.epochs


def test_every_treatment_but_the_last_two_is_one_option():
    """The last is a start, the one before it the paper's options together."""
    plain = Treatment()
    for name, one in list(TREATMENTS.items())[:-2]:
        changed = {field for field in vars(one) if getattr(one, field) != getattr(plain, field)}
        assert len(changed - {"decay_towards"}) == 1, name
