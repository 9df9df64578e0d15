"""One row from one study: which arms, which outcome, which numbers, and why not another."""

from decimal import Decimal
from typing import Final

from ipsevidence import core
from ipsevidence.analysis.groupings import grouped
from ipsevidence.analysis.rows import Counts, Share, StudyRow
from ipsevidence.analysis.spec import CONTRASTS, Spec, StudyChoice
from ipsevidence.dataset.arithmetic import log_symmetric
from ipsevidence.dataset.record import Arm, FidelityScore, Number, Outcome, Published, Reading, Study
from ipsevidence.dataset.vocabulary import BASIS, CONCEPT, WINDOW

__all__ = ["Refusal", "SelectionError", "derive"]

_ORDER: Final = {key: rank for rank, key in enumerate(BASIS)}


_SCALES: Final = {"ips-15": "IPS-15", "ips-25": "IPS-25", "ips-y": "IPS-Y", "jisef": "JiSEF", "qseis": "QSEIS"}


class SelectionError(ValueError):
    """A spec asks for what the dataset does not hold; the message says what and what there is."""


class Refusal(Exception):  # noqa: N818 - it is no error of anybody: the study does not enter
    """A study does not enter: the message is the reason, `stage` where it dropped out."""

    def __init__(self, reason: str, stage: str) -> None:
        super().__init__(reason)
        self.stage = stage


def derive(spec: Spec, study: Study, choice: StudyChoice) -> tuple[StudyRow, str]:
    """Return the row with which a study enters an analysis, and why in this way.

    Parameters
    ----------
    spec : Spec
        The analysis. Its measure decides what is needed: two arms with counts, or one with a rate.
    study : Study
        The record.
    choice : StudyChoice
        What the spec takes from this study where that follows no common rule.

    Returns
    -------
    row : StudyRow
    reason : str

    Raises
    ------
    Refusal
        If the study does not enter; the message says why.
    SelectionError
        If the choice names an arm, outcome or size that the record does not have.
    """
    needs = core.MEASURES[spec.effect.measure].needs
    if needs == "correlation":
        return _correlation_row(spec, study, choice)
    if needs == "proportion":
        return _share_row(spec, study, choice)
    of, against = _sides(spec, study, choice)
    _left_out(spec, study)
    if _clustered(spec, study) and spec.outcome.clusters == "refuse":
        raise Refusal("clusters were randomised, and no design effect is applied", "clusters")
    outcome = _outcome(spec, study, choice)
    try:
        return _counts_row(spec, study, choice, outcome, of, against)
    except Refusal as refusal:
        found = _published(spec, outcome, of, against)
        if found is None:
            raise
        return _published_row(spec, study, choice, outcome, of, against, found, refusal)


def _left_out(spec: Spec, study: Study) -> None:
    for left in spec.studies.without:
        if left.id == study.id:
            raise Refusal(left.because, "doubt")


def _clustered(spec: Spec, study: Study) -> bool:
    """Whether the design of the study matters here; a list that names a study takes it as it is."""
    return study.design.type == "cluster-rct" and not spec.studies.by_name


def _design_effect(spec: Spec, study: Study, persons: float) -> float:
    """Return by what persons are divided: 1 + (m - 1) ICC for a mean cluster size m; 1 where nothing is asked for."""
    if spec.outcome.clusters != "design-effect" or not _clustered(spec, study):
        return 1.0
    number = study.design.clusters.value if study.design.clusters else None
    if number is None:
        raise Refusal("clusters were randomised, and their number was not read: no design effect", "clusters")
    icc = study.design.icc.value if study.design.icc and study.design.icc.value is not None else spec.outcome.icc
    effective = core.design_effect([persons], [max(1.0, persons / float(number))], icc=float(icc))
    return persons / float(effective[0])


def _counts_row(
    spec: Spec, study: Study, choice: StudyChoice, outcome: Outcome, of: list[Arm], against: list[Arm]
) -> tuple[StudyRow, str]:
    denominator, readings = _readings(outcome, [arm.id for arm in of + against], choice.denominator, spec)
    sides = [[readings[arm.id] for arm in arms] for arms in (of, against)]
    basis = _within_limit(spec, [reading for side in sides for reading in side])
    (events1, n1), (events2, n2) = ([_total(side, "events"), _total(side, "n")] for side in sides)
    factor = _design_effect(spec, study, n1 + n2)
    row = StudyRow(
        id=study.id,
        label=study.label,
        counts=Counts(events1=events1 / factor, n1=n1 / factor, events2=events2 / factor, n2=n2 / factor),
        group=_group(spec, study, choice, outcome, of, against),
        basis=basis,
        participants=_headline(study, choice, n1 + n2),
        extra=_extra(study, choice, outcome, of, against, denominator),
    )
    reason = choice.because or f"{outcome.id}, {denominator} participants, {basis} counts"
    return row, reason if factor == 1.0 else f"{reason}, divided by a design effect of {factor:.2f}"


def _published_row(
    spec: Spec,
    study: Study,
    choice: StudyChoice,
    outcome: Outcome,
    of: list[Arm],
    against: list[Arm],
    effect: Published,
    refusal: Refusal,
) -> tuple[StudyRow, str]:
    """Let a study enter with the effect that it prints, where its counts cannot be used."""
    assert effect.estimate is not None and effect.ci is not None  # noqa: PT018 - `_published` looked
    sizes = [arm.n_randomised.value for arm in of + against if arm.n_randomised and arm.n_randomised.value is not None]
    whole = float(sum(sizes)) if len(sizes) == len(of) + len(against) else float("nan")
    row = StudyRow(
        id=study.id,
        label=study.label,
        estimate=float(effect.estimate),
        low=float(effect.ci[0]),
        high=float(effect.ci[1]),
        level=float(effect.level or Decimal("0.95")),
        group=_group(spec, study, choice, outcome, of, against),
        basis=effect.basis,
        participants=_headline(study, choice, whole),
        extra=_extra(study, choice, outcome, of, against, "published effect"),
    )
    return row, f"{outcome.id}, the printed {effect.measure}: {refusal}"


def _published(spec: Spec, outcome: Outcome, of: list[Arm], against: list[Arm]) -> Published | None:
    """Return the effect printed for these two arms on the measure of the analysis, unadjusted ones first.

    A ratio that is not midway between its bounds on the log scale is passed over: one of the three is wrong, or the
    interval is of another kind, and a variance taken from it would be too.
    """
    if "published" not in spec.outcome.inputs or len(of) != 1 or len(against) != 1:
        return None
    found = [
        effect
        for effect in outcome.published
        if effect.measure == spec.effect.measure
        and (effect.of, effect.against) == (of[0].id, against[0].id)
        and effect.estimate is not None
        and effect.ci is not None
        and (core.MEASURES[effect.measure].scale != "log" or log_symmetric(effect.estimate, *effect.ci))
        and _ORDER[effect.basis] <= _ORDER[spec.studies.weakest_basis]
    ]
    return min(found, key=lambda effect: bool(effect.adjusted), default=None)


def _share_row(spec: Spec, study: Study, choice: StudyChoice) -> tuple[StudyRow, str]:
    """Return the row of one arm: persons in work among persons in all."""
    arms = [arm for arm in study.arms if arm.treatment in spec.outcome.treatments and arm.entry != "in-work"]
    if not arms:
        raise Refusal("no arm with the treatment asked for", "contrast")
    _left_out(spec, study)
    outcome = _outcome(spec, study, choice)
    denominator, readings = _readings(outcome, [arm.id for arm in arms], choice.denominator, spec)
    side = [readings[arm.id] for arm in arms]
    basis = _within_limit(spec, side)
    events, n = _total(side, "events"), _total(side, "n")
    row = StudyRow(
        id=study.id,
        label=study.label,
        share=Share(events=events, n=n),
        group=_group(spec, study, choice, outcome, arms, []),
        basis=basis,
        participants=_headline(study, choice, n),
        extra=_extra(study, choice, outcome, arms, [], denominator),
        unit="arm",
    )
    return row, choice.because or f"{outcome.id}, {denominator}, {basis} counts"


def _correlation_row(spec: Spec, study: Study, choice: StudyChoice) -> tuple[StudyRow, str]:
    """Return the row of one study of programmes: Fisher's z of fidelity and employment, the first of several."""
    found = next((c for c in study.programme_correlations if c.scale == spec.outcome.scale), None)
    if found is None:
        raise Refusal(f"no correlation of the scale {spec.outcome.scale}", "contrast")
    _left_out(spec, study)
    if found.concept not in spec.outcome.concepts:
        raise Refusal(f"the correlation is with {CONCEPT[found.concept].label}", "outcome")
    n, r, basis = found.programmes.value, found.r.value, found.r.basis or "reconstructed"
    if _ORDER[basis] > _ORDER[spec.studies.weakest_basis]:
        raise Refusal(f"the correlation is {basis}, weaker than the limit {spec.studies.weakest_basis}", "basis")
    if n is None or r is None or n <= 3:
        raise Refusal("the number of programmes is not known, or not above 3: there is no variance", "counts")
    z, variance = core.correlation("ZCOR", [float(r)], [float(n)])
    main = study.reports[0]
    extra: dict[str, str | float] = {
        "concept": CONCEPT[found.concept].label,
        "definition": found.definition,
        "programmes": float(n),
        "citation": main.citation + (f". doi:{main.doi}" if main.doi else ""),
    }
    row = StudyRow(
        id=study.id,
        label=study.label,
        y=float(z[0]),
        v=float(variance[0]),
        group=choice.group or "",
        basis=basis,
        participants=float(n),
        extra=extra if main.year is None else {"year": main.year, **extra},
    )
    return row, choice.because or f"{n} programmes, a {basis} correlation"


def _extra(
    study: Study, choice: StudyChoice, outcome: Outcome, of: list[Arm], against: list[Arm], denominator: str
) -> dict[str, str | float]:
    main = study.reports[0]
    extra: dict[str, str | float] = {
        "year": main.year or "",
        "outcome": outcome.id,
        "concept": CONCEPT[outcome.concept].label,
        "definition": outcome.definition,
        "window": WINDOW[outcome.measured.window].label,
        "months": float(outcome.measured.to) if outcome.measured.to is not None else "",
        "intervention": " + ".join(arm.label for arm in of),
        "comparator": " + ".join(arm.label for arm in against),
        "denominator": denominator,
        "because": choice.because or "",
        "citation": main.citation + (f". doi:{main.doi}" if main.doi else ""),
    }
    fidelity = "; ".join(_fidelity(score) for score in study.fidelity if score.arm in (None, *(arm.id for arm in of)))
    bias = outcome.risk_of_bias
    if bias is not None:
        extra |= {f"rob:{domain}": judgement for domain, judgement in bias.domains.items()}
        extra["rob:overall"] = bias.overall
    return {key: value for key, value in {**extra, "fidelity": fidelity}.items() if value != ""}


def _fidelity(score: FidelityScore) -> str:
    """Write a fidelity score as a column has it: ``IPS-25 97–109``; its label where no score was read."""
    scale = _SCALES.get(score.scale, "")
    if score.score is None:
        return f"{scale} {score.label_as_printed}".strip() if score.label_as_printed else ""
    one, low, high = score.score.value, score.score.low, score.score.high
    return f"{scale} {one if one is not None else f'{low} to {high}'}".strip()


def _group(spec: Spec, study: Study, choice: StudyChoice, outcome: Outcome, of: list[Arm], against: list[Arm]) -> str:
    if choice.group or not spec.studies.where:
        return choice.group or ""
    return grouped(spec.subgroups.by if spec.subgroups else "analysis-group", study, outcome, of, against)


def _sides(spec: Spec, study: Study, choice: StudyChoice) -> tuple[list[Arm], list[Arm]]:
    if choice.contrast is not None:
        try:
            return [study.arm(choice.contrast.of)], [study.arm(choice.contrast.against)]
        except KeyError as error:
            raise SelectionError(str(error.args[0])) from None
    wanted = CONTRASTS[spec.outcome.contrast]
    randomised = study.design.type in ("rct", "pilot-rct", "cluster-rct")
    sides = tuple(
        [
            arm
            for arm in study.arms
            if arm.treatment in side
            and arm.entry != "in-work"
            and not (randomised and arm.allocation == "not-randomised")
        ]
        for side in wanted
    )
    if not all(sides):
        raise Refusal(f"no arms for the contrast {spec.outcome.contrast}", "contrast")
    if spec.outcome.multi_arm == "refuse" and max(map(len, sides)) > 1:
        raise Refusal("more than two arms for the contrast", "contrast")
    return sides[0], sides[1]


def _outcome(spec: Spec, study: Study, choice: StudyChoice) -> Outcome:
    if choice.outcome is not None:
        try:
            return study.outcome(choice.outcome)
        except KeyError as error:
            raise SelectionError(str(error.args[0])) from None
    rule = spec.outcome
    fitting = [
        (
            rule.concepts.index(outcome.concept),
            rule.windows.index(outcome.measured.window),
            abs(outcome.measured.to - rule.near_month),
            -outcome.measured.to,
            rank,
            outcome,
        )
        for rank, outcome in enumerate(study.outcomes)
        if outcome.concept in rule.concepts
        and outcome.measured.window in rule.windows
        and outcome.measured.to is not None
        and rule.from_month <= outcome.measured.to <= rule.to_month
    ]
    if not fitting:
        raise Refusal(
            f"no outcome {' or '.join(CONCEPT[c].label for c in rule.concepts)}, "
            f"{' or '.join(WINDOW[w].label for w in rule.windows)}, within {rule.from_month}-{rule.to_month} months",
            "outcome",
        )
    return min(fitting)[-1]


def _readings(outcome: Outcome, arms: list[str], named: str | None, spec: Spec) -> tuple[str, dict[str, Reading]]:
    """Return the first denominator with a count in every arm, and the counts: never one arm's with another's."""
    for denominator in (named,) if named else spec.outcome.denominators:
        # A reading of one place or period is a part of the arm, not the arm.
        whole = (r for r in outcome.readings if r.kind == "count" and r.where is None and r.period is None)
        found = {r.arm: r for r in whole if r.of == denominator}
        if all(arm in found for arm in arms):
            return denominator, found
    raise Refusal(f"no counts in all of {', '.join(arms)} for outcome {outcome.id}", "counts")


def _within_limit(spec: Spec, readings: list[Reading]) -> str:
    numbers = [number for reading in readings for number in (reading.n, reading.events) if number is not None]
    basis = max((number.basis or "reconstructed" for number in numbers), key=_ORDER.__getitem__)
    if _ORDER[basis] > _ORDER[spec.studies.weakest_basis]:
        raise Refusal(f"a count is {basis}, weaker than the limit {spec.studies.weakest_basis}", "basis")
    return basis


def _total(side: list[Reading], name: str) -> float:
    total = Decimal(0)
    for reading in side:
        number: Number | None = getattr(reading, name)
        if number is None or number.value is None:
            raise Refusal(f"the count of arm {reading.arm} is a range", "counts")
        total += number.value
    return float(total)


def _headline(study: Study, choice: StudyChoice, analysed: float) -> float:
    """Return the printed size that the spec asks for; without one, the persons in the row."""
    if choice.participants is None:
        return analysed
    for size in study.participants:
        if size.what == choice.participants and size.value is not None:
            return float(size.value)
    have = ", ".join(size.what for size in study.participants) or "none"
    raise SelectionError(f"{study.id}: no participants of kind {choice.participants!r}; there are: {have}")
