"""Slopes of the effect: from ten studies on, by Knapp and Hartung, and never on observed control risks."""

import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.moderation import FEWEST, moderated
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.spec import MODERATORS, Model, Moderator

YEARS = np.arange(2000, 2012)
Y = 0.1 + 0.03 * (YEARS - 2000) + np.tile([0.2, -0.2], 6)
V = np.linspace(0.02, 0.08, 12)


def rows(k=12, *, year=True):
    return tuple(
        StudyRow(
            id=f"s{i}",
            label=f"S{i}",
            counts=Counts(events1=20 + i, n1=50, events2=5 + i, n2=50 + 2 * i),
            extra={"year": float(YEARS[i])} if year else {},
        )
        for i in range(k)
    )


def test_the_slope_is_that_of_the_regression_whatever_the_origin():
    fit, *_ = moderated((Moderator(by="year"),), rows(), Y, V, Model())
    whole = core.meta_regression(Y, V, np.column_stack([np.ones(12), YEARS]), tau2="reml", interval="hksj")
    assert fit.slope == pytest.approx(whole.coefficients[1], rel=1e-6)
    assert (fit.low, fit.high) == pytest.approx((whole.low[1], whole.high[1]), rel=1e-6)
    assert fit.p == pytest.approx(whole.p[1], rel=1e-5)
    assert 0 < fit.p_permutation <= 1
    assert fit.because == ""


@pytest.mark.parametrize("by", list(MODERATORS))
def test_no_regression_below_ten(by):
    (fit,) = moderated((Moderator(by=by),), rows(9), Y[:9], V[:9], Model())
    assert f"below {FEWEST}" in fit.because
    assert math.isnan(fit.slope)


def test_what_is_missing_or_constant_is_said():
    fits = moderated((Moderator(by="year"), Moderator(by="months")), rows(year=False), Y, V, Model())
    assert all(fit.k == 0 and fit.because for fit in fits)
    same = tuple(
        StudyRow(id=f"s{i}", label="S", y=0.0, v=1.0, participants=80.0, extra={"year": 2000.0}) for i in range(12)
    )
    (fit,) = moderated((Moderator(by="year"),), same, Y, V, Model())
    assert fit.because == "the same in every study"


def test_control_risk_goes_through_the_bivariate_model():
    (fit,) = moderated((Moderator(by="control-risk"),), rows(), Y, V, Model())
    cells = np.array([[r.counts.events1, r.counts.n1, r.counts.events2, r.counts.n2] for r in rows()]).T
    model = core.control_risk(*cells)
    if isinstance(model, core.NotApplicable):
        assert fit.because == model.reason
    else:
        assert fit.slope == model.slope
        assert (fit.low, fit.high) == (model.slope_ci.low, model.slope_ci.high)
    assert math.isnan(fit.p_permutation)


def test_participants_count_in_hundreds():
    (fit,) = moderated((Moderator(by="participants"),), rows(), Y, V, Model())
    x = np.array([1.0 + 0.02 * i for i in range(12)])
    whole = core.meta_regression(Y, V, np.column_stack([np.ones(12), x]), tau2="reml", interval="hksj")
    assert fit.slope == pytest.approx(whole.coefficients[1], rel=1e-6)
    assert fit.to_rows()[0][0] == MODERATORS["participants"]
    assert fit.to_dict()["k"] == 12
