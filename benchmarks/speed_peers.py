"""The same work in another Python package; run inside an environment that has it, prints one line of JSON.

Each is asked for the estimate, its Hartung-Knapp interval and what it gives beside them by default.
"""

import json
import sys
import warnings
from importlib.metadata import version

from speed_data import (
    FIT,
    GOSH_ALL,
    GOSH_DRAWN,
    INFLUENCE,
    PERMUTATION,
    PM,
    SIZES,
    measured,
    once,
    studies,
)

FEW = 10  # runs


def pymare(quick):
    """Likelihood with its Q-profile interval and the test of the mean; the test of Knapp and Hartung by default."""
    from pymare import Dataset
    from pymare.estimators import VarianceBasedLikelihoodEstimator

    def fitted(*data):
        estimator = VarianceBasedLikelihoodEstimator(method="REML")
        return estimator.fit_dataset(Dataset(*data)).summary()

    def fit(y, v):
        found = fitted(y, v)
        return found.get_fe_stats(), found.get_re_stats()

    for k in SIZES:
        y, v, _ = studies(k)
        yield FIT[k], measured(lambda y=y, v=v: fit(y, v), FEW)
    y, v, x = studies(20)
    found = fitted(y, v, x)
    yield PERMUTATION, measured(lambda: found.permutation_test(100 if quick else 1000), FEW)


def pymetaanalysis(_quick):
    """One fit, and each study left out."""
    import meta_analyze

    def fit(y, v):
        return meta_analyze.meta_analysis(effect=y, variance=v, tau2_method="REML", ci_method="hartung_knapp")

    for k in SIZES:
        y, v, _ = studies(k)
        yield FIT[k], measured(lambda y=y, v=v: fit(y, v), FEW)


def pimeta(quick):
    """A port of metafor; its matrices of k x k do not fit for 10,000 studies."""
    import pimeta

    def fit(y, v, **settings):
        return pimeta.rma(y, v, method="REML", test="knha", **settings)

    for k in SIZES[:2]:
        y, v, _ = studies(k)
        yield FIT[k], measured(lambda y=y, v=v: fit(y, v), FEW)
    y, v, x = studies(20)
    moderated = fit(y, v, mods=x)
    yield PERMUTATION, measured(lambda: pimeta.permutest(moderated, iter=100 if quick else 1000, seed=1), 2)
    yield INFLUENCE, measured(lambda: (pimeta.leave1out(y, v), pimeta.influence(y, v)), FEW)
    if not quick:
        small = studies(13)
        yield GOSH_ALL, once(lambda: pimeta.gosh(small[0], small[1]))
        yield GOSH_DRAWN, once(lambda: pimeta.gosh(y, v, subsets=10_000, seed=1))


def statsmodels(_quick):
    """The estimator of Paule and Mandel, mean and Hartung-Knapp interval: no I2, test or prediction interval."""
    from statsmodels.stats.meta_analysis import combine_effects

    for k in SIZES:
        y, v, _ = studies(k)
        yield PM[k], measured(lambda y=y, v=v: combine_effects(y, v, method_re="iterated", use_t=True), 101)


PEERS = {"PyMARE": pymare, "PyMetaAnalysis": pymetaanalysis, "pimeta": pimeta, "statsmodels": statsmodels}


def main():
    name, quick = sys.argv[1], sys.argv[2] == "quick"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        times = dict(PEERS[name](quick))
    print(json.dumps({"version": version(name), "times": times}))


if __name__ == "__main__":
    main()
