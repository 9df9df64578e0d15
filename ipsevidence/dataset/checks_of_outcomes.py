"""Checks of outcomes beside each other: which of several an analysis takes, and what is said twice."""

from collections import defaultdict
from collections.abc import Iterator

from ipsevidence.dataset.checklist import Case, Problem, check, counted, listed
from ipsevidence.dataset.record import Outcome

__all__ = ["CHECKS_OF_OUTCOMES"]

_POOLED = frozenset({"reported", "derived", "bounded"})


def _whole_arms(outcome: Outcome, *, pooled: bool = False) -> set[tuple[str, str | None]]:
    """Return arm and denominator of each count of a whole arm; with `pooled`, of those that analyses admit at once."""
    return {
        (count.reading.arm, count.reading.of)
        for count in counted(outcome, ())
        if count.reading.where is None
        and count.reading.period is None
        and not (pooled and {number.basis for number in (count.reading.events, count.reading.n) if number} - _POOLED)
    }


@check(
    "outcomes-tie",
    "advice",
    rule=(
        "Two outcomes with the same concept, window and months do not count the same arm of the same denominator, "
        "unless the first of them alone is `registered: yes`."
    ),
    why="An analysis that asks for the concept takes the first of them in the file, which must not be chance.",
    fix="put the outcome that stands for the concept first, and say in the reason why it does",
    acceptable=True,
)
def _outcomes_tie(case: Case) -> Iterator[Problem]:
    groups: dict[tuple[object, ...], list[tuple[int, Outcome]]] = defaultdict(list)
    for index, outcome in enumerate(case.study.outcomes):
        measured = outcome.measured
        if measured.window != "not-stated" and measured.to is not None:
            groups[outcome.concept, measured.window, measured.from_, measured.to].append((index, outcome))
    for group in groups.values():
        rivals: dict[int, list[Outcome]] = {}
        for index, outcome in group:
            own = _whole_arms(outcome)
            first = next((place for place in rivals if own & _whole_arms(case.study.outcomes[place])), None)
            if first is None:
                rivals[index] = []
            else:
                rivals[first].append(outcome)
        for index, others in rivals.items():
            one = case.study.outcomes[index]
            told_apart = one.registered == "yes" and all(other.registered != "yes" for other in others)
            if others and not told_apart:
                names = listed(other.id for other in others)
                what = f"{one.id} is taken before {names} only because it comes first"
                yield Problem(("outcomes", index, "id"), what)


@check(
    "stated-with-counts",
    "advice",
    rule=(
        "What is `stated` of an effect is about a concept and month for which the two arms have no counts, or only "
        "counts that analyses leave out."
    ),
    why="`stated` says what a pool lacks; beside counts it would name a study as missing that is there.",
    fix="move the statement to `facts`",
    acceptable=True,
)
def _stated_with_counts(case: Case) -> Iterator[Problem]:
    for index, stated in enumerate(case.study.stated):
        for outcome in case.study.outcomes:
            if outcome.concept != stated.concept or outcome.measured.to != stated.months:
                continue
            arms = _whole_arms(outcome, pooled=True)
            if any((stated.of, of) in arms and (stated.against, of) in arms for _, of in arms):
                what = f"outcome {outcome.id} has the counts of {stated.of} and {stated.against}"
                yield Problem(("stated", index), what)
                break


CHECKS_OF_OUTCOMES = (_outcomes_tie, _stated_with_counts)
