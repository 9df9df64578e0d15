"""Validate and format records, specs, reviews and claims: what `validate` and `fmt` do, without printing."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel

from ipsevidence.analysis.claimfiles import Claim, claim_files, unresolved_names
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.specfiles import spec_files
from ipsevidence.dataset.checks import check_dataset, check_entry
from ipsevidence.dataset.collection import Dataset, find_data, gather, read_entry, study_files
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import Mapping, ReadError, fetch, parse, position, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.review import PublishedReview
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.dataset.writer import canonical

__all__ = ["Validation", "canonical_form", "validate"]

Place: TypeAlias = tuple[str | int, ...]

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
        findings = [*unread, *check_dataset(dataset)]
        others = _other_files(root)
        findings.extend(f for path in others for f in _findings(path, path.relative_to(root).as_posix(), dataset))
        count = len(study_files(root)) + len(others)
    else:
        paths = list(_named(files))
        findings = [finding for path in paths for finding in _findings(path, str(path))]
        count = len(paths)
    ordered = sorted(findings, key=lambda finding: (finding.file, finding.line, finding.column))
    return Validation(files=count, findings=tuple(ordered))


def canonical_form(files: Sequence[Path] | None = None, data: Path | None = None, *, write: bool) -> tuple[Path, ...]:
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
    tuple of Path

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
            changed[path] = form
    if findings:
        raise ReadError(tuple(findings))
    if write:
        for path, form in changed.items():
            write_atomically(path, form)
    return tuple(changed)


def _findings(path: Path, name: str, dataset: Dataset | None = None) -> tuple[Finding, ...]:
    content = fetch(path)
    model = _model(content, path)
    try:
        if model is Study:
            return check_entry(read_entry(content, name))
        document, tree = read(content, model, file=name)
    except ReadError as error:
        return error.findings
    problems = list(_wrong_names(document, path.stem, dataset))
    marks = [position(tree, at) for at, _, _ in problems]
    return tuple(
        Finding(name, mark.line, mark.column, "error", "name-does-not-resolve", what, fix)
        for mark, (_, what, fix) in zip(marks, problems, strict=True)
    )


def _wrong_names(document: BaseModel, stem: str, dataset: Dataset | None) -> Iterator[tuple[Place, str, str]]:
    """Yield the names in a file that do not resolve: its own id, and the studies or analyses that it names."""
    named: list[tuple[Place, str]] = []
    if isinstance(document, PublishedReview):
        named += [(("included", i), study) for i, study in enumerate(document.included)]
        named += [(("inputs", i, "study"), row.study) for i, row in enumerate(document.inputs) if row.study]
    if isinstance(document, Spec):
        named += [(("studies", "list", i, "id"), row.id) for i, row in enumerate(document.studies.by_name)]
    own = getattr(document, "id", stem)
    if own != stem:
        yield ("id",), f"the id is {own}, the file is {stem}.yaml", "give the file the name of the id"
    if isinstance(document, Claim) and dataset is not None:
        yield from unresolved_names(document, dataset.root)
    for place, study in named:
        if dataset is not None and study not in dataset:
            yield place, f"there is no record {study}{dataset.suggestion(study)}", "correct the id, or leave it out"


def _model(content: bytes, path: Path) -> type[BaseModel]:
    """Return what a file must be, by its keys; by its folder where they do not tell or cannot be read."""
    try:
        tree = parse(content, file=str(path))
    except ReadError:
        return _model_by_folder(path)
    return _model_by_keys(tree) or _model_by_folder(path)


def _model_by_keys(tree: Mapping) -> type[BaseModel] | None:
    keys = {key.text for key, _ in tree.pairs}
    if keys >= _OF_A_CLAIM:
        return Claim
    if keys & _OF_A_SPEC:
        return Spec
    if keys >= _OF_A_REVIEW and "arms" not in keys:
        return PublishedReview
    return Study if keys & _OF_A_RECORD else None


def _model_by_folder(path: Path) -> type[BaseModel]:
    folder = path.resolve().parent
    below: dict[str, type[BaseModel]] = {"published": PublishedReview, "claims": Claim}
    if folder.name in below and folder.parent.name == "analyses":
        return below[folder.name]
    return Spec if folder.name == "analyses" else Study


def _other_files(root: Path) -> list[Path]:
    published = sorted((root / "analyses" / "published").glob("[!_]*.yaml"))
    return [*spec_files(root).values(), *published, *claim_files(root).values()]


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
