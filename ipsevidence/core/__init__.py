"""Pooling of study effects: arrays in, frozen results out.

The inner ring knows NumPy and SciPy's special functions, and nothing of files, tables or trials.
Its names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsevidence.core.effects import MEASURES, Measure, two_by_two
    from ipsevidence.core.heterogeneity import q_test
    from ipsevidence.core.inputs import InputError
    from ipsevidence.core.pooling import INTERVALS, PREDICTIONS, pool
    from ipsevidence.core.registry import Method, choose
    from ipsevidence.core.results import (
        Interval,
        NotApplicable,
        PooledResult,
        PoolSettings,
        Result,
        Tau2Interval,
        TestResult,
    )
    from ipsevidence.core.tau2 import TAU2_ESTIMATORS, TAU2_INTERVALS, estimate_tau2, tau2_interval

__all__ = [
    "INTERVALS",
    "MEASURES",
    "PREDICTIONS",
    "TAU2_ESTIMATORS",
    "TAU2_INTERVALS",
    "InputError",
    "Interval",
    "Measure",
    "Method",
    "NotApplicable",
    "PoolSettings",
    "PooledResult",
    "Result",
    "Tau2Interval",
    "TestResult",
    "choose",
    "estimate_tau2",
    "pool",
    "q_test",
    "tau2_interval",
    "two_by_two",
]

_HOME = {
    "effects": ("MEASURES", "Measure", "two_by_two"),
    "heterogeneity": ("q_test",),
    "inputs": ("InputError",),
    "pooling": ("INTERVALS", "PREDICTIONS", "pool"),
    "registry": ("Method", "choose"),
    "results": (
        "Interval",
        "NotApplicable",
        "PoolSettings",
        "PooledResult",
        "Result",
        "Tau2Interval",
        "TestResult",
    ),
    "tau2": ("TAU2_ESTIMATORS", "TAU2_INTERVALS", "estimate_tau2", "tau2_interval"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
