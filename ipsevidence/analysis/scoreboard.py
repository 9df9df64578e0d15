"""Every published review and what became of it: run again with verdicts, or not, and what would unlock it."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from ipsevidence.analysis.reproduction import Reproduction, Verdict
from ipsevidence.analysis.specfiles import find_review, review_files
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.review import PublishedReview, ReviewEstimate

__all__ = ["Score", "scoreboard"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One review on the board.

    Attributes
    ----------
    review, label, reference : str
        Id and label in analyses/published/, and its DOI or citation.
    spec : str
        Id of the analysis that runs it again; empty where there is none.
    published : str
        Its main result as printed; empty where it has none.
    computed : str
        What comes out; empty without an analysis.
    verdict : str
        How the main result agrees; ``cannot-be-checked`` without an analysis.
    counts : str
        All verdicts of the analysis, counted.
    missing : str
        The first number that would unlock a check, and where it should be printed; empty where there is an analysis.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "review",
        "analysis",
        "published",
        "computed",
        "verdict",
        "all_verdicts",
        "missing",
    )
    review: str
    label: str
    reference: str
    spec: str
    published: str
    computed: str
    verdict: str
    counts: str
    missing: str

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this review."""
        head = (self.label, self.spec, self.published, self.computed, self.verdict)
        return [(*head, self.counts, self.missing)]

    def to_dict(self) -> dict[str, Any]:
        """Return the score as plain data."""
        return dataclasses.asdict(self)


def scoreboard(dataset: Dataset, done: Iterable[Reproduction]) -> tuple[Score, ...]:
    """Set what was run again beside all published reviews.

    Parameters
    ----------
    dataset : Dataset
        The records; reviews are read from its root.
    done : iterable of Reproduction
        Runs of specs that name the review they reproduce.

    Returns
    -------
    tuple of Score
        Reviews that were run again first, each part by label.
    """
    runs: dict[str, list[Reproduction]] = {}
    for one in done:
        if one.run.spec.review is not None:
            runs.setdefault(one.run.spec.review, []).append(one)
    scores: list[Score] = []
    for name in review_files(dataset.root):
        review = find_review(name, dataset.root)
        scores.extend(_checked(review, run) for run in runs.get(name, []))
        if name not in runs:
            scores.append(_unchecked(review))
    return tuple(sorted(scores, key=lambda score: (score.spec == "", score.label, score.spec)))


def _checked(review: PublishedReview, reproduction: Reproduction) -> Score:
    verdicts = reproduction.verdicts
    main = [v for v in verdicts if v.target.quantity in ("estimate", "ci-low", "ci-high") and not v.target.variation]
    published, computed = (_one_effect(main, what) for what in ("published", "shown"))
    first = next((v for v in main if v.target.quantity == "estimate"), None) or next(iter(verdicts), None)
    count = Counter(v.verdict for v in verdicts)
    return Score(
        review=review.id,
        label=review.label,
        reference=_reference(review),
        spec=reproduction.run.spec.id,
        published=published or (first.published if first else ""),
        computed=computed or (first.shown if first else ""),
        verdict=first.verdict if first else "cannot-be-checked",
        counts=", ".join(f"{number} {verdict}" for verdict, number in count.most_common()),
        missing="",
    )


def _one_effect(verdicts: Sequence[Verdict], what: str) -> str:
    """Write estimate and bounds in one: the first of each that the spec names."""
    found: dict[str, str] = {}
    for verdict in verdicts:
        found.setdefault(verdict.target.quantity, getattr(verdict, what))
    if "estimate" not in found:
        return ""
    bounds = (found.get("ci-low"), found.get("ci-high"))
    return f"{found['estimate']} ({bounds[0]} to {bounds[1]})" if all(bounds) else found["estimate"]


def _unchecked(review: PublishedReview) -> Score:
    wanted = next(iter(review.wanted), None)
    if not review.estimates:
        missing = "nothing was pooled, or nothing of it was read"
    elif wanted is None:
        missing = "its inputs were not read"
    else:
        missing = f"{wanted.what} ({wanted.where})"
    return Score(
        review=review.id,
        label=review.label,
        reference=_reference(review),
        spec="",
        published=next((_printed(e) for e in review.estimates if e.estimate is not None), ""),
        computed="",
        verdict="cannot-be-checked",
        counts="",
        missing=missing,
    )


def _printed(estimate: ReviewEstimate) -> str:
    bounds = f" ({estimate.ci[0]} to {estimate.ci[1]})" if estimate.ci else ""
    group = f", {estimate.group}" if estimate.group else ""
    return f"{estimate.measure} {estimate.estimate}{bounds}: {estimate.outcome}{group}"


def _reference(review: PublishedReview) -> str:
    return f"https://doi.org/{review.doi}" if review.doi else review.citation
