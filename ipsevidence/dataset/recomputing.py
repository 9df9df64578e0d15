"""Every printed statistic of a record, computed again from its counts, for whoever reviews it.

The checks say what is wrong. This says what was looked at: each percent, rule, sum, effect, interval, chi-square and
p value, what is printed, what the counts give, and why something cannot be computed.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

from ipsevidence.dataset.arithmetic import (
    RATIOS,
    RECOMPUTABLE,
    Effects,
    Table,
    chi_square_p,
    continuity_corrected,
    estimate_agrees,
    fitting_counts,
    half_unit,
    interval_agrees,
    is_rounded_to,
    log_symmetric,
    nearest_counts,
    p_values,
    printed_p,
    recompute,
    rule_result,
)
from ipsevidence.dataset.checklist import Case, Path, Problem, address, case_of, lies_at, listed, whole
from ipsevidence.dataset.checks import CHECKS
from ipsevidence.dataset.checks_of_counts import percents
from ipsevidence.dataset.checks_of_effects import is_difference_of_percents, tables_between
from ipsevidence.dataset.record import Number, Outcome, ProgrammeCorrelation, Published, Reading, Study

__all__ = ["Statistic", "Verdict", "recomputed"]

Verdict: TypeAlias = Literal["agrees", "differs", "cannot"]
"""Whether a statistic comes out at its printed digits, comes out otherwise, or cannot be computed."""

# rules that other lines recompute: the percent beside the count, and all that is printed together
_RULES_BY_NAME = frozenset({"percent-of-n", "joint-fit"})
_EXACT = "="


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One printed statistic, beside what the record's own numbers give.

    Attributes
    ----------
    at : str
        Its place in the record, as ``accept`` names it: ``outcomes.competitive-12m.published.RR``.
    what : str
        What it is: percent, rule, sum, joint fit, RR, interval of RR, chi-square, p and so on.
    printed, computed : str
        As printed, and computed at the same digits; empty where nothing could be computed.
    verdict : {'agrees', 'differs', 'cannot'}
        At the printed digits.
    why : str
        What it was computed from, or why it cannot be.
    accepted : str
        Why the record accepts a difference; empty where it does not.
    """

    at: str
    what: str
    printed: str
    computed: str
    verdict: Verdict
    why: str
    accepted: str = ""


@dataclass(frozen=True, slots=True)
class _Line:
    """A statistic before its place is written out."""

    path: Path
    what: str
    printed: str
    computed: str
    agrees: bool | None
    why: str


def recomputed(study: Study) -> tuple[Statistic, ...]:
    """Compute every printed statistic of a record again from its counts.

    Parameters
    ----------
    study : Study
        The record.

    Returns
    -------
    tuple of Statistic
        Sizes and rules first, then outcome by outcome.

    Notes
    -----
    Two numbers agree where rounding the computed one to the printed digits gives the printed one; nothing looser. An
    effect may come from the counts of any denominator and from any set under ``alternatives``; the nearest is shown.
    Intervals are the large-sample ones (Woolf, Katz, Wald), for differences also by Student's t. A p value may be
    Pearson's, the same with Yates's correction, or Fisher's. What cannot be recomputed is checked for what it says of
    itself: a ratio lies midway in its interval on the log scale [1]_. The p value of a correlation over programmes is
    that of Student's t with two degrees of freedom less than programmes.

    References
    ----------
    .. [1] Altman DG, Bland JM. How to obtain the P value from a confidence interval. BMJ 2011;343:d2304.
       doi:10.1136/bmj.d2304
    """
    case = case_of(study, study.id)
    lines = [*_rules(case), *_sums(case), *_joint_fits(case)]
    for index, outcome in enumerate(study.outcomes):
        path: Path = ("outcomes", index)
        for place, reading in enumerate(outcome.readings):
            lines += _percents((*path, "readings", place), reading)
        lines += _alternatives(case, path, outcome)
        for place, published in enumerate(outcome.published):
            lines += _effect((*path, "published", place), published, outcome, path)
    for place, published in enumerate(study.published):
        lines += _effect(("published", place), published, None, ())
    for place, correlation in enumerate(study.programme_correlations):
        lines += _correlation(("programme_correlations", place), correlation)
    return tuple(_statistic(study, line) for line in lines)


def _statistic(study: Study, line: _Line) -> Statistic:
    verdict: Verdict = "cannot" if line.agrees is None else "agrees" if line.agrees else "differs"
    accepted = ""
    if verdict == "differs":
        reasons = (entry.because for entry in study.accept if entry.at and lies_at(study, line.path, entry.at))
        accepted = next(reasons, "")
    return Statistic(
        at=address(study, line.path),
        what=line.what,
        printed=line.printed,
        computed=line.computed,
        verdict=verdict,
        why=line.why,
        accepted=accepted,
    )


def _digits(value: float, printed: Decimal, more: int = 0) -> str:
    exponent = printed.as_tuple().exponent
    return f"{value:.{max(-int(exponent), 0) + more}f}"


def _shown(value: float, printed: Decimal) -> str:
    """Write a number at the printed digits, or at one more where it would otherwise look as if it agreed."""
    text = _digits(value, printed)
    return text if is_rounded_to(value, printed) or Decimal(text) != printed else _digits(value, printed, 1)


def _rules(case: Case) -> Iterator[_Line]:
    for path, number in case.numbers:
        if number.rule is None or number.rule in _RULES_BY_NAME or number.value is None:
            continue
        try:
            result = rule_result(number.rule)
        except ZeroDivisionError:
            yield _Line((*path, "rule"), "rule", str(number.value), "", False, f"{number.rule} divides by 0")
            continue
        if result is None:
            yield _Line((*path, "rule"), "rule", str(number.value), "", None, f"a rule in words: {number.rule}")
            continue
        slack = 0 if result.value.denominator == 1 else half_unit(number.value)
        same = abs(result.value - type(result.value)(number.value)) <= slack
        yield _Line((*path, "rule"), "rule", str(number.value), f"{float(result.value):.12g}", same, number.rule)


def _sums(case: Case) -> Iterator[_Line]:
    arms = [arm for arm in case.study.arms if arm.allocation != "not-randomised"]
    sizes = [whole(arm.n_randomised) for arm in arms]
    for index, item in enumerate(case.study.participants):
        total = whole(item)
        if item.what != "randomised" or total is None or not arms:
            continue
        path = ("participants", index)
        known = [size for size in sizes if size is not None]
        if len(known) < len(sizes):
            yield _Line(path, "sum of the arms", str(total), "", None, "the size of an arm is not known")
        else:
            terms = " + ".join(map(str, known))
            yield _Line(path, "sum of the arms", str(total), str(sum(known)), sum(known) == total, terms)


def _joint_fits(case: Case) -> Iterator[_Line]:
    found: dict[Path, Problem] = {problem.path: problem for problem in CHECKS["joint-fit-not-unique"].function(case)}
    for path, number in case.numbers:
        if number.rule != "joint-fit" or path[-1] != "events" or number.value is None:
            continue
        problem = found.get(path)
        why = "no other joint set of counts gives what is printed" if problem is None else problem.what
        yield _Line(
            path, "joint fit", str(number.value), str(number.value) if problem is None else "", not problem, why
        )


def _percents(path: Path, reading: Reading) -> Iterator[_Line]:
    events, n = whole(reading.events), whole(reading.n)
    place = (*path, "percent" if reading.events is None else "events")
    for percent in percents(reading):
        printed = f"{percent}%"
        if reading.model_based:
            yield _Line(place, "percent", printed, "", None, "from a model")
        elif not n:
            yield _Line(place, "percent", printed, "", None, "n is not known")
        elif events is None:
            fits = fitting_counts(percent, n)
            why = f"whole numbers of {n} that give it: {listed(fits)}"
            yield _Line(place, "percent", printed, "", bool(fits), why)
        else:
            yield _percent_of_count(place, reading, percent, events, n)


def _percent_of_count(place: Path, reading: Reading, percent: Decimal, events: int, n: int) -> _Line:
    fits = fitting_counts(percent, n)
    same = events in fits
    share = f"{_digits(100 * events / n, percent, 0 if same else 1)}%"
    why = f"{events} of {n}"
    bases = {number.basis for number in (reading.events, reading.n) if isinstance(number, Number)}
    if not fits:
        why += f"; no whole number gives it, nearest: {listed(nearest_counts(percent, n))}"
    elif len(fits) > 1 or not same:
        why += f"; whole numbers that give it: {listed(fits)}"
    else:
        why += ", and no other number"
    if "approximate" in bases:
        why += "; the basis says approximate"
    return _Line(place, "percent", f"{percent}%", share, same, why)


def _alternatives(case: Case, path: Path, outcome: Outcome) -> Iterator[_Line]:
    problems = [
        problem
        for check_id in ("alternatives-fit", "alternatives-incomplete")
        for problem in CHECKS[check_id].function(case)
    ]
    for place, entry in enumerate(outcome.alternatives):
        own = (*path, "alternatives", place)
        wrong = [problem.what for problem in problems if problem.path[: len(own)] == own]
        count = f"{len(entry.counts)} {'set' if len(entry.counts) == 1 else 'sets'}"
        why = "; ".join(wrong) if wrong else "each meets what is printed"
        yield _Line(own, f"alternatives ({entry.kind})", count, "", not wrong, why)


def _effect(path: Path, published: Published, outcome: Outcome | None, above: Path) -> Iterator[_Line]:
    reason = _not_recomputable(published, outcome)
    tables = tables_between(outcome, above, published) if outcome is not None and reason is None else []
    if reason is None and not tables:
        reason = "the record has no counts of the two arms for this outcome"
    if reason is None and published.measure in RECOMPUTABLE:
        assert outcome is not None
        yield from _from_counts(path, published, outcome, tables)
    elif published.estimate is not None or published.ci is not None:
        why = reason or f"counts do not determine {published.measure}"
        yield _Line(path, published.measure, _words(published), "", None, why)
    yield from _within_itself(path, published)
    if published.p is not None:
        yield _p_value(path, published, tables, reason)


def _not_recomputable(published: Published, outcome: Outcome | None) -> str | None:
    if published.adjusted:
        return "adjusted"
    if published.about is not None:
        return f"about {published.about}"
    if outcome is None:
        return "of the study as a whole"
    if published.of is None or published.against is None:
        return "the two arms are not named"
    return None


def _words(published: Published) -> str:
    estimate = "" if published.estimate is None else f"{published.estimate}"
    interval = "" if published.ci is None else f"({published.ci[0]} to {published.ci[1]})"
    return f"{estimate} {interval}".strip()


def _from_counts(path: Path, published: Published, outcome: Outcome, tables: list[Table]) -> Iterator[_Line]:
    effects = recompute(published.measure, tables, published.level)
    estimates, intervals = estimate_agrees(published, effects), interval_agrees(published, effects)
    both = (estimates & intervals).tolist()
    best = both.index(True) if True in both else _nearest(published, effects)
    why = str(tables[best]) + (f" (of {len(tables)} sets)" if len(tables) > 1 else "")
    if published.estimate is not None:
        value, same = float(effects.estimate[best]), bool(estimates[best])
        note = why
        if not same and is_difference_of_percents(outcome, published):
            same, note = True, "the difference of the printed percents"
        if not same:
            note += _slip(published, tables[best])
        computed = f"no {published.measure}" if math.isnan(value) else _shown(value, published.estimate)
        yield _Line((*path, "estimate"), published.measure, str(published.estimate), computed, same, note)
    if published.ci is not None:
        yield _interval(path, published, effects, best, bool(intervals[best]), why)


def _interval(path: Path, published: Published, effects: Effects, best: int, same: bool, why: str) -> _Line:
    assert published.ci is not None
    low, high = published.ci
    place, what, printed = (*path, "ci"), f"interval of {published.measure}", f"{low} to {high}"
    if published.measure in {"chi-square", "NNT"} or math.isnan(effects.low[best]):
        return _Line(place, what, printed, "", None, f"no interval of {published.measure} from counts")
    bounds = (float(effects.low[best]), float(effects.high[best]))
    by_normal = is_rounded_to(bounds[0], low) and is_rounded_to(bounds[1], high)
    if same and not by_normal:
        bounds, why = (float(effects.t_low[best]), float(effects.t_high[best])), f"{why}, by the t distribution"
    return _Line(place, what, printed, f"{_shown(bounds[0], low)} to {_shown(bounds[1], high)}", same, why)


def _nearest(published: Published, effects: Effects) -> int:
    gaps = abs(effects.estimate - float(published.estimate or 0)).tolist()
    return min(range(len(gaps)), key=lambda place: gaps[place] if math.isfinite(gaps[place]) else math.inf)


def _slip(published: Published, table: Table) -> str:
    """Name a way in which a printed estimate does come out."""
    if published.estimate is None:
        return ""
    if published.measure == "chi-square":
        corrected = continuity_corrected(table)
        return "; with continuity correction it agrees" if is_rounded_to(corrected, published.estimate) else ""
    turned = Table(table.other_events, table.other_n, table.events, table.n)
    if estimate_agrees(published, recompute(published.measure, [turned], published.level)).any():
        return "; the other way round it agrees"
    return ""


def _within_itself(path: Path, published: Published) -> Iterator[_Line]:
    if published.measure not in RATIOS or published.estimate is None or published.ci is None:
        return
    low, high = published.ci
    if not 0 < low <= high:
        return
    middle = math.sqrt(float(low) * float(high))
    same = log_symmetric(published.estimate, low, high)
    shown = _digits(middle, published.estimate, 0 if is_rounded_to(middle, published.estimate) else 1)
    yield _Line(
        (*path, "ci"),
        f"middle of the interval of {published.measure}",
        str(published.estimate),
        shown,
        same,
        "root of the product of the bounds, as far as their digits tell",
    )


def _p_value(path: Path, published: Published, tables: list[Table], reason: str | None) -> _Line:
    place, text = (*path, "p"), published.p or ""
    read = printed_p(text)
    if read is None:
        return _Line(place, "p", text, "", None, "not a number")
    if published.measure == "chi-square" and published.estimate is not None and not published.adjusted:
        half = half_unit(published.estimate)
        ends = [chi_square_p(float(published.estimate) + side) for side in (half, -half)]
        exact = chi_square_p(float(published.estimate))
        same = _gives(read, ends[0]) or _gives(read, ends[1]) or _gives(read, exact)
        same = same or (read[0] == _EXACT and ends[0] <= float(read[1]) <= ends[1])
        return _Line(
            place, "p", text, f"{exact:.3g}", same, f"chi-square {published.estimate} with 1 degree of freedom"
        )
    if reason is not None or published.measure == "HR":
        return _Line(place, "p", text, "", None, reason or "counts do not determine a p value of HR")
    tests = [(table, test, p) for table in tables for test, p in p_values(table).items()]
    fitting = [item for item in tests if _gives(read, item[2])]
    if fitting:
        table, test, p = fitting[0]
        return _Line(place, "p", text, f"{p:.3g}", True, f"{test}, {table}")
    first = tests[: len(p_values(tables[0]))]
    why = f"{tables[0]}: " + ", ".join(f"{test} {p:.3g}" for _, test, p in first)
    nearest = min((p for _, _, p in tests), key=lambda p: abs(math.log(max(p, 1e-300) / max(float(read[1]), 1e-300))))
    return _Line(place, "p", text, f"{nearest:.3g}", False, f"{why}; it may be of another test")


def _gives(read: tuple[str, Decimal], p: float) -> bool:
    sign, printed = read
    if sign == "<":
        return p < float(printed)
    return p > float(printed) if sign == ">" else is_rounded_to(p, printed)


def _correlation(path: Path, correlation: ProgrammeCorrelation) -> Iterator[_Line]:
    if correlation.p is None:
        return
    programmes, r, read = whole(correlation.programmes), correlation.r.value, printed_p(correlation.p)
    place = (*path, "p")
    if read is None or programmes is None or programmes <= 2 or r is None:
        yield _Line(place, "p", correlation.p, "", None, "not a number" if read is None else "too few programmes")
        return
    from scipy.special import stdtr  # only for the few records of programmes

    half, df = half_unit(r), programmes - 2
    ends = [max(min(float(r) + side, 1 - 1e-9), -1 + 1e-9) for side in (-half, 0.0, half)]
    found = [float(2 * stdtr(df, -abs(end) * math.sqrt(df / (1 - end**2)))) for end in ends]
    same = any(_gives(read, p) for p in found) or (read[0] == _EXACT and min(found) <= float(read[1]) <= max(found))
    why = f"r {r} over {programmes} programmes, two-sided t test"
    yield _Line(place, "p", correlation.p, f"{found[1]:.3g}", same, why)
