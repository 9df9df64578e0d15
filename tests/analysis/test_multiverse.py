"""Choices of estimator and of question: each cell against an independent fit, and what follows from all of them."""

import csv
import dataclasses
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence import core
from ipsevidence.analysis.choices import Cell, Choices, Fork, Option
from ipsevidence.analysis.multiverse import estimator_choices, question_choices
from ipsevidence.analysis.rows import Counts, Share, StudyRow
from ipsevidence.analysis.running import pool_rows, run, varied_spec
from ipsevidence.analysis.spec import Variation
from tests.figures.factory import spec


def table(name, events1, n1, events2, n2):
    return StudyRow(
        id=name,
        label=name,
        counts=Counts(events1=events1, n1=n1, events2=events2, n2=n2),
        participants=n1 + n2,
    )


@pytest.fixture(scope="module")
def bcg():
    path = Path(__file__).parents[1] / "data" / "bcg.csv"
    with path.open(encoding="utf-8") as stream:
        return [
            table(f"s{index}", *(float(line[key]) for key in ("ai", "n1i", "ci", "n2i")))
            for index, line in enumerate(csv.DictReader(stream))
        ]


def found(choices, *options):
    return next(cell for cell in choices.cells if cell.options == options)


# metafor 4: rma() (PM with tol=1e-12), rma.mh() and rma.glmm() on dat.bcg.
# Estimate and interval as ratios, tau2, prediction interval.
METAFOR = {
    ("RR", "two-stage", "reml", "hksj"): (0.48942094, 0.33007225, 0.72569826, 0.31324333, 0.13587540, 1.76288606),
    ("RR", "two-stage", "pm", "hksj"): (0.48920769, 0.32985623, 0.72554083, 0.31806845, 0.13460295, 1.77800085),
    ("RR", "two-stage", "sj", "t"): (0.48809335, 0.32471216, 0.73368093, 0.34551570, 0.12729416, 1.87153217),
    ("RR", "two-stage", "dl", "wald"): (0.48962415, 0.34491914, 0.69503772, 0.30876026),
    ("RR", "two-stage", "reml", "hksj-adhoc"): (0.48942094, 0.33007225, 0.72569826, 0.31324333),
    ("RR", "common", "", ""): (0.65032362, 0.60069903, 0.70404777, 0.0),
    ("RR", "mantel-haenszel", "", ""): (0.63526719, 0.58812873, 0.68618378),
    ("OR", "two-stage", "reml", "hksj"): (0.47464991, 0.31599807, 0.71295544, 0.33777205, 0.12552939, 1.79473935),
    ("OR", "two-stage", "dl", "wald"): (0.47359993, 0.32490560, 0.69034480, 0.36634341),
    ("OR", "mantel-haenszel", "", ""): (0.62287402, 0.57477032, 0.67500362),
    ("OR", "um.fs", "", ""): (0.474728, 0.336514, 0.669710, 0.294894),
}


@pytest.mark.parametrize("key", METAFOR, ids="-".join)
def test_cells_agree_with_metafor(key, bcg, spec_of):
    measure, model, tau2, interval = key
    made = pool_rows(spec_of(purpose="exploratory", effect={"measure": measure}), bcg)
    choices = estimator_choices(made)
    zeros = "only0-0.5" if model in ("two-stage", "common") else ""
    cell = found(choices, model, tau2, interval, zeros)
    got = (cell.estimate, cell.low, cell.high, cell.tau2, cell.prediction_low, cell.prediction_high)
    wanted = METAFOR[key]
    # The grid of the quadrature of a logistic model differs from metafor's in the fifth digit.
    assert got[: len(wanted)] == pytest.approx(wanted, rel=2e-4 if model == "um.fs" else 1e-6, abs=1e-12)


def test_correction_of_all_tables_is_an_option(bcg, spec_of):
    made = pool_rows(spec_of(purpose="exploratory", effect={"measure": "RR"}), bcg)
    choices = estimator_choices(made)
    cell = found(choices, "two-stage", "reml", "hksj", "all-0.5")
    assert (cell.estimate, cell.low, cell.high) == pytest.approx((0.49648360, 0.33843227, 0.72834651), rel=1e-6)
    # Without an empty cell, adding nothing is what the analysis does.
    assert [(one.option, one.label) for one in choices.excluded if one.decision == "zeros"] == [
        ("none", "nothing added")
    ]


def test_headline_is_the_analysis_itself(bcg, spec_of):
    made = pool_rows(spec_of(effect={"measure": "RR"}, model={"tau2": "pm", "interval": "hksj"}), bcg)
    head = estimator_choices(made).headline
    assert head.options == ("two-stage", "pm", made.fit.settings.interval, "only0-0.5")
    shown = [made.shown(x) for x in (made.fit.estimate, made.fit.ci.low, made.fit.ci.high)]
    assert (head.estimate, head.low, head.high) == pytest.approx(tuple(shown), rel=1e-9)


def test_without_a_correction_a_study_with_an_empty_cell_is_out(bcg, spec_of):
    rows = [*bcg, table("empty", 0, 20, 4, 20)]
    choices = estimator_choices(pool_rows(spec_of(purpose="exploratory", effect={"measure": "OR"}), rows))
    assert found(choices, "two-stage", "reml", "hksj", "only0-0.5").k == 14
    assert found(choices, "two-stage", "reml", "hksj", "none").k == 13


def test_a_published_effect_has_no_model_on_counts(bcg, spec_of):
    rows = [*bcg, StudyRow(id="p", label="Printed", estimate=0.5, low=0.3, high=0.8, participants=90)]
    made = pool_rows(spec_of(effect={"measure": "RR"}), rows)
    choices = estimator_choices(made)
    why = {one.option: one.why for one in choices.excluded if one.decision == "model"}
    assert "Printed" in why["mantel-haenszel"]
    assert {cell.options[0] for cell in choices.cells} == {"two-stage", "common"}
    other = estimator_choices(made, measure="OR")
    assert isinstance(other, core.NotApplicable)


def test_peto_is_left_out_where_its_conditions_are_not_met(spec_of):
    rows = [table(f"s{i}", 30 + i, 50, 8, 50) for i in range(4)]
    choices = estimator_choices(pool_rows(spec_of(effect={"measure": "OR"}), rows))
    why = {one.option: one.why for one in choices.excluded}
    assert "large" in why["peto"]
    mild = [table(f"s{i}", 20 + i, 50, 16, 50) for i in range(4)]
    kept = estimator_choices(pool_rows(spec_of(effect={"measure": "OR"}), mild))
    assert found(kept, "peto", "", "", "").k == 4


def test_few_studies_rates_and_other_measures(bcg, spec_of):
    two = pool_rows(spec_of(effect={"measure": "RR"}), bcg[:2])
    assert "2 studies" in estimator_choices(two).reason
    shares = [StudyRow(id=f"s{i}", label="s", share=Share(events=4, n=9), unit="arm") for i in range(5)]
    with pytest.raises(core.InputError, match="measure must be one of two-by-two tables; got 'PLO'"):
        estimator_choices(pool_rows(spec_of(purpose="exploratory", effect={"measure": "PLO"}), shares))
    with pytest.raises(core.InputError, match="measure"):
        estimator_choices(pool_rows(spec_of(effect={"measure": "RR"}), bcg), measure="nonsense")


TABLES = st.lists(st.tuples(*[st.integers(1, 29)] * 2), min_size=3, max_size=6)


@given(tables=TABLES)
def test_swapping_the_arms_turns_every_ratio_upside_down(tables):
    made = []
    for first in (True, False):
        arms = [(a, 30, c, 30) if first else (c, 30, a, 30) for a, c in tables]
        rows = [table(f"s{i}", *arm) for i, arm in enumerate(arms)]
        made.append(estimator_choices(pool_rows(spec(measure="RR", tau2="reml", interval="hksj"), rows)))
    there, back = made
    assert [one.options for one in there.cells] == [one.options for one in back.cells]
    for one, other in zip(there.cells, back.cells, strict=True):
        if one.options[0] in ("two-stage", "common", "mantel-haenszel") and not math.isnan(one.low):
            assert one.estimate * other.estimate == pytest.approx(1.0, rel=1e-5)
            assert one.low * other.high == pytest.approx(1.0, rel=1e-4)


def cell(*options, estimate=math.nan, low=math.nan, high=math.nan, why=""):
    return Cell(options=options, k=5, participants=100.0, estimate=estimate, low=low, high=high, why=why)


@pytest.fixture
def made_up():
    forks = tuple(
        Fork(key=key, label=key.upper(), options=tuple(Option(key=f"{key}{i}", label=f"{key} {i}") for i in range(3)))
        for key in ("a", "b")
    )
    return Choices(
        family="question",
        measure="RR",
        decisions=forks,
        excluded=(),
        cells=(
            cell("a0", "b0", estimate=2.0, low=1.2, high=3.3),
            cell("a1", "b0", estimate=1.4, low=0.9, high=2.2),
            cell("a0", "b1", estimate=4.0, low=1.1, high=14.0),
            cell("a1", "b1", estimate=8.0, low=0.5, high=99.0),
            cell("a2", "b0", why="too few"),
            cell("a2", "", estimate=1.9, low=1.3, high=2.8),
        ),
        threshold=1.5,
        level=0.95,
    )


def test_range_flips_and_what_moves_most(made_up):
    assert made_up.range == (1.4, 8.0)
    # One decision each: a1; b1; and a2, for which b does not arise. Not the pair, not the cell without an estimate.
    assert [(key, option) for key, option, _ in made_up.singles] == [("a", "a1"), ("b", "b1"), ("a", "a2")]
    flips = [(flip.option, flip.criterion, flip.now) for flip in made_up.flips]
    assert flips == [("a1", "no-effect-excluded", False), ("a1", "above-threshold", False)]
    # On the log scale doubling, log 2 = 0.693, is further than 1.4 for 2, log 0.7 = -0.357.
    assert made_up.moves_most == ("b", "b1", pytest.approx(math.log(2)))
    assert made_up.label("b", "b1") == "B: b 1"
    with pytest.raises(core.InputError, match="decision"):
        made_up.label("c", "c0")


def test_without_an_estimate_of_its_own_nothing_flips(made_up):
    bare = dataclasses.replace(made_up, cells=(cell("a0", "b0", why="too few"), *made_up.cells[1:]))
    assert bare.flips == ()
    assert bare.moves_most is None
    assert bare.range == (1.4, 8.0)


def test_no_prediction_from_fewer_than_five_in_a_living_analysis(bcg, spec_of):
    for k, missing in ((4, True), (5, False)):
        head = estimator_choices(pool_rows(spec_of(effect={"measure": "RR"}), bcg[:k])).headline
        assert math.isnan(head.prediction_low) is missing


def test_rows_and_plain_data_hold_every_cell(made_up):
    rows = made_up.to_rows()
    assert all(len(row) == len(made_up.columns) for row in rows)
    assert rows[5][0] == "a2"
    plain = made_up.to_dict()
    assert len(plain["cells"]) == 6
    assert plain["moves_most"]["option"] == "b1"
    assert [flip["option"] for flip in plain["flips"]] == ["a1", "a1"]


CHANGES = {
    ("time", "earliest"): {"outcome": {"near_month": 12}},
    ("time", "wider"): {"outcome": {"from_month": 6, "to_month": 36}},
    ("denominator", "randomised"): {"outcome": {"denominators": ("randomised",)}},
    ("inputs", "reconstructed"): {"weakest_basis": "reconstructed"},
}


@pytest.mark.parametrize("change", CHANGES, ids="-".join)
def test_a_change_of_the_question_is_that_analysis(change, toy, spec_of):
    asked = spec_of(effect={"measure": "RR"})
    choices = question_choices(asked, toy)
    key, option = change
    place = [fork.key for fork in choices.decisions].index(key)
    options = tuple(option if at == place else "analysis" for at in range(len(choices.decisions)))
    got = found(choices, *options)
    variation = Variation.model_validate({"id": "v", "label": "v", **CHANGES[change]})
    alone = run(varied_spec(asked, variation), toy)
    assert got.k == len(alone.rows)
    assert got.participants == alone.participants
    wanted = [alone.shown(value) for value in (alone.fit.estimate, alone.fit.ci.low, alone.fit.ci.high)]
    assert (got.estimate, got.low, got.high) == pytest.approx(tuple(wanted), rel=1e-8)
    assert got.tau2 == pytest.approx(alone.fit.tau2, abs=1e-9)


def test_pairs_are_of_different_decisions_and_each_once(toy, spec_of):
    choices = question_choices(spec_of(effect={"measure": "RR"}), toy)
    changed = [tuple(i for i, option in enumerate(one.options) if option != "analysis") for one in choices.cells]
    assert changed[0] == ()
    assert max(map(len, changed)) == 2
    assert len({one.options for one in choices.cells}) == len(choices.cells)
    sizes = [len(fork.options) - 1 for fork in choices.decisions]
    pairs = sum(a * b for i, a in enumerate(sizes) for b in sizes[i + 1 :])
    assert len(choices.cells) == 1 + sum(sizes) + pairs


def test_studies_left_out_are_those_that_were_meant(toy, spec_of):
    choices = question_choices(spec_of(effect={"measure": "RR"}), toy)
    full = choices.headline
    keys = [fork.key for fork in choices.decisions]

    def single(key, option):
        return found(choices, *(option if one == key else "analysis" for one in keys))

    # Alpha, beta, gamma and kappa have an effect; gamma is a pilot, alpha (100 persons, as many as gamma with three
    # arms are 90) the largest, and kappa, 14 of 33 against 1 of 25, the most extreme.
    assert full.k == 4
    assert single("design", "no-pilots").k == 3
    assert single("extremes", "without-largest").participants == full.participants - 100
    assert single("extremes", "without-extreme").participants == full.participants - 58
    few = single("size", "large")
    assert (few.k, few.why) == (0, "0 trials: nothing is pooled below 3")


def test_what_the_analysis_does_is_no_change(toy, spec_of):
    choices = question_choices(spec_of(effect={"measure": "RR"}, outcome={"near_month": 24}), toy)
    assert [(one.decision, one.option, one.label) for one in choices.excluded] == [
        ("time", "latest", "nearest 24 months"),
        ("inputs", "counts", "without printed effects"),
    ]


def test_plain_ips_is_no_option_of_another_comparison(toy, spec_of):
    asked = spec_of(effect={"measure": "RR"}, outcome={"contrast": "bundle-vs-control"})
    choices = question_choices(asked, toy)
    assert ("intervention", "plain") in [(one.decision, one.option) for one in choices.excluded]
    # No trial of the toy data tests a bundle.
    assert choices.headline.why
    assert choices.estimated == ()


def test_a_list_and_rates_have_no_question_choices(toy, spec_of):
    named = spec_of(effect={"measure": "RR"}, studies={"list": ({"id": "alpha-2001"},)})
    assert "by name" in question_choices(named, toy).reason
    assert "rates" in question_choices(spec_of(effect={"measure": "PLO"}), toy).reason
    assert "vectorised" in question_choices(spec_of(effect={"measure": "RR"}, model={"tau2": "genq"}), toy).reason
