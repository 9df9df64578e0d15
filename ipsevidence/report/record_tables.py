"""The tables of the dataset: the list of studies, and one study with every number beside its source."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ipsevidence.dataset.overview import best_basis, size
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS, CONCEPT, DESIGN, STATUS, TREATMENT, WINDOW, Term
from ipsevidence.figures.numbers import EN_DASH, Numerals
from ipsevidence.report.table import Table, make

if TYPE_CHECKING:
    from ipsevidence.dataset.overview import MapCell, WantedNumber
    from ipsevidence.dataset.record import Number, Outcome, Study

__all__ = ["map_table", "stats_tables", "study_list", "study_page", "wanted_table"]

_WRITE = Numerals()


def study_list(studies: Iterable["Study"]) -> Table:
    """One row a study."""
    rows = (
        (
            study.id,
            DESIGN[study.design.type].label,
            ", ".join(study.design.countries),
            ANALYSIS_GROUP[study.population.analysis_group].label,
            _WRITE.count(participants) if (participants := size(study)) is not None else "",
            STATUS[study.status].label,
            best_basis(study) if len(study.arms) > 1 else "",
        )
        for study in studies
    )
    return make("", "Id|Design|Where|Group|#Participants|Status|Best counts", rows)


def stats_tables(counts: dict[str, dict[str, int]]) -> Iterator[Table]:
    """One table for each heading of the counts."""
    for heading, by_key in counts.items():
        yield make("", f"{heading[0].upper()}{heading[1:]}|#Studies", ((key, f"{n}") for key, n in by_key.items()))


def map_table(cells: Iterable["MapCell"]) -> Table:
    """Populations down, comparators across: studies, and in brackets those with reported or derived counts."""
    found = {(cell.group, cell.comparator): cell for cell in cells}
    names = TREATMENT | {"none": Term("none", "no comparison", "")}
    across = [key for key in names if any(comparator == key for _, comparator in found)]
    down = [key for key in ANALYSIS_GROUP if any(group == key for group, _ in found)]

    def shown(cell: "MapCell | None") -> str:
        if cell is None:
            return ""
        return f"{len(cell.studies)} ({cell.bases.get('reported', 0) + cell.bases.get('derived', 0)})"

    rows = ((ANALYSIS_GROUP[group].label, *(shown(found.get((group, key))) for key in across)) for group in down)
    return make(
        "Studies by population and comparator", "|".join(["Population", *(f"#{names[k].label}" for k in across)]), rows
    )


def wanted_table(numbers: Iterable["WantedNumber"]) -> Table:
    """One row a wanted number."""
    rows = (
        (n.study, _WRITE.count(n.participants) if n.participants is not None else "", n.what, n.where, n.unlocks)
        for n in numbers
    )
    return make(
        "Wanted numbers", "Study|#Participants|What is missing|Where it should be printed|What it unlocks", rows
    )


def study_page(study: "Study") -> Iterator[Table | str]:
    """Show a record: what it is, its numbers beside their sources, its doubts and what is wanted."""
    yield f"{study.label} ({study.id}): {study.population.description}"
    yield make(
        "Arms",
        "Arm|Treatment|Label|#Randomised|Basis",
        (
            (a.id, TREATMENT[a.treatment].label, a.label, _value(a.n_randomised), _basis(a.n_randomised))
            for a in study.arms
        ),
    )
    for outcome in study.outcomes:
        if outcome.readings:
            yield _outcome_table(outcome)
        if outcome.published:
            yield _published_table(outcome)
    if study.fidelity:
        yield make(
            "Fidelity",
            "Scale|#Score|#Of|When|Label as printed|Source",
            (
                (
                    f.scale,
                    _value(f.score),
                    f"{f.maximum or EN_DASH}",
                    f.when or "",
                    f.label_as_printed or "",
                    f.from_ or (f.score.from_ if f.score else "") or "",
                )
                for f in study.fidelity
            ),
        )
    yield make(
        "Sources",
        "Source|Kind|Read|What",
        ((key, s.kind, s.read, s.cite or _report(study, s.report)) for key, s in study.sources.items()),
    )
    lists = {
        "Facts, never pooled": [f"{fact.what}: {fact.as_printed} ({fact.from_})" for fact in study.facts],
        "Disagreements": [
            f"{d.about}: {'; '.join(value.value for value in d.values)}. Taken: {d.taken}, because {d.because}"
            for d in study.disagreements
        ],
        "Doubts": study.doubts,
        "Wanted": [f"{w.what} ({w.where})" for w in study.wanted],
    }
    for title, texts in lists.items():
        if texts:
            yield "\n".join([title, *(f"- {text}" for text in texts)])


def _outcome_table(outcome: "Outcome") -> Table:
    months = f"{outcome.measured.to:g} months" if outcome.measured.to is not None else "time not stated"
    title = f"{outcome.id}: {CONCEPT[outcome.concept].label}, {WINDOW[outcome.measured.window].label}, {months}"
    rows = []
    for reading in outcome.readings:
        number = next(
            n for n in (reading.events, reading.percent, reading.mean, reading.median, reading.rate) if n is not None
        )
        rule = " ".join(filter(None, (number.rule, f"printed {number.as_printed}" if number.as_printed else "")))
        rows.append(
            (
                reading.arm,
                reading.of or "",
                _value(number),
                _value(reading.n),
                _basis(number),
                number.from_ or "",
                rule,
            )
        )
    notes = [f"alternatives ({a.kind}): {len(a.counts)} joint sets; {a.because}" for a in outcome.alternatives]
    return make(title, "Arm|Of|#Value|#n|Basis|Source|How", rows, notes)


def _published_table(outcome: "Outcome") -> Table:
    return make(
        f"{outcome.id}: printed effects",
        "Measure|#Estimate|#Interval|p|Adjusted|Source|Remark",
        (
            (
                effect.measure,
                f"{effect.estimate}" if effect.estimate is not None else EN_DASH,
                f"{effect.ci[0]} to {effect.ci[1]}" if effect.ci else EN_DASH,
                effect.p or "",
                {True: "yes", False: "no", None: "not stated"}[effect.adjusted],
                effect.from_,
                effect.note or "",
            )
            for effect in outcome.published
        ),
    )


def _value(number: "Number | None") -> str:
    if number is None:
        return ""
    return f"{number.value}" if number.value is not None else f"{number.low}{EN_DASH}{number.high}"


def _basis(number: "Number | None") -> str:
    return BASIS[number.basis].label if number is not None and number.basis else ""


def _report(study: "Study", report_id: str | None) -> str:
    return next((report.citation for report in study.reports if report.id == report_id), "")
