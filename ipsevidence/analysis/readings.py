"""Range over readings: the pool under every joint set of counts that the sources leave open. It is no interval."""

import dataclasses
import functools
import itertools
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
from scipy.special import ndtri, stdtrit

from ipsevidence import core
from ipsevidence.analysis.derivation import Refusal, derive
from ipsevidence.analysis.rows import StudyRow, effects
from ipsevidence.analysis.spec import Spec, StudyChoice
from ipsevidence.core.batch import BATCH_ESTIMATORS, Fits, fit_selections
from ipsevidence.core.repeating import Mapper, Progress, gather, ranges
from ipsevidence.core.results import FloatArray
from ipsevidence.dataset.collection import Dataset
from ipsevidence.dataset.record import Alternatives, Outcome, Reading, Study

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["MOST", "OpenTrial", "ReadingsRange", "range_over_readings"]

MOST: Final = 20_000
"""Combinations that are all fitted; of more, a seeded sample of as many."""

_INTERVALS: Final = frozenset({"wald", "t", "hksj", "hksj-adhoc"})
_MOST_SETS: Final = 2_000


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class OpenTrial:
    """A trial of the pool whose counts the sources leave open.

    Attributes
    ----------
    id, label : str
        The study.
    counts : tuple of str
        Its m different sets of counts, events and n of both sides, that of the pool first.
    y, v : tuple of float
        Effect and variance of each, on the pooled scale.
    low, high : float
        Range of the pooled estimate when only this trial varies.
    """

    columns: ClassVar[tuple[str, ...]] = ("study", "counts", "y", "v", "low", "high")
    id: str
    label: str
    counts: tuple[str, ...]
    y: tuple[float, ...]
    v: tuple[float, ...]
    low: float
    high: float

    @property
    def span(self) -> float:
        """Width of the range of the pooled estimate when only this trial varies, on the pooled scale."""
        return self.high - self.low

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each set of counts."""
        return [
            (self.label, counts, y, v, self.low, self.high)
            for counts, y, v in zip(self.counts, self.y, self.v, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the trial as plain data."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ReadingsRange:
    """The range of a pool over all readings of its trials. All numbers are on the pooled scale.

    Attributes
    ----------
    estimate : float
        The pool as it is.
    low, high : float
        Smallest and largest pooled estimate.
    ci_low, ci_high : tuple of float
        Smallest and largest lower bound, and upper bound, of the confidence interval; nan where `note` says why.
    tau2 : tuple of float
        Smallest and largest between-study variance.
    combinations : int
        Combinations that there are.
    fitted : int
        Combinations that were fitted: all, or the sample with those that it always holds.
    seed : int or None
        Seed of the sample; None where all were fitted.
    trials : tuple of OpenTrial
        Trials with more than one reading, the one that moves the estimate most first.
    at_low, at_high : tuple of (str, str)
        Study and counts of the combination with the smallest and the largest estimate, in the order of `trials`.
    left : tuple of (str, str)
        Studies with alternatives that were left at the reading of the pool, and why.
    note : str
        Why there are no bounds; empty where there are.
    """

    columns: ClassVar[tuple[str, ...]] = ("study", "sets", "low", "high", "at_low", "at_high")
    estimate: float
    low: float
    high: float
    ci_low: tuple[float, float]
    ci_high: tuple[float, float]
    tau2: tuple[float, float]
    combinations: int
    fitted: int
    seed: int | None
    trials: tuple[OpenTrial, ...]
    at_low: tuple[tuple[str, str], ...]
    at_high: tuple[tuple[str, str], ...]
    left: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def most(self) -> OpenTrial:
        """The trial that moves the estimate most when only it varies."""
        return self.trials[0]

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each open trial, and one for all together."""
        rows = [
            (one.label, len(one.counts), one.low, one.high, low[1], high[1])
            for one, low, high in zip(self.trials, self.at_low, self.at_high, strict=True)
        ]
        return [*rows, ("all together", self.combinations, self.low, self.high, "", "")]

    def to_dict(self) -> dict[str, Any]:
        """Return the range as plain data."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A row with its candidates, that of the pool first."""

    place: int
    rows: tuple[StudyRow, ...]
    y: FloatArray
    v: FloatArray


def range_over_readings(
    run: "AnalysisRun",
    dataset: Dataset,
    seed: int = 1,
    sample: int = MOST,
    *,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> ReadingsRange | core.NotApplicable:
    """Pool again under every joint set of counts that the sources leave open.

    Parameters
    ----------
    run : AnalysisRun
        An analysis of the dataset.
    dataset : Dataset
        The records it was run on.
    seed : int
        Seed of the sample.
    sample : int
        The most combinations that are all fitted, and the size of the sample where there are more.
    mapper, progress : callable
        As in `ipsevidence.core.gosh`; 20,000 combinations are handed over at once.

    Returns
    -------
    ReadingsRange or NotApplicable
        Not applicable where nothing was pooled, no trial has more than one reading, the estimator of tau2 has no
        vectorised form, or what is added to one table depends on the others (``if0all``).

    Raises
    ------
    InputError
        If `seed` is negative or `sample` below 1.
    KeyboardInterrupt
        On Ctrl-C.

    Notes
    -----
    The sets are the `alternatives` of the outcome that entered, for the denominator that was used, beside the reading
    of the pool. They are joint: events and n of all arms change together. Several entries that list different arms are
    combined; arms that are no part of the row do not matter; arms that an entry does not list keep their reading; arms
    that were combined are summed as in the pool. A sample draws one set a trial, each with equal chance, and always
    holds the pool as it is, each set of each trial alone, and all trials at their smallest and at their largest effect;
    its range is at most that of all combinations.

    The range says how far unclear sources move the result. It is not an interval: sets are not equally likely.
    """
    _check(seed, sample)
    if run.data is None:
        return core.NotApplicable(reason="a table of one's own has one reading a row")
    if isinstance(run.fit, core.NotApplicable):
        return core.NotApplicable(reason=f"no pool to read again: {run.fit.reason}")
    if run.spec.model.tau2 not in BATCH_ESTIMATORS:
        return core.NotApplicable(reason=f"no vectorised form of the estimator {run.spec.model.tau2}")
    if run.spec.effect.to == "if0all":
        return core.NotApplicable(reason="what is added to one table depends on the others")
    opened, left = _opened(run, dataset)
    if not opened:
        return core.NotApplicable(reason="no trial of the pool has more than one reading")
    picks = _picks(opened, seed, sample)
    return _range(run, opened, left, picks, seed, _fits(run, opened, picks, mapper, progress))


def _check(seed: int, sample: int) -> None:
    for name, value, least in (("seed", seed, 0), ("sample", sample, 1)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise core.InputError(f"{name} must be a whole number, at least {least}; got {value!r}", parameter=name)


def _opened(run: "AnalysisRun", dataset: Dataset) -> tuple[list[_Open], tuple[tuple[str, str], ...]]:
    """Return the rows with more than one reading, and the studies that were left at their point reading."""
    choices = {choice.id: choice for choice in run.spec.studies.by_name}
    opened, left = [], []
    for place, row in enumerate(run.rows):
        if (row.counts is None and row.share is None) or "outcome" not in row.extra:
            continue
        study = dataset[row.id]
        outcome = study.outcome(str(row.extra["outcome"]))
        if not outcome.alternatives:
            continue
        found = _candidates(run.spec, study, outcome, row, choices.get(row.id) or StudyChoice(id=row.id))
        if isinstance(found, str):
            left.append((row.label, found))
            continue
        y, v = effects(found, run.spec.effect.measure, add=float(run.spec.effect.add), to=run.spec.effect.to)
        y, v = np.asarray(y, dtype=float), np.asarray(v, dtype=float)
        kept = np.isfinite(v)
        rows = tuple(one for one, keep in zip(found, kept, strict=True) if keep)
        if not kept.all():
            left.append((row.label, "a set without an effect on this measure was left out"))
        if len(rows) > 1:
            opened.append(_Open(place=place, rows=rows, y=y[kept], v=v[kept]))
    return opened, tuple(left)


def _candidates(
    spec: Spec, study: Study, outcome: Outcome, row: StudyRow, choice: StudyChoice
) -> tuple[StudyRow, ...] | str:
    """Return the different rows that the alternatives give, that of the pool first; or why they cannot be used."""
    entries = [entry for entry in outcome.alternatives if entry.of == row.extra["denominator"]]
    if not entries:
        kinds = ", ".join(dict.fromkeys(entry.of for entry in outcome.alternatives))
        return f"its alternatives are for another denominator ({kinds})"
    arms = [set(entry.arms) for entry in entries]
    if any(one & other and one != other for one, other in itertools.combinations(arms, 2)):
        return "its alternatives list overlapping sets of arms"
    if math.prod(len(entry.counts) for entry in entries) > _MOST_SETS:
        return f"more than {_MOST_SETS} sets of its own"
    choice = choice.model_copy(update={"outcome": outcome.id, "denominator": row.extra["denominator"]})
    rows = {_key(row): row}
    for joint in _joint_sets(entries):
        read = _read_as(study, outcome, str(row.extra["denominator"]), joint)
        if isinstance(read, str):
            return read
        try:
            candidate, _ = derive(spec, read, choice)
        except Refusal as refusal:
            return f"an alternative cannot enter: {refusal}"
        rows.setdefault(_key(candidate), candidate)
    return tuple(rows.values())


def _key(row: StudyRow) -> tuple[float, ...]:
    cells = row.counts or row.share
    assert cells is not None
    return dataclasses.astuple(cells)


def _joint_sets(entries: Sequence[Alternatives]) -> Iterator[dict[str, tuple[int, int]]]:
    """Yield events and n by arm: entries for the same arms are one list, those for different arms are combined."""
    lists: dict[frozenset[str], list[dict[str, tuple[int, int]]]] = {}
    for entry in entries:
        joint = [
            {arm: (counts[2 * place], counts[2 * place + 1]) for place, arm in enumerate(entry.arms)}
            for counts in entry.counts
        ]
        lists.setdefault(frozenset(entry.arms), []).extend(joint)
    for parts in itertools.product(*lists.values()):
        yield {arm: pair for part in parts for arm, pair in part.items()}


def _read_as(study: Study, outcome: Outcome, denominator: str, joint: dict[str, tuple[int, int]]) -> Study | str:
    """Return the record with the counts of some arms read in another way; or why that cannot be."""
    readings, changed = [], set()
    for reading in outcome.readings:
        whole = reading.kind == "count" and reading.where is None and reading.period is None
        if whole and reading.of == denominator and reading.arm in joint:
            readings.append(_with(reading, *joint[reading.arm]))
            changed.add(reading.arm)
        else:
            readings.append(reading)
    if not changed:
        return "none of the arms of its alternatives has a count"
    read = outcome.model_copy(update={"readings": tuple(readings)})
    outcomes = tuple(read if one.id == outcome.id else one for one in study.outcomes)
    return study.model_copy(update={"outcomes": outcomes})


def _with(reading: Reading, events: int, n: int) -> Reading:
    """Return a reading with other counts of the same basis."""
    assert reading.events is not None
    assert reading.n is not None
    changed = {
        name: number.model_copy(update={"value": Decimal(value), "low": None, "high": None})
        for name, number, value in (("events", reading.events, events), ("n", reading.n, n))
    }
    return reading.model_copy(update=changed)


def _range(
    run: "AnalysisRun", opened: list[_Open], left: tuple[tuple[str, str], ...], picks: Any, seed: int, fits: Fits
) -> ReadingsRange:
    total = math.prod(len(one.rows) for one in opened)
    low, high = int(fits.estimate.argmin()), int(fits.estimate.argmax())
    lower, upper, note = _bounds(run.spec, fits)
    trials = [_trial(one, place, picks, fits.estimate) for place, one in enumerate(opened)]
    order = sorted(range(len(trials)), key=lambda i: (-trials[i].span, trials[i].id))

    def at(combination: int) -> tuple[tuple[str, str], ...]:
        return tuple((trials[i].label, trials[i].counts[picks[combination, i]]) for i in order)

    return ReadingsRange(
        estimate=float(fits.estimate[0]),
        low=float(fits.estimate[low]),
        high=float(fits.estimate[high]),
        ci_low=(float(lower.min()), float(lower.max())),
        ci_high=(float(upper.min()), float(upper.max())),
        tau2=(float(fits.tau2.min()), float(fits.tau2.max())),
        combinations=total,
        fitted=len(picks),
        seed=None if len(picks) == total else seed,
        trials=tuple(trials[i] for i in order),
        at_low=at(low),
        at_high=at(high),
        left=left,
        note=note,
    )


def _picks(opened: list[_Open], seed: int, sample: int) -> Any:
    """Return which set each open trial has in each combination, shape (m, trials); the pool as it is first."""
    sizes = [len(one.rows) for one in opened]
    ends = np.array([[one.y.argmin() for one in opened], [one.y.argmax() for one in opened]])
    if math.prod(sizes) <= sample:
        return np.array(list(itertools.product(*map(range, sizes))), dtype=np.intp)
    alone = [np.zeros(len(sizes), dtype=np.intp)]
    for place, size in enumerate(sizes):
        for pick in range(1, size):
            one = np.zeros(len(sizes), dtype=np.intp)
            one[place] = pick
            alone.append(one)
    drawn = np.random.default_rng(seed).integers(0, sizes, size=(sample, len(sizes)))
    every = np.vstack([*alone, ends, drawn])
    _, first = np.unique(every, axis=0, return_index=True)
    picked: Any = every[np.sort(first)]
    return picked


def _fits(run: "AnalysisRun", opened: list[_Open], picks: Any, mapper: Mapper, progress: Progress | None) -> Fits:
    """Fit every combination: each open trial has one of its columns, every other trial its own."""
    fixed = sorted(set(range(len(run.rows))) - {one.place for one in opened})
    y = np.concatenate([np.array(run.y)[fixed], *(one.y for one in opened)])
    v = np.concatenate([np.array(run.v)[fixed], *(one.v for one in opened)])
    starts = len(fixed) + np.concatenate([[0], np.cumsum([len(one.rows) for one in opened])[:-1]])
    work = functools.partial(_fits_of, y, v, len(fixed), starts, run.spec.model.tau2)
    chunks = (picks[rows.start : rows.stop] for rows in ranges(len(picks), MOST))
    parts = gather(work, chunks, total=len(picks), chunk=MOST, mapper=mapper, progress=progress)
    if sum(len(part.estimate) for part in parts) < len(picks):
        raise KeyboardInterrupt  # no part of the combinations has the range of all
    return Fits(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _fits_of(y: FloatArray, v: FloatArray, fixed: int, starts: Any, tau2: str, picks: Any) -> Fits:
    chosen = np.zeros((len(picks), y.size), dtype=bool)
    chosen[:, :fixed] = True
    for place, start in enumerate(starts):
        chosen[np.arange(len(picks)), start + picks[:, place]] = True
    return fit_selections(y, v, chosen, tau2=tau2)


def _trial(one: _Open, place: int, picks: Any, estimate: FloatArray) -> OpenTrial:
    """Return a trial with the range of the estimate over the combinations in which only it varies."""
    others = np.delete(picks, place, axis=1)
    alone = estimate[~others.any(axis=1)]
    row = one.rows[0]
    return OpenTrial(
        id=row.id,
        label=row.label,
        counts=tuple(_written(candidate) for candidate in one.rows),
        y=tuple(one.y.tolist()),
        v=tuple(one.v.tolist()),
        low=float(alone.min()),
        high=float(alone.max()),
    )


def _written(row: StudyRow) -> str:
    cells = [f"{value:.10g}" for value in _key(row)]
    return " v ".join("/".join(cells[i : i + 2]) for i in range(0, len(cells), 2))


def _bounds(spec: Spec, fits: Fits) -> tuple[FloatArray, FloatArray, str]:
    """Return the bounds of each combination by the interval of the analysis, under the rules for few trials."""
    model = spec.model
    none = np.full(fits.estimate.size, math.nan)
    if model.interval not in _INTERVALS:
        return none, none, f"no vectorised form of the interval {model.interval}"
    k = int(fits.k[0])
    if k < 2:
        return none, none, "one study"
    tail = (1.0 + float(model.level)) / 2.0
    normal, student = float(ndtri(tail)), float(stdtrit(k - 1, tail))
    factor = fits.q_tau2 / (k - 1)
    plain, adhoc = np.sqrt(factor), np.sqrt(np.maximum(1.0, factor))
    if model.interval in {"wald", "t"}:
        reach = fits.se * (normal if model.interval == "wald" else student)
    elif spec.purpose == "living" and model.tau2 != "common":
        # as core.small_k_pool: below five trials ad hoc, from five where the plain form is too narrow or tau2 is 0
        narrow = (factor < 1.0) & (student * plain < normal)
        reach = fits.se * student * np.where((k < 5) | narrow | (fits.tau2 == 0.0), adhoc, plain)
    else:
        reach = fits.se * student * (plain if model.interval == "hksj" else adhoc)
    return fits.estimate - reach, fits.estimate + reach, ""
