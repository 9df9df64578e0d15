"""How long commands take from the call to the end, and loading the dataset in process: medians of several runs.

Run: .venv/bin/python benchmarks/loading.py [--runs 9]

Each command is a process of its own, with its start, its imports and its end. Beside the time on the clock stands the
time on processors, which other work on the machine moves less. Python must be allowed to keep compiled modules (the
variable PYTHONDONTWRITEBYTECODE is taken away), as it is where the package is installed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

from ipsevidence.dataset.collection import load, study_files

REPRODUCED = "bond-2019-nine-rcts"
COMMANDS = (
    # what is called, its arguments, and the seconds that it should stay below, where that was set
    ("python -c pass", None, None),
    ("--help", ["--help"], 0.3),
    ("validate of one record", ["validate", "studies/davis-2012.yaml"], 0.5),
    ("explain", ["explain", "percent-does-not-fit"], None),
    ("show", ["show", "davis-2012"], None),
    ("list", ["list"], None),
    ("validate of everything", ["validate", "--quiet"], None),
    ("run of one analysis", ["run", "primary"], None),
    ("reproduce, with report", ["reproduce", REPRODUCED, "--out"], 3.0),
)


def timed(work):
    """Return seconds on the clock, and on processors by this process and its children."""
    clock, before = time.perf_counter(), os.times()
    work()
    after = os.times()
    return time.perf_counter() - clock, sum(after[:4]) - sum(before[:4])


def told(label, work, runs, limit=None):
    work()  # once for the files of Python and of the system
    clock, processor = zip(*(timed(work) for _ in range(runs)), strict=True)
    goal = f"   goal {limit:.1f} s" if limit else ""
    print(
        f"{label:<26} {statistics.median(clock):6.3f} s on the clock (spread {max(clock) - min(clock):.3f}),"
        f" {statistics.median(processor):6.3f} s on processors{goal}",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    dataset = load()
    files = study_files(dataset.root)
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} records, {size / 1000:.0f} kB")
    told("reading the bytes only", lambda: [file.read_bytes() for file in files], runs)
    told("load() in process", load, runs)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as folder:
        for label, arguments, limit in COMMANDS:
            call = ["-m", "ipsevidence", *arguments] if arguments else ["-c", "pass"]
            place = [folder] if call[-1] == "--out" else []
            command = [sys.executable, *call, *place]
            told(
                label,
                lambda command=command: subprocess.run(
                    command, check=True, stdout=subprocess.DEVNULL, cwd=dataset.root, env=environment
                ),
                runs,
                limit,
            )


if __name__ == "__main__":
    main()
