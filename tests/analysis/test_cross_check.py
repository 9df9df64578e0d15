import dataclasses
import json
import math
import stat
from decimal import Decimal

import pytest

from ipsevidence import core
from ipsevidence.analysis import cross_check as module
from ipsevidence.analysis.cross_check import METAFOR_METHODS, METAFOR_TESTS, cross_check
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import pool_rows

# log odds ratios of Viechtbauer 2005, J Educ Behav Stat 30:261-293, example 1
Y = (-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232)
V = (0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040)
# effects that differ less than their sampling errors
ALIKE = (0.48, 0.50, 0.52, 0.49, 0.51, 0.50)


@pytest.fixture
def run_of(spec_of):
    def make(y=Y, v=V, *, purpose="reproduction", **model):
        rows = [StudyRow(id=f"s{i}", label=f"S{i}", y=a, v=b) for i, (a, b) in enumerate(zip(y, v, strict=True))]
        return pool_rows(spec_of(purpose=purpose, model=model), rows)

    return make


def no_r(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda _: None)


@pytest.mark.parametrize("interval", ["wald", "t", "hksj", "hksj-adhoc"])
@pytest.mark.parametrize("tau2", ["reml", "dl", "common"])
def test_statsmodels_agrees_on_what_it_has(run_of, monkeypatch, tau2, interval):
    no_r(monkeypatch)
    found = cross_check(run_of(tau2=tau2, interval=interval, level=Decimal("0.9")))
    *theirs, metafor = found.comparisons
    assert [one.tau2 for one in theirs] == (["common"] if tau2 == "common" else ["dl", "pm"])
    for one in theirs:
        assert one.verdict == "agrees"
        assert [a.quantity for a in one.agreements] == ["estimate", "se", "ci-low", "ci-high", "tau2"]
        own = core.pool(Y, V, tau2=one.tau2, interval=interval, level=0.9)
        assert [a.ours for a in one.agreements] == [own.estimate, own.se, own.ci.low, own.ci.high, own.tau2]
        assert [a.theirs for a in one.agreements] == pytest.approx([a.ours for a in one.agreements], rel=1e-4)
    assert not found.differs
    assert metafor.verdict == "cannot-be-checked"
    assert "no Rscript" in metafor.reason


def test_published_digits_stand_beside_ours(run_of, monkeypatch):
    """DerSimonian-Laird of Viechtbauer 2005, example 1, as printed there: tau2 0.2768."""
    no_r(monkeypatch)
    found = cross_check(run_of(tau2="dl", interval="wald"))
    tau2 = found.comparisons[0].agreements[-1]
    assert [tau2.ours, tau2.theirs] == pytest.approx([0.276777829] * 2, rel=2e-9)


def test_a_difference_is_found(run_of, monkeypatch):
    no_r(monkeypatch)
    analysis = run_of(tau2="common", interval="wald")
    monkeypatch.setattr(
        module.core, "pool", lambda *_, **__: dataclasses.replace(analysis.fit, estimate=0.0, tau2=1e-3)
    )
    found = cross_check(analysis)
    verdicts = {a.quantity: a.verdict for a in found.comparisons[0].agreements}
    assert verdicts == {
        "estimate": "differs",
        "se": "agrees",
        "ci-low": "agrees",
        "ci-high": "agrees",
        "tau2": "differs",
    }
    assert found.differs
    assert found.comparisons[0].verdict == "differs"
    estimate = found.comparisons[0].agreements[0]
    assert estimate.difference == pytest.approx(abs(analysis.fit.estimate) / analysis.fit.se)
    assert "differs (largest difference 1, tau2)" in str(found)


def test_an_untruncated_tau2_is_no_counterpart(run_of, monkeypatch):
    no_r(monkeypatch)
    found = cross_check(run_of(ALIKE, (0.05,) * 6, tau2="dl", interval="wald"))
    dl, pm, _ = found.comparisons
    assert dl.verdict == "cannot-be-checked"
    assert "does not raise a tau2 below 0 to 0 (here it is -0.0" in dl.reason
    assert pm.verdict == "agrees"
    assert pm.agreements[-1].ours == pm.agreements[-1].theirs == 0


def test_identical_effects_have_no_hartung_knapp_interval(run_of, monkeypatch):
    """Ours gives the reason instead of an interval of width 0, which there is nothing to compare with."""
    no_r(monkeypatch)
    one = cross_check(run_of((0.5,) * 4, (0.1, 0.2, 0.1, 0.2), tau2="common", interval="hksj")).comparisons[0]
    assert one.verdict == "cannot-be-checked"
    assert "ours has no interval: the effects are identical" in one.reason


def test_no_pool_and_one_study_are_said(run_of):
    none = cross_check(run_of(Y[:2], V[:2], purpose="living"))
    assert {one.verdict for one in none.comparisons} == {"cannot-be-checked"}
    assert "the run has no pool: two trials" in none.comparisons[0].reason
    one = cross_check(run_of(Y[:1], V[:1]))
    assert [c.verdict for c in one.comparisons] == ["cannot-be-checked"] * 3
    assert "one study" in str(one)
    json.dumps(one.to_dict(), allow_nan=False)


def test_metafor_is_asked_for_every_setting_that_it_has():
    assert set(METAFOR_TESTS) == set(core.INTERVALS)
    # the rest are weighted or two-step forms, which need more than a name
    assert set(core.TAU2_ESTIMATORS) - set(METAFOR_METHODS) == {"ca2", "dl2", "sj2", "genq", "genqm"}


@pytest.mark.usefixtures("rscript")
@pytest.mark.parametrize(
    ("tau2", "interval"),
    [("reml", "hksj"), ("ml", "wald"), ("pm", "t"), ("common", "wald"), ("pmm", "hksj-adhoc"), ("sj", "hksj")],
)
def test_metafor_agrees(run_of, tau2, interval):
    metafor = cross_check(run_of(tau2=tau2, interval=interval, level=Decimal("0.9"))).comparisons[-1]
    assert metafor.program == "metafor"
    assert metafor.version
    assert metafor.verdict == "agrees"
    assert len(metafor.agreements) == 5


def test_a_two_step_estimator_is_not_asked_of_metafor(run_of):
    analysis = run_of(tau2="dl", interval="wald")
    fit = core.pool(Y, V, tau2="dl2", interval="wald")
    metafor = cross_check(dataclasses.replace(analysis, fit=fit)).comparisons[-1]
    assert "'dl2' is not asked of metafor" in metafor.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("exit 3", "its library metafor is not"),
        ("echo 'Error in rma: no convergence' >&2; exit 1", "metafor stopped: Error in rma: no convergence"),
        ("exit 0", "metafor stopped: nothing was said"),
        ("exec sleep 20", "did not answer within 0.3 seconds"),
    ],
)
def test_r_that_does_not_answer_fails_no_run(run_of, monkeypatch, tmp_path, body, reason):
    program = tmp_path / "Rscript"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(module.shutil, "which", lambda _: str(program))
    timeout = 0.3 if "sleep" in body else 60.0
    metafor = cross_check(run_of(tau2="reml", interval="wald"), timeout=timeout).comparisons[-1]
    assert metafor.verdict == "cannot-be-checked"
    assert reason in metafor.reason


def test_r_that_cannot_be_started_fails_no_run(run_of, monkeypatch, tmp_path):
    monkeypatch.setattr(module.shutil, "which", lambda _: str(tmp_path / "gone"))
    assert "could not be started" in cross_check(run_of(tau2="reml", interval="wald")).comparisons[-1].reason


def test_results_can_be_read_and_written(run_of, monkeypatch):
    no_r(monkeypatch)
    found = cross_check(run_of(tau2="reml", interval="wald"))
    json.dumps(found.to_dict(), allow_nan=False)
    assert {len(row) for row in found.to_rows()} == {len(found.columns)}
    assert len(found.to_rows()) == 11
    assert "<table>" in found._repr_html_()
    assert math.isnan(found.to_rows()[-1][4])
    with pytest.raises(core.InputError, match="timeout"):
        cross_check(run_of(tau2="reml", interval="wald"), timeout=0)
