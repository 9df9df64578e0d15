"""A published review: what it reported, read where. It is set beside our own analyses and never pooled with trials."""

from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

from pydantic import Field

from ipsevidence.dataset import vocabulary as terms
from ipsevidence.dataset.record import (
    Disagreement,
    Doi,
    Identifier,
    LogEntry,
    Number,
    Pmcid,
    Pmid,
    Quantity,
    Record,
    Source,
    Text,
    Wanted,
)

__all__ = ["PublishedReview", "ReviewEstimate", "ReviewInput", "ReviewStatement"]

if TYPE_CHECKING:
    ReviewKind: TypeAlias = str
    Basis: TypeAlias = str
else:
    ReviewKind = Literal[tuple(terms.REVIEW_KIND)]
    Basis = Literal[tuple(terms.BASIS)]


class ReviewEstimate(Record):
    """A pooled result as printed: overall, of a subgroup, or of another outcome."""

    outcome: Text
    group: Text | None = None
    measure: Text
    estimate: Quantity | None = None
    ci: tuple[Quantity, Quantity] | None = None
    prediction: tuple[Quantity, Quantity] | None = None
    p: Text | None = None
    k: Quantity | None = None
    participants: Quantity | None = None
    i2: Quantity | None = None
    tau2: Quantity | None = None
    q: Quantity | None = None
    from_: Identifier = Field(alias="from")
    basis: Basis
    at: Text | None = None
    note: Text | None = None


class ReviewInput(Record):
    """What the review entered for one study: its id here where there is a record, and its numbers as printed."""

    study: Identifier | None = None
    label: Text
    counts: tuple[Quantity, Quantity, Quantity, Quantity] | None = None
    measure: Text | None = None
    estimate: Quantity | None = None
    ci: tuple[Quantity, Quantity] | None = None
    from_: Identifier = Field(alias="from")
    basis: Basis
    at: Text | None = None
    note: Text | None = None


class ReviewStatement(Record):
    """A finding in words, such as a moderator that made no difference."""

    about: Text
    as_printed: Text
    from_: Identifier = Field(alias="from")
    at: Text | None = None


class PublishedReview(Record):
    """A published meta-analysis, pooled reanalysis or review; one file each in analyses/published/."""

    schema_: Literal[1] = Field(alias="schema")
    id: Identifier
    label: Text
    citation: Text
    year: Annotated[int, Field(ge=1970, le=2100)] | None = None
    doi: Doi | None = None
    pmid: Pmid | None = None
    pmcid: Pmcid | None = None
    kind: ReviewKind
    sources: Annotated[dict[Identifier, Source], Field(min_length=1)]
    populations: tuple[Identifier, ...] = ()
    eligibility: Text | None = None
    comparator: Text | None = None
    search_date: Text | None = None
    studies: Number | None = None
    participants: Number | None = None
    model: Text | None = None
    tau2_estimator: Text | None = None
    certainty: Text | None = None
    estimates: tuple[ReviewEstimate, ...] = ()
    inputs: tuple[ReviewInput, ...] = ()
    included: tuple[Identifier, ...] = ()
    statements: tuple[ReviewStatement, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    problems: tuple[Text, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    notes: Text | None = None
    log: Annotated[tuple[LogEntry, ...], Field(min_length=1)]

    @property
    def input_names(self) -> tuple[str, ...]:
        """The id that each input has in a pool: that of its record, else its place in the list."""
        return tuple(entered.study or f"input-{number}" for number, entered in enumerate(self.inputs, 1))
