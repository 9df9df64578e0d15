"""Find and read spec files: SPEC is an id or a path everywhere."""

from pathlib import Path

from ipsevidence.analysis.shipped import nearest, read_by_name, yaml_files
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.reader import fetch, read
from ipsevidence.dataset.review import PublishedReview

__all__ = ["SpecNotFoundError", "find_review", "find_spec", "review_files", "spec_files"]


class SpecNotFoundError(FileNotFoundError):
    """There is no spec of this id or path; the message names what there is."""


def spec_files(root: Path) -> dict[str, Path]:
    """Return the specs that ship with the data, by id; files that start with _ are not specs."""
    return yaml_files(root / "analyses")


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
    return read_by_name(spec, spec_files(root), Spec, what="analysis", folder="analyses/", missing=SpecNotFoundError)


def review_files(root: Path) -> dict[str, Path]:
    """Return the published reviews that ship with the data, by id."""
    return yaml_files(root / "analyses" / "published")


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
        raise SpecNotFoundError(f"no published review {review!r} in analyses/published/{nearest(review, known)}")
    return read(fetch(known[review]), PublishedReview, file=f"analyses/published/{review}.yaml")[0]
