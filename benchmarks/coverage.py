"""How often intervals hold what they should, in meta-analyses made of this evidence base's own trials.

Run from the root of the checkout:

    .venv/bin/python benchmarks/coverage.py            everything; results, page and figures are written
    .venv/bin/python benchmarks/coverage.py --quick    few repetitions, printed; nothing is written
    .venv/bin/python benchmarks/coverage.py --report   page and figures again, from the committed results

With --workers N the cells are divided among N processes, with --dask ADDRESS among those of a cluster; the numbers are
the same.
"""

import argparse
import sys
import time
from functools import partial
from pathlib import Path

if __package__ in (None, ""):  # run as a file: this folder holds a module `coverage`, which hides the package of tests
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.coverage_design import QUICK_TRIALS, TRIALS, base, cells
from benchmarks.coverage_figures import draw_figures
from benchmarks.coverage_files import Results, read_results, settings, write_results
from benchmarks.coverage_measures import simulate
from benchmarks.coverage_page import summary, write_page
from benchmarks.coverage_single import simulate_single, wanted
from ipsevidence.analysis.workers import spread

REPETITIONS, QUICK_REPETITIONS = (10_000, 250, 400), (300, 1, 4)  # at once; on counts; with the bootstrap


def _say(text):
    print(text, flush=True)


def run(trials=TRIALS, repetitions=REPETITIONS, *, say=_say, mapper=map):
    """Return the results of the whole grid; random numbers depend on the cell alone, so any mapper gives the same."""
    data = base()
    grid = cells(data, trials)
    lines, biases, single_lines, single_biases = [], [], [], []
    start, shown = time.perf_counter(), None
    for cell, found in zip(grid, mapper(partial(of_cell, data, repetitions), grid), strict=True):
        lines += found[0]
        biases += found[1]
        single_lines += found[2]
        single_biases += found[3]
        if shown != (cell.model, cell.effect, cell.variance):
            shown = (cell.model, cell.effect, cell.variance)
            say(f"{time.perf_counter() - start:6.0f} s  {', '.join(shown)}")
    say(f"{time.perf_counter() - start:6.0f} s  done")
    return Results(
        base=data,
        settings=settings(data, grid, repetitions),
        lines=lines,
        biases=biases,
        single_lines=single_lines,
        single_biases=single_biases,
    )


def of_cell(data, repetitions, cell):
    """Return the lines and the biases of one cell, at once and one by one."""
    lines, biases = simulate(cell, data, repetitions[0])
    single_lines, single_biases = simulate_single(cell, data, *repetitions[1:]) if wanted(cell) else ([], [])
    return lines, biases, single_lines, single_biases


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--quick", action="store_true", help="few repetitions, printed; nothing is written")
    choice.add_argument("--report", action="store_true", help="page and figures from the committed results")
    parser.add_argument("--workers", type=int, default=1, metavar="N", help="processes on this machine")
    parser.add_argument("--dask", metavar="ADDRESS", help="scheduler of a dask cluster; all of its workers are used")
    asked = parser.parse_args()
    if not asked.report:
        with spread(asked.workers, asked.dask) as mapper:
            if asked.quick:
                print(summary(run(QUICK_TRIALS, QUICK_REPETITIONS, mapper=mapper)))
                return
            write_results(run(mapper=mapper))
    results = read_results()
    write_page(results)
    for path in draw_figures(results):
        print(f"{path.stat().st_size / 1000:6.0f} kB  {path.name}")


if __name__ == "__main__":
    main()
