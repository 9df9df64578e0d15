import itertools
import json
import math
import tracemalloc

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.batch import BATCH_ESTIMATORS, fit_selections

from .reference import bcg, metafor
from .tolerances import ITERATED, PRINTED

REFERENCE = metafor("sensitivity")
CASES = [
    pytest.param(name, key, interval, id=f"{name}-{key}-{interval}")
    for name, fits in REFERENCE["fits"].items()
    for key, by_interval in fits.items()
    for interval in by_interval
]
TABLE = bcg()
Y, V = core.two_by_two("RR", TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])
ABLAT = np.column_stack([np.ones(13), TABLE["ablat"]])


def studies(name):
    return tuple(np.array(REFERENCE["sets"][name][key], dtype=float) for key in ("yi", "vi", "X"))


def close(found, expected, rel=ITERATED):
    found, expected = np.asarray(found, dtype=float), np.array(expected, dtype=float)
    assert found.shape == expected.shape
    # what does not apply to one study alone is nan here and 0 or 1 in metafor
    known = np.isfinite(found)
    np.testing.assert_allclose(found[known], expected[known], rtol=rel, atol=1e-9)
    assert known.sum() >= found.size - 1


def test_the_grid_is_complete():
    for fits in REFERENCE["fits"].values():
        assert set(fits) == {"common", "dl", "reml", "pm"}
        assert all(set(by_interval) == {"wald", "hksj"} for by_interval in fits.values())


@pytest.mark.parametrize(("name", "tau2", "interval"), CASES)
def test_series_agree_with_metafor(name, tau2, interval):
    y, v, _ = studies(name)
    expected = REFERENCE["fits"][name][tau2][interval]
    for kind, found in (
        ("leave_one_out", core.leave_one_out(y, v, tau2=tau2, interval=interval)),
        ("cumulative", core.cumulative(y, v, tau2=tau2, interval=interval)),
    ):
        for field in ("estimate", "se", "low", "high", "p", "q", "tau2", "i2", "h2"):
            if expected[kind][field] is not None and field in expected[kind]:
                close(getattr(found, field), expected[kind][field], rel=1e-5 if field == "p" else ITERATED)


@pytest.mark.parametrize("name", REFERENCE["fits"])
@pytest.mark.parametrize("tau2", ["common", "dl", "reml", "pm"])
@pytest.mark.parametrize("moderated", [False, True])
def test_influence_agrees_with_metafor(name, tau2, moderated):
    y, v, X = studies(name)
    found = core.influence(y, v, X if moderated else None, tau2=tau2)
    expected = REFERENCE["fits"][name][tau2]["wald"]["moderated" if moderated else "influence"]
    for field, values in expected.items():
        close(getattr(found, field), values, rel=1e-5)


@pytest.mark.parametrize("name", REFERENCE["fits"])
@pytest.mark.parametrize("tau2", ["common", "dl", "reml", "pm"])
def test_baujat_agrees_with_metafor(name, tau2):
    y, v, _ = studies(name)
    found = core.baujat(y, v, tau2=tau2)
    expected = REFERENCE["fits"][name][tau2]["wald"]["baujat"]
    close(found.x, expected["x"])
    close(found.y, expected["y"], rel=1e-5)


def test_influence_bcg():
    """Viechtbauer and Cheung 2010, Res Synth Methods 1:112-125: BCG, first study, REML."""
    found = core.influence(Y, V)
    first = {name: getattr(found, name)[0] for name in ("rstudent", "dffits", "cook", "cov_ratio", "hat")}
    assert first == pytest.approx(
        {
            "rstudent": -0.218142486,
            "dffits": -0.0407075475,
            "cook": 0.00171654134,
            "cov_ratio": 1.11644898615,
            "hat": 0.0505948273,
        },
        rel=2e-8,
    )
    assert found.tau2_deleted[0] == pytest.approx(0.336156701804, rel=1e-9)
    assert found.q_deleted[0] == pytest.approx(151.582572747, rel=1e-11)
    assert found.dfbetas[0, 0] == pytest.approx(-0.0402658892, rel=PRINTED)
    moderated = core.influence(Y, V, ABLAT)
    assert moderated.hat[:4] == pytest.approx([0.049023295, 0.149265843, 0.035142048, 0.348103266], rel=2e-8)
    assert moderated.cook[:4] == pytest.approx([0.00480423589, 0.0489041644, 0.0103949578, 0.249505131], rel=2e-8)


def test_leave_one_out_bcg():
    """BCG, REML, without the first study (metafor's leave1out)."""
    found = core.leave_one_out(Y, V, interval="wald")
    first = [found.estimate[0], found.se[0], found.tau2[0], found.i2[0]]
    assert first == pytest.approx([-0.707083785, 0.189961015, 0.336156702, 93.2259341], rel=PRINTED)
    assert isinstance(core.leave_one_out([1], [1]), core.NotApplicable)


def test_cumulative_by_year_bcg():
    """BCG, REML, by year of publication (metafor's cumul)."""
    found = core.cumulative(Y, V, order=np.argsort(TABLE["year"], kind="stable"), interval="wald")
    expected = [-0.889311334, -1.32500344, -0.972079932, -1.00109617, -1.10142579, -0.973463894, -0.9012511]
    expected += [-0.788565504, -0.865607439, -0.785210368, -0.708205992, -0.794767605, -0.714532342]
    assert list(found.estimate) == pytest.approx(expected, rel=PRINTED)
    assert math.isnan(found.tau2[0])
    with pytest.raises(core.InputError, match="order must hold each of the indices 0 to 12 once"):
        core.cumulative(Y, V, order=[0, 1])


def test_gosh_bcg():
    """All 8,191 common-effect fits of BCG (metafor's gosh)."""
    found = core.gosh(Y, V, tau2="common")
    assert found.exhaustive
    assert found.estimate.size == 8191
    summary = [found.estimate.mean(), found.estimate.std(ddof=1), found.estimate.min(), found.estimate.max()]
    expected = [-0.5148937058, 0.2932519764, -1.620898224, 0.4459134006]
    assert [*summary, found.i2.mean()] == pytest.approx([*expected, 83.26977773], rel=PRINTED)


def test_gosh_reml_agrees_with_metafor():
    y, v, _ = studies("collins")
    found = core.gosh(y, v)
    expected = REFERENCE["gosh"]["collins_reml"]
    np.testing.assert_allclose(np.sort(found.estimate), expected["estimate"], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(np.sort(found.i2), expected["i2"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("tau2", ["reml", "dl", "pm"])
def test_without_two_is_the_pool_of_the_others(tau2):
    found = core.leave_d_out(Y, V, d=2, tau2=tau2)
    assert str(found).startswith("78 selections without 2 studies: median")
    assert found.sizes.tolist() == [11] * 78
    for row, left in enumerate(itertools.combinations(range(13), 2)):
        kept = np.setdiff1d(np.arange(13), left)
        alone = core.pool(Y[kept], V[kept], tau2=tau2)
        assert [found.holds(study)[row] for study in range(13)] == np.isin(np.arange(13), kept).tolist()
        assert (found.estimate[row], found.tau2[row]) == pytest.approx((alone.estimate, alone.tau2), rel=1e-9)
        assert found.i2[row] == pytest.approx(alone.i2, rel=1e-9)


def test_without_one_is_leave_one_out_and_without_all_is_nothing():
    one = core.leave_one_out(Y, V)
    assert core.leave_d_out(Y, V, d=1).estimate == pytest.approx(one.estimate, rel=1e-9)
    assert isinstance(core.leave_d_out(Y[:2], V[:2]), core.NotApplicable)
    for wrong in ({"d": 0}, {"tau2": "genqm"}, {"chunk": 0}):
        with pytest.raises(core.InputError, match=next(iter(wrong))):
            core.leave_d_out(Y, V, **wrong)
    with pytest.raises(core.InputError, match="at most"):
        core.leave_d_out(np.tile(Y, 8), np.tile(V, 8), d=20)


def test_gosh_draws():
    many = core.gosh(Y, V, tau2="dl", subsets=500, seed=3)
    assert not many.exhaustive
    assert many.members.shape == (500, 2)
    assert many.sizes.mean() == pytest.approx(6.5, abs=0.3)
    assert np.array_equal(many.estimate, core.gosh(Y, V, tau2="dl", subsets=500, seed=3).estimate)
    few = core.gosh(Y[:2], V[:2], tau2="dl", subsets=2)
    assert few.sizes.min() >= 1
    long = core.gosh(np.tile(Y, 2), np.tile(V, 2), tau2="common")
    assert not long.exhaustive
    assert long.estimate.size == 100_000
    assert [long.holds(study).mean() for study in range(26)] == pytest.approx([0.5] * 26, abs=0.01)
    with pytest.raises(core.InputError, match="subsets must be at most"):
        core.gosh(np.tile(Y, 6), np.tile(V, 6), subsets=2**80)
    assert core.gosh(Y[:3], V[:3], subsets=7).exhaustive
    with pytest.raises(core.InputError, match="subsets must be 'auto' or a number"):
        core.gosh(Y, V, subsets="all")
    with pytest.raises(core.InputError, match="tau2 must be one of"):
        core.gosh(Y, V, tau2="genqm")


def test_more_fits_than_the_memory_holds(monkeypatch):
    def empty(*_, **__):
        raise MemoryError

    monkeypatch.setattr("ipsevidence.core.subsets.np.empty", empty)
    with pytest.raises(core.InputError, match=r"subsets asks for 1,000 fits, which the memory does not hold"):
        core.gosh(Y, V, subsets=1000)
    with pytest.raises(core.InputError, match="d asks for 78 fits"):
        core.leave_d_out(Y, V, d=2)


def test_fits_take_no_memory_but_their_result():
    def beyond_the_result(fits):
        tracemalloc.start()
        found = core.gosh(np.tile(Y, 2), np.tile(V, 2), tau2="dl", subsets=fits)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak - sum(array.nbytes for array in (found.estimate, found.tau2, found.i2, found.members))

    beyond_the_result(100)
    assert beyond_the_result(200_000) == pytest.approx(beyond_the_result(20_000), abs=200_000)  # of 5.6 MB of result


@pytest.mark.parametrize("tau2", BATCH_ESTIMATORS)
def test_many_fits_are_the_single_fits(tau2):
    generator = np.random.default_rng(1)
    y, v = Y.copy(), V.copy()
    v[4] *= 1e6
    chosen = generator.random((60, 13)) < 0.4
    chosen = chosen[chosen.sum(axis=1) > 1]
    many = fit_selections(y, v, chosen, tau2=tau2)
    for row, estimate, se, found, q, i2 in zip(chosen, many.estimate, many.se, many.tau2, many.q, many.i2, strict=True):
        one = core.pool(y[row], v[row], tau2=tau2, interval="wald", prediction="none")
        assert [estimate, se, q] == pytest.approx([one.estimate, one.se, one.q], rel=1e-9)
        assert [found, i2] == pytest.approx([one.tau2, one.i2], rel=1e-8, abs=1e-10)


def test_many_fits_of_identical_effects():
    chosen = np.array([[True, True, True], [True, False, False]])
    for tau2 in BATCH_ESTIMATORS:
        many = fit_selections(np.ones(3), np.array([1.0, 2, 3]), chosen, tau2=tau2)
        assert list(many.tau2) == [0, 0]
        assert list(many.estimate) == [1, 1]
        assert list(many.i2) == [0, 0]


def test_too_few_studies():
    assert isinstance(core.influence([1, 2], [1, 1]), core.NotApplicable)
    assert isinstance(core.baujat([1, 2], [1, 1]), core.NotApplicable)


def test_a_study_that_carries_a_coefficient_alone():
    X = np.column_stack([np.ones(6), [1, 0, 0, 0, 0, 0]])
    found = core.influence(Y[:6], V[:6], X)
    assert np.isnan(found.cook[0])
    assert np.isfinite(found.cook[1:]).all()
    assert found.influential[0]


@pytest.mark.parametrize(
    "result",
    [
        core.leave_one_out(Y, V),
        core.cumulative(Y, V),
        core.influence(Y, V),
        core.baujat(Y, V),
        core.gosh(Y[:4], V[:4]),
        core.gosh(Y, V, tau2="dl", subsets=9),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_can_be_read_and_written(result):
    assert str(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert {len(row) for row in result.to_rows()} == {len(result.columns)}
    assert result._repr_html_().startswith("<table>")
