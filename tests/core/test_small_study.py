import json

import mpmath
import numpy as np
import pytest

from ipsevidence import core

from .reference import bcg, counts, effects, metafor
from .tolerances import ITERATED, PRINTED

CASES = {f"{case['set']}-{case['measure']}": case for case in metafor("small_study")["cases"]}
each_case = pytest.mark.parametrize("name", CASES)
TABLE = bcg()
COUNTS = [TABLE[column] for column in ("ai", "n1i", "ci", "n2i")]
Y, V = core.two_by_two("RR", *COUNTS)
# metafor's optimiser stops here: its likelihoods are never above ours
OPTIMISED = 1e-5


def studies(name):
    return np.array(CASES[name]["yi"]), np.array(CASES[name]["vi"])


@each_case
def test_funnel_tests_agree_with_metafor(name):
    case = CASES[name]
    y, v = studies(name)
    for key, found in (
        ("egger_lm", core.egger(y, v)),
        ("egger_mixed", core.egger_mixed(y, v)),
        ("egger_common", core.egger_mixed(y, v, tau2="common")),
    ):
        assert found.statistic == pytest.approx(case[key]["statistic"], rel=ITERATED)
        assert found.p == pytest.approx(case[key]["p"], rel=1e-5)
    ranks = core.begg(y, v)
    assert [ranks.estimate, ranks.p] == pytest.approx([case["rank"]["tau"], case["rank"]["p"]], rel=1e-9)


@each_case
def test_trim_and_fill_agrees_with_metafor(name):
    y, v = studies(name)
    assert len(CASES[name]["trim"]) >= 6
    for key, expected in CASES[name]["trim"].items():
        tau2, estimator = key.split(".")
        found = core.trim_and_fill(y, v, tau2=tau2, estimator=estimator)
        assert (found.k0, found.side) == (expected["k0"], expected["side"])
        fit = found.fit
        near = ITERATED * fit.se
        assert [fit.estimate, fit.ci.low, fit.ci.high] == pytest.approx(
            [expected["estimate"], expected["low"], expected["high"]], rel=ITERATED, abs=near
        )
        assert found.filled.sum() == found.k0


@each_case
def test_pet_peese_agrees_with_weighted_regression(name):
    found = core.pet_peese(*studies(name))
    for kind in ("pet", "peese"):
        intercept, slope = getattr(found, kind), getattr(found, f"{kind}_slope")
        mine = [intercept.estimate, intercept.se, intercept.p, slope.estimate, slope.se, slope.p]
        names = ("intercept", "se", "p", "slope", "slope_se", "slope_p")
        assert mine == pytest.approx([CASES[name][kind][field] for field in names], rel=1e-8)
    assert found.estimate == getattr(found, found.chosen).estimate
    assert (found.chosen == "peese") == (found.pet.p < 0.1)


def test_egger_2001():
    """Egger et al 2001: intravenous magnesium, odds ratios (metafor's test of publication bias)."""
    y, v = studies("egger2001-OR")
    assert core.egger_mixed(y, v).statistic == pytest.approx(-4.66863563, rel=PRINTED)
    assert core.egger(y, v).statistic == pytest.approx(-5.78462136, rel=PRINTED)
    ranks = core.begg(y, v)
    assert [ranks.estimate, ranks.p] == pytest.approx([0.15, 0.450284886], rel=PRINTED)


def test_egger_by_size():
    """The same trials, and BCG, on 1/sqrt(n): metafor 3.8-1, regtest(model = "lm", predictor = "sqrtninv")."""
    table = counts("egger2001")
    y, v = core.two_by_two("OR", *table)
    found = core.egger(y, v, sizes=table[1] + table[3])
    assert (found.name, found.df) == ("Egger, by size", 14)
    assert [found.statistic, found.p] == pytest.approx([-5.60829148, 6.45087415e-05], rel=PRINTED)
    for measure, statistic, p in (
        ("RR", -2.6259760819329, 0.0235759074535),
        ("OR", -2.8362059276885, 0.0161913964581),
    ):
        found = core.egger(*core.two_by_two(measure, *COUNTS), sizes=COUNTS[1] + COUNTS[3])
        assert [found.statistic, found.p] == pytest.approx([statistic, p], rel=1e-10)
    assert "different standard errors" in core.egger(Y, V, sizes=[50] * 13).reason


def test_bcg():
    """BCG: Egger and Begg on risk ratios, Harbord and Peters on odds ratios (recomputed in R)."""
    test = core.egger(Y, V)
    assert [test.statistic, test.p] == pytest.approx([-1.4012820023, 0.1887069951], rel=5e-10)
    ranks = core.begg(Y, V)
    assert [ranks.estimate, ranks.p] == pytest.approx([0.02564102564, 0.95236190796], rel=5e-10)
    score = core.harbord(*COUNTS)
    assert [score.estimate, score.se, score.p] == pytest.approx([-2.0929915408, 1.6657654418, 0.2349719521], rel=5e-10)
    size = core.peters(*COUNTS)
    assert [size.estimate, size.se, size.p] == pytest.approx([-563.6882039133, 413.7233400208, 0.2002917923], rel=5e-10)


def test_trim_and_fill_hackshaw():
    """Hackshaw 1998, BMJ 315:980-988: passive smoking (metafor's funnel plot with trim and fill)."""
    y, v = effects("hackshaw1998")
    common = core.trim_and_fill(y, v, tau2="common")
    assert (common.k0, common.side) == (7, "left")
    assert [common.fit.estimate, common.fit.ci.low, common.fit.ci.high] == pytest.approx(
        [0.155599578, 0.0841880465, 0.227011109], rel=PRINTED
    )
    # the digits printed for REML come from an iteration that had not converged: thirty digits differ from the seventh
    printed = [0.174471172, 0.0795467413, 0.269395603, 0.0244557057]
    exact = [float(x) for x in filled_by_thirty_digits(y, v, missing=7)]
    for estimator in ("L0", "R0"):
        reml = core.trim_and_fill(y, v, estimator=estimator)
        assert reml.k0 == 7
        found = [reml.fit.estimate, reml.fit.ci.low, reml.fit.ci.high, reml.fit.tau2]
        assert found == pytest.approx(exact, rel=1e-9)
        assert found == pytest.approx(printed, rel=5e-6)


def filled_by_thirty_digits(y, v, *, missing):
    """Return estimate, bounds and tau2 by REML after the largest effects are mirrored about the centre of the rest."""

    def reml(effects):
        def score(tau2):
            w = [1 / (variance + tau2) for _, variance in effects]
            mu = mpmath.fdot(w, [effect for effect, _ in effects]) / mpmath.fsum(w)
            squares = mpmath.fsum(u**2 * (effect - mu) ** 2 for u, (effect, _) in zip(w, effects, strict=True))
            return squares / mpmath.fsum(w) - 1 + mpmath.fsum(u**2 for u in w) / mpmath.fsum(w) ** 2

        tau2 = mpmath.findroot(score, (0.001, 0.1), solver="anderson")
        w = [1 / (variance + tau2) for _, variance in effects]
        mu = mpmath.fdot(w, [effect for effect, _ in effects]) / mpmath.fsum(w)
        return mu, 1 / mpmath.sqrt(mpmath.fsum(w)), tau2

    with mpmath.workdps(30):
        studies = sorted((mpmath.mpf(effect), mpmath.mpf(variance)) for effect, variance in zip(y, v, strict=True))
        centre = reml(studies[:-missing])[0]
        mu, se, tau2 = reml([*studies, *((2 * centre - effect, variance) for effect, variance in studies[-missing:])])
        far = mpmath.sqrt(2) * mpmath.erfinv(mpmath.mpf("0.95")) * se
        return mu, mu - far, mu + far, tau2


def test_trim_and_fill_bcg():
    dl, common = (core.trim_and_fill(Y, V, tau2=key) for key in ("dl", "common"))
    assert (dl.k0, common.k0) == (1, 4)
    assert [dl.fit.estimate, dl.fit.tau2, common.fit.estimate] == pytest.approx(
        [-0.6560732130, 0.3081321533, -0.2910259921], rel=5e-10
    )


def test_begg_with_many_studies_and_with_ties():
    y, v = np.tile(Y, 5) + np.linspace(0, 0.1, 65), np.tile(V, 5) + np.linspace(0, 0.1, 65)
    assert core.begg(y, v).distribution == "z"
    assert core.begg(Y, V).distribution == "exact"
    tied = core.begg(Y, np.where(np.arange(13) < 2, V[0], V))
    assert tied.distribution == "z"


def test_every_test_says_when_it_does_not_apply():
    same_size = ([0.1, 0.2, 0.4], [1, 1, 1])
    for function in (core.egger, core.egger_mixed, core.begg, core.pet_peese, core.trim_and_fill):
        assert "at least 3 studies" in function(*same_size).reason
        assert isinstance(function([1, 2], [1, 2]), core.NotApplicable)
    assert isinstance(core.harbord([1], [9], [2], [9]), core.NotApplicable)
    assert isinstance(core.peters([1], [9], [2], [9]), core.NotApplicable)
    assert "identical" in core.begg([1, 1, 1], [1, 2, 3]).reason
    assert "on a line" in core.egger([1, 1, 1], [1, 2, 3]).reason
    assert isinstance(core.trim_and_fill([1, 2], [1, 2], side="left"), core.NotApplicable)
    assert "interval 1" in core.selection_model(-np.abs(Y), V).reason


def test_few_studies_are_cautioned():
    few, many = core.egger(Y[:9], V[:9]), core.egger(Y, V)
    assert "not advised below 10" in few.notes[0]
    assert many.notes == ()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: core.trim_and_fill(Y, V, estimator="L1"), "estimator must be one of"),
        (lambda: core.trim_and_fill(Y, V, side="up"), "side must be one of"),
        (lambda: core.selection_model(Y, V, steps=[0.5, 0.1]), "steps must be rising numbers between 0 and 1"),
        (lambda: core.selection_model(Y, V, steps=[]), "steps must be rising"),
        (lambda: core.selection_model(Y, V, steps=[[0.1]]), "steps must be rising"),
        (lambda: core.selection_model(Y, V, alternative="both"), "alternative must be one of"),
        (lambda: core.selection_model(Y, V, tau2="reml"), "tau2 must be one of"),
        (lambda: core.fail_safe_n(Y, V, method="other"), "method must be one of"),
        (lambda: core.egger(Y, V, sizes=[50, 60]), r"sizes must have as many studies as y \(13\); got 2"),
        (lambda: core.egger(Y, V, sizes=[0] * 13), "sizes must be finite and above 0; got 0 in study 1"),
    ],
)
def test_wrong_settings(call, message):
    with pytest.raises(core.InputError, match=message):
        call()


@pytest.mark.parametrize(
    "result",
    [
        core.trim_and_fill(Y, V),
        core.trim_and_fill(Y, V, side="left"),
        core.pet_peese(Y[:9], V[:9]),
        core.selection_model(Y, V, alternative="less"),
        core.harbord(*counts("collins1985b")),
    ],
    ids=lambda result: type(result).__name__,
)
def test_results_can_be_read_and_written(result):
    assert str(result)
    json.dumps(result.to_dict(), allow_nan=False)
    assert {len(row) for row in result.to_rows()} == {len(result.columns)}
    assert result._repr_html_().startswith("<table>")
