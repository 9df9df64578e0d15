"""The check of means: that what is given as a standard deviation can be one."""

import math
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

from ipsevidence.dataset.checklist import Case, Path, Problem, check, whole
from ipsevidence.dataset.record import Reading

__all__ = ["CHECKS_OF_MEANS"]

_MOST_SDS = 5
_MOST_SDS_APART = 3


class _Mean(NamedTuple):
    """A mean with its SD: the path of its reading, the reading, and both as floats."""

    path: Path
    reading: Reading
    mean: float
    sd: float


@check(
    "sd-looks-like-se",
    "advice",
    rule=(
        "A mean is at most 5 of its standard deviations, and the means of two arms are at most 3 standard deviations "
        "apart (the root of the mean of the two variances)."
    ),
    why=(
        "Time worked and earnings are spread widely, and no service moves a mean so far. A standard deviation so small "
        "is a standard error that was printed or typed as one, and would give the study far too much weight."
    ),
    fix="look up what the source calls it; a standard error times the root of n is the standard deviation",
    acceptable=True,
)
def _sd_looks_like_se(case: Case) -> Iterator[Problem]:
    for index, outcome in enumerate(case.study.outcomes):
        groups: dict[tuple[object, ...], list[_Mean]] = defaultdict(list)
        for place, reading in enumerate(outcome.readings):
            mean, sd = (None if item is None else item.value for item in (reading.mean, reading.sd))
            if mean is not None and sd is not None and sd >= 0:
                key = (reading.of, reading.where, reading.period, reading.unit)
                path = ("outcomes", index, "readings", place)
                groups[key].append(_Mean(path, reading, float(mean), float(sd)))
        for group in groups.values():
            yield from _too_small(group)


def _too_small(group: list[_Mean]) -> Iterator[Problem]:
    rest = []
    for item in group:
        if abs(item.mean) > _MOST_SDS * item.sd:
            yield _problem(item, f"the mean is {item.mean:g}, more than {_MOST_SDS} standard deviations of {item.sd:g}")
        else:
            rest.append(item)
    for one, other in combinations(rest, 2):
        sd = math.sqrt((one.sd**2 + other.sd**2) / 2)
        if abs(one.mean - other.mean) > _MOST_SDS_APART * sd:
            apart = f"the means {one.mean:g} and {other.mean:g} are more than {_MOST_SDS_APART} standard deviations"
            yield _problem(min(one, other, key=lambda item: item.sd), f"{apart} of {sd:.3g} apart")


def _problem(item: _Mean, what: str) -> Problem:
    n = whole(item.reading.n)
    as_se = "" if n is None else f"; the standard error of {n} persons would be that of {item.sd * math.sqrt(n):.3g}"
    return Problem((*item.path, "sd"), what + as_se)


CHECKS_OF_MEANS = (_sd_looks_like_se,)
