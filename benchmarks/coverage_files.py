"""The committed results: written with few digits, read back as they were written."""

import csv
import dataclasses
import json
import platform
from pathlib import Path

import numpy as np

from benchmarks.coverage_design import MODELS, SEED, Base
from benchmarks.coverage_measures import Bias, Line
from benchmarks.coverage_models import share_capped

FOLDER = Path(__file__).parent / "results"
FILES = {"coverage.csv": Line, "coverage-bias.csv": Bias, "coverage-single.csv": Line, "coverage-single-bias.csv": Bias}
DIGITS = 4


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """A whole run: the trials it rests on, its settings, its lines and biases."""

    base: Base
    settings: dict
    lines: list[Line]
    biases: list[Bias]
    single_lines: list[Line]
    single_biases: list[Bias]


def settings(base, cells, repetitions):
    """Return what a reader needs to repeat the run."""
    capped = {
        cell.variance: round(share_capped(cell, base), DIGITS)
        for cell in cells
        if cell.model == "risk-ratio" and cell.k == cells[0].k
    }
    return {
        "seed": SEED,
        "repetitions": repetitions[0],
        "repetitions_on_counts": repetitions[1],
        "repetitions_bootstrap": repetitions[2],
        "level": 0.95,
        "models": MODELS,
        "share_of_risks_capped": capped,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def write_results(results, folder=FOLDER):
    """Write the four tables and the JSON file with trials and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = (results.lines, results.biases, results.single_lines, results.single_biases)
    for (name, kind), rows in zip(FILES.items(), tables, strict=True):
        with (folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([field.name for field in dataclasses.fields(kind)])
            writer.writerows([_printed(x) for x in dataclasses.astuple(row)] for row in rows)
    about = {"settings": results.settings, "base": dataclasses.asdict(results.base)}
    (folder / "coverage.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def read_results(folder=FOLDER):
    """Return committed results."""
    about = json.loads((folder / "coverage.json").read_text(encoding="utf-8"))
    trials = tuple(tuple(trial) for trial in about["base"].pop("trials"))
    tables = [_read(folder / name, kind) for name, kind in FILES.items()]
    return Results(
        base=Base(trials=trials, **about["base"]),
        settings=about["settings"],
        lines=tables[0],
        biases=tables[1],
        single_lines=tables[2],
        single_biases=tables[3],
    )


def _printed(x):
    if isinstance(x, str | int):
        return x
    return "" if np.isnan(x) else format(round(float(x), DIGITS) + 0.0, "g" if x == round(x) else f".{DIGITS}f")


def _read(path, kind):
    types = {field.name: field.type for field in dataclasses.fields(kind)}
    with path.open(newline="", encoding="utf-8") as file:
        return [kind(**{name: _value(types[name], text) for name, text in row.items()}) for row in csv.DictReader(file)]


def _value(kind, text):
    if kind is float:
        return float(text) if text else float("nan")
    return kind(text)
