"""The effect of a change as a comment on a pull request: bounded in length, the text of strangers made harmless."""

import re
from collections.abc import Iterable
from typing import Final

from ipsevidence.analysis.comparing import Comparison
from ipsevidence.dataset.findings import visible
from ipsevidence.report.diff_words import sides, summary, tables
from ipsevidence.report.markdown import cell
from ipsevidence.report.table import Table

__all__ = ["MOST", "diff_markdown", "harmless"]

MOST: Final = 60_000
"""The most characters that are written; a comment on GitHub may have 65,536."""

_PER_TABLE: Final = 12_000
_FOLDED: Final = 40
_RESERVE: Final = 600
_BREAK: Final = "&#8203;"
"""A space of no width inside a word, which keeps GitHub from making a link or a mention of the word.

GitHub looks twice: for addresses in the Markdown (https://github.github.com/gfm/#autolinks-extension-), and for people,
issues and commits in the finished page, from which backslashes are gone by then.
"""

_WOULD_LINK: Final = re.compile(r"@|#|:(?=//)|w(?=ww\.)|g(?=h-)|~(?=~)", re.IGNORECASE)
_COMMIT: Final = re.compile(r"(?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,}(?![0-9a-z])", re.IGNORECASE)
_SHORTEST_COMMIT: Final = 7


def harmless(text: str) -> str:
    """Make text safe inside a comment: no HTML, no links, no mentions of people or issues, nothing invisible.

    Parameters
    ----------
    text : str
        Anybody's text.

    Returns
    -------
    str
        One line, also fit for a cell of a table.
    """
    plain = cell(visible(" ".join(text.split()))).replace("&", "&amp;").replace("\\<", "&lt;").replace("$", "\\$")
    broken = _WOULD_LINK.sub(lambda match: match.group() + _BREAK, plain)
    return _COMMIT.sub(lambda match: _BREAK.join(_pieces(match.group())), broken)


def _pieces(text: str) -> list[str]:
    """Cut a text into pieces too short for the name of a commit."""
    step = _SHORTEST_COMMIT - 1
    return [text[start : start + step] for start in range(0, len(text), step)]


def diff_markdown(found: Comparison, notes: Iterable[str] = ()) -> str:
    """Write the comparison as Markdown of at most `MOST` characters.

    Parameters
    ----------
    found : Comparison
        See `ipsevidence.analysis.comparing.compare_data`.
    notes : iterable of str
        Sentences for the end.

    Returns
    -------
    str
        Long tables are folded; one that has no room for all its rows says how many are left out.
    """
    parts = ["## What this change does\n"]
    parts += [f"- {harmless(side)}\n" for side in sides(found)]
    parts += [f"\n{harmless(line)}\n" for line in summary(found)]
    end = "".join(f"\n{harmless(note)}\n" for note in notes)[:_RESERVE]
    room = MOST - sum(map(len, parts)) - len(end)
    for table in tables(found):
        text = _section(table, min(_PER_TABLE, room))
        room -= len(text)
        parts.append(text)
    return "".join(parts) + end


def _section(table: Table, room: int) -> str:
    """Write a table under its heading, with as many rows as there is room for."""
    heads = " | ".join(harmless(column.heading) for column in table.columns)
    rules = " | ".join("---" for _ in table.columns)
    title = harmless(table.title)
    folded = len(table.rows) > _FOLDED
    top = f"\n<details><summary>{title} ({len(table.rows)})</summary>\n\n" if folded else f"\n### {title}\n\n"
    top += f"| {heads} |\n| {rules} |\n"
    end = "".join(f"\n{harmless(note)}\n" for note in table.notes) + ("\n</details>\n" if folded else "")
    left = room - len(top) - len(end) - _RESERVE
    if left < 0:
        return ""
    lines: list[str] = []
    for row in table.rows:
        line = f"| {' | '.join(map(harmless, row))} |\n"
        if len(line) > left:
            break
        left -= len(line)
        lines.append(line)
    missing = len(table.rows) - len(lines)
    more = f"\n{missing} of {len(table.rows)} rows are left out here.\n" if missing else ""
    return top + "".join(lines) + more + end
