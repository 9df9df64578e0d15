"""Results as committed: analyses/results/<id>.json, written at 12 significant digits and compared at 1e-9."""

import json
import math
from pathlib import Path
from typing import Any

from ipsevidence.analysis.examining import Examined
from ipsevidence.analysis.reproduction import Reproduction, Verdict
from ipsevidence.analysis.running import AnalysisRun, Fit, VariationFit
from ipsevidence.analysis.selection import NOT_LISTED
from ipsevidence.core import PooledResult
from ipsevidence.dataset.storage import write_atomically

__all__ = ["changes", "differences", "main_result", "plain", "read_result", "result_path", "settled", "write_result"]

_DIGITS = 12
_RELATIVE = 1e-9


def result_path(root: Path, spec_id: str) -> Path:
    """Return where the committed result of an analysis stands."""
    return root / "analyses" / "results" / f"{spec_id}.json"


def plain(reproduction: Reproduction) -> dict[str, Any]:
    """Return a run and its verdicts as the plain data that is committed.

    Parameters
    ----------
    reproduction : Reproduction
        A run, with no verdicts where its spec names no published figures.

    Returns
    -------
    dict
        Numbers at 12 significant digits; nan as None.
    """
    analysis = reproduction.run
    data = analysis.data
    document = {
        "schema": 1,
        "id": analysis.spec.id,
        "dataset": None if data is None else {"version": data.version, "records": data.records, "digest": data.digest},
        "spec": analysis.spec.resolved(),
        "inputs": _inputs(analysis),
        "participants": {"headline": analysis.participants, "analysed": analysis.analysed},
        "result": _fit(analysis.fit, analysis),
        "groups": [
            {
                "id": group.id,
                "label": group.label,
                "k": len(group.members),
                "result": _fit(group.fit, analysis),
            }
            for group in analysis.groups
        ],
        "between": analysis.between.to_dict() if analysis.between else None,
        "contrasts": [
            {"first": c.first, "second": c.second, "difference": c.difference, "ci": [c.ci.low, c.ci.high], "p": c.p}
            for c in analysis.contrasts
        ],
        "moderators": [fit.to_dict() for fit in analysis.moderators],
        "sensitivity": [_variation(variation) for variation in analysis.sensitivity],
        **(_examined(reproduction.examined) if reproduction.examined else {}),
        "verdicts": [_verdict(verdict) for verdict in reproduction.verdicts],
        "decisions": [
            {"id": d.id, "included": d.included, "stage": d.stage, "reason": d.reason}
            for d in analysis.decisions
            if d.reason != NOT_LISTED
        ],
        "notes": list(analysis.notes),
    }
    return settled(document)


def main_result(analysis: AnalysisRun) -> dict[str, Any]:
    """Return the main result of a run as it stands under ``result`` in what is committed."""
    return settled(_fit(analysis.fit, analysis))


def _inputs(analysis: AnalysisRun) -> list[dict[str, Any]]:
    weights = (
        analysis.fit.weights.tolist() if isinstance(analysis.fit, PooledResult) else [math.nan] * len(analysis.rows)
    )
    return [
        {**row.to_dict(), "yi": y, "vi": v, "weight": weight}
        for row, y, v, weight in zip(analysis.rows, analysis.y, analysis.v, weights, strict=True)
    ]


def _fit(fit: Fit, analysis: AnalysisRun) -> dict[str, Any]:
    numbers = fit.to_dict()
    if isinstance(fit, PooledResult):
        for key in ("y", "v", "weights"):
            numbers.pop(key)
        numbers["shown"] = {
            "measure": analysis.spec.effect.measure,
            "estimate": analysis.shown(fit.estimate),
            "ci": [analysis.shown(fit.ci.low), analysis.shown(fit.ci.high)],
            "prediction": [analysis.shown(fit.prediction.low), analysis.shown(fit.prediction.high)],
        }
    return numbers


def _variation(variation: VariationFit) -> dict[str, Any]:
    return {
        "id": variation.id,
        "label": variation.label,
        "measure": variation.measure,
        "k": variation.k,
        "participants": variation.participants,
        "result": {key: value for key, value in variation.fit.to_dict().items() if key not in ("y", "v", "weights")},
    }


def _examined(examined: Examined) -> dict[str, Any]:
    """Return the numbers of all sides; what the records say in words stays there."""
    plain = examined.to_dict()
    coverage, unlocks = plain["coverage"], plain["unlocks"]
    if "absent" in coverage:
        kept = ("id", "size", "stage", "direction", "significant", "y", "v")
        coverage["absent"] = [{key: one[key] for key in kept} for one in coverage["absent"]]
    if "awaiting" in coverage:
        coverage["awaiting"] = [{key: one[key] for key in ("id", "size")} for one in coverage["awaiting"]]
    if isinstance(unlocks, list):
        numbers = ("id", "participants", "at_no_effect", "at_stated")
        plain["unlocks"] = [{key: one[key] for key in numbers} for one in unlocks]
    return plain


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "quantity": verdict.target.quantity,
        "label": verdict.label,
        "target": verdict.target.target,
        "published": verdict.published,
        "computed": verdict.computed,
        "agreement": verdict.agreement,
        "verdict": verdict.verdict,
    }


def settled(document: dict[str, Any]) -> dict[str, Any]:
    """Return plain data as it is committed: floats at 12 significant digits, nan and infinity as None."""
    found: dict[str, Any] = _settled(document)
    return found


def _settled(value: Any) -> Any:
    """Round floats to the digits that are kept, and turn what JSON has no word for into what it has."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {str(key): _settled(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_settled(item) for item in value]
    if isinstance(value, Decimal):
        value = float(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        rounded = float(f"{value:.{_DIGITS}g}")
        return int(rounded) if rounded.is_integer() and abs(rounded) < 1e12 else rounded
    return value


def text(document: dict[str, Any]) -> str:
    """Return the document as it is written: JSON, two spaces, one final newline."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def write_result(path: Path, document: dict[str, Any]) -> None:
    """Write a result file; the old one stays whole until the new one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text(document))


def read_result(path: Path) -> dict[str, Any]:
    """Read a committed result."""
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def changes(path: Path, document: dict[str, Any]) -> list[str]:
    """Return where a result differs from the committed one, or that there is none to compare it with.

    Parameters
    ----------
    path : Path
        Where the committed result stands.
    document : dict
        The result as computed now.

    Returns
    -------
    list of str
        One line a difference; empty where nothing moved.
    """
    try:
        committed = read_result(path)
    except FileNotFoundError:
        return ["there is no committed result"]
    except (OSError, ValueError, RecursionError):
        return ["there is no readable committed result"]
    if not isinstance(committed, dict):
        return ["there is no readable committed result"]
    return differences(committed, document)


def differences(old: Any, new: Any, at: str = "") -> list[str]:
    """Return where two results differ: numbers beyond 1e-9 relative, text and structure at all.

    Parameters
    ----------
    old, new : JSON data
        The committed and the computed result.
    at : str
        Path of the place, for the messages.

    Returns
    -------
    list of str
        One line a difference: ``result.estimate: 0.801 -> 0.804``.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        keys = list(dict.fromkeys([*old, *new]))
        return [line for key in keys for line in differences(old.get(key), new.get(key), f"{at}.{key}".lstrip("."))]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [line for i, pair in enumerate(zip(old, new, strict=True)) for line in differences(*pair, f"{at}[{i}]")]
    same = _close(old, new) if _number(old) and _number(new) else type(old) is type(new) and old == new
    return [] if same else [f"{at}: {_short(old)} -> {_short(new)}"]


def _close(old: float, new: float) -> bool:
    try:
        return math.isclose(old, new, rel_tol=_RELATIVE, abs_tol=0.0)
    except OverflowError:  # a whole number beyond what a float can hold
        return old == new


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _short(value: Any) -> str:
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 80 else f"{shown[:77]}..."
