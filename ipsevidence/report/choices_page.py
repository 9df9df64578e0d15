"""The page of the main analyses by other choices: range, what moves it most, what flips, what was not tried."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

from ipsevidence.analysis.across import ITSELF
from ipsevidence.analysis.choices import CRITERIA
from ipsevidence.core import MEASURES
from ipsevidence.figures.numbers import EN_DASH, Numerals
from ipsevidence.report.markdown import FROM_RESULTS, cell, markdown_table

__all__ = ["choices_text"]

_FAMILIES: Final = {"estimator": "Equivalent methods", "question": "Neighbouring questions"}

_FLIPPED: Final = {
    ("no-effect-excluded", True): "no effect becomes excluded",
    ("no-effect-excluded", False): "no effect is no longer excluded",
    ("above-threshold", True): "the estimate rises above {threshold}",
    ("above-threshold", False): "the estimate no longer lies above {threshold}",
}
assert {criterion for criterion, _ in _FLIPPED} == set(CRITERIA)


def choices_text(document: Mapping[str, Any]) -> str:
    """Write the page of choices.

    Parameters
    ----------
    document : mapping
        The committed result of all choices; see `ipsevidence.analysis.across.multiverse_document`.

    Returns
    -------
    str
        Markdown: a summary, then each analysis with every single change, then what was not tried.
    """
    analyses = document["analyses"]
    intro = (
        f"{FROM_RESULTS}\n# The main analyses by other choices\n\n"
        "Two families, never mixed. *Equivalent methods* answer"
        " one question: every combination of model, estimator, interval and treatment of empty cells, and the spread is"
        " what the answer owes to the method. *Neighbouring questions* are other questions: every single change of the"
        " analysis and every pair, and their spread is no uncertainty of one answer.\n\n"
    )
    parts = [
        intro,
        markdown_table(
            (
                "Analysis",
                "Family",
                "Pooled of those tried",
                "As analysed",
                "Estimates",
                "Moves it most",
                "Flips, alone",
            ),
            _summary(analyses),
        ),
    ]
    for one in analyses.values():
        parts.append(f"\n## {cell(one['title'])}\n")
        for family, title in _FAMILIES.items():
            parts.append(f"\n### {title}\n\n{_family(one[family])}")
    left_out = list(_left_out(analyses))
    if left_out:
        parts.append("\n## Not tried\n\n" + markdown_table(("Decision", "Option", "Why", "Analyses"), left_out))
    return "".join(parts)


def _summary(analyses: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for one in analyses.values():
        for family, title in _FAMILIES.items():
            choices = one[family]
            if "not_applicable" in choices:
                yield one["title"], title, choices["not_applicable"], *([EN_DASH] * 4)
                continue
            cells = choices["cells"]
            low, high = choices["range"]
            write = _write(choices)
            yield (
                one["title"],
                title,
                f"{len(_pooled(choices))} of {len(cells)}",
                _effect(choices, cells[ITSELF]),
                EN_DASH if low is None else f"{write.effect(low)} to {write.effect(high)}",
                _moves_most(choices),
                "; ".join(_flips(choices)) or "nothing",
            )


def _write(choices: Mapping[str, Any]) -> Numerals:
    return Numerals(ratio=MEASURES[choices["measure"]].scale == "log")


def _pooled(choices: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [found for found in choices["cells"].values() if "why" not in found]


def _effect(choices: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if "why" in found:
        return str(found["why"])
    write = _write(choices)
    estimate = write.effect(found["estimate"])
    return f"{estimate} ({write.effect(found['low'])} to {write.effect(found['high'])})" if "low" in found else estimate


def _label(choices: Mapping[str, Any], decision: str, option: str) -> str:
    fork = next(one for one in choices["decisions"] if one["key"] == decision)
    return f"{fork['label']}: {next(one['label'] for one in fork['options'] if one['key'] == option)}"


def _moves_most(choices: Mapping[str, Any]) -> str:
    moves = choices["moves_most"]
    if moves is None:
        return EN_DASH
    found = choices["cells"][f"{moves['decision']}: {moves['option']}"]
    return f"{_label(choices, moves['decision'], moves['option'])}, to {_write(choices).effect(found['estimate'])}"


def _flips(choices: Mapping[str, Any]) -> Iterator[str]:
    for flip in choices["flips"]:
        becomes = _FLIPPED[flip["criterion"], flip["now"]].format(threshold=f"{choices['threshold'] or math.nan:g}")
        yield f"{_label(choices, flip['decision'], flip['option'])}: {becomes}"


def _family(choices: Mapping[str, Any]) -> str:
    if "not_applicable" in choices:
        return f"{cell(choices['not_applicable'])}.\n"
    rows = [("As analysed", "", *_numbers(choices, choices["cells"][ITSELF]))]
    for fork in choices["decisions"]:
        for option in fork["options"][1:]:
            found = choices["cells"].get(f"{fork['key']}: {option['key']}")
            if found is not None:
                rows.append((fork["label"], option["label"], *_numbers(choices, found)))
    table = markdown_table(("Decision", "One change", "Trials", "Effect (95% CI)", "Prediction interval"), rows)
    return f"{_counted(choices)}\n\n{table}{_unpooled(choices)}"


def _numbers(choices: Mapping[str, Any], found: Mapping[str, Any]) -> tuple[str, str, str]:
    write = _write(choices)
    prediction = EN_DASH
    if "prediction_low" in found:
        prediction = f"{write.effect(found['prediction_low'])} to {write.effect(found['prediction_high'])}"
    return f"{found['k']}", _effect(choices, found), prediction


def _counted(choices: Mapping[str, Any]) -> str:
    """Say in how many of the pooled cells the answers are the same."""
    pooled = _pooled(choices)
    null, threshold = MEASURES[choices["measure"]].null, choices["threshold"]
    clear = sum(found.get("low", -math.inf) > null or found.get("high", math.inf) < null for found in pooled)
    tried = f"{len(choices['cells'])} sets of choices, {len(pooled)} of them pooled."
    text = f"{tried} The interval excludes no effect in {clear}"
    if threshold is None:
        return f"{text} of them."
    above = sum(found["estimate"] > threshold for found in pooled)
    return f"{text} of them, and the estimate lies above {threshold:g} in {above}."


def _unpooled(choices: Mapping[str, Any]) -> str:
    """Say why cells have no estimate, the most frequent reason first."""
    reasons: dict[str, int] = {}
    for found in choices["cells"].values():
        if "why" in found:
            reasons[found["why"]] = reasons.get(found["why"], 0) + 1
    ordered = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    lines = [f"- {count}: {cell(why)}\n" for why, count in ordered]
    return "\nNot pooled, by reason:\n\n" + "".join(lines) if lines else ""


def _left_out(analyses: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    together: dict[tuple[str, str, str], list[str]] = {}
    for name, one in analyses.items():
        for family in _FAMILIES:
            forks = {fork["key"]: fork["label"] for fork in one[family].get("decisions", ())}
            for left in one[family].get("excluded", ()):
                key = (forks[left["decision"]], left["label"], left["why"])
                together.setdefault(key, []).append(name)
    for key, names in together.items():
        yield *key, "all" if len(names) == len(analyses) else ", ".join(names)
