"""What a pooled effect is in every selection of its studies."""

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from ipsevidence.core.batch import BATCH_ESTIMATORS, fit_selections
from ipsevidence.core.batch_rows import BoolArray
from ipsevidence.core.inputs import InputError, check_effects, check_whole
from ipsevidence.core.repeating import CHUNK, Mapper, Progress, batches, gather, interrupted, random_words, ranges
from ipsevidence.core.results import FloatArray, NotApplicable
from ipsevidence.core.results_of_sensitivity import Bytes, GoshResult

ALL_SUBSETS = 20  # studies up to which every selection is fitted: 1,048,575
DRAWN_SUBSETS = 100_000
MOST_SUBSETS = 2**32  # far more than a result can hold


def gosh(
    y: Any,
    v: Any,
    *,
    tau2: str = "reml",
    subsets: str | int = "auto",
    seed: int = 1,
    chunk: int = CHUNK,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> GoshResult:
    """Return the fits of all selections of the studies, or of many drawn at random.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2 : str
        Estimator with a vectorised form: common, dl, he, hs, hsk, sj, ml, reml, eb, pm or pmm.
    subsets : {'auto'} or int
        How many to draw; all of them if there are no more. ``auto`` takes all up to 20 studies and draws 100,000
        beyond.
    seed : int
        Seed of the draws.
    chunk : int
        Fits that the mapper is handed at once. The numbers are the same whatever it is.
    mapper : callable
        Applies a function to each of many chunks, as `map` does, and gives the results in order. Give one that
        spreads them over processes for the same numbers sooner.
    progress : callable, optional
        Called after each chunk with the number of fits done and the number of all.

    Returns
    -------
    GoshResult
        After Ctrl-C the selections that were complete, in order, with a note; ``exhaustive`` is then false.

    Raises
    ------
    InputError
        If a parameter cannot be used.
    KeyboardInterrupt
        On Ctrl-C before the first chunk is complete.

    Notes
    -----
    All selections come in the order of the binary numbers 1 to 2^k - 1, in which the first study is the last digit.
    A random selection holds each study with probability 1/2; an empty one gets all studies.

    References
    ----------
    .. [1] Olkin I, Dahabreh IJ, Trikalinos TA. GOSH - a graphical display of study heterogeneity. Res Synth
       Methods 2012;3:214-223. doi:10.1002/jrsm.1053
    """
    y, v = check_effects(y, v)
    _check_estimator(tau2)
    if isinstance(subsets, str) and subsets != "auto":
        raise InputError(f"subsets must be 'auto' or a number; got {subsets!r}", parameter="subsets")
    automatic = 2**ALL_SUBSETS - 1 if y.size <= ALL_SUBSETS else DRAWN_SUBSETS
    wanted = automatic if subsets == "auto" else check_whole("subsets", subsets, least=1)
    exhaustive = wanted >= 2**y.size - 1
    total = 2**y.size - 1 if exhaustive else wanted
    if total > MOST_SUBSETS:
        raise InputError(f"subsets must be at most {MOST_SUBSETS}; got {total}", parameter="subsets")
    chunk = check_whole("chunk", chunk, least=1)
    source = None if exhaustive else check_whole("seed", seed, least=0)
    work = partial(_fits, y, v, tau2, source)
    fits = _Room(total, y.size, "subsets")
    fits.take(work, ranges(total, chunk), chunk=chunk, mapper=mapper, progress=progress)
    done = fits.done
    kind = "random selections" if not exhaustive else "all selections" if done == total else "selections"
    return fits.result(exhaustive=exhaustive and done == total, kind=kind)


def leave_d_out(
    y: Any,
    v: Any,
    *,
    d: int = 2,
    tau2: str = "reml",
    chunk: int = CHUNK,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> GoshResult | NotApplicable:
    """Return the fits without each set of d studies.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    d : int
        How many studies are left out at once.
    tau2 : str
        As in `gosh`.
    chunk, mapper, progress
        As in `gosh`.

    Returns
    -------
    GoshResult or NotApplicable
        One entry for each set, in the order of `itertools.combinations` of the studies that are left out; after Ctrl-C
        of those that were complete, with a note. Not applicable where no study would remain.

    Raises
    ------
    InputError
        If a parameter cannot be used.
    KeyboardInterrupt
        On Ctrl-C before the first chunk is complete.

    Notes
    -----
    With one study, `leave_one_out` gives intervals and tests as well. Two studies that lie apart from the others and
    near each other may hide each other from it: without one of them the other still draws the mean.
    """
    y, v = check_effects(y, v)
    _check_estimator(tau2)
    d, chunk = check_whole("d", d, least=1), check_whole("chunk", chunk, least=1)
    if d >= y.size:
        return NotApplicable(reason=f"{d} of {y.size} studies cannot be left out: nothing would remain")
    total = math.comb(y.size, d)
    if total > MOST_SUBSETS:
        raise InputError(f"d must leave at most {MOST_SUBSETS} sets; got {total}", parameter="d")
    sets = batches(combinations(range(y.size), d), chunk)
    fits = _Room(total, y.size, "d")
    fits.take(partial(_fits_without, y, v, tau2), sets, chunk=chunk, mapper=mapper, progress=progress)
    kind = f"selections without {d} {'study' if d == 1 else 'studies'}"
    return fits.result(exhaustive=False, kind=kind)


def _check_estimator(tau2: str) -> None:
    if tau2 not in BATCH_ESTIMATORS:
        raise InputError(f"tau2 must be one of {BATCH_ESTIMATORS} here; got {tau2!r}", parameter="tau2")


class _Room:
    """Room for as many fits as there will be, so that no part of them is held twice."""

    def __init__(self, total: int, k: int, parameter: str) -> None:
        try:
            self.numbers = np.empty((3, total))
            self.members = np.empty((total, -(-k // 8)), dtype=np.uint8)
        except MemoryError:
            message = f"{parameter} asks for {total:,} fits, which the memory does not hold; ask for fewer"
            raise InputError(message, parameter=parameter) from None
        self.total, self.studies, self.done = total, k, 0

    def take(
        self,
        work: Callable[[Any], tuple[FloatArray, Bytes]],
        chunks: Iterable[Any],
        *,
        chunk: int,
        mapper: Mapper,
        progress: Progress | None,
    ) -> None:
        """Put what the work makes of each chunk where it belongs; after Ctrl-C, of those that were complete."""

        def placed(work: Callable[[Any], tuple[FloatArray, Bytes]], chunks: Iterable[Any]) -> Iterator[int]:
            for numbers, members in mapper(work, chunks):
                start, end = self.done, self.done + len(members)
                self.numbers[:, start:end], self.members[start:end] = numbers, members
                self.done = end
                yield end

        gather(work, chunks, total=self.total, chunk=chunk, mapper=placed, progress=progress)

    def result(self, *, exhaustive: bool, kind: str) -> GoshResult:
        self.numbers.flags.writeable = self.members.flags.writeable = False
        estimate, between, i2 = self.numbers[:, : self.done]
        return GoshResult(
            estimate=estimate,
            tau2=between,
            i2=i2,
            members=self.members[: self.done],
            studies=self.studies,
            exhaustive=exhaustive,
            kind=kind,
            notes=interrupted(self.done, self.total),
        )


def _fits_without(y: FloatArray, v: FloatArray, tau2: str, sets: list[tuple[int, ...]]) -> tuple[FloatArray, Bytes]:
    """Return estimate, tau2 and I2 without each set of studies, shape (3, m), and what remains, packed."""
    chosen = np.ones((len(sets), y.size), dtype=bool)
    np.put_along_axis(chosen, np.array(sets), values=False, axis=1)
    fits = fit_selections(y, v, chosen, tau2=tau2)
    return np.array([fits.estimate, fits.tau2, fits.i2]), np.packbits(chosen, axis=1, bitorder="little")


def _fits(y: FloatArray, v: FloatArray, tau2: str, seed: int | None, rows: range) -> tuple[FloatArray, Bytes]:
    """Return estimate, tau2 and I2 of some selections, shape (3, m), and their members, packed."""
    members = _numbered(rows, y.size) if seed is None else _drawn(seed, rows, y.size)
    fits = fit_selections(y, v, unpacked(members, y.size), tau2=tau2)
    return np.array([fits.estimate, fits.tau2, fits.i2]), members


def _numbered(rows: range, k: int) -> Bytes:
    """Return the selections whose binary numbers follow those of `rows`, packed."""
    words = np.arange(rows.start + 1, rows.stop + 1, dtype="<u8")[:, None]
    return words.view(np.uint8)[:, : -(-k // 8)].copy()


def _drawn(seed: int, rows: range, k: int) -> Bytes:
    """Return random selections, packed; empty ones hold all studies instead."""
    members = random_words(seed, rows, -(-k // 64)).astype("<u8").view(np.uint8)[:, : -(-k // 8)].copy()
    full = np.packbits(np.ones(k, dtype=bool), bitorder="little")
    members &= full
    members[~members.any(axis=1)] = full
    return members


def unpacked(members: Bytes, k: int) -> BoolArray:
    """Return which of k studies each selection holds, shape (m, k)."""
    columns = np.ascontiguousarray(members.T)
    return np.unpackbits(columns, axis=0, count=k, bitorder="little").view(np.bool_).T
