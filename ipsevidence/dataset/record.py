"""The study record: one file a study, each number beside its source and its basis.

The models are frozen and refuse unknown keys. They say what a file may hold; what must agree with what
(counts with percents, effects with counts) is in :mod:`ipsevidence.dataset.checks`.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from ipsevidence.dataset import vocabulary as terms

__all__ = [
    "Accept",
    "Alternatives",
    "Arm",
    "Design",
    "Disagreement",
    "Fact",
    "FidelityScore",
    "Identifier",
    "Indicator",
    "LogEntry",
    "Measured",
    "Number",
    "Outcome",
    "Participants",
    "Population",
    "Published",
    "Quantity",
    "Reading",
    "Record",
    "Report",
    "RiskOfBias",
    "Service",
    "Source",
    "StatedEffect",
    "Study",
    "Text",
    "Wanted",
]

if TYPE_CHECKING:
    Status: TypeAlias = str
    ReportKind: TypeAlias = str
    SourceKind: TypeAlias = str
    Read: TypeAlias = str
    Basis: TypeAlias = str
    DesignType: TypeAlias = str
    Allocation: TypeAlias = str
    Treatment: TypeAlias = str
    AnalysisGroup: TypeAlias = str
    YesNo: TypeAlias = str
    Concept: TypeAlias = str
    Window: TypeAlias = str
    ReadingKind: TypeAlias = str
    Denominator: TypeAlias = str
    ParticipantsWhat: TypeAlias = str
    AlternativeKind: TypeAlias = str
    Ascertainment: TypeAlias = str
    PublishedMeasure: TypeAlias = str
    Scale: TypeAlias = str
    Country: TypeAlias = str
    Direction: TypeAlias = str
    Significant: TypeAlias = str
    Integration: TypeAlias = str
    BiasTool: TypeAlias = str
    BiasJudgement: TypeAlias = str
else:
    Status = Literal[tuple(terms.STATUS)]
    ReportKind = Literal[tuple(terms.REPORT_KIND)]
    SourceKind = Literal[tuple(terms.SOURCE_KIND)]
    Read = Literal[tuple(terms.READ)]
    Basis = Literal[tuple(terms.BASIS)]
    DesignType = Literal[tuple(terms.DESIGN)]
    Allocation = Literal[tuple(terms.ALLOCATION)]
    Treatment = Literal[tuple(terms.TREATMENT)]
    AnalysisGroup = Literal[tuple(terms.ANALYSIS_GROUP)]
    YesNo = Literal[tuple(terms.YES_NO)]
    Concept = Literal[tuple(terms.CONCEPT)]
    Window = Literal[tuple(terms.WINDOW)]
    ReadingKind = Literal[tuple(terms.READING_KIND)]
    Denominator = Literal[tuple(terms.DENOMINATOR)]
    ParticipantsWhat = Literal[tuple(terms.PARTICIPANTS_WHAT)]
    AlternativeKind = Literal[tuple(terms.ALTERNATIVE_KIND)]
    Ascertainment = Literal[tuple(terms.ASCERTAINMENT)]
    PublishedMeasure = Literal[tuple(terms.PUBLISHED_MEASURE)]
    Scale = Literal[tuple(terms.SCALE)]
    Country = Literal[tuple(terms.COUNTRY)]
    Direction = Literal[tuple(terms.DIRECTION)]
    Significant = Literal[tuple(terms.SIGNIFICANT)]
    Integration = Literal[tuple(terms.INTEGRATION)]
    BiasTool = Literal[tuple(terms.BIAS_TOOL)]
    BiasJudgement = Literal[tuple(terms.BIAS_JUDGEMENT)]


def _decimal(value: Any) -> Any:
    # A decimal keeps the digits as printed: 2.10 is not 2.1 when an effect is compared at its printed rounding.
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    Decimal,
    BeforeValidator(_decimal),
    Field(ge=Decimal("-1e12"), le=Decimal("1e12"), allow_inf_nan=False),
    WithJsonSchema({"type": "number"}),
]
"""A number as typed, with its printed digits."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
Date = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Doi = Annotated[str, StringConstraints(pattern=r"^10\.[0-9]{4,9}/[!-~]{1,150}$")]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]+)?(/[!#-;=?-~]*)?$", max_length=500)]
Pmid = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
Pmcid = Annotated[str, StringConstraints(pattern=r"^PMC[1-9][0-9]{0,8}$")]


class Record(BaseModel):
    """What all parts of a record share: frozen, strict, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=False, defer_build=True)


class Input(Record):
    """A number that was read and that another number was computed from."""

    value: Quantity
    what: Text | None = None
    from_: Identifier = Field(alias="from")
    at: Text | None = None
    as_printed: Text | None = None


class Number(Record):
    """A number, where it was read, and how far it can be trusted.

    Either ``value``, or ``low`` and ``high`` where the source prints a range. ``rule`` says how a number that was not
    read as such was computed: ``percent-of-n`` (the only whole number of n that gives the printed percent),
    ``joint-fit`` (the only joint set of counts that gives everything printed), a sum such as ``541 - 270``, or words.
    """

    value: Quantity | None = None
    low: Quantity | None = None
    high: Quantity | None = None
    basis: Basis | None = None
    from_: Identifier | None = Field(default=None, alias="from")
    at: Text | None = None
    rule: Text | None = None
    inputs: tuple[Input, ...] = ()
    as_printed: Text | None = None
    qualifier: Text | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        has_range = self.low is not None and self.high is not None
        if (self.value is None) != has_range:
            raise PydanticCustomError("number_form", "give either `value`, or both `low` and `high`")
        if has_range and self.low > self.high:  # type: ignore[operator]
            raise PydanticCustomError("number_order", "`low` is above `high`")
        return self


def _is_count(number: Number) -> Number:
    if number.value is not None and (number.value != int(number.value) or number.value < 0):
        raise PydanticCustomError("not_a_count", "a count of persons must be a whole number, 0 or more")
    return number


Count = Annotated[Number, AfterValidator(_is_count)]


class Report(Record):
    """A paper, report or register entry of the study."""

    id: Identifier
    kind: ReportKind
    citation: Text
    year: Annotated[int, Field(ge=1970, le=2100)] | None = None
    doi: Doi | None = None
    pmid: Pmid | None = None
    pmcid: Pmcid | None = None
    url: Url | None = None
    adds: Text | None = None


class Source(Record):
    """What was actually read: a part of one of the study's reports, or another publication."""

    report: Identifier | None = None
    cite: Text | None = None
    kind: SourceKind
    doi: Doi | None = None
    pmid: Pmid | None = None
    pmcid: Pmcid | None = None
    url: Url | None = None
    read: Read
    date: Date
    supports: Text | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if (self.report is None) == (self.cite is None):
            raise PydanticCustomError("source_form", "give either `report` (one of the study's own) or `cite`")
        return self


class Design(Record):
    """How the study was made."""

    type: DesignType
    countries: Annotated[tuple[Country, ...], Field(min_length=1)]
    sites: Count | None = None
    clusters: Count | None = None
    icc: Number | None = None
    enrolment: Text | None = None
    follow_up_months: Quantity | None = None
    registration: Text | None = None
    developer_involved: YesNo | None = None


class Population(Record):
    """Who took part. `analysis_group` is exclusive, by the written rule; `tags` may overlap."""

    analysis_group: AnalysisGroup
    tags: tuple[Identifier, ...] = ()
    severe_mental_illness: YesNo
    description: Text


class Participants(Number):
    """A printed size of the study, and what it counts."""

    what: ParticipantsWhat


class Arm(Record):
    """One arm: what it was given, and how persons came into it; `n_entered` where nobody was randomised.

    ``entry`` is given where a record holds a trial of finding a job and one of keeping it: the arms of people who were
    in work at entry meet no others.
    """

    id: Identifier
    treatment: Treatment
    allocation: Allocation
    label: Text
    entry: Literal["out-of-work", "in-work"] | None = None
    n_randomised: Count | None = None
    n_entered: Count | None = None
    note: Text | None = None


class Measured(Record):
    """When an outcome was measured, in months from entry."""

    from_: Quantity | None = Field(default=None, alias="from")
    to: Quantity | None = None
    window: Window


class Reading(Record):
    """One arm's number for one outcome. Bare numbers take the reading's `from` and `basis`.

    ``missing`` counts persons of the arm whose outcome is not known; ``unit`` is that of a mean, median or rate.
    """

    arm: Identifier
    kind: ReadingKind
    of: Denominator | None = None
    n: Count | None = None
    events: Count | None = None
    missing: Count | None = None
    percent: Number | None = None
    mean: Number | None = None
    sd: Number | None = None
    median: Number | None = None
    rate: Number | None = None
    unit: Text | None = None
    model_based: bool | None = None
    period: Text | None = None
    where: Text | None = None
    from_: Identifier = Field(alias="from")
    basis: Basis
    at: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _inherit(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        shared = {key: data[key] for key in ("basis", "from", "at") if key in data}
        full = dict(data)
        for key in ("n", "events", "missing", "percent", "mean", "sd", "median", "rate"):
            number = data.get(key)
            if isinstance(number, Mapping):
                full[key] = shared | dict(number)
            elif isinstance(number, (int, Decimal)) and not isinstance(number, bool):
                full[key] = shared | {"value": number}
        return full

    @model_validator(mode="after")
    def _complete(self) -> Self:
        wanted = {
            "count": "events",
            "percent": "percent",
            "mean": "mean",
            "median": "median",
            "rate": "rate",
        }[self.kind]
        if getattr(self, wanted) is None:
            raise PydanticCustomError("reading_form", f"a reading of kind {self.kind} needs `{wanted}`")
        if self.kind == "count" and (self.n is None or self.of is None):
            raise PydanticCustomError("reading_form", "a count needs `n` and `of` (what n counts)")
        return self


class Published(Record):
    """An effect as printed, to be recomputed from the counts, never pooled in their place unasked."""

    of: Identifier | None = None
    against: Identifier | None = None
    about: Text | None = None
    measure: PublishedMeasure
    estimate: Quantity | None = None
    ci: Annotated[tuple[Quantity, Quantity] | None, Field(strict=False)] = None
    level: Quantity | None = None
    p: Text | None = None
    adjusted: bool | None = None
    from_: Identifier = Field(alias="from")
    basis: Basis
    at: Text | None = None
    note: Text | None = None


class Alternatives(Record):
    """Joint sets of counts, (events, n) for each arm in turn, that the sources leave open."""

    kind: AlternativeKind
    of: Denominator
    arms: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    counts: Annotated[tuple[tuple[Annotated[int, Field(ge=0, le=10**9)], ...], ...], Field(min_length=1)]
    because: Text

    @model_validator(mode="after")
    def _shape(self) -> Self:
        if any(len(row) != 2 * len(self.arms) for row in self.counts):
            raise PydanticCustomError(
                "alternatives_form", "each row of `counts` needs events and n for each arm in turn"
            )
        return self


class RiskOfBias(Record):
    """Risk of bias of one result, judged by two named people; where there is none it has not been assessed."""

    tool: BiasTool
    domains: Annotated[dict[Identifier, BiasJudgement], Field(min_length=1)]
    overall: BiasJudgement
    by: Annotated[tuple[Text, Text], Field(description="The two people who judged, by name.")]
    date: Date
    because: Text | None = None

    @model_validator(mode="after")
    def _two_people(self) -> Self:
        if self.by[0] == self.by[1]:
            raise PydanticCustomError("bias_form", "risk of bias is judged by two different people")
        return self


class Outcome(Record):
    """One outcome at one time: a concept of the closed list, the source's definition, and the readings."""

    id: Identifier
    concept: Concept
    definition: Text
    measured: Measured
    ascertainment: Ascertainment | None = None
    assessor_blinded: YesNo | None = None
    registered: YesNo | None = None
    readings: tuple[Reading, ...] = ()
    alternatives: tuple[Alternatives, ...] = ()
    published: tuple[Published, ...] = ()
    risk_of_bias: RiskOfBias | None = None
    note: Text | None = None


class FidelityScore(Record):
    """A fidelity score, or its range over sites or time, on its own scale; or a printed label without a score."""

    scale: Scale
    arm: Identifier | None = None
    score: Number | None = None
    maximum: Quantity | None = None
    programmes: Count | None = None
    when: Text | None = None
    from_: Identifier | None = Field(default=None, alias="from")
    label_as_printed: Text | None = None
    note: Text | None = None


class ProgrammeCorrelation(Record):
    """A correlation over programmes of their fidelity with what became of their clients."""

    scale: Scale
    concept: Concept
    definition: Text
    programmes: Count
    r: Number
    p: Text | None = None
    when: Text | None = None
    from_: Identifier = Field(alias="from")
    at: Text | None = None
    note: Text | None = None

    @model_validator(mode="after")
    def _is_a_correlation(self) -> Self:
        if self.r.value is None or not -1 < self.r.value < 1:
            raise PydanticCustomError("correlation_form", "`r` needs a value between -1 and 1")
        return self


class StatedEffect(Record):
    """What a source says of size and direction where it prints no counts, so that a pool can say what it lacks."""

    of: Identifier
    against: Identifier
    concept: Concept
    months: Quantity | None = None
    direction: Direction
    significant: Significant
    as_printed: Text
    from_: Identifier = Field(alias="from")
    at: Text | None = None


class Indicator(Record):
    """A performance indicator of a service: what it counts, and its target where there is one."""

    name: Text
    definition: Text | None = None
    target: Number | None = None
    from_: Identifier = Field(alias="from")


class Service(Record):
    """What a routine service or scheme is: who pays, for whom, where, how close to treatment, how it is measured."""

    funder: Text | None = None
    commissioner: Text | None = None
    provider: Text | None = None
    setting: Text | None = None
    region: Text | None = None
    years: Text | None = None
    referral_routes: Text | None = None
    integration: Integration | None = None
    integration_as_printed: Text | None = None
    caseload: Number | None = None
    time_limit: Text | None = None
    cost_per_client: Number | None = None
    payment: Text | None = None
    delivers_ips: YesNo | None = None
    fidelity_aspired: Text | None = None
    fidelity_rated: Text | None = None
    indicators: tuple[Indicator, ...] = ()
    from_: Identifier = Field(alias="from")


class Fact(Record):
    """What a source states and no other field holds: figures as printed, words condensed; never pooled."""

    what: Text
    as_printed: Text
    from_: Identifier = Field(alias="from")
    at: Text | None = None


class DisagreeingValue(Record):
    """One of the values over which sources disagree."""

    value: Text
    from_: Identifier | None = Field(default=None, alias="from")


class Disagreement(Record):
    """Sources that do not agree: all values, which one was taken, and why."""

    about: Text
    values: Annotated[tuple[DisagreeingValue, ...], Field(min_length=2)]
    taken: Text
    because: Text


class Overlap(Record):
    """Another record that shares participants with this one."""

    id: Identifier
    how: Text


class Accept(Record):
    """A finding that was looked at and accepted. One that no longer fires is itself a finding."""

    check: Identifier
    at: Text | None = None
    by: Text
    date: Date
    because: Text


class Wanted(Record):
    """A number that is missing or only reconstructed, and where it should be printed."""

    what: Text
    where: Text
    unlocks: Text | None = None


class LogEntry(Record):
    """Who did what when; `read` says what lay open at the time."""

    date: Date
    did: Text
    read: Text | None = None
    note: Text | None = None


class Study(Record):
    """A study: one record for ever, whatever the number of its papers."""

    schema_: Literal[1] = Field(alias="schema")
    id: Identifier
    former_ids: tuple[Identifier, ...] = ()
    label: Text
    status: Status
    status_reason: Text | None = None
    title: Text | None = None
    reports: Annotated[tuple[Report, ...], Field(min_length=1)]
    sources: Annotated[dict[Identifier, Source], Field(min_length=1)]
    design: Design
    population: Population
    participants: tuple[Participants, ...] = ()
    arms: Annotated[tuple[Arm, ...], Field(min_length=1)]
    service: Service | None = None
    outcomes: tuple[Outcome, ...] = ()
    published: tuple[Published, ...] = ()
    stated: tuple[StatedEffect, ...] = ()
    fidelity: tuple[FidelityScore, ...] = ()
    programme_correlations: tuple[ProgrammeCorrelation, ...] = ()
    facts: tuple[Fact, ...] = ()
    overlaps_with: tuple[Overlap, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    doubts: tuple[Text, ...] = ()
    wanted: tuple[Wanted, ...] = ()
    notes: Text | None = None
    accept: tuple[Accept, ...] = ()
    log: Annotated[tuple[LogEntry, ...], Field(min_length=1)]

    def arm(self, arm_id: str) -> Arm:
        """Return the arm of this id; KeyError with the ids there are."""
        found: Arm = _by_id(self.arms, arm_id, f"{self.id}: arm")
        return found

    def outcome(self, outcome_id: str) -> Outcome:
        """Return the outcome of this id; KeyError with the ids there are."""
        found: Outcome = _by_id(self.outcomes, outcome_id, f"{self.id}: outcome")
        return found

    def numbers(self) -> Iterator[tuple[tuple[str | int, ...], Number]]:
        """Walk every number of the record with its path, as (path, number)."""
        yield from _walk_numbers(self, ())


def _by_id(items: tuple[Any, ...], wanted: str, what: str) -> Any:
    for item in items:
        if item.id == wanted:
            return item
    raise KeyError(f"{what} {wanted!r} is not in the record; there are: {', '.join(item.id for item in items)}")


def _walk_numbers(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Number]]:
    if isinstance(value, Number):
        yield path, value
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _walk_numbers(getattr(value, name), (*path, field.alias or name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _walk_numbers(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _walk_numbers(item, (*path, key))
