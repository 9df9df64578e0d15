"""How anything is printed: lines, tables, JSON envelopes, errors."""

import dataclasses
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.findings import Finding
    from ipsevidence.report.table import Table

__all__ = ["SCHEMA", "UserError", "envelope", "fail", "origin", "plural", "say", "table"]

SCHEMA = 1
_PIPE_WIDTH = 160


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """An error that a user can cause and mend: one message, or the findings on a file."""

    message: str
    findings: tuple["Finding", ...] = ()

    @classmethod
    def of(cls, error: Exception) -> "UserError | None":
        """Return the error as a user's, or None where it is ours."""
        from typer import TyperException

        from ipsevidence.analysis.selection import SelectionError
        from ipsevidence.analysis.usertables import TableError
        from ipsevidence.core import InputError
        from ipsevidence.dataset.collection import UnknownStudyError
        from ipsevidence.dataset.reader import ReadError

        if isinstance(error, ReadError):
            return cls(message="", findings=error.findings)
        if isinstance(error, TyperException):
            return cls(message=error.format_message())
        if isinstance(error, OSError):
            return cls(message=f"{error.strerror}: {error.filename}" if error.strerror else str(error))
        if isinstance(error, (SelectionError, TableError, InputError, UnknownStudyError)):
            return cls(message=str(error))
        return None


def fail(error: UserError) -> int:
    """Print an error to standard error and return the exit code: 1 for findings on a file, 2 for usage."""
    for finding in error.findings:
        print(finding, file=sys.stderr)  # noqa: T201
    if error.message:
        print(f"error: {error.message}", file=sys.stderr)  # noqa: T201
    return 1 if error.findings else 2


def say(text: str = "") -> None:
    """Print a line of output."""
    print(text)  # noqa: T201


def envelope(command: str, data: Any, notes: Iterable[str] = ()) -> None:
    """Print what a machine reads: {schema, command, data, notes}."""
    document = {"schema": SCHEMA, "command": command, "data": data, "notes": list(notes)}
    say(json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False))


def table(content: "Table") -> None:
    """Print a table: by rich on a terminal, unwrapped and without colour in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    live = sys.stdout.isatty()
    console = Console(width=None if live else _PIPE_WIDTH, no_color=bool(os.environ.get("NO_COLOR")) or not live)
    shown = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title=content.title, title_style="bold"
    )
    for column in content.columns:
        shown.add_column(column.heading, justify="right" if column.number else "left", overflow="fold")
    for row in content.rows:
        shown.add_row(*(Text(cell) for cell in row))
    console.print(shown)
    for note in content.notes:
        console.print(Text(note, style="dim"))


def origin(dataset: "Dataset") -> str:
    """Say where the data came from."""
    words = {
        "path": "the folder given",
        "environment": "the folder that IPSEVIDENCE_DATA names",
        "checkout": "the checkout",
        "installation": "the installed package",
    }
    return f"data from {words[dataset.origin]} ({dataset.root})"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
