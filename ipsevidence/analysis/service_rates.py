"""Employment rates of services and single groups, by kind: what they count, over what time, among whom.

A rate says nothing without its kind. One reading of a kind is taken from each group, so that a cohort counts once,
and nothing is pooled here: means are drawn by specs of their own, within one kind.
"""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from ipsevidence.analysis.rates import rate_interval
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.fidelity import SCALES
from ipsevidence.dataset.record import Arm, FidelityScore, Number, Outcome, Reading, Study
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, BASIS, CONCEPT, DENOMINATOR, DESIGN, TREATMENT, WINDOW

__all__ = ["ServiceRate", "service_rates"]

_DESIGNS: Final = ("routine-service", "single-arm", "quasi-experimental")
_TREATMENTS: Final = ("ips", "ips-adapted", "ips-augmented", "ips-bundle", "supported-employment", "mixed-programme")
_CONCEPTS: Final = (
    "competitive-employment",
    "any-paid-work",
    "employed-at-date",
    "job-start",
    "sustained-job",
    "quarterly-employment",
    "work-or-education",
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRate:
    """One rate of one group.

    Attributes
    ----------
    study, label : str
        The record.
    arm, treatment : str
        What the group was given, as the record labels it and by the vocabulary.
    design, group : str
        Labels of design and population.
    kind : str
        Concept and window: rates of different kinds are never compared.
    months : float
        Months from entry; nan where not stated.
    of : str
        Whom the denominator counts; empty where not stated.
    events, n : float
        Counts; nan where only a percent was printed.
    rate, low, high : float
        Share of 1 with its Wilson interval (95%); no interval without counts.
    basis : str
        Weakest basis of the numbers.
    period : str
        Calendar time or part of the service, as printed; empty for all of it.
    fidelity : str
        Score or label of the group; empty where none was read.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "study",
        "programme",
        "population",
        "kind",
        "months",
        "among",
        "events",
        "n",
        "rate",
        "low",
        "high",
        "basis",
        "period",
        "fidelity",
    )
    study: str
    label: str
    arm: str
    treatment: str
    design: str
    group: str
    kind: str
    months: float
    of: str
    events: float
    n: float
    rate: float
    low: float
    high: float
    basis: str
    period: str
    fidelity: str

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return the one row of this rate."""
        numbers = (self.events, self.n, self.rate, self.low, self.high)
        head = (self.label, TREATMENT[self.treatment].label, self.group, self.kind, self.months, self.of)
        return [(*head, *numbers, self.basis, self.period, self.fidelity)]

    def to_dict(self) -> dict[str, Any]:
        """Return the rate as plain data."""
        return dataclasses.asdict(self)


def service_rates(dataset: Dataset) -> tuple[ServiceRate, ...]:
    """Return the employment rates of services, single-arm studies and the programmes of quasi-experiments.

    Parameters
    ----------
    dataset : Dataset
        The records; those included count.

    Returns
    -------
    tuple of ServiceRate
        By kind, then from the highest rate. Of several readings of one kind in one group, the one of the whole group
        goes before that of a part, counts before percents, and the longest follow-up before a shorter one, then
        more persons before fewer.
    """
    found = [
        rate
        for study in dataset
        if study.status == "included" and study.design.type in _DESIGNS
        for arm in study.arms
        if arm.treatment in _TREATMENTS
        for rate in _of_arm(study, arm)
    ]
    return tuple(sorted(found, key=lambda rate: (rate.kind, -rate.rate, rate.label, rate.arm)))


def _of_arm(study: Study, arm: Arm) -> Iterator[ServiceRate]:
    best: dict[str, tuple[tuple[bool, bool, float, float], Outcome, Reading]] = {}
    for outcome in study.outcomes:
        if outcome.concept not in _CONCEPTS:
            continue
        window = outcome.measured.window
        when = "time not stated" if window == "not-stated" else WINDOW[window].label
        kind = f"{CONCEPT[outcome.concept].label}, {when}"
        for reading in outcome.readings:
            if reading.arm != arm.id or reading.where is not None or math.isnan(_share(reading)):
                continue
            months = -1.0 if outcome.measured.to is None else float(outcome.measured.to)
            if months == 0:
                continue  # what was so at entry is no result
            rank = (reading.period is None, reading.kind == "count", months, _float(reading.n) if reading.n else 0.0)
            if kind not in best or rank >= best[kind][0]:
                best[kind] = (rank, outcome, reading)
    for kind, (_, outcome, reading) in best.items():
        yield _rate(study, arm, kind, outcome, reading)


def _rate(study: Study, arm: Arm, kind: str, outcome: Outcome, reading: Reading) -> ServiceRate:
    counted = reading.kind == "count"
    events, n = (_float(reading.events), _float(reading.n)) if counted else (math.nan, math.nan)
    bounds = rate_interval(events, n) if counted else None
    numbers = [number for number in (reading.events, reading.n, reading.percent) if number is not None]
    order = list(BASIS)
    weakest = max((number.basis or "reconstructed" for number in numbers), key=order.index)
    return ServiceRate(
        study=study.id,
        label=study.label,
        arm=arm.label,
        treatment=arm.treatment,
        design=DESIGN[study.design.type].label,
        group=ANALYSIS_GROUP[study.population.analysis_group].label,
        kind=kind,
        months=_float(outcome.measured.to),
        of=DENOMINATOR[reading.of].label if reading.of else "",
        events=events,
        n=n,
        rate=_share(reading),
        low=bounds.low if bounds else math.nan,
        high=bounds.high if bounds else math.nan,
        basis=weakest,
        period=reading.period or "",
        fidelity="; ".join(_fidelity(score) for score in study.fidelity if score.arm in (None, arm.id)),
    )


def _share(reading: Reading) -> float:
    if reading.kind == "count":
        events, n = _float(reading.events), _float(reading.n)
        return events / n if n > 0 else math.nan
    return _float(reading.percent) / 100 if reading.kind == "percent" else math.nan


def _float(value: Any) -> float:
    """Return a number of a record as a float; nan for a range or where there is none."""
    plain = value.value if isinstance(value, Number) else value
    return math.nan if plain is None else float(plain)


def _fidelity(score: FidelityScore) -> str:
    scale = SCALES[score.scale].label if score.scale in SCALES else "scale not stated"
    if score.score is None:
        return f"{score.label_as_printed or 'no score'} ({scale})"
    low, high = score.score.low, score.score.high
    value = f"{score.score.value}" if score.score.value is not None else f"{low} to {high}"
    return f"{value} of {score.maximum} ({scale})" if score.maximum else f"{value} ({scale})"
