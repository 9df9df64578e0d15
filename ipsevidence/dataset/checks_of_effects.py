"""Checks of printed effects: against the counts, and against themselves."""

import math
from collections.abc import Iterator
from decimal import Decimal
from itertools import product

from ipsevidence.dataset.arithmetic import (
    RATIOS,
    RECOMPUTABLE,
    Effects,
    Table,
    agrees,
    chi_square_p,
    continuity_corrected,
    estimate_agrees,
    half_unit,
    interval_agrees,
    log_symmetric,
    p_values,
    printed_p,
    recompute,
)
from ipsevidence.dataset.checklist import Case, Counted, Path, Problem, check, counted
from ipsevidence.dataset.checks_of_counts import percents
from ipsevidence.dataset.findings import excerpt
from ipsevidence.dataset.record import Outcome, Published

__all__ = ["CHECKS_OF_EFFECTS", "is_difference_of_percents", "tables_between"]

# no outcome has so many counts of one arm; a file that does must not stall
_MOST_COUNTS = 50
_DIFFERENCES = {"RD": 1, "percentage-points": 100}


def _of_outcomes(case: Case) -> Iterator[tuple[Path, Outcome, Published]]:
    for index, outcome in enumerate(case.study.outcomes):
        for place, published in enumerate(outcome.published):
            yield ("outcomes", index, "published", place), outcome, published


def _all_published(case: Case) -> Iterator[tuple[Path, Published]]:
    for path, _, published in _of_outcomes(case):
        yield path, published
    for place, published in enumerate(case.study.published):
        yield ("published", place), published


@check(
    "published-effect-does-not-recompute",
    "error",
    rule=(
        "An effect that is printed for two arms and not marked `adjusted` comes out of the outcome's counts, at the "
        "printed digits: the estimate, and the bounds of its interval. The counts of any denominator may do it, and so "
        "may any set under `alternatives`; the interval of a difference may be by the normal or the t distribution."
    ),
    why=(
        "An effect that comes out confirms counts, arms and time point together. One that does not was adjusted, "
        "belongs to other persons or another time, or is misprinted: the record has to say which is thought."
    ),
    fix="if the source says it is adjusted, add `adjusted: true`; if it is of another time or group, move it there",
    acceptable=True,
)
def _published_effect_does_not_recompute(case: Case) -> Iterator[Problem]:
    for path, outcome, published in _of_outcomes(case):
        if published.adjusted or published.about is not None or published.measure not in RECOMPUTABLE:
            continue
        if published.estimate is None and published.ci is None:
            continue
        tables = tables_between(outcome, path[:2], published)
        if not tables:
            continue
        effects = recompute(published.measure, tables, published.level)
        estimate, interval = estimate_agrees(published, effects), interval_agrees(published, effects)
        if (estimate & interval).any() or (interval.any() and is_difference_of_percents(outcome, published)):
            continue
        best = _closest(published, effects)
        yield Problem(
            (*path, "estimate" if published.estimate is not None and not estimate.any() else "ci"),
            f"printed is {_words(published.measure, published.estimate, published.ci)}; "
            f"{tables[best]} gives {_recomputed(published, effects, best)}",
            _explanation(published, tables),
        )


def _closest(published: Published, effects: Effects) -> int:
    gaps = abs(effects.estimate - float(published.estimate or 0)).tolist()
    return min(range(len(gaps)), key=lambda place: gaps[place] if math.isfinite(gaps[place]) else math.inf)


def tables_between(outcome: Outcome, path: Path, published: Published) -> list[Table]:
    """Return the 2x2 tables that a printed effect may have come from, each once."""
    ones, others = (
        [count for count in counted(outcome, path) if count.reading.arm == arm][:_MOST_COUNTS]
        for arm in (published.of, published.against)
    )
    pairs = [(one, other) for one, other in product(ones, others) if _same(one, other, "where", "period")]
    # an arm that was not randomised has another denominator than the one it is compared with
    side_by_side = [pair for pair in pairs if _same(*pair, "of")] or pairs
    tables = [Table(one.events, one.n, other.events, other.n) for one, other in side_by_side]
    for entry in outcome.alternatives:
        if published.of in entry.arms and published.against in entry.arms:
            of, against = 2 * entry.arms.index(published.of), 2 * entry.arms.index(published.against)
            rows = (Table(*row[of : of + 2], *row[against : against + 2]) for row in entry.counts)
            tables += [row for row in rows if row.events <= row.n > 0 and row.other_events <= row.other_n > 0]
    return list(dict.fromkeys(tables))


def _same(one: Counted, other: Counted, *keys: str) -> bool:
    return all(getattr(one.reading, key) == getattr(other.reading, key) for key in keys)


def is_difference_of_percents(outcome: Outcome, published: Published) -> bool:
    """Tell whether a printed difference is that of the printed percents, which were rounded first."""
    unit = _DIFFERENCES.get(published.measure)
    if unit is None or published.estimate is None:
        return False
    printed: dict[str, set[Decimal]] = {}
    for reading in outcome.readings:
        printed.setdefault(reading.arm, set()).update(percents(reading))
    ones, others = printed.get(published.of or "", set()), printed.get(published.against or "", set())
    wanted = float(published.estimate) * 100 / unit
    half = half_unit(published.estimate) * 100 / unit
    return any(abs(float(one - other) - wanted) < half for one in ones for other in others)


def _words(measure: str, estimate: object, ci: tuple[object, object] | None) -> str:
    interval = f" ({ci[0]} to {ci[1]})" if ci is not None else ""
    return f"{measure} {'' if estimate is None else estimate}{interval}"


def _recomputed(published: Published, effects: Effects, best: int) -> str:
    def at(value: float, printed: Decimal) -> str:
        exponent = printed.as_tuple().exponent
        return f"{value:.{max(-int(exponent), 0)}f}"

    estimate, ci = published.estimate, published.ci
    if math.isnan(effects.estimate[best]):
        return f"no {published.measure}"
    shown = None if estimate is None else at(effects.estimate[best], estimate)
    bounds = None if ci is None else (at(effects.low[best], ci[0]), at(effects.high[best], ci[1]))
    return _words(published.measure, shown, None if math.isnan(effects.low[best]) else bounds)


def _explanation(published: Published, tables: list[Table]) -> str | None:
    """Name the slip that would explain a printed effect, where there is one."""
    swapped = [Table(table.other_events, table.other_n, table.events, table.n) for table in tables]
    if agrees(published, swapped).any():
        return "it comes out the other way round: exchange `of` and `against`"
    if published.measure == "chi-square" and published.estimate is not None:
        corrected = [continuity_corrected(table) for table in tables]
        if any(abs(value - float(published.estimate)) <= half_unit(published.estimate) for value in corrected):
            return "it comes out with continuity correction: say so in `note`"
    return None


@check(
    "estimate-outside-interval",
    "error",
    rule="A printed interval goes from its lower to its upper bound, and the estimate lies within.",
    why="Otherwise one of the three numbers was mistyped or misprinted.",
    fix="look the three numbers up in the source",
    acceptable=True,
)
def _estimate_outside_interval(case: Case) -> Iterator[Problem]:
    for path, published in _all_published(case):
        if published.ci is None or published.measure == "NNT":
            continue
        low, high = published.ci
        if low > high:
            yield Problem((*path, "ci"), f"the interval goes from {low} down to {high}")
        elif published.estimate is not None and not low <= published.estimate <= high:
            yield Problem((*path, "estimate"), f"{published.estimate} lies outside {low} to {high}")


@check(
    "interval-not-log-symmetric",
    "advice",
    rule=(
        "The estimate of a ratio lies midway between the bounds of its interval on the log scale, as far as the "
        "printed digits can tell."
    ),
    why=(
        "A ratio is pooled with a standard error taken from its interval. Where the estimate is off the middle, the "
        "interval is exact or simulated, or one of the three numbers is wrong."
    ),
    fix="look the three numbers up in the source",
    acceptable=True,
)
def _interval_not_log_symmetric(case: Case) -> Iterator[Problem]:
    for path, published in _all_published(case):
        estimate, ci = published.estimate, published.ci
        if published.measure not in RATIOS or estimate is None or ci is None or not 0 < ci[0] <= estimate <= ci[1]:
            continue
        if not log_symmetric(estimate, *ci):
            middle = math.sqrt(math.prod(map(float, ci)))
            yield Problem(
                (*path, "ci"),
                f"the middle of {ci[0]} to {ci[1]} on the log scale is {middle:.3g}, but the estimate is {estimate}",
            )


@check(
    "p-against-chi-square",
    "advice",
    rule="A p value printed beside a chi-square of two arms is that of the statistic, with one degree of freedom.",
    why="Where it is not, the p value is of another test, or one of the two is misprinted.",
    fix="look both up in the source; put a p value of another test under a `published` of its own, measure `p-value`",
    acceptable=True,
)
def _p_against_chi_square(case: Case) -> Iterator[Problem]:
    for path, published in _all_published(case):
        p = printed_p(published.p) if published.p is not None else None
        statistic = published.estimate
        two_arms = published.of is not None and published.against is not None
        if published.measure != "chi-square" or not two_arms or published.adjusted or p is None or statistic is None:
            continue
        half = half_unit(statistic)
        low, high = (chi_square_p(float(statistic) + side) for side in (half, -half))
        sign, printed = p[0], float(p[1])
        margin = half_unit(p[1])
        fits = {
            "<": low < printed,
            ">": high > printed,
            "=": low <= printed + margin and high >= printed - margin,
        }[sign]
        if not fits:
            exact = chi_square_p(float(statistic))
            shown = excerpt(published.p or "")
            yield Problem((*path, "p"), f"chi-square {statistic} has p {exact:.2g}, printed is {shown}")


@check(
    "p-against-counts",
    "advice",
    rule=(
        "A p value printed for two arms and not marked `adjusted` agrees with the outcome's counts, or with a set "
        "under `alternatives`, by Pearson's test, the same with continuity correction, or Fisher's exact test: within "
        "a factor of 3, and not below .05 where all of them are above .10, nor above .05 where all are below .025."
    ),
    why=(
        "A p value far from that of the counts is of another test or other persons, or one of the numbers is wrong. "
        "The p value of a printed chi-square is compared with the statistic instead."
    ),
    fix="look counts and p up in the source; if it says that the test is adjusted, add `adjusted: true`",
    acceptable=True,
)
def _p_against_counts(case: Case) -> Iterator[Problem]:
    for path, outcome, published in _of_outcomes(case):
        if published.adjusted or published.about is not None or published.measure in {"chi-square", "HR"}:
            continue
        possible = None if published.p is None else _p_range(published.p)
        tables = tables_between(outcome, path[:2], published) if possible is not None else []
        if not tables or possible is None:
            continue
        found = [p_values(table) for table in tables]
        if not any(possible[0] <= p <= possible[1] for tests in found for p in tests.values()):
            shown = ", ".join(f"{test} {p:.2g}" for test, p in found[0].items())
            others = f" (none of {len(tables)} sets agrees)" if len(tables) > 1 else ""
            yield Problem((*path, "p"), f"printed is {excerpt(published.p or '')}; {tables[0]} gives {shown}{others}")


_LEVEL, _FACTOR = 0.05, 3
_IN_WORDS = {"significant": True, "not significant": False, "ns": False, "n.s.": False}


def _p_range(text: str) -> tuple[float, float] | None:
    """Return the p values that agree in meaning with a printed one; None where it is no p value."""
    read = printed_p(text)
    if read is None:
        significant = _IN_WORDS.get(text.strip().lower())
        low, high = 0.0, 1.0
    else:
        sign, value, margin = read[0], float(read[1]), half_unit(read[1])
        low = 0.0 if sign == "<" else max(value - margin * (sign == "="), 0) / _FACTOR
        high = 1.0 if sign == ">" else (value + margin * (sign == "=")) * _FACTOR
        significant = _is_significant(sign, value)
    if significant is None:
        return None if read is None else (low, high)
    return (low, min(high, 2 * _LEVEL)) if significant else (max(low, _LEVEL / 2), high)


def _is_significant(sign: str, value: float) -> bool | None:
    """Tell whether a printed p value is below .05; None where it does not say, as <.10 or a rounded .05."""
    if value < _LEVEL or (sign == "<" and value == _LEVEL):
        return None if sign == ">" else True
    return None if sign == "<" or (sign == "=" and value == _LEVEL) else False


CHECKS_OF_EFFECTS = (
    _published_effect_does_not_recompute,
    _estimate_outside_interval,
    _interval_not_log_symmetric,
    _p_against_chi_square,
    _p_against_counts,
)
