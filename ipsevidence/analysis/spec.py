"""An analysis spec: a question as data, complete once resolved, readable without programming."""

from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from ipsevidence.analysis.certainty import Certainty
from ipsevidence.analysis.groupings import COMPARATOR_KINDS, FIDELITY_BANDS
from ipsevidence.core import INTERVALS, MEASURES, PREDICTIONS, TAU2_ESTIMATORS
from ipsevidence.dataset import vocabulary as terms
from ipsevidence.dataset.record import Identifier, Quantity, Record, Text

__all__ = [
    "CONTRASTS",
    "GROUPINGS",
    "QUANTITIES",
    "RANDOMISED",
    "Contrast",
    "Effect",
    "LeftOut",
    "Model",
    "Moderator",
    "OutcomeRule",
    "Spec",
    "StudyChoice",
    "StudyFilter",
    "StudyList",
    "Target",
    "Variation",
]

RANDOMISED: tuple[str, ...] = ("rct", "pilot-rct", "cluster-rct")
"""Designs that are randomised."""

CONTRASTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ips-vs-control": (("ips", "ips-adapted"), tuple(terms.COMPARATORS)),
    "bundle-vs-control": (("ips-bundle",), tuple(terms.COMPARATORS)),
    "augmented-vs-ips": (("ips-augmented",), ("ips", "ips-adapted")),
    "supported-employment-vs-control": (("supported-employment",), tuple(terms.COMPARATORS)),
}
"""Named contrasts: treatments that are compared, and what they are compared with."""

QUANTITIES: dict[str, str] = {
    "trials": "trials",
    "participants": "participants",
    "trials-favouring": "trials with an effect above none",
    "trials-significant": "trials in favour with p < .05",
    "estimate": "pooled effect",
    "ci-low": "lower bound of the confidence interval",
    "ci-high": "upper bound of the confidence interval",
    "tau2": "tau2",
    "i2": "I2 from Q (%)",
    "q": "Q",
    "method": "method",
    "percent": "percent with the event, arms of interest together",
    "percent-comparator": "percent with the event, other arms together",
    "mean-percent": "mean of the percents, arms of interest",
    "mean-percent-comparator": "mean of the percents, other arms",
    "study-estimate": "effect of one study",
    "study-ci-low": "lower bound of one study",
    "study-ci-high": "upper bound of one study",
}
"""Published figures that a spec may name, with what they are called where the spec gives no label."""

GROUPINGS: dict[str, str] = {
    "analysis-group": "the exclusive group of the record",
    "severe-mental-illness": "whether participants have a severe mental illness: yes, no, partly, not stated",
    "intervention": "plain or adapted IPS, or another treatment",
    "comparator": "usual care, or a vocational service",
    "region": "where the trial was made",
    "developer-involved": "whether an author of the IPS model is among the trialists",
    "follow-up": "up to a year, or longer",
    "ascertainment": "register, self-report or specialist's report",
    "assessor-blinded": "whether assessors were blinded",
    "fidelity": "fidelity scale and band",
}
"""By what rows can be put into groups; how is in `groupings`."""

MODERATORS: dict[str, str] = {
    "year": "year of the main report",
    "months": "months of follow-up",
    "participants": "participants, in hundreds",
    "control-risk": "risk in the control arm",
}
"""Numbers that effects may depend on; `control-risk` goes through the bivariate model, never through regression."""

if TYPE_CHECKING:
    MeasureKey: TypeAlias = str
    Tau2Key: TypeAlias = str
    IntervalKey: TypeAlias = str
    PredictionKey: TypeAlias = str
    Basis: TypeAlias = str
    Concept: TypeAlias = str
    Window: TypeAlias = str
    Design: TypeAlias = str
    AnalysisGroup: TypeAlias = str
    Denominator: TypeAlias = str
    ParticipantsWhat: TypeAlias = str
    ContrastKey: TypeAlias = str
    QuantityKey: TypeAlias = str
    TreatmentKey: TypeAlias = str
    YesNo: TypeAlias = str
    ScaleKey: TypeAlias = str
    GroupingKey: TypeAlias = str
    ModeratorKey: TypeAlias = str
    ComparatorKind: TypeAlias = str
    FidelityBand: TypeAlias = str
else:
    MeasureKey = Literal[tuple(MEASURES)]
    Tau2Key = Literal[tuple(TAU2_ESTIMATORS)]
    IntervalKey = Literal[tuple(INTERVALS)]
    PredictionKey = Literal[tuple(PREDICTIONS)]
    Basis = Literal[tuple(terms.BASIS)]
    Concept = Literal[tuple(terms.CONCEPT)]
    Window = Literal[tuple(terms.WINDOW)]
    Design = Literal[tuple(terms.DESIGN)]
    AnalysisGroup = Literal[tuple(terms.ANALYSIS_GROUP)]
    Denominator = Literal[tuple(terms.DENOMINATOR)]
    ParticipantsWhat = Literal[tuple(terms.PARTICIPANTS_WHAT)]
    ContrastKey = Literal[tuple(CONTRASTS)]
    QuantityKey = Literal[tuple(QUANTITIES)]
    TreatmentKey = Literal[tuple(terms.TREATMENT)]
    YesNo = Literal[tuple(terms.YES_NO)]
    ScaleKey = Literal[tuple(terms.SCALE)]
    GroupingKey = Literal[tuple(GROUPINGS)]
    ModeratorKey = Literal[tuple(MODERATORS)]
    ComparatorKind = Literal[tuple(COMPARATOR_KINDS)]
    FidelityBand = Literal[tuple(FIDELITY_BANDS)]


class Question(Record):
    """The question in the four parts that reviews use."""

    population: Text
    intervention: Text
    comparator: Text
    outcome: Text


class Contrast(Record):
    """Two arms of one study, by their ids."""

    of: Identifier
    against: Identifier

    @model_validator(mode="after")
    def _two_arms(self) -> Self:
        if self.of == self.against:
            raise PydanticCustomError("contrast_form", "an arm cannot be compared with itself")
        return self


class StudyChoice(Record):
    """One study of a list, with what is taken from it where that follows no common rule."""

    id: Identifier
    outcome: Identifier | None = None
    contrast: Contrast | None = None
    denominator: Denominator | None = None
    group: Identifier | None = None
    participants: ParticipantsWhat | None = None
    because: Text | None = None


class StudyFilter(Record):
    """Which studies a rule admits; an empty list, or none, admits every value.

    `comparators` are what IPS is compared with, and `fidelity` the scale and band of its lowest score.
    """

    designs: tuple[Design, ...] = RANDOMISED
    analysis_groups: tuple[AnalysisGroup, ...] = ()
    tags: tuple[Identifier, ...] = ()
    severe_mental_illness: tuple[YesNo, ...] = ()
    comparators: tuple[ComparatorKind, ...] | None = None
    fidelity: tuple[FidelityBand, ...] | None = None
    participants_from: Annotated[int, Field(ge=1, le=10_000_000)] | None = None


class LeftOut(Record):
    """A study that answers the question and stays out of the pool, and why; it counts as absent."""

    id: Identifier
    because: Text


class StudyList(Record):
    """The studies of an analysis: a list by name, a filter, or what a published review entered; never two of them."""

    by_name: Annotated[tuple[StudyChoice, ...], Field(alias="list")] = ()
    where: StudyFilter | None = None
    without: tuple[LeftOut, ...] = ()
    inputs_of: Identifier | None = None
    count: Annotated[int, Field(ge=1, le=10_000)] | None = None
    weakest_basis: Basis = "bounded"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [bool(self.by_name), self.where is not None, self.inputs_of is not None].count(True) != 1:
            raise PydanticCustomError("selection_form", "give either `list` or `where`, or else `inputs_of`")
        names = [choice.id for choice in self.by_name]
        if len(names) != len(set(names)):
            raise PydanticCustomError("selection_form", "a study is listed twice")
        if self.by_name and self.without:
            raise PydanticCustomError("selection_form", "`without` goes with `where`; from a list, take the study out")
        return self


class OutcomeRule(Record):
    """Which outcome a study enters with, unless it is named for the study.

    Concepts, windows and denominators are tried in the order in which they stand. Of the outcomes of one concept and
    window within the months, the one nearest `near_month` is taken; of two as near, the later; of two at the same
    month, the first in the record.

    A living analysis pools one concept in one window; `composite` says in words why one pools several.

    `inputs` says whether a study without usable counts may enter with the effect that it prints on the measure of the
    analysis. `treatments` are the arms whose rate is taken where the measure is a proportion, and `scale` the fidelity
    scale where it is a correlation over programmes; `contrast` is then not used. `icc` is assumed where clusters were
    randomised, a design effect is asked for and the record has none.
    """

    concepts: Annotated[tuple[Concept, ...], Field(min_length=1)] = ("competitive-employment",)
    windows: Annotated[tuple[Window, ...], Field(min_length=1)] = ("cumulative",)
    composite: Text | None = None
    near_month: Annotated[Quantity, Field(ge=0)] = Decimal(18)
    from_month: Annotated[Quantity, Field(ge=0)] = Decimal(12)
    to_month: Annotated[Quantity, Field(ge=0)] = Decimal(24)
    denominators: Annotated[tuple[Denominator, ...], Field(min_length=1)] = ("analysed", "randomised")
    contrast: ContrastKey = "ips-vs-control"
    inputs: Annotated[tuple[Literal["counts", "published"], ...], Field(min_length=1)] = ("counts",)
    treatments: tuple[TreatmentKey, ...] = ("ips", "ips-adapted")
    scale: ScaleKey | None = None
    multi_arm: Literal["combine", "refuse"] = "combine"
    clusters: Literal["refuse", "as-individuals", "design-effect"] = "refuse"
    icc: Annotated[Quantity, Field(ge=0, lt=1)] = Decimal("0.05")

    @model_validator(mode="after")
    def _months_in_order(self) -> Self:
        if self.from_month > self.to_month:
            raise PydanticCustomError("months_form", "`from_month` is after `to_month`")
        return self


class Effect(Record):
    """The effect measure, and what is added to tables with an empty cell."""

    measure: MeasureKey = "OR"
    add: Quantity = Decimal("0.5")
    to: Literal["only0", "all", "if0all", "none"] = "only0"


class Model(Record):
    """The pooling model: estimator of tau2, confidence interval, prediction interval, level.

    `q_about: mantel-haenszel` takes the Q of the DerSimonian-Laird estimator about the Mantel-Haenszel mean, as Review
    Manager 5 does; it wants counts and Wald intervals.
    """

    tau2: Tau2Key = "reml"
    interval: IntervalKey = "hksj"
    prediction: PredictionKey = "t-k1"
    level: Annotated[Quantity, Field(gt=0, lt=1)] = Decimal("0.95")
    q_about: Literal["inverse-variance", "mantel-haenszel"] = "inverse-variance"

    @model_validator(mode="after")
    def _as_in_review_manager(self) -> Self:
        if self.q_about == "mantel-haenszel" and (self.tau2, self.interval) != ("dl", "wald"):
            raise PydanticCustomError("model_form", "`q_about: mantel-haenszel` goes with tau2 dl and interval wald")
        return self


class Group(Record):
    """One group of a forest plot."""

    id: Identifier
    label: Text


class Subgroups(Record):
    """Groups, each pooled with its own tau2, in the order in which they are shown.

    `by` says by what studies of a rule are grouped (`GROUPINGS`); a study that a list names has its group there.
    """

    by: GroupingKey = "analysis-group"
    groups: Annotated[tuple[Group, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [group.id for group in self.groups]
        if len(ids) != len(set(ids)):
            raise PydanticCustomError("group_twice", "a group is listed twice")
        return self


class Moderator(Record):
    """A number that the effect may depend on, tested by meta-regression with one moderator at a time."""

    by: ModeratorKey
    because: Text | None = None


class Variation(Record):
    """A named sensitivity analysis. It changes the fields that it names, and no others.

    `instead` takes these studies from the records in place of what a review entered. `totals_as_non_events` hands the
    size of each arm to the effect as the number without the event, to show what that slip does.
    """

    id: Identifier
    label: Text
    because: Text | None = None
    drop: tuple[Identifier, ...] = ()
    instead: tuple[StudyChoice, ...] = ()
    totals_as_non_events: bool = False
    choose: tuple[StudyChoice, ...] = ()
    where: StudyFilter | None = None
    readmit: tuple[Identifier, ...] = ()
    weakest_basis: Basis | None = None
    outcome: OutcomeRule | None = None
    effect: Effect | None = None
    model: Model | None = None


class Target(Record):
    """A published figure, to be set beside the computed one.

    ``target`` says whether the figure was read in the publication, second-hand, or not at all; ``chosen_to_match``
    that inputs of the analysis were chosen with this figure in view, so that agreement proves nothing. `study` names
    the study that it is of, `variation` the sensitivity analysis beside which it is set; otherwise it is the main one.
    """

    quantity: QuantityKey
    study: Identifier | None = None
    variation: Identifier | None = None
    label: Text | None = None
    value: Quantity | None = None
    text: Text | None = None
    target: Literal["read", "second-hand", "not-read"]
    chosen_to_match: bool = False
    from_: Text = Field(alias="from")
    at: Text | None = None
    because: Text | None = None

    @model_validator(mode="after")
    def _study_where_wanted(self) -> Self:
        if self.quantity.startswith("study-") != (self.study is not None):
            raise PydanticCustomError(
                "target_form", "`study` goes with the quantities that start with study-, and only those"
            )
        return self


class ReportOptions(Record):
    """What the report says beyond the numbers."""

    reference: Text | None = None
    beside: Identifier | None = None
    caveats: tuple[Text, ...] = ()
    plain_words: Text | None = None


class Spec(Record):
    """A whole analysis; `resolved` shows every default it was run with.

    `review` is the published review that a reproduction is of. `inputs: ours` says that its inputs were not read and
    that our counts stand in for them, so that a difference says nothing of the review. `certainty` is what people
    judged of the evidence on the outcome; without it certainty is not assessed.
    """

    schema_: Literal[1] = Field(alias="schema")
    id: Identifier
    title: Text
    review: Identifier | None = None
    inputs: Literal["as-entered", "ours"] = "as-entered"
    purpose: Literal["reproduction", "living", "exploratory"]
    question: Question
    studies: StudyList
    outcome: OutcomeRule = OutcomeRule()
    effect: Effect = Effect()
    model: Model = Model()
    subgroups: Subgroups | None = None
    moderators: tuple[Moderator, ...] = ()
    sensitivity: tuple[Variation, ...] = ()
    published: tuple[Target, ...] = ()
    certainty: Certainty | None = None
    report: ReportOptions = ReportOptions()

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        known = {group.id for group in self.subgroups.groups} if self.subgroups else set()
        chosen = [choice for variation in self.sensitivity for choice in variation.choose]
        for choice in self.studies.by_name if self.subgroups else ():
            if choice.group is None:
                raise PydanticCustomError(
                    "group_missing", "study {study} has no group, and `subgroups` wants one", {"study": choice.id}
                )
        for choice in (*self.studies.by_name, *chosen):
            if choice.group is not None and choice.group not in known:
                raise PydanticCustomError(
                    "group_unknown",
                    "study {study} is put into group {group}, which `subgroups` does not list",
                    {"study": choice.id, "group": choice.group},
                )
        ids = [variation.id for variation in self.sensitivity]
        if len(ids) != len(set(ids)):
            raise PydanticCustomError("variation_twice", "two sensitivity analyses have the same id")
        if self.report.beside is not None and self.report.beside not in ids:
            raise PydanticCustomError("variation_unknown", "`report: beside` names no sensitivity analysis of the spec")
        return self

    @model_validator(mode="after")
    def _targets_resolve(self) -> Self:
        ids = [variation.id for variation in self.sensitivity]
        for target in self.published:
            if target.variation is not None and target.variation not in ids:
                raise PydanticCustomError(
                    "variation_unknown",
                    "a published figure is set beside {id}, which is no sensitivity analysis of the spec",
                    {"id": target.variation},
                )
        return self

    @model_validator(mode="after")
    def _by_protocol(self) -> Self:
        if self.purpose != "living":
            return self
        rule = self.outcome
        several = len(rule.concepts) > 1 or len(rule.windows) > 1 or bool(self.studies.by_name)
        if MEASURES[self.effect.measure].needs != "correlation" and several and rule.composite is None:
            raise PydanticCustomError(
                "living_form",
                "a living analysis pools one concept in one window, of studies that a filter admits; say in `outcome:"
                " composite` why this one does not",
            )
        if self.model.interval not in ("hksj", "hksj-adhoc") or self.model.tau2 == "common":
            raise PydanticCustomError(
                "living_form",
                "a living analysis has the interval hksj or hksj-adhoc and a tau2; vary them in `sensitivity`",
            )
        return self

    @model_validator(mode="after")
    def _inputs_fit(self) -> Self:
        if MEASURES[self.effect.measure].needs == "correlation" and self.outcome.scale is None:
            raise PydanticCustomError("scale_missing", "a correlation over programmes needs `outcome: scale`")
        instead = [variation.id for variation in self.sensitivity if variation.instead]
        if instead and self.studies.inputs_of is None:
            raise PydanticCustomError(
                "variation_form", "`instead` is for analyses of what a review entered (`inputs_of`)"
            )
        return self

    @model_validator(mode="after")
    def _certainty_starts_right(self) -> Self:
        if self.certainty is None or self.studies.where is None:
            return self
        designs = set(self.studies.where.designs or terms.DESIGN)
        start = "high" if designs <= set(RANDOMISED) else "low"
        if self.certainty.start != start:
            raise PydanticCustomError(
                "certainty_start",
                "the certainty starts at {given}, but the designs of `studies: where` make it start at {start}",
                {
                    "given": self.certainty.start,
                    "start": start,
                    "at": ("certainty", "start"),
                    "fix": f"write `start: {start}`: only evidence from randomised trials alone starts at high",
                },
            )
        return self

    def resolved(self) -> dict[str, object]:
        """Return the whole spec as plain data, every default written out."""
        return self.model_dump(mode="python", by_alias=True, exclude_none=True)
