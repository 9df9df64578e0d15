"""What is asked of all analyses together: each run, every claim judged, and the main analyses by other choices."""

import dataclasses
import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from ipsevidence import core
from ipsevidence.analysis.choices import Cell, Choices
from ipsevidence.analysis.claimfiles import Claim, load_claims
from ipsevidence.analysis.claims import ClaimVerdict, judge
from ipsevidence.analysis.multiverse import estimator_choices, question_choices
from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.resultfiles import settled
from ipsevidence.analysis.running import AnalysisRun
from ipsevidence.analysis.spec import Spec
from ipsevidence.analysis.workers import SharedDataset
from ipsevidence.core.repeating import Mapper
from ipsevidence.dataset.collection import Dataset

__all__ = ["CLAIMS", "MULTIVERSE", "VARIED", "claims_document", "judge_all", "multiverse_document", "reproduce_all"]

CLAIMS: Final = "claims"
"""Id of the committed result of all claims."""

MULTIVERSE: Final = "multiverse"
"""Id of the committed result of all choices."""

VARIED: Final = ("primary", "primary-smi", "any-vocational-outcome")
"""The analyses that are run by other choices."""

ITSELF: Final = "as the analysis"
"""Name of the cell in which nothing is changed."""


def reproduce_all(specs: Sequence[Spec], dataset: Dataset, *, mapper: Mapper = map) -> Iterator[Reproduction]:
    """Run analyses, and set what was published beside each.

    Parameters
    ----------
    specs : sequence of Spec
        The analyses.
    dataset : Dataset
        The records, as they were loaded.
    mapper : callable
        As `map`; one that spreads its work over processes (`ipsevidence.analysis.workers.spread`) gives the same.

    Yields
    ------
    Reproduction
        In the order of the specs, each as soon as it and those before it are there.

    Raises
    ------
    SelectionError
        When the turn comes of an analysis that asks for what the dataset does not hold.
    """
    yield from mapper(functools.partial(_reproduced, SharedDataset(dataset)), specs)


def _reproduced(data: SharedDataset, spec: Spec) -> Reproduction:
    return reproduce(spec, data.get())


def judge_all(dataset: Dataset, runs: Mapping[str, AnalysisRun], *, mapper: Mapper = map) -> tuple[ClaimVerdict, ...]:
    """Judge every claim that ships with the data.

    Parameters
    ----------
    dataset : Dataset
        The records, as they were loaded.
    runs : mapping of str to AnalysisRun
        Analyses that have been run already, by id.
    mapper : callable
        As in `reproduce_all`.

    Returns
    -------
    tuple of ClaimVerdict
        In the order of their ids; empty where the data have no claims.

    Raises
    ------
    ReadError
        If a claim cannot be read.
    InputError, SpecNotFoundError, SelectionError
        See `ipsevidence.analysis.claims.judge`.
    """
    asked = []
    for claim in load_claims(dataset.root):
        names = [ground.analysis for ground in claim.decided_on if ground.analysis is not None]
        asked.append((claim, {name: runs[name] for name in names if name in runs}))
    return tuple(mapper(functools.partial(_judged, SharedDataset(dataset)), asked))


def _judged(data: SharedDataset, asked: tuple[Claim, Mapping[str, AnalysisRun]]) -> ClaimVerdict:
    claim, runs = asked
    return judge(claim, data.get(), runs)


def claims_document(verdicts: Sequence[ClaimVerdict], dataset: Dataset) -> dict[str, Any]:
    """Return all verdicts as the plain data that is committed in analyses/results/claims.json.

    Parameters
    ----------
    verdicts : sequence of ClaimVerdict
    dataset : Dataset
        The records that they were judged on.

    Returns
    -------
    dict
        The verdicts by the id of their claim.
    """
    found = {verdict.id: verdict.to_dict() for verdict in verdicts}
    return settled({"schema": 1, "id": CLAIMS, "dataset": {"version": dataset.version}, "claims": found})


def multiverse_document(
    dataset: Dataset, runs: Mapping[str, AnalysisRun], *, mapper: Mapper = map
) -> dict[str, Any] | None:
    """Return the main analyses by other choices as the plain data of analyses/results/multiverse.json.

    Parameters
    ----------
    dataset : Dataset
        The records, as they were loaded.
    runs : mapping of str to AnalysisRun
        Analyses by id; those of `VARIED` among them are varied.
    mapper : callable
        As in `reproduce_all`.

    Returns
    -------
    dict or None
        For each analysis the choices of estimator and of question, or the reason why it has none; None where no
        analysis is to be varied.
    """
    varied = {name: runs[name] for name in VARIED if name in runs}
    if not varied:
        return None
    asked = [(made, family) for made in varied.values() for family in ("estimator", "question")]
    plain = iter(mapper(functools.partial(_varied, SharedDataset(dataset)), asked))
    found = {
        name: {"title": made.spec.title, "estimator": next(plain), "question": next(plain)}
        for name, made in varied.items()
    }
    return settled({"schema": 1, "id": MULTIVERSE, "dataset": {"version": dataset.version}, "analyses": found})


def _varied(data: SharedDataset, asked: tuple[AnalysisRun, str]) -> dict[str, Any]:
    made, family = asked
    return _plain(estimator_choices(made) if family == "estimator" else question_choices(made.spec, data.get()))


def _plain(choices: Choices | core.NotApplicable) -> dict[str, Any]:
    if isinstance(choices, core.NotApplicable):
        return choices.to_dict()
    return {**choices.to_dict(), "cells": {_changed(choices, cell): _numbers(cell) for cell in choices.cells}}


def _changed(choices: Choices, cell: Cell) -> str:
    """Name a cell by the options in which it differs from the analysis: ``tau2: dl; interval: wald``."""
    pairs = zip(choices.decisions, cell.options, choices.headline.options, strict=True)
    return "; ".join(f"{fork.key}: {now}" for fork, now, before in pairs if now and now != before) or ITSELF


def _numbers(cell: Cell) -> dict[str, Any]:
    """Return what is known of a cell: a number that it does not have is not there."""
    whole = dataclasses.asdict(cell)
    del whole["options"]
    return {key: value for key, value in whole.items() if value != "" and not _missing(value)}


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
