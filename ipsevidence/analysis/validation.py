"""Validate and format records, specs, reviews and claims: what `validate` and `fmt` do, without printing."""

import dataclasses
import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel

from ipsevidence.analysis.shipped import yaml_files
from ipsevidence.dataset.checks import check_dataset, check_entry
from ipsevidence.dataset.closing import closed_version, unlogged
from ipsevidence.dataset.collection import Dataset, find_data, gather, read_entry, study_files
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import Mapping, ReadError, fetch, parse, position, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.writer import canonical

__all__ = ["Validation", "canonical_form", "check_records", "validate"]

Kind: TypeAlias = Literal["record", "spec", "review", "claim"]
"""What a file can be."""

_OF_A_CLAIM = frozenset(("stated_by", "rule"))
_OF_A_SPEC = frozenset(("purpose", "question"))
_OF_A_REVIEW = frozenset(("kind", "citation"))
_OF_A_RECORD = frozenset(("arms", "design", "population", "status", "reports", "outcomes"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """What was found in how many files."""

    files: int
    findings: tuple[Finding, ...]


def validate(files: Sequence[Path] | None = None, data: Path | None = None) -> Validation:
    """Check files.

    Parameters
    ----------
    files : sequence of Path, optional
        Files, or folders of them. What a file is, a record, a spec, a review or a claim, is read off its keys, and
        off its folder where they do not tell. By default everything in the dataset, with the checks that need all
        records together.
    data : Path, optional
        Folder of the dataset; see `ipsevidence.dataset.collection.find_data`.

    Returns
    -------
    Validation
        All findings of all files, in the order of the files and of the lines.

    Raises
    ------
    FileNotFoundError
        If a file that was named does not exist, or a folder that was named holds no YAML file.
    """
    if files is None:
        root, origin = find_data(data)
        dataset, unread = gather(root, origin)
        findings = [*unread, *check_records(dataset)]
        others = _other_files(root)
        findings.extend(f for path in others for f in _findings(path, path.relative_to(root).as_posix(), dataset))
        count = len(study_files(root)) + len(others)
    else:
        paths = list(_named(files))
        findings = [finding for path in paths for finding in _findings(path, str(path))]
        count = len(paths)
    ordered = sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))
    return Validation(files=count, findings=tuple(ordered))


def canonical_form(files: Sequence[Path] | None = None, data: Path | None = None, *, write: bool) -> dict[Path, str]:
    """Return the files that are not in canonical form, after putting them into it where `write` is true.

    Parameters
    ----------
    files : sequence of Path, optional
        Files, or folders of them; by default every record, spec, review and claim of the dataset.
    data : Path, optional
        Folder of the dataset.
    write : bool
        Whether to rewrite the files. Nothing is written unless every file is one of these.

    Returns
    -------
    dict of Path to str
        Each file with the lines that its canonical form changes, as a unified diff.

    Raises
    ------
    ReadError
        If a file is not YAML of the kind that the reader admits, or not such a record, spec, review or claim.
    FileNotFoundError
        If a file that was named does not exist, or a folder that was named holds no YAML file.
    """
    if files is None:
        root, _ = find_data(data)
        paths = [*study_files(root), *_other_files(root)]
    else:
        paths = list(_named(files))
    findings: list[Finding] = []
    changed: dict[Path, str] = {}
    forms: dict[Path, str] = {}
    for path in paths:
        content = fetch(path)
        try:
            model = _model(content, path)
            # Only what is whole is rewritten: another file would lose its order, and its comments their place.
            _, tree = read(content, model, file=str(path))
            form = canonical(tree, model)
        except ReadError as error:
            findings.extend(error.findings)
            continue
        if form.encode() != content:
            forms[path] = form
            before, after = (text.splitlines(keepends=True) for text in (content.decode("utf-8", "replace"), form))
            changed[path] = "".join(difflib.unified_diff(before, after, n=1))
    if findings:
        raise ReadError(tuple(findings))
    if write:
        for path, form in forms.items():
            write_atomically(path, form)
    return changed


def check_records(dataset: Dataset) -> tuple[Finding, ...]:
    """Run all checks on all records, and hold each against what the last version held.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Returns
    -------
    tuple of Finding
    """
    try:
        version = closed_version(dataset.root / "studies")
    except ReadError as error:
        return (*check_dataset(dataset), *error.findings)
    since = (finding for entry in dataset.entries.values() for finding in unlogged(entry, version))
    return (*check_dataset(dataset), *since)


def _findings(path: Path, name: str, dataset: Dataset | None = None) -> tuple[Finding, ...]:
    content = fetch(path)
    model = _model(content, path)
    try:
        if model is Study:
            entry = read_entry(content, name)
            return (*check_entry(entry), *unlogged(entry, closed_version(path.parent)))
        document, tree = read(content, model, file=name)
    except ReadError as error:
        return error.findings
    problems: list[tuple[tuple[str | int, ...], str, str]] = []
    own = getattr(document, "id", path.stem)
    if own != path.stem:
        what = f"the id is {own}, the file is {path.stem}.yaml"
        problems.append((("id",), what, "give the file the name of the id"))
    if dataset is not None:
        from ipsevidence.analysis.naming import wrong_names

        problems += wrong_names(document, dataset)
    marks = [position(tree, at) for at, _, _ in problems]
    return tuple(
        Finding(name, mark.line, mark.column, "error", "name-does-not-resolve", what, fix)
        for mark, (_, what, fix) in zip(marks, problems, strict=True)
    )


def _model(content: bytes, path: Path) -> type[BaseModel]:
    """Return what a file must be, by its keys; by its folder where they do not tell or cannot be read."""
    try:
        tree = parse(content, file=str(path))
    except ReadError:
        return _model_of(_kind_by_folder(path))
    return _model_of(_kind_by_keys(tree) or _kind_by_folder(path))


def _model_of(kind: Kind) -> type[BaseModel]:
    # Analyses and claims know the methods of the engine by name, which takes SciPy; a record alone is checked without.
    if kind == "record":
        return Study
    if kind == "review":
        from ipsevidence.dataset.review import PublishedReview

        return PublishedReview
    if kind == "spec":
        from ipsevidence.analysis.spec import Spec

        return Spec
    from ipsevidence.analysis.claimfiles import Claim

    return Claim


def _kind_by_keys(tree: Mapping) -> Kind | None:
    keys = {key.text for key, _ in tree.pairs}
    if keys >= _OF_A_CLAIM:
        return "claim"
    if keys & _OF_A_SPEC:
        return "spec"
    if keys >= _OF_A_REVIEW and "arms" not in keys:
        return "review"
    return "record" if keys & _OF_A_RECORD else None


def _kind_by_folder(path: Path) -> Kind:
    folder = path.resolve().parent
    below: dict[str, Kind] = {"published": "review", "claims": "claim"}
    if folder.name in below and folder.parent.name == "analyses":
        return below[folder.name]
    return "spec" if folder.name == "analyses" else "record"


def _other_files(root: Path) -> list[Path]:
    folders = (root / "analyses", root / "analyses" / "published", root / "analyses" / "claims")
    return [file for folder in folders for file in yaml_files(folder).values()]


def _named(files: Sequence[Path]) -> Iterator[Path]:
    for path in files:
        if path.is_dir():
            inside = sorted(file for file in path.glob("*.yaml") if not file.name.startswith("_"))
            if not inside:
                hint = f"; for a whole dataset use --data {path}" if (path / "studies").is_dir() else ""
                raise FileNotFoundError(f"no .yaml file in the folder {path}{hint}")
            yield from inside
        elif path.is_file():
            yield path
        else:
            raise FileNotFoundError(f"no such file: {path}")
