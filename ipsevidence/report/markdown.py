"""Tables in Markdown, safe for the text of strangers."""

from collections.abc import Iterable
from typing import Final

from ipsevidence.report.table import Table

__all__ = ["FROM_RECORDS", "FROM_RESULTS", "cell", "markdown_table", "table_of"]

FROM_RECORDS: Final = "<!-- Generated: make documents. -->\n"
"""First line of a page that is made from registries and records."""

FROM_RESULTS: Final = "<!-- Generated from analyses/results: make documents. -->\n"
"""First line of a page that is made from committed results."""

_SIGNS = ("\\", "|", "<", "[", "`", "*", "_")


def cell(text: str) -> str:
    """Make text safe inside a Markdown table: no column breaks, no lines, no HTML, no links of a stranger."""
    for sign in _SIGNS:
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def markdown_table(headings: Iterable[str], rows: Iterable[Iterable[str]], numbers: Iterable[bool] = ()) -> str:
    """Write a table.

    Parameters
    ----------
    headings : iterable of str
        Heads of the columns.
    rows : iterable of iterable of str
        Cells; they are made safe.
    numbers : iterable of bool
        Which columns are set flush right; none by default.

    Returns
    -------
    str
    """
    heads = [cell(heading) for heading in headings]
    right = [*numbers] or [False] * len(heads)
    rules = ["---:" if flush else "---" for flush in right]
    lines = [heads, rules, *([cell(text) for text in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def table_of(table: Table) -> str:
    """Write a table of the report, its notes below it."""
    text = markdown_table(
        (column.heading for column in table.columns), table.rows, (column.number for column in table.columns)
    )
    return text + "".join(f"\n{cell(note)}\n" for note in table.notes)
