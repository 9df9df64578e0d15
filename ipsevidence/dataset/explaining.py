"""What a check means, by the id that findings give: its rule, why it is there, how to meet it, and an example."""

from dataclasses import dataclass
from typing import Final

from ipsevidence.dataset import reader
from ipsevidence.dataset.check_examples import EXAMPLES, Example
from ipsevidence.dataset.checks import CHECKS
from ipsevidence.dataset.closing import CLOSED_FILE, REOPENED, UNLOGGED
from ipsevidence.dataset.findings import Severity

__all__ = ["FURTHER", "Explanation", "check_ids", "explained", "similar_checks"]

_SHOWN: Final = 5
_LONGEST: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What a check means.

    Attributes
    ----------
    id : str
        As findings name it.
    severity : {'error', 'advice'}
        An error blocks; advice does not.
    rule, why, fix : str
        In plain words.
    acceptable : bool
        Whether a record may override the check, with a reason, in ``accept``.
    example : Example
        What the check refuses, and what it lets pass.
    """

    id: str
    severity: Severity
    rule: str
    why: str
    fix: str
    acceptable: bool
    example: Example


_NAMES: Final = Explanation(
    id="name-does-not-resolve",
    severity="error",
    rule="An analysis, a review or a claim has the id of its file, and names records and analyses that there are.",
    why="A study that a misspelt id leaves out of an analysis would be missed by nobody.",
    fix="Correct the id.",
    acceptable=False,
    example=Example(
        wrong="studies: {list: [{id: davis-2021}]}",
        right="studies: {list: [{id: davis-2012}]}",
        inside="file",
        note="in an analysis; there is a record davis-2012 and none davis-2021",
    ),
)
_UNLOGGED: Final = Explanation(
    id=UNLOGGED,
    severity="error",
    rule="Where a number of a record has changed, appeared or gone since the last version, its log has a new entry.",
    why="A number that changes without a word is a slip of the hand, or worse, and many contradict nothing else.",
    fix="Say under `log` what it was, what it is and what lay open; or put the number back.",
    acceptable=False,
    example=Example(
        wrong='log:\n  - {date: "2026-11-21", did: extracted}\n',
        right='log:\n  - {date: "2026-11-21", did: extracted}\n'
        '  - {date: "2026-12-01", did: "corrected: 13 sites, not 12", read: full-text}\n',
        note=f"in a record of which studies/{CLOSED_FILE} has other numbers and one entry of the log",
    ),
)

_REOPENED: Final = Explanation(
    id=REOPENED,
    severity="error",
    rule=f"What `studies/{CLOSED_FILE}` keeps of a version does not change, unless by the next version; `diff` looks.",
    why="It is what the numbers of the records are held against, and must not be changed along with them.",
    fix="Put the file back; it is written when a version is closed (`make close`), and at no other time.",
    acceptable=False,
    example=Example(
        wrong='schema: 1\nversion: "2026.1"\nrecords:\n  example-2020: {numbers: "0123456789abcdef", log: 1}\n',
        right='schema: 1\nversion: "2026.2"\nrecords:\n  example-2020: {numbers: "0123456789abcdef", log: 1}\n',
        inside="file",
        note=f"studies/{CLOSED_FILE} after a change of it that was of version 2026.1, with other numbers",
    ),
)

FURTHER: Final = (_NAMES, _UNLOGGED, _REOPENED)
"""What `validate` and `diff` find besides the checks on the text and on the content of records."""


def check_ids() -> tuple[str, ...]:
    """Return the ids of all checks: those of the reader, of records, and of what names records."""
    return (*reader.CHECKS, *CHECKS, *(one.id for one in FURTHER))


def explained(check_id: str) -> Explanation:
    """Explain a check.

    Parameters
    ----------
    check_id : str
        The id of the check, as findings name it.

    Returns
    -------
    Explanation

    Raises
    ------
    KeyError
        If there is no such check; see `similar_checks`.
    """
    for further in FURTHER:
        if check_id == further.id:
            return further
    example = EXAMPLES[check_id]
    if check_id in CHECKS:
        check = CHECKS[check_id]
        return Explanation(
            id=check_id,
            severity=check.severity,
            rule=check.rule,
            why=check.why,
            fix=f"{check.fix[0].upper()}{check.fix[1:]}.",
            acceptable=check.acceptable,
            example=example,
        )
    rule, why, fix = reader.CHECKS[check_id]
    return Explanation(id=check_id, severity="error", rule=rule, why=why, fix=fix, acceptable=False, example=example)


def similar_checks(words: str) -> tuple[str, ...]:
    """Return the ids of the checks that somebody may have meant.

    Parameters
    ----------
    words : str
        What was typed.

    Returns
    -------
    tuple of str
        At most five, nearest first: by their letters, then those that share a word with it.
    """
    from difflib import get_close_matches

    simple = "-".join(words.lower().replace("_", " ").replace("-", " ").split())[:_LONGEST]
    near = get_close_matches(simple, check_ids(), n=_SHOWN, cutoff=0.6)
    parts = {part for part in simple.split("-") if len(part) > 2}
    shared = [name for name in check_ids() if parts & set(name.split("-"))]
    return tuple(dict.fromkeys([*near, *shared]))[:_SHOWN]
