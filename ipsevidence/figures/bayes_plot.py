"""The Bayesian estimate: prior and posterior of the mean and of tau, and the studies drawn towards the mean."""

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ipsevidence import core
from ipsevidence.figures.forest_axis import Axis, Span, reach
from ipsevidence.figures.forest_scale import Scale
from ipsevidence.figures.lettering import clean
from ipsevidence.figures.numbers import NO_BREAK
from ipsevidence.figures.plot_frame import HAIR, LINE, SHADES, Frame, Key, Panel, Plan, enough, frame_for, style_of
from ipsevidence.figures.plot_side import Side, effect_side, numerals_of
from ipsevidence.figures.saving import Drawing
from ipsevidence.figures.style import Style, context

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["SCALE", "bayes"]

SCALE: Final = 0.5
"""Scale of the prior of tau for logarithms of ratios and for standardised differences."""

DENSITY: Final = 95.0
ROW: Final = 12.5
TIGHT: Final = 10.0
MANY: Final = 25
POINTS: Final = 121
LEFT: Final = 4
RIGHT: Final = 5
"""matplotlib's arrow heads that have their tip where they stand."""


def bayes(
    run: "AnalysisRun",
    *,
    style: str | Style = "default",
    tau_prior: str = "half-normal",
    scale: float | None = None,
    mu_sd: float | None = None,
) -> Drawing:
    """Draw the Bayesian random-effects estimate of an analysis.

    Parameters
    ----------
    run : AnalysisRun
        The analysis; its effects, variances and level are used, not its estimator.
    style : str or Style
        Key of `STYLES`, or a style of one's own.
    tau_prior : str
        Key of `core.TAU_PRIORS`.
    scale : float, optional
        Scale of that prior: 0.5 for ratios and standardised differences; for others it has to be given.
    mu_sd : float, optional
        Standard deviation of a normal prior of the mean around no effect; flat without it.

    Returns
    -------
    Drawing

    Raises
    ------
    InputError
        If there are fewer than two studies, the scale has to be given, or the model does not apply.

    References
    ----------
    .. [1] Röver C. J Stat Softw 2020;93(6):1-51. doi:10.18637/jss.v093.i06
    """
    enough(run, 2, "a Bayesian estimate")
    look = style_of(style)
    scale = _scale(run) if scale is None else scale
    level = float(run.spec.model.level)
    found = core.bayes(run.y, run.v, tau_prior=tau_prior, scale=scale, mu_sd=mu_sd, level=level)
    if isinstance(found, core.NotApplicable):
        raise core.InputError(found.reason, parameter="run")
    tau = None if tau_prior == "flat" else (tau_prior, scale)
    with context():
        frame = frame_for(
            run,
            look,
            _plans(run, look, found),
            kind="Bayesian estimate",
            alternative=_alternative(run, look, found),
            wide=True,
            key=_key(look, found, prior=tau is not None or mu_sd is not None),
            notes=(_note(run, look, found),),
        )
        _mean_density(frame, run, found, mu_sd)
        _tau_density(frame, found, tau)
        _studies(frame, run, found)
    return frame.drawing


def _scale(run: "AnalysisRun") -> float:
    """Return the usual scale of the prior of tau, where there is one."""
    if Scale(run.measure).ratio or run.measure.key == "SMD":
        return SCALE
    rule = f"scale of the prior must be given for a {run.measure.label}: {SCALE} is for logarithms of ratios"
    raise core.InputError(rule, parameter="scale")


def _plans(run: "AnalysisRun", look: Style, found: core.BayesResult) -> list[list[Plan]]:
    """Return two densities side by side, and the studies below."""
    blank = Side(label="", axis=Axis(low=0.0, high=1.08, ticks=(), labels=()))
    spread = 0.7 * (found.ci_central.high - found.ci_central.low)
    mean = effect_side(run, look, [found.ci_central.low - spread, found.ci_central.high + spread], null=False, pad=2.0)
    top = max(1.35 * found.tau_ci.high, 1e-6)
    tau = Side(label="τ", low=0.0, high=top, limits=(0.0, math.inf), pad=2.0)
    labels = (*(clean(row.label, most=60) for row in run.rows), "Mean", "New study")
    count = len(labels)
    names = Axis(low=0.3, high=count + 0.7, ticks=tuple(range(1, count + 1)), labels=labels)
    spans = [
        Span(estimate=y, low=low, high=high, weight=1 / v)
        for y, v, (low, high) in zip(run.y, run.v, run.intervals, strict=True)
    ]
    end = Span(estimate=found.median, low=found.prediction.low, high=found.prediction.high, pooled=True)
    null = math.nan if Scale(run.measure).transformed else Scale(run.measure).null
    across = effect_side(run, look, reach([*spans, end], null=null), null=False)
    return [
        [
            Plan(key="mean", x=mean, y=blank, height=DENSITY, heading="Mean effect", bare=True, right=22.0),
            Plan(key="tau", x=tau, y=blank, height=DENSITY, heading="Standard deviation between studies", bare=True),
        ],
        [
            Plan(
                key="effects",
                x=across,
                y=Side(label="", axis=names, flipped=True, names=True),
                height=(count + 0.4) * (ROW if count <= MANY else TIGHT),
            )
        ],
    ]


def _key(look: Style, found: core.BayesResult, *, prior: bool) -> tuple[Key, ...]:
    level = look.numerals.level(found.ci.level)
    keys = [Key(text=f"posterior, with its {level}{NO_BREAK}interval", color=look.palette.accent_light)]
    if prior:
        keys.append(Key(text="prior", color=look.palette.ink, kind="line", dashes=(4.0, 3.0)))
    keys.append(Key(text="study as observed", color=look.palette.quiet, kind="ring"))
    return (*keys, Key(text="drawn towards the mean", color=look.palette.accent, kind="dot"))


def _mean_density(frame: Frame, run: "AnalysisRun", found: core.BayesResult, mu_sd: float | None) -> None:
    panel, look = frame.panel("mean"), frame.style
    x = np.linspace(panel.x.low, panel.x.high, POINTS)
    density = found.density(x)
    top = float(density.max())
    inner = np.linspace(found.ci.low, found.ci.high, POINTS)
    _posterior(panel, x, density / top, inner, found.density(inner) / top, look)
    if mu_sd is not None:
        prior = np.exp(-0.5 * (x / mu_sd) ** 2) / (mu_sd * math.sqrt(2 * math.pi))
        panel.line(x, np.minimum(prior / top, 1.08), "mean-prior", color=look.palette.ink, dashes=(4.0, 3.0))
    null = Scale(run.measure).null
    if panel.x.low <= null <= panel.x.high:
        panel.line([null] * 2, [0.0, 1.08], "no-effect", color=look.palette.ink)


def _tau_density(frame: Frame, found: core.BayesResult, prior: tuple[str, float] | None) -> None:
    panel, look = frame.panel("tau"), frame.style
    x = np.linspace(0.0, panel.x.high, POINTS)
    density = found.tau_density(x)
    top = float(density.max())
    before = None
    if prior is not None:
        with np.errstate(divide="ignore"):
            before = np.exp(core.TAU_PRIORS[prior[0]].function(x, prior[1], 4.0))
        top = max(top, min(float(before.max()), 1.5 * top))
    inner = np.linspace(found.tau_ci.low, found.tau_ci.high, POINTS)
    _posterior(panel, x, density / top, inner, found.tau_density(inner) / top, look)
    if before is not None:
        panel.line(x, before / top, "tau-prior", color=look.palette.ink, dashes=(4.0, 3.0))


def _posterior(panel: Panel, x: Any, y: Any, inner_x: Any, inner_y: Any, look: Style) -> None:
    panel.band(inner_x, np.zeros_like(inner_x), inner_y, f"{panel.key}-interval", look.palette.accent_light)
    panel.line(x, y, f"{panel.key}-posterior", color=look.palette.accent, linewidth=LINE, zorder=2.5)


def _studies(frame: Frame, run: "AnalysisRun", found: core.BayesResult) -> None:
    """Draw each study as observed, above, and as shrunk, below; the mean and a new study at the end."""
    panel, look = frame.panel(), frame.style
    k = len(run.rows)
    above, below = 0.17, 0.2
    null = Scale(run.measure).null
    if panel.x.low <= null <= panel.x.high:
        panel.line([null] * 2, [0.3, k + 2.7], "studies-no-effect", color=look.palette.ink, zorder=1.0)
    panel.line(
        [found.median] * 2, [0.3, k + 2.7], "studies-mean", color=look.palette.accent, dashes=(4.0, 3.0), zorder=1.0
    )
    panel.line([panel.x.low, panel.x.high], [k + 0.5] * 2, "studies-rule", color=SHADES[2], zorder=0.5)
    raw, own = [], []
    shrunk = zip(run.y, run.intervals, found.shrunk, found.shrunk_low, found.shrunk_high, strict=True)
    for row, (y, (low, high), drawn, drawn_low, drawn_high) in enumerate(shrunk, start=1):
        _interval(panel, row - above, low, high, f"raw-{row}", look.palette.quiet, HAIR)
        _interval(panel, row + below, drawn_low, drawn_high, f"shrunk-{row}", look.palette.accent, LINE)
        raw += [(y, row - above)] if panel.holds(y, row) else []
        own.append((float(drawn), row + below))
    for points, key, size, fill, edge in (
        (raw, "raw", 15.0, "white", look.palette.quiet),
        (own, "shrunk", 14.0, look.palette.accent, look.palette.accent),
    ):
        if points:
            across, down = zip(*points, strict=True)
            panel.dots(across, down, size, key, facecolor=fill, edgecolor=edge, linewidths=0.8, zorder=4.0)
    _interval(panel, k + 1, found.ci.low, found.ci.high, "pooled", look.palette.accent, LINE)
    panel.dots([found.median], [k + 1], 26.0, "pooled", marker="D", color=look.palette.accent, linewidths=0.0)
    _interval(panel, k + 2, found.prediction.low, found.prediction.high, "prediction", look.palette.accent, 2.0 * LINE)


def _interval(panel: Panel, row: float, low: float, high: float, key: str, colour: str, line: float) -> None:
    """Draw an interval, with an arrow where it goes on beyond the panel."""
    start, end = max(float(low), panel.x.low), min(float(high), panel.x.high)
    if start < end:
        panel.line([start, end], [row, row], f"{key}-interval", color=colour, linewidth=line, zorder=3.0)
    for beyond, at, marker, side in (
        (low < panel.x.low, panel.x.low, LEFT, "low"),
        (high > panel.x.high, panel.x.high, RIGHT, "high"),
    ):
        if beyond:
            panel.dots([at], [row], 14.0, f"{key}-arrow-{side}", marker=marker, color=colour, linewidths=0.0)


def _note(run: "AnalysisRun", look: Style, found: core.BayesResult) -> str:
    write = numerals_of(run, look)
    level = write.level(found.ci.level)
    mean, tau = found.ci, found.tau_ci
    shown = [run.shown(value) for value in (found.median, mean.low, mean.high)]
    ahead = [run.shown(value) for value in (found.prediction.low, found.prediction.high)]
    spread = f"τ {write.fixed(found.tau_median, 2)} ({write.fixed(tau.low, 2)}–{write.fixed(tau.high, 2)})"
    return (
        f"Prior: {found.prior.replace('tau', 'τ')}. Posterior medians and shortest {level} intervals:"
        f" {run.measure.label} {write.effect(shown[0])} ({write.range(*shown[1:])}), {spread}. In a new study,"
        f" central {level}: {write.range(*ahead)}."
    )


def _alternative(run: "AnalysisRun", look: Style, found: core.BayesResult) -> str:
    write = numerals_of(run, look)
    rows = [
        f"{row.label} {write.effect(run.shown(y))}, drawn to {write.effect(run.shown(float(own)))}"
        for row, y, own in zip(run.rows, run.y, found.shrunk, strict=True)
    ]
    return f"Bayesian estimate from {len(run.rows)} studies. {_note(run, look, found)} {'; '.join(rows)}."
