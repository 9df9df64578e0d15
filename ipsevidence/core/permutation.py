"""Tests that compare a statistic with what it would be had the effects, or the moderators, come in another order."""

import math
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from ipsevidence.core.batch import fit_designs, fit_samples
from ipsevidence.core.batch_rows import IntArray
from ipsevidence.core.inputs import check_effects, check_level, check_whole, check_word
from ipsevidence.core.moderators import tested_columns
from ipsevidence.core.pooling import INTERVALS, Spread, pool
from ipsevidence.core.registry import choose
from ipsevidence.core.repeating import CHUNK, Mapper, Progress, batches, gather, interrupted, random_words, ranges
from ipsevidence.core.results import FloatArray, Interval, frozen_array, no_interval
from ipsevidence.core.results_of_moderators import PermutationResult
from ipsevidence.core.tau2 import TAU2_ESTIMATORS
from ipsevidence.core.weighting import RegressionModel, check_design

NO_STATISTIC = "The effects are identical, which makes a standard error 0: there is no statistic to compare."
SAME = 1e-9  # permuted statistics this close to the observed one are ties
SHORT_STEPS = 40  # after which they double
FAR = 100.0  # times the farthest effect, where the search for a mean that is rejected ends
DIGITS = 1e-7  # of a standard error, to which the bounds are found


class _Fitting(NamedTuple):
    """How each permuted data set is fitted, and what is compared."""

    tau2: str
    interval: str
    of_test: bool


def permutation_test(
    y: Any,
    v: Any,
    X: Any = None,
    *,
    tau2: str = "reml",
    interval: str = "wald",
    statistic: str = "test",
    exact_limit: int = 5040,
    permutations: int = 1000,
    seed: int = 1,
    chunk: int = CHUNK,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> PermutationResult:
    """Return a permutation test of a mean, or of the coefficients of a meta-regression.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    X : array_like of shape (k, p), optional
        Design matrix with its column of ones.
    tau2, interval : str
        How each permuted data set is fitted; as in `pool`.
    statistic : {'test', 'estimate'}
        Whether permuted Wald statistics or permuted coefficients are compared.
    exact_limit : int
        All permutations are evaluated where there are no more than these.
    permutations : int
        Otherwise this many random ones.
    seed : int
        Seed of the random ones.
    chunk : int
        Fits that the mapper is handed at once. The numbers are the same whatever it is.
    mapper : callable
        Applies a function to each of many chunks, as `map` does, and gives the results in order. Give one that
        spreads them over processes for the same numbers sooner.
    progress : callable, optional
        Called after each chunk with the number of fits done and the number of all.

    Returns
    -------
    PermutationResult
        After Ctrl-C, of the random permutations that were complete, with a note.

    Raises
    ------
    InputError
        If a parameter cannot be used.
    KeyboardInterrupt
        On Ctrl-C before the first chunk is complete, or in an exact test, of which no part is a test.

    Notes
    -----
    Without moderators the signs of the effects are permuted, with moderators the rows of X. A two-sided
    p-value is the share of permutations whose statistic is at least as far from 0 as the observed one; among
    random permutations the observed one counts once.

    References
    ----------
    .. [1] Follmann DA, Proschan MA. Valid inference in random effects meta-analysis. Biometrics
       1999;55:732-737. doi:10.1111/j.0006-341X.1999.00732.x
    .. [2] Higgins JPT, Thompson SG. Controlling the risk of spurious findings from meta-regression. Stat Med
       2004;23:1663-1682. doi:10.1002/sim.1752
    """
    y, v = check_effects(y, v)
    check_word("statistic", statistic, ("test", "estimate"))
    design = check_design(np.ones(y.size) if X is None else X, y.size)
    choose("tau2", tau2, TAU2_ESTIMATORS)
    choose("interval", interval, INTERVALS)
    fitting = _Fitting(tau2, interval, statistic == "test")
    limit = check_whole("exact_limit", exact_limit, least=0)
    draws = check_whole("permutations", permutations, least=1)
    seed, chunk = check_whole("seed", seed, least=0), check_whole("chunk", chunk, least=1)
    every = 2**y.size if X is None else _arrangements(design)
    exact = every <= limit
    total = every if exact else draws
    if X is None:
        observed = _of_signs(y[None], v, fitting)[0]
        work: Any = partial(_far_signs, y, v, fitting, observed, None if exact else seed)
        chunks: Iterable[Any] = ranges(total, chunk)
    else:
        model = RegressionModel(y, v, design)
        observed = _of_orders(model, np.arange(y.size)[None], fitting)[0]
        work = partial(_far_orders, model, fitting, observed)
        orders = _all_orders(design) if exact else _random_orders(y.size, draws, chunk, seed)
        chunks = map(np.array, batches(orders, chunk)) if exact else orders
    parts = gather(work, chunks, total=total, chunk=chunk, mapper=mapper, progress=progress)
    done = min(len(parts) * chunk, total)
    if exact and done < total:
        raise KeyboardInterrupt
    as_far = np.sum(parts, axis=0)
    share = as_far / total if exact else (as_far + 1) / (done + 1)
    none = np.isnan(observed).any()
    return PermutationResult(
        names=tuple(f"x{j}" for j in range(design.shape[1])),
        statistic=frozen_array(observed[:-1]),
        p=frozen_array(np.where(np.isnan(observed), np.nan, share)[:-1]),
        qm=math.nan if X is None else float(observed[-1]),
        qm_p=math.nan if X is None or none else float(share[-1]),
        permutations=done,
        exact=exact,
        notes=(*((NO_STATISTIC,) if none else ()), *interrupted(done, total)),
    )


def _as_far(found: FloatArray, observed: FloatArray) -> IntArray:
    """Return how many statistics, of each coefficient, are at least as far from 0 as the observed one."""
    far: IntArray = (np.abs(found) >= np.abs(observed) * (1.0 - SAME)).sum(axis=0)
    return far


def _far_orders(model: RegressionModel, fitting: _Fitting, observed: FloatArray, orders: IntArray) -> IntArray:
    return _as_far(_of_orders(model, orders, fitting), observed)


def _far_signs(
    y: FloatArray, v: FloatArray, fitting: _Fitting, observed: FloatArray, seed: int | None, rows: range
) -> IntArray:
    return _as_far(_of_signs(y * _signs(rows, y.size, seed), v, fitting), observed)


def _of_orders(model: RegressionModel, orders: IntArray, fitting: _Fitting) -> FloatArray:
    """Return the statistics of all coefficients and, last, the test of all moderators, shape (m, p + 1)."""
    fits = fit_designs(model, orders, tau2=fitting.tau2)
    spreads, tested = INTERVALS[fitting.interval].function, tested_columns(model.X)
    found: list[Spread] = [spreads(q, model.df) for q in fits.q_tau2.tolist()]
    covariance = fits.covariance * np.array([spread.factor for spread in found])[:, None, None]
    b, se = fits.coefficients, np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    defined = np.flatnonzero(se[:, tested].min(axis=1) > 0.0)
    part, column = covariance[np.ix_(defined, tested, tested)], b[np.ix_(defined, tested)][..., None]
    qm = np.full(len(orders), np.nan)
    qm[defined] = (column * np.linalg.solve(part, column)).sum(axis=(1, 2))
    qm /= 1 if math.isnan(found[0].df) else tested.size
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.column_stack([np.where(se > 0.0, b / se, np.nan) if fitting.of_test else b, qm])


def _of_signs(y: FloatArray, v: FloatArray, fitting: _Fitting) -> FloatArray:
    """Return the statistic of the mean of each row of effects, and the same as the test of all, shape (m, 2)."""
    fits = fit_samples(y, v, tau2=fitting.tau2)
    spreads, df = INTERVALS[fitting.interval].function, y.shape[1] - 1
    factors = np.array([spreads(q, df).factor for q in fits.q_tau2.tolist()])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(factors > 0.0, fits.estimate / (fits.se * np.sqrt(factors)), np.nan)
    return np.column_stack([z if fitting.of_test else fits.estimate, z * z])


def _signs(rows: range, k: int, seed: int | None) -> FloatArray:
    """Return arrangements of k signs, shape (len(rows), k): those with these binary numbers, or random ones."""
    numbers = np.arange(rows.start, rows.stop, dtype=np.uint64)[:, None]
    words = numbers if seed is None else random_words(seed, rows, -(-k // 64))
    study = np.arange(k)
    negative = (words[:, study // 64] >> (study % 64).astype(np.uint64)) & np.uint64(1)
    return 1.0 - 2.0 * negative.astype(np.float64)


def _arrangements(X: FloatArray) -> int:
    """Return how many different orders the rows of X have."""
    repeats = np.unique(X, axis=0, return_counts=True)[1]
    return math.factorial(X.shape[0]) // math.prod(math.factorial(int(n)) for n in repeats)


def _random_orders(k: int, draws: int, chunk: int, seed: int) -> Iterator[IntArray]:
    """Return random orders of k rows, `chunk` at a time; the same ones whatever that is."""
    generator = np.random.default_rng(seed)
    for rows in ranges(draws, chunk):
        yield generator.permuted(np.tile(np.arange(k), (len(rows), 1)), axis=1)


def _all_orders(X: FloatArray) -> Iterator[list[int]]:
    """Return every order of the rows of X that tells them apart."""
    kinds = np.unique(X, axis=0, return_inverse=True)[1].ravel()
    stock = [np.flatnonzero(kinds == kind).tolist() for kind in range(int(kinds.max()) + 1)]

    def place(left: list[int], done: list[int]) -> Iterator[list[int]]:
        if not any(left):
            yield done
        for kind, count in enumerate(left):
            if count:
                rest = [n - (j == kind) for j, n in enumerate(left)]
                yield from place(rest, [*done, stock[kind][count - 1]])

    yield from place([len(s) for s in stock], [])


def permutation_interval(
    y: Any,
    v: Any,
    *,
    tau2: str = "reml",
    statistic: str = "test",
    level: float = 0.95,
    exact_limit: int = 5040,
    permutations: int = 1000,
    seed: int = 1,
    chunk: int = CHUNK,
    mapper: Mapper = map,
) -> Interval:
    """Return the means that a permutation test of the effects' signs does not reject.

    Parameters
    ----------
    y, v : array_like of shape (k,)
        Effects and sampling variances.
    tau2, statistic, exact_limit, permutations, seed, chunk, mapper
        As in `permutation_test`.
    level : float
        Level of the interval.

    Returns
    -------
    Interval
        Missing where even the most extreme arrangement of signs is not rare enough: below six studies for 95%,
        or where few studies outweigh the others.

    Raises
    ------
    InputError
        If a parameter cannot be used.

    Notes
    -----
    From the estimate outwards in steps of half a standard error to the first mean that is rejected at 1 - level,
    then by halving; from the fortieth step on they double. It takes some fifty permutation tests.

    References
    ----------
    .. [1] Follmann DA, Proschan MA. Valid inference in random effects meta-analysis. Biometrics
       1999;55:732-737. doi:10.1111/j.0006-341X.1999.00732.x
    """
    y, v = check_effects(y, v)
    level = check_level(level)
    if 2.0 ** (1 - y.size) > 1.0 - level:
        return no_interval(level, f"{y.size} studies have too few arrangements of signs for this level")
    fit = pool(y, v, tau2=tau2, interval="wald", prediction="none")

    def rejected(mean: float) -> bool:
        test = permutation_test(
            y - mean,
            v,
            tau2=tau2,
            statistic=statistic,
            exact_limit=exact_limit,
            permutations=permutations,
            seed=seed,
            chunk=chunk,
            mapper=mapper,
        )
        if not test.exact and test.permutations < permutations:
            raise KeyboardInterrupt
        return bool(test.p[0] <= 1.0 - level)

    # far beyond all effects the test hardly changes
    end = FAR * (float(np.abs(y - fit.estimate).max()) + fit.se)

    def bound(direction: float) -> float:
        near, step, steps = fit.estimate, 0.5 * direction * fit.se, 0
        far = near + step
        while not rejected(far):
            if abs(far - fit.estimate) > end:
                return math.nan
            steps += 1
            step = step if steps < SHORT_STEPS else 2.0 * step
            near, far = far, far + step
        while abs(far - near) > DIGITS * max(fit.se, abs(far - fit.estimate)):
            middle = 0.5 * (near + far)
            near, far = (near, middle) if rejected(middle) else (middle, far)
        return 0.5 * (near + far)

    low, high = bound(-1.0), bound(1.0)
    if math.isnan(low) or math.isnan(high):
        return no_interval(level, "few studies outweigh the others: no mean is so far off that the test rejects it")
    return Interval(low=low, high=high, level=level)
