"""Checks on what callers hand in: one error for all of them, which names the parameter and the study."""

import math
from typing import Any

import numpy as np

from ipsevidence.core.results import FloatArray

# What doubles can hold through every square and product that the methods take.
LARGEST = 1e60  # of an effect, a mean, a standard deviation
LARGEST_VARIANCE, SMALLEST_VARIANCE = 1e120, 1e-120
LARGEST_RATIO = 1e60  # of two variances, and of a squared distance of effects to the smallest variance
LARGEST_COUNT = 1e15  # of events or participants: beyond, a double cannot tell two whole numbers apart
LARGEST_MODERATOR = 1e30


class InputError(ValueError):
    """A parameter that cannot be used as it is.

    Attributes
    ----------
    parameter : str
        Name of the parameter at fault.
    study : int or None
        Index of the study at fault, counted from 0 (the message counts from 1), where it is one study's number.
    """

    def __init__(self, message: str, *, parameter: str, study: int | None = None) -> None:
        super().__init__(message)
        self.parameter = parameter
        self.study = study


def check_array(parameter: str, values: Any) -> FloatArray:
    """Return `values` as a one-dimensional float array that is neither empty nor ragged.

    Parameters
    ----------
    parameter : str
        Name used in the error.
    values : array_like of shape (k,)
        Numbers; a plain number counts as one study.

    Returns
    -------
    ndarray of shape (k,)

    Raises
    ------
    InputError
        If there is no number, if there is more than one dimension, or if an entry is no number.
    """
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise InputError(
            f"{parameter} must be a sequence of numbers, one per study; got {_shown(values)}",
            parameter=parameter,
        ) from None
    array = np.atleast_1d(array)
    if array.ndim != 1:
        raise InputError(
            f"{parameter} must have one dimension, one number per study; got shape {array.shape}",
            parameter=parameter,
        )
    if array.size == 0:
        raise InputError(f"{parameter} must have at least one study; got none", parameter=parameter)
    return array


def check_same_length(**arrays: FloatArray) -> None:
    """Raise `InputError` unless all arrays have the same number of studies."""
    first, *others = arrays
    k = arrays[first].size
    for name in others:
        if arrays[name].size != k:
            raise InputError(
                f"{name} must have as many studies as {first} ({k}); got {arrays[name].size}", parameter=name
            )


def check_each(parameter: str, values: FloatArray, good: Any, must: str) -> None:
    """Raise `InputError` for the first study that is not `good`.

    Parameters
    ----------
    parameter : str
        Name used in the error.
    values : ndarray of shape (k,)
        What was given.
    good : ndarray of bool, shape (k,)
        Which entries can be used.
    must : str
        What each entry must be, as it ends the sentence "``parameter`` must ...".
    """
    if good.all():
        return
    study = int(np.argmin(good))
    raise InputError(
        f"{parameter} must {must}; got {values[study]:g} in study {study + 1} of {values.size}",
        parameter=parameter,
        study=study,
    )


def check_effects(y: Any, v: Any, *, name: str = "v") -> tuple[FloatArray, FloatArray]:
    """Return effects and variances that can be pooled.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects, and their sampling variances in squared units of y.
    name : str
        What the variances are called in an error.

    Returns
    -------
    y, v : ndarray of shape (k,)

    Raises
    ------
    InputError
        If an effect is not finite, a variance is not finite and above 0, the lengths differ, or the numbers are
        so large, so small or so far apart that their squares would not fit into a double.
    """
    y, v = check_array("y", y), check_array(name, v)
    check_same_length(**{"y": y, name: v})
    if _plainly_good(y, v):
        return y, v
    check_each("y", y, np.isfinite(y), "be finite")
    check_each(name, v, np.isfinite(v) & (v > 0), "be finite and above 0")
    check_each("y", y, np.abs(y) <= LARGEST, f"be at most {LARGEST:g} in size")
    extent = (v >= SMALLEST_VARIANCE) & (v <= LARGEST_VARIANCE)
    check_each(name, v, extent, f"lie between {SMALLEST_VARIANCE:g} and {LARGEST_VARIANCE:g}")
    smallest = int(v.argmin())
    check_each(name, v, v <= LARGEST_RATIO * v[smallest], f"be at most {LARGEST_RATIO:g} times the smallest")
    near = np.abs(y - y[smallest]) <= math.sqrt(LARGEST_RATIO) * math.sqrt(v[smallest])
    check_each("y", y, near, f"lie within {math.sqrt(LARGEST_RATIO):g} of the smallest standard errors")
    return y, v


def _plainly_good(y: FloatArray, v: FloatArray) -> bool:
    """Return whether extremes alone show that effects and variances can be pooled; nan compares as false."""
    least, most = float(v.min()), float(v.max())
    low, high = float(y.min()), float(y.max())
    return (
        least >= SMALLEST_VARIANCE
        and most <= min(LARGEST_VARIANCE, LARGEST_RATIO * least)
        and -LARGEST <= low <= high <= LARGEST
        and high - low <= math.sqrt(LARGEST_RATIO) * math.sqrt(least)
    )


def check_size(parameter: str, values: FloatArray) -> None:
    """Raise `InputError` for the first study whose number is not finite, or too large to be squared twice."""
    check_each(parameter, values, np.isfinite(values), "be finite")
    check_each(parameter, values, np.abs(values) <= LARGEST, f"be at most {LARGEST:g} in size")


def check_sizes_of_groups(parameter: str, values: FloatArray) -> None:
    """Raise `InputError` for the first study whose number of participants cannot be one."""
    check_each(parameter, values, np.isfinite(values) & (values > 0), "be finite and above 0")
    good = (values >= 1.0 / LARGEST_COUNT) & (values <= LARGEST_COUNT)
    check_each(parameter, values, good, f"lie between {1.0 / LARGEST_COUNT:g} and {LARGEST_COUNT:g}")


def check_whole(parameter: str, value: Any, *, least: int) -> int:
    """Return `value` as a whole number that is at least `least`.

    Raises
    ------
    InputError
        If it is no whole number, or below.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(
            f"{parameter} must be a whole number, at least {least}; got {_shown(value)}", parameter=parameter
        )
    return int(value)


def check_given_tau2(tau2: Any, v: FloatArray) -> float:
    """Return a between-study variance that was given: at least 0, and not beyond all proportion to `v`."""
    value = check_number("tau2", tau2, least=0.0)
    if value > LARGEST_RATIO * float(v.min()):
        raise InputError(
            f"tau2 must be at most {LARGEST_RATIO:g} times the smallest variance; got {value:g}", parameter="tau2"
        )
    return value


def check_level(level: float) -> float:
    """Return `level` if it lies between 0 and 1, as in ``level=0.95``, and not within 1e-9 of either."""
    value = check_number("level", level, above=0, below=1)
    if not 1e-9 <= value <= 1.0 - 1e-9:
        raise InputError(f"level must lie between 1e-9 and 1 - 1e-9; got {level!r}", parameter="level")
    return value


def check_number(
    parameter: str,
    value: Any,
    *,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a finite float within bounds.

    Parameters
    ----------
    parameter : str
        Name used in the error.
    value : float
        What was given.
    above, least, below : float
        The value must be above `above`, at least `least`, and below `below`.

    Returns
    -------
    float

    Raises
    ------
    InputError
        If it is no number, not finite, or out of bounds.
    """
    bounds = [f"above {above:g}"] if above > -math.inf else []
    bounds += [f"at least {least:g}"] if least > -math.inf else []
    bounds += [f"below {below:g}"] if below < math.inf else []
    is_number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not is_number or not (math.isfinite(value) and value > above and value >= least and value < below):
        must = " and ".join(["finite", *bounds])
        raise InputError(f"{parameter} must be a number, {must}; got {_shown(value)}", parameter=parameter)
    return float(value)


def check_word(parameter: str, word: Any, words: tuple[str, ...]) -> None:
    """Raise `InputError` unless `word` is one of `words`."""
    if word not in words:
        allowed = ", ".join(repr(w) for w in words)
        raise InputError(f"{parameter} must be one of {{{allowed}}}; got {word!r}", parameter=parameter)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
