import json

import mpmath
import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.three_level import _downhill, _Nested
from ipsevidence.core.weighting import RegressionModel

from .reference import metafor
from .tolerances import ITERATED, PRINTED

REFERENCE = metafor("multilevel")
CASES = [pytest.param(case, id=f"{case['set']}-{case['moderated']}-{case['method']}") for case in REFERENCE["cases"]]
KONSTANTOPOULOS = REFERENCE["sets"]["konstantopoulos"]


def fitted(data, *, moderated=False, **options):
    y, v, X = (np.array(data[key], dtype=float) for key in ("yi", "vi", "X"))
    return core.multilevel(y, v, data["outer"], data["inner"], X if moderated else None, **options)


def test_the_grid_is_complete():
    kinds = {(case["set"], case["moderated"], case["method"]) for case in REFERENCE["cases"]}
    assert len(kinds) == len(REFERENCE["cases"]) == len(REFERENCE["sets"]) * 2 * 2 == 20


@pytest.mark.parametrize("case", CASES)
def test_agrees_with_metafor(case):
    data = REFERENCE["sets"][case["set"]]
    fit = fitted(data, moderated=case["moderated"], method=case["method"])
    # metafor searches by nlminb, which leaves half of the digits of a variance; the likelihood has them all
    assert fit.log_likelihood == pytest.approx(case["log_likelihood"], rel=1e-9, abs=1e-9)
    assert fit.log_likelihood >= case["log_likelihood"] - 1e-9
    near = 1e-6 * np.median(data["vi"])
    assert [fit.outer_variance, fit.inner_variance] == pytest.approx(case["sigma2"], rel=5e-5, abs=near)
    np.testing.assert_allclose(fit.coefficients, case["estimate"], rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(fit.se, case["se"], rtol=1e-5)
    assert fit.q == pytest.approx(case["q"], rel=ITERATED)


@pytest.mark.parametrize(
    ("method", "estimate", "variances", "more"),
    [
        ("reml", 0.184713164, [0.0650619443, 0.032736517], {"se": 0.0845559187, "log_likelihood": -7.95872403}),
        ("ml", 0.184455384, [0.0577383589, 0.0328647919], {}),
    ],
)
def test_konstantopoulos_2011(method, estimate, variances, more):
    """Konstantopoulos 2011, Res Synth Methods 2:61-76: 56 schools in 11 districts."""
    fit = fitted(KONSTANTOPOULOS, method=method)
    assert fit.coefficients[0] == pytest.approx(estimate, rel=PRINTED)
    # metafor's variances are those at which nlminb stopped, seven digits away from the maximum: see below
    assert [fit.outer_variance, fit.inner_variance] == pytest.approx(variances, rel=5e-8)
    for name, value in more.items():
        assert np.ravel(getattr(fit, name))[0] == pytest.approx(value, rel=2e-8)


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_konstantopoulos_to_thirty_digits(method):
    """The variances at which both derivatives of the likelihood vanish."""
    units = {}
    for y, v, label in zip(*(KONSTANTOPOULOS[key] for key in ("yi", "vi", "outer")), strict=True):
        units.setdefault(label, []).append((mpmath.mpf(y), mpmath.mpf(v)))

    def deviance(outer, inner):
        value, parts = mpmath.mpf(0), []
        for unit in units.values():
            w = [1 / (v + inner) for _, v in unit]
            c = mpmath.fsum(w)
            mean = mpmath.fsum(wi * y for wi, (y, _) in zip(w, unit, strict=True)) / c
            value += mpmath.fsum(wi * (y - mean) ** 2 - mpmath.log(wi) for wi, (y, _) in zip(w, unit, strict=True))
            value += mpmath.log(1 + outer * c)
            parts.append((c / (1 + outer * c), mean))
        total = mpmath.fsum(c for c, _ in parts)
        mean = mpmath.fsum(c * m for c, m in parts) / total
        value += mpmath.fsum(c * (m - mean) ** 2 for c, m in parts)
        return value + (mpmath.log(total) if method == "reml" else 0)

    fit = fitted(KONSTANTOPOULOS, method=method)
    with mpmath.workdps(30):
        step = mpmath.mpf("1e-9")

        def slopes(a, b):
            return [
                (deviance(a + step, b) - deviance(a - step, b)) / step,
                (deviance(a, b + step) - deviance(a, b - step)) / step,
            ]

        exact = mpmath.findroot(slopes, (fit.outer_variance, fit.inner_variance), tol=1e-20)
    assert [fit.outer_variance, fit.inner_variance] == pytest.approx([float(x) for x in exact], rel=1e-10)


def test_one_inner_variance_alone_is_a_pool():
    """With the outer variance at 0 the three levels are two."""
    rng = np.random.default_rng(4)
    y, v = rng.normal(size=30), rng.uniform(0.1, 0.5, 30)
    y[::2], y[1::2] = np.abs(y[::2]), -np.abs(y[1::2])  # partners differ more than pairs do
    for method in ("reml", "ml"):
        fit = core.multilevel(y, v, np.arange(30) // 2, range(30), method=method)
        pooled = core.pool(y, v, tau2=method, interval="wald")
        assert fit.outer_variance == 0
        assert [fit.inner_variance, fit.coefficients[0], fit.se[0]] == pytest.approx(
            [pooled.tau2, pooled.estimate, pooled.se], rel=1e-8
        )
        assert fit.i2_inner == pytest.approx(pooled.i2, rel=1e-8)


def test_the_highest_of_several_maxima_wins():
    """Against the likelihood itself, on a fine grid, for data with odd shapes."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        k = int(rng.integers(5, 12))
        outer = np.sort(rng.integers(0, 4, k))
        v = 10.0 ** rng.uniform(-4, 1, k)
        y = rng.normal(size=k) * 10.0 ** rng.uniform(-2, 1)
        restricted = bool(seed % 2)
        found = core.multilevel(y, v, outer.tolist(), range(k), method="reml" if restricted else "ml")
        if isinstance(found, core.NotApplicable):
            continue
        same = outer[:, None] == outer
        axis = np.concatenate([[0.0], np.geomspace(1e-6, 1e3, 70)])
        one = np.ones(k)
        best = -np.inf
        for a in axis:
            inverse = np.linalg.inv(np.diag(v) + a * same + axis[:, None, None] * np.eye(k))
            total = one @ inverse @ one
            left = y - (one @ inverse @ y / total)[:, None]
            q = np.einsum("mi,mij,mj->m", left, inverse, left)
            n = k - restricted
            value = -0.5 * (n * np.log(2 * np.pi) - np.linalg.slogdet(inverse)[1] + q)
            value += restricted * 0.5 * (np.log(k) - np.log(total))
            best = max(best, value.max())
        assert found.log_likelihood >= best - 1e-9


@pytest.mark.parametrize("scale", [1e-8, 1e8])
def test_the_unit_does_not_matter(scale):
    y, v = (np.array(KONSTANTOPOULOS[key]) for key in ("yi", "vi"))
    scaled = {**KONSTANTOPOULOS, "yi": scale * y, "vi": scale**2 * v}
    found, whole = fitted(scaled), fitted(KONSTANTOPOULOS)
    assert found.outer_variance / scale**2 == pytest.approx(whole.outer_variance, rel=1e-9)
    assert found.inner_variance / scale**2 == pytest.approx(whole.inner_variance, rel=1e-9)
    assert found.se / scale == pytest.approx(whole.se, rel=1e-9)


def test_order_labels_origin_and_sign_do_not_matter():
    whole = fitted(KONSTANTOPOULOS)
    y, v = (np.array(KONSTANTOPOULOS[key]) for key in ("yi", "vi"))
    order = np.random.default_rng(3).permutation(y.size)
    outer = [f"district {KONSTANTOPOULOS['outer'][j]}" for j in order]
    inner = [KONSTANTOPOULOS["inner"][j] for j in order]
    found = core.multilevel(-100 - y[order], v[order], outer, inner)
    assert -100 - found.coefficients[0] == pytest.approx(whole.coefficients[0], rel=1e-9)
    assert found.outer_variance == pytest.approx(whole.outer_variance, rel=1e-9)


def test_the_same_label_in_two_outer_units_means_two_units():
    y, v = [0.1, 0.2, 0.7, 0.9, -0.1, 0.1], [0.01] * 6
    outer = [1, 1, 2, 2, 3, 3]
    reused, own = core.multilevel(y, v, outer, [1, 2] * 3), core.multilevel(y, v, outer, range(6))
    assert reused.inner_units == own.inner_units == 6
    assert reused.outer_variance == own.outer_variance


def test_corners():
    same = core.multilevel([0.3] * 6, np.linspace(0.1, 0.9, 6), [1, 1, 2, 2, 3, 3], range(6))
    assert (same.outer_variance, same.inner_variance, same.q) == (0, 0, 0)
    far = core.multilevel([0.1, 0.3, 0.2, 0.9, -1, 0], [1e-8, 1, 1, 2, 1, 3], [1, 1, 2, 2, 3, 3], range(6))
    assert np.isfinite([far.outer_variance, far.inner_variance, far.se[0]]).all()
    wide = fitted(KONSTANTOPOULOS, level=0.99)
    assert wide.high[0] > fitted(KONSTANTOPOULOS).high[0]


def test_what_cannot_be_told_apart():
    y, v = [0.1, 0.5, 0.3, 0.2], [0.1] * 4
    assert "at least three effects" in core.multilevel(y[:2], v[:2], [1, 1], [1, 2]).reason
    assert "cannot be told apart" in core.multilevel(y, v, [1, 2, 3, 4], [1, 1, 1, 1]).reason
    marks = np.column_stack([[1, 1, 0, 0], [0, 0, 1, 1]])
    assert "between outer units" in core.multilevel(y, v, [1, 1, 2, 2], range(4), marks).reason


def test_where_the_surface_bends_the_other_way_the_step_still_leads_down():
    gradient, bend = np.array([1.0, -2.0]), np.array([[-1.0, 0.0], [0.0, 1.0]])
    step = _downhill(gradient, bend, np.array([[2.0, 0.5], [0.5, 1.0]]))
    assert gradient @ step < 0


def test_a_step_that_leads_up_is_shortened():
    y, v = (np.array(KONSTANTOPOULOS[key]) for key in ("yi", "vi"))
    model = RegressionModel(y, v, np.ones((y.size, 1)))
    nested = _Nested(model, KONSTANTOPOULOS["outer"], KONSTANTOPOULOS["inner"], restricted=True)
    at = np.array([1.0, 1.0])
    height = nested.deviance(at[None])[0]
    gradient, _, _ = nested.derivatives(at)
    new, now = nested._along(at, -1e9 * np.sign(gradient), height, sure=False)
    assert now <= height
    assert (new >= 0).all()


def test_wrong_input():
    with pytest.raises(core.InputError, match="outer must have as many entries as y"):
        core.multilevel([1, 2], [1, 1], [1], [1, 2])
    with pytest.raises(core.InputError, match="inner must have as many entries as y"):
        core.multilevel([1, 2], [1, 1], [1, 1], [1])
    with pytest.raises(core.InputError, match="method must be one of"):
        core.multilevel([1, 2], [1, 1], [1, 1], [1, 2], method="dl")


def test_results_are_written():
    fit = fitted(KONSTANTOPOULOS, moderated=True)
    assert "Few outer units" not in str(fit)
    assert "Few outer units" in fitted(REFERENCE["sets"]["no_variance"]).notes[0]
    assert "56 effects in 56 inner and 11 outer units" in str(fit)
    json.dumps(fit.to_dict(), allow_nan=False)
    assert {len(row) for row in fit.to_rows()} == {len(fit.columns)}


def test_variances_too_unlike_for_doubles():
    for y, v in (([-1.4, 0.2, -0.9], [1e-26, 1e-4, 1e27]), ([0.0, 1.0, 1e9], [1.0, 1.0, 1.0])):
        assert "lost in rounding" in core.multilevel(y, v, [0, 0, 1], [0, 1, 2]).reason
