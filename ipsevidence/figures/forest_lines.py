"""What stands in a forest plot from top to bottom: one `Line` for each, in words and numbers of the axis.

Nothing here has a position yet; the layout gives it one.
"""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final, Literal

from ipsevidence.core import PooledResult
from ipsevidence.core.pooling import mean_interval
from ipsevidence.core.results import Interval, NotApplicable
from ipsevidence.figures.forest_axis import Span
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.style import Style

if TYPE_CHECKING:
    from ipsevidence.analysis.rows import Counts, StudyRow
    from ipsevidence.analysis.running import AnalysisRun, Fit

__all__ = [
    "MARKS",
    "Line",
    "Mark",
    "forest_lines",
    "heterogeneity",
    "no_effect",
    "no_pool",
    "span_of",
    "study_label",
    "total_lines",
]

Kind = Literal["heading", "study", "step", "subtotal", "total", "prediction", "note"]

THIN_SPACE: Final = "\u202f"


MOST_EMPTY: Final = 2
"""Groups without a trial that have rows of their own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The sign after a study whose counts were not read as such, and what the foot says of it."""

    sign: str
    meaning: str


MARKS: Final[dict[str, Mark]] = {
    "derived": Mark(sign="\u2020", meaning="counts computed from numbers that were read, with one possible result"),
    "bounded": Mark(sign="\u2021", meaning="what was read leaves several possible counts"),
    "approximate": Mark(sign="\u00a7", meaning="no whole number fits what was printed"),
    "reconstructed": Mark(sign="\u00b6", meaning="counts rest on something that was not read"),
}
"""By basis, strongest first; `reported` has no mark."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the plot.

    Attributes
    ----------
    kind : str
        What it is.
    label : str
        Its words.
    sign : str
        What stands behind the name of a study: the mark of its basis.
    span : Span or None
        What is drawn and written as estimate and interval.
    weight : float
        Percent; nan where there is none.
    counts : Counts or None
        Events and n of both arms, of a study or summed over the studies above.
    study : StudyRow or None
        The row, for further columns.
    k, i2, tau2 : float
        Number of studies, I2 in percent and variance between studies of a pool; nan where there is none.
    reason : str
        Why there is no estimate; it stands where the interval would be.
    indent : bool
        Whether it belongs to a group.
    space : float
        Share of a row that is left free above it.
    """

    kind: Kind
    label: str
    sign: str = ""
    span: Span | None = None
    weight: float = math.nan
    counts: "Counts | None" = None
    study: "StudyRow | None" = None
    k: float = math.nan
    i2: float = math.nan
    tau2: float = math.nan
    reason: str = ""
    indent: bool = False
    space: float = 0.0


def forest_lines(run: "AnalysisRun", style: Style) -> tuple[Line, ...]:
    """Return the lines of a forest plot, from the first study to the prediction interval."""
    return (*_body(run, style), *total_lines(run, style))


def study_label(row: "StudyRow") -> str:
    """Return a study's name, with its year if the name does not carry it."""
    label = clean(row.label, most=120)
    year = row.extra.get("year", "")
    shown = f"{year:.0f}" if isinstance(year, float) and math.isfinite(year) else clean(str(year), most=12)
    return f"{label} {shown}" if shown and shown != "nan" and shown not in label else label


def no_pool(fit: "Fit") -> str:
    """Return why a fit has no diamond; empty where it has one."""
    if isinstance(fit, NotApplicable):
        return fit.reason
    if fit.k == 1:
        return next(iter(fit.notes), "one study: nothing was pooled")
    return fit.ci.why if fit.ci.missing else ""


def heterogeneity(fit: PooledResult, style: Style, *, bounds: bool = False) -> str:
    """Return I2, tau2 (with its interval if asked for), Q, its degrees of freedom and p, in the words of a style."""
    if math.isnan(fit.q):
        return ""
    numerals, words = style.numerals, style.words
    spread = "" if fit.settings.tau2 == "common" else numerals.equation(words.tau2, numerals.tau2(fit.tau2))
    if spread and bounds and not fit.tau2_ci.missing:
        between = numerals.tau2_range(fit.tau2_ci.low, fit.tau2_ci.high)
        spread += f" ({numerals.level(fit.tau2_ci.level)}{NO_BREAK}CI {between})"
    parts = {
        "i2": numerals.equation(words.i2, numerals.percent(fit.i2)),
        "tau2": spread,
        "q": numerals.equation(words.q, numerals.statistic(fit.q)),
        "df": numerals.equation("df", numerals.count(fit.q_df)),
        "p": numerals.p(fit.q_p),
    }
    return words.joiner.join(text for text in (piece.format(**parts) for piece in words.pieces) if text)


def no_effect(fit: PooledResult, style: Style) -> str:
    """Return the sentence on the test of no effect."""
    name = style.words.z if math.isnan(fit.df) else f"t({fit.df:g})"
    test = style.numerals.equation(name, style.numerals.statistic(fit.statistic))
    return style.words.test.format(test=test, p=style.numerals.p(fit.p))


def unfilled(run: "AnalysisRun") -> tuple[str, ...]:
    """Return the groups without a trial where they are too many for a row each; the foot names them instead."""
    empty = tuple(group.label for group in run.groups if not group.members)
    return empty if len(empty) > MOST_EMPTY else ()


def _body(run: "AnalysisRun", style: Style) -> Iterator[Line]:
    seen: set[int] = set()
    left_out = unfilled(run)
    for number, group in enumerate(group for group in run.groups if group.members or group.label not in left_out):
        seen.update(group.members)
        yield Line(kind="heading", label=clean(group.label), space=0.5 if number else 0.0)
        yield from (_study(run, index, indent=True) for index in group.members)
        reason = no_pool(group.fit)
        if isinstance(group.fit, PooledResult) and not reason:
            yield _summary(run, "subtotal", _name(style.words.subtotal, group.fit, style), group.fit, group.members)
            yield from _group_notes(run, group.fit, style)
        else:
            yield Line(kind="note", label=clean(sentence(reason)), indent=True)
    rest = [index for index in range(len(run.rows)) if index not in seen]
    if rest and run.groups:
        yield Line(kind="heading", label="In none of these groups", space=0.5)
    yield from (_study(run, index, indent=bool(run.groups)) for index in rest)


def _name(template: str, fit: PooledResult, style: Style) -> str:
    numerals = style.numerals
    level = numerals.level(fit.settings.level)
    return template.format(k=numerals.equation("k", str(fit.k)), level=level).replace(" CI", f"{NO_BREAK}CI")


def _group_notes(run: "AnalysisRun", fit: PooledResult, style: Style) -> Iterator[Line]:
    found = heterogeneity(fit, style)
    if not style.words.whole:
        yield Line(kind="note", label=found, indent=True)
        return
    yield Line(kind="note", label=style.words.found.format(found).removesuffix("."), indent=True)
    if not math.isnan(run.measure.null):
        yield Line(kind="note", label=no_effect(fit, style).removesuffix("."), indent=True)


def total_lines(run: "AnalysisRun", style: Style) -> Iterator[Line]:
    """Yield the pool of all studies and its prediction interval, or why there is none."""
    reason = no_pool(run.fit)
    if not isinstance(run.fit, PooledResult) or reason:
        yield Line(kind="note", label=clean(sentence(reason)), space=0.6)
        return
    label = _name(style.words.total, run.fit, style)
    yield _summary(run, "total", label, run.fit, range(len(run.rows)), space=0.6)
    if run.fit.settings.prediction == "none":
        return
    words = f"{style.numerals.level(run.fit.prediction.level)}{NO_BREAK}prediction interval"
    if run.fit.prediction.missing:
        yield Line(kind="note", label=clean(f"No {words}: {run.fit.prediction.why}."))
    else:
        yield Line(kind="prediction", label=words, span=span_of(run, run.fit.estimate, run.fit.prediction))


def _study(run: "AnalysisRun", index: int, *, indent: bool) -> Line:
    row = run.rows[index]
    interval, _, _ = mean_interval(run.y[index], math.sqrt(run.v[index]), math.nan, float(run.spec.model.level))
    weight = _weight(run, (index,))
    return Line(
        kind="study",
        label=study_label(row),
        sign=f"{THIN_SPACE}{MARKS[row.basis].sign}" if row.basis in MARKS else "",
        span=span_of(run, run.y[index], interval, weight=1.0 if math.isnan(weight) else weight, pooled=False),
        weight=weight,
        counts=row.counts,
        study=row,
        indent=indent,
    )


def _summary(
    run: "AnalysisRun",
    kind: Literal["subtotal", "total"],
    label: str,
    fit: PooledResult,
    members: Iterable[int],
    *,
    space: float = 0.0,
) -> Line:
    members = tuple(members)
    return Line(
        kind=kind,
        label=label,
        span=span_of(run, fit.estimate, fit.ci),
        weight=_weight(run, members),
        counts=_sum([run.rows[index] for index in members]),
        k=fit.k,
        i2=fit.i2,
        tau2=math.nan if fit.settings.tau2 == "common" else fit.tau2,
        indent=kind == "subtotal",
        space=space,
    )


def _weight(run: "AnalysisRun", members: Iterable[int]) -> float:
    """Return the weight of studies in the pool of all; nan where there is none."""
    if not isinstance(run.fit, PooledResult) or no_pool(run.fit):
        return math.nan
    return math.fsum(float(run.fit.weights[index]) for index in members)


def _sum(rows: "Iterable[StudyRow]") -> "Counts | None":
    """Add up the counts of studies; nothing where one of them has none."""
    counts = [row.counts for row in rows]
    if not counts or any(count is None for count in counts):
        return None
    first = counts[0]
    assert first is not None
    totals = {
        field.name: math.fsum(getattr(count, field.name) for count in counts) for field in dataclasses.fields(first)
    }
    return type(first)(**totals)


def span_of(
    run: "AnalysisRun", estimate: float, interval: Interval, *, weight: float = 0.0, pooled: bool = True
) -> Span:
    """Return an estimate with its interval where they stand on the axis."""
    place = Scale(run.measure).place
    return Span(
        estimate=place(estimate), low=place(interval.low), high=place(interval.high), weight=weight, pooled=pooled
    )
