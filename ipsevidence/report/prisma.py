"""The items of PRISMA 2020, and where a report of an analysis answers each, or that nothing does and why."""

from collections.abc import Collection, Mapping
from typing import Final, Literal, TypeAlias

from ipsevidence.report.table import Table, make

__all__ = ["ITEMS", "Kind", "prisma_map"]

Kind: TypeAlias = Literal["living", "reproduction", "exploratory", "table"]
"""What a report is of: the three purposes of a spec, or a table of the reader's own."""

ITEMS: Final = (
    ("1", "Title", ("title",)),
    ("2", "Abstract", ("abstract",)),
    ("3", "Rationale", ("numbers",)),
    ("4", "Objectives", ("title",)),
    ("5", "Eligibility criteria", ("methods", "selection")),
    ("6", "Information sources", ("search",)),
    ("7", "Search strategy", ("search",)),
    ("8", "Selection process", ("screening",)),
    ("9", "Data collection process", ("collection",)),
    ("10a", "Data items: outcomes", ("methods", "characteristics")),
    ("10b", "Data items: other variables", ("characteristics",)),
    ("11", "Study risk of bias assessment", ("bias",)),
    ("12", "Effect measures", ("methods",)),
    ("13a", "Synthesis methods: which studies are eligible for each", ("methods",)),
    ("13b", "Synthesis methods: preparation of the data", ("methods", "notes")),
    ("13c", "Synthesis methods: tables and figures", ("forest", "characteristics")),
    ("13d", "Synthesis methods: model, heterogeneity, software", ("methods",)),
    ("13e", "Synthesis methods: exploring heterogeneity", ("methods",)),
    ("13f", "Synthesis methods: sensitivity analyses", ("methods",)),
    ("14", "Reporting bias assessment", ("methods", "small-studies")),
    ("15", "Certainty assessment", ("certainty",)),
    ("16a", "Study selection: numbers, with a flow diagram", ("flow",)),
    ("16b", "Study selection: studies left out, and why", ("selection",)),
    ("17", "Study characteristics", ("characteristics",)),
    ("18", "Risk of bias in studies", ("bias",)),
    ("19", "Results of individual studies", ("forest", "characteristics")),
    ("20a", "Results of syntheses: the contributing studies", ("characteristics",)),
    ("20b", "Results of syntheses: estimates, precision, heterogeneity", ("summary", "heterogeneity")),
    ("20c", "Results of syntheses: causes of heterogeneity", ("heterogeneity",)),
    ("20d", "Results of syntheses: sensitivity analyses", ("sensitivity", "readings")),
    ("21", "Reporting biases", ("small-studies",)),
    ("22", "Certainty of evidence", ("certainty",)),
    ("23a", "Discussion: interpretation", ("numbers",)),
    ("23b", "Discussion: limitations of the evidence", ("limits",)),
    ("23c", "Discussion: limitations of the review processes", ("limits",)),
    ("23d", "Discussion: implications", ("numbers",)),
    ("24a", "Registration", ("registration",)),
    ("24b", "Protocol", ("protocol",)),
    ("24c", "Amendments", ("amendments",)),
    ("25", "Support", ("support",)),
    ("26", "Competing interests", ("interests",)),
    ("27", "Availability of data, code and other materials", ("files",)),
)
"""Number, topic, and the keys of the sections or answers: 27 items, of which six have parts."""

_ALL: Final = {
    "abstract": "no structured abstract; the result stands at the head of the report",
    "numbers": "not given: this is a report of numbers",
    "limits": "not discussed; what is known of them stands at the head of the report and in its notes",
}
_OURS: Final = {
    "search": "none: a curated collection, not a systematic search",
    "screening": "no search was screened; studies were taken from the collection as Methods says",
    "collection": "read once, without a second extractor; each record names the source and place of its numbers",
    "flow": "Which studies, and why (in numbers; no flow diagram, since there was no search)",
    "registration": "not registered",
    "support": "not stated by the project",
    "interests": "not stated by the project",
}
_PROTOCOL: Final = {
    "living": {
        "protocol": "docs/protocol in the repository; not written blind to first results, as it says",
        "amendments": "dated, at the end of docs/protocol",
    },
    "reproduction": {
        "protocol": "none of its own: it follows the paper that it repeats",
        "amendments": "none: departures from the paper are in Methods and Sensitivity analyses",
    },
    "exploratory": {"protocol": "none: an exploratory analysis", "amendments": "none: there is no protocol"},
}
_AUTHOR: Final = "for the author of the table to state"

REFERENCE: Final = "Page MJ, McKenzie JE, Bossuyt PM, et al. BMJ 2021;372:n71. doi:10.1136/bmj.n71"


def prisma_map(titles: Mapping[str, str], empty: Collection[str] = (), kind: Kind = "living") -> Table:
    """Return the map of the items onto a report.

    Parameters
    ----------
    titles : mapping of str to str
        Titles of the sections of the report by key; ``title`` is its head.
    empty : collection of str
        Keys of sections that say only why nothing was done.
    kind : {"living", "reproduction", "exploratory", "table"}
        The purpose of the analysis; of a table of the reader's own the program cannot know who searched, registered
        or paid.

    Returns
    -------
    Table
        One row for each item and part of an item.
    """
    said = {**_ALL, **(dict.fromkeys((*_OURS, "protocol", "amendments"), _AUTHOR) if kind == "table" else {})}
    if kind != "table":
        said |= {**_OURS, **_PROTOCOL[kind]}

    def answer(keys: tuple[str, ...]) -> str:
        found = [
            f"{titles[key]} (not assessed, and why)" if key in empty else titles[key] for key in keys if key in titles
        ]
        found += [said[key] for key in keys if key in said]
        return "; ".join(found) or "not in this report"

    rows = [(number, topic, answer(keys)) for number, topic, keys in ITEMS]
    notes = (f"The statement: {REFERENCE}", "This is no systematic review; the list shows what is missing to be one.")
    return make("PRISMA 2020 items", "Item|Topic|Where in this report", rows, notes)
