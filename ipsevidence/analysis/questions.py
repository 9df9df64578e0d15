"""The questions next to that of an analysis: what can be changed in it, and which studies each change leaves."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.choices import Excluded, Fork, Option
from ipsevidence.analysis.rows import StudyRow, effects
from ipsevidence.analysis.running import varied_spec
from ipsevidence.analysis.selection import ELIGIBLE, select
from ipsevidence.analysis.spec import Spec, Variation
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.vocabulary import CONCEPT, WINDOW

__all__ = ["QUESTIONS", "Candidates", "Change", "neighbours"]

Keeps = Callable[[StudyRow, Dataset], bool]


class Change(NamedTuple):
    """An option of a question: a change of the spec, or studies to keep, or a study to leave out by its row."""

    label: str
    variation: Variation | None = None
    keeps: Keeps | None = None
    drops: str = ""


def _outcome(label: str, **fields: Any) -> Change:
    return Change(label, Variation.model_validate({"id": "change", "label": label, "outcome": fields}))


def _basis(label: str, basis: str) -> Change:
    return Change(label, Variation.model_validate({"id": "change", "label": label, "weakest_basis": basis}))


def _no_arm(treatment: str) -> Keeps:
    return lambda row, dataset: all(arm.treatment != treatment for arm in dataset[row.id].arms)


def _at_least(n: int) -> Keeps:
    return lambda row, _: row.participants >= n


def _outcome_of(spec: Spec) -> str:
    concepts = ", else ".join(CONCEPT[key].label for key in spec.outcome.concepts)
    return f"{concepts}, {', else '.join(WINDOW[key].label for key in spec.outcome.windows)}"


def _time_of(spec: Spec) -> str:
    rule = spec.outcome
    return f"nearest {rule.near_month} of {rule.from_month}\u2013{rule.to_month} months"


def _inputs_of(spec: Spec) -> str:
    also = ", or printed effects" if "published" in spec.outcome.inputs else ""
    return f"{spec.studies.weakest_basis} counts or better{also}"


QUESTIONS: Final[dict[str, tuple[str, Callable[[Spec], str], dict[str, Change]]]] = {
    "outcome": (
        "Outcome",
        _outcome_of,
        {
            "any-paid-work": _outcome("any paid work, at any time up to then", concepts=("any-paid-work",)),
            "at-date": _outcome(
                "competitive employment, at a date", concepts=("competitive-employment",), windows=("point",)
            ),
        },
    ),
    "time": (
        "Time",
        _time_of,
        {
            "wider": _outcome("6\u201336 months", from_month=6, to_month=36),
            "earliest": _outcome("nearest 12 months", near_month=12),
            "latest": _outcome("nearest 24 months", near_month=24),
        },
    ),
    "denominator": (
        "Denominator",
        lambda spec: ", else ".join(spec.outcome.denominators),
        {"randomised": _outcome("all randomised only", denominators=("randomised",))},
    ),
    "intervention": (
        "Intervention",
        lambda spec: "plain and adapted IPS" if spec.outcome.contrast == "ips-vs-control" else spec.outcome.contrast,
        {"plain": Change("plain IPS only", keeps=_no_arm("ips-adapted"))},
    ),
    "inputs": (
        "Inputs",
        _inputs_of,
        {
            "counts": _outcome("without printed effects", inputs=("counts",)),
            "derived": _basis("reported or derived counts", "derived"),
            "reconstructed": _basis("reconstructed counts too", "reconstructed"),
        },
    ),
    "design": (
        "Design",
        lambda spec: f"{'without' if spec.outcome.clusters == 'refuse' else 'with'} clusters",
        {
            "clusters": _outcome("with clusters, design effect", clusters="design-effect"),
            "no-pilots": Change("without pilots", keeps=lambda row, data: data[row.id].design.type != "pilot-rct"),
        },
    ),
    "developer": (
        "Developers",
        lambda _: "all trials",
        {
            "without": Change(
                "no known developer of IPS", keeps=lambda row, data: data[row.id].design.developer_involved != "yes"
            )
        },
    ),
    "size": ("Size", lambda _: "all sizes", {"large": Change("150 participants or more", keeps=_at_least(150))}),
    "extremes": (
        "Extremes",
        lambda _: "all trials",
        {
            "without-largest": Change("without the largest", drops="largest"),
            "without-extreme": Change("without the most extreme", drops="extreme"),
        },
    ),
}
"""Decisions that change the question: key, then label, what the analysis has, and the options that differ from it."""


def neighbours(spec: Spec, dataset: Dataset) -> tuple[tuple[Fork, ...], tuple[Excluded, ...], tuple["Candidates", ...]]:
    """Return the studies of the analysis, of every single change of it, and of every pair of changes.

    Parameters
    ----------
    spec : Spec
        An analysis of two-arm effects by a rule (`studies: where`).
    dataset : Dataset
        The records.

    Returns
    -------
    decisions : tuple of Fork
        With the options that differ from the analysis behind that of the analysis.
    excluded : tuple of Excluded
        Options that are what the analysis does.
    pools : tuple of Candidates
        The analysis itself first.
    """
    changes, excluded = _changes(spec)
    decisions = tuple(
        Fork(
            key=key,
            label=label,
            options=(
                Option(key="analysis", label=own(spec)),
                *(Option(key=name, label=options[name].label) for name in changes[key]),
            ),
        )
        for key, (label, own, options) in QUESTIONS.items()
    )
    pools = _Pools(spec, _eligible(spec, dataset))
    return decisions, tuple(excluded), tuple(pools.of(options) for options in _up_to_two(list(QUESTIONS), changes))


def _eligible(spec: Spec, dataset: Dataset) -> Dataset:
    """Return the records that some change could let in: none of the changes is of status, population or contrast."""
    possible = ELIGIBLE | {"overlap", "size"}
    named = {left.id for left in spec.studies.without}
    kept = {d.id for d in select(spec, dataset).decisions if d.included or d.stage in possible} | named
    entries = {name: entry for name, entry in dataset.entries.items() if name in kept}
    return dataclasses.replace(dataset, entries=MappingProxyType(entries))


def _changes(spec: Spec) -> tuple[dict[str, list[str]], list[Excluded]]:
    """Return the options of each decision that differ from the analysis, and those that do not."""
    kept: dict[str, list[str]] = {}
    excluded: list[Excluded] = []
    for key, (_, _, options) in QUESTIONS.items():
        kept[key] = []
        for name, change in options.items():
            if key == "intervention" and spec.outcome.contrast != "ips-vs-control":
                excluded.append(Excluded(decision=key, option=name, label=change.label, why="of another comparison"))
            elif change.variation is not None and varied_spec(spec, change.variation) == spec:
                excluded.append(Excluded(decision=key, option=name, label=change.label, why="what the analysis does"))
            else:
                kept[key].append(name)
    return kept, excluded


def _up_to_two(keys: Sequence[str], changes: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the analysis, every single change, and every pair of changes of different decisions."""
    same = dict.fromkeys(keys, "analysis")
    single = [{key: name} for key in keys for name in changes[key]]
    yield tuple(same.values())
    yield from (tuple((same | one).values()) for one in single)
    for one, other in itertools.combinations(single, 2):
        if one.keys() != other.keys():
            yield tuple((same | one | other).values())


class Candidates(NamedTuple):
    """The studies of one cell and their effects."""

    options: tuple[str, ...]
    rows: tuple[StudyRow, ...]
    y: Any
    v: Any


class _Pools:
    """The studies of each cell; selections that several cells share are made once."""

    def __init__(self, spec: Spec, known: Dataset) -> None:
        self._spec = spec
        self._known = known
        self._selected: dict[tuple[str, ...], tuple[StudyRow, ...]] = {}

    def of(self, options: tuple[str, ...]) -> Candidates:
        changed = [
            (name, QUESTIONS[key][2][name]) for key, name in zip(QUESTIONS, options, strict=True) if name != "analysis"
        ]
        rows = self._select([(name, change.variation) for name, change in changed if change.variation])
        for _, change in changed:
            if change.keeps is not None:
                rows = tuple(row for row in rows if change.keeps(row, self._known))
        y, v = self._effects(rows)
        kept = np.isfinite(v)
        rows, y, v = tuple(row for row, keep in zip(rows, kept, strict=True) if keep), y[kept], v[kept]
        for _, change in changed:
            if change.drops and len(rows) > 1:
                gone = _largest(rows) if change.drops == "largest" else _extreme(y, v, self._spec.model.tau2)
                stays = np.arange(len(rows)) != gone
                rows, y, v = tuple(np.array(rows, dtype=object)[stays]), y[stays], v[stays]
        return Candidates(options, rows, y, v)

    def _select(self, variations: Sequence[tuple[str, Variation]]) -> tuple[StudyRow, ...]:
        key = tuple(name for name, _ in variations)
        if key not in self._selected:
            spec = self._spec
            for _, variation in variations:
                spec = varied_spec(spec, variation)
            self._selected[key] = select(spec, self._known).rows
        return self._selected[key]

    def _effects(self, rows: tuple[StudyRow, ...]) -> tuple[Any, Any]:
        if not rows:
            return np.empty(0), np.empty(0)
        asked = self._spec.effect
        return effects(rows, asked.measure, add=float(asked.add), to=asked.to)  # type: ignore[no-any-return]


def _largest(rows: Sequence[StudyRow]) -> int:
    return max(range(len(rows)), key=lambda index: rows[index].participants)


def _extreme(y: Any, v: Any, tau2: str) -> int:
    fit = core.pool(y, v, tau2=tau2, interval="wald", prediction="none")
    between = fit.tau2 if math.isfinite(fit.tau2) else 0.0
    return int(np.argmax(np.abs(y - fit.estimate) / np.sqrt(v + between)))
