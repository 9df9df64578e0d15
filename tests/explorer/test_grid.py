"""Every cell is the run of the spec that is exported with it, or the reason why there is none."""

import json
import math
import random
import subprocess
import sys

import pytest

from ipsevidence.analysis.absolutes import absolutes_of
from ipsevidence.analysis.exploring import COMMON_ONLY_WALD, INTERVALS, MEASURES, TAU2, explored_populations
from ipsevidence.analysis.reproduction import Reproduction
from ipsevidence.analysis.resultfiles import plain, read_result, result_path, settled
from ipsevidence.analysis.running import run
from ipsevidence.explorer.cells import KEPT
from ipsevidence.explorer.options import GRID_COMPARATORS, GRID_OUTCOMES
from ipsevidence.explorer.static import files

MODELS = [f"{tau2}/{interval}" for tau2 in TAU2 for interval in INTERVALS]


@pytest.fixture(scope="module")
def populations(made, shipped):
    return {key: json.loads(made[f"explore/{key}.json"]) for key in explored_populations(shipped)}


def text_of(pool, lines):
    """Put a spec together as the page does."""
    return "".join(piece + line for piece, line in zip(pool["spec"], [*lines, ""], strict=True))


@pytest.fixture(scope="module")
def pooled(populations):
    """All cells that have a result: population, name of the pool, name of the cell."""
    return [
        (population, name, model)
        for population, data in populations.items()
        for name, pool in data["pools"].items()
        for model, cell in pool["cells"].items()
        if "result" in cell
    ]


def sampled(things, count):
    return random.Random(20261122).sample(things, count)


def again(pool, lines, folder, shipped):
    file = folder / "spec.yaml"
    file.write_text(text_of(pool, lines), encoding="utf-8")
    return run(file, shipped)


def test_the_grid_has_every_choice(populations, pooled):
    names = {f"{o}/{c}/{m}" for o in GRID_OUTCOMES for c in GRID_COMPARATORS for m in MEASURES}
    for data in populations.values():
        assert set(data["pools"]) == names
        for pool in data["pools"].values():
            # Either every model has a cell, or one reason holds for all of them.
            assert (list(pool["cells"]) == MODELS) != bool(pool["why"])
            assert bool(pool["why"]) == (pool["k"] < 3)
    assert len(pooled) > 900


def test_cells_are_the_runs_of_their_specs_to_the_last_digit(populations, pooled, shipped, tmp_path):
    for population, name, model in sampled(pooled, 40):
        pool = populations[population]["pools"][name]
        cell = pool["cells"][model]
        found = again(pool, cell["lines"], tmp_path, shipped)
        stored = plain(Reproduction(run=found, verdicts=()))
        assert cell["result"] == {key: stored["result"][key] for key in KEPT}, (population, name, model)
        inputs = stored["inputs"]
        assert [(row["yi"], row["vi"]) for row in pool["rows"]] == [(row["yi"], row["vi"]) for row in inputs]
        weights = pool["weights"][model.split("/")[0]]
        assert [weight for weight, _, _ in weights] == [row["weight"] for row in inputs]
        answers = settled(absolutes_of(found).to_dict()).get("answers", [])
        assert cell["answers"] == [
            [
                one["model"],
                one["baseline"],
                one["risk"],
                one["difference"],
                *(one[key][end] for key in ("difference_ci", "difference_prediction") for end in ("low", "high")),
            ]
            for one in answers
        ]


def test_the_command_line_gives_the_same_digits(populations, pooled, shipped, tmp_path):
    unusual = [one for one in pooled if one[2] in ("dl/wald", "pm/hksj", "common/wald")]
    for number, (population, name, model) in enumerate(sampled(unusual, 2)):
        pool = populations[population]["pools"][name]
        file = tmp_path / f"{number}.yaml"
        file.write_text(text_of(pool, pool["cells"][model]["lines"]), encoding="utf-8")
        command = [sys.executable, "-m", "ipsevidence", "run", str(file), "--json", "--data", str(shipped.root)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        (document,) = json.loads(done.stdout)["data"]
        assert pool["cells"][model]["result"] == {key: document["result"][key] for key in KEPT}


def test_pools_that_the_rules_forbid_give_the_reason_that_a_run_gives(populations, shipped, tmp_path):
    few = [
        pool
        for data in populations.values()
        for name, pool in data["pools"].items()
        if pool["why"] and name.endswith(("RR", "RD"))
    ]
    one_each = {k: [pool for pool in few if pool["k"] == k] for k in (0, 1, 2)}
    for k, pools in one_each.items():
        for pool in sampled(pools, 4):
            found = again(pool, pool["lines"], tmp_path, shipped)
            assert (len(found.rows), found.fit.reason) == (k, pool["why"])
    assert {pools[0]["why"] for pools in one_each.values()} == {
        "no trial gives a number that can enter",
        "one trial, not a pool",
        "two trials, too few for a random-effects pool",
    }


def test_two_trials_have_their_common_effect_as_a_line(populations, shipped, tmp_path):
    pool = populations["justice"]["pools"]["any-vocational-outcome/any/RR"]
    few = again(pool, pool["lines"], tmp_path, shipped).few
    assert (
        pool["common"]["at"]
        == settled({"at": [few.headline.estimate, few.headline.ci.low, few.headline.ci.high]})["at"]
    )
    assert pool["few"]["value"] == pytest.approx(math.exp(few.headline.estimate), rel=1e-11)
    assert f"{pool['few']['value']:.2f}" in pool["headline"]


def test_a_common_effect_has_no_interval_but_walds(populations):
    cells = populations["all"]["pools"]["primary/any/RR"]["cells"]
    for interval in INTERVALS:
        assert cells[f"common/{interval}"].get("why", "") == ("" if interval == "wald" else COMMON_ONLY_WALD)
    assert cells["common/wald"]["result"]["prediction"]["low"] is None


def test_the_protocols_cell_is_the_committed_result(populations, shipped):
    compared = 0
    for population, data in populations.items():
        path = result_path(shipped.root, "primary" if population == "all" else f"primary-{population}")
        pool = data["pools"]["primary/any/RR"]
        committed = read_result(path)["result"]
        if pool["why"]:
            assert committed["not_applicable"] == pool["why"]
            continue
        found = pool["cells"]["reml/hksj"]["result"]
        for key in ("estimate", "tau2", "q", "i2"):
            assert found[key] == pytest.approx(committed[key], rel=1e-9)
        assert found["ci"]["high"] == pytest.approx(committed["ci"]["high"], rel=1e-9)
        compared += 1
    assert compared >= 3


def test_a_comparator_takes_its_trials_alone(populations):
    pools = populations["all"]["pools"]
    rows = {key: {row["id"] for row in pools[f"any-vocational-outcome/{key}/RR"]["rows"]} for key in GRID_COMPARATORS}
    assert not rows["usual-care"] & rows["vocational-service"]
    assert rows["usual-care"] | rows["vocational-service"] == rows["any"]
    committed = {"usual-care": "1.27", "vocational-service": "2.56"}  # analyses/results/any-by-comparator.json
    for key, shown in committed.items():
        cell = pools[f"any-vocational-outcome/{key}/RR"]["cells"]["reml/hksj"]
        assert cell["effect"].startswith(f"{shown} [")


def test_texts_are_the_numbers_rounded_once(populations, pooled):
    for population, name, model in pooled:
        cell = populations[population]["pools"][name]["cells"][model]
        shown = cell["result"]["shown"]
        text = cell["effect"].replace("\u2212", "-").replace("\u00a0to\u00a0", "\u2013")
        low, high = shown["ci"]
        assert text == f"{shown['estimate']:.2f} [{low:.2f}\u2013{high:.2f}]".replace("-0.00", "0.00")


def test_marks_stand_where_their_numbers_are(populations, pooled):
    for population, name, model in pooled:
        pool = populations[population]["pools"][name]
        axis = pool["axis"]
        assert axis["low"] <= axis["null"] <= axis["high"]
        assert axis["low"] <= pool["cells"][model]["result"]["estimate"] <= axis["high"]
        for row in pool["rows"]:
            assert row["at"][0] == row["yi"]
            assert row["at"][1] < row["at"][0] < row["at"][2]
        for weight, _, side in pool["weights"][model.split("/")[0]]:
            most = max(other for other, _, _ in pool["weights"][model.split("/")[0]])
            assert side == pytest.approx(math.sqrt(weight / most), abs=1e-4)


def test_absent_trials_are_named_where_nothing_is_usable(populations):
    pool = populations["homelessness"]["pools"]["primary/any/RR"]
    assert pool["headline"] == "No trial gives a usable number; the numbers of 2 trials of 162 people are wanted."
    assert [one["id"] for one in pool["absent"]] == ["poremski-2017", "lepage-2016"] or len(pool["absent"]) == 2
    assert all(one["reason"] for one in pool["absent"])


def test_files_are_of_a_sane_size(made):
    assert all(len(content) < 1_500_000 for content in made.values())
    assert sum(map(len, made.values())) < 5_000_000


def test_the_same_data_give_the_same_bytes(toy):
    assert files(toy) == files(toy)
    assert list(files(toy)) == list(files(toy))
