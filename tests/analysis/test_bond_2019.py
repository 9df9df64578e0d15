"""The nine-trial analysis on the shipped records, against metafor on the same inputs and against what was printed."""

import json
import math
from pathlib import Path

import pytest

from ipsevidence import core
from ipsevidence.analysis.reproduction import reproduce
from ipsevidence.analysis.resultfiles import differences, plain, read_result, result_path
from ipsevidence.dataset.collection import load

ROOT = Path(__file__).parents[2]
REFERENCE = json.loads((ROOT / "tests" / "reference" / "metafor" / "bond_2019.json").read_text(encoding="utf-8"))
# Closed forms agree to rounding; what is iterated agrees to metafor's own convergence.
CLOSED_FORM, ITERATED = 1e-10, 1e-6


@pytest.fixture(scope="module")
def reproduction():
    return reproduce("bond-2019-nine-rcts", load(ROOT))


def fits(reproduction):
    run = reproduction.run
    named = {"main": run.fit} | {variation.id: variation.fit for variation in run.sensitivity}
    return named | {f"group {g.id}": g.fit for g in run.groups if isinstance(g.fit, core.PooledResult)}


def test_the_inputs_are_those_that_metafor_was_given(reproduction):
    ours = [
        {"id": r.id, "ai": r.counts.events1, "n1i": r.counts.n1, "ci": r.counts.events2, "n2i": r.counts.n2}
        for r in reproduction.run.rows
    ]
    assert ours == REFERENCE["rows"]


def test_every_fit_has_a_reference_and_the_other_way_round(reproduction):
    assert set(fits(reproduction)) == set(REFERENCE["results"])


@pytest.mark.parametrize("name", list(REFERENCE["results"]))
def test_agrees_with_metafor(reproduction, name):
    fit, wanted = fits(reproduction)[name], REFERENCE["results"][name]
    within = ITERATED if fit.settings.tau2 in ("reml", "pm") else CLOSED_FORM
    assert fit.k == wanted["k"]
    for quantity in ("estimate", "se", "p", "q", "q_p", "tau2"):
        assert getattr(fit, quantity) == pytest.approx(wanted[quantity], rel=within), quantity
    assert [fit.ci.low, fit.ci.high] == pytest.approx(wanted["ci"], rel=within)
    assert fit.i2 == pytest.approx(wanted["i2"], rel=within)
    if "tau2_ci" in wanted:
        # the bounds are roots that metafor finds to its own tolerance
        assert [fit.tau2_ci.low, fit.tau2_ci.high] == pytest.approx(wanted["tau2_ci"], rel=ITERATED)


def test_participants_headline_and_analysed(reproduction):
    # 2,902 is printed in the abstract; 18 of Reme 2015's 1,193 were not analysed
    assert reproduction.run.participants == 2902
    assert reproduction.run.analysed == 2884
    assert [row.id for row in reproduction.run.rows if row.participants != row.counts.n1 + row.counts.n2] == [
        "reme-2015"
    ]


def test_the_printed_odds_ratio_comes_out_and_is_not_called_reproduced(reproduction):
    verdicts = {v.target.quantity: v for v in reproduction.verdicts}
    assert (verdicts["estimate"].shown, verdicts["estimate"].verdict) == ("2.23", "unverified (reproduced)")
    assert (verdicts["ci-low"].shown, verdicts["ci-low"].verdict) == ("1.53", "unverified (reproduced)")
    assert (verdicts["ci-high"].shown, verdicts["ci-high"].verdict) == ("3.26", "unverified (close)")
    assert verdicts["trials"].verdict == verdicts["participants"].verdict == "unverified (reproduced)"
    assert (verdicts["trials-significant"].shown, verdicts["trials-favouring"].shown) == ("8", "9")
    assert verdicts["trials-favouring"].verdict == "differs (second-hand)"
    assert verdicts["method"].verdict == "cannot-be-checked"
    assert not any(v.verdict == "reproduced" for v in reproduction.verdicts)


@pytest.mark.parametrize(
    ("variation", "printed"),
    [
        # evidence collected before this package: recomputed there with metafor
        ("reml-hksj", "2.57 1.28 5.13"),
        ("without-davis-2018", "2.55 1.58 4.10"),
        ("davis-2018-steady", "2.35 1.59 3.48"),
        ("ottomanelli-2012-24m", "2.32 1.57 3.42"),
        ("common", "1.61 1.38 1.88"),
    ],
)
def test_variations_at_two_digits(reproduction, variation, printed):
    fit = fits(reproduction)[variation]
    assert " ".join(f"{math.exp(x):.2f}" for x in (fit.estimate, fit.ci.low, fit.ci.high)) == printed


def test_basis_of_every_row(reproduction):
    assert {row.id: row.basis for row in reproduction.run.rows} == {
        "davis-2012": "derived",
        "davis-2018": "reconstructed",
        "hellstrom-2017": "reported",
        "reme-2015": "derived",
        "bejerholm-2017": "derived",
        "reme-2019": "approximate",
        "lones-2017": "approximate",
        "lepage-2016": "reported",
        "ottomanelli-2012": "derived",
    }


def test_the_committed_result_is_what_comes_out(reproduction):
    assert differences(read_result(result_path(ROOT, "bond-2019-nine-rcts")), plain(reproduction)) == []
