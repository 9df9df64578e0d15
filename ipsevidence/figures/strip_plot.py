"""Employment rates of services and single groups, one panel for each kind of rate, without a mean."""

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from ipsevidence.core import InputError
from ipsevidence.figures.lettering import balance, capital, clean, width
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.figures.plot_frame import SHADES, style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.service_rates import ServiceRate
    from ipsevidence.figures.saving import Drawing

__all__ = ["BENCHMARKS", "BENCHMARK_SOURCE", "service_strip"]

LEAST: Final = 3
"""Rates of one kind from which it has a panel."""

BENCHMARKS: Final = ((0.31, "minimal"), (0.41, "average"), (0.50, "excellent"))
"""Quarterly rates that the IPS Employment Center calls so; they hold for no other kind of rate."""

BENCHMARK_SOURCE: Final = "https://ipsworks.nyspi.org/index.php/faq-items/as-an-ips-supervisor-how-would-i-know-if-my-program-was-performing-well/"

QUARTERLY: Final = "employed in a quarter"
"""How the kinds begin that the benchmarks are of."""

DOT: Final = 5.0
"""Diameter of a dot, in points."""

PLOT: Final = 130.0
"""The least width of the plot, in points."""

MONTHS: Final = 27.0
PERSONS: Final = 50.0
RATE: Final = 14.0
"""Widths of the columns of months, of events and n, and of the rate, in points."""

STUDY: Final = 184.0
"""The widest that the column of studies and groups is, in points."""

APART: Final = 8.0
"""Space between columns, in points."""

NEVER: Final = "Rates of different kinds are never compared"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """Where the columns start and how wide some are, in points; columns of numbers are given by their right end."""

    study: float
    study_wide: float
    months: float
    among: float
    persons: float
    plot: float
    plot_wide: float
    rate: float

    def place(self, share: float) -> float:
        """Return where a rate stands."""
        return self.plot + share * self.plot_wide


def service_strip(
    rates: "Sequence[ServiceRate]", *, kind: str | None = None, style: str | Style = "default"
) -> "Drawing":
    """Draw the rates of services.

    Parameters
    ----------
    rates : sequence of ServiceRate
        What `ipsevidence.analysis.service_rates.service_rates` returned.
    kind : str, optional
        The kind to draw, as the rates name it, or how it begins; without it every kind with at least three rates.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        In each panel one row for each group, the highest rate first: a dot with its 95% Wilson interval, or a hollow
        dot without an interval where only a percent was printed. The benchmarks of the IPS Employment Center stand in
        the panel of the quarterly rate alone.

    Raises
    ------
    InputError
        If no kind has three rates, or there are no rates of the kind asked for.
    """
    panels = _panels(rates, kind)
    look = style_of(style)
    rows = sum(map(len, panels.values()))
    if (rows + 3 * len(panels)) * look.row > look.page:
        look = look.tight()
    columns = _columns(list(panels.values()), look)
    sheet = Sheet(style=look, width=columns.rate + look.margin)
    room = sheet.width - 2 * look.margin
    title = "Employment rates of services and single groups, by kind of rate"
    with context():
        down = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        down = sheet.paragraph(f"{NEVER}.", look.margin, down, room, "never") + 2.0
        down = _heads(sheet, columns, down)
        for index, (name, found) in enumerate(panels.items()):
            down = _panel(sheet, columns, name, found, down + 7.0, f"panel-{index}")
        down += 5.0
        notes = _notes(rates, panels)
        for index, note in enumerate(notes):
            down = sheet.paragraph(note, look.margin, down, room, f"note-{index}", quiet=True)
        return sheet.drawn(down + look.margin, title=title, alternative=_alternative(panels, notes))


def _panels(rates: "Sequence[ServiceRate]", kind: str | None) -> "dict[str, list[ServiceRate]]":
    found: dict[str, list[ServiceRate]] = {}
    for rate in sorted(rates, key=lambda one: (one.kind, -one.rate, one.label, one.arm)):
        found.setdefault(rate.kind, []).append(rate)
    if kind is None:
        chosen = {name: panel for name, panel in found.items() if len(panel) >= LEAST}
        if not chosen:
            raise InputError(f"no kind of rate has {LEAST} rates: there is no strip to draw", parameter="rates")
        return chosen
    chosen = {name: panel for name, panel in found.items() if kind and name.startswith(kind)}
    if not chosen:
        raise InputError(f"kind must be, or begin, one of: {'; '.join(found)}; got {kind!r}", parameter="kind")
    return chosen


def _months(rate: "ServiceRate") -> str:
    return EN_DASH if math.isnan(rate.months) else f"{rate.months:g}"


def _among(rate: "ServiceRate") -> str:
    return rate.of or "not stated"


def _counted(rate: "ServiceRate") -> bool:
    return not math.isnan(rate.n)


def _persons(rate: "ServiceRate") -> str:
    return f"{rate.events:,.0f}/{rate.n:,.0f}" if _counted(rate) else EN_DASH


def _names(rates: "Sequence[ServiceRate]") -> list[str]:
    """Name the groups of a panel: by the study, by what they were given where a study has several, and by period."""
    labels = [rate.label for rate in rates]
    found = []
    for rate in rates:
        group = f": {rate.arm}" if labels.count(rate.label) > 1 else ""
        period = f", {rate.period}" if rate.period else ""
        found.append(clean(f"{rate.label}{group}{period}"))
    return found


def _columns(panels: "Sequence[Sequence[ServiceRate]]", look: Style) -> _Columns:
    """Return where the columns stand: what is left over goes to the plot."""
    rates = [rate for panel in panels for rate in panel]
    names = min(STUDY, max(width(name, look.small) for panel in panels for name in _names(panel)))
    among = max(width(text, look.small) for text in (*map(_among, rates), "Among"))
    months = look.margin + names + APART + MONTHS
    persons = months + APART + among + APART + PERSONS
    plot = persons + APART + 4.0
    plot_wide = max(PLOT, look.width - look.margin - RATE - APART - plot)
    return _Columns(
        study=look.margin,
        study_wide=names,
        months=months,
        among=months + APART,
        persons=persons,
        plot=plot,
        plot_wide=plot_wide,
        rate=plot + plot_wide + APART + RATE,
    )


def _heads(sheet: Sheet, columns: _Columns, top: float) -> float:
    look = sheet.style
    for key, text, x, ha in (
        ("study", "Study", columns.study, "left"),
        ("months", "Months", columns.months, "right"),
        ("among", "Among", columns.among, "left"),
        ("persons", "Events/n", columns.persons, "right"),
        ("plot", "Rate in percent, 95% Wilson interval", columns.place(0.5), "center"),
        ("rate", "%", columns.rate, "right"),
    ):
        sheet.write(text, x, top, f"head-{key}", ha=ha, bold=True)
    bottom = top + look.small_leading + 2.0
    ends = [look.margin, columns.rate]
    sheet.line(ends, [bottom, bottom], "head-rule", color=look.palette.rule)
    return bottom


def _panel(sheet: Sheet, columns: _Columns, name: str, rates: "Sequence[ServiceRate]", top: float, key: str) -> float:
    """Draw the rates of one kind, with ticks of their own above them; return where they end."""
    look = sheet.style
    sheet.write(capital(name), look.margin, top, f"{key}-name", bold=True)
    marked = name.startswith(QUARTERLY)
    first = top + (2 if marked else 1) * look.small_leading + 3.0
    names = [balance(text, columns.study_wide, look.small, most=2) for text in _names(rates)]
    tops = [first]
    for lines in names:
        tops.append(tops[-1] + look.row + (len(lines) - 1) * look.small_leading)
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = columns.place(share)
        sheet.line([x, x], [first, tops[-1]], f"{key}-grid-{share:g}", color=SHADES[1], zorder=0.5)
        sheet.write(f"{100 * share:.0f}", x, top, f"{key}-tick-{share:g}", ha="center", quiet=True)
    ends = [columns.place(0.0), columns.place(1.0)]
    sheet.line(ends, [first, first], f"{key}-axis", color=look.palette.rule)
    if marked:
        _benchmarks(sheet, columns, first, tops[-1], key)
    for index, (rate, lines) in enumerate(zip(rates, names, strict=True)):
        _row(sheet, columns, rate, lines, tops[index] + look.row / 2, f"{key}-{index}")
    return tops[-1]


def _benchmarks(sheet: Sheet, columns: _Columns, top: float, bottom: float, key: str) -> None:
    """Draw the benchmarks; their values stand above their lines, their words to the left."""
    look = sheet.style
    above = top - look.small_leading - 1.0
    words = ", ".join(word for _, word in BENCHMARKS)
    accent = look.palette.accent
    sheet.write(f"Benchmarks: {words}", columns.plot - APART, above, f"{key}-benchmarks", ha="right", color=accent)
    for value, word in BENCHMARKS:
        x = columns.place(value)
        dashes = {"dashes": (3.0, 1.5), "color": accent, "linewidth": 0.9, "zorder": 1.5}
        sheet.line([x, x], [top - 1.0, bottom], f"{key}-benchmark-{word}", **dashes)
        sheet.write(f"{100 * value:.0f}", x, above, f"{key}-benchmark-{word}-text", ha="center", color=accent)


def _row(sheet: Sheet, columns: _Columns, rate: "ServiceRate", names: Sequence[str], middle: float, key: str) -> None:
    look = sheet.style
    top = middle - 0.57 * look.small
    for index, line in enumerate(names):
        sheet.write(line, columns.study, top + index * look.small_leading, f"{key}-study-{index}")
    sheet.write(_months(rate), columns.months, top, f"{key}-months", ha="right")
    sheet.write(_among(rate), columns.among, top, f"{key}-among")
    sheet.write(_persons(rate), columns.persons, top, f"{key}-persons", ha="right")
    sheet.write(f"{100 * rate.rate:.0f}", columns.rate, top, f"{key}-rate", ha="right")
    ink = look.palette.ink
    if _counted(rate):
        ends = [columns.place(end) for end in (rate.low, rate.high)]
        sheet.line(ends, [middle, middle], f"{key}-interval", color=ink, linewidth=1.0)
    fill = ink if _counted(rate) else "white"
    x = columns.place(rate.rate)
    sheet.marks([x], [middle], f"{key}-dot", s=DOT**2, facecolor=fill, edgecolor=ink, linewidths=1.5 * HAIR)


def _notes(rates: "Sequence[ServiceRate]", panels: "dict[str, list[ServiceRate]]") -> tuple[str, ...]:
    drawn = {rate.kind for panel in panels.values() for rate in panel}
    others = sum(rate.kind not in drawn for rate in rates)
    hollow = "Hollow dot: only a percent was printed, so that there is no interval."
    months = "Months from entry; an en dash where what was read does not say."
    notes = [f"{hollow} {months} No mean is drawn: the groups differ in whom they count, and for how long."]
    if any(name.startswith(QUARTERLY) for name in panels):
        notes.append(
            "Benchmarks, of quarterly rates alone: 31% minimal, 41% average, 50% excellent, as the IPS Employment"
            f" Center publishes them: {BENCHMARK_SOURCE}"
        )
    if others:
        notes.append(f"Not drawn: {others} rate{'' if others == 1 else 's'} of other kinds.")
    return tuple(notes)


def _alternative(panels: "dict[str, list[ServiceRate]]", notes: tuple[str, ...]) -> str:
    said = [f"Employment rates by kind. {NEVER}."]
    for name, rates in panels.items():
        parts = []
        for rate in rates:
            counts = f" ({_persons(rate)})" if _counted(rate) else " (percent only)"
            parts.append(f"{rate.label} {100 * rate.rate:.0f}%{counts}")
        said.append(f"{capital(name)}: {'; '.join(parts)}.")
    return " ".join([*said, *notes])
