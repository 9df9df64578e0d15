"""Analyses to draw, made from counts or effects through the same function that pools a user's table."""

import dataclasses
from decimal import Decimal

from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import AnalysisRun, DatasetStamp, pool_rows
from ipsevidence.analysis.spec import Spec

NINE = (
    ("Davis 2012", 32, 42, 12, 43, "psychiatric", "derived"),
    ("Davis 2018", 187, 271, 154, 270, "psychiatric", "reconstructed"),
    ("Hellström 2017", 72, 162, 62, 164, "psychiatric", "reported"),
    ("Reme 2015", 277, 626, 204, 549, "psychiatric", "derived"),
    ("Bejerholm 2017", 14, 33, 1, 28, "psychiatric", "derived"),
    ("Reme 2019", 83, 227, 50, 183, "psychiatric", "approximate"),
    ("Lones 2017", 11, 22, 1, 23, "substance-use", "approximate"),
    ("LePage 2016", 21, 46, 8, 38, "substance-use", "reported"),
    ("Ottomanelli 2012", 21, 81, 8, 76, "musculoskeletal", "derived"),
)
GROUPS = (
    ("psychiatric", "Psychiatric disorders other than severe mental illness"),
    ("substance-use", "Substance use"),
    ("musculoskeletal", "Musculoskeletal or neurological"),
)
CAVEAT = (
    "The outcomes differ between the nine trials: any competitive job during follow-up in five, employed at "
    "12 months in two, work or education at 24 months in one, work participation kept or gained in one."
)


def spec(*, measure="OR", tau2="dl", interval="wald", prediction="t-k2", groups=(), caveats=(), level="0.95"):
    plain = {
        "schema": 1,
        "id": "a-test",
        "title": "A test",
        "purpose": "reproduction",
        "question": {"population": "p", "intervention": "i", "comparator": "c", "outcome": "o"},
        "studies": {"where": {}},
        "effect": {"measure": measure},
        "model": {"tau2": tau2, "interval": interval, "prediction": prediction, "level": Decimal(level)},
        "report": {"caveats": tuple(caveats)},
    }
    if measure == "ZCOR":
        plain["outcome"] = {"scale": "ips-25"}
    if groups:
        plain["subgroups"] = {"groups": tuple({"id": key, "label": label} for key, label in groups)}
    return Spec.model_validate(plain)


def row(label, *counts, group="", basis="", number=0, **fields):
    table = dict(zip(("events1", "n1", "events2", "n2"), counts, strict=True)) if counts else None
    return StudyRow(
        id=f"s{number}",
        label=label,
        counts=Counts(**table) if table else None,
        group=group,
        basis=basis,
        **fields,
    )


def pooled(rows, **settings) -> AnalysisRun:
    numbered = tuple(dataclasses.replace(one, id=f"s{number}") for number, one in enumerate(rows))
    return pool_rows(spec(**settings), numbered)


def nine(**settings) -> AnalysisRun:
    """Return the nine trials, as an analysis of the dataset."""
    rows = [row(label, *cells, group=group, basis=basis) for label, *cells, group, basis in NINE]
    run = pooled(rows, **{"groups": GROUPS, "caveats": (CAVEAT,), **settings})
    return dataclasses.replace(run, data=DatasetStamp(version="1", records=9, digest="0" * 64, origin="path"))
