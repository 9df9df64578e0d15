"""Names in analyses, reviews and claims: those of records, reviews and analyses that are not there."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from pydantic import BaseModel

from ipsevidence.analysis.claimfiles import Claim, unresolved_names
from ipsevidence.analysis.shipped import nearest
from ipsevidence.analysis.spec import Spec, StudyList
from ipsevidence.analysis.specfiles import find_review, review_files
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.findings import ReadError
from ipsevidence.dataset.review import PublishedReview

__all__ = ["Place", "Problem", "wrong_names"]

Place: TypeAlias = tuple[str | int, ...]
Problem: TypeAlias = tuple[Place, str, str]
"""Where in a file, what is wrong, and how to mend it."""


def wrong_names(document: BaseModel, dataset: Dataset) -> Iterator[Problem]:
    """Yield the names in a file that do not resolve.

    Parameters
    ----------
    document : Spec, PublishedReview or Claim
        Every field that names a record, a review or an analysis is looked at; anything else names nothing.
    dataset : Dataset
        The records, and the folder that holds analyses/.

    Yields
    ------
    place : tuple of str or int
        Where in the file.
    what, fix : str
        What is wrong, with the nearest name that there is, and what to do.
    """
    named: Iterable[tuple[Place, str]] = ()
    entered: frozenset[str] = frozenset()
    if isinstance(document, PublishedReview):
        named = _studies_of_a_review(document)
    elif isinstance(document, Spec):
        yield from _unknown_reviews(document, dataset.root)
        named, entered = _studies_of_a_spec(document), _entered(document, dataset.root)
    elif isinstance(document, Claim):
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
