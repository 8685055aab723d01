# SPDX-License-Identifier: Apache-2.0
"""The study of the spin unit: its short cuts give the bits and the scores of the long way."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from scaledrop.calibration import Calibration, CalibrationTwin
from scaledrop.calibration_bank import CalibrationBank
from scaledrop.data import load_digits, rotate
from scaledrop.device.card_file import load_card
from scaledrop.device.chain import spin_words
from scaledrop.device.conditions import Conditions
from scaledrop.device.devices import draw, nominal
from scaledrop.device.unit import SpinUnit
from scaledrop.device.wafer import long_run
from scaledrop.errors import UserError
from scaledrop.freezing import freeze
from scaledrop.metrics import auroc
from scaledrop.nn import NetworkConfig, ScaleDropNet, calibrate_norms
from scaledrop.predict import predict
from scaledrop.sampling import Exact, Given
from scaledrop_flow.report.spin_study import (
    bias_picture,
    memory_picture,
    read_rows,
    temperature_picture,
)
from scaledrop_flow.report.style import save
from scaledrop_flow.studies.scale import VARIANTS
from scaledrop_flow.studies.spin import NETWORKS, spin_rows
from scaledrop_flow.studies.spin_bits import ideal_bits
from scaledrop_flow.studies.spin_cases import DRIFT_SEED, Wafer, cases, changed
from scaledrop_flow.studies.spin_held import HeldBits, held_bits
from scaledrop_flow.studies.spin_masks import mask_shares, mask_table

TABLE = Path(__file__).parents[2] / "docs/studies/spin.csv"
MISREAD = {("hikstor80", "0.9"), ("hikstor80", "0.95")}
"""Where the amplifier of one device no longer tells its states apart."""
CODES = (9830, 19661, 0)
IMAGES, FOREIGN = 40, 20


@pytest.fixture(scope="module")
def network():
    digits = load_digits()
    net = ScaleDropNet(NetworkConfig("small", (8, 8), 10, widths=(16, 16), p=0.2), seed=2)
    calibrate_norms(net, torch.from_numpy(digits.train_images), 1, 64, seed=3)
    return freeze(net.eval(), {})


@pytest.fixture(scope="module")
def table(network):
    digits = load_digits()
    known, labels = digits.test_images[:IMAGES], digits.test_labels[:IMAGES]
    return mask_table(network, known, labels, rotate(digits.test_images[:FOREIGN], 90))


@pytest.fixture(scope="module")
def rows(table):
    return [{"passes": 10, **row} for row in spin_rows(table, ["hikstor80"], 4, (5, 10), print)]


def found(rows, sweep, setting, passes=10):
    (row,) = [
        row
        for row in rows
        if (row["sweep"], row["setting"], row["passes"]) == (sweep, setting, passes)
    ]
    return row


def test_masks_are_counted_by_image_then_pass_then_layer():
    drops = np.array([[[0, 0, 1], [0, 0, 1]], [[1, 0, 0], [1, 1, 1]]], dtype=bool)
    shares = mask_shares(drops.ravel(), 2, 3)
    expected = np.zeros((2, 8))
    expected[0, 0b110] = 1
    expected[1, 0b011] = expected[1, 0b000] = 0.5
    assert np.array_equal(shares, expected)


def test_scores_are_those_of_the_long_way(network, table):
    digits = load_digits()
    pixels = np.concatenate([digits.test_images[:IMAGES], rotate(digits.test_images[:FOREIGN], 90)])
    masks = np.random.default_rng(1).integers(0, 2, (len(pixels), 7, 3)).astype(np.uint8)
    long = predict(network, pixels, Given(masks))
    exact = predict(network, pixels, Exact())
    shares = mask_shares(masks.ravel() == 0, len(pixels), 3)
    scores = table.scores(shares)
    assert np.allclose(table.mean(shares), long.mean, rtol=0, atol=1e-12)
    assert scores["drops"] == pytest.approx(1 - masks.mean())
    assert scores["mutual_information"] == pytest.approx(long.mutual_information[:IMAGES].mean())
    assert scores["entropy"] == pytest.approx(long.entropy[:IMAGES].mean())
    assert scores["auroc_entropy"] == auroc(long.entropy[:IMAGES], long.entropy[IMAGES:])
    away = np.abs(long.mean - exact.mean)
    assert scores["difference"] == pytest.approx(away[:IMAGES].mean())
    assert scores["difference_foreign"] == pytest.approx(away[IMAGES:].mean())
    assert table.scores(table.exact[None])["difference"] == 0
    assert table.scores(table.exact[None])["drops"] == pytest.approx(table.drop_codes[0] / 2**16)


@pytest.mark.parametrize("kept", [0.0, 0.1])
@pytest.mark.parametrize("drift", [0.0, 0.02])
def test_bits_are_those_of_the_spin_unit(kept, drift):
    card = changed(load_card("hikstor80"), "reset_failure", kept, "1")
    card = changed(changed(card, "drift", drift, "V"), "drift_writes", 4096, "writes")
    wafer = Wafer(card, CODES, 3, 5000)
    at = Conditions(temperature_k=320.0, supply=1.01)
    source = wafer.source(at)
    words = spin_words(7, 4998)
    for device in range(3):
        one = wafer.devices.one(device)
        unit = SpinUnit(one, at, drift_seed=DRIFT_SEED + device)
        drive = [unit.drive_code(int(code)) for code in wafer.codes[device]]
        expected = unit.bits(np.tile(drive, 1666), words)
        assert np.array_equal(source.bits(device, words), expected)
        assert 0 < expected.mean() < 1


@pytest.mark.parametrize("seed", [1, 2])
def test_held_bits_are_those_of_the_calibrator_bit_by_bit(seed):
    config, targets, count = Calibration(dac_bits=9, window_bits=6), [9830, 40000], 9000
    wafer = Wafer(load_card("hikstor80"), CODES, 1, 100)
    after = SpinUnit(wafer.devices).thresholds(0)
    words = spin_words(seed, 2 * count).reshape(2, count)
    bits = held_bits(CalibrationBank(config, targets), after, words)
    twin, locked = CalibrationTwin(config, 2), 0
    for layer, target in enumerate(targets):
        twin.begin(layer)
        for word, bit in zip(words[layer].tolist(), bits[layer].tolist(), strict=True):
            switched = word < after[twin.drive(layer, target) >> (16 - config.dac_bits)]
            assert switched == bit
            twin.bit(layer, target, int(switched))
            locked += twin.locked(targets)[layer]
    assert 0 < locked < 2 * count  # both gears were met


def test_a_calibrated_device_holds_what_a_hot_one_loses():
    wafer, at = Wafer(load_card("hikstor80"), CODES, 1, 100), Conditions(temperature_k=400.0)
    words, p = spin_words(5, 90000), np.array(CODES) / 2**16
    held = HeldBits(wafer.devices, CODES, at).bits(0, words).reshape(-1, 3).mean(axis=0)
    lost = wafer.source(at).bits(0, words).reshape(-1, 3).mean(axis=0)
    assert (np.abs(held - p) <= 5 * np.sqrt(p * (1 - p) / 30000))[:2].all()
    assert (lost[:2] > p[:2] + 0.2).all()
    assert held[2] == lost[2]  # code 0 is not calibrated


def test_held_bits_refuse_a_device_with_memory():
    card = changed(load_card("hikstor80"), "reset_failure", 0.1, "1")
    with pytest.raises(UserError, match=r"^card hikstor80: reset_failure: must be 0 here"):
        HeldBits(draw(card, 1, 1), CODES, Conditions())


def test_a_layer_that_never_drops_gets_no_drive():
    wafer = Wafer(load_card("foundry1ns"), CODES, 3, 100)
    assert (wafer.codes[:, 2] == 0).all() and (wafer.codes[:, :2] > 0).all()
    assert (wafer.codes[:, 1] > wafer.codes[:, 0]).all()


def test_the_ideal_device_keeps_the_programmed_probability():
    count = 30000
    bits = ideal_bits(CODES, 2).bits(1, spin_words(3, 3 * count)).reshape(count, 3)
    for code, share in zip(CODES, bits.mean(axis=0), strict=True):
        p = code / 2**16
        assert abs(share - p) <= 5 * math.sqrt(p * (1 - p) / count)


def test_too_many_rejects_are_refused():
    card = load_card("hikstor80")
    offset = card.parameters["sense_offset"].model_copy(update={"spread": 500.0})
    card = card.model_copy(update={"parameters": {**card.parameters, "sense_offset": offset}})
    with pytest.raises(UserError, match=r"^card hikstor80: only .* devices can be trimmed; narrow"):
        Wafer(card, CODES, 20, 100)


def test_every_effect_shows_where_it_must(rows, table):
    assert rows[0]["sweep"] == "exact" and rows[0]["difference"] == 0
    drops = [found(rows, "temperature", f"{t} C")["drops"] for t in (-40, 0, 27, 60, 125)]
    assert drops == sorted(drops) and drops[-1] > 2 * drops[2]
    assert found(rows, "supply", "0.9")["drops"] < 0.1 < found(rows, "supply", "1.1")["drops"]
    hot = [found(rows, f"temperature{how}", "125 C") for how in (", calibrated", "")]
    assert hot[0]["difference_pooled"] < 0.1 * hot[1]["difference_pooled"]
    kept = [found(rows, "kept state", f"{p:g}") for p in (0, 0.9)]
    assert kept[1]["difference"] > 1.3 * kept[0]["difference"]
    assert kept[1]["drops_std"] > kept[0]["drops_std"]
    assert abs(kept[1]["drops"] - kept[0]["drops"]) < 0.1  # trimmed with its memory
    shared, each = (found(rows, "trim", name) for name in ("one code for all", "each"))
    assert shared["drops_std"] > 10 * each["drops_std"]
    for name, share in (("never drops", 0), ("always drops", 1)):
        stuck = found(rows, "stuck", name)
        assert stuck["drops"] == pytest.approx(share, abs=1e-3)
        assert stuck["mutual_information"] < 1e-3 and stuck["auroc_mutual_information"] < 0.6
    fast = found(rows, "drift", "2.0% over 1e+04 writes")
    assert fast["difference_pooled"] < fast["difference"]


def test_more_passes_leave_the_bias_and_no_chance(rows):
    few, many = (found(rows, "ideal", "as programmed", passes) for passes in (5, 10))
    assert many["difference"] < few["difference"]
    assert few["devices"] == 4 and few["card"] == ""


def test_a_study_again_gives_the_same(rows, table):
    again = spin_rows(table, ["hikstor80"], 4, (5, 10), print)
    assert [{"passes": 10, **next(again)} for _ in range(6)] == rows[:6]


def test_settings_are_all_different_and_networks_are_known():
    names = [(one.sweep, one.setting) for one in cases(Wafer(load_card("hikstor80"), CODES, 2, 90))]
    assert len(set(names)) == len(names)
    assert set(NETWORKS) <= set(VARIANTS)


def test_the_committed_table_says_what_the_document_says():
    rows = read_rows(TABLE)
    by = {(one["card"], one["sweep"], one["setting"], one["passes"]): one for one in rows}
    assert len(by) == len(rows)

    def value(name, *where, card="hikstor80"):
        return float(by[card, *where][name])

    chance = value("difference", "ideal", "as programmed", "20", card="")
    assert value("difference_pooled", "temperature", "27 C", "20") < chance / 10
    assert value("difference_pooled", "temperature", "40 C", "20") < chance
    assert value("difference_pooled", "temperature", "60 C", "20") > chance
    accuracies = [float(row["accuracy"]) for row in rows]
    assert max(accuracies) - min(accuracies) < 2 / 360
    for sweep in ("temperature, calibrated", "supply, calibrated"):
        for (card, name, setting, _), row in by.items():
            if name == sweep and (card, setting) not in MISREAD:
                assert abs(float(row["drops"]) - 0.15) < 5e-4, (card, name, setting)


def test_a_short_retention_is_a_floor():
    floors = [
        100 * long_run(nominal(load_card("hikstor80")), np.zeros((1, 1), int), at).item()
        for at in (Conditions(temperature_k=273.15 + celsius) for celsius in (27, 85, 125))
    ]
    assert [round(one, 1) for one in floors] == [1.4, 3.2, 4.9]


def test_pictures(tmp_path):
    rows = read_rows(TABLE)
    for number, draw_one in enumerate((temperature_picture, bias_picture, memory_picture)):
        save(draw_one(rows), tmp_path / f"{number}.svg")
        text = (tmp_path / f"{number}.svg").read_text()
        assert "<svg" in text and "mathdefault" not in text
