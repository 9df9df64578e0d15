"""The rows of the tidy tables: what a study gives to each, in the order of the table's columns."""

import itertools
from collections.abc import Iterator
from typing import Any, TypeAlias

from ipsevidence.dataset.record import Number, Outcome, Published, Study
from ipsevidence.dataset.vocabulary import BASIS

__all__ = [
    "Row",
    "alternatives",
    "arms",
    "contrasts",
    "doubts",
    "facts",
    "fidelity",
    "overlaps",
    "participants",
    "programme_correlations",
    "published",
    "readings",
    "reports",
    "risk_of_bias",
    "services",
    "sources",
    "stated",
    "studies",
    "wanted",
]

Row: TypeAlias = tuple[Any, ...]
"""The cells of one row; None where a record does not say."""


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


def studies(study: Study) -> Iterator[Row]:
    """Yield the one row of the study itself."""
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


def reports(study: Study) -> Iterator[Row]:
    """Yield a row for each paper, report or register entry."""
    for r in study.reports:
        yield study.id, r.id, r.kind, r.citation, r.year, r.doi, r.pmid, r.pmcid, r.url, r.adds


def sources(study: Study) -> Iterator[Row]:
    """Yield a row for each source, with what was read of it."""
    for key, s in study.sources.items():
        yield study.id, key, s.kind, s.read, s.date, s.report, s.cite, s.doi, s.pmid, s.pmcid, s.url, s.supports


def participants(study: Study) -> Iterator[Row]:
    """Yield a row for each printed size of the study."""
    for size in study.participants:
        yield study.id, size.what, _value(size), size.basis, size.from_, size.at, size.rule


def arms(study: Study) -> Iterator[Row]:
    """Yield a row for each arm."""
    for a in study.arms:
        n = a.n_randomised or a.n_entered
        yield study.id, a.id, a.treatment, a.allocation, a.label, _value(n), _basis(n), n.from_ if n else None


def _when(outcome: Outcome) -> tuple[Any, ...]:
    measured = outcome.measured
    return measured.window, _float(measured.from_), _float(measured.to)


def readings(study: Study) -> Iterator[Row]:
    """Yield a row for each count, percent, mean or rate of an arm."""
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


def contrasts(study: Study) -> Iterator[Row]:
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


def risk_of_bias(study: Study) -> Iterator[Row]:
    """Yield a row for each outcome that was judged."""
    for outcome in study.outcomes:
        judged = outcome.risk_of_bias
        if judged is not None:
            for domain, judgement in (*judged.domains.items(), ("overall", judged.overall)):
                yield study.id, outcome.id, judged.tool, domain, judgement, "; ".join(judged.by), judged.date


def alternatives(study: Study) -> Iterator[Row]:
    """Yield a row for each set of counts that the sources leave open."""
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


def published(study: Study) -> Iterator[Row]:
    """Yield a row for each effect that is printed."""
    for outcome in study.outcomes:
        yield from _published_rows(study, outcome.id, outcome.published)
    yield from _published_rows(study, None, study.published)


def stated(study: Study) -> Iterator[Row]:
    """Yield a row for each effect that is only described."""
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


def programme_correlations(study: Study) -> Iterator[Row]:
    """Yield a row for each correlation over programmes."""
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


def fidelity(study: Study) -> Iterator[Row]:
    """Yield a row for each fidelity score."""
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


def services(study: Study) -> Iterator[Row]:
    """Yield a row for the service, where the study is of one."""
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


def facts(study: Study) -> Iterator[Row]:
    """Yield a row for each fact that is never pooled."""
    for f in study.facts:
        yield study.id, f.what, f.as_printed, f.from_, f.at


def doubts(study: Study) -> Iterator[Row]:
    """Yield a row for each doubt and disagreement."""
    for doubt in study.doubts:
        yield study.id, "doubt", None, doubt, None
    for d in study.disagreements:
        yield study.id, "disagreement", d.about, "; ".join(v.value for v in d.values), f"{d.taken}: {d.because}"


def wanted(study: Study) -> Iterator[Row]:
    """Yield a row for each number that nobody could read yet."""
    for w in study.wanted:
        yield study.id, w.what, w.where, w.unlocks


def overlaps(study: Study) -> Iterator[Row]:
    """Yield a row for each study that shares participants."""
    for o in study.overlaps_with:
        yield study.id, o.id, o.how
