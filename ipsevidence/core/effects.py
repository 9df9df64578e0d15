"""From what a study reports to its effect and sampling variance. NumPy only."""

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from ipsevidence.core.inputs import InputError, check_array, check_each, check_number, check_same_length
from ipsevidence.core.registry import Method, choose, registry
from ipsevidence.core.results import FloatArray

CORRECTED_STUDIES = ("only0", "all", "if0all", "none")
DOUBLE_ZEROS = ("drop", "keep")


class Cells(NamedTuple):
    """The four counts of 2x2 tables: events and non-events in the first arm, then in the second."""

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Measure(Method):
    """An effect measure.

    Attributes
    ----------
    needs : str
        What it is computed from, for example ``two-by-two``.
    scale : {'log', 'identity'}
        The scale that is pooled on; ``log`` measures are shown as their exponential.
    null : float
        The value that means no difference, on the scale it is shown on.
    """

    needs: str
    scale: str
    null: float


def two_by_two(
    measure: str,
    ai: Any,
    n1i: Any,
    ci: Any,
    n2i: Any,
    *,
    add: float = 0.5,
    to: str = "only0",
    double_zeros: str = "drop",
    correct_difference: bool = False,
) -> tuple[FloatArray, FloatArray]:
    """Return effects and sampling variances from events and sizes of two arms.

    Parameters
    ----------
    measure : {'OR', 'RR', 'RD'}
        Odds ratio and risk ratio come as natural logarithms, the risk difference as it is. Values above
        the null mean more events in the first arm.
    ai, ci : array_like of shape (k,)
        Events in the first and second arm; they need not be whole.
    n1i, n2i : array_like of shape (k,)
        Participants in the first and second arm, above 0.
    add : float
        What the correction for zeros adds to each of the four cells.
    to : {'only0', 'all', 'if0all', 'none'}
        Which studies are corrected: those with an empty cell, all, all as soon as one has an empty
        cell, or none.
    double_zeros : {'drop', 'keep'}
        What becomes of a study in which nobody, or everybody, in both arms had the event. ``drop``
        gives nan on the relative measures, for the caller to leave out and to list; ``keep`` treats
        it as any other.
    correct_difference : bool
        Whether the correction also moves the risk difference itself. By default only its variance is
        corrected.

    Returns
    -------
    y, v : ndarray of shape (k,)
        Effects and variances; nan where a study has no finite estimate.

    Raises
    ------
    InputError
        If a parameter cannot be used; the message names it and the study.

    Notes
    -----
    Variances are the large-sample ones (Woolf; Katz; the binomial one for the difference). A risk
    difference needs no correction: 0 of 20 against 4 of 20 is -0.20. Only its variance would be
    too small, so that alone is taken from the corrected cells, as RevMan and R's ``meta`` do; R's
    ``metafor`` moves the difference too, which `correct_difference` asks for.

    References
    ----------
    .. [1] Sweeting MJ, Sutton AJ, Lambert PC. What to add to nothing? Stat Med 2004;23:1351-1375.
       doi:10.1002/sim.1761

    Examples
    --------
    >>> y, v = two_by_two("RR", [4], [123], [11], [139])
    >>> round(float(y[0]), 6), round(float(v[0]), 6)
    (-0.889311, 0.325585)
    """
    chosen = choose("measure", measure, MEASURES)
    _choose_word("to", to, CORRECTED_STUDIES)
    _choose_word("double_zeros", double_zeros, DOUBLE_ZEROS)
    add = check_number("add", add, least=0)
    plain = check_two_by_two(ai, n1i, ci, n2i)
    corrected = correct_zeros(plain, add=add, to=to)
    with np.errstate(divide="ignore", invalid="ignore"):
        y, v = chosen.function(corrected)
        if chosen.key == "RD" and not correct_difference:
            y = _risk_difference(plain)[0]
    unusable = ~(np.isfinite(y) & np.isfinite(v) & (v > 0))
    if double_zeros == "drop" and chosen.scale == "log":
        unusable |= is_double_zero(plain)
    return np.where(unusable, np.nan, y), np.where(unusable, np.nan, v)


def check_two_by_two(ai: Any, n1i: Any, ci: Any, n2i: Any) -> Cells:
    """Return the cells of 2x2 tables, or raise `InputError` for counts that cannot be.

    Parameters
    ----------
    ai, n1i, ci, n2i : array_like of shape (k,)
        Events and participants of the first arm, then of the second.

    Returns
    -------
    Cells
    """
    counts = {name: check_array(name, given) for name, given in zip(_COUNTS, (ai, n1i, ci, n2i), strict=True)}
    check_same_length(**counts)
    for events, size in (("ai", "n1i"), ("ci", "n2i")):
        check_each(size, counts[size], np.isfinite(counts[size]) & (counts[size] > 0), "be finite and above 0")
        check_each(
            events,
            counts[events],
            np.isfinite(counts[events]) & (counts[events] >= 0),
            "be finite and at least 0",
        )
        check_each(events, counts[events], counts[events] <= counts[size], f"be at most {size}")
    a, n1, c, n2 = counts.values()
    return Cells(a, n1 - a, c, n2 - c)


def correct_zeros(cells: Cells, *, add: float, to: str) -> Cells:
    """Return the cells with `add` added to all four of the studies that `to` selects."""
    if to == "none":
        return cells
    has_zero = np.minimum.reduce(cells) == 0
    selected = {
        "only0": has_zero,
        "all": np.full_like(has_zero, True),
        "if0all": np.full_like(has_zero, has_zero.any()),
    }
    return Cells(*(cell + add * selected[to] for cell in cells))


def is_double_zero(cells: Cells) -> Any:
    """Return, for each study, whether nobody or everybody in both arms had the event."""
    return ((cells.a == 0) & (cells.c == 0)) | ((cells.b == 0) & (cells.d == 0))


def _choose_word(parameter: str, word: str, words: tuple[str, ...]) -> None:
    if word not in words:
        allowed = ", ".join(repr(w) for w in words)
        raise InputError(f"{parameter} must be one of {{{allowed}}}; got {word!r}", parameter=parameter)


def _odds_ratio(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    return (np.log(a) - np.log(b)) - (np.log(c) - np.log(d)), (1 / a + 1 / b) + (1 / c + 1 / d)


def _risk_ratio(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    y = np.log(a / (a + b)) - np.log(c / (c + d))
    # 1/a - 1/n would cancel where nearly everybody has the event
    return y, b / (a * (a + b)) + d / (c * (c + d))


def _risk_difference(cells: Cells) -> tuple[FloatArray, FloatArray]:
    a, b, c, d = cells
    return a / (a + b) - c / (c + d), a * b / (a + b) ** 3 + c * d / (c + d) ** 3


_COUNTS = ("ai", "n1i", "ci", "n2i")

MEASURES = registry(
    Measure(
        key="OR",
        label="odds ratio",
        function=_odds_ratio,
        reference="Woolf B. Ann Hum Genet 1955;19:251-253. doi:10.1111/j.1469-1809.1955.tb01348.x",
        sentence="Effects were expressed as odds ratios and pooled as their logarithms.",
        needs="two-by-two",
        scale="log",
        null=1.0,
    ),
    Measure(
        key="RR",
        label="risk ratio",
        function=_risk_ratio,
        reference="Katz D, Baptista J, Azen SP, Pike MC. Biometrics 1978;34:469-474. doi:10.2307/2530610",
        sentence="Effects were expressed as risk ratios and pooled as their logarithms.",
        needs="two-by-two",
        scale="log",
        null=1.0,
    ),
    Measure(
        key="RD",
        label="risk difference",
        function=_risk_difference,
        reference="Sweeting MJ, Sutton AJ, Lambert PC. Stat Med 2004;23:1351-1375. doi:10.1002/sim.1761",
        sentence="Effects were expressed as risk differences.",
        needs="two-by-two",
        scale="identity",
        null=0.0,
    ),
)
