"""One row a study: the one type that pools, whether it comes from the dataset or from a user's own table."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from ipsevidence import core

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Counts", "Share", "StudyRow", "effects", "frame", "participants", "shown"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Persons with the event and persons in all, in the arm of interest (1) and the other (2)."""

    events1: float
    n1: float
    events2: float
    n2: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """Persons with the event among persons in all, in one arm."""

    events: float
    n: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """What one study brings into a pool.

    Exactly one of `counts`, `share`, (`y`, `v`) and (`estimate`, `low`, `high`) is given.

    Attributes
    ----------
    id, label : str
        Name of the study, and how figures call it.
    counts : Counts or None
        A 2x2 table.
    share : Share or None
        One arm's count, for proportions.
    y, v : float
        Effect and sampling variance on the scale that is pooled (log for ratios); nan where not given.
    estimate, low, high : float
        A published effect with its interval, as printed (ratios not logged); nan where not given.
    level : float
        Level of that printed interval.
    group : str
        Key of the subgroup; empty where there is none.
    basis : str
        Weakest basis of the numbers of the row; empty for a user's own table.
    participants : float
        Headline number of participants; nan where not known.
    extra : mapping of str to str or float
        Further columns.
    unit : {'contrast', 'arm'}
        Whether the row compares two arms or describes one.
    """

    id: str
    label: str
    counts: Counts | None = None
    share: Share | None = None
    y: float = math.nan
    v: float = math.nan
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = 0.95
    group: str = ""
    basis: str = ""
    participants: float = math.nan
    extra: Mapping[str, str | float] = dataclasses.field(default_factory=dict)
    unit: Literal["contrast", "arm"] = "contrast"

    def to_dict(self) -> dict[str, Any]:
        """Return the row as plain data, without what is not given."""
        plain = dataclasses.asdict(self)
        if math.isnan(self.estimate):
            plain.pop("level")
        return {key: value for key, value in plain.items() if not _absent(value)}


def _absent(value: Any) -> bool:
    return value is None or value in ("", {}) or (isinstance(value, float) and math.isnan(value))


def effects(rows: Sequence[StudyRow], measure: str, *, add: float, to: str) -> Any:
    """Return effect and variance of each row on the pooled scale.

    Parameters
    ----------
    rows : sequence of StudyRow
        k rows; all must give the same kind of input, for `add` and `to` look at all tables together.
    measure : str
        Key of `core.MEASURES`.
    add, to
        What is added to which tables with an empty cell: see `core.two_by_two`.

    Returns
    -------
    y, v : ndarray of shape (k,)
        nan where a study has no effect on this measure (no events, or only events, in both arms).
    """
    import numpy as np

    y = np.array([row.y for row in rows])
    v = np.array([row.v for row in rows])
    printed = [index for index, row in enumerate(rows) if not math.isnan(row.estimate)]
    for index in printed:
        y[index], v[index] = _from_interval(rows[index], measure)
    tables = [index for index, row in enumerate(rows) if row.counts is not None]
    if tables:
        cells = np.array([dataclasses.astuple(rows[index].counts) for index in tables]).T  # type: ignore[arg-type]
        try:
            y[tables], v[tables] = core.two_by_two(measure, *cells, add=add, to=to)
        except core.InputError as error:
            if error.study is None:
                raise
            label = rows[tables[error.study]].label
            raise core.InputError(f"{label}: {error}", parameter=error.parameter) from None
    shares = [index for index, row in enumerate(rows) if row.share is not None]
    if shares:
        xi, ni = np.array([dataclasses.astuple(rows[index].share) for index in shares]).T  # type: ignore[arg-type]
        y[shares], v[shares] = core.proportion(measure, xi, ni, add=add, to=to)
    return y, v


def _from_interval(row: StudyRow, measure: str) -> tuple[float, float]:
    from scipy.special import ndtri

    values = (row.estimate, row.low, row.high)
    if core.MEASURES[measure].scale == "log":
        if min(values) <= 0:
            raise core.InputError(
                f"{row.label}: a ratio and its interval must be above 0; got {values}", parameter="estimate"
            )
        values = (math.log(row.estimate), math.log(row.low), math.log(row.high))
    estimate, low, high = values
    if not low <= estimate <= high or low == high:
        raise core.InputError(
            f"{row.label}: the interval must hold the estimate and have a width; got {values}", parameter="ci"
        )
    return estimate, ((high - low) / (2 * ndtri((1 + row.level) / 2))) ** 2


def shown(measure: str, value: float) -> float:
    """Return a value of the pooled scale as it is shown: ratios back from their logs; infinite where it overflows.

    Parameters
    ----------
    measure : str
        Key of `core.MEASURES`.
    value : float
        On the pooled scale.

    Returns
    -------
    float
    """
    import numpy as np

    with np.errstate(over="ignore"):
        return float(core.MEASURES[measure].back(np.float64(value)))


def participants(row: StudyRow) -> float:
    """Return the persons that a row analyses: the sum of its n; nan where it has no counts."""
    if row.share:
        return row.share.n
    return row.counts.n1 + row.counts.n2 if row.counts else math.nan


def frame(result: Any) -> "pd.DataFrame":
    """Return a result's rows as a table.

    Parameters
    ----------
    result : object with `columns` and `to_rows`
        Any result of the package.

    Returns
    -------
    pandas.DataFrame
    """
    import pandas as pd

    return pd.DataFrame(result.to_rows(), columns=list(result.columns))
