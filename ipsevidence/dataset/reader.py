"""Strict YAML: bytes from anybody to a record, or to all that is wrong with them, each with its line and column.

YAML is not strict: an unquoted ``NO`` is false, a repeated key replaces the first, ``12:30`` is 750. Here each of
them is an error. What is read passes :mod:`~ipsevidence.dataset.decoding`, :mod:`~ipsevidence.dataset.building` and the
model of a record, in this order.
"""

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from ipsevidence.dataset.building import DEPTH, NODES, Builder
from ipsevidence.dataset.decoding import SIZE, decoded
from ipsevidence.dataset.findings import Finding, ReadError
from ipsevidence.dataset.reading_checks import CHECKS, Notes, Rule, StopReadingError
from ipsevidence.dataset.refusals import Complaint, complaints, confusions
from ipsevidence.dataset.tree import Mapping, Mark, Node, Scalar, Sequence, plain, position

__all__ = [
    "CHECKS",
    "DEPTH",
    "NODES",
    "SIZE",
    "Finding",
    "Mapping",
    "Mark",
    "Node",
    "ReadError",
    "Rule",
    "Scalar",
    "Sequence",
    "fetch",
    "parse",
    "plain",
    "position",
    "read",
]

M = TypeVar("M", bound=BaseModel)


def fetch(path: Path) -> bytes:
    """Read a file's bytes, but never more than one above the size that :func:`parse` accepts.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    bytes
        Its content; one byte more than :data:`SIZE` where the file is larger, which `parse` then refuses.
    """
    with path.open("rb") as stream:
        return stream.read(SIZE + 1)


def parse(data: bytes, *, file: str) -> Mapping:
    """Parse strict YAML to a tree with positions.

    Parameters
    ----------
    data : bytes
        The content of the file.
    file : str
        The name that findings give.

    Returns
    -------
    Mapping
        The keys and values of the file.

    Raises
    ------
    ReadError
        With everything that is wrong, in the order of the file.
    """
    notes = Notes(file)
    tree = _tree(data, notes)
    if tree is None or notes.findings:
        raise ReadError(notes.sorted())
    return tree


def read(data: bytes, model: type[M], *, file: str) -> tuple[M, Mapping]:
    """Read a file into a pydantic model.

    Parameters
    ----------
    data : bytes
        The content of the file.
    model : type of BaseModel
        What the file must be. Lists are given to it as tuples.
    file : str
        The name that findings give.

    Returns
    -------
    record : BaseModel
        The validated record.
    tree : Mapping
        The tree it came from, for positions and for the canonical form.

    Raises
    ------
    ReadError
        With everything that is wrong, in the order of the file: what the parser found, and what the model did.
    """
    notes = Notes(file)
    tree = _tree(data, notes)
    if tree is None:
        raise ReadError(notes.sorted())
    record = None
    try:
        record = model.model_validate(plain(tree, sequence=tuple))
    except ValidationError as error:
        _add_complaints(complaints(error, model, tree), notes)
    _add_complaints(confusions(tree, (model,)), notes)
    if record is None or notes.findings:
        raise ReadError(notes.sorted())
    return record, tree


def _add_complaints(found: list[Complaint], notes: Notes) -> None:
    # What the parser said about a place goes first: that its text is then not a number follows from it.
    told = {(finding.line, finding.column) for finding in notes.findings}
    try:
        for complaint in found:
            if complaint.mark not in told:
                check = complaint.check if complaint.check in CHECKS else "invalid-value"
                notes.add(complaint.mark, check, complaint.what, complaint.fix)
    except StopReadingError:
        return


def _tree(data: bytes, notes: Notes) -> Mapping | None:
    try:
        return Builder(decoded(data, notes), notes).build()
    except StopReadingError:
        return None
