"""How often the intervals of the bivariate binomial model hold what they should: a table for the methods page.

Sets of trials are drawn from the model as it fits the primary question: control log odds and log odds ratios bivariate
normal with its estimates, sizes resampled from those trials. At the quartiles of the control risks observed in each set
the intervals are held against the model's expected effect, and prediction intervals against the distribution of new
effects. About four minutes on one core.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import special

if __package__ in (None, ""):  # run as a file
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.coverage_design import SEED, base
from ipsevidence import core

TRIALS = (5, 8, 12)
QUANTILES = (0.25, 0.5, 0.75)
COLUMNS = ("trials", "sets", "mean effect", "slope", "effect at a risk", "new study", "new study, normal and no doubt")


def draw(truth, sizes, k, generator):
    """Return counts of k trials that the model, with the parameters of a fit, could have had."""
    n1, n2 = sizes
    which = generator.integers(0, n1.size, k)
    gap = truth.control_variance**0.5 * generator.standard_normal(k)
    effect = truth.effect + truth.slope * gap + truth.residual_tau2**0.5 * generator.standard_normal(k)
    logit = truth.control_logit + gap
    c = generator.binomial(n2[which], special.expit(logit))
    return generator.binomial(n1[which], special.expit(logit + effect)), n1[which], c, n2[which]


def held(truth, fit, risk):
    """Return whether the interval at a risk holds the expected effect, and how much the two prediction intervals do."""
    logit = special.logit(risk)
    expected = truth.effect + truth.slope * (logit - truth.control_logit)
    found = fit.at(risk)
    ci, ahead = found.effect_ci, found.effect_prediction
    se = (ci.high - ci.low) / 2 / special.stdtrit(fit.df, 0.975)
    reach = special.ndtri(0.975) * (se**2 + fit.residual_tau2) ** 0.5
    spread = truth.residual_tau2**0.5

    def share(low, high):
        return special.ndtr((high - expected) / spread) - special.ndtr((low - expected) / spread)

    plain = share(found.effect - reach, found.effect + reach)
    return ci.low <= expected <= ci.high, share(ahead.low, ahead.high), plain


def coverage(truth, sizes, k, sets):
    """Return how many sets could be fitted, and the five coverages in percent."""
    generator = np.random.default_rng([SEED, k])
    whole, at_risks = [], []
    for _ in range(sets):
        counts = draw(truth, sizes, k, generator)
        fit = core.control_risk(*counts)
        if isinstance(fit, core.NotApplicable):
            continue
        pairs = ((fit.effect_ci, truth.effect), (fit.slope_ci, truth.slope))
        whole.append([ci.low <= value <= ci.high for ci, value in pairs])
        risks = [risk for risk in np.quantile(counts[2] / counts[3], QUANTILES) if 0 < risk < 1]
        at_risks += [held(truth, fit, risk) for risk in risks]
    return len(whole), *(100 * np.mean(whole, axis=0)), *(100 * np.mean(at_risks, axis=0))


def main():
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=400, help="sets of trials for each number of trials")
    sets = parser.parse_args().sets
    data = base()
    truth = core.control_risk(*(np.array([trial[j] for trial in data.trials], dtype=float) for j in (1, 2, 3, 4)))
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for k in TRIALS:
        fitted, *shares = coverage(truth, data.sizes, k, sets)
        print(f"| {k} | {fitted} | {' | '.join(f'{share:.0f}' for share in shares)} |", flush=True)


if __name__ == "__main__":
    main()
