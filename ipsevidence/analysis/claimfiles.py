"""A claim of the field as data: who states it, what would decide it, and on which analysis; and its file."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ipsevidence.analysis.shipped import nearest, read_by_name, yaml_files
from ipsevidence.analysis.spec import (
    MODERATORS,
    Effect,
    Model,
    OutcomeRule,
    Question,
    Spec,
    StudyList,
    Subgroups,
)
from ipsevidence.analysis.specfiles import find_spec, spec_files
from ipsevidence.dataset import vocabulary as terms
from ipsevidence.dataset.reader import ReadError
from ipsevidence.dataset.record import Date, Doi, Identifier, Pmid, Quantity, Record, Text, Url

__all__ = [
    "RULES",
    "VERDICTS",
    "About",
    "Claim",
    "ClaimNotFoundError",
    "Ground",
    "InlineAnalysis",
    "Rule",
    "RuleKind",
    "Statement",
    "claim_files",
    "find_claim",
    "load_claims",
    "unresolved_names",
]

FEWEST_PER_GROUP: Final = 5
"""Trials that each of two pools must have before they are set against each other."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class RuleKind:
    """One way to decide a claim.

    Attributes
    ----------
    words : str
        When the claim is supported. It is contradicted where the interval lies wholly on the other side, and imprecise
        where it reaches both.
    needs : frozenset of str
        The fields of `Rule` that it wants.
    grounds : int
        How many results it looks at.
    quantity : str
        What is held against the threshold.
    """

    words: str
    needs: frozenset[str]
    grounds: int
    quantity: str


_ABOVE: Final = frozenset({"threshold"})
_WITHIN: Final = frozenset({"low", "high"})

RULES: dict[str, RuleKind] = {
    "ratio-above": RuleKind(
        words="the 95% CI of the pooled ratio lies above the threshold",
        needs=_ABOVE,
        grounds=1,
        quantity="pooled ratio",
    ),
    "ratio-within": RuleKind(
        words="the 95% CI of the pooled ratio lies within the bounds",
        needs=_WITHIN,
        grounds=1,
        quantity="pooled ratio",
    ),
    "prediction-above": RuleKind(
        words="the 95% prediction interval of the ratio lies above the threshold",
        needs=_ABOVE,
        grounds=1,
        quantity="ratio in a new trial",
    ),
    "comparable": RuleKind(
        words="the 95% CI of the ratio of the two effects lies within the bounds",
        needs=_WITHIN,
        grounds=2,
        quantity="ratio of effects",
    ),
    "larger-effect": RuleKind(
        words="the 95% CI of the first effect over the second lies above the threshold",
        needs=_ABOVE,
        grounds=2,
        quantity="ratio of effects",
    ),
    "rate-at-least": RuleKind(
        words="the 95% CI of the pooled rate lies at or above the threshold",
        needs=_ABOVE,
        grounds=1,
        quantity="pooled rate",
    ),
    "rate-within": RuleKind(
        words="the 95% CI of the pooled rate lies within the bounds",
        needs=_WITHIN,
        grounds=1,
        quantity="pooled rate",
    ),
    "slope-below": RuleKind(
        words="the 95% CI of the slope of the effect on the moderator lies below the threshold",
        needs=_ABOVE,
        grounds=1,
        quantity="slope",
    ),
    "correlation-above": RuleKind(
        words="the 95% CI of the pooled correlation lies above the threshold",
        needs=_ABOVE,
        grounds=1,
        quantity="pooled correlation",
    ),
}
"""The rules by which a claim can be decided."""

VERDICTS: dict[str, str] = {
    "supported": "the interval lies where the rule asks for",
    "contradicted": "the interval lies wholly on the other side",
    "imprecise": "the interval reaches both sides",
    "not-testable": "the data or an analysis that the rule asks for do not exist",
}
"""What a claim can come to."""

if TYPE_CHECKING:
    RuleKey: TypeAlias = str
    ModeratorKey: TypeAlias = str
    Read: TypeAlias = str
else:
    RuleKey = Literal[tuple(RULES)]
    ModeratorKey = Literal[tuple(MODERATORS)]
    Read = Literal[tuple(terms.READ)]


class Statement(Record):
    """Who states the claim, and what of it was read; `through` names what was read where it is quoted second-hand."""

    cite: Text
    doi: Doi | None = None
    pmid: Pmid | None = None
    url: Url | None = None
    read: Read
    through: Text | None = None
    date: Date
    at: Text | None = None
    as_printed: Text

    @model_validator(mode="after")
    def _read_or_quoted(self) -> Self:
        if (self.read == "none") != (self.through is not None):
            raise PydanticCustomError(
                "statement_form", "a statement that was not read names what quotes it in `through`, and only such a one"
            )
        return self


class About(Record):
    """What the claim is about, in words: the parts that must be the same in the analysis that decides it."""

    population: Text
    compared_with: Text | None = None
    outcome: Text
    months: Text
    denominator: Text


class Rule(Record):
    """The decision rule as data; `kind` is a key of `RULES`.

    `threshold`, or `low` and `high`, are ratios, rates between 0 and 1, slopes or correlations, as the kind asks for.
    `minimum_k` is the fewest studies in each result that the rule looks at.
    """

    kind: RuleKey
    threshold: Quantity | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    minimum_k: Annotated[int, Field(ge=2, le=1000)]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        rule = RULES[self.kind]
        given = {name for name in ("threshold", "low", "high") if getattr(self, name) is not None}
        if given != rule.needs:
            raise PydanticCustomError(
                "rule_form",
                "a rule of kind {kind} takes {needs}, and nothing else",
                {"kind": self.kind, "needs": " and ".join(sorted(rule.needs))},
            )
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise PydanticCustomError("rule_order", "`low` must be below `high`")
        if rule.grounds == 2 and self.minimum_k < FEWEST_PER_GROUP:
            raise PydanticCustomError("rule_few", "two pools are compared from five trials each on: `minimum_k: 5`")
        return self


class InlineAnalysis(Record):
    """An analysis written out in the claim, in the terms of a spec."""

    studies: StudyList
    outcome: OutcomeRule = OutcomeRule()
    effect: Effect = Effect()
    model: Model = Model()
    subgroups: Subgroups | None = None


class Ground(Record):
    """A result that decides the claim: of an analysis the whole, one group, or one moderator."""

    analysis: Identifier | None = None
    here: InlineAnalysis | None = None
    group: Identifier | None = None
    moderator: ModeratorKey | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.analysis is None) == (self.here is None):
            raise PydanticCustomError(
                "ground_form", "give either `analysis`, an id, or `here`, an analysis written out"
            )
        if self.group is not None and self.moderator is not None:
            raise PydanticCustomError("ground_form", "give `group` or `moderator`, not both")
        return self


class Claim(Record):
    """A claim, its source, and the rule that decides it, written before the analysis was judged by it."""

    schema_: Literal[1] = Field(alias="schema")
    id: Identifier
    title: Text
    claim: Text
    stated_by: Annotated[tuple[Statement, ...], Field(min_length=1)]
    about: About
    rule: Rule
    decision: Text
    decided_on: tuple[Ground, ...] = ()
    missing: Text | None = None
    committed_on: Date
    known_before: Text | None = None
    notes: Text | None = None

    @model_validator(mode="after")
    def _can_be_judged(self) -> Self:
        grounds = RULES[self.rule.kind].grounds
        if self.missing is not None:
            if self.decided_on:
                raise PydanticCustomError("claim_form", "`missing` says why there is nothing in `decided_on`")
            return self
        if len(self.decided_on) != grounds:
            raise PydanticCustomError(
                "claim_form",
                "a rule of kind {kind} is decided on {what}; where that does not exist, say so in `missing`",
                {"kind": self.rule.kind, "what": f"{grounds} in `decided_on`"},
            )
        if (self.rule.kind == "slope-below") != any(ground.moderator for ground in self.decided_on):
            raise PydanticCustomError("claim_form", "`moderator` goes with the rule slope-below, and only with it")
        return self

    def spec(self, ground: Ground) -> Spec | None:
        """Return the analysis that a ground writes out; None where it names one."""
        if ground.here is None:
            return None
        about = self.about
        return Spec(
            schema=1,
            id=self.id,
            title=self.title,
            purpose="living",
            question=Question(
                population=about.population,
                intervention="Individual Placement and Support",
                comparator=about.compared_with or "none: the rate of single groups",
                outcome=about.outcome,
            ),
            studies=ground.here.studies,
            outcome=ground.here.outcome,
            effect=ground.here.effect,
            model=ground.here.model,
            subgroups=ground.here.subgroups,
        )


class ClaimNotFoundError(FileNotFoundError):
    """There is no claim of this id or path; the message names what there is."""


def claim_files(root: Path) -> dict[str, Path]:
    """Return the claims that ship with the data, by id; files that start with _ are not claims."""
    return yaml_files(root / "analyses" / "claims")


def find_claim(claim: str | Path, root: Path) -> Claim:
    """Read a claim by its id, or by its path.

    Parameters
    ----------
    claim : str or Path
        An id from analyses/claims/, or the path of a YAML file.
    root : Path
        The folder that holds analyses/.

    Returns
    -------
    Claim

    Raises
    ------
    ClaimNotFoundError
        If there is no such claim.
    ReadError
        If the file cannot be read as a claim.
    """
    return read_by_name(
        claim, claim_files(root), Claim, what="claim", folder="analyses/claims/", missing=ClaimNotFoundError
    )


def load_claims(root: Path) -> tuple[Claim, ...]:
    """Read all claims that ship with the data, in the order of their ids."""
    return tuple(find_claim(name, root) for name in claim_files(root))


def unresolved_names(claim: Claim, root: Path) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Yield the names in a claim that do not resolve: analyses, their groups and their moderators.

    Parameters
    ----------
    claim : Claim
    root : Path
        The folder that holds analyses/.

    Yields
    ------
    place : tuple of str or int
        Where in the file.
    what, fix : str
        What is wrong, and what to do.
    """
    shipped = spec_files(root)
    for index, ground in enumerate(claim.decided_on):
        if ground.analysis is not None and ground.analysis not in shipped:
            what = f"there is no analysis {ground.analysis}{nearest(ground.analysis, shipped)}"
            yield ("decided_on", index, "analysis"), what, "correct the id"
            continue
        try:
            spec = claim.spec(ground) or find_spec(str(ground.analysis), root)
        except ReadError:
            continue  # what is wrong with the spec is said of its own file
        known = {
            "group": [group.id for group in spec.subgroups.groups] if spec.subgroups else [],
            "moderator": [one.by for one in spec.moderators],
        }
        for part, have in known.items():
            named = getattr(ground, part)
            if named is not None and named not in have:
                what = f"{spec.id} has no {part} {named}; it has: {', '.join(have) or 'none'}"
                yield ("decided_on", index, part), what, "name one of these"
