"""Find and read spec files: SPEC is an id or a path everywhere."""

import difflib
from pathlib import Path

from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.reader import fetch, read
from ipsevidence.dataset.review import PublishedReview

__all__ = ["SpecNotFoundError", "find_review", "find_spec", "review_files", "spec_files"]


class SpecNotFoundError(FileNotFoundError):
    """There is no spec of this id or path; the message names what there is."""


def spec_files(root: Path) -> dict[str, Path]:
    """Return the specs that ship with the data, by id; files that start with _ are not specs."""
    files = sorted((root / "analyses").glob("*.yaml"))
    return {file.stem: file for file in files if not file.name.startswith("_")}


def find_spec(spec: str | Path, root: Path) -> Spec:
    """Read a spec by its id, or by its path.

    Parameters
    ----------
    spec : str or Path
        An id from analyses/, or the path of a YAML file.
    root : Path
        The folder that holds analyses/.

    Returns
    -------
    Spec

    Raises
    ------
    SpecNotFoundError
        If there is no such spec.
    ReadError
        If the file cannot be read as a spec.
    """
    shipped = spec_files(root)
    if isinstance(spec, str) and spec in shipped:
        path, shown = shipped[spec], f"analyses/{spec}.yaml"
    else:
        path, shown = Path(spec), str(spec)
    if not path.is_file():
        near = difflib.get_close_matches(str(spec), list(shipped), n=1, cutoff=0.4)
        hint = f"; nearest: {near[0]}" if near else ""
        raise SpecNotFoundError(f"no analysis {str(spec)!r}: neither an id in analyses/ nor a file{hint}")
    return read(fetch(path), Spec, file=shown)[0]


def review_files(root: Path) -> dict[str, Path]:
    """Return the published reviews that ship with the data, by id."""
    return {file.stem: file for file in sorted((root / "analyses" / "published").glob("*.yaml"))}


def find_review(review: str, root: Path) -> PublishedReview:
    """Read a published review by its id.

    Parameters
    ----------
    review : str
        An id from analyses/published/.
    root : Path
        The folder that holds analyses/.

    Returns
    -------
    PublishedReview

    Raises
    ------
    SpecNotFoundError
        If there is no such review.
    ReadError
        If the file cannot be read as one.
    """
    known = review_files(root)
    if review not in known:
        near = difflib.get_close_matches(review, list(known), n=1, cutoff=0.4)
        hint = f"; nearest: {near[0]}" if near else ""
        raise SpecNotFoundError(f"no published review {review!r} in analyses/published/{hint}")
    return read(fetch(known[review]), PublishedReview, file=f"analyses/published/{review}.yaml")[0]
