import json
import math

import numpy as np
import pytest
from scipy import special

from ipsevidence import core

from .reference import bcg

TABLE = bcg()
COUNTS = [TABLE[name] for name in ("ai", "n1i", "ci", "n2i")]
Y, V = core.two_by_two("RR", *COUNTS)
FIT = core.pool([0.5, 0.9, 0.7], [0.04, 0.05, 0.03], tau2="dl", interval="wald")
DOUBT = core.pool([0.5, -0.4, 0.1], [0.04, 0.05, 0.03], interval="hksj-adhoc")


def test_an_odds_ratio_at_a_known_baseline():
    found = core.absolute_effect(FIT, "OR", 0.25)
    odds = 0.25 / 0.75 * np.exp([FIT.estimate, FIT.ci.low, FIT.ci.high])
    risk = odds / (1 + odds)
    assert [found.risk, found.risk_ci.low, found.risk_ci.high] == pytest.approx(risk)
    assert [found.difference, found.difference_ci.low, found.difference_ci.high] == pytest.approx(risk - 0.25)
    assert found.nnt == pytest.approx(1 / (risk[0] - 0.25))
    low, high = (1 / (risk[j] - 0.25) for j in (2, 1))
    assert found.nnt_text == f"NNTB {found.nnt:.1f} ({low:.1f} to {high:.1f})"
    assert found.notes == ()


def test_a_risk_ratio_never_exceeds_100_of_100():
    found = core.absolute_effect(FIT, "RR", 0.6)
    assert found.risk == found.risk_ci.high == 1
    assert "cut there" in found.notes[0]
    assert core.absolute_effect(FIT, "RD", 0.5).risk == 1


def test_no_number_needed_to_treat_in_doubt():
    assert core.absolute_effect(DOUBT, "OR", 0.3).nnt_text == ""
    told = core.absolute_effect(DOUBT, "OR", 0.3, nnt_beyond_doubt=False).nnt_text
    assert told.startswith("NNTB")
    assert "to ∞ to" in told
    none = core.pool([0, 0], [1, 1], tau2="common", interval="wald")
    zero = core.absolute_effect(none, "RD", 0.3, nnt_beyond_doubt=False)
    assert math.isinf(zero.nnt)
    assert zero.nnt_text.startswith("∞")


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize("interval", ["wald", "hksj"])
def test_the_uncertainty_of_the_baseline_joins_that_of_the_effect(measure, interval):
    """Against a seeded simulation of both."""
    fit = core.pool([0.05, 0.12, 0.08, 0.09], [0.004, 0.005, 0.003, 0.004], interval=interval)
    found = core.absolute_effect(fit, measure, 0.3, baseline_se=0.3)
    generator = np.random.default_rng(5)
    n = 400_000
    base = special.expit(special.logit(0.3) + 0.3 * generator.standard_normal(n))
    deviate = generator.standard_normal(n) if interval == "wald" else generator.standard_t(fit.df, n)
    effect = fit.estimate + fit.se * deviate
    risk = {
        "OR": special.expit(special.logit(base) + effect),
        "RR": np.minimum(1, base * np.exp(effect)),
        "RD": np.clip(base + effect, 0, 1),
    }[measure]
    assert [found.difference_ci.low, found.difference_ci.high] == pytest.approx(
        np.quantile(risk - base, [0.025, 0.975]), abs=2e-3
    )
    assert [found.risk_ci.low, found.risk_ci.high] == pytest.approx(np.quantile(risk, [0.025, 0.975]), abs=2e-3)


def test_an_almost_known_baseline_is_a_known_one():
    known, almost = (core.absolute_effect(FIT, "OR", 0.25, baseline_se=se) for se in (0, 1e-9))
    assert almost.difference_ci.low == pytest.approx(known.difference_ci.low, rel=1e-7)
    assert almost.risk_ci.high == pytest.approx(known.risk_ci.high, rel=1e-7)


def test_a_pool_without_an_interval_has_no_absolute_effect():
    assert "no interval" in core.absolute_effect(core.pool([1], [1]), "OR", 0.3).reason
    with pytest.raises(core.InputError, match="baseline must be a number"):
        core.absolute_effect(FIT, "OR", 1)
    with pytest.raises(core.InputError, match="measure must be one of"):
        core.absolute_effect(FIT, "AS", 0.5)


def test_share_of_true_effects():
    """Against the definition: calibrated effects beyond the threshold."""
    fit = core.pool(Y, V, tau2="reml")
    calibrated = fit.estimate + np.sqrt(fit.tau2 / (fit.tau2 + V)) * (Y - fit.estimate)
    found = core.proportion_beyond(Y, V, math.log(0.8), tail="below", draws=200)
    assert found.calibrated == pytest.approx(calibrated)
    assert found.share == (calibrated < math.log(0.8)).mean()
    assert found.ci.low <= found.share <= found.ci.high
    assert found.notes == ()
    other = core.proportion_beyond(Y, V, math.log(0.8), draws=200)
    assert other.share == pytest.approx(1 - found.share)
    again = core.proportion_beyond(Y, V, math.log(0.8), draws=200)
    assert (again.ci.low, again.ci.high) == (other.ci.low, other.ci.high)


def test_share_without_heterogeneity_or_with_one_study():
    found = core.proportion_beyond([0.1, 0.12], [1, 1], 0)
    assert found.share == 1
    assert found.ci.missing
    assert "not advised below 10" in found.notes[0]
    assert isinstance(core.proportion_beyond([1], [1], 0), core.NotApplicable)


def test_e_values():
    """VanderWeele and Ding 2017, Ann Intern Med 167:268-274: 3.9 (1.8 to 8.7) and 0.80 (0.71 to 0.91)."""
    feeding = core.e_value("RR", 3.9, 1.8, 8.7)
    assert [feeding.estimate, feeding.ci] == pytest.approx([7.26, 3.0], abs=5e-3)
    leukaemia = core.e_value("RR", 0.80, 0.71, 0.91)
    assert [leukaemia.estimate, leukaemia.ci] == pytest.approx([1.81, 1.43], abs=5e-3)
    assert core.e_value("RR", 1.2, 0.9, 1.6).ci == 1
    common, rare = core.e_value("OR", 4, 2, 8), core.e_value("OR", 4, 2, 8, rare=True)
    assert common.estimate == core.e_value("RR", 2, 1, 3).estimate
    assert rare.estimate == core.e_value("RR", 4, 2, 8).estimate
    with pytest.raises(core.InputError, match="estimate must lie between low and high"):
        core.e_value("RR", 3, 1, 2)


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
def test_missing_outcomes_at_the_ends(measure):
    ai, n1i, ci, n2i = ([12, 30], [50, 80], [7, 22], [45, 81])
    lost1, lost2 = [10, 0], [5, 9]
    observed = core.missing_outcomes(measure, ai, n1i, ci, n2i, lost1, lost2)
    plain = core.two_by_two(measure, ai, n1i, ci, n2i)
    for found, expected in zip(observed, plain, strict=True):
        assert found == pytest.approx(expected)
    failures = core.missing_outcomes(measure, ai, n1i, ci, n2i, lost1, lost2, imor1=0, imor2=0)
    larger = np.add(n1i, lost1), np.add(n2i, lost2)
    for found, expected in zip(failures, core.two_by_two(measure, ai, larger[0], ci, larger[1]), strict=True):
        assert found == pytest.approx(expected)
    events = core.missing_outcomes(measure, ai, n1i, ci, n2i, lost1, lost2, imor1=1e12, imor2=1e12)
    all_events = core.two_by_two(measure, np.add(ai, lost1), larger[0], np.add(ci, lost2), larger[1])
    for found, expected in zip(events, all_events, strict=True):
        assert found == pytest.approx(expected, rel=1e-6)


def test_missing_outcomes_move_with_their_odds_ratio():
    y = [core.missing_outcomes("OR", [12], [50], [7], [45], [10], [5], imor1=imor)[0][0] for imor in (0.25, 1, 4)]
    assert y == sorted(y)
    with pytest.raises(core.InputError, match="missing1 must be finite and at least 0; got -1"):
        core.missing_outcomes("OR", [12], [50], [7], [45], [-1], [5])
    assert np.isnan(core.missing_outcomes("OR", [0], [50], [7], [45], [0], [5])[0]).all()
    assert np.isfinite(core.missing_outcomes("OR", [50], [50], [7], [45], [3], [5], imor1=0)[0]).all()


@pytest.mark.parametrize(
    "result",
    [
        core.absolute_effect(FIT, "RR", 0.6),
        core.proportion_beyond([0.1, 0.12], [1, 1], 0),
        core.e_value("RR", 2, 1.5, 3),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_can_be_read_and_written(result):
    assert str(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert {len(row) for row in result.to_rows()} == {len(result.columns)}
