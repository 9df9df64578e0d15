"""Figures of the coverage simulation: one panel for each between-study variance, one line for each method."""

import dataclasses
import math
from pathlib import Path

from benchmarks.coverage_design import VARIANCES
from benchmarks.coverage_page import MEAN_METHODS, PREDICTION_METHODS, Found
from benchmarks.panels import PALETTE, SIZE, finish
from ipsevidence.figures.saving import Drawing, save
from ipsevidence.figures.style import STYLES, context, font

FOLDER = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = STYLES["default"].width, 190.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a method is drawn: never by colour alone."""

    colour: str
    width: float
    dashes: tuple[float, ...] = ()
    marker: str = ""


MEAN_LOOKS = {
    "Wald": Look(colour=PALETTE.square, width=1.3, marker="s"),
    "HKSJ": Look(colour=PALETTE.accent, width=1.8, marker="o"),
    "ad hoc": Look(colour=PALETTE.ink, width=1.0, dashes=(3.0, 1.5)),
    "Bayes": Look(colour=PALETTE.quiet, width=1.0, dashes=(1.0, 1.2), marker="^"),
}
PREDICTION_LOOKS = {
    "normal, Wald": Look(colour=PALETTE.square, width=1.3, marker="s"),
    "t(k−2), Wald": Look(colour=PALETTE.ink, width=1.0, dashes=(3.0, 1.5)),
    "t(k−1), HKSJ": Look(colour=PALETTE.accent, width=1.8, marker="o"),
    "Bayes": Look(colour=PALETTE.quiet, width=1.0, dashes=(1.0, 1.2), marker="^"),
    "bootstrap": Look(colour=PALETTE.ink, width=1.0, marker="D"),
}
BOOTSTRAP = ("none", "bootstrap", "bootstrap")


def draw_figures(results, folder=FOLDER):
    """Write the three figures as PNG and SVG; return the files."""
    found = Found(results)
    found.lines |= {key: line for key, line in Found(results, single=True).lines.items() if key[5:] == BOOTSTRAP}
    new = {**PREDICTION_METHODS, "bootstrap": BOOTSTRAP}
    made = {
        "coverage-mean": _figure(found, _coverage, MEAN_METHODS, MEAN_LOOKS, _MEAN),
        "coverage-width": _figure(found, _width, MEAN_METHODS, MEAN_LOOKS, _WIDTH),
        "coverage-new-trial": _figure(found, _coverage, new, PREDICTION_LOOKS, _NEW),
    }
    return [save(figure, folder / f"{name}.{form}") for name, figure in made.items() for form in ("png", "svg")]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Words and axis of a figure.

    Attributes
    ----------
    axis : str
        What the vertical axis shows.
    low, high : float
        Its ends; what lies beyond is not drawn, and the caption says so.
    ticks : tuple of float
        Its ticks.
    labels : dict of str to (int, int, float)
        For each method the panel in which it is named, the number of trials and the height at which the name starts.
    """

    title: str
    axis: str
    low: float
    high: float
    ticks: tuple[float, ...]
    labels: dict[str, tuple[int, float, float]]
    nominal: bool = True


_MEAN = Frame(
    title="Coverage of 95% intervals of the pooled log odds ratio, by number of trials",
    axis="coverage (%)",
    low=75,
    high=100.6,
    ticks=(75, 80, 85, 90, 95, 100),
    labels={"ad hoc": (2, 4.6, 98), "HKSJ": (0, 8, 92.9), "Bayes": (1, 2.1, 95.9), "Wald": (2, 4.4, 86.6)},
)
_WIDTH = Frame(
    title="Median width of 95% intervals of the pooled log odds ratio, by number of trials",
    axis="median width (log odds ratio)",
    low=math.log(0.2),
    high=math.log(16),
    ticks=(0.25, 0.5, 1, 2, 4, 8, 16),
    labels={"ad hoc": (0, 2.5, 6.2), "HKSJ": (3, 2.9, 6.4), "Bayes": (3, 2.2, 1.35), "Wald": (0, 2.1, 0.8)},
    nominal=False,
)
_NEW = Frame(
    title="Probability that a 95% prediction interval holds the true effect of a new trial, by number of trials",
    axis="coverage (%)",
    low=68,
    high=100.6,
    ticks=(70, 75, 80, 85, 90, 95, 100),
    labels={
        "t(k−2), Wald": (3, 3.6, 97.6),
        "t(k−1), HKSJ": (2, 2.05, 82.4),
        "Bayes": (1, 8.6, 97.2),
        "normal, Wald": (2, 5.4, 77.4),
        "bootstrap": (1, 9, 89.0),
    },
)


def _coverage(line):
    return 100 * line.coverage, 100 * 1.96 * line.coverage_se


def _width(line):
    return math.log(line.width), 0.0


def _figure(found, value, methods, looks, frame):
    """Return one figure: four panels that share their axes."""
    with context():
        figure = Drawing(
            width=WIDTH, height=HEIGHT, title=frame.title, alternative=_words(found, methods, looks, frame)
        )
        panels = figure.subplots(1, len(VARIANCES), sharex=True, sharey=True)
        figure.subplots_adjust(left=0.075, right=0.995, bottom=0.17, top=0.9, wspace=0.07)
        for panel, variance in zip(panels, VARIANCES, strict=True):
            _panel(panel, found, variance, value, methods, looks, frame)
        for name, (where, k, height) in frame.labels.items():
            at = height if frame.nominal else math.log(height)
            panels[where].text(k, at, name, fontproperties=font(SIZE, bold=name == "HKSJ"), color=_ink(looks[name]))
        _axes(panels, found, frame)
    return figure


def _ink(look):
    """Return the colour of a method's name: greys that do for a line are too light for letters."""
    return look.colour if look.colour == PALETTE.accent else PALETTE.ink


def _panel(panel, found, variance, value, methods, looks, frame):
    panel.set_title(f"τ² = {found.tau2(variance):.2f}", fontproperties=font(SIZE), loc="left", color=PALETTE.ink, pad=4)
    if frame.nominal:
        panel.axhline(95, color=PALETTE.ink, linewidth=0.6, zorder=1)
    for name, look in looks.items():
        lines = [found.line(("normal", "data", variance, k), methods[name]) for k in found.trials]
        points = [(line.k, *value(line)) for line in lines if line is not None and not math.isnan(line.coverage)]
        k, middle, reach = zip(*points, strict=True)
        ends = ([m + sign * r for m, r in zip(middle, reach, strict=True)] for sign in (-1, 1))
        panel.fill_between(k, *ends, color=look.colour, alpha=0.25, linewidth=0, zorder=2)
        panel.plot(
            k,
            middle,
            color=look.colour,
            linewidth=look.width,
            linestyle=(0, look.dashes) if look.dashes else "-",
            marker=look.marker,
            markersize=3,
            zorder=4 if look.colour == PALETTE.accent else 3,
        )


def _axes(panels, found, frame):
    for panel in panels:
        panel.set_xscale("log")
        panel.set_xlim(found.trials[0] * 0.88, found.trials[-1] * 1.14)
        panel.set_xticks(found.trials, [str(k) for k in found.trials])
        panel.minorticks_off()
        panel.set_ylim(frame.low, frame.high)
        ticks = [t if frame.nominal else math.log(t) for t in frame.ticks]
        panel.set_yticks(ticks, [f"{t:g}" for t in frame.ticks])
        finish(panel, "trials")
    panels[0].set_ylabel(frame.axis, fontproperties=font(SIZE), color=PALETTE.ink, labelpad=3)


def _words(found, methods, looks, frame):
    """Return what the figure shows, in words and numbers, for those who do not see it."""
    said = [f"{frame.title}; four panels by between-study variance."]
    for variance in VARIANCES:
        parts = []
        for name in looks:
            ends = [found.line(("normal", "data", variance, k), methods[name]) for k in (5, 12)]
            parts.append(f"{name} {', '.join(_said(line, frame) for line in ends)}")
        said.append(f"tau2 {found.tau2(variance):.2f}, with 5 and 12 trials: {'; '.join(parts)}.")
    return " ".join(said)


def _said(line, frame):
    return f"{100 * line.coverage:.1f}%" if frame.nominal else f"{line.width:.2f}"
