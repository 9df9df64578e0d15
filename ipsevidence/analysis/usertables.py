"""A user's own table, CSV or XLSX, as rows that pool."""

import csv
import io
import math
import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ipsevidence import core
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.spec import Spec

__all__ = ["FORMS", "TableError", "rows_from_table", "table_spec"]

FORMS: dict[str, tuple[str, ...]] = {
    "counts": ("ai", "n1i", "ci", "n2i"),
    "effects": ("yi", "vi"),
    "effects with standard errors": ("yi", "sei"),
    "published effects": ("estimate", "ci_low", "ci_high"),
}
"""What a table may hold, by the columns it needs; the first form whose columns are all there is used."""

_LABELS = ("label", "study", "slab", "author", "trial", "id", "name")
_LARGEST = 20_000_000


class TableError(ValueError):
    """A table cannot be read; the message names file, row and column, what was expected and how to mend it."""


def rows_from_table(path: Path, columns: Mapping[str, str] | None = None) -> tuple[StudyRow, ...]:
    """Read a table with a heading line, one study a line.

    Parameters
    ----------
    path : Path
        A .csv, .tsv or .xlsx file. In text files the separator is found from the heading (comma, semicolon or tab);
        with semicolons a decimal comma is understood.
    columns : mapping of str to str, optional
        Names of the table's columns for ours: ``{"ai": "events_ips"}``. Ours are `ai`, `n1i`, `ci`, `n2i` (events and
        persons in the arm of interest and in the other), or `yi` with `vi` or `sei` (on the pooled scale), or
        `estimate`, `ci_low`, `ci_high` (as printed); besides `label`, `group` and any further columns.

    Returns
    -------
    tuple of StudyRow

    Raises
    ------
    TableError
        If the file is not such a table.
    """
    heading, lines = _cells(path)
    names = {theirs: ours for ours, theirs in (columns or {}).items()}
    for ours, theirs in (columns or {}).items():
        if theirs not in heading:
            raise TableError(f"{path}: no column {theirs!r} (wanted for {ours}); there are: {', '.join(heading)}")
    known = [names.get(name, name) for name in heading]
    twice = sorted({name for name in known if known.count(name) > 1 and name})
    if twice:
        raise TableError(f"{path}: column {twice[0]!r} stands twice in the heading")
    form = next((form for form, needed in FORMS.items() if set(needed) <= set(known)), None)
    if form is None:
        wanted = "; or ".join(", ".join(needed) for needed in FORMS.values())
        raise TableError(
            f"{path}: needs the columns {wanted}; there are: {', '.join(heading)}. "
            "Name them with --columns, for example --columns ai=events_1,n1i=total_1",
        )
    if not lines:
        raise TableError(f"{path}: there is a heading but no study below it")
    label = next((name for name in _LABELS if name in known), None)
    return tuple(_row(path, number, dict(zip(known, line, strict=True)), form, label) for number, line in lines)


def _row(path: Path, number: int, cells: dict[str, Any], form: str, label: str | None) -> StudyRow:
    values = {name: _number(path, number, name, cells[name]) for name in FORMS[form]}
    named = str(cells[label]).strip() if label else ""
    rest = {
        k: v for k, v in cells.items() if k and k not in values and k not in (label, "group") and v not in ("", None)
    }
    given: dict[str, Any]
    _plausible(path, number, values)
    if form == "counts":
        counts = Counts(events1=values["ai"], n1=values["n1i"], events2=values["ci"], n2=values["n2i"])
        given = {"counts": counts, "participants": counts.n1 + counts.n2}
    elif form == "published effects":
        given = {"estimate": values["estimate"], "low": values["ci_low"], "high": values["ci_high"]}
    else:
        given = {"y": values["yi"], "v": values["vi"] if "vi" in values else values["sei"] ** 2}
    extra = {name: value if isinstance(value, (int, float)) else str(value) for name, value in rest.items()}
    return StudyRow(
        id=f"row-{number}",
        label=named or f"row {number}",
        group=str(cells.get("group") or "").strip(),
        extra=extra,
        **given,
    )


def _plausible(path: Path, number: int, values: Mapping[str, float]) -> None:
    for events, persons in (("ai", "n1i"), ("ci", "n2i")):
        if events in values and not 0 <= values[events] <= values[persons]:
            shown = f"{values[events]:g} of {values[persons]:g}"
            raise TableError(
                f"{path}: row {number}, column {events}: events must be from 0 to {persons}, found {shown}"
            )
    for positive in ("n1i", "n2i", "vi", "sei"):
        if positive in values and values[positive] <= 0:
            raise TableError(f"{path}: row {number}, column {positive}: must be above 0, found {values[positive]:g}")


def _number(path: Path, number: int, column: str, cell: Any) -> float:
    try:
        value = float(cell)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        shown = "empty" if cell in ("", None) else repr(cell)[:40]
        raise TableError(f"{path}: row {number}, column {column}: expected a number, found {shown}")
    return value


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[Any]]]]:
    """Return the heading, and each line that holds anything with its number in the file."""
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    if path.stat().st_size > _LARGEST:
        raise TableError(f"{path}: over {_LARGEST // 1_000_000} MB; a table of studies is smaller")
    table = _spreadsheet(path) if path.suffix.lower() == ".xlsx" else _text(path)
    filled = [(number, line) for number, line in enumerate(table, 1) if any(cell not in ("", None) for cell in line)]
    if not filled:
        raise TableError(f"{path}: the table is empty")
    heading = [str(cell).strip() if cell is not None else "" for cell in filled[0][1]]
    for number, line in filled[1:]:
        if len(line) != len(heading):
            raise TableError(f"{path}: row {number} has {len(line)} cells, the heading has {len(heading)}")
    return heading, filled[1:]


def _text(path: Path) -> list[list[Any]]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 at byte {error.start}; save the table as CSV UTF-8") from None
    first = text.split("\n", 1)[0]
    separator = max((";", "\t", ","), key=first.count)
    try:
        table: list[list[Any]] = list(csv.reader(io.StringIO(text), delimiter=separator, strict=True))
    except csv.Error as error:
        raise TableError(f"{path}: {error}; check the quotes around cells") from None
    if separator == ";":
        table = [[_decimal_point(cell) for cell in line] for line in table]
    return table


def _decimal_point(cell: str) -> str:
    return cell.replace(",", ".") if re.fullmatch(r"\s*-?\d+,\d+\s*", cell) else cell


def _spreadsheet(path: Path) -> list[list[Any]]:
    import zipfile

    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise TableError(f"{path}: not an XLSX workbook ({type(error).__name__}); save it as .xlsx or .csv") from None
    try:
        lines = [list(line) for line in book.worksheets[0].iter_rows(values_only=True)]
    finally:
        book.close()
    # Empty cells at the right edge are not stored, so lines differ in length.
    width = max((i + 1 for line in lines for i, cell in enumerate(line) if cell not in ("", None)), default=0)
    return [(line + [None] * width)[:width] for line in lines]


def table_spec(name: str, settings: Mapping[str, str]) -> Spec:
    """Return the spec of a pool of a user's own table.

    Parameters
    ----------
    name : str
        What the table is called in the output.
    settings : mapping of str to str
        `measure`, `tau2`, `interval`, `prediction`, `level`; what is not given takes the default of `Model`.

    Returns
    -------
    Spec

    Raises
    ------
    InputError
        If a setting is not one of its allowed values.
    """
    core.choose("measure", settings.get("measure", "OR"), core.MEASURES)
    for key, allowed in (
        ("tau2", core.TAU2_ESTIMATORS),
        ("interval", core.INTERVALS),
        ("prediction", core.PREDICTIONS),
    ):
        if key in settings:
            core.choose(key, settings[key], allowed)
    try:
        model = {**settings, "level": Decimal(settings.get("level", "0.95"))}
    except InvalidOperation:
        model = {"level": Decimal(0)}
    if not 0 < model["level"] < 1:  # type: ignore[operator]
        raise core.InputError(
            f"level must be above 0 and below 1, for example 0.95; got {settings['level']!r}",
            parameter="level",
        )
    measure = model.pop("measure", "OR")
    return Spec.model_validate(
        {
            "schema": 1,
            "id": "table",
            "title": name or "table",
            "purpose": "exploratory",
            "question": dict.fromkeys(("population", "intervention", "comparator", "outcome"), "as in the table"),
            "studies": {"where": {}},
            "effect": {"measure": measure},
            "model": model,
        },
    )
