"""The dataset as tidy tables: one row a thing, every column described, for people who analyse elsewhere."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal, TypeAlias

from ipsevidence.dataset import table_rows
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.table_rows import Row

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "Field", "TidyTable", "frames"]

FieldType: TypeAlias = Literal["string", "number", "integer", "boolean"]


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
            rows=table_rows.studies,
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
            rows=table_rows.reports,
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
            rows=table_rows.sources,
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
            rows=table_rows.participants,
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
            rows=table_rows.arms,
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
            rows=table_rows.readings,
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
            rows=table_rows.contrasts,
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
            rows=table_rows.risk_of_bias,
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
            rows=table_rows.alternatives,
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
            rows=table_rows.published,
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
            rows=table_rows.stated,
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
            rows=table_rows.fidelity,
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
            rows=table_rows.programme_correlations,
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
            rows=table_rows.services,
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
            rows=table_rows.facts,
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
            rows=table_rows.doubts,
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
            rows=table_rows.wanted,
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
            rows=table_rows.overlaps,
            fields=_fields(_STUDY, "other: Id of the other record", "how: How they overlap"),
        ),
    )
}
"""Every table, in the order of the data dictionary."""
