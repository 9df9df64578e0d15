"""What a check is, what it is given, and how a place in a record is written down.

The checks themselves are in the modules ``checks_of_...`` and ``checks_between_records``; they are registered and
run in :mod:`ipsevidence.dataset.checks`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel

from ipsevidence.dataset.findings import Severity
from ipsevidence.dataset.record import Number, Outcome, Reading, Study

__all__ = [
    "Case",
    "Check",
    "Citation",
    "Counted",
    "Path",
    "Problem",
    "Scope",
    "address",
    "case_of",
    "check",
    "counted",
    "lies_at",
    "listed",
    "whole",
]

Path: TypeAlias = tuple[str | int, ...]
"""A place in a record: keys as the file spells them, and list indices from 0."""
Scope: TypeAlias = Literal["record", "dataset", "accept"]
"""What a check looks at: a record, all records together, or the accepted findings of a record."""

_SHOWN = 12


class Problem(NamedTuple):
    """What a check found: where, what, and the fix where it is more precise than the check's own."""

    path: Path
    what: str
    fix: str | None = None


class Citation(NamedTuple):
    """A place that says where something was read: its path, the source named there, and the basis claimed."""

    path: Path
    source: str
    basis: str | None


class Counted(NamedTuple):
    """A count of an outcome: the path of its reading, the reading, events and n."""

    path: Path
    reading: Reading
    events: int
    n: int


@dataclass(frozen=True, slots=True)
class Case:
    """A record as the checks see it.

    Attributes
    ----------
    study : Study
        The record.
    stem : str
        The name of its file, without folder and extension.
    numbers : tuple of (Path, Number)
        Every number, with its path.
    texts : tuple of (Path, str)
        Every text, with its path.
    citations : tuple of Citation
        Every ``from``; a number with the source of its reading (or service) is cited where that is.
    """

    study: Study
    stem: str
    numbers: tuple[tuple[Path, Number], ...]
    texts: tuple[tuple[Path, str], ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check: what it demands, why, how to meet it, and the function that looks.

    Attributes
    ----------
    id : str
        As findings name it and ``explain`` takes it.
    severity : {'error', 'advice'}
        An error blocks; advice does not.
    rule, why, fix : str
        In plain words, for the documentation and ``explain``.
    scope : {'record', 'dataset', 'accept'}
        What the function is given: a `Case`; the cases of all records by id; or a `Case` and the indices of its
        ``accept`` entries that silence nothing.
    acceptable : bool
        Whether a record may override the check, with a reason, in ``accept``.
    function : callable
        Yields a `Problem` for each place; with the scope 'dataset', the record's id and a `Problem`.
    """

    id: str
    severity: Severity
    rule: str
    why: str
    fix: str
    scope: Scope
    acceptable: bool
    function: Callable[..., Iterator[Any]]


def check(
    check_id: str,
    severity: Severity,
    *,
    rule: str,
    why: str,
    fix: str,
    scope: Scope = "record",
    acceptable: bool = False,
) -> Callable[[Callable[..., Iterator[Any]]], Check]:
    """Return a decorator that makes a `Check` of the function that looks.

    Parameters
    ----------
    check_id, severity, rule, why, fix, scope, acceptable
        The attributes of `Check`.

    Returns
    -------
    callable
    """

    def decorate(function: Callable[..., Iterator[Any]]) -> Check:
        return Check(
            id=check_id,
            severity=severity,
            rule=rule,
            why=why,
            fix=fix,
            scope=scope,
            acceptable=acceptable,
            function=function,
        )

    return decorate


def case_of(study: Study, stem: str) -> Case:
    """Walk a record once and return what the checks look at.

    Parameters
    ----------
    study : Study
        The record.
    stem : str
        The name of its file, without folder and extension.

    Returns
    -------
    Case
    """
    walk = _Walk()
    walk.visit(study, (), None, ())
    return Case(study, stem, tuple(walk.numbers), tuple(walk.texts), tuple(walk.citations))


@cache
def _keys(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    """Return the attributes of a model with their keys in a file."""
    return tuple((name, field.alias or name) for name, field in model.model_fields.items())


class _Walk:
    """One pass over a record, and what it met."""

    def __init__(self) -> None:
        self.numbers: list[tuple[Path, Number]] = []
        self.texts: list[tuple[Path, str]] = []
        self.citations: list[Citation] = []

    def visit(self, value: Any, path: Path, above: Any, cited: Path) -> None:
        """Note a value and what it holds; `above` is the model it stands in, `cited` where that has its source."""
        if isinstance(value, str):
            self.texts.append((path, value))
        elif isinstance(value, BaseModel):
            here = self._cite(value, path, above, cited)
            if isinstance(value, Number):
                self.numbers.append((path, value))
            for name, key in _keys(type(value)):
                item = getattr(value, name)
                if item is not None:
                    self.visit(item, (*path, key), value, here)
        elif isinstance(value, tuple):
            for index, item in enumerate(value):
                self.visit(item, (*path, index), above, cited)
        elif isinstance(value, dict):
            for key, item in value.items():
                self.visit(item, (*path, key), above, cited)

    def _cite(self, value: BaseModel, path: Path, above: Any, cited: Path) -> Path:
        source = getattr(value, "from_", None)
        # `from` of a time window is a month
        if not isinstance(source, str):
            return cited
        inherited = isinstance(value, Number) and source == getattr(above, "from_", None)
        here = cited if inherited else (*path, "from")
        self.citations.append(Citation(here, source, getattr(value, "basis", getattr(above, "basis", None))))
        return here


def whole(number: Number | None) -> int | None:
    """Return a number as an int; None where it is missing, a range, or not whole."""
    if number is None or number.value is None or number.value != int(number.value):
        return None
    return int(number.value)


def counted(outcome: Outcome, path: Path) -> list[Counted]:
    """Return the counts of an outcome that can be computed with: events at most n, n at least 1.

    Parameters
    ----------
    outcome : Outcome
        The outcome.
    path : Path
        Its place in the record.

    Returns
    -------
    list of Counted
    """
    found = []
    for index, reading in enumerate(outcome.readings):
        events, n = whole(reading.events), whole(reading.n)
        if reading.kind == "count" and events is not None and n is not None and events <= n > 0:
            found.append(Counted((*path, "readings", index), reading, events, n))
    return found


def listed(items: Iterable[object]) -> str:
    """Write items in one line, the first twelve of them; 'none' where there are none."""
    # a range is not written out: what fits 50% of a million is long
    known = items if isinstance(items, range) else list(items)
    shown = ", ".join(map(str, known[:_SHOWN]))
    return f"{shown} and {len(known) - _SHOWN} more" if len(known) > _SHOWN else shown or "none"


def address(study: Study, path: Path) -> str:
    """Write a place in a record as ``accept`` names it.

    Parameters
    ----------
    study : Study
        The record.
    path : Path
        A path with list indices.

    Returns
    -------
    str
        Steps joined by points; an item of a list goes by its id, arm, measure or the like where that is unique
        there, otherwise by its position, counted from 1: ``outcomes.competitive-12m.published.RR``.
    """
    steps = []
    for key, names, siblings in _steps(study, path):
        unique = [name for name in names if sum(name in _names(item) for item in siblings) == 1]
        steps.append(unique[0] if unique else str(key + 1) if isinstance(key, int) else key)
    return ".".join(steps)


def lies_at(study: Study, path: Path, at: str | None) -> bool:
    """Tell whether a place lies at, or inside, one that ``accept`` names.

    Parameters
    ----------
    study : Study
        The record.
    path : Path
        The place of a finding.
    at : str or None
        What ``accept`` names, written as by `address`; None means the whole record.

    Returns
    -------
    bool
    """
    wanted = [step for step in re.split(r"[.\[\]]+", at or "") if step]
    if len(wanted) > len(path):
        return False
    return all(
        step in names or step == (str(key + 1) if isinstance(key, int) else key)
        for step, (key, names, _) in zip(wanted, _steps(study, path), strict=False)
    )


def _steps(study: Study, path: Path) -> Iterator[tuple[str | int, list[str], tuple[Any, ...]]]:
    """Walk a path: each key or index, the names of the item it leads to, and the items beside it."""
    value: Any = study
    for key in path:
        siblings: tuple[Any, ...] = ()
        if isinstance(key, int):
            siblings = value if isinstance(value, tuple) else ()
            value = siblings[key] if key < len(siblings) else None
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            fields = _keys(type(value)) if isinstance(value, BaseModel) else ()
            value = next((getattr(value, name) for name, spelt in fields if spelt == key), None)
        yield key, _names(value) if siblings else [], siblings


def _names(item: Any) -> list[str]:
    given = (getattr(item, name, None) for name in ("id", "arm", "measure", "what", "scale", "kind"))
    return [name for name in given if isinstance(name, str) and re.fullmatch(r"[A-Za-z0-9-]+", name)]
