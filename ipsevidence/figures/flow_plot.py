"""The flow of records through a systematic review, after PRISMA 2020."""

import dataclasses
import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ipsevidence.core import InputError
from ipsevidence.figures.lettering import capital, clean, width, wrap
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import Style, context, font

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.figures.saving import Drawing

__all__ = ["Flow", "OtherSources", "flow", "flow_from", "flow_of"]

PHASE: Final = 15.0
"""Width of the strip that names the phases, in points."""

PAD: Final = 4.0
"""Between the text of a box and its edge."""

GAP: Final = 16.0
"""Between boxes: room for an arrow."""

PHASES: Final = (("Identification", 0, 0), ("Screening", 1, 3), ("Included", 4, 4))
"""The phases, each with the first and the last of its rows of boxes."""

HEAD: Final = 4.0
"""Length of the head of an arrow."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OtherSources:
    """What was found otherwise than in databases and registers, and what became of it.

    Attributes
    ----------
    sources : mapping of str to int
        Records by where they were found: websites, organisations, citation searching.
    sought, not_retrieved, assessed : int
        Reports.
    reports_excluded : mapping of str to int
        Reports by reason.
    """

    sources: Mapping[str, int]
    sought: int
    not_retrieved: int
    assessed: int
    reports_excluded: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse numbers that do not add up."""
        _counts(self)
        _equal("others.assessed", self.assessed, "sought less not retrieved", self.sought - self.not_retrieved)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The numbers of a PRISMA 2020 flow diagram of a new review.

    Attributes
    ----------
    databases, registers : mapping of str to int
        Records identified, by name.
    duplicates, automation, other_reasons : int
        Records removed before screening.
    screened, excluded : int
        Records.
    sought, not_retrieved, assessed : int
        Reports.
    reports_excluded : mapping of str to int
        Reports by reason.
    others : OtherSources or None
        What was found in other ways; None leaves that half of the diagram out.
    studies, reports : int
        Studies in the review, and reports of them.
    """

    databases: Mapping[str, int]
    registers: Mapping[str, int] = dataclasses.field(default_factory=dict)
    duplicates: int = 0
    automation: int = 0
    other_reasons: int = 0
    screened: int
    excluded: int
    sought: int
    not_retrieved: int
    assessed: int
    reports_excluded: Mapping[str, int] = dataclasses.field(default_factory=dict)
    others: OtherSources | None = None
    studies: int
    reports: int

    def __post_init__(self) -> None:
        """Refuse numbers that do not add up: every record that comes in goes out somewhere."""
        _counts(self)
        _equal("screened", self.screened, "identified less removed before screening", self.identified - self.removed)
        _equal("sought", self.sought, "screened less excluded", self.screened - self.excluded)
        _equal("assessed", self.assessed, "sought less not retrieved", self.sought - self.not_retrieved)
        left = self.assessed - sum(self.reports_excluded.values())
        if self.others is not None:
            left += self.others.assessed - sum(self.others.reports_excluded.values())
        _equal("reports", self.reports, "assessed less excluded", left)
        if self.studies > self.reports:
            rule = f"studies must be at most reports, {self.reports}; got {self.studies}"
            raise InputError(rule, parameter="studies")

    @property
    def identified(self) -> int:
        """Records identified in databases and registers."""
        return sum(self.databases.values()) + sum(self.registers.values())

    @property
    def removed(self) -> int:
        """Records removed before screening."""
        return self.duplicates + self.automation + self.other_reasons


def _counts(numbers: "Flow | OtherSources") -> None:
    for field in dataclasses.fields(numbers):
        value = getattr(numbers, field.name)
        if value is None or isinstance(value, OtherSources):
            continue
        for name, count in value.items() if isinstance(value, Mapping) else ((field.name, value),):
            if isinstance(count, bool) or not isinstance(count, int) or count < 0:
                raise InputError(f"{name} must be a whole number, 0 or more; got {count!r}", parameter=field.name)


def _equal(name: str, given: int, rule: str, expected: int) -> None:
    if given != expected:
        raise InputError(f"{name} must be {rule}, {expected}; got {given}", parameter=name)


def flow_from(numbers: Mapping[str, Any]) -> Flow:
    """Return a flow from plain data, as a YAML or JSON file gives it.

    Parameters
    ----------
    numbers : mapping
        With the keys of `Flow`; ``others`` with those of `OtherSources`.

    Returns
    -------
    Flow

    Raises
    ------
    InputError
        If a key is missing or not known, or the numbers do not add up.
    """
    given = dict(numbers)
    others = given.pop("others", None)
    found = _made(OtherSources, others, "others") if others is not None else None
    flow_of_records: Flow = _made(Flow, {**given, "others": found}, "numbers")
    return flow_of_records


def _made(model: Any, given: Mapping[str, Any], name: str) -> Any:
    fields = dataclasses.fields(model)
    needed = {f.name for f in fields if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING}
    wrong = sorted(set(given) - {f.name for f in fields})
    missing = sorted(needed - set(given))
    if wrong or missing:
        said = [f"no key {', '.join(wrong)}"] if wrong else []
        said += [f"the key {', '.join(missing)}"] if missing else []
        raise InputError(f"{name} must have {' and '.join(said)}; got {', '.join(given)}", parameter=name)
    return model(**given)


def flow_of(dataset: "Dataset") -> NoReturn:
    """Refuse to draw a flow for the dataset: it comes from no systematic search.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Raises
    ------
    InputError
        Always: no number of records found, screened or left out was kept, and none is made up.
    """
    count = len(tuple(dataset))
    raise InputError(
        f"no systematic search: there is no flow to draw; the dataset is a curated collection of {count} records",
        parameter="dataset",
    )


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A box before it is drawn: its row and column, its lines of text, and which begin anew."""

    key: str
    row: int
    column: int
    lines: tuple[str, ...]


def flow(numbers: Flow, *, title: str = "Flow of records", note: str = "", style: str | Style = "default") -> "Drawing":
    """Draw the PRISMA 2020 flow diagram of a new systematic review.

    Parameters
    ----------
    numbers : Flow
        The numbers.
    title : str
        Above the diagram.
    note : str
        What has to be said of the whole figure, under its title: ``example, not data``.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        Databases and registers on the left; where there were other sources, these on the right.

    References
    ----------
    .. [1] Page MJ, et al. The PRISMA 2020 statement. BMJ 2021;372:n71. doi:10.1136/bmj.n71
    """
    look = style_of(style)
    columns = 2 if numbers.others is None else 4
    gap = GAP if columns == 2 else 12.0
    most = (look.width - 2 * look.margin - PHASE - columns * gap) / columns
    with context():
        boxes = _boxes(numbers, most - 2 * PAD, look)
        longest = max(_indent(line) + width(line.removeprefix("\t"), look.small) for box in boxes for line in box.lines)
        wide = min(most, longest + 2 * PAD)
        room = PHASE + columns * (gap + wide)
        sheet = Sheet(style=look, width=room + 2 * look.margin)
        down = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        if note:
            accent = look.palette.accent
            down = sheet.paragraph(capital(note), look.margin, down, room, "label", bold=True, color=accent)
        lefts = [look.margin + PHASE + gap + index * (wide + gap) for index in range(columns)]
        down = _heads(sheet, lefts, wide, down + 6.0)
        tops, highs = _rows(boxes, look, down)
        for box in boxes:
            _draw(sheet, box, lefts[box.column], tops, highs, wide)
        _arrows(sheet, boxes, lefts, tops, highs, wide)
        bottom, pale = tops[-1] + highs[-1], look.palette.accent_light
        for name, first, last in PHASES:
            top = tops[first]
            sheet.box(look.margin, top, PHASE, tops[last] + highs[last] - top, f"phase-{name}", facecolor=pale)
        end = sheet.paragraph(_source(numbers), look.margin, bottom + 6.0, room, "note", quiet=True)
        drawing = sheet.drawn(end + look.margin, title=title, alternative=_alternative(numbers, note))
        for name, first, last in PHASES:
            middle = (tops[first] + tops[last] + highs[last]) / 2
            _upright(drawing, look, name, middle)
    return drawing


def _upright(drawing: "Drawing", look: Style, name: str, middle: float) -> None:
    """Write the name of a phase up its strip."""
    drawing.axes[0].text(
        look.margin + PHASE / 2,
        middle,
        name,
        ha="center",
        va="center",
        rotation=90,
        color=look.palette.ink,
        fontproperties=font(look.small, bold=True),
        parse_math=False,
        gid=f"phase-{name}-text",
    )


def _source(numbers: Flow) -> str:
    also = "" if numbers.others is None else ", and other sources"
    return f"After the PRISMA 2020 flow diagram for new reviews: databases and registers{also}. doi:10.1136/bmj.n71"


def _n(text: str, count: int) -> str:
    return f"{text} (n{NO_BREAK}={NO_BREAK}{count:,})"


def _heads(sheet: Sheet, lefts: Sequence[float], wide: float, top: float) -> float:
    """Write what the one half is, or the two."""
    look = sheet.style
    names = ["Databases and registers", "Other sources"][: len(lefts) // 2]
    ends = []
    for index, name in enumerate(names):
        left, right = lefts[2 * index], lefts[2 * index + 1] + wide
        sheet.box(
            left, top, right - left, look.small_leading + 5.0, f"head-{index}", facecolor=look.palette.accent_light
        )
        sheet.write(name, (left + right) / 2, top + 2.8, f"head-{index}-text", ha="center", bold=True)
        ends.append(top + look.small_leading + 5.0)
    return max(ends) + 8.0


def _boxes(numbers: Flow, limit: float, look: Style) -> list[_Box]:
    """Return the boxes with their text in lines no wider than `limit`."""
    removed = [
        ("Duplicates", numbers.duplicates),
        ("Ineligible by automation tools", numbers.automation),
        ("Other reasons", numbers.other_reasons),
    ]
    sources = [*numbers.databases.items(), *numbers.registers.items()]
    texts = [
        ("identified", 0, 0, [_n("Records identified", numbers.identified), *_items(sources)]),
        ("removed", 0, 1, [_n("Records removed before screening", numbers.removed), *_items(removed)]),
        ("screened", 1, 0, [_n("Records screened", numbers.screened)]),
        ("excluded", 1, 1, [_n("Records excluded", numbers.excluded)]),
        *_reports(numbers, 0, ""),
    ]
    if numbers.others is not None:
        found = list(numbers.others.sources.items())
        head = _n("Records identified", sum(numbers.others.sources.values()))
        texts.append(("other-identified", 0, 2, [head, *_items(found)]))
        texts += _reports(numbers.others, 2, "other-")
    included = [_n("Studies included in the review", numbers.studies), _n("Reports of these", numbers.reports)]
    texts.append(("included", 4, 0, included))
    return [
        _Box(key=key, row=row, column=column, lines=_wrapped(lines, limit, look)) for key, row, column, lines in texts
    ]


def _reports(numbers: Flow | OtherSources, column: int, prefix: str) -> list[tuple[str, int, int, list[str]]]:
    out = numbers.reports_excluded
    return [
        (f"{prefix}sought", 2, column, [_n("Reports sought", numbers.sought)]),
        (f"{prefix}not-retrieved", 2, column + 1, [_n("Reports not retrieved", numbers.not_retrieved)]),
        (f"{prefix}assessed", 3, column, [_n("Reports assessed for eligibility", numbers.assessed)]),
        (
            f"{prefix}reports-excluded",
            3,
            column + 1,
            [_n("Reports excluded", sum(out.values())), *_items(list(out.items()))],
        ),
    ]


def _items(counts: Sequence[tuple[str, int]]) -> list[str]:
    return [f"\t{_n(capital(clean(name, most=80)), count)}" for name, count in counts]


def _wrapped(lines: Sequence[str], limit: float, look: Style) -> tuple[str, ...]:
    """Return lines of a box; those of a list keep their indent."""
    found: list[str] = []
    for line in lines:
        mark = "\t" if _indent(line) else ""
        found.extend(f"{mark}{part}" for part in wrap(line.removeprefix("\t"), limit - _indent(line), look.small))
    return tuple(found)


def _indent(line: str) -> float:
    """Return how far a line of a box stands in, in points."""
    return 6.0 if line.startswith("\t") else 0.0


def _rows(boxes: Sequence[_Box], look: Style, top: float) -> tuple[list[float], list[float]]:
    """Return where the rows of boxes start and how high they are: as the longest text in them, and as their phase."""
    highs = [max(_high(box, look) for box in boxes if box.row == row) for row in range(5)]
    for name, first, last in PHASES:
        if first == last:
            highs[first] = max(highs[first], width(name, look.small, bold=True) + 4.0)
    tops = [top]
    for high in highs[:-1]:
        tops.append(tops[-1] + high + GAP)
    return tops, highs


def _high(box: _Box, look: Style) -> float:
    return len(box.lines) * look.small_leading + 2 * PAD


def _placed(box: _Box, tops: Sequence[float], highs: Sequence[float], look: Style) -> tuple[float, float]:
    """Return top and bottom of a box: level with the middle of its row."""
    middle = tops[box.row] + highs[box.row] / 2
    return middle - _high(box, look) / 2, middle + _high(box, look) / 2


def _draw(sheet: Sheet, box: _Box, left: float, tops: Sequence[float], highs: Sequence[float], wide: float) -> None:
    look = sheet.style
    top, bottom = _placed(box, tops, highs, look)
    edge = {"facecolor": "white", "edgecolor": look.palette.rule, "linewidth": HAIR}
    sheet.box(left, top, wide, bottom - top, f"box-{box.key}", **edge)
    for index, line in enumerate(box.lines):
        x, y = left + PAD + _indent(line), top + PAD + index * look.small_leading
        sheet.write(line.removeprefix("\t"), x, y, f"box-{box.key}-{index}")


def _arrows(
    sheet: Sheet,
    boxes: Sequence[_Box],
    lefts: Sequence[float],
    tops: Sequence[float],
    highs: Sequence[float],
    wide: float,
) -> None:
    """Draw the arrows: down the left box of each half, from there to its right, and the other sources' to the end."""
    look = sheet.style
    where = {(box.row, box.column): _placed(box, tops, highs, look) for box in boxes}
    middles = [top + high / 2 for top, high in zip(tops, highs, strict=True)]
    for column in range(0, len(lefts), 2):
        x = lefts[column] + wide / 2
        rows = [row for row in range(5) if (row, column) in where]
        for above, below in itertools.pairwise(rows):
            _arrow(sheet, (x, where[above, column][1]), (x, where[below, column][0]), f"down-{column}-{above}")
        for row in rows:
            if (row, column + 1) in where:
                start = lefts[column] + wide
                _arrow(sheet, (start, middles[row]), (lefts[column + 1], middles[row]), f"out-{column}-{row}")
    if len(lefts) > 2:
        x = lefts[2] + wide / 2
        sheet.line([x, x], [where[3, 2][1], middles[4]], "other-down", color=look.palette.ink)
        _arrow(sheet, (x, middles[4]), (lefts[0] + wide, middles[4]), "other-in")


def _arrow(sheet: Sheet, start: tuple[float, float], end: tuple[float, float], key: str) -> None:
    """Draw a straight arrow, down, to the right or to the left."""
    colour = sheet.style.palette.ink
    sheet.line([start[0], end[0]], [start[1], end[1]], key, color=colour)
    down = start[0] == end[0]
    back = 0.0 if down else HEAD * (-0.5 if end[0] > start[0] else 0.5)
    up = -0.5 * HEAD if down else 0.0
    marker = "v" if down else ">" if end[0] > start[0] else "<"
    look = {"s": HEAD**2, "marker": marker, "color": colour, "linewidths": 0.0}
    sheet.marks([end[0] + back], [end[1] + up], f"{key}-head", **look)


def _alternative(numbers: Flow, note: str) -> str:
    def these(counts: Mapping[str, int]) -> str:
        return "; ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"

    said = [
        f"{capital(note)}." if note else "",
        f"Flow of records: {numbers.identified:,} identified ({these({**numbers.databases, **numbers.registers})}),",
        f"{numbers.removed:,} removed before screening, {numbers.screened:,} screened, {numbers.excluded:,} excluded;",
        f"{numbers.sought:,} reports sought, {numbers.not_retrieved:,} not retrieved, {numbers.assessed:,} assessed,",
        f"excluded: {these(numbers.reports_excluded)}.",
    ]
    if numbers.others is not None:
        other = numbers.others
        said += [
            f"Other sources: {these(other.sources)}; {other.sought:,} reports sought,",
            f"{other.not_retrieved:,} not retrieved, {other.assessed:,} assessed,",
            f"excluded: {these(other.reports_excluded)}.",
        ]
    said.append(f"Included: {numbers.studies:,} studies in {numbers.reports:,} reports.")
    return " ".join(filter(None, said))
