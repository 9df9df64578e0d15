"""A table ready to be shown: plain text cells that the page, the terminal and the files all print."""

import dataclasses
from collections.abc import Iterable

__all__ = ["Column", "Table", "make"]


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and whether it holds numbers (set flush right)."""

    heading: str
    number: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table ready to be shown: cells are text, rounded once."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()


def make(title: str, headings: str, rows: Iterable[tuple[str, ...]], notes: Iterable[str] = ()) -> Table:
    """Make a table from headings separated by ``|``; one that begins with ``#`` is a column of numbers."""
    columns = tuple(Column(name.lstrip("#"), name.startswith("#")) for name in headings.split("|"))
    return Table(title=title, columns=columns, rows=tuple(rows), notes=tuple(notes))
