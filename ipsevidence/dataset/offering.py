"""From printed percents to counts: the whole numbers that fit, arm by arm and jointly, as a record writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any, Final, Literal, TypeAlias

from ipsevidence.dataset.arithmetic import RECOMPUTABLE, Table, agrees, fitting_counts, nearest_counts, printed_percent
from ipsevidence.dataset.checklist import listed
from ipsevidence.dataset.record import Published

__all__ = ["ArmCount", "Offer", "OfferedReadings", "offered_counts", "offered_readings"]

_MOST_SETS: Final = 200
_Joint: TypeAlias = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmCount:
    """What is printed of one arm.

    Attributes
    ----------
    arm : str
        Id of the arm.
    of : str
        Whom n counts.
    n, events : int or None
        Numbers of persons; None where they are not printed.
    percent : str or None
        The percent with its printed digits, such as ``"46%"``.
    """

    arm: str
    of: str | None
    n: int | None = None
    events: int | None = None
    percent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The whole numbers that a printed percent of n persons leaves.

    Attributes
    ----------
    kind : {'only', 'several', 'nearest'}
        Whether one number gives the percent, several do, or none does and these come closest.
    counts : sequence of int
        The numbers, ascending; a range where they fit.
    closest : int
        The one whose share is closest to the percent.
    """

    kind: Literal["only", "several", "nearest"]
    counts: Sequence[int]
    closest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedReadings:
    """Readings and alternatives as a record holds them, and what a person should know about them."""

    readings: tuple[dict[str, Any], ...]
    alternatives: tuple[dict[str, Any], ...]
    remarks: tuple[str, ...]


def offered_counts(percent: Decimal, n: int) -> Offer:
    """Return the whole numbers of n persons that give a printed percent, or those that come closest.

    Parameters
    ----------
    percent : Decimal
        The percent with its printed digits.
    n : int
        The number of persons, at least 1.

    Returns
    -------
    Offer

    Examples
    --------
    >>> list(offered_counts(Decimal("47"), 150).counts), offered_counts(Decimal("27.1"), 183).kind
    ([70, 71], 'nearest')
    """
    fits = fitting_counts(percent, n)
    sides = nearest_counts(percent, n)
    # what fits lies on both sides of the exact share, so the closest of all is one of these
    candidates = [side for side in sides if side in fits] or sides
    closest = min(candidates, key=lambda events: abs(Decimal(100 * events) / n - percent))
    if not fits:
        return Offer(kind="nearest", counts=sides, closest=closest)
    return Offer(kind="only" if len(fits) == 1 else "several", counts=fits, closest=closest)


def offered_readings(arms: Sequence[ArmCount], effects: Sequence[Published], at: str | None) -> OfferedReadings:
    """Write what is printed of several arms as readings, with everything that it leaves open.

    Parameters
    ----------
    arms : sequence of ArmCount
        What is printed, arm by arm.
    effects : sequence of Published
        Effects printed for two of the arms; unadjusted ones narrow the counts.
    at : str or None
        The place in the source.

    Returns
    -------
    OfferedReadings
        A count read as such is `reported`; the only one that fits its percent, or that fits everything together, is
        `derived`; one of several is `bounded`, and the joint sets are listed; where none fits the closest is
        `approximate`, and the nearest are listed. A percent without n stays a percent.
    """
    offers = {arm.arm: offer for arm in arms if (offer := _offer(arm)) is not None}
    placed = [arm for arm in arms if arm.n and (arm.events is not None or arm.arm in offers)]
    fitting = [arm for arm in placed if arm.events is not None or offers[arm.arm].kind != "nearest"]
    sets = _joint_sets(fitting, offers, effects)
    left = {arm.arm: sorted({row[place] for row in sets}) for place, arm in enumerate(fitting)} if sets else {}
    chosen = _closest(fitting, offers, sets)
    readings = tuple(
        _reading(arm, offers.get(arm.arm), left.get(arm.arm), chosen.get(arm.arm), at)
        for arm in arms
        if arm.events is not None or arm.percent is not None
    )
    is_open = any(len(counts) > 1 for counts in left.values())
    alternatives = [_rounding(fitting, sets, offers)] if sets and is_open else []
    alternatives += [_nearest(arm, offers[arm.arm]) for arm in placed if arm not in fitting]
    return OfferedReadings(
        readings=readings,
        alternatives=tuple(alternatives),
        remarks=tuple(_remarks(placed, offers, left, sets is None)),
    )


def _offer(arm: ArmCount) -> Offer | None:
    percent = None if arm.percent is None else printed_percent(arm.percent)
    return None if arm.events is not None or not arm.n or percent is None else offered_counts(percent, arm.n)


def _joint_sets(
    arms: Sequence[ArmCount], offers: Mapping[str, Offer], effects: Sequence[Published]
) -> list[_Joint] | None:
    """Return the joint sets of events that percents and effects leave; None where they are too many to list."""
    possible = [(arm.events,) if arm.events is not None else offers[arm.arm].counts for arm in arms]
    if not arms or prod(map(len, possible)) > _MOST_SETS:
        return [] if not arms else None
    sets = list(product(*possible))
    places = {arm.arm: place for place, arm in enumerate(arms)}
    sizes = [arm.n or 0 for arm in arms]
    for effect in effects:
        if effect.adjusted or effect.measure not in RECOMPUTABLE or effect.of not in places:
            continue
        if effect.against not in places:
            continue
        of, against = places[effect.of], places[effect.against]
        rows = [Table(row[of], sizes[of], row[against], sizes[against]) for row in sets]
        if any(row.events > row.n or row.other_events > row.other_n for row in rows):
            continue
        kept = [row for row, gives in zip(sets, agrees(effect, rows).tolist(), strict=True) if gives]
        sets = kept or sets  # an effect that none of them gives rules nothing out: a check names it
    return sets


def _closest(arms: Sequence[ArmCount], offers: Mapping[str, Offer], sets: list[_Joint] | None) -> dict[str, int]:
    """Return the counts that are written: those of the joint set whose shares are closest to the percents."""
    if not sets:
        return {arm.arm: offers[arm.arm].closest for arm in arms if arm.arm in offers}

    def gap(row: _Joint) -> Decimal:
        gaps = (
            abs(Decimal(100 * events) / (arm.n or 1) - (printed_percent(arm.percent or "") or 0))
            for arm, events in zip(arms, row, strict=True)
            if arm.arm in offers
        )
        return sum(gaps, Decimal(0))

    best = min(sets, key=gap)
    return {arm.arm: events for arm, events in zip(arms, best, strict=True)}


def _reading(
    arm: ArmCount,
    offer: Offer | None,
    left: list[int] | None,
    chosen: int | None,
    at: str | None,
) -> dict[str, Any]:
    head: dict[str, Any] = {"arm": arm.arm, "kind": "percent" if arm.n is None and arm.events is None else "count"}
    if arm.of is not None:
        head["of"] = arm.of
    end: dict[str, Any] = {"from": "s1", "basis": "reported"} | ({} if at is None else {"at": at})
    percent = None if arm.percent is None else printed_percent(arm.percent)
    if not arm.n:
        # events without n are no count yet: the reader asks for n
        return head | ({"percent": percent} if arm.events is None else {"events": arm.events}) | end
    printed = {} if arm.percent is None else {"as_printed": arm.percent}
    if arm.events is not None:
        events: Any = {"value": arm.events, **printed} if printed else arm.events
    elif offer is None:
        return {**head, "kind": "percent", "n": arm.n, "percent": percent, **end}
    elif offer.kind == "nearest":
        events = {"value": offer.closest, "basis": "approximate", **printed}
    elif offer.kind == "only":
        events = {"value": offer.closest, "basis": "derived", "rule": "percent-of-n", **printed}
    elif left is not None and len(left) == 1:
        events = {"value": left[0], "basis": "derived", "rule": "joint-fit", **printed}
    else:
        events = {"value": offer.closest if chosen is None else chosen, "basis": "bounded", **printed}
    return {**head, "n": arm.n, "events": events, **end}


def _rounding(arms: Sequence[ArmCount], sets: list[_Joint], offers: Mapping[str, Offer]) -> dict[str, Any]:
    rows = [[number for arm, events in zip(arms, row, strict=True) for number in (events, arm.n)] for row in sets]
    words = [
        f"{arm.percent} of {arm.n} is {' or '.join(listed(offers[arm.arm].counts).rsplit(', ', 1))}"
        for arm in arms
        if arm.arm in offers and offers[arm.arm].kind == "several"
    ]
    return {
        "kind": "rounding",
        "of": arms[0].of,
        "arms": [arm.arm for arm in arms],
        "counts": rows,
        "because": f"{'; '.join(words)}.",
    }


def _nearest(arm: ArmCount, offer: Offer) -> dict[str, Any]:
    return {
        "kind": "nearest",
        "of": arm.of,
        "arms": [arm.arm],
        "counts": [[events, arm.n] for events in offer.counts],
        "because": f"{arm.percent} of {arm.n} is no whole number.",
    }


def _remarks(
    arms: Sequence[ArmCount], offers: Mapping[str, Offer], left: Mapping[str, list[int]], too_many: bool
) -> list[str]:
    remarks = []
    for arm in arms:
        offer = offers.get(arm.arm)
        if offer is None:
            continue
        start = f"{arm.arm}: {arm.percent} of {arm.n}"
        if offer.kind == "only":
            remarks.append(f"{start} is given by {offer.closest} only: derived")
        elif offer.kind == "nearest":
            shown = " and ".join(map(str, offer.counts))
            remarks.append(f"{start} is given by no whole number, {shown} come closest: approximate; look n up")
        elif len(left.get(arm.arm, ())) == 1:
            remarks.append(f"{start} is given by {listed(offer.counts)}; the printed effect leaves {left[arm.arm][0]}")
        else:
            still = left.get(arm.arm) or offer.counts
            remarks.append(f"{start} is given by {listed(still)}: bounded; if the source prints the number, give it")
    if too_many:
        remarks.append(f"more than {_MOST_SETS} joint sets of counts fit, so that none is listed under alternatives")
    return remarks
