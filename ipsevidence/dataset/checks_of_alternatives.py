"""Checks of what the sources leave open: bounded and approximate counts, and the joint sets listed for them."""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import NamedTuple, TypeAlias

from ipsevidence.dataset.arithmetic import RECOMPUTABLE, Table, agrees, fitting_counts, nearest_counts
from ipsevidence.dataset.checklist import Case, Counted, Path, Problem, check, counted, listed, whole
from ipsevidence.dataset.checks_of_counts import open_events, percents
from ipsevidence.dataset.record import Alternatives, Outcome, Published

__all__ = ["CHECKS_OF_ALTERNATIVES"]

_Joint: TypeAlias = dict[str, tuple[int, int]]
"""Events and n by arm."""

_MOST_SETS = 10_000


class _Listed(NamedTuple):
    """An `alternatives` entry with the readings it is about, by arm."""

    path: Path
    outcome: Outcome
    entry: Alternatives
    readings: dict[str, Counted]

    def rows(self) -> list[_Joint]:
        """Return each joint set as events and n by arm."""
        return [_by_arm(self.entry.arms, row) for row in self.entry.counts]

    def own(self) -> _Joint | None:
        """Return the readings' own counts; None where an arm has none."""
        if not all(arm in self.readings for arm in self.entry.arms):
            return None
        return {arm: (self.readings[arm].events, self.readings[arm].n) for arm in self.entry.arms}


def _by_arm(arms: tuple[str, ...], row: tuple[int, ...]) -> _Joint:
    return {arm: (row[2 * place], row[2 * place + 1]) for place, arm in enumerate(arms)}


def _shown(joint: _Joint) -> str:
    return " v ".join(f"{events}/{n}" for events, n in joint.values())


def _alternatives(case: Case) -> Iterator[_Listed]:
    for index, outcome in enumerate(case.study.outcomes):
        counts = counted(outcome, ("outcomes", index))
        for place, entry in enumerate(outcome.alternatives):
            # a reading of another denominator stands in where there is none of this one
            others = [count for count in counts if count.reading.of != entry.of]
            same = [count for count in counts if count.reading.of == entry.of]
            readings = {count.reading.arm: count for count in (*others, *same)}
            yield _Listed(("outcomes", index, "alternatives", place), outcome, entry, readings)


def _bases(count: Counted) -> set[str | None]:
    return {number.basis for number in (count.reading.events, count.reading.n) if number is not None}


@check(
    "bounded-needs-alternatives",
    "error",
    rule=(
        "A count of basis `bounded` has its possible sets of counts under `alternatives`; sets that are open by "
        "`rounding` are those of a bounded (or reconstructed) count."
    ),
    why="A bounded count enters an analysis with its whole range; without the list there is no range.",
    fix="list the joint sets (events, n for each arm) under the outcome's `alternatives`",
)
def _bounded_needs_alternatives(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        covered = {arm for entry in outcome.alternatives if entry.kind != "nearest" for arm in entry.arms}
        for count in counted(outcome, ("outcomes", index)):
            if "bounded" in _bases(count) and count.reading.arm not in covered:
                yield Problem(
                    (*count.path, "events"), f"the count of arm {count.reading.arm} is bounded, but no set is listed"
                )
    for item in _alternatives(case):
        is_open = any(_bases(count) & {"bounded", "reconstructed"} for count in _about(item))
        if item.entry.kind == "rounding" and not is_open:
            yield Problem(
                (*item.path, "kind"),
                "several counts are listed as giving the printed percents, but no count of these arms is bounded",
                "give the counts that are open the basis `bounded`, or delete the list",
            )


@check(
    "approximate-needs-nearest",
    "error",
    rule=(
        "A count of basis `approximate` has the counts that come closest under `alternatives` with kind `nearest`, "
        "and only such a count has them."
    ),
    why="What comes closest is not what fits: the two must not be taken for each other.",
    fix="list the counts that come closest under the outcome's `alternatives`, kind `nearest`",
)
def _approximate_needs_nearest(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        covered = {arm for entry in outcome.alternatives if entry.kind == "nearest" for arm in entry.arms}
        for count in counted(outcome, ("outcomes", index)):
            if "approximate" in _bases(count) and count.reading.arm not in covered:
                yield Problem(
                    (*count.path, "events"),
                    f"the count of arm {count.reading.arm} is approximate, but no nearest counts are listed",
                )
    for item in _alternatives(case):
        if item.entry.kind == "nearest" and not any("approximate" in _bases(count) for count in _about(item)):
            yield Problem(
                (*item.path, "kind"),
                "nearest counts are listed, but no count of these arms is approximate",
                "use the kind that says what is open, or give the count that fits nothing the basis `approximate`",
            )


def _about(item: _Listed) -> list[Counted]:
    return [count for arm, count in item.readings.items() if arm in item.entry.arms]


@check(
    "alternatives-fit",
    "error",
    rule=(
        "Each joint set under `alternatives` is possible: events at most n, n at most those randomised, the printed "
        "percents and unadjusted effects met (the interval of a difference by the normal or the t distribution), none "
        "listed twice; the readings' own counts are among the sets (except where n is open, or nothing fits)."
    ),
    why="The range over readings is only as honest as the list it runs over.",
    fix="delete or correct the set",
    acceptable=True,
)
def _alternatives_fit(case: Case) -> Iterator[Problem]:
    sizes = {
        arm.id: whole(arm.n_randomised)
        for arm in case.study.arms
        if arm.n_randomised is not None and arm.n_randomised.basis in {"reported", "derived"}
    }
    for item in _alternatives(case):
        rows, own = item.rows(), item.own()
        constraints = _constraints(item, rows if own is None else [*rows, own])
        seen: set[tuple[int, ...]] = set()
        given = [(effect.measure, _giving(effect, rows)) for effect in constraints]
        for place, row in enumerate(rows):
            path = (*item.path, "counts", place)
            faults = [fault for arm in row for fault in _faults(item, arm, *row[arm], sizes.get(arm))]
            if item.entry.counts[place] in seen:
                faults.append("it is listed twice")
            seen.add(item.entry.counts[place])
            if not faults:
                faults = [f"it does not give the printed {measure}" for measure, gives in given if not gives[place]]
            if faults:
                yield Problem(path, f"{_shown(row)}: {faults[0]}")
        if item.entry.kind in {"rounding", "disagreement"}:
            place_of_all = (*item.path, "counts")
            if own is not None and own not in rows:
                yield Problem(
                    place_of_all, f"the counts of the readings, {_shown(own)}, are not among the sets", "add them"
                )
            elif len(rows) == 1:
                yield Problem(place_of_all, "one set leaves nothing open", "list all sets, or delete the list")


def _faults(item: _Listed, arm: str, events: int, n: int, size: int | None) -> Iterator[str]:
    kind = item.entry.kind
    if n == 0 or events > n:
        yield f"{events} events among {n} in arm {arm}"
        return
    if size is not None and n > size and item.entry.of in {"randomised", "analysed"} and kind != "disagreement":
        yield f"n is {n}, but {size} were randomised to arm {arm}"
    count = item.readings.get(arm)
    if count is None or kind == "disagreement":
        return
    if kind != "denominator" and count.n != n:
        yield f"n of arm {arm} is {count.n} in its reading; sets with another n have kind `denominator`"
        return
    approximate = kind == "nearest" and "approximate" in _bases(count)
    for percent in percents(count.reading):
        fits = fitting_counts(percent, n)
        # where something fits after all, the count of the reading is at fault, not the set
        possible = nearest_counts(percent, n) if approximate and not fits else fits
        if events not in possible and not (approximate and fits):
            verb = "comes closest to" if approximate else "gives"
            yield f"arm {arm}: what {verb} {percent}% of {n} is {listed(possible)}"


def _constraints(item: _Listed, sets: list[_Joint]) -> list[Published]:
    """Return the printed effects that rule sets out: unadjusted, between these arms, and given by one of the sets."""
    if item.entry.kind not in {"rounding", "denominator"}:
        return []
    return [
        effect
        for effect in item.outcome.published
        if effect.measure in RECOMPUTABLE
        and not effect.adjusted
        and effect.about is None
        and {effect.of, effect.against} <= set(item.entry.arms)
        and any(_giving(effect, sets))
    ]


def _giving(effect: Published, sets: list[_Joint]) -> list[bool]:
    """Tell for each joint set whether it gives a printed effect."""
    assert effect.of is not None
    assert effect.against is not None
    tables = [Table(*joint[effect.of], *joint[effect.against]) for joint in sets]
    possible = [table.events <= table.n > 0 and table.other_events <= table.other_n > 0 for table in tables]
    # what is impossible is computed as an empty table, and gives nothing
    same = agrees(effect, [table if good else Table(0, 1, 0, 1) for table, good in zip(tables, possible, strict=True)])
    return [bool(gives) and good for gives, good in zip(same, possible, strict=True)]


@check(
    "alternatives-incomplete",
    "advice",
    rule="Sets that are open by `rounding` are all the sets that meet the printed percents and unadjusted effects.",
    why="A list that leaves a possible set out makes the range over readings narrower than it is.",
    fix="add the sets, or accept the finding and say what else rules them out",
    acceptable=True,
)
def _alternatives_incomplete(case: Case) -> Iterator[Problem]:
    for item in _alternatives(case):
        own = item.own()
        if item.entry.kind != "rounding" or own is None:
            continue
        rows = item.rows()
        constraints = _constraints(item, [*rows, own])
        fits = {arm: _fits(item.readings[arm]) for arm in item.entry.arms}
        # so many sets are not listed in a file
        if prod(map(len, fits.values())) > _MOST_SETS:
            continue
        joints = (
            {arm: (events[place], own[arm][1]) for place, arm in enumerate(fits)} for events in product(*fits.values())
        )
        present = {tuple(sorted(row.items())) for row in rows}
        missing = [joint for joint in joints if tuple(sorted(joint.items())) not in present]
        for effect in constraints if missing else ():
            missing = [joint for joint, gives in zip(missing, _giving(effect, missing), strict=True) if gives]
        if missing:
            yield Problem(
                (*item.path, "counts"),
                f"{len(missing)} more meet the printed percents: {listed(map(_shown, missing))}",
            )


def _fits(count: Counted) -> range:
    """Return the events that meet all percents of a reading; its own where no percent is printed."""
    if not percents(count.reading):
        return range(count.events, count.events + 1)
    return open_events(count.reading, count.n)


CHECKS_OF_ALTERNATIVES = (
    _bounded_needs_alternatives,
    _approximate_needs_nearest,
    _alternatives_fit,
    _alternatives_incomplete,
)
