"""An analysis as a Jupyter notebook: the main result again, step by step, from the inputs beside it."""

import json
import math
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import __version__
from ipsevidence.core import NotApplicable
from ipsevidence.report.markdown import cell as inert
from ipsevidence.report.r_script import TOLERANCE, expected

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["notebook"]

_READ: Final = """\
import csv

import numpy as np

from ipsevidence import core

with open("inputs.csv", encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))


def column(name, rows=rows):
    return np.array([float(row[name]) for row in rows])


y, v = column("yi"), column("vi")
for row in rows:
    print(row["study"])"""


def notebook(analysis: "AnalysisRun") -> str:
    """Write the notebook (format 4); its cells run in the folder of inputs.csv; the last fails where numbers differ.

    Parameters
    ----------
    analysis : AnalysisRun
        The run whose main result is repeated.

    Returns
    -------
    str
        JSON, the same for the same run. Where there is no pool, the notebook says why.
    """
    spec, fit = analysis.spec, analysis.fit
    about = (
        f"# {inert(spec.title)}\n\nAnalysis `{spec.id}`, ipsevidence {__version__}; it reads `inputs.csv` beside it."
    )
    cells = [_markdown("about", about)]
    if isinstance(fit, NotApplicable):
        cells.append(_markdown("none", f"There is no pooled effect to repeat: {inert(fit.reason)}."))
    else:
        settings = fit.settings
        cells += [
            _markdown("inputs-text", "## Inputs\n\nOne line a study."),
            _code("inputs", _READ),
            _markdown("effects-text", f"## Effects\n\n{inert(analysis.measure.sentence)}"),
            _code("effects", _effects(analysis)),
            _markdown("pool-text", "## Pool"),
            _code("pool", _pool(analysis, settings.tau2, settings.interval, settings.prediction, settings.level)),
            _markdown("compare-text", f"## Both side by side\n\nEach must agree to {TOLERANCE:g} on the pooled scale."),
            _code("compare", _compare(expected(fit))),
        ]
    document = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _markdown(key: str, text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": key, "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(key: str, text: str) -> dict[str, Any]:
    source = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "id": key, "metadata": {}, "outputs": [], "source": source}


def _effects(analysis: "AnalysisRun") -> str:
    """Compute effects anew from counts; those that were given or printed are taken as they are."""
    effect, rows = analysis.spec.effect, analysis.rows
    settings = f"add={effect.add}, to={effect.to!r}"
    lines = []
    if any(row.counts for row in rows):
        lines += [
            'counted = np.array([row["ai"] != "" for row in rows])',
            'tables = [row for row in rows if row["ai"] != ""]',
            'cells = [column(name, tables) for name in ("ai", "n1i", "ci", "n2i")]',
            f"y[counted], v[counted] = core.two_by_two({effect.measure!r}, *cells, {settings})",
        ]
    elif any(row.share for row in rows):
        lines += [f'y, v = core.proportion({effect.measure!r}, column("xi"), column("ni"), {settings})']
    else:
        lines += ["# The file gives effects and variances, and no counts."]
    if any(not math.isnan(row.estimate) for row in rows):
        lines.append("# Effects without counts are the printed ones, with the variance of their printed interval.")
    return "\n".join([*lines, "dict(zip([row['study'] for row in rows], y))"])


def _pool(analysis: "AnalysisRun", tau2: str, interval: str, prediction: str, level: float) -> str:
    if analysis.spec.model.q_about == "mantel-haenszel":
        key = analysis.spec.effect.measure
        call = (
            "from ipsevidence.core.review_manager import mantel_haenszel_random\n\n"
            f"fit = mantel_haenszel_random({key!r}, *cells, prediction={prediction!r}, level={level!r})"
        )
    else:
        settings = f"tau2={tau2!r}, interval={interval!r}, prediction={prediction!r}, level={level!r}"
        call = f"fit = core.pool(y, v, {settings})"
    return f"{call}\nprint(fit)"


def _compare(numbers: dict[str, float]) -> str:
    lines = "".join(f"    {name!r}: {value!r},\n" for name, value in numbers.items())
    return (
        f"published = {{\n{lines}}}\n"
        "here = {\n"
        '    "estimate": fit.estimate,\n    "se": fit.se,\n    "ci_low": fit.ci.low,\n    "ci_high": fit.ci.high,\n'
        '    "tau2": fit.tau2,\n    "q": fit.q,\n'
        '    "prediction_low": fit.prediction.low,\n    "prediction_high": fit.prediction.high,\n}\n'
        "for name, value in published.items():\n"
        '    print(f"{name:16} {value:14.9f} {here[name]:14.9f}")\n'
        f"wrong = [name for name, value in published.items() if not abs(value - here[name]) <= {TOLERANCE!r}]\n"
        "if wrong:\n"
        "    raise SystemExit(f\"The two differ: {', '.join(wrong)}\")\n"
        'print("The two agree.")'
    )
