"""Risk of bias: traffic lights for every result and domain, and bars of how much of the evidence is at which risk."""

import dataclasses
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, cast

from ipsevidence.core import InputError, choose
from ipsevidence.dataset.checks_of_bias import TOOLS
from ipsevidence.dataset.vocabulary import BIAS_JUDGEMENT, BIAS_TOOL
from ipsevidence.figures.forest_columns import BIAS
from ipsevidence.figures.lettering import capital, clean, fit, width, wrap
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import listed, style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.record import Outcome, RiskOfBias
    from ipsevidence.figures.saving import Drawing

__all__ = ["Judgement", "judgements_from", "judgements_of", "risk_of_bias"]

OVERALL: Final = "overall"

DOT: Final = 10.0
"""Diameter of a light, in points."""

BAR: Final = 10.0
"""Height of a bar, in points."""

COLUMN: Final = 64.0
"""The widest that a column of lights is, in points."""

NOT_ASSESSED: Final = "risk of bias: not assessed; it is judged for each result by two named people, and nobody has"

Drawn = tuple[str, str, int]
"""A judgement, its sign and its colour by position in `Palette.bias`."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What two people judged of one result.

    Attributes
    ----------
    label : str
        The study.
    tool : str
        Key of the vocabulary BIAS_TOOL: ``rob-2``, ``robins-i``.
    domains : mapping of str to str
        Judgements by domain; keys of BIAS_JUDGEMENT. A domain that is missing is left blank.
    overall : str
        The judgement of the result; empty where there is none.
    by : tuple of str
        The two people who judged; empty where nobody has.
    outcome : str
        Which result, in words; empty where it need not be said.
    """

    label: str
    tool: str
    domains: Mapping[str, str] = dataclasses.field(default_factory=dict)
    overall: str = ""
    by: tuple[str, ...] = ()
    outcome: str = ""

    def __post_init__(self) -> None:
        """Refuse what the tool does not have, and a judgement by fewer than two people."""
        tool = choose("tool", self.tool, cast("Mapping[str, Any]", TOOLS))
        for domain, value in (*self.domains.items(), (OVERALL, self.overall)):
            if domain != OVERALL and domain not in tool.domains:
                known = ", ".join(tool.domains)
                raise InputError(f"domains must be of {self.tool}: {known}; got {domain!r}", parameter="domains")
            if value not in (*tool.judgements, ""):
                known = ", ".join(tool.judgements)
                raise InputError(f"{domain} must be one of {known}; got {value!r}", parameter="domains")
        if any((*self.domains.values(), self.overall)) and len(set(self.by)) < 2:
            raise InputError(f"by must be two different people; got {list(self.by)}", parameter="by")

    def of(self, domain: str) -> str:
        """Return the judgement of a domain, or of the whole result; empty where there is none."""
        return self.overall if domain == OVERALL else self.domains.get(domain, "")


def judgements_from(items: Iterable[Mapping[str, Any]]) -> tuple[Judgement, ...]:
    """Return judgements from plain data, as a YAML or JSON file gives them.

    Parameters
    ----------
    items : iterable of mapping
        With the keys of `Judgement`.

    Returns
    -------
    tuple of Judgement

    Raises
    ------
    InputError
        If a key or a judgement is not known, or a key is missing.
    """
    known = {field.name for field in dataclasses.fields(Judgement)}
    found = []
    for item in items:
        wrong = [key for key in item if key not in known]
        if wrong or "label" not in item or "tool" not in item:
            keys = ", ".join(field.name for field in dataclasses.fields(Judgement))
            raise InputError(f"a judgement has label, tool, and of {keys}; got {', '.join(item)}", parameter="items")
        found.append(Judgement(**{**item, "by": tuple(item.get("by", ()))}))
    return tuple(found)


def judgements_of(dataset: "Dataset", run: "AnalysisRun | None" = None) -> tuple[Judgement, ...]:
    """Collect the judgements of risk of bias from the records.

    Parameters
    ----------
    dataset : Dataset
        The records.
    run : AnalysisRun, optional
        An analysis on them: only the results that it pools, in its order; those that were not judged stay blank.

    Returns
    -------
    tuple of Judgement

    Raises
    ------
    InputError
        If no result was judged: nothing takes the place of the judgement of two people.
    """
    if run is None:
        pairs = [(study.label, outcome) for study in dataset for outcome in study.outcomes if outcome.risk_of_bias]
    else:
        studies = {study.id: study for study in dataset}
        pairs = [
            (row.label, outcome)
            for row in run.rows
            if row.id in studies
            for outcome in studies[row.id].outcomes
            if outcome.id == row.extra.get("outcome")
        ]
    tools = [outcome.risk_of_bias.tool for _, outcome in pairs if outcome.risk_of_bias is not None]
    if not tools:
        raise InputError(NOT_ASSESSED, parameter="dataset" if run is None else "run")
    usual = max(sorted(set(tools)), key=tools.count)
    return tuple(_judgement(label, outcome, outcome.risk_of_bias, usual) for label, outcome in pairs)


def _judgement(label: str, outcome: "Outcome", bias: "RiskOfBias | None", usual: str) -> Judgement:
    if bias is None:
        return Judgement(label=label, tool=usual, outcome=outcome.definition)
    return Judgement(
        label=label,
        tool=bias.tool,
        domains=dict(bias.domains),
        overall=bias.overall,
        by=bias.by,
        outcome=outcome.definition,
    )


def risk_of_bias(
    judgements: Sequence[Judgement],
    *,
    weights: Sequence[float] | None = None,
    title: str = "Risk of bias",
    note: str = "",
    style: str | Style = "default",
) -> "Drawing":
    """Draw traffic lights and, below them, bars.

    Parameters
    ----------
    judgements : sequence of Judgement
        One for each row; those of different tools stand in tables of their own, for their domains differ.
    weights : sequence of float, optional
        How much each row counts in the bars, such as its weight in a pool; without them each counts alike.
    title : str
        Above the figure.
    note : str
        What has to be said of the whole figure, under its title: ``example, not data``.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        Every light has its colour and its sign, as in the forest plot; a blank was not judged.

    Raises
    ------
    InputError
        If nothing was judged, or weights are not one positive number for each judgement.
    """
    if not any(one.by for one in judgements):
        raise InputError(NOT_ASSESSED, parameter="judgements")
    counted = _weights(judgements, weights)
    look = style_of(style)
    with context():
        sheet = Sheet(style=look, width=_page(judgements, look))
        room = sheet.width - 2 * look.margin
        down = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        if note:
            down = sheet.paragraph(
                capital(note), look.margin, down, room, "label", bold=True, color=look.palette.accent
            )
        for tool in (key for key in TOOLS if any(one.tool == key for one in judgements)):
            down = _table(sheet, [one for one in judgements if one.tool == tool], tool, down + 6.0)
            pairs = [(one, weight) for one, weight in zip(judgements, counted, strict=True) if one.tool == tool]
            down = _bars(sheet, pairs, tool, down + 6.0)
        down = _key(sheet, judgements, down + 5.0)
        for index, text in enumerate(_notes(judgements, weighted=weights is not None)):
            down = sheet.paragraph(text, look.margin, down, room, f"note-{index}", quiet=True)
        said = _alternative(judgements, counted, note)
        return sheet.drawn(down + look.margin, title=title, alternative=said)


def _weights(judgements: Sequence[Judgement], weights: Sequence[float] | None) -> list[float]:
    if weights is None:
        return [1.0] * len(judgements)
    given = [float(weight) for weight in weights]
    if len(given) != len(judgements) or not all(math.isfinite(weight) and weight > 0 for weight in given):
        rule = f"weights must be {len(judgements)} positive numbers, one for each judgement; got {given}"
        raise InputError(rule, parameter="weights")
    return given


def _domains(tool: str) -> tuple[str, ...]:
    return (*TOOLS[tool].domains, OVERALL)


def _name(domain: str) -> str:
    return capital(domain.replace("-", " "))


def _sign(value: str) -> Drawn | None:
    return (value, *BIAS[value]) if value else None


def _narrowest(tool: str, look: Style) -> float:
    """Return the least width of a column of lights, in points: no word of its heading is broken."""
    words = [word for domain in _domains(tool) for word in _name(domain).split()]
    return max(width(word, look.small, bold=True) for word in words) + 4.0


def _page(judgements: Sequence[Judgement], look: Style) -> float:
    """Return the width of the page: that of the style, or what the columns need."""
    tools = {one.tool for one in judgements}
    needs = [look.label_min + len(_domains(tool)) * _narrowest(tool, look) for tool in tools]
    return max(look.width, 2 * look.margin + max(needs))


def _table(sheet: Sheet, rows: Sequence[Judgement], tool: str, top: float) -> float:
    """Draw the lights of one tool; return where they end."""
    look = sheet.style
    room = sheet.width - 2 * look.margin
    domains = _domains(tool)
    longest = max(width(clean(one.label, most=80), look.size) for one in rows)
    names = min(max(longest, look.label_min) + look.gap, room - _narrowest(tool, look) * len(domains))
    step = min(COLUMN, (room - names) / len(domains))
    heads = [wrap(_name(domain), step - 3.0, look.small, bold=domain == OVERALL) for domain in domains]
    deep = max(map(len, heads))
    sheet.write(f"By {BIAS_TOOL[tool].label}", look.margin, top + (deep - 1) * look.small_leading, f"{tool}-by")
    for column, (domain, lines) in enumerate(zip(domains, heads, strict=True)):
        middle = look.margin + names + (column + 0.5) * step
        for index, line in enumerate(lines):
            y = top + (deep - len(lines) + index) * look.small_leading
            bold = domain == OVERALL
            sheet.write(line, middle, y, f"{tool}-head-{column}-{index}", ha="center", bold=bold)
    down = top + deep * look.small_leading + 2.0
    end = look.margin + names + step * len(domains)
    sheet.line([look.margin, end], [down, down], f"{tool}-rule", color=look.palette.rule)
    row = max(look.row, DOT + 3.0)
    for index, one in enumerate(rows):
        middle = down + 1.0 + (index + 0.5) * row
        label = fit(clean(one.label, most=80), names - 4.0, look.size)
        sheet.write(label, look.margin, middle - 0.57 * look.size, f"{tool}-study-{index}", size=look.size)
        for column, domain in enumerate(domains):
            found = _sign(one.of(domain))
            if found is not None:
                x = look.margin + names + (column + 0.5) * step
                _light(sheet, found, x, middle, f"{tool}-{index}-{domain}")
    return down + 1.0 + len(rows) * row


def _light(sheet: Sheet, found: Drawn, x: float, middle: float, key: str) -> None:
    """Draw a light with its sign."""
    _, sign, colour = found
    palette = sheet.style.palette
    sheet.marks([x], [middle], f"{key}-dot", s=DOT**2, facecolor=palette.bias[colour], edgecolor=palette.rule)
    size = sheet.style.size
    sheet.write(sign, x, middle - 0.57 * size, f"{key}-sign", ha="center", bold=True, size=size)


def _shares(pairs: Sequence[tuple[Judgement, float]], domain: str) -> list[tuple[Drawn | None, float]]:
    """Return the share of the weight at each judgement of a domain, from low on; what was not judged last."""
    whole = math.fsum(weight for _, weight in pairs)
    found: list[tuple[Drawn | None, float]] = []
    for value in (*BIAS, ""):
        share = math.fsum(weight for one, weight in pairs if one.of(domain) == value) / whole
        if share > 0:
            found.append((_sign(value), share))
    return found


def _bars(sheet: Sheet, pairs: Sequence[tuple[Judgement, float]], tool: str, top: float) -> float:
    """Draw a bar for each domain, from low risk on the left; return where they end."""
    look = sheet.style
    domains = _domains(tool)
    names = max(width(_name(domain), look.small, bold=True) for domain in domains) + look.gap
    left, long = look.margin + names, sheet.width - 2 * look.margin - names - 12.0
    row = BAR + 4.0
    for index, domain in enumerate(domains):
        middle = top + (index + 0.5) * row
        place = middle - 0.57 * look.small
        sheet.write(_name(domain), look.margin, place, f"{tool}-bar-{domain}", bold=domain == OVERALL)
        start = left
        for found, share in _shares(pairs, domain):
            value, sign, colour = found or ("not-judged", "", 3)
            fill = look.palette.bias[colour] if found else "white"
            key = f"{tool}-bar-{domain}-{value}"
            wide = share * long
            edge = {"facecolor": fill, "edgecolor": look.palette.rule, "linewidth": HAIR}
            sheet.box(start, middle - BAR / 2, wide, BAR, key, **edge)
            for text in (f"{sign}{NO_BREAK}{100 * share:.0f}%".strip(NO_BREAK), sign):
                if width(text, look.small) + 3.0 <= wide:
                    sheet.write(text, start + wide / 2, place, f"{key}-text", ha="center")
                    break
            start += wide
    down = top + len(domains) * row
    for share in (0, 25, 50, 75, 100):
        x = left + share / 100 * long
        sheet.line([x, x], [down, down + 2.5], f"{tool}-tick-{share}", color=look.palette.rule)
        sheet.write(f"{share}%", x, down + 3.0, f"{tool}-tick-{share}-text", ha="center")
    sheet.line([left, left + long], [down, down], f"{tool}-axis", color=look.palette.rule)
    return down + 3.0 + look.small_leading


def _used(judgements: Sequence[Judgement]) -> list[str]:
    values = {one.of(domain) for one in judgements for domain in _domains(one.tool)}
    return [value for value in (*BIAS, "") if value in values]


def _key(sheet: Sheet, judgements: Sequence[Judgement], top: float) -> float:
    """Draw what the signs mean; return where that ends."""
    look = sheet.style
    left = look.margin
    for value in _used(judgements):
        text = f"{BIAS_JUDGEMENT[value].label}" if value else "blank: not judged"
        found = _sign(value)
        wide = width(text, look.small) + (DOT + 4.0 if found else 0.0)
        if left > look.margin and left + wide > sheet.width - look.margin:
            left, top = look.margin, top + DOT + 3.0
        middle = top + DOT / 2
        if found:
            _light(sheet, found, left + DOT / 2, middle, f"key-{value}")
        sheet.write(text, left + (DOT + 4.0 if found else 0.0), middle - 0.57 * look.small, f"key-{value}-text")
        left += wide + 10.0
    return top + DOT + 4.0


def _notes(judgements: Sequence[Judgement], *, weighted: bool) -> tuple[str, ...]:
    people = sorted({one.by for one in judgements if one.by})
    by = "; ".join(listed(list(pair)) for pair in people)
    count = "by the weights of the results" if weighted else "each result counts alike"
    return (
        f"Each result was judged by two people: {by}. Bars: {count}. A judgement is of one result, not of a study.",
    )


def _alternative(judgements: Sequence[Judgement], weights: Sequence[float], note: str) -> str:
    said = [f"{capital(note)}." if note else "", f"Risk of bias of {len(judgements)} results."]
    for tool in (key for key in TOOLS if any(one.tool == key for one in judgements)):
        pairs = [(one, weight) for one, weight in zip(judgements, weights, strict=True) if one.tool == tool]
        for domain in _domains(tool):
            parts = [
                f"{BIAS_JUDGEMENT[found[0]].label if found else 'not judged'} {100 * share:.0f}%"
                for found, share in _shares(pairs, domain)
            ]
            said.append(f"{BIAS_TOOL[tool].label}, {_name(domain).lower()}: {', '.join(parts)}.")
    rows = [f"{one.label} {BIAS_JUDGEMENT[one.overall].label if one.overall else 'not judged'}" for one in judgements]
    said.append(f"Overall by study: {'; '.join(rows)}.")
    return " ".join(filter(None, said))
