"""What is timed, and on which numbers; loaded in the other programs' environments too, which have NumPy only."""

import statistics
import time

import numpy as np

SEED = 20261122
SIZES = (10, 100, 10_000)
SCALED = (10, 32, 100, 316, 1_000, 3_162, 10_000, 31_623, 100_000)
"""Numbers of studies on the way from 10 to 100,000, in half powers of ten."""

FIT = {k: f"one fit by REML, k = {k:,}" for k in SIZES}
PM = {k: f"one fit by Paule and Mandel, k = {k:,}" for k in SIZES}
GOSH_ALL, GOSH_DRAWN = "GOSH, all 8,191 of k = 13", "GOSH, 10,000 of k = 20"
GOSH_MILLION, GOSH_TWO = "GOSH, all 1,048,575 of k = 20", "GOSH, all 1,048,575 of k = 20, two processes"
PERMUTATION = "permutation test, 1,000 orders, k = 20"
INFLUENCE = "leave-one-out and influence, k = 20"
COLD = "cold start of the command line"
WORKS = (*FIT.values(), *PM.values(), GOSH_ALL, GOSH_DRAWN, GOSH_MILLION, GOSH_TWO, PERMUTATION, INFLUENCE, COLD)


def studies(k, seed=SEED):
    """Draw effects, sampling variances and one moderator of k studies."""
    draws = np.random.default_rng(seed + k)
    v = draws.uniform(0.01, 0.5, k)
    return draws.normal(0.3, np.sqrt(v + 0.1)), v, draws.normal(size=k)


def measured(work, runs, seconds=20.0):
    """Return the seconds of each run, fewer of them where they take long; a first one is not counted."""
    work()
    found, end = [], time.perf_counter() + seconds
    while len(found) < runs and (not found or time.perf_counter() < end):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def once(work):
    """Return the seconds of one run of what takes long, as a list."""
    start = time.perf_counter()
    work()
    return [time.perf_counter() - start]


def summed(times):
    """Return the median of some runs, and the shortest and the longest."""
    return statistics.median(times), min(times), max(times)
