"""The dataset as a whole: found, loaded, searched, and stamped with a version and a digest."""

import contextlib
import dataclasses
import difflib
import gc
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from pydantic import Field

from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import Mapping, ReadError, fetch, read
from ipsevidence.dataset.record import Record, Study, Text, Url

__all__ = [
    "DataNotFoundError",
    "Dataset",
    "Entry",
    "NotEntered",
    "Origin",
    "UnknownStudyError",
    "find_data",
    "gather",
    "load",
    "read_entry",
    "study_files",
]

Origin: TypeAlias = Literal["path", "environment", "checkout", "installation"]
"""Where the data were found: a path given, IPSEVIDENCE_DATA, a checkout above the working directory, the package."""

_DATASET_FILE = "_dataset.yaml"


class DataNotFoundError(FileNotFoundError):
    """There is no dataset where one was said to be."""


class UnknownStudyError(LookupError):
    """There is no study of this id; the message names the nearest that there is."""


class NotEntered(Record):
    """A study that belongs and was found after a version was closed: its record comes with the next one."""

    citation: Text
    registration: Text | None = None
    url: Url
    why: Text
    effect: Text

    def __str__(self) -> str:
        registration = f" ({self.registration})" if self.registration else ""
        return f"Known, and not entered yet: {self.citation.removesuffix('.')}{registration}. {self.why} {self.effect}"


class DatasetFile(Record):
    """The dataset's own description, in studies/_dataset.yaml."""

    schema_: Literal[1] = Field(alias="schema")
    version: Text
    title: Text
    released: Text
    license: Text
    scope: Text
    not_entered: tuple[NotEntered, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A study with the file it stands in: the tree of positions and the digest of its bytes."""

    study: Study
    tree: Mapping
    file: str
    digest: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """All records of one place, in the order of their ids.

    Attributes
    ----------
    entries : mapping of str to Entry
        By study id.
    version, title : str
        Of the dataset, not of the package.
    root : Path
        The folder that holds studies/ and analyses/.
    origin : {'path', 'environment', 'checkout', 'installation'}
        How it was found.
    not_entered : tuple of NotEntered
        Studies that belong, are known, and have no record in this version.
    """

    entries: MappingProxyType[str, Entry]
    version: str
    title: str
    root: Path
    origin: Origin
    not_entered: tuple[NotEntered, ...] = ()

    def __iter__(self) -> Iterator[Study]:
        return (entry.study for entry in self.entries.values())

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, study_id: object) -> bool:
        return study_id in self.entries

    def __getitem__(self, study_id: str) -> Study:
        try:
            return self.entries[study_id].study
        except KeyError:
            raise UnknownStudyError(f"study {study_id!r} is not in the dataset{self.suggestion(study_id)}") from None

    def suggestion(self, study_id: str) -> str:
        """Return '; nearest: ...' where an id is close to one that exists, else nothing."""
        near = difflib.get_close_matches(study_id, list(self.entries), n=1, cutoff=0.6)
        return f"; nearest: {near[0]}" if near else ""

    def digest(self, study_ids: Iterable[str] | None = None) -> str:
        """Return the SHA-256 of the records, or of some of them, whatever the order they are named in."""
        chosen = sorted(self.entries if study_ids is None else study_ids)
        lines = "".join(f"{name} {self.entries[name].digest}\n" for name in chosen)
        return hashlib.sha256(lines.encode()).hexdigest()


def find_data(path: str | Path | None = None) -> tuple[Path, Origin]:
    """Find the folder that holds studies/ and analyses/.

    Parameters
    ----------
    path : str or Path, optional
        Where to look; without it the environment variable IPSEVIDENCE_DATA, then a checkout at or above the
        working directory, then the data that came with the package.

    Returns
    -------
    root : Path
    origin : {'path', 'environment', 'checkout', 'installation'}

    Raises
    ------
    DataNotFoundError
        If a place that was named holds no studies/ folder.
    """
    named: tuple[tuple[str | Path | None, Origin, str], ...] = (
        (path, "path", "the path given"),
        (os.environ.get("IPSEVIDENCE_DATA") or None, "environment", "IPSEVIDENCE_DATA"),
    )
    for place, origin, words in named:
        if place is not None:
            root = Path(place)
            if not (root / "studies").is_dir():
                raise DataNotFoundError(f"{words}, {root}, holds no studies/ folder")
            return root, origin
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "studies" / _DATASET_FILE).is_file() and (folder / "analyses").is_dir():
            return folder, "checkout"
    package = Path(__file__).resolve().parents[1]
    for root in (package / "_data", package.parent):
        if (root / "studies" / _DATASET_FILE).is_file():
            return root, "installation"
    raise DataNotFoundError("the package came without its data; name a folder with studies/, or set IPSEVIDENCE_DATA")


def study_files(root: Path) -> list[Path]:
    """Return the record files of a dataset, in the order of their names; files that start with _ are not records."""
    return sorted(file for file in (root / "studies").glob("*.yaml") if not file.name.startswith("_"))


def load(path: str | Path | None = None) -> Dataset:
    """Load the dataset.

    Parameters
    ----------
    path : str or Path, optional
        Folder that holds studies/; see `find_data` for what is tried without it.

    Returns
    -------
    Dataset

    Raises
    ------
    DataNotFoundError
        If there is no dataset at the place named.
    ReadError
        If any record cannot be read; it holds all findings of all files.
    """
    dataset, findings = gather(*find_data(path))
    if findings:
        raise ReadError(findings)
    return dataset


def gather(root: Path, origin: Origin) -> tuple[Dataset, tuple[Finding, ...]]:
    """Read every record that can be read, and return the findings on those that cannot beside them."""
    about, _ = read(fetch(root / "studies" / _DATASET_FILE), DatasetFile, file=f"studies/{_DATASET_FILE}")
    entries: dict[str, Entry] = {}
    findings: list[Finding] = []
    with _collector_paused():
        for file in study_files(root):
            try:
                entries[file.stem] = read_entry(fetch(file), f"studies/{file.name}")
            except ReadError as error:
                findings.extend(error.findings)
    dataset = Dataset(
        entries=MappingProxyType(entries),
        version=about.version,
        title=about.title,
        root=root,
        origin=origin,
        not_entered=about.not_entered,
    )
    return dataset, tuple(findings)


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    # Records make many objects and no cycles: looking for cycles among them takes half of the time of loading.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def read_entry(data: bytes, file: str) -> Entry:
    """Read one record from its bytes; `file` is the name that findings carry, and its stem must be the id."""
    study, tree = read(data, Study, file=file)
    return Entry(study=study, tree=tree, file=file, digest=hashlib.sha256(data).hexdigest())
