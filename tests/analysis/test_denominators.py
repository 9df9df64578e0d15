"""Who is missing from the denominators: by hand, against the core, and what is said where it is not known."""

import dataclasses
import json
import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.denominators import IMOR, arms_of, missing_participants_of
from ipsevidence.analysis.running import run
from ipsevidence.dataset.collection import load
from tests.toy import ABOUT, outcome, study

ARMS = (("ips", "ips", "randomised"), ("tau", "treatment-as-usual", "randomised"))


def record(name, ips, tau, *, randomised=(), of="analysed", whole=0):
    text = study(name, ARMS, [outcome("job", [("ips", *ips, "reported"), ("tau", *tau, "reported")], of=of)])
    for arm, size in zip(("ips", "tau"), randomised, strict=False):
        number = f"label: {arm}, n_randomised: {{value: {size}, basis: reported, from: s1}}}}"
        text = text.replace(f"label: {arm}}}", number)
    return text.replace("value: 100, what: randomised", f"value: {whole}, what: randomised") if whole else text


def data(folder, records):
    (folder / "studies").mkdir()
    (folder / "analyses").mkdir()
    (folder / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in records.items():
        (folder / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return load(folder)


@pytest.fixture
def one(tmp_path, spec_of):
    dataset = data(tmp_path, {"a-2001": record("a-2001", (20, 40), (10, 40), randomised=(50, 50))})
    return run(spec_of(effect={"measure": "RR"}), dataset), dataset


def test_missing_as_failures_by_hand(one):
    # 20/50 v 10/50: RR 2, var log RR = 1/20 - 1/50 + 1/10 - 1/50 = 0.11
    found = missing_participants_of(*one)
    assert (found.randomised, found.analysed, found.missing) == (100, 80, 20)
    failure = found.by("randomised-missing-as-failure")
    assert failure.estimate == pytest.approx(2.0)
    assert failure.ci.high == pytest.approx(2 * math.exp(1.959963984540054 * math.sqrt(0.11)))
    assert failure.k == 1


def test_the_worst_case_by_hand(one):
    # the ten missing of the first arm failed, those of the other did not: 20/50 v 20/50
    assert missing_participants_of(*one).by("worst-case").estimate == pytest.approx(1.0)


def test_as_analysed_is_the_analysis_and_an_odds_ratio_of_1_changes_nothing(one):
    found = missing_participants_of(*one)
    analysed, same = found.by("analysed"), next(r for r in found.results if (r.imor1, r.imor2) == (1.0, 1.0))
    assert analysed.estimate == pytest.approx(one[0].shown(one[0].y[0]))
    assert same.estimate == pytest.approx(analysed.estimate)
    assert same.ci.low == pytest.approx(analysed.ci.low)


def test_odds_ratios_of_the_missing_are_those_of_the_core(one):
    found = missing_participants_of(*one)
    tried = {(r.imor1, r.imor2): r for r in found.results if r.key == "imor"}
    assert set(tried) == {(a, b) for a in IMOR for b in IMOR}
    for (first, second), result in tried.items():
        y, v = core.missing_outcomes("RR", [20], [40], [10], [40], [10], [10], imor1=first, imor2=second)
        fit = core.pool(y, v, tau2="common", interval="wald", prediction="none")
        assert result.estimate == pytest.approx(math.exp(fit.estimate))
        assert result.ci.low == pytest.approx(math.exp(fit.ci.low))
    assert found.range == (
        min(r.estimate for r in tried.values()),
        max(r.estimate for r in tried.values()),
    )


def test_the_tipping_point_is_where_the_interval_reaches_1(one):
    found = missing_participants_of(*one)
    x = found.tipping
    assert 1 < x < 4
    for at, outside in ((x * 0.999, True), (x * 1.001, False)):
        y, v = core.missing_outcomes("RR", [20], [40], [10], [40], [10], [10], imor1=1 / at, imor2=at)
        low = y[0] - 1.959963984540054 * math.sqrt(v[0])
        assert (low > 0) == outside
    assert f"{x:.2f}" in found.tipping_why


def test_an_effect_against_the_intervention_tips_the_other_way(tmp_path, spec_of):
    dataset = data(tmp_path, {"a-2001": record("a-2001", (10, 40), (20, 40), randomised=(50, 50))})
    found = missing_participants_of(run(spec_of(effect={"measure": "RR"}), dataset), dataset)
    assert found.by("worst-case").estimate == pytest.approx(1.0)
    assert 1 < found.tipping < 4


@pytest.mark.parametrize(
    ("ips", "tau", "why"),
    [
        ((12, 40), (10, 40), "the interval holds 1 as analysed"),
        ((30, 49), (8, 49), "none up to 4; in the worst case, all missing against the effect, the interval does not"),
    ],
)
def test_where_there_is_no_tipping_point_it_says_why(tmp_path, spec_of, ips, tau, why):
    dataset = data(tmp_path, {"a-2001": record("a-2001", ips, tau, randomised=(50, 50))})
    found = missing_participants_of(run(spec_of(effect={"measure": "RR"}), dataset), dataset)
    assert math.isnan(found.tipping)
    assert found.tipping_why.startswith(why)


def test_what_is_not_known_is_said_and_changes_nothing(tmp_path, spec_of):
    records = {
        "a-2001": record("a-2001", (20, 40), (10, 40), randomised=(50, 50)),
        "b-2002": record("b-2002", (22, 45), (11, 45)),
        "c-2003": record("c-2003", (25, 50), (10, 50), of="randomised"),
        "d-2004": record("d-2004", (25, 51), (10, 50), randomised=(50, 50)),
        "e-2005": record("e-2005", (22, 45), (11, 45), whole=80),
    }
    dataset = data(tmp_path, records)
    analysis = run(spec_of(effect={"measure": "RR"}), dataset)
    found = missing_participants_of(analysis, dataset)
    notes = {loss.label: loss.note for loss in found.trials}
    assert notes["A-2001"] == ""
    assert notes["B-2002"] == "randomised by arm is not known; 10 of 100 in all are not analysed"
    assert notes["C-2003"].startswith("counts all randomised")
    assert notes["D-2004"] == "more are analysed than were randomised"
    assert notes["E-2005"] == "randomised by arm is not known"
    assert found.unknown == ("B-2002", "C-2003", "D-2004", "E-2005")
    assert (found.randomised, found.analysed, found.missing) == (100, 80, 20)
    assert [math.isnan(loss.missing1) for loss in found.trials] == [False, True, True, True, True]
    assert all(any(label in note for note in found.notes) for label in notes if label != "A-2001")
    # only the first trial moves
    y = np.array(analysis.y)
    y[0] = math.log(2.0)
    v = np.array(analysis.v)
    v[0] = 0.11
    expected = core.small_k_pool(y, v).headline
    assert found.by("randomised-missing-as-failure").estimate == pytest.approx(math.exp(expected.estimate))


def test_where_nobody_is_missing_nothing_is_tried(tmp_path, spec_of):
    dataset = data(tmp_path, {"a-2001": record("a-2001", (20, 40), (10, 40), of="randomised")})
    found = missing_participants_of(run(spec_of(effect={"measure": "RR"}), dataset), dataset)
    assert [one.key for one in found.results] == ["analysed", "randomised-missing-as-failure", "worst-case"]
    assert {one.estimate for one in found.results} == {found.range[0]}
    assert found.tipping_why == "nobody is known to be missing"


def test_empty_cells_are_corrected_as_in_the_analysis(tmp_path, spec_of):
    dataset = data(tmp_path, {"a-2001": record("a-2001", (9, 40), (0, 40), randomised=(50, 50))})
    analysis = run(spec_of(effect={"measure": "OR"}), dataset)
    found = missing_participants_of(analysis, dataset)
    same = next(r for r in found.results if (r.imor1, r.imor2) == (1.0, 1.0))
    assert same.estimate == pytest.approx(analysis.shown(analysis.y[0]))


def test_risk_differences_are_not_moved_by_the_correction(tmp_path, spec_of):
    dataset = data(tmp_path, {"a-2001": record("a-2001", (10, 40), (0, 40), randomised=(50, 50))})
    found = missing_participants_of(run(spec_of(effect={"measure": "RD"}), dataset), dataset)
    assert found.by("randomised-missing-as-failure").estimate == pytest.approx(0.2)


def test_arms_are_found_again_by_their_labels(toy):
    combined = toy["gamma-2003"]
    assert [arm.id for arm in arms_of(combined, "tau + work")] == ["tau", "work"]
    assert [arm.id for arm in arms_of(combined, "ips")] == ["ips"]
    assert arms_of(combined, "nobody") == []


def test_other_measures_do_not_apply(toy, spec_of):
    found = missing_participants_of(run(spec_of(effect={"measure": "AS"}), toy), toy)
    assert isinstance(found, core.NotApplicable)


def test_tables_and_json(one):
    found = missing_participants_of(*one)
    assert all(len(cells) == len(found.columns) for cells in found.to_rows())
    assert len(found.to_rows()) == 3 + len(IMOR) ** 2
    assert json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.trials[0].to_rows()[0]) == len(found.trials[0].columns)
    assert dataclasses.is_dataclass(found)
