"""What the verb answer prints: one screen, what to know first at the top."""

import math
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ipsevidence.terminal.output import envelope, origin, plural, say

if TYPE_CHECKING:
    from ipsevidence.analysis.answers import Answer
    from ipsevidence.core import Interval
    from ipsevidence.dataset.collection import Dataset

__all__ = ["answered"]

WIDEST: Final = 100
CELLS: Final = 37
MOST_ROWS: Final = 24
"""Trials from which the strips are left out, so that the answer stays on one screen."""

FINE: Final = {"line": "─", "trial": "■", "mean": "◆", "ahead": "╌", "null": "│", "left": "◄", "right": "►"}
PLAIN: Final = {"line": "-", "trial": "#", "mean": "O", "ahead": ".", "null": "|", "left": "<", "right": ">"}
"""Signs of the strips: for terminals that have them, and for all others."""

LIMITS: Final = (1 / 16, 64.0)
"""The widest that the axis of the strips can be."""


def answered(
    population: str, baseline: float | None, data: Path | None, *, out: Path | None, as_json: bool, quiet: bool
) -> None:
    """Print the answer for a population; with `out`, also write its forest plot."""
    from ipsevidence.analysis.answers import answer
    from ipsevidence.dataset.collection import load

    dataset = load(data)
    found = answer(population, baseline, dataset)
    if out is not None:
        from ipsevidence.figures import figure, save

        save(figure("forest", found.run), out)
    if as_json:
        envelope("answer", found.to_dict(), [origin(dataset), *found.run.notes])
        return
    _text(found, dataset, quiet=quiet)
    if out is not None and not quiet:
        say(f"written: {out}")


def _text(found: "Answer", dataset: "Dataset", *, quiet: bool) -> None:
    say(found.run.spec.title)
    say()
    say("Know first")
    for caveat in found.caveats:
        _paragraph(caveat, first="- ")
    say()
    say("Estimate")
    _paragraph(_estimate(found))
    _paragraph(found.sentence)
    if quiet:
        return
    _per_hundred(found)
    _coverage(found)
    if 0 < found.k <= MOST_ROWS:
        say()
        for line in _strips(found):
            say(line)
    if found.certainty:
        say()
        say("What bears on certainty; how much there is, people judge")
        widest = max(len(domain) for domain, _ in found.certainty)
        for domain, text in found.certainty:
            _paragraph(text, first=f"{domain:<{widest}}  ")
    say()
    say(f"{origin(dataset)}; version {dataset.version}; analysis {found.run.spec.id}")


def _paragraph(text: str, *, first: str = "") -> None:
    """Print a text in lines, indented by two and below its beginning."""
    room = min(WIDEST, shutil.get_terminal_size((WIDEST, 24)).columns)
    lead = f"  {first}"
    lines = textwrap.wrap(text, max(40, room), initial_indent=lead, subsequent_indent=" " * len(lead))
    for line in lines:
        say(line)


def _estimate(found: "Answer") -> str:
    one = found.estimate
    if one.kind == "none":
        return f"none: {one.ci.why}"
    kinds = {"trial": "one trial, not a pool", "common": "two trials, common effect", "pool": plural(found.k, "trial")}
    text = f"{one.label} {one.value:.2f} ({_bounds(one.ci, 'CI')}); {kinds[one.kind]}"
    if not one.prediction.missing:
        text += f"; {_bounds(one.prediction, 'prediction interval')}"
    if not math.isnan(one.bayes):
        text += f"; Bayesian estimate {one.bayes:.2f} ({_bounds(one.bayes_ci, 'credible interval')})"
    return text


def _bounds(interval: "Interval", name: str) -> str:
    level = f"{100 * interval.level:g}% {name}"
    return f"{level} {interval.low:.2f} to {interval.high:.2f}" if not interval.missing else f"no {name}"


def _per_hundred(found: "Answer") -> None:
    """Print a line for each baseline: those with the outcome anyway, how many more by each model, the first leading."""
    from ipsevidence.analysis.absolutes import MODELS, Absolutes
    from ipsevidence.analysis.answer_words import more

    table = found.absolutes
    if not isinstance(table, Absolutes) or table.headline == "trial":
        return
    have = {one.model for one in table.answers}
    models = [table.headline, *(model for model in MODELS if model in have and model != table.headline)]
    say()
    say("  Of 100 people" + "".join(f"  {MODELS[model]:<27}" for model in models).rstrip())
    for baseline in table.baselines:
        cells = []
        for model in models:
            one = table.at(baseline, model)
            low, high = (one.difference_ci.low, one.difference_ci.high) if one else (math.nan, math.nan)
            cells.append(f"  {one.people[1]:+3d} ({more(100 * low, 100 * high)})" if one else "")
        say(f"  {round(100 * baseline):>3} anyway   " + "".join(f"{cell:<29}" for cell in cells).rstrip())


def _coverage(found: "Answer") -> None:
    from ipsevidence.analysis.covering import Coverage

    if not isinstance(found.coverage, Coverage) or not found.coverage.eligible:
        return
    say()
    _paragraph(f"{found.coverage.sentence}.")


def _strips(found: "Answer") -> list[str]:
    """Draw the trials and what was made of them as strips of text on a logarithmic axis."""
    run = found.run
    if run.measure.scale != "log":
        return []
    signs = FINE if _can_show("".join(FINE.values())) else PLAIN
    rows = [
        (row.label, run.shown(y), run.shown(low), run.shown(high), "trial", "line")
        for row, y, (low, high) in zip(run.rows, run.y, run.intervals, strict=True)
    ]
    one = found.estimate
    if one.kind in ("common", "pool") and not one.ci.missing:
        name = "Common effect" if one.kind == "common" else "Mean"
        rows.append((name, one.value, one.ci.low, one.ci.high, "mean", "line"))
    if not one.prediction.missing:
        rows.append(("New setting", one.value, one.prediction.low, one.prediction.high, "mean", "ahead"))
    ends = _ends([low for _, _, low, *_ in rows], [high for _, _, _, high, *_ in rows])
    widest = min(26, max(len(row[0]) for row in rows))
    lines = []
    for label, value, low, high, mark, line in rows:
        strip = _strip(value, low, high, ends, signs, mark=mark, line=line)
        short = label if len(label) <= widest else label[: widest - 1] + "."
        lines.append(f"  {short:<{widest}}  {strip}  {value:.2f} ({low:.2f} to {high:.2f})")
    return [*lines, f"  {'':<{widest}}  {_ticks(ends)}  {run.measure.label}"]


def _ends(lows: list[float], highs: list[float]) -> tuple[float, float]:
    """Return the ends of the axis: whole powers of two around all intervals and no difference, within limits."""
    low, high = max(min(*lows, 0.5), LIMITS[0]), min(max(*highs, 2.0), LIMITS[1])
    return 2.0 ** math.floor(math.log2(low)), 2.0 ** math.ceil(math.log2(high))


def _cell(value: float, ends: tuple[float, float]) -> int:
    low, high = (math.log(end) for end in ends)
    return round((CELLS - 1) * (math.log(value) - low) / (high - low))


def _strip(
    value: float, low: float, high: float, ends: tuple[float, float], signs: dict[str, str], *, mark: str, line: str
) -> str:
    cells = [" "] * CELLS
    cells[_cell(1.0, ends)] = signs["null"]
    first, last = (_cell(min(max(x, ends[0]), ends[1]), ends) for x in (low, high))
    for place in range(first, last + 1):
        cells[place] = signs[line]
    if low < ends[0]:
        cells[0] = signs["left"]
    if high > ends[1]:
        cells[-1] = signs["right"]
    if ends[0] <= value <= ends[1] and line == "line":
        cells[_cell(value, ends)] = signs[mark]
    return "".join(cells)


def _ticks(ends: tuple[float, float]) -> str:
    """Write the powers of two below the strips, where there is room for them."""
    cells = [" "] * (CELLS + 4)
    free = 0
    power = round(math.log2(ends[0]))
    while 2.0**power <= ends[1]:
        text = f"{2.0**power:g}"
        start = max(0, _cell(2.0**power, ends) - len(text) // 2)
        if start >= free:
            cells[start : start + len(text)] = text
            free = start + len(text) + 1
        power += 1
    return "".join(cells)[: CELLS + 4].rstrip().ljust(CELLS)


def _can_show(text: str) -> bool:
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
