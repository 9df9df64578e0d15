import json

import numpy as np
import pytest

from ipsevidence import core

from .reference import effects
from .tolerances import PRINTED

Y, V = effects("raudenbush1985")


def test_raudenbush_1985():
    """Raudenbush and Bryk 1985, J Educ Stat 10:75-98: teacher expectancy (digits of metafor 3.8-1)."""
    found = core.blups(core.pool(Y, V, tau2="reml", interval="wald"))
    assert [found.estimate[0], found.low[0], found.high[0]] == pytest.approx(
        [0.0543399489, -0.132394135, 0.241074032], rel=PRINTED
    )
    assert [found.estimate.min(), found.estimate.max()] == pytest.approx([-0.0293, 0.2485], abs=5e-5)


def test_the_interval_is_that_of_the_fit():
    wald, hksj = (core.blups(core.pool(Y, V, interval=interval)) for interval in ("wald", "hksj"))
    assert (hksj.high - hksj.low > wald.high - wald.low).all()
    assert (wald.estimate == hksj.estimate).all()


def test_ends():
    assert core.blups(core.pool(Y, V, tau2="common")).estimate == pytest.approx(core.pool(Y, V, tau2="common").estimate)
    free = core.blups(core.pool(Y, V, tau2=1e9))
    assert free.estimate == pytest.approx(Y, abs=1e-8)
    assert free.reliability == pytest.approx(np.ones(Y.size))
    assert "one study" in core.blups(core.pool([1], [1])).reason


def test_results_are_written():
    found = core.blups(core.pool(Y, V))
    json.dumps(found.to_dict(), allow_nan=False)
    assert {len(row) for row in found.to_rows()} == {len(found.columns)}
    assert str(found).startswith("study 0: 0.0543")
