import re

import pytest

from ipsevidence import core
from ipsevidence.core.tau2 import GIVEN_TAU2

REGISTRIES = {
    "MEASURES": core.MEASURES,
    "TAU2_ESTIMATORS": core.TAU2_ESTIMATORS,
    "INTERVALS": core.INTERVALS,
    "PREDICTIONS": core.PREDICTIONS,
    "TAU2_INTERVALS": core.TAU2_INTERVALS,
}
METHODS = [pytest.param(key, method, id=key) for r in REGISTRIES.values() for key, method in r.items()]


@pytest.mark.parametrize(("key", "method"), METHODS)
def test_records_are_complete(key, method):
    assert method.key == key
    assert method.label
    assert callable(method.function)
    if key != "none":
        assert re.fullmatch(r"[A-Z].*\.", method.sentence)
        assert re.search(r"\b(18|19|20)\d\d\b", method.reference)


def test_records_are_frozen():
    with pytest.raises(AttributeError):
        GIVEN_TAU2.key = "other"


@pytest.mark.parametrize(
    ("wrong", "ending"),
    [
        ("remml", "got 'remml' (nearest: 'reml')"),
        ("REML", "got 'REML' (nearest: 'reml')"),
        ("xyzxyz", "got 'xyzxyz'"),
        (3, "got 3"),
    ],
)
def test_an_unknown_key_is_answered_with_the_nearest(wrong, ending):
    with pytest.raises(core.InputError) as raised:
        core.choose("tau2", wrong, core.TAU2_ESTIMATORS)
    assert str(raised.value).startswith("tau2 must be one of {'common', 'dl', 'he',")
    assert str(raised.value).endswith(ending)
