"""The same work here and in other programs, one after the other in one run: medians, spread and ratios.

Run from the root of the checkout:

    .venv/bin/python benchmarks/speed.py            everything; results, page and figure are written
    .venv/bin/python benchmarks/speed.py --quick    what takes seconds, printed; nothing is written
    .venv/bin/python benchmarks/speed.py --report   page and figure again, from the committed results
"""

import argparse
import os
import platform
import sys
from pathlib import Path

if __package__ in (None, ""):  # run as a file
    sys.path[0] = str(Path(__file__).parents[1])
    os.environ["PYTHONPATH"] = sys.path[0]  # for the processes that are started

import numpy as np
import scipy

from benchmarks.speed_data import WORKS
from benchmarks.speed_others import others
from benchmarks.speed_ours import converged, scaling, single_fits, works
from benchmarks.speed_page import draw_figure, read_results, table_of_works, write_page, write_results


def _say(text):
    print(text, flush=True)


def run(quick, *, say=_say, others=others):
    """Return what was measured, as it is written to the file."""
    say("here ...")
    times = {"here": dict(works(quick))}
    versions = {}
    for name, version, found in others(quick, say):
        times[name], versions[name] = found, version
    say("here, again ...")
    for work, again in works(quick):  # before and after the others, so that a drift of the machine shows as spread
        times["here"][work] += again
    return {
        "machine": {
            "processors": os.cpu_count(),
            "kind": platform.machine(),
            "system": platform.system(),
            "load": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "scipy": scipy.__version__,
        },
        "versions": versions,
        "times": {work: {name: found[work] for name, found in times.items() if work in found} for work in WORKS},
        "single": single_fits(),
        "converged": converged(1_000 if quick else 10_000),
        "scaling": {**scaling(quick), "metafor": _scaled(times.get("metafor", {}))},
    }


def _scaled(times):
    found = {name.removeprefix("scaled "): runs for name, runs in times.items() if name.startswith("scaled ")}
    return {k: sorted(runs)[len(runs) // 2] for k, runs in found.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", action="store_true", help="what takes seconds, printed; nothing is written")
    choice.add_argument("--report", action="store_true", help="page and figure from the committed results")
    asked = parser.parse_args()
    if asked.quick:
        print(table_of_works(run(quick=True)))
        return
    if not asked.report:
        write_results(run(quick=False))
    results = read_results()
    write_page(results)
    for path in draw_figure(results):
        print(f"{path.stat().st_size / 1000:6.0f} kB  {path.name}")


if __name__ == "__main__":
    main()
