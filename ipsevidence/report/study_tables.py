"""Tables of the studies of an analysis from their records: what they are, risk of bias, what to know of their data."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ipsevidence.dataset.fidelity import SCALES, band
from ipsevidence.dataset.vocabulary import (
    ANALYSIS_GROUP,
    ASCERTAINMENT,
    BIAS_JUDGEMENT,
    COUNTRY,
    DESIGN,
    SCALE,
    YES_NO,
)
from ipsevidence.figures.numbers import EN_DASH
from ipsevidence.report.table import Table, make
from ipsevidence.report.tables import persons

if TYPE_CHECKING:
    from ipsevidence.analysis.rows import StudyRow
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset
    from ipsevidence.dataset.record import FidelityScore, Number, Outcome, Study

__all__ = ["characteristics", "conduct", "data_notes", "fidelity_text", "risk_of_bias"]


def characteristics(analysis: "AnalysisRun", dataset: "Dataset") -> Table:
    """Where, with whom, what against what, how many, how long, and fidelity on its own scale."""
    rows = (
        (
            row.label,
            ", ".join(COUNTRY[code].label for code in study.design.countries),
            ANALYSIS_GROUP[study.population.analysis_group].label,
            str(row.extra.get("intervention", "")),
            str(row.extra.get("comparator", "")),
            persons(row.participants),
            f"{row.extra['months']:g}" if isinstance(row.extra.get("months"), float) else EN_DASH,
            "; ".join(map(fidelity_text, study.fidelity)) or "not stated",
        )
        for row, study in _records(analysis, dataset)
    )
    heading = "Study|Where|Population|Intervention|Comparator|#Participants|#Months|Fidelity"
    notes = ("Scores stand on their own scales; those of two scales are not compared.",)
    return make("Characteristics of the studies", heading, rows, notes)


def conduct(analysis: "AnalysisRun", dataset: "Dataset") -> Table:
    """How the studies were made: design, registration, ascertainment, blinding, developers among the trialists."""
    rows = []
    for row, study in _records(analysis, dataset):
        outcome = _outcome(row, study)
        told = outcome.ascertainment if outcome else None
        rows.append(
            (
                row.label,
                DESIGN[study.design.type].label,
                study.design.registration or "not recorded",
                ASCERTAINMENT[told].label if told else "not recorded",
                _yes_no(outcome.assessor_blinded if outcome else None),
                _yes_no(study.design.developer_involved),
            )
        )
    heading = "Study|Design|Registration|Outcome known from|Assessors blinded|Author of the IPS model among the authors"
    return make("How the studies were made", heading, rows)


def risk_of_bias(analysis: "AnalysisRun", dataset: "Dataset") -> Table:
    """Risk of bias of the results in the pool that two named people have judged; no row for any other."""
    rows = []
    for row, study in _records(analysis, dataset):
        outcome = _outcome(row, study)
        found = outcome.risk_of_bias if outcome else None
        if found is not None:
            domains = "; ".join(f"{key}: {BIAS_JUDGEMENT[value].label}" for key, value in found.domains.items())
            overall = BIAS_JUDGEMENT[found.overall].label
            rows.append((row.label, overall, domains, " and ".join(found.by), found.date, found.because or ""))
    return make("Risk of bias", "Study|Overall|Domains|Judged by|On|Why", rows)


def data_notes(analysis: "AnalysisRun", dataset: "Dataset") -> Table:
    """Doubts, disagreements of sources and accepted findings of the records in the pool, one row each."""
    rows = [
        (row.label, kind, text)
        for row, study in _records(analysis, dataset)
        for kind, text in (*_choice(row), *_notes_of(study))
    ]
    return make("Notes on the records used", "Study|What|In words", rows)


def fidelity_text(score: "FidelityScore") -> str:
    """Write a fidelity score with its scale and its band on that scale."""
    parts = [f"{SCALE[score.scale].label}:"]
    if score.score is not None:
        maximum = f" of {score.maximum}" if score.maximum is not None else ""
        parts.append(f"{_number(score.score)}{maximum}")
        where = _band(score)
        parts += [f"({where})"] if where else []
    if score.label_as_printed:
        parts.append(f"printed as \u201c{score.label_as_printed}\u201d")
    return " ".join(parts) if len(parts) > 1 else f"{parts[0]} no score"


def _band(score: "FidelityScore") -> str:
    value = score.score.value if score.score is not None else None
    # An average per item, or a score of another maximum, is not on the scale of the bands.
    whole = SCALES[score.scale].items if score.scale in SCALES else None
    if value is None or whole is None or (score.maximum is not None and int(score.maximum) != 5 * whole):
        return ""
    if not whole <= float(value) <= 5 * whole:
        return ""
    found = band(score.scale, float(value))
    return found.label if found else ""


def _number(number: "Number") -> str:
    return f"{number.value}" if number.value is not None else f"{number.low}{EN_DASH}{number.high}"


def _records(analysis: "AnalysisRun", dataset: "Dataset") -> Iterator[tuple["StudyRow", "Study"]]:
    """Give the rows that have a record: what a published review entered may have none."""
    return ((row, dataset[row.id]) for row in analysis.rows if row.id in dataset)


def _outcome(row: "StudyRow", study: "Study") -> "Outcome | None":
    return next((one for one in study.outcomes if one.id == row.extra.get("outcome")), None)


def _yes_no(value: str | None) -> str:
    return YES_NO[value].label if value else "not recorded"


def _choice(row: "StudyRow") -> Iterator[tuple[str, str]]:
    if row.extra.get("because"):
        yield "choice of the analysis", str(row.extra["because"])


def _notes_of(study: "Study") -> Iterator[tuple[str, str]]:
    for doubt in study.doubts:
        yield "doubt", doubt
    for one in study.disagreements:
        values = "; ".join(value.value for value in one.values)
        yield "sources disagree", f"{one.about}: {values}. Taken: {one.taken}, because {one.because}"
    for accepted in study.accept:
        place = f" at {accepted.at}" if accepted.at else ""
        yield "accepted finding", f"{accepted.check}{place}: {accepted.because} ({accepted.by}, {accepted.date})"
