"""The dataset as tidy tables: one row a thing, every column described, for people who analyse elsewhere."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Number, Outcome, Published, Study
from ipsevidence.dataset.vocabulary import BASIS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Field", "TidyTable", "frames"]

FieldType: TypeAlias = Literal["string", "number", "integer", "boolean"]
Row: TypeAlias = tuple[Any, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One column: its name, its type, and what it holds."""

    name: str
    type: FieldType
    description: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TidyTable:
    """One table: its columns, and how its rows come out of a study."""

    name: str
    title: str
    fields: tuple[Field, ...]
    rows: Callable[[Study], Iterator[Row]]


def frames(dataset: Dataset) -> "dict[str, pd.DataFrame]":
    """Return every table of the dataset as a pandas frame, by name.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Returns
    -------
    dict of str to pandas.DataFrame
        Columns as in `TABLES`; what a record does not give is missing.
    """
    import pandas as pd

    dtypes = {"string": "string", "number": "Float64", "integer": "Int64", "boolean": "boolean"}
    result = {}
    for table in TABLES.values():
        rows = [row for study in dataset for row in table.rows(study)]
        frame = pd.DataFrame(rows, columns=[field.name for field in table.fields], dtype=object)
        result[table.name] = frame.astype({field.name: dtypes[field.type] for field in table.fields})
    return result


def _value(number: Number | None) -> float | None:
    return float(number.value) if number is not None and number.value is not None else None


def _basis(number: Number | None) -> str | None:
    return number.basis if number is not None else None


def _low_high(number: Number | None) -> tuple[float | None, float | None]:
    if number is None:
        return None, None
    if number.value is not None:
        return float(number.value), float(number.value)
    return _float(number.low), _float(number.high)


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _studies(study: Study) -> Iterator[Row]:
    sizes = {size.what: size for size in reversed(study.participants)}
    main = study.reports[0]
    yield (
        study.id,
        study.label,
        study.status,
        study.status_reason,
        study.title,
        main.year,
        main.doi,
        study.design.type,
        "; ".join(study.design.countries),
        _value(study.design.sites),
        _float(study.design.follow_up_months),
        study.design.registration,
        study.design.developer_involved,
        study.population.analysis_group,
        "; ".join(study.population.tags),
        study.population.severe_mental_illness,
        study.population.description,
        _value(sizes.get("enrolled")),
        _value(sizes.get("randomised")),
        _value(sizes.get("analysed")),
        study.notes,
    )


def _reports(study: Study) -> Iterator[Row]:
    for r in study.reports:
        yield study.id, r.id, r.kind, r.citation, r.year, r.doi, r.pmid, r.pmcid, r.url, r.adds


def _sources(study: Study) -> Iterator[Row]:
    for key, s in study.sources.items():
        yield study.id, key, s.kind, s.read, s.date, s.report, s.cite, s.doi, s.pmid, s.pmcid, s.url, s.supports


def _participants(study: Study) -> Iterator[Row]:
    for size in study.participants:
        yield study.id, size.what, _value(size), size.basis, size.from_, size.at, size.rule


def _arms(study: Study) -> Iterator[Row]:
    for a in study.arms:
        n = a.n_randomised or a.n_entered
        yield study.id, a.id, a.treatment, a.allocation, a.label, _value(n), _basis(n), n.from_ if n else None


def _when(outcome: Outcome) -> tuple[Any, ...]:
    measured = outcome.measured
    return measured.window, _float(measured.from_), _float(measured.to)


def _readings(study: Study) -> Iterator[Row]:
    for outcome in study.outcomes:
        for r in outcome.readings:
            main = r.events or r.percent or r.mean or r.median or r.rate
            yield (
                study.id,
                outcome.id,
                outcome.concept,
                *_when(outcome),
                outcome.definition,
                outcome.ascertainment,
                r.arm,
                r.kind,
                r.of,
                _value(r.n),
                _basis(r.n),
                _value(r.events),
                _value(r.missing),
                _value(r.percent),
                _value(r.mean),
                _value(r.sd),
                _value(r.median),
                _value(r.rate),
                r.unit,
                _basis(main),
                main.as_printed if main else None,
                main.rule if main else None,
                main.from_ if main else None,
                main.at if main else None,
            )


def _contrasts(study: Study) -> Iterator[Row]:
    """Give a row for each outcome, denominator and pair of arms with counts, the arms in the order of the record."""
    treatment = {arm.id: arm.treatment for arm in study.arms}
    randomised = {arm.id for arm in study.arms if arm.allocation != "not-randomised"}
    for outcome in study.outcomes:
        whole = [r for r in outcome.readings if r.kind == "count" and r.where is None and r.period is None]
        for denominator in dict.fromkeys(r.of for r in whole):
            pairs = itertools.combinations([r for r in whole if r.of == denominator], 2)
            for one, two in pairs:
                bases = [b for r in (one, two) for n in (r.n, r.events) if (b := _basis(n)) is not None]
                yield (
                    study.id,
                    outcome.id,
                    outcome.concept,
                    *_when(outcome),
                    denominator,
                    one.arm,
                    two.arm,
                    treatment.get(one.arm),
                    treatment.get(two.arm),
                    one.arm in randomised and two.arm in randomised,
                    _value(one.events),
                    _value(one.n),
                    _value(two.events),
                    _value(two.n),
                    max(bases, key=list(BASIS).index) if bases else None,
                )


def _risk_of_bias(study: Study) -> Iterator[Row]:
    for outcome in study.outcomes:
        judged = outcome.risk_of_bias
        if judged is not None:
            for domain, judgement in (*judged.domains.items(), ("overall", judged.overall)):
                yield study.id, outcome.id, judged.tool, domain, judgement, "; ".join(judged.by), judged.date


def _alternatives(study: Study) -> Iterator[Row]:
    for outcome in study.outcomes:
        for group in outcome.alternatives:
            for number, counts in enumerate(group.counts, 1):
                pairs = zip(group.arms, counts[::2], counts[1::2], strict=True)
                for arm, events, n in pairs:
                    yield study.id, outcome.id, group.kind, group.of, number, arm, events, n, group.because


def _published_rows(study: Study, outcome: str | None, effects: tuple[Published, ...]) -> Iterator[Row]:
    for e in effects:
        low, high = e.ci or (None, None)
        yield (
            study.id,
            outcome,
            e.about,
            e.of,
            e.against,
            e.measure,
            _float(e.estimate),
            _float(low),
            _float(high),
            e.p,
            e.adjusted,
            e.from_,
            e.at,
            e.note,
        )


def _published(study: Study) -> Iterator[Row]:
    for outcome in study.outcomes:
        yield from _published_rows(study, outcome.id, outcome.published)
    yield from _published_rows(study, None, study.published)


def _stated(study: Study) -> Iterator[Row]:
    for s in study.stated:
        yield (
            study.id,
            s.of,
            s.against,
            s.concept,
            _float(s.months),
            s.direction,
            s.significant,
            s.as_printed,
            s.from_,
            s.at,
        )


def _programme_correlations(study: Study) -> Iterator[Row]:
    for c in study.programme_correlations:
        yield (
            study.id,
            c.scale,
            c.concept,
            c.definition,
            _value(c.programmes),
            _value(c.r),
            c.p,
            c.when,
            _basis(c.r),
            c.from_,
            c.at,
            c.note,
        )


def _fidelity(study: Study) -> Iterator[Row]:
    for f in study.fidelity:
        source = f.from_ or (f.score.from_ if f.score else None)
        yield (
            study.id,
            f.arm,
            f.scale,
            *_low_high(f.score),
            _float(f.maximum),
            _value(f.programmes),
            f.when,
            f.label_as_printed,
            _basis(f.score),
            source,
            f.note,
        )


def _services(study: Study) -> Iterator[Row]:
    s = study.service
    if s is not None:
        yield (
            study.id,
            s.funder,
            s.commissioner,
            s.provider,
            s.setting,
            s.region,
            s.years,
            s.referral_routes,
            s.integration,
            s.integration_as_printed,
            *_low_high(s.caseload),
            s.time_limit,
            *_low_high(s.cost_per_client),
            s.payment,
            s.delivers_ips,
            s.fidelity_aspired,
            s.fidelity_rated,
            s.from_,
        )


def _facts(study: Study) -> Iterator[Row]:
    for f in study.facts:
        yield study.id, f.what, f.as_printed, f.from_, f.at


def _doubts(study: Study) -> Iterator[Row]:
    for doubt in study.doubts:
        yield study.id, "doubt", None, doubt, None
    for d in study.disagreements:
        yield study.id, "disagreement", d.about, "; ".join(v.value for v in d.values), f"{d.taken}: {d.because}"


def _wanted(study: Study) -> Iterator[Row]:
    for w in study.wanted:
        yield study.id, w.what, w.where, w.unlocks


def _overlaps(study: Study) -> Iterator[Row]:
    for o in study.overlaps_with:
        yield study.id, o.id, o.how


def _fields(*lines: str) -> tuple[Field, ...]:
    """Read columns written as ``name: description``, with ``:n``, ``:i`` or ``:b`` for numbers, integers, booleans."""
    types: dict[str, FieldType] = {"n": "number", "i": "integer", "b": "boolean"}
    fields = []
    for line in lines:
        head, description = line.split(": ", 1)
        name, _, kind = head.partition(":")
        fields.append(Field(name, types.get(kind, "string"), description))
    return tuple(fields)


_STUDY = "study: Id of the study"
_FROM = "from: Id of the source, in the table sources"
_AT = "at: Place in the source"
_WHEN = ("window: When it was measured: vocabulary window", "from_month:n: First month", "to_month:n: Last month")

TABLES: dict[str, TidyTable] = {
    table.name: table
    for table in (
        TidyTable(
            name="studies",
            title="Studies, one row each",
            rows=_studies,
            fields=_fields(
                "study: Id of the study, and name of its file",
                "label: Short name for figures",
                "status: Vocabulary status",
                "status_reason: Why it is not simply included",
                "title: Title of the main report",
                "year:i: Year of the main report",
                "doi: DOI of the main report",
                "design: Vocabulary design",
                "countries: ISO 3166 codes, separated by semicolons",
                "sites:n: Number of sites",
                "follow_up_months:n: Longest follow-up in months",
                "registration: Trials register number",
                "developer_involved: Whether an author of the IPS model is among the authors",
                "analysis_group: Exclusive group by the written rule",
                "tags: Overlapping groups, separated by semicolons",
                "severe_mental_illness: Whether it was a condition of entry",
                "population: Who took part",
                "enrolled:n: Persons enrolled",
                "randomised:n: Persons randomised",
                "analysed:n: Persons in the main analysis",
                "notes: Remarks",
            ),
        ),
        TidyTable(
            name="reports",
            title="Papers, reports and register entries of each study",
            rows=_reports,
            fields=_fields(
                _STUDY,
                "report: Id of the report within the study",
                "kind: Vocabulary report kind",
                "citation: How to cite it",
                "year:i: Year",
                "doi: DOI",
                "pmid: PubMed id",
                "pmcid: PubMed Central id",
                "url: Address, where there is no DOI",
                "adds: What it adds",
            ),
        ),
        TidyTable(
            name="sources",
            title="What was read for each study",
            rows=_sources,
            fields=_fields(
                _STUDY,
                "source: Id of the source within the study",
                "kind: Vocabulary source kind",
                "read: How much of it was read",
                "date: When",
                "report: The study's own report, if it is one",
                "cite: The other publication, if it is one",
                "doi: DOI",
                "pmid: PubMed id",
                "pmcid: PubMed Central id",
                "url: Address",
                "supports: What it supports",
            ),
        ),
        TidyTable(
            name="participants",
            title="Every printed size of each study",
            rows=_participants,
            fields=_fields(
                _STUDY,
                "what: What the number counts",
                "value:n: Persons",
                "basis: Vocabulary basis",
                _FROM,
                _AT,
                "rule: How it was computed",
            ),
        ),
        TidyTable(
            name="arms",
            title="Arms",
            rows=_arms,
            fields=_fields(
                _STUDY,
                "arm: Id of the arm within the study",
                "treatment: Vocabulary treatment",
                "allocation: Vocabulary allocation",
                "label: What it was",
                "n:n: Persons randomised, or entered where nobody was randomised",
                "n_basis: Vocabulary basis",
                _FROM,
            ),
        ),
        TidyTable(
            name="readings",
            title="One arm's number for one outcome at one time",
            rows=_readings,
            fields=_fields(
                _STUDY,
                "outcome: Id of the outcome within the study",
                "concept: Vocabulary concept",
                *_WHEN,
                "definition: Definition in the source",
                "ascertainment: Where the outcome comes from",
                "arm: Id of the arm",
                "kind: Vocabulary reading kind",
                "of: Whom n counts",
                "n:n: Denominator",
                "n_basis: Basis of n",
                "events:n: Persons with the event",
                "missing:n: Persons of the arm whose outcome is not known",
                "percent:n: Percent as printed, where there is no count",
                "mean:n: Mean",
                "sd:n: Standard deviation",
                "median:n: Median",
                "rate:n: Rate",
                "unit: Unit of a mean, median or rate",
                "basis: Basis of the number",
                "as_printed: As printed",
                "rule: How it was computed",
                _FROM,
                _AT,
            ),
        ),
        TidyTable(
            name="contrasts",
            title="Two arms of a study with counts, as a two-by-two table",
            rows=_contrasts,
            fields=_fields(
                _STUDY,
                "outcome: Id of the outcome within the study",
                "concept: Vocabulary concept",
                *_WHEN,
                "of: Whom the denominators count",
                "arm1: Id of the first arm",
                "arm2: Id of the second arm",
                "treatment1: Treatment of the first arm",
                "treatment2: Treatment of the second arm",
                "randomised:b: Whether both arms were allocated at random",
                "ai:n: Persons with the event in the first arm",
                "n1i:n: Persons in the first arm",
                "ci:n: Persons with the event in the second arm",
                "n2i:n: Persons in the second arm",
                "basis: Weakest basis of the four numbers",
            ),
        ),
        TidyTable(
            name="risk_of_bias",
            title="Risk of bias, one row a domain of a result; nothing here means not assessed",
            rows=_risk_of_bias,
            fields=_fields(
                _STUDY,
                "outcome: Id of the outcome",
                "tool: Vocabulary risk-of-bias tool",
                "domain: Domain of the tool, or overall",
                "judgement: Vocabulary risk-of-bias judgement",
                "by: The two people who judged",
                "date: When",
            ),
        ),
        TidyTable(
            name="alternatives",
            title="Joint sets of counts that the sources leave open; one row an arm",
            rows=_alternatives,
            fields=_fields(
                _STUDY,
                "outcome: Id of the outcome",
                "kind: Vocabulary alternative kind",
                "of: Whom n counts",
                "set:i: Number of the joint set",
                "arm: Id of the arm",
                "events:i: Persons with the event",
                "n:i: Denominator",
                "because: Why it is open",
            ),
        ),
        TidyTable(
            name="published",
            title="Effects as printed",
            rows=_published,
            fields=_fields(
                _STUDY,
                "outcome: Id of the outcome; missing where the effect is the study's",
                "about: What it is about, where no outcome is named",
                "of: Id of the arm",
                "against: Id of the arm it is compared with",
                "measure: Vocabulary published measure",
                "estimate:n: Estimate",
                "ci_low:n: Lower bound",
                "ci_high:n: Upper bound",
                "p: P value as printed",
                "adjusted:b: Whether it is adjusted",
                _FROM,
                _AT,
                "note: Remark",
            ),
        ),
        TidyTable(
            name="stated",
            title="What is said of size and direction where no counts are printed",
            rows=_stated,
            fields=_fields(
                _STUDY,
                "of: Id of the arm",
                "against: Id of the arm it is compared with",
                "concept: Vocabulary concept",
                "months:n: Month",
                "direction: Vocabulary direction",
                "significant: Vocabulary significant",
                "as_printed: As printed",
                _FROM,
                _AT,
            ),
        ),
        TidyTable(
            name="fidelity",
            title="Fidelity scores and labels",
            rows=_fidelity,
            fields=_fields(
                _STUDY,
                "arm: Id of the arm",
                "scale: Vocabulary fidelity scale",
                "score_low:n: Score, or lower end of its range",
                "score_high:n: Score, or upper end of its range",
                "maximum:n: Highest possible score",
                "programmes:n: Programmes scored",
                "when: When it was scored",
                "label_as_printed: Label in the source",
                "basis: Vocabulary basis",
                _FROM,
                "note: Remark",
            ),
        ),
        TidyTable(
            name="programme_correlations",
            title="Correlations over programmes of fidelity with employment",
            rows=_programme_correlations,
            fields=_fields(
                _STUDY,
                "scale: Vocabulary fidelity scale",
                "concept: Vocabulary concept",
                "definition: What was correlated with the score",
                "programmes:n: Programmes, sites or cohorts",
                "r:n: Correlation",
                "p: The p value as printed",
                "when: When it was measured",
                "basis: Vocabulary basis",
                _FROM,
                _AT,
                "note: Remark",
            ),
        ),
        TidyTable(
            name="services",
            title="Routine services and schemes",
            rows=_services,
            fields=_fields(
                _STUDY,
                "funder: Who pays",
                "commissioner: Who commissions",
                "provider: Who provides",
                "setting: Where",
                "region: Region",
                "years: Years",
                "referral_routes: Who refers",
                "integration: Vocabulary integration",
                "integration_as_printed: In the source's words",
                "caseload_low:n: Caseload of a specialist, or lower end",
                "caseload_high:n: Caseload of a specialist, or upper end",
                "time_limit: Limit of support",
                "cost_low:n: Cost per client, or lower end, in the source's currency",
                "cost_high:n: Cost per client, or upper end",
                "payment: How providers are paid",
                "delivers_ips: Whether it delivers IPS",
                "fidelity_aspired: Fidelity aspired to",
                "fidelity_rated: Fidelity as rated",
                _FROM,
            ),
        ),
        TidyTable(
            name="facts",
            title="What sources state beyond outcomes; never pooled",
            rows=_facts,
            fields=_fields(
                _STUDY,
                "what: What it is about",
                "as_printed: Figures and key phrases as printed, else condensed",
                _FROM,
                _AT,
            ),
        ),
        TidyTable(
            name="doubts",
            title="Doubts, and disagreements between sources",
            rows=_doubts,
            fields=_fields(
                _STUDY,
                "kind: Doubt or disagreement",
                "about: What sources disagree about",
                "text: The doubt, or the values",
                "taken: Which value was taken, and why",
            ),
        ),
        TidyTable(
            name="wanted",
            title="Numbers that are missing or only reconstructed",
            rows=_wanted,
            fields=_fields(
                _STUDY,
                "what: What is missing",
                "where: Where it should be printed",
                "unlocks: What it would make possible",
            ),
        ),
        TidyTable(
            name="overlaps",
            title="Records that share participants",
            rows=_overlaps,
            fields=_fields(_STUDY, "other: Id of the other record", "how: How they overlap"),
        ),
    )
}
"""Every table, in the order of the data dictionary."""
