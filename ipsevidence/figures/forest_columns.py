"""The columns of a forest plot: what heads each of them, and what each line says in it."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from ipsevidence.core import InputError
from ipsevidence.core.registry import choose
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.numbers import NO_BREAK, Numerals

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["COLUMNS", "EXTRA", "PLOT", "Column", "ColumnKind", "columns_for"]

PLOT: Final = "plot"
"""Where the effect axis stands among the columns."""

EXTRA: Final = "extra:"
"""Before the name of a further column of the rows: ``extra:fidelity``."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as it is drawn.

    Attributes
    ----------
    key : str
        Its name.
    heading, unit : str
        First and second line above it.
    align : str
        ``left``, ``right``, or the character on which its cells line up.
    cells : tuple of str
        One text for each line of the plot; empty where it says nothing.
    """

    key: str
    heading: str
    unit: str
    align: Literal["left", "right", "/", " "]
    cells: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a column is made from."""

    run: "AnalysisRun"
    lines: Sequence[Line]
    numerals: Numerals
    arms: tuple[str, str]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ColumnKind:
    """A kind of column.

    Attributes
    ----------
    key, label : str
        What a style writes, and what it shows.
    function : callable
        Makes the column, or None where no line has anything to say.
    """

    key: str
    label: str
    function: Callable[[Context], Column | None]


def columns_for(
    keys: Sequence[str], run: "AnalysisRun", lines: Sequence[Line], numerals: Numerals, arms: tuple[str, str]
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the columns to the left and to the right of the effect axis.

    Parameters
    ----------
    keys : sequence of str
        Keys of `COLUMNS`, ``extra:NAME`` for a further column of the rows, and ``plot`` once.
    run : AnalysisRun
        The analysis.
    lines : sequence of Line
        The lines of the plot.
    numerals : Numerals
        Writes the numbers.
    arms : tuple of str
        What the two arms are called.

    Returns
    -------
    tuple of (tuple of Column, tuple of Column)
    """
    if sorted(set(keys)) != sorted(keys) or PLOT not in keys or "study" not in keys[: keys.index(PLOT)]:
        rule = f"columns must name each column once, {PLOT!r}, and 'study' before it"
        raise InputError(f"{rule}; got {list(keys)}", parameter="columns")
    context = Context(run=run, lines=lines, numerals=numerals, arms=arms)
    sides: tuple[list[Column], list[Column]] = ([], [])
    after = False
    for key in keys:
        if key == PLOT:
            after = True
            continue
        column = _extra(context, key) if key.startswith(EXTRA) else choose_column(key).function(context)
        if column is not None:
            sides[after].append(column)
    return tuple(sides[0]), tuple(sides[1])


def choose_column(key: str) -> ColumnKind:
    """Return the kind of column that `key` names, or raise `InputError` with the nearest key."""
    kind: ColumnKind = choose("columns", key, cast("Mapping[str, Any]", COLUMNS))
    return kind


def _study(context: Context) -> Column:
    cells = tuple(f"{line.label}{line.sign}" for line in context.lines)
    return Column(key="study", heading="Study", unit="", align="left", cells=cells)


def _events(arm: int) -> Callable[[Context], Column | None]:
    def column(context: Context) -> Column | None:
        if not any(line.counts and line.kind == "study" for line in context.lines):
            return None
        count = context.numerals.count
        cells = []
        for line in context.lines:
            c = line.counts
            pair = () if c is None else ((c.events1, c.n1), (c.events2, c.n2))[arm]
            cells.append("/".join(count(number) for number in pair))
        name = clean(context.arms[arm], most=80)
        return Column(key=f"events{arm + 1}", heading=name, unit="events/n", align="/", cells=tuple(cells))

    return column


def _effect(context: Context) -> Column:
    numerals, scale = context.numerals, Scale(context.run.measure)
    cells = []
    for line in context.lines:
        if line.span is None:
            cells.append("")
            continue
        low, high = scale.shown(line.span.low), scale.shown(line.span.high)
        interval = numerals.interval(low, high) if line.span.whole else ""
        estimate = "" if line.kind == "prediction" else numerals.effect(scale.shown(line.span.estimate))
        cells.append(f"{estimate} {interval}")
    before, after = numerals.brackets
    level = f"{before}{numerals.level(float(context.run.spec.model.level))}{NO_BREAK}CI{after}"
    label = clean(scale.label, most=60)
    return Column(key="effect", heading=label[:1].upper() + label[1:], unit=level, align=" ", cells=tuple(cells))


def _weight(context: Context) -> Column | None:
    if all(math.isnan(line.weight) for line in context.lines):
        return None
    cells = ("" if math.isnan(line.weight) else context.numerals.weight(line.weight) for line in context.lines)
    return Column(key="weight", heading="Weight", unit="%", align="right", cells=tuple(cells))


def _extra(context: Context, key: str) -> Column | None:
    name = key.removeprefix(EXTRA)
    cells = []
    for line in context.lines:
        value = line.study.extra.get(name, "") if line.study else ""
        if isinstance(value, str):
            cells.append(clean(value, most=40))
        else:
            cells.append("" if math.isnan(value) else context.numerals.plain(value))
    if not any(cells):
        return None
    heading = clean(name.replace("_", " "), most=60)
    numbers = all(not isinstance(line.study.extra.get(name, 0.0), str) for line in context.lines if line.study)
    return Column(
        key=key,
        heading=heading[:1].upper() + heading[1:],
        unit="",
        align="right" if numbers else "left",
        cells=tuple(cells),
    )


COLUMNS: Final[dict[str, ColumnKind]] = {
    kind.key: kind
    for kind in (
        ColumnKind(key="study", label="name of the study, with the mark of its basis", function=_study),
        ColumnKind(key="events1", label="events and n of the first arm", function=_events(0)),
        ColumnKind(key="events2", label="events and n of the second arm", function=_events(1)),
        ColumnKind(key="effect", label="estimate and confidence interval", function=_effect),
        ColumnKind(key="weight", label="weight in percent", function=_weight),
    )
}
