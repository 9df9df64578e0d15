"""What is known of a trial that answers the question and has no usable number: its size, and what was said of it."""

import dataclasses
import math
from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ipsevidence import core
from ipsevidence.analysis.rows import Counts, shown
from ipsevidence.analysis.selection import Decision, known_size
from ipsevidence.analysis.spec import CONTRASTS, Spec
from ipsevidence.dataset.arithmetic import RATIOS, log_symmetric
from ipsevidence.dataset.record import Arm, Number, Outcome, Published, Quantity, StatedEffect, Study
from ipsevidence.dataset.vocabulary import BASIS, CONCEPT, WINDOW

__all__ = ["MEASURES_OF_RISK", "RANDOMISED", "AbsentTrial", "Present", "absent_trial"]

MEASURES_OF_RISK: Final = frozenset({"OR", "RR", "RD", "AS"})
"""Measures on which an absent trial can be put: those that give the risk of one arm from that of the other."""

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

_Source: TypeAlias = Literal["printed", "counts", "converted", "stated", "silent"]
RANDOMISED: Final = frozenset({"rct", "pilot-rct", "cluster-rct"})
"""Designs that are randomised."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the pool lends to an absent trial.

    Attributes
    ----------
    estimate : float
        The pooled effect, on the pooled scale.
    control_risk : float
        The median risk of the control arms of the pool.
    highest_risk : float
        The highest risk of an arm of interest in the pool: no absent trial is assumed to be above it.
    """

    estimate: float
    control_risk: float
    highest_risk: float


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class AbsentTrial:
    """A trial that answers the question of an analysis and is not in its pool.

    Attributes
    ----------
    id, label : str
        The study.
    size : float
        Largest known number of participants; nan where none is known.
    n1, n2 : float
        Participants assumed in the arms of the contrast, after a design effect where clusters were randomised; nan
        where no size is known.
    equal_arms : bool
        Whether the arms were assumed to be of equal size, for want of their own.
    stage, reason : str
        Where it dropped out, and why, in words.
    concept, window : str
        What the number or statement that was taken is about: keys of `vocabulary.CONCEPT` and `vocabulary.WINDOW`;
        empty where nothing was read. A statement has no window.
    months : float
        When that was measured; nan where not known.
    same_concept : bool
        Whether that is a concept of the analysis.
    direction, significant : str
        What a source states of that concept: keys of `vocabulary.DIRECTION` and `vocabulary.SIGNIFICANT`; empty where
        only a number, or nothing, was read.
    as_printed : str
        The number or the words.
    source : {'printed', 'counts', 'converted', 'stated', 'silent'}
        What its stated effect rests on: an effect printed on the measure of the analysis; counts of an outcome that the
        analysis does not take; an effect printed on another measure; words; nothing.
    assumed : str
        The effect with which it would enter, and why, in words.
    y : float
        That effect, on the pooled scale; nan where it cannot enter. Without a pool, the number of its own.
    v_none, v : float
        Variances at no effect and at that effect; nan where it cannot enter.
    why_not : str
        Why it cannot enter; empty where it can.
    """

    id: str
    label: str
    size: float
    n1: float = math.nan
    n2: float = math.nan
    equal_arms: bool = False
    stage: str
    reason: str
    concept: str = ""
    window: str = ""
    months: float = math.nan
    same_concept: bool = False
    direction: str = ""
    significant: str = ""
    as_printed: str = ""
    source: _Source = "silent"
    assumed: str = ""
    y: float = math.nan
    v_none: float = math.nan
    v: float = math.nan
    why_not: str = ""

    @property
    def enters(self) -> bool:
        """Whether it can enter a bound."""
        return math.isfinite(self.v)


class _Said(NamedTuple):
    """A printed effect, counts or a statement, with what ranks it; just one of the three is given."""

    rank: tuple[Any, ...]
    concept: str
    window: str
    months: float
    number: Published | None = None
    counts: Counts | None = None
    stated: StatedEffect | None = None


class _Sizes(NamedTuple):
    size: float
    n1: float
    n2: float
    equal: bool
    why_not: str


def absent_trial(spec: Spec, study: Study, decision: Decision, present: Present | None) -> AbsentTrial:
    """Describe a trial that is not in the pool, and the effect and variance with which it would enter.

    Parameters
    ----------
    spec : Spec
        The analysis.
    study : Study
        The record.
    decision : Decision
        Why it is not in the pool.
    present : Present or None
        What the pool lends; None where the trial only has to be described.

    Returns
    -------
    AbsentTrial

    Notes
    -----
    Of what is printed or stated for the arms of the contrast, a concept of the analysis comes first, then other
    concepts of being in work, then the rest; within these the month nearest to that of the analysis, of two as near
    the later; a number before words; a window of the analysis before others; an unadjusted effect on the measure of
    the analysis, then counts within the limit of basis, then other effects. Statements of one rank that contradict
    each other are mixed. A ratio whose interval is not symmetric on the log scale, as far as its digits tell, is not
    taken, nor is any number of a trial that the analysis leaves out for doubt.
    """
    of, against = _sides(spec, study)
    sizes = _sizes(spec, study, of, against)
    sayings = list(_sayings(spec, study, of, against, numbers=decision.stage != "doubt"))
    said = _foremost(sayings)
    trial = AbsentTrial(
        id=study.id,
        label=study.label,
        size=sizes.size,
        n1=sizes.n1,
        n2=sizes.n2,
        equal_arms=sizes.equal,
        stage=decision.stage,
        reason=decision.reason,
        why_not=sizes.why_not,
        **_described(spec, said, sayings),
    )
    if present is None:
        return _alone(spec, trial, said)
    return _entering(spec, trial, said, present)


def _described(spec: Spec, said: _Said | None, sayings: list[_Said]) -> dict[str, Any]:
    """Return what was taken, and what is stated of the same concept."""
    if said is None:
        return {}
    beside = _foremost([one for one in sayings if one.stated is not None and one.concept == said.concept])
    stated = said.stated or (beside.stated if beside else None)
    return {
        "concept": said.concept,
        "window": said.window,
        "months": said.months,
        "same_concept": said.concept in spec.outcome.concepts,
        "direction": stated.direction if stated else "",
        "significant": stated.significant if stated else "",
        "as_printed": _words_of(said),
    }


def _sides(spec: Spec, study: Study) -> tuple[list[Arm], list[Arm]]:
    """Return the arms of the contrast, or for single arms those with the treatment asked for."""
    randomised = study.design.type in RANDOMISED

    def arms(treatments: tuple[str, ...]) -> list[Arm]:
        return [
            arm
            for arm in study.arms
            if arm.treatment in treatments and not (randomised and arm.allocation == "not-randomised")
        ]

    if core.MEASURES[spec.effect.measure].needs == "proportion":
        return arms(spec.outcome.treatments), []
    first, second = CONTRASTS[spec.outcome.contrast]
    return arms(first), arms(second)


def _sizes(spec: Spec, study: Study, of: list[Arm], against: list[Arm]) -> _Sizes:
    """Return the size, its parts in the two sides, and why these are not known."""
    entered = {arm.id: arm.n_randomised or arm.n_entered for arm in study.arms}
    own = {name: float(number.value) for name, number in entered.items() if number and number.value}
    complete = all(arm.id in own for arm in (*of, *against))
    n1, n2 = (math.fsum(own[arm.id] for arm in side) if complete else math.nan for side in (of, against))
    whole = known_size(study) or n1 + n2
    if math.isnan(whole):
        return _Sizes(math.nan, math.nan, math.nan, False, "its size is not known")
    if not complete:
        # equal parts of all arms that share the known size, those outside the contrast too
        randomised = study.design.type in RANDOMISED
        sharing = sum(arm.allocation != "not-randomised" or not randomised for arm in study.arms)
        n1, n2 = (whole * len(side) / sharing for side in (of, against))
    if study.design.type != "cluster-rct":
        return _Sizes(whole, n1, n2, not complete, "")
    factor = _design_effect(spec, study, n1 + n2)
    if not factor:
        why = "clusters were randomised, and their number is not known"
        return _Sizes(whole, math.nan, math.nan, not complete, why)
    return _Sizes(whole, n1 / factor, n2 / factor, not complete, "")


def _design_effect(spec: Spec, study: Study, persons: float) -> float:
    """Return by what persons in clusters are divided; 0 where the number of clusters is not known."""
    number = study.design.clusters.value if study.design.clusters else None
    if not number:
        return 0.0
    icc = study.design.icc.value if study.design.icc and study.design.icc.value is not None else spec.outcome.icc
    effective = core.design_effect([persons], [max(1.0, persons / float(number))], icc=float(icc))
    return persons / float(effective[0])


def _sayings(spec: Spec, study: Study, of: list[Arm], against: list[Arm], *, numbers: bool) -> Iterator[_Said]:
    """Yield all that was printed or stated on the contrast, with its rank."""
    pairs = {(one.id, other.id) for one in of for other in against}
    # a single arm has no effect, and nothing is said of one
    for outcome in study.outcomes if numbers and pairs else ():
        if _tier(spec, outcome.concept) > 1:
            continue
        to, window, about = outcome.measured.to, outcome.measured.window, outcome.concept
        place = spec.outcome.windows.index(window) if window in spec.outcome.windows else len(WINDOW)
        for effect in outcome.published:
            if (effect.of, effect.against) in pairs and _usable(effect):
                kind = (place, 2 * (effect.measure != spec.effect.measure) + 2 * bool(effect.adjusted))
                yield _Said((*_rank(spec, about, to), *kind, id(effect)), about, window, _month(to), number=effect)
        table = _counts(spec, outcome, of, against)
        if table is not None:
            yield _Said((*_rank(spec, about, to), place, 1, 0), about, window, _month(to), counts=table)
    for stated in study.stated:
        if (stated.of, stated.against) in pairs:
            rank = (*_rank(spec, stated.concept, stated.months), len(WINDOW) + 1, 0, 0)
            yield _Said(rank, stated.concept, "", _month(stated.months), stated=stated)


def _foremost(sayings: list[_Said]) -> _Said | None:
    """Return what comes first; mixed where statements of the same rank, concept aside, contradict each other."""
    first = min(sayings, key=lambda one: one.rank, default=None)
    if first is None or first.stated is None:
        return first
    same = [one.stated for one in sayings if one.stated and one.rank[:3] == first.rank[:3]]
    if len({one.direction for one in same}) == 1:
        return first
    words = "; ".join(dict.fromkeys(f"{CONCEPT[one.concept].label}: {one.as_printed}" for one in same))
    mixed = first.stated.model_copy(update={"direction": "mixed", "significant": "not-stated", "as_printed": words})
    return first._replace(stated=mixed)


def _tier(spec: Spec, concept: str) -> int:
    """Return 0 for a concept of the analysis, 1 for another of being in work, 2 for the rest."""
    return 0 if concept in spec.outcome.concepts else 1 if concept in _IN_WORK else 2


def _rank(spec: Spec, concept: str, to: Quantity | None) -> tuple[float, float, float, int]:
    """Return tier, distance from the month of the analysis, the later first, and the place of the concept."""
    far = math.inf if to is None else abs(float(to - spec.outcome.near_month))
    order = list(dict.fromkeys((*spec.outcome.concepts, *CONCEPT)))
    return _tier(spec, concept), far, 0.0 if to is None else -float(to), order.index(concept)


def _counts(spec: Spec, outcome: Outcome, of: list[Arm], against: list[Arm]) -> Counts | None:
    """Return the counts of both sides of one denominator, within the limit of basis; None where there are none."""
    for denominator in spec.outcome.denominators:
        found = {
            one.arm: one
            for one in outcome.readings
            if (one.kind, one.of) == ("count", denominator) and one.where is None and one.period is None
        }
        if not all(arm.id in found for arm in (*of, *against)):
            continue
        numbers = [number for arm in (*of, *against) for number in (found[arm.id].events, found[arm.id].n)]
        if all(_admitted(spec, number) for number in numbers):
            events1, events2 = (_sum(found[arm.id].events for arm in side) for side in (of, against))
            n1, n2 = (_sum(found[arm.id].n for arm in side) for side in (of, against))
            return Counts(events1=events1, n1=n1, events2=events2, n2=n2)
    return None


def _admitted(spec: Spec, number: Number | None) -> bool:
    order = list(BASIS)
    limit = order.index(spec.studies.weakest_basis)
    return number is not None and number.value is not None and order.index(number.basis or "reconstructed") <= limit


def _sum(numbers: Iterable[Number | None]) -> float:
    return math.fsum(float(number.value) for number in numbers if number is not None and number.value is not None)


def _month(value: Quantity | None) -> float:
    return math.nan if value is None else float(value)


def _usable(effect: Published) -> bool:
    """Whether a printed effect can be taken: a ratio above 0, with its estimate midway between its bounds if any."""
    if effect.measure not in _NUMBERS or effect.estimate is None:
        return False
    if effect.measure not in RATIOS:
        return True
    if effect.ci is None:
        return effect.estimate > 0
    return log_symmetric(effect.estimate, *effect.ci)


def _words_of(said: _Said) -> str:
    """Return the effect as printed, the counts or the words."""
    if said.counts is not None:
        one = said.counts
        return f"{one.events1:g}/{one.n1:g} v {one.events2:g}/{one.n2:g}"
    if said.number is None:
        return said.stated.as_printed if said.stated else ""
    effect, points = said.number, said.number.measure == "percentage-points"
    text = f"{effect.estimate} percentage points" if points else f"{effect.measure} {effect.estimate}"
    bounds = f" ({effect.ci[0]} to {effect.ci[1]})" if effect.ci else ""
    return f"{text}{bounds}{', adjusted' if effect.adjusted else ''}"


def _entering(spec: Spec, trial: AbsentTrial, said: _Said | None, present: Present) -> AbsentTrial:
    """Give a trial its effect and its variances, where its size is known."""
    y, own, source, assumed = _effect(spec, said, present)
    if trial.why_not:
        return dataclasses.replace(trial, source=source, assumed=f"cannot enter: {trial.why_not}")
    v_none = _variance(spec.effect.measure, 0.0, trial, present)
    v = _variance(spec.effect.measure, y, trial, present)
    # no more weight than its size can give, nor than its own numbers do
    v = v if math.isnan(own) else max(v, own)
    return dataclasses.replace(trial, source=source, assumed=assumed, y=y, v_none=v_none, v=v)


def _alone(spec: Spec, trial: AbsentTrial, said: _Said | None) -> AbsentTrial:
    """Give a trial what it says by itself, where there is no pool to lend a control risk; it does not enter."""
    if said is None or said.stated is not None:
        return dataclasses.replace(trial, source="silent" if said is None else "stated")
    if said.counts is not None and core.MEASURES[spec.effect.measure].needs != "two-by-two":
        return dataclasses.replace(trial, source="counts")
    if said.counts is not None:
        return dataclasses.replace(trial, source="counts", y=_from_counts(spec, said)[0])
    assert said.number is not None
    assert said.number.estimate is not None
    if said.number.measure != spec.effect.measure:
        return dataclasses.replace(trial, source="converted")
    return dataclasses.replace(
        trial, source="printed", y=_pooled_scale(spec.effect.measure, float(said.number.estimate))
    )


def _effect(spec: Spec, said: _Said | None, present: Present) -> tuple[float, float, _Source, str]:
    """Return the stated effect and its own variance, on the pooled scale, what it rests on, and that in words."""
    if said is None:
        return 0.0, math.nan, "silent", "no effect: nothing usable was read of its direction"
    about = CONCEPT[said.concept].label
    if said.window and said.window not in spec.outcome.windows:
        about += ", window not stated" if said.window == "not-stated" else f", {WINDOW[said.window].label}"
    about += "" if math.isnan(said.months) else f", {said.months:g} months"
    if said.stated is not None:
        return _by_direction(said.stated.direction, about, present)
    words, measure = f"{_words_of(said)} ({about})", core.MEASURES[spec.effect.measure]
    if said.number is None:
        y, v = _from_counts(spec, said)
        return y, v, "counts", f"its counts {words}, {measure.label} {shown(measure.key, y):.2f}"
    assert said.number.estimate is not None
    value = float(said.number.estimate)
    if said.number.measure == measure.key:
        return (
            _pooled_scale(measure.key, value),
            _printed_variance(spec, said.number),
            "printed",
            f"as printed: {words}",
        )
    y = _converted(measure.key, said.number.measure, value, present)
    back = f"{measure.label} {shown(measure.key, y):.2f} at a control risk of {present.control_risk:.2f}"
    return y, math.nan, "converted", f"as printed: {words}, {back}"


def _by_direction(direction: str, about: str, present: Present) -> tuple[float, float, _Source, str]:
    size = abs(present.estimate)
    if direction == "favours-intervention":
        text = "the pooled estimate: said to favour the intervention, without a number"
        return size, math.nan, "stated", f"{text} ({about})"
    if direction == "favours-comparator":
        text = "the pooled estimate turned round: said to favour the comparator, without a number"
        return -size, math.nan, "stated", f"{text} ({about})"
    words = {"no-difference": "said not to differ", "mixed": "said to be mixed"}.get(
        direction, "no direction is stated"
    )
    return 0.0, math.nan, "stated", f"no effect: {words} ({about})"


def _from_counts(spec: Spec, said: _Said) -> tuple[float, float]:
    """Return effect and variance of a trial's own counts; no effect where they have none on this measure."""
    assert said.counts is not None
    to = spec.effect.to if spec.effect.to != "if0all" else "only0"
    cells = ([value] for value in dataclasses.astuple(said.counts))
    y, v = core.two_by_two(spec.effect.measure, *cells, add=float(spec.effect.add), to=to)
    return (float(y[0]), float(v[0])) if math.isfinite(v[0]) else (0.0, math.nan)


def _pooled_scale(measure: str, value: float) -> float:
    return math.log(value) if core.MEASURES[measure].scale == "log" else value


def _risk(measure: str, effect: float, control: float) -> float:
    """Return the risk that an effect, on the pooled scale, gives at a control risk; it may be no risk at all."""
    if measure == "RR":
        return control * math.exp(effect)
    if measure == "OR":
        odds = control / (1 - control) * math.exp(effect)
        return odds / (1 + odds)
    if measure == "AS":
        angle = math.asin(math.sqrt(control)) + effect
        return math.sin(min(max(angle, 0.0), math.pi / 2)) ** 2
    return control + effect


def _within(risk: float, present: Present) -> float:
    """Keep an assumed risk between a hundredth and the highest of the pool."""
    return min(max(risk, 0.01), max(present.highest_risk, present.control_risk))


def _converted(measure: str, printed: str, value: float, present: Present) -> float:
    """Return a printed effect on the measure of the analysis, at the control risk of the pool."""
    if printed == "percentage-points":
        effect, printed = value / 100, "RD"
    else:
        effect = _pooled_scale(printed, value)
    risk = _within(_risk(printed, effect, present.control_risk), present)
    y, _ = core.two_by_two(measure, [risk], [1.0], [present.control_risk], [1.0], to="none")
    return float(y[0])


def _variance(measure: str, effect: float, trial: AbsentTrial, present: Present) -> float:
    """Return the large-sample variance of an effect in arms of these sizes, at the control risk of the pool."""
    control = present.control_risk
    risk = _within(_risk(measure, effect, control), present) if effect else control
    _, v = core.two_by_two(measure, [risk * trial.n1], [trial.n1], [control * trial.n2], [trial.n2], to="none")
    return float(v[0])


def _printed_variance(spec: Spec, number: Published) -> float:
    """Return the variance that a printed interval on the measure of the analysis gives; nan where there is none."""
    if number.ci is None:
        return math.nan
    assert number.estimate is not None
    low, high = ([float(bound)] for bound in number.ci)
    level = float(number.level) if number.level is not None else 0.95
    _, v = core.published_effect(spec.effect.measure, [float(number.estimate)], low=low, high=high, level=level)
    return float(v[0])
