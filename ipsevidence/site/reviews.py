"""Published reviews: those run again with their verdicts, and those that cannot be checked, with what is wanted."""

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING

from ipsevidence.analysis.scoreboard import Score, scoreboard
from ipsevidence.analysis.specfiles import find_review, review_files
from ipsevidence.dataset.vocabulary import REVIEW_KIND
from ipsevidence.site.schema_org import web_address
from ipsevidence.site.shell import page
from ipsevidence.site.studies import numeral, value_of

if TYPE_CHECKING:
    from ipsevidence.dataset.review import PublishedReview
    from ipsevidence.site.material import Material

__all__ = ["files"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Review:
    """A review with its places on the board: one for each analysis that runs it again."""

    record: "PublishedReview"
    kind: str
    scores: tuple[Score, ...]

    @property
    def checked(self) -> bool:
        """Whether it was run again."""
        return any(score.spec for score in self.scores)


def files(material: "Material") -> dict[str, bytes]:
    """Make the page of reviews."""
    board = scoreboard(material.dataset, material.reproductions.values())
    reviews = []
    for name in review_files(material.dataset.root):
        record = find_review(name, material.dataset.root)
        scores = tuple(score for score in board if score.review == record.id)
        reviews.append(_Review(record=record, kind=REVIEW_KIND[record.kind].label, scores=scores))
    done = {one.run.spec.id: one for one in material.reproductions.values()}
    text = page(
        "reviews.html.j2",
        path="reviews.html",
        title="Published reviews",
        description="Meta-analyses of IPS run again from the records: every published figure beside the computed one.",
        here="reviews",
        checked=[one for one in reviews if one.checked],
        open=[one for one in reviews if not one.checked],
        verdicts=lambda spec: done[spec].verdicts,
        counts=lambda spec: Counter(verdict.verdict for verdict in done[spec].verdicts).most_common(),
        numeral=numeral,
        value=value_of,
        web=web_address,
    )
    return {"reviews.html": text.encode()}
