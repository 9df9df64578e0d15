"""The check of counts that were found by trying: that no other joint set gives what is printed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ipsevidence.dataset.arithmetic import RECOMPUTABLE, agrees, rule_result
from ipsevidence.dataset.checklist import Case, Counted, Problem, check, counted, listed, whole
from ipsevidence.dataset.checks_of_counts import open_events
from ipsevidence.dataset.record import Number, Published

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CHECKS_OF_JOINT_FITS"]

_RULE = "joint-fit"
_MOST_SETS = 250_000
# looking at one more pair of sizes takes about as long as looking at so many more sets of events
_COST_OF_SIZES = 50


@check(
    "joint-fit-not-unique",
    "error",
    rule=(
        "A count of basis `derived` by the rule `joint-fit` is the only one that, together with the other arm's, gives "
        "the printed percents and unadjusted effects. An n found in the same way is at most those randomised, or the "
        "two arms sum to a number of participants that was read, or computed from other numbers."
    ),
    why="A count found by trying is known only if nothing else fits; otherwise it is one possibility of several.",
    fix="use basis `bounded`, and list the joint sets under `alternatives`",
    acceptable=True,
)
def _joint_fit_not_unique(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        groups: dict[tuple[object, ...], dict[str, Counted]] = defaultdict(dict)
        for count in counted(outcome, ("outcomes", index)):
            reading = count.reading
            groups[reading.of, reading.where, reading.period][reading.arm] = count
        for group in groups.values():
            tried = [count for count in group.values() if _is_tried(count)]
            # where a count does not fit its own percent, another check says so
            if tried and all(count.events in _possible_events(count, count.n) for count in group.values()):
                yield from _problems(case, group, tried, _effects_between(outcome.published, group))


def _is_tried(count: Counted) -> bool:
    numbers = (count.reading.events, count.reading.n)
    return any(number is not None and number.rule == _RULE and number.basis == "derived" for number in numbers)


def _has_open_n(count: Counted) -> bool:
    return count.reading.n is not None and count.reading.n.rule == _RULE


def _problems(
    case: Case, group: dict[str, Counted], tried: list[Counted], effects: dict[tuple[str, str], list[Published]]
) -> Iterator[Problem]:
    opened = [count for count in group.values() if _has_open_n(count)]
    sizes = _possible_sizes(case, group) if opened else None
    if opened and sizes is None:
        yield Problem(
            (*opened[0].path, "n"),
            "n was found by trying, but nothing that was read limits it: no size of the arm, no printed total",
            "give the arm's `n_randomised`, add the printed total to `participants`, or use basis `bounded`",
        )
        return
    remaining = _narrowed(group, effects) if sizes is None else _with_sizes(group, effects, sizes)
    for count in tried:
        possible = None if remaining is None else remaining[count.reading.arm]
        if possible is None:
            yield Problem((*count.path, "events"), f"more than {_MOST_SETS:,} joint sets would have to be tried")
        elif possible != {(count.events, count.n)}:
            shown = listed(f"{events}/{n}" for events, n in sorted(possible))
            yield Problem(
                (*count.path, "events"),
                f"what is printed leaves {len(possible)} possible counts of arm {count.reading.arm}: {shown}",
            )


def _possible_sizes(case: Case, group: dict[str, Counted]) -> Iterator[tuple[int, int]] | None:
    """Return the sizes that two arms may have where one or both were found by trying; None where nothing says."""
    if len(group) != 2:
        return None
    one, other = group.values()
    own = one.n + other.n
    totals = {whole(size) for size in case.study.participants if _limits(size, (one.n, other.n))}
    if _has_open_n(one) and _has_open_n(other) and own in totals:
        return ((n, own - n) for n in range(1, own))
    randomised = {arm.id: arm.n_randomised for arm in case.study.arms}
    ranges = []
    for count in (one, other):
        size = randomised.get(count.reading.arm)
        most = None if size is None or size.rule == _RULE else whole(size)
        if _has_open_n(count) and most is None:
            return None
        ranges.append(range(1, most + 1) if _has_open_n(count) and most is not None else range(count.n, count.n + 1))
    return ((n, m) for n in ranges[0] for m in ranges[1])


def _limits(size: Number, tried: tuple[int, int]) -> bool:
    """Tell whether a number of participants limits sizes found by trying: read, or computed without those sizes."""
    if size.basis != "derived" or size.rule is None:
        return size.basis == "reported"
    try:
        result = rule_result(size.rule)
    except ZeroDivisionError:
        return False
    return size.rule != _RULE and (result is None or not set(tried) & set(result.operands))


def _effects_between(
    published: tuple[Published, ...], group: dict[str, Counted]
) -> dict[tuple[str, str], list[Published]]:
    """Return, by pair of arms, the printed effects that the group's own counts give; others rule nothing out."""
    found: dict[tuple[str, str], list[Published]] = defaultdict(list)
    for effect in published:
        if effect.measure not in RECOMPUTABLE or effect.adjusted or effect.about is not None:
            continue
        if effect.of in group and effect.against in group and effect.of != effect.against:
            of, against = group[effect.of], group[effect.against]
            if _giving([effect], _tables([of.events], of.n, [against.events], against.n))[0]:
                found[effect.of, effect.against].append(effect)
    return found


def _possible_events(count: Counted, n: int) -> range:
    """Return the events among n that a reading leaves open before any effect is looked at."""
    events = count.reading.events
    assert events is not None
    if events.basis == "approximate":
        return range(n + 1)
    if events.rule == _RULE or events.basis == "bounded" or (events.basis != "reported" and _has_open_n(count)):
        return open_events(count.reading, n)
    return range(count.events, min(count.events, n) + 1)


def _narrowed(
    group: dict[str, Counted], effects: dict[tuple[str, str], list[Published]]
) -> dict[str, set[tuple[int, int]]] | None:
    """Return what is left for each arm when every pair of arms must give its printed effects; None if too much."""
    import numpy as np

    open_at_first = {arm: _possible_events(count, count.n) for arm, count in group.items()}
    pairs = [len(open_at_first[one]) * len(open_at_first[other]) for one, other in effects]
    if max([*pairs, *map(len, open_at_first.values())]) > _MOST_SETS:
        return None
    left = {arm: list(possible) for arm, possible in open_at_first.items()}
    changed = True
    while changed:
        changed = False
        for (one, other), printed in effects.items():
            tables = _tables(left[one], group[one].n, left[other], group[other].n)
            gives = _giving(printed, tables).reshape(len(left[one]), len(left[other]))
            for arm, axis in ((one, 1), (other, 0)):
                possible: list[bool] = np.any(gives, axis=axis).tolist()
                changed = changed or not all(possible)
                left[arm] = [events for events, good in zip(left[arm], possible, strict=True) if good]
    return {arm: {(events, group[arm].n) for events in possible} for arm, possible in left.items()}


def _with_sizes(
    group: dict[str, Counted], effects: dict[tuple[str, str], list[Published]], sizes: Iterator[tuple[int, int]]
) -> dict[str, set[tuple[int, int]]] | None:
    """Return what is left for each of two arms whose sizes are open too; None if too much."""
    import numpy as np

    one, other = group
    tables, tried = [], 0
    for n, m in sizes:
        firsts, seconds = _possible_events(group[one], n), _possible_events(group[other], m)
        tried += _COST_OF_SIZES + len(firsts) * len(seconds)
        if tried > _MOST_SETS:
            return None
        tables.append(_tables(firsts, n, seconds, m))
    rows = np.concatenate(tables)
    for (of, _), printed in effects.items():
        rows = rows[_giving(printed, rows if of == one else rows[:, [2, 3, 0, 1]])]
    return {
        arm: {(int(events), int(n)) for events, n in rows[:, columns]}
        for arm, columns in ((one, [0, 1]), (other, [2, 3]))
    }


def _tables(events: Sequence[int], n: int, other_events: Sequence[int], other_n: int) -> "NDArray[np.float64]":
    """Return every pair of events with the sizes, as rows of a table each."""
    import numpy as np

    tables = np.empty((len(events), len(other_events), 4))
    tables[..., 0] = np.reshape(events, (-1, 1))
    tables[..., 1] = n
    tables[..., 2] = other_events
    tables[..., 3] = other_n
    return tables.reshape(-1, 4)


def _giving(printed: list[Published], tables: "NDArray[np.float64]") -> "NDArray[np.bool_]":
    import numpy as np

    gives = np.full(len(tables), fill_value=True)
    for effect in printed:
        gives &= agrees(effect, tables)
    return gives


CHECKS_OF_JOINT_FITS = (_joint_fit_not_unique,)
