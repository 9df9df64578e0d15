"""The pools of a population as plain data: numbers at the digits that `run` stores, texts rounded once, places to draw.

A page that shows them computes nothing: each number has its text, each mark its place on the scale that was pooled, and
each cell the analysis that gives it.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.analysis.absolutes import CUT, AbsoluteAnswer, Absolutes
from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.exploring import Explored, Pool
from ipsevidence.analysis.resultfiles import main_result, settled
from ipsevidence.analysis.spec import Model, Spec
from ipsevidence.core import Interval, NotApplicable, PooledResult
from ipsevidence.dataset.starting import written
from ipsevidence.dataset.vocabulary import BASIS, DIRECTION
from ipsevidence.figures.forest_axis import Span, axis_for
from ipsevidence.figures.forest_lines import MARKS, heterogeneity, study_label
from ipsevidence.figures.forest_plot import arms_of, directions
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.style import STYLES
from ipsevidence.report.evidence_tables import absolutes as absolutes_table
from ipsevidence.report.page import spec_text
from ipsevidence.report.sentences import verdict_line
from ipsevidence.report.tables import numerals, persons, shown_interval

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["KEPT", "cell_key", "document", "few_words", "lines_of", "numbers_of", "pieces_of", "pool_key"]

KEPT: Final = ("estimate", "se", "ci", "p", "tau2", "i2", "q", "q_df", "q_p", "prediction", "k", "shown")
"""What a cell keeps of the result that `run` stores, under the same names."""

_DIFFERENT: Final = ("purpose: ", "model: ")
"""How the lines of a spec begin in which the cells of a pool differ."""

_LENGTH: Final = 420.0
_SIZE: Final = 8.0
_PAD: Final = 6.0
"""Length of the axis, size of its labels and room at its ends, in points: they decide which ticks fit."""


def document(population: str, label: str, version: str, pools: Iterable[Pool]) -> dict[str, Any]:
    """Return all pools of a population as plain data.

    Parameters
    ----------
    population, label : str
        Its key and its name.
    version : str
        Version of the dataset.
    pools : iterable of Pool

    Returns
    -------
    dict
        Numbers at 12 significant digits; nan as None.
    """
    return settled(
        {
            "schema": 1,
            "population": population,
            "label": label,
            "dataset": version,
            "pools": {pool_key(pool): _pool(pool) for pool in pools},
        }
    )


def pool_key(pool: Pool) -> str:
    """Return the name of a pool in the file of its population: outcome, comparator, measure."""
    return f"{pool.choice.outcome}/{pool.choice.comparator}/{pool.choice.measure}"


def cell_key(cell: Explored) -> str:
    """Return the name of a cell in its pool: estimator and interval."""
    return f"{cell.choice.tau2}/{cell.choice.interval}"


def _pool(pool: Pool) -> dict[str, Any]:
    run = pool.run
    table = absolutes_table(pool.absolutes) if isinstance(pool.absolutes, Absolutes) else None
    return {
        "title": clean(run.spec.title, most=300),
        "k": len(run.rows),
        "participants": run.participants,
        "level": run.spec.model.level,
        "why": pool.why,
        "headline": few_words(pool) if pool.why else "",
        "few": pool.estimate.to_dict() if pool.why else None,
        "sentence": pool.sentence if run.rows else "",
        "coverage": pool.coverage.sentence if isinstance(pool.coverage, Coverage) else pool.coverage.reason,
        "caveats": [*([run.spec.outcome.composite] if run.spec.outcome.composite else []), *pool.caveats],
        "absent": _absent(pool.coverage),
        "common": _common(run),
        "beside": _beside(pool),
        "mixed": run.spec.outcome.composite is not None,
        "arms": list(arms_of(run)),
        "measure": _heading(run),
        "favours": directions(run, None, STYLES["default"]),
        "axis": _axis(pool),
        "rows": [_row(run, index) for index in range(len(run.rows))],
        "legend": _legend(run),
        "per100": {
            "heads": [column.heading for column in table.columns],
            "rows": [list(row) for row in table.rows] if pool.why else [],
            "notes": [note for note in table.notes if note != CUT],
        }
        if table
        else None,
        "ahead": f"{100 * float(run.spec.model.level):g}%\u00a0prediction interval",
        "weights": _weights(pool),
        "spec": pieces_of(run.spec),
        "lines": lines_of(run.spec),
        "cells": {cell_key(cell): _cell(cell) for cell in pool.cells},
    }


def _heading(run: "AnalysisRun") -> str:
    """Return the heading of the column of effects: ``Risk ratio [95% CI]``."""
    label = run.measure.label[:1].upper() + run.measure.label[1:]
    return f"{label} [{100 * float(run.spec.model.level):g}%\u00a0CI]"


def _cell(cell: Explored) -> dict[str, Any]:
    if cell.spec is None or cell.why:
        return {"why": cell.why}
    run, style = cell.run, STYLES["default"]
    fit = run.fit
    assert isinstance(fit, PooledResult)
    write = numerals(run.measure.key)
    effect = f"{write.effect(run.shown(fit.estimate))} {write.interval(run.shown(fit.ci.low), run.shown(fit.ci.high))}"
    said = {*run.spec.report.caveats, run.spec.outcome.composite}
    table = absolutes_table(cell.absolutes) if isinstance(cell.absolutes, Absolutes) else None
    return {
        "result": numbers_of(run),
        "effect": effect,
        "prediction": "" if fit.prediction.missing else shown_interval(run.measure.key, fit.prediction),
        "no_prediction": fit.prediction.why if fit.prediction.missing else "",
        "headline": verdict_line(run),
        "sentence": cell.sentence,
        "spread": heterogeneity(fit, style, bounds=True),
        "notes": [note for note in run.notes if note not in said],
        "answers": [_answer(one) for one in cell.absolutes.answers] if isinstance(cell.absolutes, Absolutes) else [],
        "per100": [list(row) for row in table.rows] if table else [],
        "cut": CUT if table and CUT in table.notes else "",
        "lines": lines_of(cell.spec),
    }


def numbers_of(run: "AnalysisRun") -> dict[str, Any]:
    """Return the numbers of a pool as `run` stores them, those of `KEPT`."""
    result = main_result(run)
    return {key: result[key] for key in KEPT if key in result}


def _answer(one: AbsoluteAnswer) -> list[Any]:
    """Return an absolute answer as model, baseline, risk, difference, its interval and its prediction interval."""
    bounds = (one.difference_ci, one.difference_prediction)
    return [one.model, one.baseline, one.risk, one.difference, *(end for b in bounds for end in (b.low, b.high))]


def _row(run: "AnalysisRun", index: int) -> dict[str, Any]:
    row, y, (low, high) = run.rows[index], run.y[index], run.intervals[index]
    write, place = numerals(run.measure.key), Scale(run.measure).place
    counts = row.counts
    sign = MARKS[row.basis].sign if row.basis in MARKS else ""
    shown = (write.effect(run.shown(y)), write.interval(run.shown(low), run.shown(high)))
    return {
        "id": row.id,
        "label": study_label(row),
        "sign": sign,
        "basis": BASIS[row.basis].label if row.basis else "",
        "counts": [
            f"{write.count(counts.events1)}/{write.count(counts.n1)}",
            f"{write.count(counts.events2)}/{write.count(counts.n2)}",
        ]
        if counts
        else ["printed effect", ""],
        "yi": y,
        "vi": run.v[index],
        "at": [place(y), place(low), place(high)],
        "text": " ".join(shown),
        "outcome": str(row.extra.get("concept", "")),
        "months": f"{row.extra['months']:g}" if isinstance(row.extra.get("months"), float) else "",
    }


def _weights(pool: Pool) -> dict[str, list[list[Any]]]:
    """Return the weights by estimator: number, text, and the side of the square, the largest being 1."""
    found: dict[str, list[list[Any]]] = {}
    for cell in pool.cells:
        fit = cell.run.fit
        if cell.spec is not None and isinstance(fit, PooledResult) and cell.choice.tau2 not in found:
            write, most = numerals(cell.choice.measure), float(fit.weights.max())
            found[cell.choice.tau2] = [
                [float(weight), f"{write.weight(float(weight))}%", round(math.sqrt(float(weight) / most), 4)]
                for weight in fit.weights
            ]
    return found


def _axis(pool: Pool) -> dict[str, Any] | None:
    """Return one axis for all models of a pool, so that a change of model moves the mean and nothing else."""
    run = pool.run
    if not run.rows:
        return None
    scale = Scale(run.measure)
    own = run.fit.weights.tolist() if isinstance(run.fit, PooledResult) else [1.0] * len(run.rows)
    rows = zip(run.y, run.intervals, own, strict=True)
    spans = [Span(estimate=y, low=low, high=high, weight=max(weight, 1e-9)) for y, (low, high), weight in rows]
    spans += [span for cell in reversed(pool.cells) for span in _spans(cell)]
    axis = axis_for(
        spans,
        null=scale.null,
        length=_LENGTH,
        pad=_PAD,
        numerals=numerals(run.measure.key),
        size=_SIZE,
        limits=scale.limits,
    )
    ticks = [[place, label] for place, label in zip(axis.ticks, axis.labels, strict=True)]
    return {"low": axis.low, "high": axis.high, "null": scale.null, "ticks": ticks}


def _spans(cell: Explored) -> list[Span]:
    fit = cell.run.fit
    if cell.spec is None or not isinstance(fit, PooledResult):
        return []
    whole: Sequence[Interval] = [one for one in (fit.prediction, fit.ci) if not one.missing]
    return [Span(estimate=fit.estimate, low=one.low, high=one.high, pooled=True) for one in whole]


def _common(run: "AnalysisRun") -> dict[str, Any] | None:
    """Return the line through two trials: their common effect, which is no mean of several."""
    if run.few is None or run.few.shown != "common":
        return None
    fit, write = run.few.headline, numerals(run.measure.key)
    shown = write.effect(run.shown(fit.estimate)), write.interval(run.shown(fit.ci.low), run.shown(fit.ci.high))
    place = Scale(run.measure).place
    return {
        "label": "Common effect of the two",
        "at": [place(fit.estimate), place(fit.ci.low), place(fit.ci.high)],
        "text": " ".join(shown),
    }


def _legend(run: "AnalysisRun") -> list[str]:
    used = {row.basis for row in run.rows}
    return [f"{mark.sign} {BASIS[key].label}: {mark.meaning}" for key, mark in MARKS.items() if key in used]


def _absent(coverage: Coverage | NotApplicable) -> list[dict[str, str]]:
    if isinstance(coverage, NotApplicable):
        return []
    return [
        {
            "id": one.id,
            "label": clean(one.label, most=120),
            "size": "size not known" if math.isnan(one.size) else f"{persons(one.size)} people",
            "direction": DIRECTION[one.direction].label if one.direction in DIRECTION else "",
            "reason": sentence(clean(one.reason, most=300)),
        }
        for one in coverage.absent
    ]


def _wanted_words(coverage: Coverage | NotApplicable) -> str:
    """Say of a question without a usable number what is wanted: how many trials, of how many people."""
    if isinstance(coverage, NotApplicable) or not coverage.absent:
        return "No trial gives a usable number, and the collection has no eligible trial."
    count, people = len(coverage.absent), math.fsum(one.size for one in coverage.absent if not math.isnan(one.size))
    trials = "1 trial" if count == 1 else f"{count} trials"
    unsized = len(coverage.unsized)
    more = f" ({'the size of one' if unsized == 1 else f'those of {unsized}'} is not known)" if unsized > 0 else ""
    of = f" of {persons(people)} people" if people else ""
    return f"No trial gives a usable number; the numbers of {trials}{of} are wanted{more}."


def _beside(pool: Pool) -> str:
    """Write the Bayesian estimate that stands beside the pool of three or four trials."""
    shown = pool.estimate
    if pool.why or shown.bayes_ci.missing:
        return ""
    write = numerals(pool.run.measure.key)
    level = f"{100 * shown.bayes_ci.level:g}% credible interval"
    interval = f"{level} {_range(write, shown.bayes_ci)}"
    return (
        f"Beside it, a Bayesian estimate (half-normal prior, 0.5, of \u03c4): {write.effect(shown.bayes)} ({interval})."
    )


def few_words(pool: Pool) -> str:
    """Say what may be said of trials that are not pooled: nothing, the one trial, or a line through two."""
    run, shown = pool.run, pool.estimate
    if not run.rows:
        return _wanted_words(pool.coverage)
    write, level = numerals(run.measure.key), f"{100 * float(run.spec.model.level):g}%\u00a0CI"
    label = run.measure.label
    if len(run.rows) == 1:
        low, high = run.intervals[0]
        effect = f"{write.effect(run.shown(run.y[0]))} ({level} {write.range(run.shown(low), run.shown(high))})"
        return f"One trial, not a pool. {study_label(run.rows[0])}: {label} {effect}."
    said = "Two trials, too few for a random-effects pool."
    if shown.kind == "common":
        said += f" By a common effect, {label} {write.effect(shown.value)} ({level} {_range(write, shown.ci)})"
        said += f"; Bayesian estimate {write.effect(shown.bayes)} ({_range(write, shown.bayes_ci)})."
    return said


def _range(write: Numerals, interval: Interval) -> str:
    return str(write.range(interval.low, interval.high))


def pieces_of(spec: Spec) -> list[str]:
    """Return what all cells of a pool share of their spec files: these pieces, with the lines of a cell between them.

    Parameters
    ----------
    spec : Spec
        That of any cell.

    Returns
    -------
    list of str
        The file is the first piece, the first of `lines_of`, the second piece and so on, up to the last piece.
    """
    pieces = [""]
    for line in spec_text(spec).splitlines(keepends=True):
        if line.startswith(_DIFFERENT):
            pieces.append("")
        else:
            pieces[-1] += line
    return pieces


def lines_of(spec: Spec) -> list[str]:
    """Return the lines in which the spec files of a pool's cells differ: those of purpose and model."""
    return list(_lines(spec.purpose, spec.model))


@functools.cache
def _lines(purpose: str, model: Model) -> tuple[str, ...]:
    text = written({"purpose": purpose, "model": model.model_dump(by_alias=True)}, Spec)
    return tuple(text.splitlines(keepends=True))
