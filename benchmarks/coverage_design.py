"""What is simulated: the trials of this evidence base, and the grid of cells that follows from them.

Nothing here is chosen by its result: sizes and control risks are those of the trials that enter the primary question,
effects and between-study variances are what fits to the same trials say.
"""

import dataclasses
import zlib

import numpy as np

from ipsevidence import core, load
from ipsevidence.analysis.selection import select
from ipsevidence.analysis.spec import Spec

SEED = 20_260_101
TRIALS = (2, 3, 4, 5, 8, 12, 20, 30)
QUICK_TRIALS = (2, 5, 12)
MODELS = {
    "normal": "normal log odds ratios",
    "skewed": "skewed log odds ratios (shifted exponential)",
    "control-risk": "log odds ratios that fall with the control risk",
    "risk-ratio": "normal log risk ratios, capped",
}
OWN_MEASURE = {"normal": "OR", "skewed": "OR", "control-risk": "OR", "risk-ratio": "RR"}
EFFECTS = {"none": "no effect", "data": "the effect of the data"}
VARIANCES = ("zero", "low", "middle", "high")
# skew, dependence and the other measure are departures: they are looked at where there is an effect
CELLS = {
    ("normal", "data"): VARIANCES,
    ("normal", "none"): VARIANCES,
    ("skewed", "data"): VARIANCES[1:],
    ("skewed", "none"): VARIANCES[1:],
    ("control-risk", "data"): VARIANCES[1:],
    ("risk-ratio", "data"): VARIANCES,
}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The trials that are resampled and what is fitted to them.

    Attributes
    ----------
    trials : tuple of (id, events1, n1, events2, n2)
        Two-arm counts, intervention first.
    version, digest : str
        The dataset, and the records drawn on.
    effect : dict of str to float
        Pooled log odds ratio and log risk ratio (REML).
    tau2 : dict of str to dict of str to float
        For each measure the between-study variances of the grid: 0 and, as low, middle and high, the squares of the
        2.5%, 50% and 97.5% points of the posterior of tau under a half-normal prior of scale 0.5.
    control_logit, control_sd, slope : float
        Mean and standard deviation of the true control log odds, and the slope of the log odds ratio on them, of the
        bivariate binomial model.
    """

    trials: tuple[tuple[str, int, int, int, int], ...]
    version: str
    digest: str
    effect: dict[str, float]
    tau2: dict[str, dict[str, float]]
    control_logit: float
    control_sd: float
    slope: float

    @property
    def sizes(self):
        """Participants of the first and of the second arm, each of shape (trials,)."""
        table = np.array([trial[1:] for trial in self.trials])
        return table[:, 1], table[:, 3]

    @property
    def control_risks(self):
        """Observed control risks, shape (trials,); an empty cell counts as half a person."""
        table = np.array([trial[1:] for trial in self.trials], dtype=float)
        return np.clip(table[:, 2], 0.5, table[:, 3] - 0.5) / table[:, 3]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the grid; `mean` and `tau2` are on the log scale of the model's own measure."""

    model: str
    effect: str
    variance: str
    k: int
    mean: float
    tau2: float

    @property
    def measure(self):
        """The measure on which the effects of the model are drawn."""
        return OWN_MEASURE[self.model]

    def generators(self, n):
        """Return n independent generators that depend on the name of the cell alone, not on what else is run."""
        name = f"{self.model} {self.effect} {self.variance} {self.k}"
        return [np.random.default_rng(s) for s in np.random.SeedSequence([SEED, zlib.crc32(name.encode())]).spawn(n)]


def primary_question():
    """Return the spec whose trials are resampled: any competitive job, cumulative, nearest 18 months within 12-24."""
    return Spec.model_validate(
        {
            "schema": 1,
            "id": "coverage",
            "title": "Trials that the simulation resamples",
            "purpose": "living",
            "question": {
                "population": "any",
                "intervention": "plain or adapted IPS",
                "comparator": "a service other than IPS",
                "outcome": "any competitive job within 12 to 24 months",
            },
            "studies": {"where": {}},
        }
    )


def base():
    """Return the trials of the primary question and the fits to them."""
    dataset = load()
    rows = select(primary_question(), dataset).rows
    trials = tuple(
        (row.id, *(round(x) for x in (row.counts.events1, row.counts.n1, row.counts.events2, row.counts.n2)))
        for row in rows
    )
    counts = tuple(np.array([trial[j] for trial in trials], dtype=float) for j in (1, 2, 3, 4))
    effect, tau2 = {}, {}
    for measure in ("OR", "RR"):
        y, v = core.two_by_two(measure, *counts)
        effect[measure] = core.pool(y, v, tau2="reml").estimate
        fit = core.bayes(y, v, tau_prior="half-normal", scale=0.5)
        tau = (0.0, fit.tau_ci_central.low, fit.tau_median, fit.tau_ci_central.high)
        tau2[measure] = {name: t * t for name, t in zip(VARIANCES, tau, strict=True)}
    fit = core.control_risk(*counts)
    return Base(
        trials=trials,
        version=dataset.version,
        digest=dataset.digest([row.id for row in rows]),
        effect=effect,
        tau2=tau2,
        control_logit=fit.control_logit,
        control_sd=fit.control_variance**0.5,
        slope=fit.slope,
    )


def cells(data, trials=TRIALS):
    """Return every cell of the grid.

    With dependence on the control risk, a between-study variance below what the slope alone makes cannot be: such
    a cell is left out.
    """
    found = []
    for (model, effect), variances in CELLS.items():
        measure = OWN_MEASURE[model]
        for variance in variances:
            tau2 = data.tau2[measure][variance]
            if model == "control-risk" and tau2 < (data.slope * data.control_sd) ** 2:
                continue
            mean = data.effect[measure] if effect == "data" else 0.0
            found += [Cell(model=model, effect=effect, variance=variance, k=k, mean=mean, tau2=tau2) for k in trials]
    return found
