"""The columns of a forest plot: what heads each of them, and what each line says in it."""

import dataclasses
import math
import string
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, cast

from ipsevidence.core import InputError
from ipsevidence.core.registry import choose
from ipsevidence.dataset.vocabulary import BIAS_JUDGEMENT
from ipsevidence.figures.forest_content import Content
from ipsevidence.figures.forest_lines import Line
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.numbers import MINUS, NO_BREAK
from ipsevidence.figures.style import Heading, Style

__all__ = ["BIAS", "COLUMNS", "EXTRA", "PLOT", "ROB", "Column", "ColumnKind", "Columns", "columns_for"]

PLOT: Final = "plot"
"""Where the effect axis stands among the columns."""

EXTRA: Final = "extra:"
"""Before the name of a further column of the rows: ``extra:setting``."""

ROB: Final = "rob:"
"""Before the name of a domain among the further columns of a row; the value is a key of `BIAS_JUDGEMENT`."""

BIAS: Final[Mapping[str, tuple[str, int]]] = {
    "low": ("+", 0),
    "some-concerns": ("!", 1),
    "moderate": ("!", 1),
    "high": (MINUS, 2),
    "critical": ("\u00d7", 2),
    "no-information": ("?", 3),
}
"""Sign of a judgement, and its colour in `Palette.bias`: never the colour alone."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as it is drawn.

    Attributes
    ----------
    key : str
        Its name.
    heading : Heading
        What stands above it.
    align : str
        ``left``, ``right``, ``center``, or the character on which its cells line up.
    cells : tuple of str
        One text for each line of the plot; empty where it says nothing.
    dots : tuple of int
        Colours of the dots behind the cells, by position in `Palette.bias`, -1 for none; empty without dots.
    """

    key: str
    heading: Heading
    align: Literal["left", "right", "center", "/", " "]
    cells: tuple[str, ...]
    dots: tuple[int, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The columns on either side of the effect axis, what stands above that, and what the foot says of them."""

    left: tuple[Column, ...]
    right: tuple[Column, ...]
    plot: Heading
    legend: tuple[str, ...]

    @property
    def all(self) -> tuple[Column, ...]:
        """The columns from left to right."""
        return (*self.left, *self.right)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a column is made from."""

    content: Content
    lines: Sequence[Line]
    style: Style
    arms: tuple[str, str]

    def heading(self, key: str, *, arm: int = 0) -> Heading:
        """Return the heading of a column, filled in."""
        label = clean(Scale(self.content.measure).label, most=60)
        model = "Fixed" if self.content.common else "Random"
        found = self.style.words.heading(
            key,
            arm=clean(self.arms[arm], most=80),
            effect=label[:1].upper() + label[1:],
            Effect=" ".join(word[:1].upper() + word[1:] for word in label.split(" ")),
            method=f"IV, {model}",
            level=self.style.numerals.level(self.content.level),
        )
        over, name, unit = (text.replace(" CI", f"{NO_BREAK}CI") for text in (found.over, found.name, found.unit))
        return Heading(over=over, name=name, unit=unit)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ColumnKind:
    """A kind of column.

    Attributes
    ----------
    key, label : str
        What a style writes, and what it shows.
    function : callable
        Makes the column, or several; none where a preset asks for what no line has.
    """

    key: str
    label: str
    function: Callable[[Context], tuple[Column, ...]]


def columns_for(
    keys: Sequence[str], content: Content, lines: Sequence[Line], style: Style, arms: tuple[str, str]
) -> Columns:
    """Return the columns to the left and to the right of the effect axis.

    Parameters
    ----------
    keys : sequence of str
        Keys of `COLUMNS`, ``extra:NAME`` for a further column of the rows, and ``plot`` once.
    content : Content
        What is drawn.
    lines : sequence of Line
        The lines of the plot.
    style : Style
        Writes headings and numbers.
    arms : tuple of str
        What the two arms are called.

    Returns
    -------
    Columns

    Raises
    ------
    InputError
        If a column is not known, or asked for by name and empty: no study was assessed for risk of bias, has a
        fidelity score, or has a further column of that name.
    """
    if sorted(set(keys)) != sorted(keys) or PLOT not in keys or "study" not in keys[: keys.index(PLOT)]:
        rule = f"columns must name each column once, {PLOT!r}, and 'study' before it"
        raise InputError(f"{rule}; got {list(keys)}", parameter="columns")
    context = Context(content=content, lines=lines, style=style, arms=arms)
    at = keys.index(PLOT)
    sides = []
    for part in (keys[:at], keys[at + 1 :]):
        made = (_extra(context, k) if k.startswith(EXTRA) else choose_column(k).function(context) for k in part)
        sides.append(tuple(column for columns in made for column in columns))
    return Columns(left=sides[0], right=sides[1], plot=context.heading(PLOT), legend=_legend(context, keys))


def choose_column(key: str) -> ColumnKind:
    """Return the kind of column that `key` names, or raise `InputError` with the nearest key."""
    kind: ColumnKind = choose("columns", key, cast("Mapping[str, Any]", COLUMNS))
    return kind


def _study(context: Context) -> tuple[Column, ...]:
    cells = tuple(f"{line.label}{line.sign}" for line in context.lines)
    return (Column(key="study", heading=context.heading("study"), align="left", cells=cells),)


def _counts(context: Context, key: str, fields: tuple[str, ...]) -> tuple[Column, ...]:
    if not any(line.counts and line.kind == "study" for line in context.lines):
        return ()
    count = context.style.numerals.count
    cells = tuple(
        "/".join(count(getattr(line.counts, field)) for field in fields) if line.counts else ""
        for line in context.lines
    )
    align: Literal["/", "right"] = "/" if len(fields) > 1 else "right"
    return (Column(key=key, heading=context.heading(key, arm=int(key[-1]) - 1), align=align, cells=cells),)


def _effect(context: Context) -> tuple[Column, ...]:
    numerals, scale = context.style.numerals, Scale(context.content.measure)
    cells = []
    for line in context.lines:
        if line.span is None:
            cells.append("")
            continue
        low, high = scale.shown(line.span.low), scale.shown(line.span.high)
        interval = numerals.interval(low, high) if line.span.whole else ""
        estimate = "" if line.kind == "prediction" else numerals.effect(scale.shown(line.span.estimate))
        cells.append(f"{estimate} {interval}")
    return (Column(key="effect", heading=context.heading("effect"), align=" ", cells=tuple(cells)),)


def _numbers(context: Context, key: str, write: Callable[[float], str]) -> tuple[Column, ...]:
    values = [float(getattr(line, key)) for line in context.lines]
    if all(math.isnan(value) for value in values):
        return ()
    cells = tuple("" if math.isnan(value) else write(value) for value in values)
    return (Column(key=key, heading=context.heading(key), align="right", cells=cells),)


def _extra(context: Context, key: str) -> tuple[Column, ...]:
    name = key.removeprefix(EXTRA)
    heading = clean(name.replace("_", " "), most=60)
    return _texts(context, key, name, Heading(name=heading[:1].upper() + heading[1:]))


def _fidelity(context: Context) -> tuple[Column, ...]:
    if not any(line.study and line.study.extra.get("fidelity") for line in context.lines):
        raise InputError("fidelity: no study in the pool has a score or a label", parameter="columns")
    return _texts(context, "fidelity", "fidelity", context.heading("fidelity"))


def _texts(context: Context, key: str, name: str, heading: Heading) -> tuple[Column, ...]:
    values = [line.study.extra.get(name, "") if line.study else "" for line in context.lines]
    cells = tuple(_text(value, context.style) for value in values)
    if not any(cells):
        known = sorted({name for line in context.lines if line.study for name in line.study.extra})
        there = f"they have {', '.join(known)}" if known else "they have none"
        raise InputError(f"no row says anything under {name!r}; of further columns {there}", parameter="columns")
    numbers = all(not isinstance(value, str) for value in values if value != "")
    return (Column(key=key, heading=heading, align="right" if numbers else "left", cells=cells),)


def _text(value: str | float, style: Style) -> str:
    if isinstance(value, str):
        return clean(value, most=40)
    return "" if math.isnan(value) else style.numerals.plain(value)


def _domains(context: Context) -> tuple[str, ...]:
    """Return the domains that were judged, in the order of the rows, the overall judgement last."""
    named = [key for line in context.lines if line.study for key in line.study.extra if key.startswith(ROB)]
    return tuple(sorted(dict.fromkeys(named), key=f"{ROB}overall".__eq__))


def _bias(context: Context) -> tuple[Column, ...]:
    domains = _domains(context)
    if not domains:
        raise InputError("risk of bias: not assessed", parameter="columns")
    over = context.heading("bias").over
    columns = []
    for letter, domain in zip(string.ascii_uppercase, domains, strict=False):
        judged = [str(line.study.extra.get(domain, "")) if line.study else "" for line in context.lines]
        for value in filter(None, judged):
            choose("columns", value, cast("Mapping[str, Any]", BIAS_JUDGEMENT))
        signs = [BIAS.get(value, ("", -1)) for value in judged]
        columns.append(
            Column(
                key=domain,
                heading=Heading(over=over, name=letter),
                align="center",
                cells=tuple(sign for sign, _ in signs),
                dots=tuple(colour for _, colour in signs),
            )
        )
    return tuple(columns)


def _legend(context: Context, keys: Sequence[str]) -> tuple[str, ...]:
    """Return what the letters and the signs of the dots mean."""
    if "rob" not in keys:
        return ()
    domains = _domains(context)
    names = (clean(domain.removeprefix(ROB).replace("-", " "), most=60) for domain in domains)
    letters = (f"{letter}{NO_BREAK}{name}" for letter, name in zip(string.ascii_uppercase, names, strict=False))
    used = {str(line.study.extra.get(domain, "")) for line in context.lines if line.study for domain in domains}
    signs = (f"{sign}{NO_BREAK}{BIAS_JUDGEMENT[key].label}" for key, (sign, _) in BIAS.items() if key in used)
    return (f"Risk of bias: {', '.join(letters)}. {', '.join(signs)}.",)


def _kind(key: str, label: str, function: Callable[..., tuple[Column, ...]], *settings: Any) -> ColumnKind:
    return ColumnKind(key=key, label=label, function=lambda context: function(context, *settings))


COLUMNS: Final[dict[str, ColumnKind]] = {
    kind.key: kind
    for kind in (
        _kind("study", "name of the study, with the mark of its basis", _study),
        _kind("events1", "events and n of the first arm", _counts, "events1", ("events1", "n1")),
        _kind("events2", "events and n of the second arm", _counts, "events2", ("events2", "n2")),
        _kind("counts1", "events of the first arm", _counts, "counts1", ("events1",)),
        _kind("total1", "n of the first arm", _counts, "total1", ("n1",)),
        _kind("counts2", "events of the second arm", _counts, "counts2", ("events2",)),
        _kind("total2", "n of the second arm", _counts, "total2", ("n2",)),
        _kind("effect", "estimate and confidence interval", _effect),
        ColumnKind(
            key="weight",
            label="weight in percent",
            function=lambda context: _numbers(context, "weight", context.style.numerals.weight),
        ),
        _kind("fidelity", "fidelity, as the rows say it", _fidelity),
        _kind("rob", "risk of bias, a dot for each domain", _bias),
        ColumnKind(
            key="k",
            label="number of studies pooled",
            function=lambda context: _numbers(context, "k", context.style.numerals.count),
        ),
        ColumnKind(
            key="i2",
            label="I2 of a pool",
            function=lambda context: _numbers(context, "i2", context.style.numerals.percent),
        ),
        ColumnKind(
            key="tau2",
            label="variance between the studies of a pool",
            function=lambda context: _numbers(context, "tau2", context.style.numerals.tau2),
        ),
    )
}
