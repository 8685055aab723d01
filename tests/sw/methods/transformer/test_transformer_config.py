# SPDX-License-Identifier: Apache-2.0
"""What a transformer's configuration refuses, and how."""

import dataclasses
import json

import pytest

from scaledrop.errors import UserError
from scaledrop.methods.transformer import TransformerConfig, Treatment

GOOD = TransformerConfig((8, 8), 10, patch=2)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("image_shape", (8,), "image_shape: must be (H, W) or (C, H, W), not (8,)"),
        ("patch", 3, "patch: must divide the sides of the image, and 3 does not divide 8"),
        ("heads", 5, "heads: must divide width, and 5 does not divide 64; give a divisor"),
        ("blocks", 0, "blocks: must be 1 to 65536, not 0; give for example 2"),
        ("planes", 9, "planes: must be 0 to 8, not 9; 4 is usual here"),
        ("classes", 1, "classes: must be 2 to 1048576, not 1; give the number of classes"),
        ("randomness", "all", "randomness: must be one of none, attention, scale, not 'all'"),
        ("p", "much", "p: must be a number, not 'much'; give for example 0.1"),
        ("ste", "soft", "ste: must be one of clip, bireal, tanh, not 'soft'"),
        ("treatment", None, "treatment: must be a Treatment, not None"),
    ],
)
def test_a_wrong_value_is_named_with_its_remedy(field, value, text):
    with pytest.raises(UserError) as error:
        dataclasses.replace(GOOD, **{field: value})
    assert text in str(error.value)


def test_a_probability_of_one_is_refused():
    with pytest.raises(UserError, match="p"):
        dataclasses.replace(GOOD, p=1.0)


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("input_decay", -1.0, "input_decay: must be 0 or more, not -1.0; 0 turns it off"),
        ("output_decay", "x", "output_decay: must be 0 or more, not 'x'; 0 turns it off"),
        ("input_decay", float("inf"), "input_decay: must be 0 or more, not inf"),
        ("decay_towards", 1.5, "decay_towards: must be 0 to 1, not 1.5; 0 is the paper's"),
        ("start_spread", True, "start_spread: must be 0 to 1, not True; 0 is the paper's"),
        ("branches", 1, "branches: must be true or false, not 1"),
        ("placement", "behind", "placement: must be one of input, dual, dual-norm, not 'behind'"),
        ("form", "OR", "form: must be one of plain, product, exponential, not 'OR'"),
    ],
)
def test_a_wrong_treatment_is_named_with_its_remedy(field, value, text):
    with pytest.raises(UserError) as error:
        Treatment(**{field: value})
    assert text in str(error.value)


def test_tokens_and_channels():
    assert (GOOD.tokens, GOOD.channels) == (16, 1)
    colour = TransformerConfig((3, 32, 16), 10, patch=8)
    assert (colour.tokens, colour.channels) == (8, 3)


def test_all_fields_are_plain_json_values():
    values = json.loads(json.dumps(GOOD.to_values()))
    assert values["image_shape"] == [8, 8]
    assert values["treatment"]["placement"] == "input"
    assert len(values) == len(dataclasses.fields(GOOD))
