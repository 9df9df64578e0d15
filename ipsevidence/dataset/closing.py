"""What each record held when a version was closed, so that no number of it changes without a word in the record's log.

`studies/_closed.yaml` has a digest of the numbers of each record and how long its log was. It is written when a version
is closed (`make close`), never by a change of a record.
"""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, StringConstraints

from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import fetch, plain, position, read
from ipsevidence.dataset.record import Identifier, Record, Text
from ipsevidence.dataset.storage import write_atomically

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset, Entry

__all__ = [
    "CLOSED_FILE",
    "REOPENED",
    "UNLOGGED",
    "ClosedRecord",
    "ClosedVersion",
    "close",
    "closed_record",
    "closed_version",
    "reopened",
    "unlogged",
]

CLOSED_FILE: Final = "_closed.yaml"
UNLOGGED: Final = "number-changed-without-log"
REOPENED: Final = "closed-version-changed"


class ClosedRecord(Record):
    """A record when a version was closed.

    Attributes
    ----------
    numbers : str
        The first 16 hexadecimal digits of the SHA-256 of its numbers with their places.
    log : int
        Entries of its log.
    """

    numbers: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    log: Annotated[int, Field(ge=1)]


class ClosedVersion(Record):
    """The records of a version, by id."""

    schema_: Literal[1] = Field(alias="schema")
    version: Text
    records: dict[Identifier, ClosedRecord]


def closed_version(studies: Path) -> ClosedVersion | None:
    """Read what the last version held; None where a folder has no such file.

    Parameters
    ----------
    studies : Path
        The folder of the records.

    Returns
    -------
    ClosedVersion or None

    Raises
    ------
    ReadError
        If the file is not such a one.
    """
    path = studies / CLOSED_FILE
    return read(fetch(path), ClosedVersion, file=f"studies/{CLOSED_FILE}")[0] if path.is_file() else None


def closed_record(entry: "Entry") -> ClosedRecord:
    """Return what is kept of a record: every number as typed, with its place, and the length of the log.

    Parameters
    ----------
    entry : Entry
        The record.

    Returns
    -------
    ClosedRecord

    Notes
    -----
    A number and its long form, ``{value: 3}``, are the same; the order of keys does not count, that of lists does.
    """
    lines = "".join(f"{line}\n" for line in sorted(_numbers(plain(entry.tree), "")))
    digest = hashlib.sha256(lines.encode()).hexdigest()[:16]
    return ClosedRecord(numbers=digest, log=len(entry.study.log))


def _numbers(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, place if key == "value" else f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _numbers(item, f"{place}[{index}]")
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield f"{place} {value}"


def unlogged(entry: "Entry", version: ClosedVersion | None) -> tuple[Finding, ...]:
    """Return a finding where a number of a closed record changed and its log says nothing new, else none.

    Parameters
    ----------
    entry : Entry
        The record as it is.
    version : ClosedVersion or None
        The last version.

    Returns
    -------
    tuple of Finding
    """
    if version is None:
        return ()
    names = (entry.study.id, *entry.study.former_ids)
    before = next((version.records[name] for name in names if name in version.records), None)
    if before is None:
        return ()
    now = closed_record(entry)
    if now.numbers == before.numbers or now.log > before.log:
        return ()
    mark = position(entry.tree, ("log", now.log - 1))
    what = f"a number is not what version {version.version} held, and the log has no new entry"
    fix = "say under `log` what it was, what it is and what lay open; or put the number back"
    return (Finding(entry.file, mark.line, mark.column, "error", UNLOGGED, what, fix),)


def reopened(before: ClosedVersion | None, after: ClosedVersion | None, version: str) -> tuple[Finding, ...]:
    """Return a finding where what was kept of a version is not what was kept before, else none.

    Parameters
    ----------
    before, after : ClosedVersion or None
        What the file says on either side of a change.
    version : str
        Of the dataset after the change: only what is kept of a new one may take the place of what was kept.

    Returns
    -------
    tuple of Finding
    """
    if before is None or after == before:
        return ()
    if after is not None and before.version != after.version == version:
        return ()
    what = f"what was kept of version {before.version} is {'gone' if after is None else 'not what it was'}"
    fix = "put the file back; it is written when a version is closed, and at no other time"
    return (Finding(f"studies/{CLOSED_FILE}", 1, 1, "error", REOPENED, what, fix),)


def close(dataset: "Dataset") -> Path:
    """Write what the records of a dataset hold, as what its version held.

    Parameters
    ----------
    dataset : Dataset
        The records, and the version that they are.

    Returns
    -------
    Path
        The file, in the folder of the records.

    Raises
    ------
    OSError
        Where it cannot be written.
    """
    records = {study_id: closed_record(entry) for study_id, entry in dataset.entries.items()}
    lines = [f'  {study_id}: {{numbers: "{one.numbers}", log: {one.log}}}\n' for study_id, one in records.items()]
    head = f'# Written when a version is closed: make close.\nschema: 1\nversion: "{dataset.version}"\nrecords:\n'
    path = dataset.root / "studies" / CLOSED_FILE
    write_atomically(path, head + "".join(lines))
    return path
