"""The Baujat plot: how much each study adds to heterogeneity, and how much it moves the mean."""

from typing import TYPE_CHECKING, Final

from ipsevidence import core
from ipsevidence.figures.numbers import Numerals
from ipsevidence.figures.plot_frame import Plan, frame_for, listed, pooled, said, style_of
from ipsevidence.figures.plot_labels import Label, write_labels
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["baujat"]

HEIGHT: Final = 165.0
MARK: Final = 4.6
MOST: Final = 8
NAMED: Final = 3
"""How many studies the description names."""


def baujat(run: "AnalysisRun", *, style: str | Style = "default", wide: bool = False) -> Drawing:
    """Draw a Baujat plot.

    Parameters
    ----------
    run : AnalysisRun
        The analysis.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    wide : bool
        Whether the figure has the width of a page instead of a column.

    Returns
    -------
    Drawing
        Across: squared Pearson residual; up: squared change of the mean without the study. The studies furthest from
        the lower left corner are named, eight at most.

    Raises
    ------
    InputError
        If there are fewer than three studies.

    References
    ----------
    .. [1] Baujat B, Mahe C, Pignon JP, Hill C. Stat Med 2002;21:2641-2652. doi:10.1002/sim.1221
    """
    pooled(run)  # nothing is drawn where nothing was pooled
    look = style_of(style)
    tau2 = run.spec.model.tau2
    found = core.baujat(run.y, run.v, tau2=tau2)
    if isinstance(found, core.NotApplicable):
        raise core.InputError(found.reason, parameter="run")
    x, y = found.x.tolist(), found.y.tolist()
    sides = [
        Side(label=label, low=0.0, high=max(values) or 1.0, limits=(0.0, float("inf")), pad=8.0)
        for label, values in (("Contribution to heterogeneity", x), ("Influence on the pooled effect", y))
    ]
    far = sorted(range(len(x)), key=lambda i: -((x[i] / sides[0].high) ** 2 + (y[i] / sides[1].high) ** 2))
    notes = (
        (
            f"Across: squared residual of each study over its variance{'' if tau2 == 'common' else ' with τ²'}."
            " Up: squared change of the mean without the study, over its variance. Furthest from the corner are named."
        ),
    )
    with context():
        frame = frame_for(
            run,
            look,
            [[Plan(x=sides[0], y=sides[1], height=HEIGHT)]],
            kind="Baujat plot",
            alternative=_alternative(run, look, found, far),
            wide=wide,
            notes=notes,
        )
        panel = frame.panel()
        marks = [Label(text=row.label, x=a, y=b, radius=MARK / 2) for row, a, b in zip(run.rows, x, y, strict=True)]
        panel.dots(x, y, MARK**2, "studies", facecolor=look.palette.ink, edgecolor="white", linewidths=0.4)
        write_labels(frame, panel, [marks[i] for i in far], marks=marks, most=MOST)
    return frame.drawing


def _alternative(run: "AnalysisRun", look: Style, found: core.PointsResult, far: list[int]) -> str:
    write: Numerals = look.numerals
    named = [
        f"{run.rows[i].label} (heterogeneity {write.fixed(float(found.x[i]), 2)},"
        f" influence {write.fixed(float(found.y[i]), 2)})"
        for i in far[:NAMED]
    ]
    return (
        f"Baujat plot of {len(run.rows)} studies, {said(run, pooled(run), look)}: contribution to heterogeneity against"
        f" influence on the pooled effect. Furthest out: {listed(named)}."
    )
