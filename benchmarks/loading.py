"""How long it takes to load the whole dataset, in process and as a command; medians of several runs.

Run: .venv/bin/python benchmarks/loading.py
"""

import statistics
import subprocess
import sys
import time

from ipsevidence.dataset.collection import load, study_files


def seconds(work, runs):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), max(times) - min(times)


def main():
    dataset = load()
    files = study_files(dataset.root)
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} records, {size / 1000:.0f} kB")
    command = [sys.executable, "-m", "ipsevidence", "list"]
    for label, work, runs in (
        ("reading the bytes only", lambda: [file.read_bytes() for file in files], 9),
        ("load() in process", load, 9),
        ("python -c pass", lambda: subprocess.run([sys.executable, "-c", "pass"], check=True), 5),
        ("ipsevidence list", lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), 5),
    ):
        median, spread = seconds(work, runs)
        print(f"{label:<24} {median:6.3f} s   (spread {spread:.3f})")


if __name__ == "__main__":
    main()
