"""The checks on records: all of them by id, and what runs them.

A check demands something that the format alone cannot: that a count gives its printed percent, that a source
resolves, that two records do not hold the same persons. Where a check may be overridden, a record does so under
``accept``, with a reason; an override that silences nothing is itself a finding.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import PurePath
from typing import TYPE_CHECKING

from ipsevidence.dataset.checklist import Case, Check, Problem, address, case_of, check, lies_at, listed
from ipsevidence.dataset.checks_between_records import CHECKS_BETWEEN_RECORDS
from ipsevidence.dataset.checks_of_alternatives import CHECKS_OF_ALTERNATIVES
from ipsevidence.dataset.checks_of_bias import CHECKS_OF_BIAS
from ipsevidence.dataset.checks_of_counts import CHECKS_OF_COUNTS
from ipsevidence.dataset.checks_of_design import CHECKS_OF_DESIGN
from ipsevidence.dataset.checks_of_effects import CHECKS_OF_EFFECTS
from ipsevidence.dataset.checks_of_fidelity import CHECKS_OF_FIDELITY
from ipsevidence.dataset.checks_of_joint_fits import CHECKS_OF_JOINT_FITS
from ipsevidence.dataset.checks_of_means import CHECKS_OF_MEANS
from ipsevidence.dataset.checks_of_outcomes import CHECKS_OF_OUTCOMES
from ipsevidence.dataset.checks_of_sources import CHECKS_OF_SOURCES
from ipsevidence.dataset.findings import Finding, excerpt
from ipsevidence.dataset.reader import position
from ipsevidence.dataset.refusals import nearest

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset, Entry

__all__ = ["CHECKS", "Check", "Problem", "check_dataset", "check_entry"]

_MOST = 100


@check(
    "accept-without-finding",
    "error",
    rule="Every entry under `accept` overrides a check that finds something there, and one that may be overridden.",
    why="An override that has outlived its reason would hide the next mistake.",
    fix="delete the entry",
    scope="accept",
)
def _accept_without_finding(case: Case, unused: list[int], found: Mapping[str, list[Problem]]) -> Iterator[Problem]:
    for index in unused:
        entry = case.study.accept[index]
        known = CHECKS.get(entry.check)
        if known is None:
            guess = nearest(entry.check, list(CHECKS))
            yield Problem(
                ("accept", index, "check"),
                f"there is no check {entry.check}" + (f"; nearest: {guess}" if guess else ""),
                "name the check as findings do",
            )
        elif not known.acceptable:
            yield Problem(("accept", index, "check"), f"{entry.check} cannot be accepted", "mend what it finds")
        else:
            at = "" if entry.at is None else f" at {excerpt(entry.at)}"
            elsewhere = [address(case.study, problem.path) for problem in found.get(entry.check, [])]
            yield Problem(
                ("accept", index),
                f"{entry.check} finds nothing{at}",
                f"delete the entry, or correct `at`: it finds something at {listed(elsewhere)}" if elsewhere else None,
            )


CHECKS: dict[str, Check] = {
    item.id: item
    for item in (
        *CHECKS_OF_COUNTS,
        *CHECKS_OF_ALTERNATIVES,
        *CHECKS_OF_JOINT_FITS,
        *CHECKS_OF_MEANS,
        *CHECKS_OF_EFFECTS,
        *CHECKS_OF_OUTCOMES,
        *CHECKS_OF_FIDELITY,
        *CHECKS_OF_BIAS,
        *CHECKS_OF_SOURCES,
        *CHECKS_OF_DESIGN,
        *CHECKS_BETWEEN_RECORDS,
        _accept_without_finding,
    )
}
"""Every check of records by its id."""


def check_entry(entry: "Entry") -> tuple[Finding, ...]:
    """Run the checks of single records on one record.

    Parameters
    ----------
    entry : Entry
        The record with its tree of positions and its file.

    Returns
    -------
    tuple of Finding
        In the order of the file, without those that the record accepts. Whether an accepted check of all records
        together still finds something is left to `check_dataset`.
    """
    case = _case(entry)
    return _findings(entry, case, _problems(case), judged=("record",))


def check_dataset(dataset: "Dataset") -> tuple[Finding, ...]:
    """Run all checks on all records.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Returns
    -------
    tuple of Finding
        By record, in the order of the dataset and of each file, without those that a record accepts.
    """
    cases = {study_id: _case(entry) for study_id, entry in dataset.entries.items()}
    problems = {study_id: _problems(case) for study_id, case in cases.items()}
    for item in CHECKS.values():
        if item.scope == "dataset":
            for study_id, problem in item.function(cases):
                problems[study_id][item.id].append(problem)
    return tuple(
        finding
        for study_id, entry in dataset.entries.items()
        for finding in _findings(entry, cases[study_id], problems[study_id], judged=("record", "dataset"))
    )


def _case(entry: "Entry") -> Case:
    return case_of(entry.study, PurePath(entry.file).stem)


def _problems(case: Case) -> dict[str, list[Problem]]:
    found: dict[str, list[Problem]] = defaultdict(list)
    for item in CHECKS.values():
        if item.scope == "record":
            found[item.id].extend(_first(item.function(case)))
    return found


def _first(problems: Iterator[Problem]) -> list[Problem]:
    """Return the problems that one check finds in one record, cut where there are too many to be read."""
    first = list(islice(problems, _MOST + 1))
    if len(first) > _MOST:
        first[_MOST] = Problem((), f"this check finds more than {_MOST} places; only the first are shown")
    return first


def _findings(
    entry: "Entry", case: Case, found: dict[str, list[Problem]], *, judged: tuple[str, ...]
) -> tuple[Finding, ...]:
    """Leave out what the record accepts, judge what it accepts in vain, and place the rest in the file."""
    used: set[int] = set()
    rest: list[tuple[Check, Problem]] = []
    for check_id, problems in found.items():
        for problem in problems:
            matching = _accepting(case, CHECKS[check_id], problem)
            used |= matching
            if not matching:
                rest.append((CHECKS[check_id], problem))
    accepted = enumerate(case.study.accept)
    unused = [index for index, item in accepted if index not in used and _is_judged(item.check, judged)]
    rest += [(_accept_without_finding, problem) for problem in _accept_without_finding.function(case, unused, found)]
    return tuple(
        sorted(
            (_finding(entry, item, problem) for item, problem in rest),
            key=lambda finding: (finding.line, finding.column, finding.check),
        )
    )


def _accepting(case: Case, item: Check, problem: Problem) -> set[int]:
    """Return the indices of the `accept` entries that cover a problem."""
    return {
        index
        for index, accepted in enumerate(case.study.accept)
        if accepted.check == item.id and item.acceptable and lies_at(case.study, problem.path, accepted.at)
    }


def _is_judged(check_id: str, judged: tuple[str, ...]) -> bool:
    item = CHECKS.get(check_id)
    return item is None or not item.acceptable or item.scope in judged


def _finding(entry: "Entry", item: Check, problem: Problem) -> Finding:
    mark = position(entry.tree, problem.path)
    fix = problem.fix or item.fix
    place = address(entry.study, problem.path)
    if item.acceptable and place:
        fix = f"{fix}; if the record is right, accept it with a reason, at: {place}"
    return Finding(
        file=entry.file,
        line=mark.line,
        column=mark.column,
        severity=item.severity,
        check=item.id,
        what=problem.what,
        fix=fix,
    )
