"""Checks on what callers hand in: one error for all of them, which names the parameter and the study."""

import math
from typing import Any

import numpy as np

from ipsevidence.core.results import FloatArray


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


def check_effects(y: Any, v: Any) -> tuple[FloatArray, FloatArray]:
    """Return effects and variances that can be pooled.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects, and their sampling variances in squared units of y.

    Returns
    -------
    y, v : ndarray of shape (k,)

    Raises
    ------
    InputError
        If an effect is not finite, a variance is not finite and above 0, or the lengths differ.
    """
    y, v = check_array("y", y), check_array("v", v)
    check_same_length(y=y, v=v)
    check_each("y", y, np.isfinite(y), "be finite")
    check_each("v", v, np.isfinite(v) & (v > 0), "be finite and above 0")
    return y, v


def check_level(level: float) -> float:
    """Return `level` if it lies strictly between 0 and 1, as in ``level=0.95``."""
    return check_number("level", level, above=0, below=1)


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
