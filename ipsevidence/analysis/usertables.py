"""A user's own table, CSV or XLSX, as rows that pool."""

import csv
import dataclasses
import io
import itertools
import math
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from ipsevidence import core
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.spec import Spec

__all__ = [
    "FORMS",
    "MEASURES_OF_COUNTS",
    "MEASURES_OF_EFFECTS",
    "TableError",
    "level_of",
    "rows_from_table",
    "table_spec",
]

FORMS: dict[str, tuple[str, ...]] = {
    "counts": ("ai", "n1i", "ci", "n2i"),
    "effects": ("yi", "vi"),
    "effects with standard errors": ("yi", "sei"),
    "published effects": ("estimate", "ci_low", "ci_high"),
}
"""What a table may hold, by the columns it needs; the first form whose columns are all there is used."""

MEASURES_OF_COUNTS = {key: core.MEASURES[key] for key in ("OR", "RR", "RD")}
"""Measures that a table of counts is pooled on."""
MEASURES_OF_EFFECTS = {
    key: measure
    for key, measure in core.MEASURES.items()
    if measure.scale in ("log", "identity") and not math.isnan(measure.null)
}
"""Measures that a table of effects may hold: on the log scale, or plain differences."""

_LABELS = ("label", "study", "slab", "author", "trial", "id", "name")
_NAMES = tuple(dict.fromkeys([*itertools.chain(*FORMS.values()), "label", "group"]))
_COUNTS = frozenset(FORMS["counts"])
_LARGEST = 20_000_000
_UNPACKED = 200_000_000
_ROWS = 10_000
_COLUMNS = 200
_MOST_PERSONS = 1e9
_LARGEST_LOG = 700.0  # the exponential of 710 is no number any more
_LARGEST_NUMBER = 1e50  # squares and weights of larger ones are no numbers any more
_OFF_MIDDLE = 0.15
_LONGEST_GROUP = 200
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")


class TableError(ValueError):
    """A table cannot be read; the message names file, row and column, what was expected and how to mend it."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """The cells of a table: its heading, and each line that holds anything with its number in the file."""

    path: Path
    heading: list[str]
    lines: list[tuple[int, list[Any]]]
    decimal_comma: bool


def rows_from_table(
    path: Path,
    columns: Mapping[str, str] | None = None,
    *,
    measure: str | None = None,
    level: float = 0.95,
) -> tuple[StudyRow, ...]:
    """Read a table with a heading line, one study a line.

    Parameters
    ----------
    path : Path
        A .csv, .tsv or .xlsx file. In text files the separator is found from the heading (comma, semicolon or tab);
        with semicolons a decimal comma is understood.
    columns : mapping of str to str, optional
        Names of the table's columns for ours: ``{"ai": "events_ips"}``. Ours are `ai`, `n1i`, `ci`, `n2i` (events and
        persons in the arm of interest and in the other), or `yi` with `vi` or `sei` (on the pooled scale), or
        `estimate`, `ci_low`, `ci_high` (as printed); besides `label`, `group` and any further columns. Neither case
        nor blanks around a heading matter.
    measure : str, optional
        Key of the effect measure. With it, effects that cannot be on the scale of the measure are refused.
    level : float
        Level of the intervals `ci_low` to `ci_high`, as printed.

    Returns
    -------
    tuple of StudyRow
        The group of a row is a key made from what was typed, which stands under ``extra["group"]``.

    Raises
    ------
    TableError
        If the file is not such a table.
    """
    sheet = _sheet(path)
    known = _known(sheet, columns or {})
    form = next((form for form, needed in FORMS.items() if set(needed) <= set(known)), None)
    if form is None:
        wanted = "; or ".join(", ".join(needed) for needed in FORMS.values())
        raise TableError(
            f"{path}: needs the columns {wanted}; there are: {', '.join(sheet.heading)}. "
            "Name them with --columns, for example --columns ai=events_1,n1i=total_1",
        )
    if not sheet.lines:
        raise TableError(f"{path}: there is a heading but no study below it")
    reader = _Reader(sheet=sheet, known=known, form=form, measure=measure, level=level)
    return _grouped([reader.row(number, line) for number, line in sheet.lines], path)


def _known(sheet: _Sheet, columns: Mapping[str, str]) -> list[str]:
    """Return what each column is called here: our name, or the table's own."""
    path, heading = sheet.path, sheet.heading
    names: dict[str, str] = {}
    for ours, theirs in columns.items():
        if ours not in _NAMES:
            raise TableError(f"{path}: --columns names {ours!r}, which is none of {', '.join(_NAMES)}")
        if _folded(theirs) not in map(_folded, heading):
            raise TableError(f"{path}: no column {theirs!r} (wanted for {ours}); there are: {', '.join(heading)}")
        if _folded(theirs) in names:
            raise TableError(f"{path}: column {theirs!r} is named for {names[_folded(theirs)]} and for {ours}")
        names[_folded(theirs)] = ours
    ours_already = {*_NAMES, *_LABELS}
    known = []
    for name in heading:
        folded = _folded(name)
        if folded in names:
            known.append(names[folded])
        elif folded in columns:
            known.append(f"{name} (as in the table)")  # another column was named for it
        else:
            known.append(folded if folded in ours_already else name)
    folded_names = [_folded(name) for name in known]
    twice = sorted({name for name in folded_names if folded_names.count(name) > 1 and name})
    if twice:
        raise TableError(f"{path}: column {twice[0]!r} stands twice in the heading")
    return known


def _folded(name: str) -> str:
    return name.strip().casefold()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    """Reads the lines of one table as rows."""

    sheet: _Sheet
    known: list[str]
    form: str
    measure: str | None
    level: float

    def row(self, number: int, line: list[Any]) -> StudyRow:
        cells = dict(zip(self.known, line, strict=True))
        label = next((name for name in _LABELS if name in cells), None)
        values = {name: self._number(number, name, cells[name]) for name in FORMS[self.form]}
        self._check(number, values)
        extra = {
            name: cell if isinstance(cell, (int, float)) and math.isfinite(cell) else str(cell)
            for name, cell in cells.items()
            if name and name not in values and name != label and not _blank(cell)
        }
        given: dict[str, Any]
        if self.form == "counts":
            counts = Counts(events1=values["ai"], n1=values["n1i"], events2=values["ci"], n2=values["n2i"])
            given = {"counts": counts, "participants": counts.n1 + counts.n2}
        elif self.form == "published effects":
            given = {"estimate": values["estimate"], "low": values["ci_low"], "high": values["ci_high"]}
            if "level" in {field.name for field in dataclasses.fields(StudyRow)}:
                given["level"] = self.level
        else:
            given = {"y": values["yi"], "v": values["vi"] if "vi" in values else values["sei"] ** 2}
        named = "" if label is None or _blank(cells[label]) else str(cells[label]).strip()
        return StudyRow(id=f"row-{number}", label=named or f"row {number}", extra=extra, **given)

    def _refused(self, number: int, column: str, problem: str) -> TableError:
        return TableError(f"{self.sheet.path}: row {number}, column {column}: {problem}")

    def _number(self, number: int, column: str, cell: Any) -> float:
        value = math.nan
        if isinstance(cell, str):
            text = cell.strip(" \t")
            if "," in text and (column in _COUNTS or not self.sheet.decimal_comma):
                raise self._refused(
                    number,
                    column,
                    f"expected a number, found {cell!r:.40}; write it without commas, as in 1234"
                    + ("" if column in _COUNTS else " or 0.5"),
                )
            if self.sheet.decimal_comma and text.count(",") == 1 and "." not in text:
                text = text.replace(",", ".")
            value = float(text) if _NUMBER.fullmatch(text) else math.nan
        elif isinstance(cell, (int, float)) and not isinstance(cell, bool):
            value = float(cell) if abs(cell) < _LARGEST_NUMBER else math.inf
        if math.isnan(value):
            shown = "empty" if _blank(cell) else f"{cell!r:.40}"
            formula = "; if it holds a formula, save the workbook with its values" if cell is None else ""
            raise self._refused(number, column, f"expected a number, found {shown}{formula}")
        if not abs(value) <= _LARGEST_NUMBER:
            raise self._refused(number, column, f"too large to compute with: {cell!s:.40}")
        return value

    def _check(self, number: int, values: Mapping[str, float]) -> None:
        if self.form == "counts":
            self._check_counts(number, values)
        elif self.form == "published effects":
            self._check_interval(number, values)
        else:
            self._check_effect(number, values)

    def _check_counts(self, number: int, values: Mapping[str, float]) -> None:
        for column, value in values.items():
            if value != int(value):
                problem = f"must be a whole number, found {value:g}: fractional counts are not counts"
                raise self._refused(number, column, problem)
            if value > _MOST_PERSONS:
                raise self._refused(number, column, f"must be at most {_MOST_PERSONS:,.0f}, found {value:g}")
        for persons in ("n1i", "n2i"):
            self._check_positive(number, persons, values[persons])
        for events, persons in (("ai", "n1i"), ("ci", "n2i")):
            if not 0 <= values[events] <= values[persons]:
                shown = f"{values[events]:.0f} of {values[persons]:.0f}"
                raise self._refused(number, events, f"events must be from 0 to {persons}, found {shown}")

    def _check_positive(self, number: int, column: str, value: float) -> None:
        if value <= 0:
            raise self._refused(number, column, f"must be above 0, found {value:g}")
        if value < 1 / _LARGEST_NUMBER:
            raise self._refused(number, column, f"too small to compute with: {value:g}")

    def _check_effect(self, number: int, values: Mapping[str, float]) -> None:
        spread = "vi" if "vi" in values else "sei"
        self._check_positive(number, spread, values[spread])
        variance = values["vi"] if "vi" in values else values["sei"] ** 2
        if not 1 / _LARGEST_NUMBER <= variance <= _LARGEST_NUMBER:
            raise self._refused(number, spread, f"a variance of {variance:g} cannot be computed with")
        if self._scale() != "log":
            return
        hint = f"yi and {spread} are on the log scale for {self.measure}, so exp(yi) is the ratio"
        if abs(values["yi"]) > _LARGEST_LOG:
            raise self._refused(number, "yi", f"{values['yi']:g} is no logarithm of a ratio; {hint}")
        if math.sqrt(variance) > _LARGEST_LOG / 2:
            raise self._refused(number, spread, f"{values[spread]:g} is no spread of such a logarithm; {hint}")

    def _check_interval(self, number: int, values: Mapping[str, float]) -> None:
        """Refuse an estimate that is not in the middle of its interval on the scale of the measure."""
        scale = self._scale()
        estimate, low, high = (values[name] for name in FORMS["published effects"])
        printed = f"{estimate:g} ({low:g} to {high:g})"
        if not low <= estimate <= high or low == high:
            problem = f"the interval must hold the estimate and have a width; found {printed}"
            raise self._refused(number, "estimate", problem)
        if scale is None:
            return
        words = "plain scale"
        if scale == "log":
            words = "log scale"
            if low <= 0:
                problem = (
                    f"a ratio and its interval must be above 0; found {printed}; "
                    f"is it not {_with_article(self.measure)}? Then give its measure with --measure"
                )
                raise self._refused(number, "ci_low", problem)
            estimate, low, high = math.log(estimate), math.log(low), math.log(high)
        off = abs((low + high) / 2 - estimate) / ((high - low) / 2) if high > low else math.inf
        if off > _OFF_MIDDLE:
            problem = (
                f"{printed} does not fit {_with_article(self.measure)}: on the {words} the estimate is {off:.0%} of "
                "the half-width away from the middle of its interval; look at the numbers, or give the right --measure"
            )
            raise self._refused(number, "estimate", problem)

    def _scale(self) -> str | None:
        return core.MEASURES[self.measure].scale if self.measure in core.MEASURES else None


def _with_article(measure: str | None) -> str:
    label = core.MEASURES[measure or ""].label
    return f"{'an' if label[0] in 'aeiou' else 'a'} {label}"


def _grouped(rows: Sequence[StudyRow], path: Path) -> tuple[StudyRow, ...]:
    """Give the rows the keys of their groups, where the table has any."""
    typed = [" ".join(str(row.extra.get("group", "")).split()) for row in rows]
    if not any(typed):
        return tuple(rows)
    ids: dict[str, str] = {}
    labels: dict[str, str] = {}
    for row, group in zip(rows, typed, strict=True):
        if len(group) > _LONGEST_GROUP:
            raise TableError(f"{path}: {row.id.replace('-', ' ')}, column group: over {_LONGEST_GROUP} characters")
        if group.casefold() not in ids:
            ids[group.casefold()] = _slug(group, taken=ids.values())
            labels[group.casefold()] = group or "no group"
    return tuple(
        dataclasses.replace(row, group=ids[group.casefold()], extra={**row.extra, "group": labels[group.casefold()]})
        for row, group in zip(rows, typed, strict=True)
    )


def _slug(label: str, taken: Iterable[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", label.lower())[:40].strip("-") or ("group" if label else "no-group")
    used = set(taken)
    numbered = (f"{slug}-{n}" for n in itertools.count(2))
    return next(name for name in itertools.chain((slug,), numbered) if name not in used)


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _sheet(path: Path) -> _Sheet:
    if not path.is_file():
        raise TableError(f"{path}: no such file")
    if path.stat().st_size > _LARGEST:
        raise TableError(f"{path}: over {_LARGEST // 1_000_000} MB; a table of studies is smaller")
    decimal_comma = False
    if path.suffix.lower() == ".xlsx":
        table = _spreadsheet(path)
    else:
        table, decimal_comma = _text(path)
    filled = [(number, line) for number, line in enumerate(table, 1) if not all(map(_blank, line))]
    if not filled:
        raise TableError(f"{path}: the table is empty")
    heading = ["" if _blank(cell) else str(cell).strip() for cell in filled[0][1]]
    if len(heading) > _COLUMNS:
        raise TableError(f"{path}: over {_COLUMNS} columns; a table of studies is smaller")
    for number, line in filled[1:]:
        if len(line) != len(heading):
            raise TableError(f"{path}: row {number} has {len(line)} cells, the heading has {len(heading)}")
    return _Sheet(path=path, heading=heading, lines=filled[1:], decimal_comma=decimal_comma)


def _text(path: Path) -> tuple[list[list[Any]], bool]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not UTF-8 at byte {error.start}; save the table as CSV UTF-8") from None
    first = next((line for line in text.splitlines() if line.strip(" \t;,")), "")
    separator = max((";", "\t", ","), key=re.sub(r'"[^"]*"', "", first).count)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        table: list[list[Any]] = list(itertools.islice(lines, _ROWS + 1))
    except csv.Error as error:
        raise TableError(f"{path}: {error}; check the quotes around cells") from None
    if len(table) > _ROWS:
        raise _too_long(path)
    return table, separator == ";"


def _too_long(path: Path) -> TableError:
    return TableError(f"{path}: over {_ROWS:,} rows, empty ones counted; a table of studies is smaller")


def _spreadsheet(path: Path) -> list[list[Any]]:
    import openpyxl

    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            unpacked = sum(part.file_size for part in parts)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _no_workbook(path, error) from None
    if unpacked > _UNPACKED:
        raise TableError(f"{path}: unpacks to over {_UNPACKED // 1_000_000} MB; a table of studies is smaller")
    names = [part.filename for part in parts]
    if any("chartsheets/" in name for name in names) and not any("worksheets/" in name for name in names):
        raise TableError(f"{path}: the workbook has no sheet with cells, only charts")
    try:
        # The file may be anybody's, and the library raises whatever its parts happen to raise.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
            try:
                sheet = next(iter(book.worksheets), None)
                cells = None if sheet is None else sheet.iter_rows(max_col=_COLUMNS + 1, values_only=True)
                lines = None if cells is None else [list(line) for line in itertools.islice(cells, _ROWS + 1)]
            finally:
                book.close()
    except Exception as error:  # noqa: BLE001
        raise _no_workbook(path, error) from None
    if lines is None:
        raise TableError(f"{path}: the workbook has no sheet with cells, only charts")
    if len(lines) > _ROWS:
        raise _too_long(path)
    if any(len(line) > _COLUMNS and not _blank(line[_COLUMNS]) for line in lines):
        raise TableError(f"{path}: over {_COLUMNS} columns; a table of studies is smaller")
    # Empty cells at the right edge are not stored, so lines differ in length.
    width = max((i + 1 for line in lines for i, cell in enumerate(line) if not _blank(cell)), default=0)
    return [(line + [None] * width)[:width] for line in lines]


def _no_workbook(path: Path, error: Exception) -> TableError:
    return TableError(f"{path}: not an XLSX workbook ({type(error).__name__}); save it as .xlsx or .csv")


def table_spec(name: str, settings: Mapping[str, str], rows: Sequence[StudyRow] = ()) -> Spec:
    """Return the spec of a pool of a user's own table.

    Parameters
    ----------
    name : str
        What the table is called in the output.
    settings : mapping of str to str
        `measure`, `tau2`, `interval`, `prediction`, `level`; what is not given takes the default of `Model`.
    rows : sequence of StudyRow
        The rows of the table. Their groups become subgroups, in their order; counts admit fewer measures.

    Returns
    -------
    Spec

    Raises
    ------
    InputError
        If a setting is not one of its allowed values.
    """
    of_counts = any(row.counts is not None for row in rows)
    core.choose("measure", settings.get("measure", "OR"), MEASURES_OF_COUNTS if of_counts else MEASURES_OF_EFFECTS)
    for key, allowed in (
        ("tau2", core.TAU2_ESTIMATORS),
        ("interval", core.INTERVALS),
        ("prediction", core.PREDICTIONS),
    ):
        if key in settings:
            core.choose(key, settings[key], allowed)
    model = {key: settings[key] for key in ("tau2", "interval", "prediction") if key in settings}
    groups = {row.group: str(row.extra.get("group") or row.group) for row in rows if row.group}
    plain: dict[str, Any] = {
        "schema": 1,
        "id": "table",
        "title": name or "table",
        "purpose": "exploratory",
        "question": dict.fromkeys(("population", "intervention", "comparator", "outcome"), "as in the table"),
        "studies": {"where": {}},
        "effect": {"measure": settings.get("measure", "OR")},
        "model": {**model, "level": level_of("level", settings.get("level", "0.95"))},
    }
    if groups:
        plain["subgroups"] = {"groups": tuple({"id": key, "label": label} for key, label in groups.items())}
    return Spec.model_validate(plain)


def level_of(parameter: str, text: str) -> Decimal:
    """Return the level of an interval as it was typed.

    Parameters
    ----------
    parameter : str
        Name used in the error.
    text : str
        A number above 0 and below 1.

    Returns
    -------
    Decimal

    Raises
    ------
    InputError
        If it is no such number.
    """
    value = Decimal(text) if _NUMBER.fullmatch(text) else Decimal(0)
    if not 0.001 <= float(value) <= 0.999999:
        raise core.InputError(
            f"{parameter} must be above 0 and below 1, for example 0.95; got {text!r:.40}", parameter=parameter
        )
    return value
