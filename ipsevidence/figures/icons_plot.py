"""What an effect means for a hundred people: a field of icons at each baseline, with both intervals."""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import core
from ipsevidence.analysis.absolutes import (
    CUT,
    MODELS,
    NO_REGRESSION,
    ODDS_FIRST,
    AbsoluteAnswer,
    Absolutes,
    absolutes_of,
)
from ipsevidence.analysis.answer_words import in_work, more
from ipsevidence.analysis.arms import Compared, compared
from ipsevidence.figures.lettering import width
from ipsevidence.figures.numbers import MINUS, NO_BREAK
from ipsevidence.figures.plot_frame import COLUMN_MM, style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import POINTS_PER_MM, Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.figures.saving import Drawing

__all__ = ["icons"]

ACROSS: Final = 3
"""Fields of icons in one row."""

WIDEST: Final = 150.0
"""The widest that a field is, in points."""

PALE: Final = "#c4c4c4"
"""Icons of people without the outcome."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Field:
    """A hundred people: how many have the outcome anyway and with the intervention, and the range that is ringed."""

    anyway: int
    with_it: int
    low: int
    high: int


def icons(
    run: "AnalysisRun",
    absolutes: Absolutes | core.NotApplicable | None = None,
    *,
    style: str | Style = "default",
    model: str = "",
    wide: bool = False,
) -> "Drawing":
    """Draw a hundred people at each baseline: in work anyway, in work with IPS as well, not in work.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    absolutes : Absolutes, optional
        Its absolute answers; without them those of `absolutes_of` at its own baselines.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    model : str
        Whose answers are drawn, a key of `MODELS`; by default the headline's.
    wide : bool
        Whether the figure has the width of a page instead of a column; of one baseline it never has.

    Returns
    -------
    Drawing
        Rings mark people whose outcome lies within the prediction interval, or within the confidence interval where
        there is no prediction. The bar under each field shows both intervals on a scale from 0 to 100.

    Raises
    ------
    InputError
        If the analysis has no absolute answers, or none of this model; with the reason.
    """
    found = absolutes if absolutes is not None else absolutes_of(run)
    if isinstance(found, core.NotApplicable):
        raise core.InputError(f"nothing can be drawn per 100 people: {found.reason}", parameter="run")
    chosen = model or found.headline
    answers = [one for baseline in found.baselines if (one := found.at(baseline, chosen)) is not None]
    if not answers:
        raise core.InputError(
            f"model must be one of {', '.join(sorted({one.model for one in found.answers}))}; got {model!r}",
            parameter="model",
        )
    look = style_of(style)
    words = compared(run.spec, own_table=run.data is None)
    what = in_work([row for row in run.rows if row.label in found.trials])
    page = wide and len(answers) > 1
    sheet = Sheet(style=look, width=look.width if page else min(look.width, COLUMN_MM * POINTS_PER_MM))
    title = f"Of 100 people: {run.spec.title}"
    with context():
        room = sheet.width - 2 * look.margin
        top = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        top = _key(sheet, top + 3.0, what, answers, words)
        bottom = _fields(sheet, top + 5.0, found, answers, words)
        for index, note in enumerate(_notes(found, answers)):
            bottom = sheet.paragraph(note, look.margin, bottom, room, f"note-{index}", quiet=True)
        return sheet.drawn(
            bottom + look.margin, title=title, alternative=_alternative(run, found, answers, what, words)
        )


def _key(sheet: Sheet, top: float, what: str, answers: Sequence[AbsoluteAnswer], words: Compared) -> float:
    """Draw the signs and what they mean, in as many lines as they need."""
    look, colours = sheet.style, sheet.style.palette
    entries = [("anyway", f"{what} {words.anyway}")]
    if any(one.people[1] > 0 for one in answers):
        entries.append(("more", f"only {words.with_it}"))
    if any(one.people[1] < 0 for one in answers):
        entries.append(("fewer", f"only {words.without}"))
    entries += [("not", "neither"), ("ring", _ring_words(answers))]
    left, line = look.margin, top
    for kind, text in entries:
        wide = 10.0 + width(text, look.small)
        if left > look.margin and left + wide > sheet.width - look.margin:
            left, line = look.margin, line + look.small_leading
        middle = line + 0.58 * look.small
        if kind == "ring":
            sheet.marks([left + 3.5], [middle], "key-ring", s=36.0, facecolor="none", edgecolor=colours.accent)
        else:
            _icons(sheet, kind, [left + 3.5], [middle], 6.2, f"key-{kind}")
        sheet.write(text, left + 10.0, line, f"key-{kind}-text")
        left += wide + 9.0
    return line + look.small_leading


def _ring_words(answers: Sequence[AbsoluteAnswer]) -> str:
    ahead = answers[0].difference_prediction
    level = f"{100 * answers[0].difference_ci.level:g}%{NO_BREAK}"
    return f"within the {level}{'confidence' if ahead.missing else 'prediction'} interval"


def _fields(sheet: Sheet, top: float, found: Absolutes, answers: Sequence[AbsoluteAnswer], words: Compared) -> float:
    """Draw the fields in rows of three; return where they end."""
    look = sheet.style
    room = sheet.width - 2 * look.margin
    columns = min(ACROSS, max(len(answers), 2))
    side = min(WIDEST, (room - (columns - 1) * 9.0) / columns)
    gap = (room - columns * side) / max(columns - 1, 1)
    bottom = top
    for index, one in enumerate(answers):
        if index and index % columns == 0:
            top = bottom + 6.0
        left = look.margin + (index % columns) * (side + gap)
        name = _name(found, one)
        bottom = max(bottom, _field(sheet, one, name, left, top, side, f"field-{index}", words))
    return bottom + 3.0


def _field(
    sheet: Sheet, one: AbsoluteAnswer, name: str, left: float, top: float, side: float, key: str, words: Compared
) -> float:
    """Draw one field with its heading, its bar and its numbers."""
    look = sheet.style
    field = _counted(one)
    down = sheet.paragraph(f"{field.anyway} of 100 {words.anyway}", left, top, side, f"{key}-head", bold=True)
    down = sheet.paragraph(name, left, down, side, f"{key}-name", quiet=True) + 2.0
    cell = side / 10
    places = [(left + (i % 10 + 0.5) * cell, down + (i // 10 + 0.5) * cell) for i in range(100)]
    kinds = [_kind(field, i) for i in range(100)]
    for kind in ("anyway", "more", "fewer", "not"):
        here = [place for place, its in zip(places, kinds, strict=True) if its == kind]
        if here:
            _icons(sheet, kind, [x for x, _ in here], [y for _, y in here], 0.6 * cell, f"{key}-{kind}")
    ringed = places[field.low : field.high]
    if ringed:
        sheet.marks(
            [x for x, _ in ringed],
            [y for _, y in ringed],
            f"{key}-ring",
            s=(0.88 * cell) ** 2,
            facecolor="none",
            edgecolor=look.palette.accent,
            linewidths=HAIR,
            zorder=2.5,
        )
    down = _bar(sheet, one, left, down + side + 5.0, side, key)
    extra = one.people[1]
    down = sheet.paragraph(f"{_signed(extra)} {words.with_it}", left, down, side, f"{key}-more", bold=True)
    level = f"{100 * one.difference_ci.level:g}%{NO_BREAK}"
    down = sheet.paragraph(f"{level}CI {_range(one.difference_ci)}", left, down, side, f"{key}-ci")
    ahead = one.difference_prediction
    text = "no prediction" if ahead.missing else f"{level}PI {_range(ahead)}"
    return sheet.paragraph(text, left, down, side, f"{key}-prediction")


def _name(found: Absolutes, one: AbsoluteAnswer) -> str:
    name = found.names[found.baselines.index(one.baseline)]
    return {"given": "as given", "the trial": "as in the comparator arm"}.get(name, name)


def _counted(one: AbsoluteAnswer) -> _Field:
    anyway, extra = one.people
    ends = one.difference_ci if one.difference_prediction.missing else one.difference_prediction
    low, high = (min(100, max(0, anyway + round(100 * end))) for end in (ends.low, ends.high))
    return _Field(anyway=anyway, with_it=anyway + extra, low=low, high=high)


def _kind(field: _Field, index: int) -> str:
    if index < min(field.anyway, field.with_it):
        return "anyway"
    if index < field.with_it:
        return "more"
    return "fewer" if index < field.anyway else "not"


def _icons(sheet: Sheet, kind: str, x: Sequence[float], y: Sequence[float], size: float, key: str) -> None:
    """Draw icons of one kind: they differ in shape and size as well as in colour."""
    colours = sheet.style.palette
    looks: dict[str, dict[str, Any]] = {
        "anyway": {"marker": "o", "s": size**2, "facecolor": colours.ink, "edgecolor": "none"},
        "more": {"marker": "D", "s": (0.82 * size) ** 2, "facecolor": colours.accent, "edgecolor": "none"},
        "fewer": {"marker": "x", "s": (0.75 * size) ** 2, "color": colours.ink, "linewidths": 0.9},
        "not": {"marker": "o", "s": (0.45 * size) ** 2, "facecolor": PALE, "edgecolor": "none"},
    }
    sheet.marks(x, y, key, **looks[kind])


def _bar(sheet: Sheet, one: AbsoluteAnswer, left: float, top: float, side: float, key: str) -> float:
    """Draw the scale from 0 to 100 with the baseline, the prediction interval, the confidence interval, the answer."""
    look, colours = sheet.style, sheet.style.palette
    middle = top + 4.0

    def place(share: float) -> float:
        return left + side * min(1.0, max(0.0, share))

    sheet.line([left, left + side], [middle] * 2, f"{key}-scale", color=PALE)
    for end in (0.0, 1.0):
        sheet.line([place(end)] * 2, [middle - 2.0, middle + 2.0], f"{key}-end-{end:g}", color=PALE)
    ahead, ci = one.difference_prediction, one.difference_ci
    if not ahead.missing:
        ends = [place(one.baseline + ahead.low), place(one.baseline + ahead.high)]
        sheet.line(ends, [middle] * 2, f"{key}-bar-prediction", color=colours.accent, linewidth=1.0)
        for end in ends:
            sheet.line([end] * 2, [middle - 2.5, middle + 2.5], f"{key}-cap", color=colours.accent, linewidth=1.0)
    ends = [place(one.baseline + ci.low), place(one.baseline + ci.high)]
    sheet.line(ends, [middle] * 2, f"{key}-bar-ci", color=colours.accent, linewidth=3.0)
    sheet.line(
        [place(one.baseline)] * 2, [middle - 4.0, middle + 4.0], f"{key}-bar-anyway", color=colours.ink, zorder=4
    )
    sheet.marks(
        [place(one.risk)],
        [middle],
        f"{key}-bar-risk",
        marker="D",
        s=16.0,
        facecolor=colours.accent,
        edgecolor="white",
        zorder=5,
    )
    sheet.write("0", left, middle + 4.5, f"{key}-zero", quiet=True)
    sheet.write("100", left + side, middle + 4.5, f"{key}-hundred", quiet=True, ha="right")
    return middle + 4.5 + look.small_leading + 1.0


def _signed(value: int) -> str:
    return f"{'+' if value > 0 else MINUS if value < 0 else ''}{abs(value)}"


def _range(interval: core.Interval) -> str:
    low, high = (_signed(round(100 * end)) for end in (interval.low, interval.high))
    return f"{low}{NO_BREAK}to{NO_BREAK}{high}"


def _notes(found: Absolutes, answers: Sequence[AbsoluteAnswer]) -> list[str]:
    first = answers[0]
    level = f"{100 * first.difference_ci.level:g}%"
    bar = f"Bars: line, people anyway; thick, {level} confidence interval (CI)"
    if not first.difference_prediction.missing:
        bar += f"; thin, {level} prediction interval (PI), what a new setting may see"
    trials = "one trial" if first.k == 1 else f"{first.k} trials"
    source = f"Numbers by the {MODELS[first.model]}, {trials}." if first.model != "trial" else ""
    unwanted = {NO_REGRESSION, "" if any(one.cut for one in answers) else CUT, ""}
    if first.model != "OR":
        unwanted.add(ODDS_FIRST)
    if first.model != "bivariate" and isinstance(found.bivariate, core.ControlRiskResult):
        unwanted.update(found.bivariate.notes)
    return [text for text in (f"{bar}.", source, *found.notes) if text not in unwanted]


def _alternative(
    run: "AnalysisRun", found: Absolutes, answers: Sequence[AbsoluteAnswer], what: str, words: Compared
) -> str:
    parts = []
    for one in answers:
        anyway, extra = one.people
        name = _name(found, one)
        ci, ahead = one.difference_ci, one.difference_prediction
        text = f"{anyway} of 100 {what} {words.without} ({name}), {abs(extra)} {'more' if extra >= 0 else 'fewer'}"
        text += f" {words.with_it}"
        text += f" ({100 * ci.level:g}% CI {more(100 * ci.low, 100 * ci.high)}"
        if not ahead.missing:
            text += f"; prediction interval {more(100 * ahead.low, 100 * ahead.high)}"
        parts.append(f"{text})")
    return f"Fields of 100 icons. {run.spec.title}. {'; '.join(parts)}. {' '.join(_notes(found, answers))}"
