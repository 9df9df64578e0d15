"""Build the site: every maker of pages gives files, and a folder gets them, each whole or not at all."""

import contextlib
import importlib.resources
import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, TypeAlias

from ipsevidence.core import InputError
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.explorer import static as explorer
from ipsevidence.site import (
    analyses,
    claims,
    contribute,
    data,
    documents,
    evidence_map,
    home,
    reviews,
    services,
    studies,
    wanted,
)
from ipsevidence.site.material import Material
from ipsevidence.site.shell import ASSETS, page

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset

__all__ = ["MAKERS", "MANIFEST", "Maker", "build", "files_of"]

MANIFEST: Final = "site.json"
"""List of the files of a site, in its folder: what a later build may remove."""

Maker: TypeAlias = Callable[[Material], Mapping[str, bytes]]
"""Gives the files of one kind of page by their paths on the site."""

MAKERS: Final[tuple[Maker, ...]] = (
    home.files,
    studies.files,
    evidence_map.files,
    analyses.files,
    lambda material: explorer.files(material.dataset),
    claims.files,
    reviews.files,
    services.files,
    wanted.files,
    data.files,
    documents.files,
    contribute.files,
)
"""The makers of pages, in the order of the navigation."""


def build(dataset: "Dataset", folder: Path, *, address: str = "", workers: int = 1) -> tuple[str, ...]:
    """Write the site into a folder.

    Parameters
    ----------
    dataset : Dataset
        The records; its folder holds the analyses.
    folder : Path
        Where the site goes; made if it is not there. Each file is replaced whole or not at all, and the list of files
        is written before the first and after the last of them. Files of an earlier build that this one has not are
        removed, and no others.
    address : str
        Where the site will stand, such as ``https://example.org/ips/``; used only in descriptions for machines and on
        the page for what is not found.
    workers : int
        Processes that draw figures; the files are the same whatever their number.

    Returns
    -------
    tuple of str
        Paths of the files, in order.

    Raises
    ------
    InputError
        If the address is not one of the web, or there are no workers.
    OSError
        If a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)  # first, so that a folder that cannot be is said at once
    files = files_of(dataset, address=address, workers=workers)
    earlier = _listed(folder)
    # Until the last file is written the list holds those of both builds, so that none is ever orphaned.
    _list(folder, earlier | files.keys())
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_bytes() != content:
            write_atomically(target, content)
    for path in sorted(earlier - files.keys(), reverse=True):
        _remove(folder, path)
    _list(folder, set(files))
    return tuple(files)


def files_of(dataset: "Dataset", *, address: str = "", workers: int = 1) -> dict[str, bytes]:
    """Return all files of the site by their paths; see `build`."""
    if address and not (address.startswith(("https://", "http://")) and address.endswith("/")):
        raise InputError(f"address must begin with https:// and end with a slash; got {address!r}", parameter="address")
    if workers < 1:
        raise InputError(f"workers must be 1 or more; got {workers}", parameter="workers")
    material = Material(dataset=dataset, address=address, workers=workers)
    files: dict[str, bytes] = {}
    for make in (_assets, *MAKERS, _not_found):
        for path, content in make(material).items():
            if path in files or path == MANIFEST or not _is_inside(path):
                raise ValueError(f"files of the site must have paths of their own inside it; got {path!r}")
            files[path] = content
    return dict(sorted(files.items()))


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and path == "/".join(parts) and not path.startswith("/") and ".." not in parts


def _assets(_: Material) -> dict[str, bytes]:
    folder = importlib.resources.files("ipsevidence.site") / ASSETS
    return {f"{ASSETS}/{one.name}": one.read_bytes() for one in folder.iterdir() if one.is_file()}


def _not_found(material: Material) -> dict[str, bytes]:
    # Servers show it at any address, so its links cannot be relative.
    text = page(
        "not_found.html.j2",
        path="404.html",
        title="Not found",
        description="There is no page at this address.",
        here="",
        root=material.address or "/",
    )
    return {"404.html": text.encode()}


def _listed(folder: Path) -> set[str]:
    """Return the files of the build that is in the folder; what is not our list counts as none."""
    try:
        listed = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {path for path in listed["files"] if isinstance(path, str) and _is_inside(path)}
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return set()


def _list(folder: Path, paths: "set[str]") -> None:
    write_atomically(folder / MANIFEST, json.dumps({"files": sorted(paths)}, indent=0, ensure_ascii=False) + "\n")


def _remove(folder: Path, path: str) -> None:
    """Remove a file of an earlier build, and the folders that it leaves empty; nothing outside is reached by a link."""
    target = folder / path
    if not target.parent.resolve().is_relative_to(folder.resolve()):
        return
    target.unlink(missing_ok=True)
    for parent in PurePosixPath(path).parents:
        if str(parent) == ".":
            break
        with contextlib.suppress(OSError):
            (folder / parent).rmdir()
