"""Checks of numbers: counts against n and percents, rules against their results, counts over time."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from ipsevidence.dataset.arithmetic import (
    RATIOS,
    fitting_counts,
    half_unit,
    is_hedged,
    printed_p,
    printed_percent,
    rule_result,
)
from ipsevidence.dataset.checklist import Case, Counted, Path, Problem, check, counted, listed, whole
from ipsevidence.dataset.findings import excerpt
from ipsevidence.dataset.record import Number, Outcome, Published, Reading

__all__ = ["CHECKS_OF_COUNTS", "open_events", "outside", "percents"]


def percents(reading: Reading) -> list[Decimal]:
    """Return the percents that are printed for a reading's count.

    Parameters
    ----------
    reading : Reading
        The reading.

    Returns
    -------
    list of Decimal
        With their printed digits; a percent that was not read as such rules nothing out and is left out.
    """
    found = []
    if reading.events is not None and reading.events.as_printed is not None:
        found.append(printed_percent(reading.events.as_printed))
    if reading.percent is not None and reading.percent.basis == "reported":
        found.append(reading.percent.value)
    return [percent for percent in found if percent is not None]


def open_events(reading: Reading, n: int) -> range:
    """Return the events among n that give all printed percents of a reading.

    Parameters
    ----------
    reading : Reading
        The reading.
    n : int
        The number of persons.

    Returns
    -------
    range
        From 0 to n where no percent is printed.
    """
    fits = [fitting_counts(percent, n) for percent in percents(reading)]
    return range(max((fit.start for fit in fits), default=0), min((fit.stop for fit in fits), default=n + 1))


def _outcomes(case: Case) -> Iterator[tuple[Path, Outcome]]:
    for index, outcome in enumerate(case.study.outcomes):
        yield ("outcomes", index), outcome


def _readings(case: Case) -> Iterator[tuple[Path, Reading]]:
    for path, outcome in _outcomes(case):
        for index, reading in enumerate(outcome.readings):
            yield (*path, "readings", index), reading


def _counts(case: Case) -> Iterator[Counted]:
    for path, outcome in _outcomes(case):
        yield from counted(outcome, path)


def _share(events: int, n: int, percent: Decimal) -> str:
    # one digit more than is printed shows why it does not round to it
    digits = len(str(percent).partition(".")[2]) + 1
    return f"{events} of {n} is {100 * events / n:.{digits}f}%"


@check(
    "counts-exceed-n",
    "error",
    rule="Events are at most n, and n is at least 1.",
    why="More events than persons is a slip: two numbers exchanged, or n of another arm.",
    fix="look both numbers up in the source",
)
def _counts_exceed_n(case: Case) -> Iterator[Problem]:
    for path, reading in _readings(case):
        n = whole(reading.n)
        if n is None or reading.events is None:
            continue
        events = reading.events.value if reading.events.value is not None else reading.events.high
        if n == 0:
            yield Problem((*path, "n"), f"n of arm {reading.arm} is 0")
        elif events is not None and events > n:
            yield Problem((*path, "events"), f"{events} events, but n is {n}")


@check(
    "percent-does-not-fit",
    "error",
    rule=(
        "A count with a printed percent gives that percent when rounded to its digits. A count of basis "
        "`approximate` is the exception: there no whole number of n may give it."
    ),
    why=(
        "A percent that the count does not give means that the count, n or the percent belongs to something else. "
        "`approximate` keeps a count out of analyses, so it must not be used for a count that does fit."
    ),
    fix="look the count, n and the percent up in the source",
    acceptable=True,
)
def _percent_does_not_fit(case: Case) -> Iterator[Problem]:
    for path, reading, events, n in _counts(case):
        bases = {number.basis for number in (reading.events, reading.n) if number is not None}
        if "reconstructed" in bases or reading.model_based:
            continue
        for percent in percents(reading):
            fits = fitting_counts(percent, n)
            place = (*path, "events")
            if "approximate" in bases:
                if fits:
                    better = "derived" if len(fits) == 1 else "bounded"
                    yield Problem(
                        place,
                        f"the basis is approximate, but {percent}% of {n} is given by {listed(fits)}",
                        f"take the count that fits, with basis `{better}`",
                    )
            elif events not in fits:
                yield Problem(
                    place,
                    f"{_share(events, n, percent)}, printed is {percent}%; whole numbers that give it: {listed(fits)}",
                    None
                    if fits
                    else "look n up in the source; if it is right, use basis `approximate`, and list the counts that "
                    "come closest under `alternatives` with kind `nearest`",
                )


@check(
    "percent-of-n-not-unique",
    "error",
    rule=(
        "A count of basis `derived` by the rule `percent-of-n` names the printed percent, and is the only whole number "
        "of n that gives it."
    ),
    why="Where several counts give the percent, taking one of them as known hides what is not known.",
    fix='put the percent beside the count, as in as_printed: "76%"',
)
def _percent_of_n_not_unique(case: Case) -> Iterator[Problem]:
    for path, reading, _, n in _counts(case):
        number = reading.events
        if number is None or number.rule != "percent-of-n" or number.basis != "derived":
            continue
        printed = percents(reading)
        if not printed:
            yield Problem((*path, "events"), "the rule is percent-of-n, but no percent is given")
        for percent in printed:
            fits = fitting_counts(percent, n)
            if len(fits) > 1:
                yield Problem(
                    (*path, "events"),
                    f"{percent}% of {n} is given by {len(fits)} whole numbers: {listed(fits)}",
                    "use basis `bounded`, and list the joint sets under `alternatives` with kind `rounding`",
                )


@check(
    "rule-arithmetic",
    "error",
    rule="A rule such as `541 - 270` gives its number, and uses the value of each of its `inputs`.",
    why="A slip in a subtraction goes into every pooled result.",
    fix="correct the rule or the number",
)
def _rule_arithmetic(case: Case) -> Iterator[Problem]:
    for path, number in case.numbers:
        if number.rule is None or number.value is None:
            continue
        rule = excerpt(number.rule)
        try:
            result = rule_result(number.rule)
        except ZeroDivisionError:
            yield Problem((*path, "rule"), f"`{rule}` divides by 0")
            continue
        if result is None:
            continue
        gap = abs(result.value - Fraction(number.value))
        if gap > (0 if result.value.denominator == 1 else half_unit(number.value)):
            yield Problem((*path, "rule"), f"`{rule}` is {float(result.value):.12g}, but the number is {number.value}")
        unused = [item.value for item in number.inputs if item.value not in result.operands]
        if unused:
            yield Problem((*path, "rule"), f"`{rule}` does not use the inputs {listed(unused)}")


@check(
    "basis-against-rule",
    "error",
    rule=(
        "A number of basis `derived` or `reconstructed` has a `rule` that says how it was obtained; one of basis "
        "`reported` has none."
    ),
    why="A number that was computed is only as good as its rule, and one with a rule was not read as such.",
    fix="add `rule:`, or give the basis that is true",
)
def _basis_against_rule(case: Case) -> Iterator[Problem]:
    for path, number in case.numbers:
        if number.basis in {"derived", "reconstructed"} and number.rule is None:
            yield Problem(path, f"the basis is {number.basis}, but no rule says how the number was obtained")
        elif number.basis == "reported" and number.rule is not None:
            yield Problem(
                (*path, "rule"),
                f"the basis is reported, but there is a rule: {excerpt(number.rule)}",
                "use basis `derived`, or delete the rule",
            )


@check(
    "qualified-count",
    "error",
    rule="`events` and `n` with a `qualifier` (over, at least, about) have a basis weaker than `derived`.",
    why="An analysis takes a reported or derived count as exact; it does not read the qualifier.",
    fix=(
        "use basis `bounded` with its sets under `alternatives`, or `approximate` with the nearest ones; words on who "
        "is counted go to the outcome's `note`"
    ),
)
def _qualified_count(case: Case) -> Iterator[Problem]:
    for path, reading in _readings(case):
        for key, number in (("events", reading.events), ("n", reading.n)):
            if number is not None and number.qualifier is not None and number.basis in {"reported", "derived"}:
                what = f"the count is qualified, {excerpt(number.qualifier)}, but its basis is {number.basis}"
                yield Problem((*path, key, "qualifier"), what)


@check(
    "qualified-number",
    "advice",
    rule="A number that is printed as over, about or at least something says so under `qualifier`, or is a range.",
    why="Without it a bound or a round number reads like an exact one, in tables too.",
    fix="add `qualifier:` as printed, or give `low` and `high`",
    acceptable=True,
)
def _qualified_number(case: Case) -> Iterator[Problem]:
    for path, number in case.numbers:
        text = number.as_printed
        if text is not None and number.value is not None and number.qualifier is None and is_hedged(text):
            yield Problem((*path, "as_printed"), f"printed is {excerpt(text)}, but the number is {number.value}")


@check(
    "n-against-randomised",
    "error",
    rule=(
        "n of a reading `of: randomised` is the arm's `n_randomised`; n of one `of: analysed` or `engaged` is at "
        "most that."
    ),
    why="What n counts decides how missing participants are handled in an analysis.",
    fix="correct n, or say under `of` what it counts",
    acceptable=True,
)
def _n_against_randomised(case: Case) -> Iterator[Problem]:
    sizes = {arm.id: whole(arm.n_randomised) for arm in case.study.arms}
    for path, reading in _readings(case):
        n, size = whole(reading.n), sizes.get(reading.arm)
        if n is None or size is None or reading.of not in {"randomised", "analysed", "engaged"}:
            continue
        if n > size:
            yield Problem((*path, "n"), f"n is {n}, but {size} were randomised to arm {reading.arm}")
        elif reading.of == "randomised" and n < size and reading.where is None:
            yield Problem(
                (*path, "n"), f"n is {n} of those randomised, but {size} were randomised to arm {reading.arm}"
            )


@check(
    "reading-twice",
    "error",
    rule="An outcome has one reading of each kind for an arm, denominator, place and period.",
    why="With two, an analysis would have to choose one of them unseen.",
    fix="keep one; what another source prints goes to `disagreements`",
)
def _reading_twice(case: Case) -> Iterator[Problem]:
    for path, outcome in _outcomes(case):
        seen = set()
        for index, reading in enumerate(outcome.readings):
            key = (reading.arm, reading.kind, reading.of, reading.where, reading.period)
            if key in seen:
                of = f" of {reading.of}" if reading.of else ""
                yield Problem((*path, "readings", index), f"a second {reading.kind}{of} for arm {reading.arm}")
            seen.add(key)


@check(
    "count-falls-over-time",
    "error",
    rule=(
        "Counts of persons who had an event at any time up to a month do not fall from month to month, in the same "
        "arm and with the same n."
    ),
    why="Who once had a job has had one later too: a count that falls is of another kind, or of other persons.",
    fix="check `window` (a count at a date is `point`), `concept` and n",
    acceptable=True,
)
def _count_falls_over_time(case: Case) -> Iterator[Problem]:
    series: dict[tuple[object, ...], list[tuple[Decimal, Counted]]] = defaultdict(list)
    for path, outcome in _outcomes(case):
        month = outcome.measured.to
        if outcome.measured.window == "cumulative" and month is not None:
            for count in counted(outcome, path):
                reading = count.reading
                key = (outcome.concept, reading.arm, reading.of, count.n, reading.where, reading.period)
                series[key].append((month, count))
    for counts in series.values():
        counts.sort(key=lambda item: item[0])
        for month, count in counts:
            earlier = [item for item in counts if item[0] < month and item[1].events > count.events]
            if earlier:
                before, most = max(earlier, key=lambda item: item[1].events)
                yield Problem(
                    (*count.path, "events"),
                    f"{count.events} of {count.n} by month {month}, but {most.events} of {most.n} by month {before}",
                )


@check(
    "value-out-of-range",
    "error",
    rule=(
        "Percents lie between 0 and 100, p values between 0 and 1, risk differences and correlations between -1 and 1; "
        "ratios and standard deviations are not negative."
    ),
    why="Outside its range a number is a slip, or stands under another measure than its own.",
    fix="look the number up in the source; a difference in percent is `percentage-points`, not RD",
)
def _value_out_of_range(case: Case) -> Iterator[Problem]:
    for path, reading in _readings(case):
        yield from outside((*path, "percent"), reading.percent, 0, 100)
        yield from outside((*path, "sd"), reading.sd, 0, None)
    for path, outcome in _outcomes(case):
        for index, published in enumerate(outcome.published):
            yield from _effect_outside((*path, "published", index), published)
    for index, published in enumerate(case.study.published):
        yield from _effect_outside(("published", index), published)
    yield from outside(("design", "icc"), case.study.design.icc, -1, 1)


def outside(path: Path, number: Number | None, least: int, most: Decimal | int | None) -> Iterator[Problem]:
    """Yield a problem where a number, or an end of its range, lies outside what is possible.

    Parameters
    ----------
    path : Path
        The place of the number in the record.
    number : Number or None
        The number.
    least, most : int, Decimal or None
        What it may be at least, and at most; None where nothing limits it.

    Yields
    ------
    Problem
        One at most.
    """
    if number is None:
        return
    for value in (number.value, number.low, number.high):
        if value is not None and (value < least or (most is not None and value > most)):
            yield Problem(path, f"{value} is not {_between(least, most)}")
            return


def _between(least: object, most: object) -> str:
    return f"at least {least}" if most is None else f"between {least} and {most}"


_RANGES: dict[str, tuple[int, int | None]] = {
    **dict.fromkeys((*RATIOS, "chi-square"), (0, None)),
    "RD": (-1, 1),
    "percentage-points": (-100, 100),
}


def _effect_outside(path: Path, published: Published) -> Iterator[Problem]:
    least, most = _RANGES.get(published.measure, (None, None))
    # the lower bound of a ratio may be printed as 0.00
    given = [("estimate", published.estimate)] + [("ci", bound) for bound in published.ci or ()]
    for key, value in given:
        if value is not None and least is not None and (value < least or (most is not None and value > most)):
            yield Problem((*path, key), f"{published.measure} {value} is not {_between(least, most)}")
            break
    if published.level is not None and not 50 <= published.level < 100:
        yield Problem((*path, "level"), f"level {published.level} is not a percent from 50 up to 100")
    p = printed_p(published.p) if published.p is not None else None
    if p is not None and p[1] > 1:
        yield Problem((*path, "p"), f"p {p[1]} is above 1")


CHECKS_OF_COUNTS = (
    _counts_exceed_n,
    _percent_does_not_fit,
    _percent_of_n_not_unique,
    _rule_arithmetic,
    _basis_against_rule,
    _qualified_count,
    _qualified_number,
    _n_against_randomised,
    _reading_twice,
    _count_falls_over_time,
    _value_out_of_range,
)
