"""What the verb diff prints: the effect of a change on every analysis."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ipsevidence.terminal.output import envelope, say, table

if TYPE_CHECKING:
    from ipsevidence.analysis.comparing import Comparison

__all__ = ["compared"]

WORKING_TREE = "the working tree"


def compared(
    places: Sequence[Path],
    base: str | None,
    data: Path | None,
    *,
    as_markdown: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Print what changed between a revision and the working tree, or between two folders or records."""
    from ipsevidence import __version__

    _fits_together(places, base, data, as_markdown=as_markdown, as_json=as_json)
    notes = [f"Both sides were computed by ipsevidence {__version__}."]
    with _found(places, base, data) as found:
        if as_json:
            from ipsevidence.analysis.resultfiles import settled
            from ipsevidence.report.diff_words import summary

            envelope("diff", settled(found.to_dict()), [*summary(found), *notes])
        elif as_markdown:
            from ipsevidence.report.diff_markdown import diff_markdown

            say(diff_markdown(found, () if quiet else notes).rstrip("\n"))
        else:
            _text(found, () if quiet else tuple(notes))


def _fits_together(
    places: Sequence[Path], base: str | None, data: Path | None, *, as_markdown: bool, as_json: bool
) -> None:
    from typer import BadParameter

    if len(places) not in (0, 2):
        raise BadParameter("name two places, the old and the new; or none, and a revision with --base")
    if places and (base is not None or data is not None):
        raise BadParameter("--base and --data go with the working tree, not with two places")
    if as_markdown and as_json:
        raise BadParameter("give --markdown or --json, not both")


@contextlib.contextmanager
def _found(places: Sequence[Path], base: str | None, data: Path | None) -> Iterator["Comparison"]:
    """Compare; the files of a revision are there as long as the context."""
    from ipsevidence.analysis.comparing import compare_data

    if places:
        yield compare_data(*places)
        return
    from ipsevidence.analysis.revisions import default_base, materialised
    from ipsevidence.dataset.collection import find_data

    root, _ = find_data(data)
    commit, name = default_base(root) if base is None else (base, base)
    with materialised(root, commit) as revision:
        called = f"{name} ({revision.commit[:12]})"
        yield compare_data(revision.root, root, names=(called, WORKING_TREE))


def _text(found: "Comparison", notes: tuple[str, ...]) -> None:
    from ipsevidence.report.diff_words import sides, summary, tables

    for line in (*sides(found), "", *summary(found), ""):
        say(line)
    for part in tables(found):
        table(part)
    for note in notes:
        say(note)
