"""Pooling of study effects: arrays in, frozen results out.

The inner ring knows NumPy and SciPy's special functions, and nothing of files, tables or trials.
Its names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsevidence.core.absolute import absolute_effect, e_value, missing_outcomes, proportion_beyond
    from ipsevidence.core.bayesian import TAU_PRIORS, bayes
    from ipsevidence.core.binomial_models import GLMM_MODELS, glmm, glmm_proportion
    from ipsevidence.core.control_risk_model import ControlRiskEffect, ControlRiskResult, control_risk
    from ipsevidence.core.correlated import correlated_regression, pool_correlated, shared_control_covariance
    from ipsevidence.core.counts import MANTEL_HAENSZEL, mantel_haenszel, peto
    from ipsevidence.core.dependence import cluster_robust, design_effect, split_control
    from ipsevidence.core.effects import (
        MEASURES,
        Measure,
        correlation,
        freeman_tukey_back,
        harmonic_mean,
        proportion,
        published_effect,
        two_by_two,
        two_means,
    )
    from ipsevidence.core.heterogeneity import q_test
    from ipsevidence.core.inputs import InputError
    from ipsevidence.core.moderators import (
        difference,
        fit_statistics,
        likelihood_ratio_test,
        meta_regression,
        permutation_test,
        predict_effects,
        subgroups,
    )
    from ipsevidence.core.permutation import permutation_interval
    from ipsevidence.core.pooling import INTERVALS, PREDICTIONS, pool, small_k_pool
    from ipsevidence.core.registry import Method, choose
    from ipsevidence.core.results import (
        AbsoluteEffect,
        BayesResult,
        CountResult,
        EValue,
        FitStatistics,
        GlmmResult,
        GoshResult,
        InfluenceResult,
        Interval,
        NotApplicable,
        PermutationResult,
        PetPeeseResult,
        PointsResult,
        PooledResult,
        PoolSettings,
        Prediction,
        ProportionBeyond,
        RegressionResult,
        Result,
        RobustResult,
        SelectionResult,
        SeriesResult,
        SmallKResult,
        SubgroupResult,
        Tau2Interval,
        TestResult,
        TrimFillResult,
    )
    from ipsevidence.core.sensitivity import baujat, cumulative, gosh, influence, leave_one_out
    from ipsevidence.core.shrinkage import ShrunkenEffects, blups
    from ipsevidence.core.small_study import (
        begg,
        egger,
        egger_mixed,
        fail_safe_n,
        harbord,
        pet_peese,
        peters,
        selection_model,
        trim_and_fill,
    )
    from ipsevidence.core.tau2 import TAU2_ESTIMATORS, TAU2_INTERVALS, estimate_tau2, tau2_interval
    from ipsevidence.core.three_level import MultilevelResult, multilevel
    from ipsevidence.core.unconditional import RandomStudiesResult

__all__ = [
    "GLMM_MODELS",
    "INTERVALS",
    "MANTEL_HAENSZEL",
    "MEASURES",
    "PREDICTIONS",
    "TAU2_ESTIMATORS",
    "TAU2_INTERVALS",
    "TAU_PRIORS",
    "AbsoluteEffect",
    "BayesResult",
    "ControlRiskEffect",
    "ControlRiskResult",
    "CountResult",
    "EValue",
    "FitStatistics",
    "GlmmResult",
    "GoshResult",
    "InfluenceResult",
    "InputError",
    "Interval",
    "Measure",
    "Method",
    "MultilevelResult",
    "NotApplicable",
    "PermutationResult",
    "PetPeeseResult",
    "PointsResult",
    "PoolSettings",
    "PooledResult",
    "Prediction",
    "ProportionBeyond",
    "RandomStudiesResult",
    "RegressionResult",
    "Result",
    "RobustResult",
    "SelectionResult",
    "SeriesResult",
    "ShrunkenEffects",
    "SmallKResult",
    "SubgroupResult",
    "Tau2Interval",
    "TestResult",
    "TrimFillResult",
    "absolute_effect",
    "baujat",
    "bayes",
    "begg",
    "blups",
    "choose",
    "cluster_robust",
    "control_risk",
    "correlated_regression",
    "correlation",
    "cumulative",
    "design_effect",
    "difference",
    "e_value",
    "egger",
    "egger_mixed",
    "estimate_tau2",
    "fail_safe_n",
    "fit_statistics",
    "freeman_tukey_back",
    "glmm",
    "glmm_proportion",
    "gosh",
    "harbord",
    "harmonic_mean",
    "influence",
    "leave_one_out",
    "likelihood_ratio_test",
    "mantel_haenszel",
    "meta_regression",
    "missing_outcomes",
    "multilevel",
    "permutation_interval",
    "permutation_test",
    "pet_peese",
    "peters",
    "peto",
    "pool",
    "pool_correlated",
    "predict_effects",
    "proportion",
    "proportion_beyond",
    "published_effect",
    "q_test",
    "selection_model",
    "shared_control_covariance",
    "small_k_pool",
    "split_control",
    "subgroups",
    "tau2_interval",
    "trim_and_fill",
    "two_by_two",
    "two_means",
]

_HOME = {
    "binomial_models": ("GLMM_MODELS", "glmm", "glmm_proportion"),
    "control_risk_model": ("ControlRiskEffect", "ControlRiskResult", "control_risk"),
    "unconditional": ("RandomStudiesResult",),
    "absolute": ("absolute_effect", "e_value", "missing_outcomes", "proportion_beyond"),
    "bayesian": ("TAU_PRIORS", "bayes"),
    "correlated": ("correlated_regression", "pool_correlated", "shared_control_covariance"),
    "counts": ("MANTEL_HAENSZEL", "mantel_haenszel", "peto"),
    "dependence": ("cluster_robust", "design_effect", "split_control"),
    "effects": (
        "MEASURES",
        "Measure",
        "correlation",
        "freeman_tukey_back",
        "harmonic_mean",
        "proportion",
        "published_effect",
        "two_by_two",
        "two_means",
    ),
    "heterogeneity": ("q_test",),
    "inputs": ("InputError",),
    "moderators": (
        "difference",
        "fit_statistics",
        "likelihood_ratio_test",
        "meta_regression",
        "permutation_test",
        "predict_effects",
        "subgroups",
    ),
    "permutation": ("permutation_interval",),
    "pooling": ("INTERVALS", "PREDICTIONS", "pool", "small_k_pool"),
    "registry": ("Method", "choose"),
    "results": (
        "GlmmResult",
        "RobustResult",
        "AbsoluteEffect",
        "ProportionBeyond",
        "EValue",
        "BayesResult",
        "SmallKResult",
        "TrimFillResult",
        "PetPeeseResult",
        "SelectionResult",
        "SeriesResult",
        "InfluenceResult",
        "PointsResult",
        "GoshResult",
        "FitStatistics",
        "RegressionResult",
        "Prediction",
        "SubgroupResult",
        "PermutationResult",
        "CountResult",
        "Interval",
        "NotApplicable",
        "PoolSettings",
        "PooledResult",
        "Result",
        "Tau2Interval",
        "TestResult",
    ),
    "sensitivity": ("baujat", "cumulative", "gosh", "influence", "leave_one_out"),
    "shrinkage": ("ShrunkenEffects", "blups"),
    "small_study": (
        "begg",
        "egger",
        "egger_mixed",
        "fail_safe_n",
        "harbord",
        "pet_peese",
        "peters",
        "selection_model",
        "trim_and_fill",
    ),
    "tau2": ("TAU2_ESTIMATORS", "TAU2_INTERVALS", "estimate_tau2", "tau2_interval"),
    "three_level": ("MultilevelResult", "multilevel"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
