"""What the dataset holds and what it lacks: counts, the map of populations and comparators, the wanted numbers."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping

from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Outcome, Study
from ipsevidence.dataset.vocabulary import (
    ANALYSIS_GROUP,
    BASIS,
    COMPARATORS,
    COUNTRY,
    DESIGN,
    INTERVENTIONS,
    STATUS,
    TREATMENT,
)

__all__ = [
    "FILTERS",
    "NO_COUNTS",
    "ORDERS",
    "Filter",
    "MapCell",
    "WantedNumber",
    "best_basis",
    "evidence_map",
    "find",
    "size",
    "stats",
    "wanted",
]

NO_COUNTS = "no two-arm counts"
_ORDER = list(BASIS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class WantedNumber:
    """A number that nobody could read yet: whose, what, where it should stand, and what it would make possible."""

    study: str
    label: str
    participants: float | None
    what: str
    where: str
    unlocks: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class MapCell:
    """Studies of one population against one kind of comparator, by the best basis of their counts."""

    group: str
    comparator: str
    studies: tuple[str, ...]
    bases: dict[str, int]


def size(study: Study) -> float | None:
    """Return the largest claim a study makes on participants: randomised, else enrolled, entrants, analysed."""
    sizes = {number.what: number.value for number in study.participants if number.value is not None}
    for what in ("randomised", "enrolled", "entrants", "analysed"):
        if what in sizes:
            return float(sizes[what])
    return None


def best_basis(study: Study) -> str:
    """Return the basis of the study's best two-arm counts: the weakest number of its strongest outcome.

    Parameters
    ----------
    study : Study
        A record.

    Returns
    -------
    str
        A key of the vocabulary BASIS, or `NO_COUNTS` where no outcome has counts in two arms.
    """
    found = [basis for outcome in study.outcomes for basis in _bases(outcome)]
    return min(found, key=_ORDER.index) if found else NO_COUNTS


def _bases(outcome: Outcome) -> list[str]:
    by_denominator: dict[str, dict[str, str]] = {}
    for reading in outcome.readings:
        if reading.kind == "count" and reading.of and reading.n is not None and reading.events is not None:
            weakest = max((number.basis or "reconstructed" for number in (reading.n, reading.events)), key=_ORDER.index)
            by_denominator.setdefault(reading.of, {})[reading.arm] = weakest
    return [max(arms.values(), key=_ORDER.index) for arms in by_denominator.values() if len(arms) > 1]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A way to choose studies: what of a study is looked at, and the values it may have (None: any text)."""

    values: Callable[[Study], tuple[str, ...]]
    allowed: Mapping[str, object] | None


FILTERS: dict[str, Filter] = {
    "group": Filter(values=lambda study: (study.population.analysis_group,), allowed=ANALYSIS_GROUP),
    "tag": Filter(values=lambda study: study.population.tags, allowed=None),
    "status": Filter(values=lambda study: (study.status,), allowed=STATUS),
    "design": Filter(values=lambda study: (study.design.type,), allowed=DESIGN),
    "country": Filter(values=lambda study: study.design.countries, allowed=COUNTRY),
    "treatment": Filter(values=lambda study: tuple(arm.treatment for arm in study.arms), allowed=TREATMENT),
    "basis": Filter(values=lambda study: (best_basis(study),), allowed=BASIS),
}
"""Filters of the list of studies, by the name that a user gives."""

ORDERS: dict[str, Callable[[Study], tuple[object, ...]]] = {
    "id": lambda study: (study.id,),
    "year": lambda study: (study.reports[0].year or 0, study.id),
    "participants": lambda study: (-(size(study) or 0), study.id),
    "group": lambda study: (list(ANALYSIS_GROUP).index(study.population.analysis_group), study.id),
    "basis": lambda study: ([*_ORDER, NO_COUNTS].index(best_basis(study)), study.id),
}
"""Orders of the list of studies; participants with the largest first."""


def find(dataset: Dataset, wanted: Mapping[str, str], sort: str = "id") -> tuple[Study, ...]:
    """Return the studies that meet every filter, in order.

    Parameters
    ----------
    dataset : Dataset
        The records.
    wanted : mapping of str to str
        Values by the names of `FILTERS`; a study must have each of them.
    sort : str
        Key of `ORDERS`.

    Returns
    -------
    tuple of Study
    """
    chosen = [s for s in dataset if all(value in FILTERS[name].values(s) for name, value in wanted.items())]
    return tuple(sorted(chosen, key=ORDERS[sort]))


def stats(dataset: Dataset) -> dict[str, dict[str, int]]:
    """Count the studies by status, design, group, country, basis of their best counts, and fidelity scale.

    Parameters
    ----------
    dataset : Dataset
        The records.

    Returns
    -------
    dict of str to dict of str to int
        For each heading the counts by key, largest first; a study may count under several countries or scales.
    """
    comparative = [study for study in dataset if len(study.arms) > 1]
    headings = {
        "status": [study.status for study in dataset],
        "design": [study.design.type for study in dataset],
        "analysis group": [study.population.analysis_group for study in dataset],
        "country": [country for study in dataset for country in study.design.countries],
        "basis of the best two-arm counts, studies with two arms or more": [best_basis(s) for s in comparative],
        "fidelity scale": [scale for study in dataset for scale in sorted({f.scale for f in study.fidelity})],
    }
    return {heading: dict(Counter(sorted(keys)).most_common()) for heading, keys in headings.items()}


def evidence_map(dataset: Dataset) -> tuple[MapCell, ...]:
    """Return the cells of population by comparator that hold a study, in the order of the vocabularies."""
    cells: dict[tuple[str, str], list[Study]] = {}
    for study in dataset:
        treatments = [arm.treatment for arm in study.arms]
        interventions = [treatment for treatment in treatments if treatment in INTERVENTIONS]
        against = sorted({treatment for treatment in treatments if treatment in COMPARATORS})
        # Where IPS is compared with IPS plus something, IPS is the comparator.
        for comparator in against or (["ips"] if len(interventions) > 1 else ["none"]):
            cells.setdefault((study.population.analysis_group, comparator), []).append(study)
    return tuple(
        MapCell(
            group=group,
            comparator=comparator,
            studies=tuple(study.id for study in studies),
            bases=dict(Counter(best_basis(study) for study in studies)),
        )
        for (group, comparator), studies in sorted(cells.items())
    )


def wanted(dataset: Dataset) -> tuple[WantedNumber, ...]:
    """Return every wanted number, those of the largest studies first."""
    numbers = [
        WantedNumber(
            study=study.id,
            label=study.label,
            participants=size(study),
            what=item.what,
            where=item.where,
            unlocks=item.unlocks or "",
        )
        for study in dataset
        for item in study.wanted
    ]
    return tuple(sorted(numbers, key=lambda number: (-(number.participants or 0), number.study)))
