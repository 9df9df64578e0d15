"""How anything is printed: lines, tables, JSON envelopes, errors."""

import dataclasses
import io
import json
import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ipsevidence.dataset.findings import hidden, visible

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.findings import Finding
    from ipsevidence.report.table import Table

__all__ = [
    "SCHEMA",
    "UserError",
    "any_encoding",
    "close_quietly",
    "envelope",
    "fail",
    "origin",
    "plural",
    "remark",
    "say",
    "table",
]

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
        from ipsevidence.analysis.workers import WorkersError
        from ipsevidence.core import InputError
        from ipsevidence.dataset.collection import UnknownStudyError
        from ipsevidence.dataset.reader import ReadError

        if isinstance(error, ReadError):
            return cls(message="", findings=error.findings)
        if isinstance(error, TyperException):
            return cls(message=error.format_message())
        if isinstance(error, OSError):
            return cls(message=f"{error.strerror}: {error.filename}" if error.strerror else str(error))
        if isinstance(error, (SelectionError, TableError, InputError, UnknownStudyError, WorkersError)):
            return cls(message=str(error))
        return None


def fail(error: UserError) -> int:
    """Print an error to standard error and return the exit code: 1 for findings on a file, 2 for usage."""
    for finding in error.findings:
        print(finding, file=sys.stderr)  # noqa: T201
    if error.message:
        print(f"error: {_printable(error.message)}", file=sys.stderr)  # noqa: T201
    return 1 if error.findings else 2


def remark(text: str) -> None:
    """Print a line to standard error: what is no part of the output."""
    print(_printable(text), file=sys.stderr, flush=True)  # noqa: T201


def say(text: str = "") -> None:
    """Print a text of output: its lines, with what no terminal should get shown as an escape."""
    print(_printable(text))  # noqa: T201


def _printable(text: str) -> str:
    return "\n".join(map(_line, text.split("\n")))


def _line(text: str) -> str:
    # Our own no-break spaces keep numbers together on a page; in a terminal they are spaces.
    return visible(text.replace("\N{NO-BREAK SPACE}", " "))


def envelope(command: str, data: Any, notes: Iterable[str] = ()) -> None:
    """Print what a machine reads: {schema, command, data, notes}."""
    document = {"schema": SCHEMA, "command": command, "data": data, "notes": list(notes)}
    text = json.dumps(document, ensure_ascii=not _utf8(), indent=2, allow_nan=False)
    for match in reversed(list(hidden(text))):
        text = text[: match.start()] + json.dumps(match.group())[1:-1] + text[match.end() :]
    print(text)  # noqa: T201


def _utf8() -> bool:
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"


def any_encoding() -> None:
    """Let output that is not UTF-8 show a question mark for what it has no letter for, rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def close_quietly() -> None:
    """Take leave of a reader that went away, as ``| head`` does: nothing more is written, at the end neither."""
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)


def table(content: "Table") -> None:
    """Print a table: by rich on a terminal, unwrapped and without colour in a pipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    live = sys.stdout.isatty()
    console = Console(width=None if live else _PIPE_WIDTH, no_color=bool(os.environ.get("NO_COLOR")) or not live)
    shown = RichTable(
        box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", title=Text(_line(content.title)), title_style="bold"
    )
    for column in content.columns:
        shown.add_column(Text(_line(column.heading)), justify="right" if column.number else "left", overflow="fold")
    for row in content.rows:
        shown.add_row(*(Text(_line(cell)) for cell in row))
    console.print(shown)
    for note in content.notes:
        console.print(Text(_line(note), style="dim"))


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
