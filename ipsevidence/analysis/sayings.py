"""What a record prints or states on a contrast, and what of it comes first where nothing can be pooled."""

import math
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from ipsevidence.analysis.arms import admitted, sides, sizes_of_arms
from ipsevidence.analysis.rows import Counts
from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.arithmetic import RATIOS, log_symmetric
from ipsevidence.dataset.record import Arm, Number, Outcome, Published, Quantity, Reading, StatedEffect, Study
from ipsevidence.dataset.vocabulary import BASIS, CONCEPT, WINDOW

__all__ = ["Percents", "Saying", "foremost", "sayings"]

_NUMBERS: Final = frozenset({"OR", "RR", "RD", "percentage-points"})
_IN_WORK: Final = frozenset(
    {
        "competitive-employment",
        "any-paid-work",
        "steady-employment",
        "employed-at-date",
        "work-or-education",
        "work-participation",
        "job-retention",
        "job-start",
        "sustained-job",
        "quarterly-employment",
    }
)
"""Concepts that count persons; the others are of education, time or money."""

_PERCENT: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)\s?%")
_ORDER: Final = {key: place for place, key in enumerate(BASIS)}


class Percents(NamedTuple):
    """Percent with the event in the arms of interest (1) and in the others (2), and whether a model gave it."""

    first: float
    second: float
    modelled: bool


class Saying(NamedTuple):
    """A printed effect, counts, percents or a statement, with what ranks it; just one of the four is given.

    Attributes
    ----------
    rank : tuple
        What comes first sorts first: see `sayings`.
    concept, window : str
        What it is about: keys of `vocabulary.CONCEPT` and `vocabulary.WINDOW`; a statement has no window.
    months : float
        When that was measured; nan where not known.
    number, counts, percents, stated
        The one that is given.
    """

    rank: tuple[Any, ...]
    concept: str
    window: str
    months: float
    number: Published | None = None
    counts: Counts | None = None
    percents: Percents | None = None
    stated: StatedEffect | None = None

    @property
    def words(self) -> str:
        """The effect as printed, the counts, the percents or the words."""
        if self.counts is not None:
            one = self.counts
            return f"{one.events1:g}/{one.n1:g} v {one.events2:g}/{one.n2:g}"
        if self.percents is not None:
            modelled = ", from a model" if self.percents.modelled else ""
            return f"{self.percents.first:g}% v {self.percents.second:g}%{modelled}"
        if self.number is None:
            return self.stated.as_printed if self.stated else ""
        effect, points = self.number, self.number.measure == "percentage-points"
        text = f"{effect.estimate} percentage points" if points else f"{effect.measure} {effect.estimate}"
        bounds = f" ({effect.ci[0]} to {effect.ci[1]})" if effect.ci else ""
        return f"{text}{bounds}{', adjusted' if effect.adjusted else ''}"


def sayings(spec: Spec, study: Study, *, numbers: bool = True) -> Iterator[Saying]:
    """Yield all that was printed or stated on the contrast of an analysis, each with its rank.

    Parameters
    ----------
    spec : Spec
        The analysis.
    study : Study
        The record.
    numbers : bool
        Whether numbers are looked at, or statements alone.

    Yields
    ------
    Saying
        A concept of the analysis ranks first, then another of being in work, then the rest (of which only statements
        are taken). Within these: numbers before statements; windows of the analysis, in its order, before others, in
        that of the vocabulary; the month nearest to that of the analysis, of two as near the later; the order of the
        concepts; an unadjusted effect on the measure of the analysis, then counts, then percents, then effects that
        are adjusted or on another measure; an effect with an interval before one without; the order in the record.

    Notes
    -----
    Numbers are within the limit of basis. A ratio whose interval is not symmetric on the log scale, as far as its
    digits tell, is not taken. Percents are those of all arms of both sides with one denominator; arms of one side are
    averaged by their sizes, or evenly where these are not known. A percent that no whole number of persons gives
    counts as printed, although the count beside it is approximate.
    """
    of, against = sides(spec, study)
    pairs = {(one.id, other.id) for one in of for other in against}
    if not pairs:
        return  # a single arm has no effect, and nothing is said of one
    for outcome in study.outcomes if numbers else ():
        if _tier(spec, outcome.concept) < 2:
            yield from _numbers(spec, study, outcome, (of, against))
    for stated in study.stated:
        if (stated.of, stated.against) in pairs:
            rank = (_tier(spec, stated.concept), 1, 0, *_time(spec, stated.months), _place(spec, stated.concept))
            yield Saying(rank, stated.concept, "", _month(stated.months), stated=stated)


def foremost(said: Iterable[Saying]) -> Saying | None:
    """Return what comes first; mixed where statements of the same rank, concept aside, contradict each other.

    Parameters
    ----------
    said : iterable of Saying

    Returns
    -------
    Saying or None
        None where there is nothing.
    """
    every = list(said)
    first = min(every, key=lambda one: one.rank, default=None)
    if first is None or first.stated is None:
        return first
    same = [one.stated for one in every if one.stated and one.rank[:-1] == first.rank[:-1]]
    if len({one.direction for one in same}) == 1:
        return first
    words = "; ".join(dict.fromkeys(f"{CONCEPT[one.concept].label}: {one.as_printed}" for one in same))
    mixed = first.stated.model_copy(update={"direction": "mixed", "significant": "not-stated", "as_printed": words})
    return first._replace(stated=mixed)


def _numbers(spec: Spec, study: Study, outcome: Outcome, arms: tuple[list[Arm], list[Arm]]) -> Iterator[Saying]:
    """Yield the printed effects, the counts and the percents of one outcome."""
    of, against = arms
    to, window, about = outcome.measured.to, outcome.measured.window, outcome.concept
    when = (_window(spec, window), *_time(spec, to), _place(spec, about))
    rank, where = (_tier(spec, about), 0, *when), (about, window, _month(to))
    for position, effect in enumerate(outcome.published):
        here = any((one.id, other.id) == (effect.of, effect.against) for one in of for other in against)
        if here and _usable(effect) and _ORDER[effect.basis] <= _ORDER[spec.studies.weakest_basis]:
            kind = 3 * (effect.measure != spec.effect.measure) + 3 * bool(effect.adjusted)
            yield Saying((*rank, kind, effect.ci is None, position), *where, number=effect)
    table = _counts(spec, outcome, of, against)
    if table is not None:
        yield Saying((*rank, 1, False, 0), *where, counts=table)
    percents = _percents(spec, study, outcome, arms)
    if percents is not None:
        yield Saying((*rank, 2, percents.modelled, 0), *where, percents=percents)


def _tier(spec: Spec, concept: str) -> int:
    """Return 0 for a concept of the analysis, 1 for another of being in work, 2 for the rest."""
    return 0 if concept in spec.outcome.concepts else 1 if concept in _IN_WORK else 2


def _window(spec: Spec, window: str) -> int:
    return list(dict.fromkeys((*spec.outcome.windows, *WINDOW))).index(window)


def _time(spec: Spec, to: Quantity | None) -> tuple[float, float]:
    """Return the distance from the month of the analysis, the later first of two as near."""
    if to is None:
        return math.inf, 0.0
    return abs(float(to - spec.outcome.near_month)), -float(to)


def _place(spec: Spec, concept: str) -> int:
    return list(dict.fromkeys((*spec.outcome.concepts, *CONCEPT))).index(concept)


def _month(value: Quantity | None) -> float:
    return math.nan if value is None else float(value)


def _whole(outcome: Outcome) -> list[Reading]:
    """Return readings of whole arms: one of a place or a period is a part."""
    return [one for one in outcome.readings if one.where is None and one.period is None]


def _counts(spec: Spec, outcome: Outcome, of: list[Arm], against: list[Arm]) -> Counts | None:
    """Return the counts of both sides of one denominator, within the limit of basis; None where there are none."""
    for denominator in spec.outcome.denominators:
        found = {one.arm: one for one in _whole(outcome) if (one.kind, one.of) == ("count", denominator)}
        if not all(arm.id in found for arm in (*of, *against)):
            continue
        numbers = [number for arm in (*of, *against) for number in (found[arm.id].events, found[arm.id].n)]
        if all(admitted(spec, number) for number in numbers):
            events1, events2 = (_sum(found[arm.id].events for arm in side) for side in (of, against))
            n1, n2 = (_sum(found[arm.id].n for arm in side) for side in (of, against))
            return Counts(events1=events1, n1=n1, events2=events2, n2=n2)
    return None


def _sum(numbers: Iterable[Number | None]) -> float:
    return math.fsum(float(number.value) for number in numbers if number is not None and number.value is not None)


def _percents(spec: Spec, study: Study, outcome: Outcome, arms: tuple[list[Arm], list[Arm]]) -> Percents | None:
    """Return the percents of both sides of one denominator, stated or not; None where there are none."""
    own = sizes_of_arms(spec, study)
    every = [arm.id for side in arms for arm in side]
    for denominator in (*spec.outcome.denominators, None):
        found: dict[str, tuple[float, bool]] = {}
        for one in _whole(outcome):
            value = _percent(spec, one)
            if one.of == denominator and value is not None:
                found.setdefault(one.arm, (value, bool(one.model_based)))
        if not all(name in found for name in every):
            continue
        weights = own if all(name in own for name in every) else dict.fromkeys(every, 1.0)
        first, second = (
            math.fsum(found[arm.id][0] * weights[arm.id] for arm in side) / math.fsum(weights[arm.id] for arm in side)
            for side in arms
        )
        return Percents(first, second, any(found[name][1] for name in every))
    return None


def _percent(spec: Spec, reading: Reading) -> float | None:
    """Return the percent of a reading as printed; None where there is none, or but a range or a bound."""
    if reading.kind == "percent":
        number = reading.percent
        if number is None or number.qualifier or not admitted(spec, number):
            return None
        return float(number.value) if number.value is not None else None
    events = reading.events
    # approximate: n and percent were read, and no whole number of persons gives that percent
    if events is None or not events.as_printed or _ORDER[events.basis or "reconstructed"] > _ORDER["approximate"]:
        return None
    printed = _PERCENT.fullmatch(events.as_printed.strip())
    return float(printed[1]) if printed else None


def _usable(effect: Published) -> bool:
    """Whether a printed effect can be taken: a ratio above 0, with its estimate midway between its bounds if any."""
    if effect.measure not in _NUMBERS or effect.estimate is None:
        return False
    if effect.measure not in RATIOS:
        return True
    if effect.ci is None:
        return effect.estimate > 0
    return log_symmetric(effect.estimate, *effect.ci)
