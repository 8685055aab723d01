# SPDX-License-Identifier: Apache-2.0
"""Fuzzing: what is drawn, that it runs clean, and that a planted fault is found and made small."""

import inspect
import json
import sys
import textwrap
from pathlib import Path

import pytest

from scaledrop.errors import UserError
from scaledrop_flow.fuzz import run as fuzz_run
from scaledrop_flow.fuzz import shrink as fuzz_shrink
from scaledrop_flow.fuzz.build import Plan
from scaledrop_flow.fuzz.campaign import Campaign, Choices, run_campaign
from scaledrop_flow.fuzz.case import Case, Conv, Dense, Pool, read_case
from scaledrop_flow.fuzz.draw import draw
from scaledrop_flow.fuzz.features import features
from scaledrop_flow.fuzz.report import report
from scaledrop_flow.fuzz.run import Outcome, run_case
from scaledrop_flow.fuzz.shrink import shrink, simpler
from scaledrop_hw.pool import PoolStage

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")

SMALL = Case(
    seed=5,
    input_shape=(2, 5, 4),
    input_bits=3,
    nodes=(
        Conv(channels=3, size=2, padding=1, planes=2, drop_code=1 << 15),
        Pool(size=2),
        Dense(channels=3, drop_code=20_000),
    ),
    rows=6,
    columns=4,
    lanes=2,
    mode="shared",
    passes=3,
    images=2,
    records=True,
    stall=60,
    pause=5,
    min_votes=2,
    min_margin=1000,
)
EXPECTED = {
    *(f"{count} layers" for count in range(1, 7)),
    *(f"pixels of {bits} bits" for bits in range(1, 9)),
    *(f"kernel {size}" for size in range(1, 6)),
    *(f"max pooling {size}" for size in range(1, 4)),
    *(f"codes of {planes} bits" for planes in range(1, 4)),
    *(f"T {passes}" for passes in range(1, 9)),
    *(f"layer: {method}" for method in ("dense", "unrolled", "taps")),
    *("mode passes", "mode shared", "mode exact", "masks limited", "all masks"),
    *("datapath reference", "datapath folded", "lanes odd", "lanes even", "lanes not in use"),
    *("stride 1", "stride 2", "stride 3", "stride above the kernel", "padding 1", "padding 2"),
    *("map not square", "several input channels", "several row tiles", "several column tiles"),
    *("rest behind the pool", "rows no power of two", "formats", "corners", "records", "long gaps"),
    *("drop code 0", "drop code 65535", "idle", "stall", "min votes", "min margin"),
    *("spin unit slow", "spin unit quick", "queue of 2 commands", "queue of another depth"),
}


def planted(monkeypatch, component, old, new):
    """Replace one piece of the text from which a component is elaborated."""
    text = textwrap.dedent(inspect.getsource(component.elaborate))
    assert text.count(old) == 1
    names = dict(vars(sys.modules[component.__module__]))
    exec(text.replace(old, new), names)
    monkeypatch.setattr(component, "elaborate", names["elaborate"])


def forgetful_pool(monkeypatch):
    """A window begins with what the one before it at the same place has left."""
    planted(monkeypatch, PoolStage, "Mux(self.first, 0, read.data[lane])", "read.data[lane]")


def test_a_dozen_cases_run_clean(run):
    arguments = ("--count", 12, "--seed", 7, "--verilator", 0, "--jobs", 2)
    status, out, err = run("fuzz", *arguments, "--out", "f")
    assert (status, err) == (0, "")
    assert "networks    12 of 12 (12 amaranth)" in out and "failures    0" in out
    values = json.loads(Path("f/report.json").read_text())
    assert values["ok"] is True and values["failures"] == [] and values["first_case_seed"] == 700000
    assert values["networks"] == 12 == sum(values["modes"].values())
    checked = values["checked"]
    assert checked["total"] == sum(checked.values()) - checked["total"] > 2000
    assert {"masks", "hidden_bits", "logits", "counters", "monitors", "abstain"} <= set(checked)
    assert not Path("f/failures").exists()


def test_a_case_through_verilator():
    case = SMALL.but(engine="verilator", records=False, pause=1, min_votes=0, min_margin=0)
    outcome = run_case(case)
    assert outcome.ok, str(outcome)
    assert outcome.checked["logits"] == run_case(case.but(engine="amaranth")).checked["logits"]


def test_every_so_many_goes_through_verilator():
    engines = [engine for _, engine in Choices(count=45, verilator=20).tasks]
    assert [at for at, engine in enumerate(engines) if engine == "verilator"] == [19, 39]
    assert {engine for _, engine in Choices(count=45, verilator=0).tasks} == {"amaranth"}
    assert [seed for seed, _ in Choices(count=3, seed=4).tasks] == [400_000, 400_001, 400_002]


def test_verilator_without_its_tools(monkeypatch):
    monkeypatch.setattr("scaledrop_flow.fuzz.campaign.missing_tools", lambda: ["perl is missing"])
    with pytest.raises(UserError, match="perl is missing; or do without, with --verilator 0"):
        Choices(count=20)
    assert Choices(count=19).tasks


def test_a_seed_always_gives_the_same_case():
    assert draw(11) == draw(11) != draw(12)
    assert Case.model_validate(json.loads(json.dumps(draw(11).as_json()))) == draw(11)
    assert draw(11, "verilator").engine == "verilator"


def test_everything_is_drawn():
    cases = [draw(seed) for seed in range(400)]
    found = set().union(*(features(case, Plan(case).mapping) for case in cases))
    assert found >= EXPECTED, EXPECTED - found
    codes = {layer.drop_code for case in cases for layer in case.layers}
    assert len(codes) > 300
    assert {case.max_passes == case.passes for case in cases} == {True, False}


def test_a_case_without_disturbance_is_compared_cycle_by_cycle():
    calm = SMALL.but(records=False, stall=0)
    counts = [run_case(case).checked["counters"] for case in (calm, calm.but(stall=9))]
    assert counts[0] == counts[1] + 2 * len(calm.layers)


def test_limits_of_abstention_are_compared():
    for votes, abstains in ((SMALL.passes + 1, True), (0, False)):
        outcome = run_case(SMALL.but(min_votes=votes, min_margin=0))
        assert outcome.ok and ("seen: an image abstained from" in outcome.features) == abstains


def test_a_planted_fault_is_found_shrunk_and_stored(run):
    with pytest.MonkeyPatch.context() as faulty:
        forgetful_pool(faulty)
        arguments = ("--count", 3, "--seed", 1, "--verilator", 0, "--jobs", 1, "--shrink", 8)
        status, out, _ = run("fuzz", *arguments, "--store", "kept")
        assert status == 1 and "differs: image 0" in out
        values = json.loads(Path("build/fuzz/report.json").read_text())
        assert values["ok"] is False
        failure = values["failures"][0]
        path = Path(f"kept/seed-{failure['seed']}.json")
        assert json.loads(path.read_text()) == failure["smallest"]
        drawn, small = Case.model_validate(failure["case"]), read_case(path)
        assert any(isinstance(node, Pool) for node in small.nodes)
        assert len(small.nodes) <= len(drawn.nodes) and (small.images, small.idle) == (1, 0)
        status, out, _ = run("fuzz", "--replay", path)
        assert status == 1 and f"{path}: differs: image 0" in out
    status, out, _ = run("fuzz", "--replay", path)
    assert status == 0 and "values equal" in out


def test_a_hang_and_an_exception_are_failures(monkeypatch):
    def hang(*_):
        raise TimeoutError("no result after 9 cycles")

    monkeypatch.setattr(fuzz_run, "simulate", hang)
    assert str(run_case(SMALL)) == "hangs: no result after 9 cycles"
    broken = run_case(SMALL.but(depth=1))
    assert broken.kind == "raises" and "depth must be an integer from 2 to 256" in broken.first


def fails_when(condition):
    return lambda case: Outcome(case, kind="differs" if condition(case) else "", cycles=10**6)


def test_shrinking_leaves_what_is_needed(monkeypatch):
    """All else becomes as simple as it can be."""

    def padded(case):
        convolutions = [node for node in case.nodes if isinstance(node, Conv)]
        return any(node.padding and node.channels > 2 for node in convolutions)

    monkeypatch.setattr(fuzz_shrink, "run_case", fails_when(padded))
    seeds = (seed for seed in range(100) if padded(draw(seed)))
    for seed in [next(seeds) for _ in range(3)]:
        small = shrink(fails_when(padded)(draw(seed))).case
        conv = Conv(channels=3, size=2, padding=1)
        assert small.nodes == (conv, Dense(channels=1)) and small.input_shape == (1, 1)
        assert (small.rows, small.columns, small.images, small.mode) == (1, 1, 1, "passes")


def test_shrinking_stops_in_time(monkeypatch):
    monkeypatch.setattr(fuzz_shrink, "run_case", fails_when(lambda case: True))
    assert shrink(Outcome(SMALL, kind="differs"), seconds=0).case == SMALL


def test_simpler_cases_differ():
    for seed in range(20):
        case = draw(seed)
        assert all(other != case for other in simpler(case))


def test_an_interrupt_keeps_what_was_done():
    seen = []

    def listener(outcome):
        seen.append(outcome)
        if len(seen) == 2:
            raise KeyboardInterrupt

    campaign = run_campaign(Choices(count=5, jobs=1, verilator=0), listener)
    assert campaign.interrupted and campaign.outcomes == seen
    values = report(campaign, 1.0)
    assert values["interrupted"] is True and values["ok"] is False and values["networks"] == 2


def test_an_interrupted_command_says_so(monkeypatch, run):
    def interrupted(choices, listener):
        return Campaign(choices, interrupted=True)

    monkeypatch.setattr("scaledrop_flow.fuzz.campaign.run_campaign", interrupted)
    status, out, err = run("fuzz", "--count", 3, "--out", "f")
    assert status == 130 and "networks    0 of 3" in out and "interrupted" in err
    assert json.loads(Path("f/report.json").read_text())["interrupted"] is True


MISTAKES = {
    "count": (("--count", 0), "count: must be 1 to 100000, not 0"),
    "seed": (("--seed", -1), "seed: must be 0 to 20000, not -1"),
    "jobs": (("--jobs", 0), "jobs: must be 1 to 256, not 0"),
    "verilator": (("--verilator", -3), "verilator: must be 0 to 100000, not -3"),
    "shrink": (("--shrink", -1), "shrink: must be 0 to 3600, not -1"),
    "no file": (("--replay", "no.json"), "no.json: cannot be read (No such file or directory)"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_named(run, name):
    arguments, text = MISTAKES[name]
    status, _, err = run("fuzz", *arguments)
    assert status == 2 and text in err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "a.json: is no JSON"),
        ("[1]", "a.json: has no case in it; give a file that fuzz has stored"),
        ('{"case": {"seed": "x"}}', "a.json: seed: "),
        ('{"case": {"wrong": 1}}', "a.json: "),
    ],
)
def test_a_file_that_is_no_case(run, text, message):
    Path("a.json").write_text(text)
    status, _, err = run("fuzz", "--replay", "a.json")
    assert status == 2 and message in err


def test_a_case_that_cannot_be_is_a_failure(run):
    values = SMALL.as_json() | {"lanes": 5}
    Path("a.json").write_text(json.dumps({"case": values}))
    status, out, _ = run("fuzz", "--replay", "a.json")
    assert status == 1 and "raises: UserError: lanes: must divide rows (6)" in out
