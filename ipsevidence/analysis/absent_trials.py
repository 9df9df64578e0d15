"""What is known of a trial that answers the question and has no usable number: its size, and what was said of it."""

import dataclasses
import math
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ipsevidence import core
from ipsevidence.analysis.arms import known_size, people_asked, sides
from ipsevidence.analysis.rows import shown
from ipsevidence.analysis.sayings import Percents, Saying, foremost, sayings
from ipsevidence.analysis.selection import Decision
from ipsevidence.analysis.spec import RANDOMISED, Spec
from ipsevidence.dataset.record import Published, StatedEffect, Study
from ipsevidence.dataset.vocabulary import CONCEPT, WINDOW

__all__ = ["MEASURES_OF_RISK", "AbsentTrial", "Present", "absent_trial"]

MEASURES_OF_RISK: Final = frozenset({"OR", "RR", "RD", "AS"})
"""Measures on which an absent trial can be put: those that give the risk of one arm from that of the other."""

_Source: TypeAlias = Literal["printed", "counts", "percents", "converted", "stated", "silent", "set-aside"]


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
        Participants: those of the arms of the question where these are known, else of the whole study (see
        `arms.people_asked`); nan where neither is known.
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
    source : {'printed', 'counts', 'percents', 'converted', 'stated', 'silent', 'set-aside'}
        What its stated effect rests on: an effect printed on the measure of the analysis; counts of an outcome that the
        analysis does not take; percents without usable counts; an effect printed on another measure; words; nothing.
        A trial that is set aside for a doubt has no effect: no number of it is taken, and none is assumed.
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
        """Whether it can be put into the pool under an assumption."""
        return math.isfinite(self.v)


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
    What comes first of what is printed or stated is said in `sayings.sayings`; two numbers or words are never
    averaged, but statements of one rank that contradict each other are mixed. Percents need no sizes for their effect,
    and get their variance from the arms as randomised, or from equal parts of the known size. No trial gets the pooled
    estimate for a statement that calls its difference not significant. A trial that the analysis sets aside for a doubt
    is described by words alone, and never enters.
    """
    doubted = decision.stage == "doubt"
    sizes = _sizes(spec, study)
    every = list(sayings(spec, study, numbers=not doubted))
    said = foremost(every)
    trial = AbsentTrial(
        id=study.id,
        label=study.label,
        size=sizes.size,
        n1=sizes.n1,
        n2=sizes.n2,
        equal_arms=sizes.equal,
        stage=decision.stage,
        reason=decision.reason,
        why_not="set aside for a doubt" if doubted else sizes.why_not,
        **_described(spec, said, every),
    )
    if doubted:
        return dataclasses.replace(trial, source="set-aside", assumed="none: set aside for a doubt")
    if present is None:
        return _alone(spec, trial, said)
    return _entering(spec, trial, said, present)


def _described(spec: Spec, said: Saying | None, every: list[Saying]) -> dict[str, Any]:
    """Return what was taken, and what is stated of the same concept."""
    if said is None:
        return {}
    beside = foremost([one for one in every if one.stated is not None and one.concept == said.concept])
    stated = said.stated or (beside.stated if beside else None)
    return {
        "concept": said.concept,
        "window": said.window,
        "months": said.months,
        "same_concept": said.concept in spec.outcome.concepts,
        "direction": stated.direction if stated else "",
        "significant": stated.significant if stated else "",
        "as_printed": said.words,
    }


def _sizes(spec: Spec, study: Study) -> _Sizes:
    """Return the size, its parts in the two sides, and why these are not known."""
    size, n1, n2 = people_asked(spec, study)
    if math.isnan(size):
        whole = known_size(study)
        part = f"how many of its {whole:,.0f} participants are in these arms is not known" if whole else ""
        return _Sizes(math.nan, math.nan, math.nan, False, part or "its size is not known")
    equal = math.isnan(n1)
    if equal:
        # equal parts of all arms that share the known size, those outside the contrast too
        of, against = sides(spec, study)
        randomised = study.design.type in RANDOMISED
        sharing = sum(arm.allocation != "not-randomised" or not randomised for arm in study.arms)
        n1, n2 = (size * len(side) / sharing for side in (of, against))
    if study.design.type != "cluster-rct":
        return _Sizes(size, n1, n2, equal, "")
    factor = _design_effect(spec, study, n1 + n2)
    if not factor:
        why = "clusters were randomised, and their number is not known"
        return _Sizes(size, math.nan, math.nan, equal, why)
    return _Sizes(size, n1 / factor, n2 / factor, equal, "")


def _design_effect(spec: Spec, study: Study, persons: float) -> float:
    """Return by what persons in clusters are divided; 0 where the number of clusters is not known."""
    number = study.design.clusters.value if study.design.clusters else None
    if not number:
        return 0.0
    icc = study.design.icc.value if study.design.icc and study.design.icc.value is not None else spec.outcome.icc
    effective = core.design_effect([persons], [max(1.0, persons / float(number))], icc=float(icc))
    return persons / float(effective[0])


def _entering(spec: Spec, trial: AbsentTrial, said: Saying | None, present: Present) -> AbsentTrial:
    """Give a trial its effect and its variances, where its size is known."""
    y, own, source, assumed = _effect(spec, trial, said, present)
    if trial.why_not:
        return dataclasses.replace(trial, source=source, assumed=f"cannot enter: {trial.why_not}")
    v_none = _variance(spec.effect.measure, 0.0, trial, present)
    v = _variance(spec.effect.measure, y, trial, present)
    # no more weight than its size can give, nor than its own numbers do
    v = v if math.isnan(own) else max(v, own)
    return dataclasses.replace(trial, source=source, assumed=assumed, y=y, v_none=v_none, v=v)


def _alone(spec: Spec, trial: AbsentTrial, said: Saying | None) -> AbsentTrial:
    """Give a trial what it says by itself, where there is no pool to lend a control risk; it does not enter."""
    if said is None or said.stated is not None:
        return dataclasses.replace(trial, source="silent" if said is None else "stated")
    of_risks = core.MEASURES[spec.effect.measure].needs == "two-by-two"
    if said.counts is not None:
        y = _from_counts(spec, said)[0] if of_risks else math.nan
        return dataclasses.replace(trial, source="counts", y=y)
    if said.percents is not None:
        y = _from_percents(spec, trial, said.percents)[0] if of_risks else math.nan
        return dataclasses.replace(trial, source="percents", y=y)
    assert said.number is not None
    assert said.number.estimate is not None
    if said.number.measure != spec.effect.measure:
        return dataclasses.replace(trial, source="converted")
    return dataclasses.replace(
        trial, source="printed", y=_pooled_scale(spec.effect.measure, float(said.number.estimate))
    )


def _effect(spec: Spec, trial: AbsentTrial, said: Saying | None, present: Present) -> tuple[float, float, _Source, str]:
    """Return the stated effect and its own variance, on the pooled scale, what it rests on, and that in words."""
    if said is None:
        return 0.0, math.nan, "silent", "no effect: nothing usable was read of its direction"
    about = CONCEPT[said.concept].label
    if said.window and said.window not in spec.outcome.windows:
        about += ", window not stated" if said.window == "not-stated" else f", {WINDOW[said.window].label}"
    about += "" if math.isnan(said.months) else f", {said.months:g} months"
    if said.stated is not None:
        return _by_direction(said.stated, about, present)
    words, measure = f"{said.words} ({about})", core.MEASURES[spec.effect.measure]
    if said.percents is not None:
        y, v = _from_percents(spec, trial, said.percents)
        return y, v, "percents", f"its percents {words}, {measure.label} {shown(measure.key, y):.2f}"
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


def _by_direction(stated: StatedEffect, about: str, present: Present) -> tuple[float, float, _Source, str]:
    size, direction = abs(present.estimate), stated.direction
    side = {"favours-intervention": "the intervention", "favours-comparator": "the comparator"}.get(direction)
    if side and stated.significant == "no":
        return 0.0, math.nan, "stated", f"no effect: said to favour {side}, and not significantly ({about})"
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


def _from_counts(spec: Spec, said: Saying) -> tuple[float, float]:
    """Return effect and variance of a trial's own counts; no effect where they have none on this measure."""
    assert said.counts is not None
    to = spec.effect.to if spec.effect.to != "if0all" else "only0"
    cells = ([value] for value in dataclasses.astuple(said.counts))
    y, v = core.two_by_two(spec.effect.measure, *cells, add=float(spec.effect.add), to=to)
    return (float(y[0]), float(v[0])) if math.isfinite(v[0]) else (0.0, math.nan)


def _from_percents(spec: Spec, trial: AbsentTrial, percents: Percents) -> tuple[float, float]:
    """Return effect and variance of a trial's own percents, in arms of the sizes assumed; nan where they have none."""
    # without sizes there is no variance, and the effect is that of shares
    n1, n2 = (1.0 if math.isnan(n) else n for n in (trial.n1, trial.n2))
    first, second = percents.first / 100, percents.second / 100
    if math.isnan(trial.n1) and not (0 < first < 1 and 0 < second < 1):
        return math.nan, math.nan
    to = spec.effect.to if spec.effect.to != "if0all" else "only0"
    cells = ([first * n1], [n1], [second * n2], [n2])
    y, v = core.two_by_two(
        spec.effect.measure, *cells, add=float(spec.effect.add), to="none" if math.isnan(trial.n1) else to
    )
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
