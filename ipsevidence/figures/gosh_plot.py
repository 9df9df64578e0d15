"""The GOSH plot: the mean and I2 of every selection of the studies."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.colors import to_rgb

from ipsevidence import core
from ipsevidence.core.repeating import Mapper, Progress
from ipsevidence.core.subsets import ALL_SUBSETS
from ipsevidence.figures.forest_axis import Axis
from ipsevidence.figures.lettering import clean, sentence
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import Key, Panel, Plan, enough, frame_for, pooled, said, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["gosh"]

LEAST: Final = 3
HEIGHT: Final = 185.0
CELL: Final = 1.6
"""Side of a cell of the density, in points."""

BINS: Final = 60
TICKS: Final = (0.0, 25.0, 50.0, 75.0, 100.0)
FLOOR: Final = 106.0
TOP: Final = 135.0
"""Where the distribution of the means stands above the density, in units of I2."""

LIGHTEST: Final = (0.22, 1.0)
"""Share of its colour that the emptiest and the fullest cell has."""

PALE: Final = "#a3a3a3"
"""Colour of the fullest cells without the study: lighter than the accent, in grey print too."""

APART: Final = (2.5, 1.2)
"""Dashes of the outline of the selections without the study."""


def gosh(
    run: "AnalysisRun",
    *,
    style: str | Style = "default",
    study: str | None = None,
    subsets: int | None = None,
    seed: int = 1,
    wide: bool = False,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> Drawing:
    """Draw a GOSH plot: graphical display of study heterogeneity.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; its estimator of tau2 is used.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    study : str, optional
        Id or label of a study: selections with it and without it are told apart.
    subsets : int, optional
        How many selections to draw, or all if there are no more; by default all up to 20 studies, then 100,000.
    seed : int
        Of the draws, where not all are taken.
    wide : bool
        Whether the figure has the width of a page instead of a column.
    mapper, progress : callable
        As in `ipsevidence.core.gosh`.

    Returns
    -------
    Drawing
        Darker cells hold more selections. The curve above is the distribution of the means.

    Raises
    ------
    InputError
        If there are fewer than three studies, no such study, or the estimator has no vectorised form.
    KeyboardInterrupt
        On Ctrl-C, unless selections are drawn at random: then the figure is of those that were complete.

    References
    ----------
    .. [1] Olkin I, Dahabreh IJ, Trikalinos TA. Res Synth Methods 2012;3:214-223. doi:10.1002/jrsm.1053
    """
    enough(run, LEAST, "a GOSH plot")
    fit, look = pooled(run), style_of(style)
    member = None if study is None else _member(run, study)
    found = _fitted(run, subsets, seed, mapper, progress)
    parts = [np.ones(found.estimate.size, dtype=bool)] if member is None else _parts(found, member)
    upright = Axis(low=-4.0, high=TOP + 2.0, ticks=TICKS, labels=tuple(f"{tick:g}" for tick in TICKS))
    across = effect_side(run, look, [float(found.estimate.min()), float(found.estimate.max())], null=False)
    colours = (look.palette.ink,) if member is None else (look.palette.accent, look.palette.quiet)
    with context():
        frame = frame_for(
            run,
            look,
            [[Plan(x=across, y=Side(label="", axis=upright), height=HEIGHT)]],
            kind="GOSH plot",
            alternative=_alternative(run, look, found, member),
            wide=wide,
            key=() if member is None else _key(run, colours, member),
            notes=(_note(run, look, found),),
        )
        panel = frame.panel()
        panel.axes.spines["left"].set_bounds(upright.low, 100.0)
        frame.write("I², %", look.margin, panel.place(panel.x.low, 100.0)[1] - look.small, "effects-y")
        _density(panel, found, parts, colours)
        for index, (part, colour) in enumerate(zip(parts, colours, strict=True)):
            x, y = _outline(panel, found.estimate[part])
            panel.line(x, y, f"means-{index}", color=colour, linewidth=0.8, **({"dashes": APART} if index else {}))
        panel.line([fit.estimate] * 2, [upright.low, TOP], "mean", color=look.palette.accent, dashes=(4.0, 3.0))
    return frame.drawing


def _fitted(
    run: "AnalysisRun", subsets: int | None, seed: int, mapper: Mapper, progress: Progress | None
) -> core.GoshResult:
    wanted = "auto" if subsets is None else subsets
    tau2 = run.spec.model.tau2
    found = core.gosh(run.y, run.v, tau2=tau2, subsets=wanted, seed=seed, mapper=mapper, progress=progress)
    every = 2 ** len(run.rows) - 1
    at_random = len(run.rows) > ALL_SUBSETS if subsets is None else subsets < every
    if found.notes and not at_random:
        raise KeyboardInterrupt  # the first of all selections are those of the first studies
    return found


def _member(run: "AnalysisRun", study: str) -> int:
    """Return the position of a study by its id or its label."""
    for index, row in enumerate(run.rows):
        if study in (row.id, row.label):
            return index
    known = ", ".join(row.label for row in run.rows[:40])
    raise core.InputError(f"study must be the id or the label of one of: {known}; got {study!r}", parameter="study")


def _parts(found: core.GoshResult, member: int) -> list[Any]:
    inside = found.holds(member)
    return [inside, ~inside]


def _density(panel: Panel, found: core.GoshResult, parts: list[Any], colours: tuple[str, ...]) -> None:
    """Draw how many selections lie in each cell: the more, the darker; the colour is that of the greater part."""
    ends = (panel.y.low, 100.0 + 4.0)
    high = panel.height * (ends[1] - ends[0]) / (panel.y.high - panel.y.low)
    cells = (round(high / CELL), round(panel.width / CELL))
    box = (ends, (panel.x.low, panel.x.high))
    counts = [np.histogram2d(found.i2[part], found.estimate[part], bins=cells, range=box)[0] for part in parts]
    # what each part has in a cell counts as a share of the part, which may be small in random selections
    shares = np.array([count / max(1.0, count.sum()) for count in counts])
    total = np.sum(counts, axis=0)
    depth = np.log1p(total) / np.log1p(total.max())
    image = np.ones((*cells, 3))
    for index, colour in enumerate(colours):
        here = (total > 0) & (shares.argmax(axis=0) == index)
        darkest = np.array(to_rgb(colour if index == 0 else PALE))
        ramp = LIGHTEST[0] + (LIGHTEST[1] - LIGHTEST[0]) * depth[here, None]
        image[here] = 1.0 - ramp * (1.0 - darkest)
    panel.axes.imshow(
        image,
        extent=(*box[1], *ends),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        zorder=1.0,
        gid="density",
    )


def _outline(panel: Panel, estimates: Any) -> tuple[list[float], list[float]]:
    """Return the distribution of the means as a stepped line above the panel."""
    counts, edges = np.histogram(estimates, bins=BINS, range=(panel.x.low, panel.x.high))
    height = FLOOR + (TOP - FLOOR) * counts / max(1, counts.max())
    x, y = np.repeat(edges, 2), np.concatenate([[FLOOR], np.repeat(height, 2), [FLOOR]])
    return x.tolist(), y.tolist()


def _key(run: "AnalysisRun", colours: tuple[str, ...], member: int) -> tuple[Key, ...]:
    label = clean(run.rows[member].label, most=40)
    return (
        Key(text=f"with {label}", color=colours[0], kind="line"),
        Key(text="without", color=colours[1], kind="line", dashes=APART),
    )


def _note(run: "AnalysisRun", look: Style, found: core.GoshResult) -> str:
    count = f"{found.estimate.size:,}".replace(",", NO_BREAK)
    which = f"all {count} selections" if found.exhaustive else f"{count} selections drawn at random"
    return (
        f"{sentence(which).rstrip('.')} of the {len(run.rows)} studies: the darker, the more. Above: distribution of"
        f" their means. Dashed: {said(run, pooled(run), look)}."
    )


def _alternative(run: "AnalysisRun", look: Style, found: core.GoshResult, member: int | None) -> str:
    write = numerals_of(run, look)

    def spread(part: Any) -> str:
        low, middle, high = (run.shown(float(q)) for q in np.quantile(found.estimate[part], (0.0, 0.5, 1.0)))
        i2 = write.percent(float(np.median(found.i2[part])))
        return f"median {write.effect(middle)}, from {write.effect(low)} to {write.effect(high)}; median I² {i2}"

    said_of = f"GOSH plot: {_note(run, look, found)} Means: {spread(slice(None))}."
    if member is not None:
        inside, outside = _parts(found, member)
        label = run.rows[member].label
        said_of += f" With {label}: {spread(inside)}. Without it: {spread(outside)}."
    return said_of
