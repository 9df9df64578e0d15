"""The committed reference numbers, and the data sets the published cases use."""

import csv
import json
from functools import cache
from pathlib import Path

import numpy as np

TESTS = Path(__file__).parents[1]


@cache
def metafor(name):
    return json.loads((TESTS / "reference" / "metafor" / f"{name}.json").read_text(encoding="utf-8"))


def counts(name):
    table = metafor("pooling")["counts"][name]
    return [np.array(table[column]) for column in ("ai", "n1i", "ci", "n2i")]


def effects(name, measure="GEN"):
    found = next(p for p in metafor("pooling")["pools"] if (p["set"], p["measure"]) == (name, measure))
    return np.array(found["yi"]), np.array(found["vi"])


def bcg():
    with (TESTS / "data" / "bcg.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0] if name not in {"study", "alloc"}}


# Viechtbauer 2005, J Educ Behav Stat 30:261-293: the two examples
VIECHTBAUER_1 = (
    np.array([-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232]),
    np.array([0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040]),
)
VIECHTBAUER_2_ROWS = [
    (0.100, 0.016), (-0.162, 0.015), (-0.090, 0.050), (-0.049, 0.050), (-0.046, 0.032), (-0.010, 0.052),
    (-0.431, 0.036), (-0.261, 0.024), (0.134, 0.034), (0.019, 0.033), (0.175, 0.031), (0.056, 0.034),
    (0.045, 0.039), (0.103, 0.167), (0.121, 0.134), (-0.482, 0.096), (0.290, 0.016), (0.342, 0.035),
]  # fmt: skip
VIECHTBAUER_2 = tuple(np.array(VIECHTBAUER_2_ROWS).T)
# DerSimonian and Kacker 2007, Contemp Clin Trials 28:105-114: CLASP, events and sizes
CLASP = (
    [5, 5, 12, 69, 9, 313],
    [156, 303, 565, 1570, 103, 4659],
    [8, 17, 9, 94, 11, 352],
    [74, 303, 477, 1565, 105, 4650],
)
# three measurements of the Planck constant (in 1e-34 J s) with their standard uncertainties
PLANCK = (
    np.array([6.62607013300, 6.62607005883, 6.62606993400]),
    np.array([6.00e-08, 1.65e-07, 8.90e-08]) ** 2,
)
