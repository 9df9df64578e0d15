"""What a comparison of two versions of the data stands on: each side read, and what every analysis selects on it."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from ipsevidence.analysis.analysis_changes import CANNOT_RUN
from ipsevidence.analysis.claimfiles import Claim, claim_files
from ipsevidence.analysis.field_changes import FieldChange, field_changes
from ipsevidence.analysis.running import varied_spec
from ipsevidence.analysis.selection import Selection, SelectionError, known_size, select
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.specfiles import review_files, spec_files
from ipsevidence.analysis.validation import check_records, validate
from ipsevidence.dataset.checks import check_entry
from ipsevidence.dataset.closing import CLOSED_FILE
from ipsevidence.dataset.collection import DataNotFoundError, Dataset, Entry, gather, read_entry, study_files
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import ReadError, fetch, read
from ipsevidence.dataset.review import PublishedReview
from ipsevidence.dataset.tree import plain

__all__ = ["UNREADABLE", "WORDS", "Footings", "Half", "plain_data", "plain_text"]

WORDS: Final = frozenset(
    {
        "title",
        "reports",
        "sources",
        "facts",
        "disagreements",
        "doubts",
        "wanted",
        "notes",
        "accept",
        "log",
        "former_ids",
        "status_reason",
    }
)
"""Keys of a record on which no pool and no coverage rests; citation and year reach the rows, which are compared."""

UNREADABLE: Final = "its file cannot be read; see the checks"
"""Why an analysis does not run whose spec is broken."""

ModelT = TypeVar("ModelT", bound=BaseModel)


class Half:
    """One side: its records, and its other files read when they are asked for."""

    def __init__(self, place: Path, name: str) -> None:
        self.name = name
        self.place = place
        self.is_dataset = (place / "studies").is_dir()
        self.dataset, self.unread = _records(place)

    @cached_property
    def files(self) -> dict[str, bytes]:
        """The bytes of every file that is compared, by its path below the place."""
        if not self.is_dataset:
            return {path.name: fetch(path) for path in _record_files(self.place)}
        others = (*self.spec_paths.values(), *self.paths("review").values(), *self.paths("claim").values())
        beside = (self.place / "studies" / name for name in ("_dataset.yaml", CLOSED_FILE))
        paths = (*study_files(self.place), *others, *(path for path in beside if path.is_file()))
        return {path.relative_to(self.place).as_posix(): fetch(path) for path in paths}

    @cached_property
    def spec_paths(self) -> dict[str, Path]:
        """The spec files by id, readable or not."""
        return spec_files(self.place)

    def paths(self, what: str) -> dict[str, Path]:
        """Return the files of the reviews or of the claims by id, readable or not."""
        return review_files(self.place) if what == "review" else claim_files(self.place)

    def documents(self, what: str) -> Mapping[str, PublishedReview | Claim]:
        """Return the reviews or the claims that can be read, by id."""
        return self.reviews if what == "review" else self.claims

    @cached_property
    def specs(self) -> dict[str, Spec]:
        """The specs that can be read, by id."""
        return _readable(self.spec_paths, Spec)

    @cached_property
    def reviews(self) -> dict[str, PublishedReview]:
        """The published reviews that can be read, by id."""
        return _readable(self.paths("review"), PublishedReview)

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """The claims that can be read, by id."""
        return _readable(self.paths("claim"), Claim)

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What all checks find."""
        if not self.is_dataset:
            return tuple(finding for entry in self.dataset.entries.values() for finding in check_entry(entry))
        try:
            return validate(None, self.place).findings
        except (ReadError, FileNotFoundError):  # the file that describes the dataset is missing or broken
            return check_records(self.dataset)


class Footings:
    """What each analysis stands on, on either side: the studies it selects, with their rows and reasons."""

    def __init__(self, old: Half, new: Half) -> None:
        self.old = old
        self.new = new
        self.changed = _changed_records(old, new)
        self.weighty = {name for name, fields in self.changed.items() if any(_carries_numbers(one) for one in fields)}
        self._selected: dict[tuple[str, Spec], Selection | None] = {}
        self._failed: dict[tuple[str, Spec], str] = {}
        self._written: dict[tuple[str, Spec], tuple[str, str]] = {}
        self._movable: dict[tuple[Spec | None, Spec | None], bool] = {}

    def selection(self, half: Half, spec: Spec) -> Selection | None:
        """Return what a spec selects; None where it cannot, or pools what a review entered."""
        key = ("old" if half is self.old else "new", spec)
        if key not in self._selected:
            try:
                self._selected[key] = None if spec.studies.inputs_of else select(spec, half.dataset)
            except CANNOT_RUN as error:
                self._selected[key] = None
                self._failed[key] = " ".join(str(error).split())
        return self._selected[key]

    def failure(self, half: Half, name: str) -> str:
        """Say why an analysis cannot even begin to run on one side; nothing where it can, or is not there."""
        spec = half.specs.get(name)
        if spec is None:
            return UNREADABLE if name in half.spec_paths else ""
        self.selection(half, spec)
        if spec.studies.inputs_of is not None and spec.studies.inputs_of not in half.reviews:
            return f"the review {spec.studies.inputs_of} cannot be read; see the checks"
        return self._failed.get(("old" if half is self.old else "new", spec), "")

    def can_move(self, before: Spec | None, after: Spec | None) -> bool:
        """Tell whether the change can have moved an analysis: then it is run."""
        pair = (before, after)
        if pair not in self._movable:
            self._movable[pair] = self._can_move(before, after)
        return self._movable[pair]

    def _can_move(self, before: Spec | None, after: Spec | None) -> bool:
        if before is None or after is None or plain_text(before) != plain_text(after):
            return True
        review = after.studies.inputs_of
        if review is not None and self.old.reviews.get(review) != self.new.reviews.get(review):
            return True
        return self._footing(self.old, before) != self._footing(self.new, after)

    def uses(self, before: Spec | None, after: Spec | None) -> bool:
        """Tell whether an analysis has to do with a record of which more than words changed."""
        pairs = ((self.old, before), (self.new, after))
        return any(spec is not None and self._studies(half, spec) & self.weighty for half, spec in pairs)

    def _studies(self, half: Half, spec: Spec) -> set[str]:
        found = self.selection(half, spec)
        return {one.id for one in found.decisions if one.eligible} if found is not None else set()

    def same_rows(self, before: Spec, after: Spec) -> bool:
        """Tell whether both sides pool the same rows by the same spec, in the main analysis and every variation."""
        if before.studies.inputs_of is not None or plain_text(before) != plain_text(after):
            return False
        return self._footing(self.old, before)[0] == self._footing(self.new, after)[0]

    def _footing(self, half: Half, spec: Spec) -> tuple[str, str]:
        """Write down all that the numbers of an analysis rest on, so that equal footings are equal text.

        First the rows, those of the variations too; then the reasons and known sizes of all studies that answer the
        question.
        """
        key = ("old" if half is self.old else "new", spec)
        if key not in self._written:
            self._written[key] = self._written_down(half, spec)
        return self._written[key]

    def _written_down(self, half: Half, spec: Spec) -> tuple[str, str]:
        found = self.selection(half, spec)
        rows: list[Any] = []
        about: list[Any] = []
        if found is not None:
            eligible = [(one.id, one.reason) for one in found.decisions if one.eligible]
            about = [eligible, [known_size(half.dataset[name]) for name, _ in eligible]]
            rows.append([row.to_dict() for row in found.rows])
        for variation in spec.sensitivity:
            try:
                varied = varied_spec(spec, variation)
                if varied.studies.inputs_of is None:
                    rows.append([row.to_dict() for row in select(varied, half.dataset, variation.choose).rows])
            except SelectionError as error:
                rows.append(str(error))
        return repr(rows), repr(about)


def plain_text(document: BaseModel) -> str:
    """Write down what a document means, so that equal text is equal meaning.

    As text, because 2.1 equals 2.10 as a number and is not the same printed figure.

    Parameters
    ----------
    document : BaseModel

    Returns
    -------
    str
    """
    return repr(plain_data(document))


def _carries_numbers(change: FieldChange) -> bool:
    return change.path.partition(".")[0].partition("[")[0].removesuffix(" (order)") not in WORDS


def _changed_records(old: Half, new: Half) -> dict[str, tuple[FieldChange, ...]]:
    """Compare the records on both sides; those of which only the form changed are left out."""
    found = {}
    for name, after in new.dataset.entries.items():
        before = old.dataset.entries.get(name)
        if before is None or before.digest == after.digest or plain_text(before.study) == plain_text(after.study):
            continue
        # The tree and not the model: the model repeats source and basis of a reading at each of its numbers.
        found[name] = field_changes(plain(before.tree), plain(after.tree))
    return found


def _record_files(place: Path) -> list[Path]:
    if place.is_file():
        return [place]
    return sorted(file for file in place.glob("*.yaml") if not file.name.startswith("_"))


def _records(place: Path) -> tuple[Dataset, tuple[Finding, ...]]:
    """Read the records of a place, and the findings on those that cannot be read."""
    findings: list[Finding] = []
    if (place / "studies").is_dir():
        try:
            return gather(place, "path")
        except ReadError as error:  # the description of the dataset, whose absence or fault is no reason to stop
            findings.extend(error.findings)
        except FileNotFoundError:
            pass
        files = [(file, f"studies/{file.name}") for file in study_files(place)]
    else:
        files = [(file, file.name) for file in _record_files(place)]
        if not files:
            raise DataNotFoundError(f"{place} is no folder with studies/, no folder of records, and no record")
    entries: dict[str, Entry] = {}
    for file, name in files:
        try:
            entry = read_entry(fetch(file), name)
        except ReadError as error:
            findings.extend(error.findings)
            continue
        entries[entry.study.id if place.is_file() else file.stem] = entry
    records = Dataset(entries=MappingProxyType(entries), version="", title="", root=place, origin="path")
    return records, tuple(findings)


def _readable(paths: Mapping[str, Path], model: type[ModelT]) -> dict[str, ModelT]:
    """Read the files that can be read; what is wrong with the others the checks say."""
    found: dict[str, ModelT] = {}
    for name, path in paths.items():
        try:
            found[name] = read(fetch(path), model, file=path.name)[0]
        except ReadError:
            continue
    return found


def plain_data(document: BaseModel) -> dict[str, Any]:
    """Return a document as plain data under the keys of its file, without what it does not state.

    Parameters
    ----------
    document : BaseModel

    Returns
    -------
    dict
    """
    return document.model_dump(mode="python", by_alias=True, exclude_none=True)
