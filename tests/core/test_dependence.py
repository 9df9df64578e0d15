import json

import numpy as np
import pytest

from ipsevidence import core

from .reference import bcg, effects, metafor
from .tolerances import ITERATED, PRINTED

REFERENCE = metafor("dependence")
CASES = [
    pytest.param(case, id=f"{case['set']}-{len(set(case['clusters']))}-{case['moderated']}-{case['method']}")
    for case in REFERENCE["cases"]
]
TABLE = bcg()
Y, V = core.two_by_two("RR", TABLE["ai"], TABLE["n1i"], TABLE["ci"], TABLE["n2i"])


def test_the_grid_is_complete():
    kinds = {
        (case["set"], len(set(case["clusters"])), case["moderated"], case["method"]) for case in REFERENCE["cases"]
    }
    assert len(kinds) == len(REFERENCE["cases"]) == len(REFERENCE["sets"]) * 3 * 2 * 2


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("method", ["cr1", "cr2"])
def test_agrees_with_metafor_and_clubsandwich(case, method):
    y, v, X = (np.array(REFERENCE["sets"][case["set"]][key], dtype=float) for key in ("yi", "vi", "X"))
    found = core.cluster_robust(
        y, v, case["clusters"], X if case["moderated"] else None, tau2=case["method"], method=method
    )
    np.testing.assert_allclose(found.se, case[method]["se"], rtol=ITERATED)
    np.testing.assert_allclose(found.df, np.broadcast_to(case[method]["df"], found.df.shape), rtol=1e-5)
    np.testing.assert_allclose(found.p, case[method]["p"], rtol=1e-4)


def test_bcg():
    """BCG, REML, every trial its own cluster (metafor's robust)."""
    plain = core.cluster_robust(Y, V, range(13), method="cr1")
    assert plain.covariance[0, 0] == pytest.approx(0.0321059683, rel=PRINTED)
    assert plain.statistic[0] == pytest.approx(-3.98775993, rel=PRINTED)
    reduced = core.cluster_robust(Y, V, range(13))
    assert reduced.covariance[0, 0] == pytest.approx(0.0322935701, rel=PRINTED)
    assert [reduced.df[0], reduced.statistic[0]] == pytest.approx([11.0412451, -3.97616008], rel=PRINTED)


def test_raudenbush_2009():
    """Raudenbush 2009, Handbook of research synthesis, 295-315: Huber-White standard error (metafor 3.8-1)."""
    y, v = effects("raudenbush1985")
    plain, small = (core.cluster_robust(y, v, range(19), method=method) for method in ("cr0", "cr1"))
    assert plain.se[0] == pytest.approx(0.0499555123, rel=PRINTED)
    assert small.se[0] == pytest.approx(plain.se[0] * (19 / 18) ** 0.5, rel=1e-12)
    assert plain.df[0] == small.df[0] == 18


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_does_not_matter(scale):
    X = np.column_stack([np.ones(13), TABLE["year"]])
    clusters = np.arange(13) // 2
    found, whole = core.cluster_robust(scale * Y, scale**2 * V, clusters, X), core.cluster_robust(Y, V, clusters, X)
    np.testing.assert_allclose(found.se / scale, whole.se, rtol=1e-6)
    np.testing.assert_allclose(found.df, whole.df, rtol=1e-6)


def test_what_cannot_be_tested():
    assert "no clusters" in core.cluster_robust([1], [1], ["a"]).reason
    assert "more clusters than coefficients" in core.cluster_robust(Y, V, ["a"] * 13).reason
    with pytest.raises(core.InputError, match="clusters must have as many entries as y"):
        core.cluster_robust(Y, V, ["a"])
    with pytest.raises(core.InputError, match="method must be one of"):
        core.cluster_robust(Y, V, range(13), method="cr3")


def test_few_degrees_of_freedom_are_cautioned_and_results_written():
    found = core.cluster_robust(Y, V, [0] * 6 + [1] * 4 + [2] * 3)
    assert "Few degrees of freedom" in found.notes[0]
    assert "CR2" in str(found)
    json.dumps(found.to_dict(), allow_nan=False)
    assert {len(row) for row in found.to_rows()} == {len(found.columns)}
    assert np.isnan(core.cluster_robust(np.ones(4), np.ones(4), range(4)).statistic[0])


def test_split_control():
    events, sizes = core.split_control([6, 9], [40, 30], [2, 1])
    assert (list(events), list(sizes)) == ([3, 9], [20, 30])
    with pytest.raises(core.InputError, match="sharing must be finite and at least 1"):
        core.split_control([6], [40], [0])


def test_design_effect():
    assert core.design_effect([210], [21], 0.05) == pytest.approx([105])
    assert core.design_effect([210], [1], 0.5) == pytest.approx([210])
    with pytest.raises(core.InputError, match="cluster_size must be finite and at least 1"):
        core.design_effect([1], [0.5], 0.1)
    with pytest.raises(core.InputError, match="icc must be a number"):
        core.design_effect([1], [2], 1)
