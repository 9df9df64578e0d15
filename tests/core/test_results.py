import dataclasses
import json
import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.results import Result, _plain, number, p_value

from .reference import VIECHTBAUER_1

FIT = core.pool(*VIECHTBAUER_1)
SINGLE = core.pool([0.5], [0.04])
RESULTS = [
    FIT,
    SINGLE,
    core.tau2_interval(*VIECHTBAUER_1),
    core.tau2_interval([1], [1]),
    core.q_test(*VIECHTBAUER_1),
]


@pytest.mark.parametrize("result", [*RESULTS, core.NotApplicable(reason="too few studies")])
def test_every_result_can_be_read_shown_and_written(result):
    assert str(result)
    assert result._repr_html_().startswith("<")
    json.dumps(result.to_dict(), allow_nan=False)
    assert all(isinstance(row, tuple) for row in result.to_rows())
    first_field = dataclasses.fields(result)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(result, first_field, "changed")


@pytest.mark.parametrize("result", RESULTS)
def test_rows_fit_their_columns(result):
    assert {len(row) for row in result.to_rows()} == {len(result.columns)}


def test_a_pooled_result_reads_as_a_block():
    lines = str(FIT).splitlines()
    assert lines[0] == "10 studies, random effects, tau2 reml, interval hksj"
    assert "95% CI" in lines[2]
    assert "t(9) =" in lines[3]
    wald = str(core.pool(*VIECHTBAUER_1, tau2="common", interval="wald"))
    assert "common effect" in wald
    assert "z =" in wald
    assert str(SINGLE).startswith("1 study,")
    assert "note: One study" in str(SINGLE)


def test_arrays_cannot_be_changed_from_outside():
    y, v = np.array([0.1, 0.4]), np.array([0.1, 0.2])
    fit = core.pool(y, v)
    y[0] = 99
    assert fit.y[0] == 0.1
    with pytest.raises(ValueError, match="read-only"):
        fit.y[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        fit.weights[0] = 1


def test_json_has_none_for_nan_and_lists_for_arrays():
    plain = SINGLE.to_dict()
    assert plain["tau2"] is None
    assert plain["y"] == [0.5]
    assert plain["ci"] == {"low": None, "high": None, "level": 0.95, "why": SINGLE.ci.why}
    assert plain["settings"]["tau2"] == "reml"


def test_plain_values_go_deep():
    assert _plain({"a": np.float64(2), 1: (np.inf, "x", None, True)}) == {
        "a": 2.0,
        "1": [None, "x", None, True],
    }
    assert _plain(core.PooledResult) is core.PooledResult


def test_intervals():
    whole = core.Interval(low=1.0, high=2.0, level=0.95)
    assert not whole.missing
    assert str(whole) == "1.0000 to 2.0000"
    assert whole.to_dict() == {"low": 1.0, "high": 2.0, "level": 0.95, "why": ""}
    missing = core.Interval(low=math.nan, high=math.nan, level=0.95, why="k < 3")
    assert missing.missing
    assert str(missing) == "– (k < 3)"
    assert str(core.Interval(low=math.nan, high=math.nan, level=0.95)) == "–"


def test_an_empty_interval_says_so():
    bounds = core.tau2_interval([0.1, 0.1001, 0.0999, 0.1], [1, 1, 1, 1])
    assert (bounds.low, bounds.high) == (0, 0)
    assert "empty" in bounds.why
    assert "empty" in str(bounds)


def test_test_results():
    test = core.TestResult(
        name="T", null="no effect", distribution="z", statistic=2.0, df=math.nan, p=0.0455, notes=("few",)
    )
    assert str(test) == "T: z = 2.0000, p = 0.0455 (null: no effect)\n  note: few"
    assert "chi2(9)" in str(core.q_test(*VIECHTBAUER_1))
    assert not core.TestResult.__test__


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.0000"), (-0.71453, "-0.7145"), (4.14154e-15, "4.142e-15"), (2e8, "2e+08"), (math.nan, "–")],
)
def test_numbers_are_readable_at_any_scale(value, text):
    assert number(value) == text


def test_p_values():
    assert p_value(0.00001) == "< 0.0001"
    assert p_value(0.25) == "= 0.2500"
    assert p_value(math.nan) == "= –"


def test_a_result_without_rows_is_not_finished():
    with pytest.raises(NotImplementedError):
        Result().to_rows()
