"""The same work here, in metafor and in statsmodels, one after the other in one run; medians, spread and ratios.

Run: .venv/bin/python benchmarks/speed.py [--quick]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from statsmodels.stats.meta_analysis import combine_effects

from ipsevidence import core

SCRIPT = Path(__file__).with_name("speed.R")
SEED = 20261122


def studies(k, seed=SEED):
    """Draw effects, sampling variances and one moderator of k studies."""
    draws = np.random.default_rng(seed + k)
    v = draws.uniform(0.01, 0.5, k)
    return draws.normal(0.3, np.sqrt(v + 0.1)), v, draws.normal(size=k)


def measured(work, runs):
    """Return the seconds of each run; a first one is not counted."""
    work()
    found = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return found


def ours(quick):
    """Yield (work, seconds of each run)."""
    for k in (10, 100, 10_000):
        y, v, _ = studies(k)
        yield f"one fit, k = {k:,}", measured(lambda y=y, v=v: core.pool(y, v), 9 if k > 1000 else 101)
    y, v, x = studies(20)
    drawn = 1000 if quick else 10_000
    yield f"GOSH, {drawn:,} of k = 20", measured(lambda: core.gosh(y, v, subsets=drawn), 5)
    if not quick:
        yield "GOSH, all 1,048,575 of k = 20", measured(lambda: core.gosh(y, v, subsets=2**20), 2)
    small = studies(13)
    yield "GOSH, all 8,191 of k = 13", measured(lambda: core.gosh(small[0], small[1], subsets=2**13), 5)
    design = np.column_stack([np.ones(20), x])
    work = lambda: core.permutation_test(y, v, design, interval="hksj", permutations=1000)  # noqa: E731
    yield "permutation test, 1,000, k = 20", measured(work, 5)
    yield "leave-one-out and influence, k = 20", measured(lambda: (core.leave_one_out(y, v), core.influence(y, v)), 5)
    command = [sys.executable, "-m", "ipsevidence", "--help"]
    yield "cold start", measured(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), 5)


def of_statsmodels():
    """Yield what statsmodels has of it: the estimator of Paule and Mandel, with the interval of Hartung and Knapp."""
    for k in (10, 100, 10_000):
        y, v, _ = studies(k)
        work = lambda y=y, v=v: combine_effects(y, v, method_re="iterated", use_t=True)  # noqa: E731
        yield f"one fit, k = {k:,}", measured(work, 9)


def of_metafor(quick):
    """Run `speed.R` on the same numbers; nothing where R or metafor is absent."""
    if shutil.which("Rscript") is None:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for k in (10, 13, 20, 100, 10_000):
            table = np.column_stack(studies(k))
            np.savetxt(Path(folder) / f"{k}.csv", table, delimiter=",", header="yi,vi,x", comments="", fmt="%.17g")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(SCRIPT), folder, "1000" if quick else "10000"],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(f"metafor is left out: {done.stderr.strip().splitlines()[-1]}")
        return {}
    return json.loads(done.stdout.strip().splitlines()[-1])


def shown(times):
    """Write the median and how far the runs lie apart."""
    if not times:
        return "–"
    spread = f" ± {(max(times) - min(times)) / 2:.2g}" if len(times) > 1 else ""
    return f"{statistics.median(times):.3g} s{spread}"


def main():
    """Print the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--quick", action="store_true", help="a tenth of the selections, and not all of k = 20")
    quick = asked.parse_args().quick
    here = dict(ours(quick))
    them = {"metafor": of_metafor(quick), "statsmodels": dict(of_statsmodels())}
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, {platform.system()}\n"
    )
    print("| work | here | metafor | times as fast | statsmodels | times as fast |\n" + "| --- " * 6 + "|")
    for work, times in here.items():
        cells = [work, shown(times)]
        for other in them.values():
            there = other.get(work, [])
            cells += [shown(there), f"{statistics.median(there) / statistics.median(times):,.3g}" if there else "–"]
        print("| " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
