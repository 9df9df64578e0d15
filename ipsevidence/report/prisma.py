"""The 27 items of PRISMA 2020, and where a report of an analysis answers each."""

from collections.abc import Collection
from typing import Final

from ipsevidence.report.table import Table, make

__all__ = ["ITEMS", "prisma_map"]

NO_SEARCH: Final = "not done: no systematic search"

ITEMS: Final = (
    ("1", "Title", "title"),
    ("2", "Abstract", "title"),
    ("3", "Rationale", "not given: a report of numbers"),
    ("4", "Objectives", "title"),
    ("5", "Eligibility criteria", "methods"),
    ("6", "Information sources", NO_SEARCH),
    ("7", "Search strategy", NO_SEARCH),
    ("8", "Selection process", "selection"),
    ("9", "Data collection process", "not done in duplicate"),
    ("10", "Data items", "characteristics"),
    ("11", "Study risk of bias assessment", "bias"),
    ("12", "Effect measures", "methods"),
    ("13", "Synthesis methods", "methods"),
    ("14", "Reporting bias assessment", "small-studies"),
    ("15", "Certainty assessment", "summary"),
    ("16", "Study selection", "selection"),
    ("17", "Study characteristics", "characteristics"),
    ("18", "Risk of bias in studies", "bias"),
    ("19", "Results of individual studies", "characteristics"),
    ("20", "Results of syntheses", "heterogeneity"),
    ("21", "Reporting biases", "small-studies"),
    ("22", "Certainty of evidence", "summary"),
    ("23", "Discussion", "not given: a report of numbers"),
    ("24", "Registration and protocol", "not done: not registered"),
    ("25", "Support", "not stated"),
    ("26", "Competing interests", "not stated"),
    ("27", "Availability of data, code and other materials", "files"),
)
"""Number, topic, and the key of the section that answers it, or why none does."""

REFERENCE: Final = "Page MJ, McKenzie JE, Bossuyt PM, et al. BMJ 2021;372:n71. doi:10.1136/bmj.n71"


def prisma_map(titles: dict[str, str], empty: Collection[str] = ()) -> Table:
    """Return the map of the items onto a report.

    Parameters
    ----------
    titles : dict of str to str
        Titles of the sections of the report by key; ``title`` is its head.
    empty : collection of str
        Keys of sections that say only why nothing was done.

    Returns
    -------
    Table
        One row for each item.
    """
    rows = []
    for number, topic, where in ITEMS:
        text = titles.get(where, where if " " in where else "not in this report")
        rows.append((number, topic, f"{text} (not assessed, and why)" if where in empty else text))
    return make("PRISMA 2020 items", "#Item|Topic|Where in this report", rows, (f"The statement: {REFERENCE}",))
