"""Validate and format records, specs, reviews and claims: what `validate` and `fmt` do, without printing."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel

from ipsevidence.analysis.claimfiles import Claim, claim_files, unresolved_names
from ipsevidence.analysis.shipped import nearest
from ipsevidence.analysis.spec import Spec, StudyList
from ipsevidence.analysis.specfiles import find_review, review_files, spec_files
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
Problem: TypeAlias = tuple[Place, str, str]
"""Where in a file, what is wrong, and how to mend it."""

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


def _wrong_names(document: BaseModel, stem: str, dataset: Dataset | None) -> Iterator[Problem]:
    """Yield the names in a file that do not resolve: its own id, and the studies, reviews or analyses that it names."""
    own = getattr(document, "id", stem)
    if own != stem:
        yield ("id",), f"the id is {own}, the file is {stem}.yaml", "give the file the name of the id"
    if dataset is None:
        return
    named: Iterable[tuple[Place, str]] = ()
    entered: frozenset[str] = frozenset()
    if isinstance(document, PublishedReview):
        named = _studies_of_a_review(document)
    if isinstance(document, Spec):
        yield from _unknown_reviews(document, dataset.root)
        named, entered = _studies_of_a_spec(document), _entered(document, dataset.root)
    if isinstance(document, Claim):
        yield from unresolved_names(document, dataset.root)
        named = _studies_of_a_claim(document)
    for place, study in named:
        if study not in dataset and study not in entered:
            yield place, f"there is no record {study}{dataset.suggestion(study)}", "correct the id, or leave it out"


def _studies_of_a_review(review: PublishedReview) -> Iterator[tuple[Place, str]]:
    yield from ((("included", i), study) for i, study in enumerate(review.included))
    yield from ((("inputs", i, "study"), row.study) for i, row in enumerate(review.inputs) if row.study)


def _studies_of_a_list(studies: StudyList, at: Place) -> Iterator[tuple[Place, str]]:
    yield from (((*at, "list", i, "id"), choice.id) for i, choice in enumerate(studies.by_name))
    yield from (((*at, "without", i, "id"), left.id) for i, left in enumerate(studies.without))


def _studies_of_a_spec(spec: Spec) -> Iterator[tuple[Place, str]]:
    yield from _studies_of_a_list(spec.studies, ("studies",))
    for index, variation in enumerate(spec.sensitivity):
        at: Place = ("sensitivity", index)
        for part in ("drop", "readmit"):
            yield from (((*at, part, i), study) for i, study in enumerate(getattr(variation, part)))
        for part in ("instead", "choose"):
            yield from (((*at, part, i, "id"), choice.id) for i, choice in enumerate(getattr(variation, part)))
    yield from ((("published", i, "study"), target.study) for i, target in enumerate(spec.published) if target.study)


def _studies_of_a_claim(claim: Claim) -> Iterator[tuple[Place, str]]:
    for index, ground in enumerate(claim.decided_on):
        if ground.here is not None:
            yield from _studies_of_a_list(ground.here.studies, ("decided_on", index, "here", "studies"))


def _unknown_reviews(spec: Spec, root: Path) -> Iterator[Problem]:
    known = review_files(root)
    named: tuple[tuple[Place, str | None], ...] = (
        (("review",), spec.review),
        (("studies", "inputs_of"), spec.studies.inputs_of),
    )
    for place, review in named:
        if review is not None and review not in known:
            yield place, f"there is no review {review}{nearest(review, known)}", "correct the id"


def _entered(spec: Spec, root: Path) -> frozenset[str]:
    """Return the names that the rows of a review have in its pool, beside those of records."""
    review = spec.studies.inputs_of
    if review is None or review not in review_files(root):
        return frozenset()
    try:
        found = find_review(review, root)
    except ReadError:
        return frozenset()  # what is wrong with the review is said of its own file
    return frozenset(found.input_names)


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
    return [file for files in (spec_files, review_files, claim_files) for file in files(root).values()]


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
