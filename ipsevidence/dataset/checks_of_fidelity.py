"""Checks of fidelity scores: that their scale can have them, and that there is something to read."""

from collections.abc import Iterator

from ipsevidence.dataset.checklist import Case, Problem, check
from ipsevidence.dataset.checks_of_counts import outside
from ipsevidence.dataset.fidelity import SCALES

__all__ = ["CHECKS_OF_FIDELITY"]


@check(
    "fidelity-out-of-range",
    "error",
    rule=(
        "A fidelity score lies between the lowest and the highest total of its scale (every item rated 1 to 5), and "
        "`maximum` is the highest. Where the number of items is not known, a score lies between 0 and its maximum."
    ),
    why="A score that its scale cannot have is of another scale, or a mean of items or a percent typed as a total.",
    fix="look score and scale up in the source",
)
def _fidelity_out_of_range(case: Case) -> Iterator[Problem]:
    for index, item in enumerate(case.study.fidelity):
        scale = SCALES.get(item.scale)
        items = None if scale is None else scale.items
        path = ("fidelity", index)
        if items is None:
            yield from outside((*path, "score"), item.score, 0, item.maximum)
            continue
        yield from outside((*path, "score"), item.score, items, 5 * items)
        if item.maximum is not None and item.maximum != 5 * items:
            what = f"the maximum is {item.maximum}, but {items} items rated 1 to 5 have at most {5 * items}"
            yield Problem((*path, "maximum"), what)


@check(
    "fidelity-without-number",
    "error",
    rule=(
        "A fidelity entry has a score with its `maximum`, or a label as printed with the source it was read in "
        "(`from`)."
    ),
    why="A score says nothing without what it is out of, and an entry with neither score nor label nothing at all.",
    fix="add what is missing; that a scale was planned or used without a score is one of the `facts`",
)
def _fidelity_without_number(case: Case) -> Iterator[Problem]:
    for index, item in enumerate(case.study.fidelity):
        if item.score is None and item.label_as_printed is None:
            yield Problem(("fidelity", index), "there is neither a score nor a label")
        elif item.score is None and item.from_ is None:
            yield Problem(("fidelity", index), "the label has no `from`")
        elif item.score is not None and item.maximum is None:
            yield Problem(("fidelity", index, "score"), "the score has no `maximum`")


CHECKS_OF_FIDELITY = (_fidelity_out_of_range, _fidelity_without_number)
