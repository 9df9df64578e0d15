"""How certain the evidence of an analysis is: GRADE, judged by named people and written into the spec.

Nothing here judges. The rules hold the rating to the judgements that it is said to follow from (Guyatt 2011, Balshem
2011): evidence from randomised trials starts at high, other evidence at low; each concern lowers it by its levels, and
a reason to rate up raises it only where nothing was a reason to rate down.
"""

from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ipsevidence.dataset import vocabulary as terms
from ipsevidence.dataset.record import Date, Record, Text

__all__ = [
    "DOMAINS",
    "GRADE",
    "LEVELS",
    "RAISES",
    "RATINGS",
    "Certainty",
    "Concern",
    "Domains",
    "Imprecision",
    "Raise",
    "Suspicion",
]

RATINGS: Final = tuple(reversed(terms.CERTAINTY))
"""Ratings from very low to high."""

LEVELS: Final = {
    "not-serious": 0,
    "undetected": 0,
    "serious": 1,
    "strongly-suspected": 1,
    "very-serious": 2,
    "extremely-serious": 3,
}
"""By how many levels a judgement lowers the certainty."""

RAISES: Final = {"large-effect": 1, "very-large-effect": 2, "dose-response": 1, "opposing-confounding": 1}
"""By how many levels a reason to rate up raises the certainty."""

DOMAINS: Final = {
    "risk_of_bias": "risk of bias",
    "inconsistency": "inconsistency",
    "indirectness": "indirectness",
    "imprecision": "imprecision",
    "publication_bias": "publication bias",
}
"""The five reasons to rate down, by the key of the spec, in GRADE's order."""

GRADE: Final = "Guyatt G, Oxman AD, Akl EA, et al. J Clin Epidemiol 2011;64:383-394. doi:10.1016/j.jclinepi.2010.04.026"
"""The first of GRADE's papers on rating evidence; those on its parts are in the vocabulary."""

if TYPE_CHECKING:
    Rating: TypeAlias = str
    ConcernKey: TypeAlias = str
    ImprecisionKey: TypeAlias = str
    SuspicionKey: TypeAlias = str
    RaiseKey: TypeAlias = str
else:
    Rating = Literal[tuple(terms.CERTAINTY)]
    ConcernKey = Literal[tuple(key for key in terms.CONCERN if key != "extremely-serious")]
    ImprecisionKey = Literal[tuple(terms.CONCERN)]
    SuspicionKey = Literal[tuple(terms.SUSPICION)]
    RaiseKey = Literal[tuple(terms.RATED_UP)]


class _Judged(Record):
    """A judgement, with the reason that a lowered rating has to give."""

    judgement: str
    because: Text | None = None

    @property
    def levels(self) -> int:
        """By how many levels it lowers the certainty."""
        return LEVELS[self.judgement]

    @model_validator(mode="after")
    def _says_why(self) -> Self:
        if self.levels and self.because is None:
            raise PydanticCustomError(
                "certainty_reason",
                "`{judgement}` lowers the certainty and does not say why",
                {"judgement": self.judgement, "fix": "add `because: ...`: it becomes the footnote of the rating"},
            )
        return self


class Concern(_Judged):
    """Risk of bias, inconsistency or indirectness: how serious the concern is."""

    judgement: ConcernKey


class Imprecision(_Judged):
    """Imprecision, which alone may be extremely serious (Zeng 2022, guidance 34)."""

    judgement: ImprecisionKey


class Suspicion(_Judged):
    """Publication bias, which is strongly suspected or not (Guyatt 2011, guideline 5)."""

    judgement: SuspicionKey


class Domains(Record):
    """The five reasons to rate down, each judged; none may be left out."""

    risk_of_bias: Concern
    inconsistency: Concern
    indirectness: Concern
    imprecision: Imprecision
    publication_bias: Suspicion

    @property
    def judged(self) -> dict[str, _Judged]:
        """The judgements by domain, in GRADE's order."""
        return {key: getattr(self, key) for key in DOMAINS}


class Raise(Record):
    """A reason to rate up."""

    reason: RaiseKey
    because: Text


class Certainty(Record):
    """The certainty of the evidence on the outcome of an analysis, judged by named people; without it, not assessed.

    `rating` must be what follows from `start`, from the concerns in `domains` and from what `raised` it.
    """

    rating: Rating
    start: Literal["high", "low"] = "high"
    domains: Domains
    raised: tuple[Raise, ...] = ()
    by: Annotated[tuple[Text, ...], Field(min_length=1, description="Who judged, by name.")]
    date: Date
    because: Text | None = None

    @property
    def lowered(self) -> int:
        """By how many levels the concerns lower it."""
        return sum(one.levels for one in self.domains.judged.values())

    @property
    def follows(self) -> str:
        """The rating that follows from the judgements."""
        raised = sum(RAISES[one.reason] for one in self.raised)
        level = RATINGS.index(self.start) - self.lowered + raised
        return RATINGS[min(max(level, 0), len(RATINGS) - 1)]

    @model_validator(mode="after")
    def _each_reason_once(self) -> Self:
        reasons = [one.reason.removeprefix("very-") for one in self.raised]
        if len(reasons) != len(set(reasons)):
            raise PydanticCustomError(
                "certainty_raised",
                "one reason raises the certainty twice",
                {"at": ("raised",), "fix": "give each reason once; an effect is large or very large, not both"},
            )
        if self.raised and self.lowered:
            raise PydanticCustomError(
                "certainty_raised",
                "the certainty is raised although a concern lowers it",
                {
                    "at": ("raised",),
                    "fix": "leave out `raised`: only evidence without a reason to rate down may be rated up",
                },
            )
        return self

    @model_validator(mode="after")
    def _follows_from_what_was_judged(self) -> Self:
        if self.rating != self.follows:
            fix = f"write `rating: {self.follows}`, or change the judgement of a domain"
            raise PydanticCustomError(
                "certainty_rating",
                "the rating is {rating}, but from {start} the judgements lead to {follows}",
                {"rating": self.rating, "start": self.start, "follows": self.follows, "at": ("rating",), "fix": fix},
            )
        return self
