"""The map of evidence and gaps: how many studies of which population against which comparator, and on what counts."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ipsevidence.core import InputError
from ipsevidence.dataset.overview import NO_COUNTS, best_basis
from ipsevidence.dataset.overview import evidence_map as cells_of
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, STATUS
from ipsevidence.figures.lettering import capital, width, wrap
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import SHADES, listed, style_of
from ipsevidence.figures.sheet import HAIR, Sheet
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.figures.saving import Drawing

__all__ = ["evidence_map"]

COLUMNS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "usual": ("usual care", ("treatment-as-usual", "enhanced-usual-care", "waiting-list")),
    "vocational": (
        "another vocational service",
        ("vocational-rehabilitation", "train-then-place", "stepwise-rehabilitation"),
    ),
    "ips": ("IPS of another kind", ("ips",)),
    "other": ("another comparator", ("other-comparator",)),
    "none": ("no comparison group", ("none",)),
}
"""Columns of the map, with the comparators of `ipsevidence.dataset.overview.evidence_map` that stand in them."""

CLASSES: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "reported": ("R", "reported", ("reported",)),
    "derived": ("D", "derived or bounded", ("derived", "bounded")),
    "weak": ("A", "approximate or reconstructed", ("approximate", "reconstructed")),
    "no-counts": ("N", NO_COUNTS, (NO_COUNTS,)),
}
"""Classes of the basis of the best two-arm counts, strongest first: letter, words, and what belongs to them."""

ROW: Final = 31.0
"""Height of a row, in points."""

LARGEST: Final = 26.0
"""Diameter of the largest bubble, in points."""

NAMES: Final = 100.0
"""Width of the column of populations, in points."""

BAR: Final = 5.0
"""Height of a bar, in points."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    """Studies of one population against one kind of comparator, by class of their counts."""

    size: int
    classes: Mapping[str, int]


def evidence_map(dataset: "Dataset", style: str | Style = "default") -> "Drawing":
    """Draw the map of populations and comparators.

    Parameters
    ----------
    dataset : Dataset
        The records; those included in the dataset count.
    style : str or Style
        Key of `STYLES`, or a style of one's own.

    Returns
    -------
    Drawing
        In each cell a bubble with area by number of studies, the number, and a bar that parts the studies by the
        basis of their best two-arm counts. Cells without a study are grey. A study with comparators of two kinds
        stands in both cells.

    Raises
    ------
    InputError
        If no study is included.
    """
    cells = _cells(dataset)
    if not cells:
        raise InputError("there is nothing to map: no study is included", parameter="dataset")
    look = style_of(style)
    title = "Evidence and gaps: included studies by population and comparator"
    codes = max(width(_codes(cell), look.small) for cell in cells.values())
    step = max((look.width - 2 * look.margin - NAMES) / len(COLUMNS), LARGEST + 9.0 + codes)
    room = NAMES + step * len(COLUMNS)
    sheet = Sheet(style=look, width=room + 2 * look.margin)
    lefts = {key: look.margin + NAMES + index * step for index, key in enumerate(COLUMNS)}
    with context():
        down = sheet.paragraph(title, look.margin, look.margin, room, "title", size=look.size, bold=True)
        down = _key(sheet, down + 3.0)
        down = _heads(sheet, _totals(dataset), lefts, step, down + 7.0)
        largest = max(cell.size for cell in cells.values())
        for index, (group, term) in enumerate(ANALYSIS_GROUP.items()):
            top = down + index * ROW
            _name(sheet, term.label, top, f"group-{group}")
            for key, left in lefts.items():
                _draw(sheet, cells.get((group, key)), (left, top, step), largest, f"{group}-{key}")
        bottom = down + len(ANALYSIS_GROUP) * ROW + 4.0
        notes = _notes(dataset, cells)
        for index, note in enumerate(notes):
            bottom = sheet.paragraph(note, look.margin, bottom, room, f"note-{index}", quiet=True)
        return sheet.drawn(bottom + look.margin, title=title, alternative=_alternative(cells, notes))


def _studies(dataset: "Dataset") -> dict[tuple[str, str], set[str]]:
    """Return the included studies of each cell of the drawn map; one with two comparators of a kind counts once."""
    column = {comparator: key for key, (_, comparators) in COLUMNS.items() for comparator in comparators}
    included = {study.id for study in dataset if study.status == "included"}
    found: dict[tuple[str, str], set[str]] = {}
    for cell in cells_of(dataset):
        here = included & set(cell.studies)
        if here:
            found.setdefault((cell.group, column[cell.comparator]), set()).update(here)
    return found


def _cells(dataset: "Dataset") -> dict[tuple[str, str], _Cell]:
    class_of = {basis: key for key, (_, _, bases) in CLASSES.items() for basis in bases}
    known = {study.id: class_of[best_basis(study)] for study in dataset}
    return {
        place: _Cell(size=len(ids), classes=Counter(known[one] for one in ids))
        for place, ids in _studies(dataset).items()
    }


def _totals(dataset: "Dataset") -> dict[str, int]:
    studies = _studies(dataset)
    return {key: len(set().union(*(ids for (_, column), ids in studies.items() if column == key))) for key in COLUMNS}


def _count(number: int) -> str:
    return f"{number}{NO_BREAK}{'study' if number == 1 else 'studies'}"


def _fills(look: Style) -> dict[str, str]:
    """Return the colours of the classes, the stronger the darker: in grey print as well."""
    colours = look.palette
    return dict(zip(CLASSES, (colours.accent, colours.square, colours.accent_light, "white"), strict=True))


def _key(sheet: Sheet, top: float) -> float:
    """Draw what the parts of the bars mean; return where that ends."""
    look = sheet.style
    head = "Counts in two arms, best of each study:"
    sheet.write(head, look.margin, top, "key-head")
    left = look.margin + width(head, look.small) + 8.0
    for key, (letter, words, _) in CLASSES.items():
        text = f"{letter}{NO_BREAK}{NO_BREAK}{words}"
        wide = 12.0 + width(text, look.small)
        if left + wide > sheet.width - look.margin:
            left, top = look.margin, top + look.small_leading
        middle = top + 0.57 * look.small
        edge = {"facecolor": _fills(look)[key], "edgecolor": look.palette.rule, "linewidth": HAIR}
        sheet.box(left, middle - BAR / 2, 9.0, BAR, f"key-{key}", **edge)
        sheet.write(text, left + 12.0, top, f"key-{key}-text")
        left += wide + 10.0
    return top + look.small_leading


def _heads(sheet: Sheet, totals: Mapping[str, int], lefts: Mapping[str, float], step: float, top: float) -> float:
    """Write the comparators, and how many studies have each; return where the grid starts."""
    look = sheet.style
    names = {key: wrap(capital(words), step - 6.0, look.small, bold=True) for key, (words, _) in COLUMNS.items()}
    deep = max(map(len, names.values()))
    for key, lines in names.items():
        for index, line in enumerate(lines):
            y = top + (deep - len(lines) + index) * look.small_leading
            sheet.write(line, lefts[key] + step / 2, y, f"head-{key}-{index}", ha="center", bold=True)
        y = top + deep * look.small_leading
        sheet.write(_count(totals[key]), lefts[key] + step / 2, y, f"head-{key}-total", ha="center", quiet=True)
    sheet.write("Population", look.margin, top + (deep - 1) * look.small_leading, "head-population", bold=True)
    return top + (deep + 1) * look.small_leading + 2.0


def _name(sheet: Sheet, text: str, top: float, key: str) -> None:
    look = sheet.style
    lines = wrap(text, NAMES - 8.0, look.small, most=3)
    start = top + ROW / 2 - (len(lines) * look.small_leading) / 2 + 0.4
    for index, line in enumerate(lines):
        sheet.write(line, look.margin, start + index * look.small_leading, f"{key}-{index}")


def _draw(sheet: Sheet, cell: _Cell | None, place: tuple[float, float, float], largest: int, key: str) -> None:
    """Draw one cell: nothing but grey where there is no study."""
    look = sheet.style
    left, top, wide = place
    edge = {"edgecolor": SHADES[1], "linewidth": HAIR}
    sheet.box(left, top, wide, ROW, f"cell-{key}", facecolor="white" if cell else SHADES[0], **edge)
    if cell is None:
        sheet.write(
            "no study", left + wide / 2, top + ROW / 2 - 0.57 * look.small, f"gap-{key}", ha="center", quiet=True
        )
        return
    middle, x = top + ROW / 2, left + LARGEST / 2 + 2.0
    size = LARGEST**2 * cell.size / largest
    sheet.marks([x], [middle], f"bubble-{key}", s=size, facecolor=SHADES[1], edgecolor=look.palette.ink)
    start, room = left + LARGEST + 5.0, wide - LARGEST - 8.0
    compared = not key.endswith("-none")
    line = look.small_leading
    first = middle - (2 * line + BAR) / 2 - 0.5 if compared else middle - 0.57 * look.small
    sheet.write(_count(cell.size), start, first, f"size-{key}", bold=True)
    if compared:
        _bar(sheet, cell, (start, first + line + 0.5, room), key)
        sheet.write(_codes(cell), start, first + line + BAR + 1.5, f"codes-{key}")


def _codes(cell: _Cell) -> str:
    """Write how many studies of a cell are of each class: ``2R 13D``."""
    return " ".join(f"{cell.classes[name]}{CLASSES[name][0]}" for name in CLASSES if cell.classes[name])


def _bar(sheet: Sheet, cell: _Cell, place: tuple[float, float, float], key: str) -> None:
    look = sheet.style
    left, top, room = place
    for name, fill in _fills(look).items():
        wide = room * cell.classes[name] / cell.size
        if wide:
            edge = {"facecolor": fill, "edgecolor": look.palette.rule, "linewidth": HAIR}
            sheet.box(left, top, wide, BAR, f"bar-{key}-{name}", **edge)
            left += wide


def _notes(dataset: "Dataset", cells: Mapping[tuple[str, str], _Cell]) -> tuple[str, ...]:
    statuses = Counter(study.status for study in dataset)
    others = [f"{count} {STATUS[status].label}" for status, count in statuses.items() if status != "included"]
    of = len(ANALYSIS_GROUP) * (len(COLUMNS) - 1)
    gaps = of - sum(column != "none" for _, column in cells)
    left_out = f" Not counted: {listed(others)}." if others else ""
    kinds = "A study with comparators of two kinds stands in both columns."
    alone = "Studies without a comparison group can have no counts in two arms."
    search = "A curated collection, not a systematic search: a gap may be one of the collection."
    return (
        f"{_count(statuses['included'])} included.{left_out} Area of a bubble: number of studies.",
        f"{kinds} {alone}",
        f"{gaps} of {of} cells with a comparator hold no study. {search}",
    )


def _alternative(cells: Mapping[tuple[str, str], _Cell], notes: Sequence[str]) -> str:
    said = ["Included studies by population and comparator."]
    for group, term in ANALYSIS_GROUP.items():
        parts = []
        for key, (words, _) in COLUMNS.items():
            cell = cells.get((group, key))
            if cell is None:
                continue
            known = [f"{cell.classes[name]} {CLASSES[name][1]}" for name in CLASSES if cell.classes[name]]
            parts.append(f"{words} {cell.size}" + (f" ({', '.join(known)})" if key != "none" else ""))
        said.append(f"{term.label}: {'; '.join(parts) or 'no study'}.")
    return " ".join([*said, *notes])
