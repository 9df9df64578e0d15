"""The work of this package: seconds of each run, how they grow, and whether every fit converged."""

import json
import subprocess
import sys

import numpy as np

from benchmarks.speed_data import (
    COLD,
    FIT,
    GOSH_ALL,
    GOSH_DRAWN,
    GOSH_MILLION,
    GOSH_TWO,
    INFLUENCE,
    PERMUTATION,
    PM,
    SCALED,
    SIZES,
    measured,
    studies,
    summed,
)
from ipsevidence import core
from ipsevidence.core.batch_rows import selections
from ipsevidence.core.subsets import unpacked
from ipsevidence.core.weighting import MeanModel

SETS = 60  # of ten studies, each fitted by itself
FITS = (1_000, 3_162, 10_000, 31_623, 100_000, 316_228, 1_000_000)
MEMORY = """
import sys
from benchmarks.speed_data import studies
from ipsevidence import core

def held(field):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field))

y, v, _ = studies(20)
core.gosh(y, v, subsets=100)
before = held("VmRSS")
core.gosh(y, v, subsets=int(sys.argv[1]))
print(before, held("VmHWM"))
"""


def works(quick):
    """Yield (work, seconds of each run)."""
    for k in SIZES:
        y, v, _ = studies(k)
        runs = 15 if k > 1000 else 201
        yield FIT[k], measured(lambda y=y, v=v: core.pool(y, v), runs)
        yield PM[k], measured(lambda y=y, v=v: core.pool(y, v, tau2="pm"), runs)
    y, v, x = studies(20)
    design = np.column_stack([np.ones(20), x])
    orders = 100 if quick else 1000
    test = lambda: core.permutation_test(y, v, design, interval="hksj", permutations=orders)  # noqa: E731
    yield PERMUTATION, measured(test, 9)
    yield INFLUENCE, measured(lambda: (core.leave_one_out(y, v), core.influence(y, v)), 9)
    command = [sys.executable, "-m", "ipsevidence", "--help"]
    yield COLD, measured(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), 9)
    if not quick:
        small = studies(13)
        yield GOSH_ALL, measured(lambda: core.gosh(small[0], small[1]), 9)
        yield GOSH_DRAWN, measured(lambda: core.gosh(y, v, subsets=10_000), 9)
        yield GOSH_MILLION, measured(lambda: core.gosh(y, v), 5, seconds=60.0)
        yield GOSH_TWO, measured(lambda: core.gosh(y, v, chunk=32_768, mapper=two_processes), 5, seconds=60.0)


def two_processes(function, chunks):
    """As `map`, over two processes that are kept between calls."""
    from joblib import Parallel, delayed

    return Parallel(n_jobs=2, return_as="generator", pre_dispatch="4*n_jobs")(delayed(function)(c) for c in chunks)


def single_fits():
    """Return the median over sixty data sets of ten studies of their median seconds, and the longest of these."""
    found = []
    for seed in range(SETS):
        y, v, _ = studies(10, seed)
        found.append(summed(measured(lambda y=y, v=v: core.pool(y, v), 25))[0])
    return {"sets": SETS, "median": float(np.median(found)), "longest": max(found)}


def converged(fits):
    """Return how many of some fits of selections lie where their score vanishes, or at 0 where it rises from there."""
    y, v, _ = studies(20)
    found = core.gosh(y, v, subsets=fits)
    model = MeanModel(y, v)
    tau2 = found.tau2 / model.scale
    rows = selections(model.y, model.v, unpacked(found.members, found.studies).T)
    score, slope = rows.score(tau2, restricted=True)
    step = np.abs(score / slope)
    there = np.where(tau2 > 0.0, step <= 1e-9 * (tau2 + model.smallest), score >= 0.0) | (found.sizes == 1)
    return {"fits": fits, "converged": int(there.sum())}


def scaling(quick):
    """Return seconds by the number of studies of one fit, and seconds and memory by the number of fits."""
    sizes = SCALED[:5] if quick else SCALED
    by_k = {k: summed(measured(_one(k), 9))[0] for k in sizes}
    y, v, _ = studies(20)
    fits = FITS[:3] if quick else FITS
    by_fits = {m: summed(measured(lambda m=m: core.gosh(y, v, subsets=m), 5, seconds=15.0))[0] for m in fits}
    return {"studies": by_k, "fits": by_fits, "memory": {m: _memory(m) for m in fits[::2]}}


def _one(k):
    y, v, _ = studies(k)
    return lambda: core.pool(y, v)


def _memory(fits):
    """Return by how many bytes the memory of a fresh process grew, at most, over so many fits (Linux only)."""
    done = subprocess.run([sys.executable, "-c", MEMORY, str(fits)], capture_output=True, text=True, check=True)
    before, after = json.loads(f"[{done.stdout.strip().replace(' ', ',')}]")
    return (after - before) * 1024
