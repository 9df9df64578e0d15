"""Pooling of study effects: arrays in, frozen results out.

The inner ring knows NumPy and SciPy's special functions, and nothing of files, tables or trials.
Its names are imported when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipsevidence.core.absolute import absolute_effect, e_value, missing_outcomes, proportion_beyond
    from ipsevidence.core.bayes_model import TAU_PRIORS, BayesSettings
    from ipsevidence.core.bayesian import bayes
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
        predict_effects,
        subgroups,
    )
    from ipsevidence.core.permutation import permutation_interval, permutation_test
    from ipsevidence.core.pooling import INTERVALS, PREDICTIONS, pool, small_k_pool
    from ipsevidence.core.registry import Method, choose
    from ipsevidence.core.results import (
        Interval,
        NotApplicable,
        PooledResult,
        PoolSettings,
        Result,
        Tau2Interval,
        TestResult,
    )
    from ipsevidence.core.results_of_counts import CountResult, GlmmResult, RandomStudiesResult
    from ipsevidence.core.results_of_meaning import (
        AbsoluteEffect,
        BayesResult,
        EValue,
        ProportionBeyond,
        SmallKResult,
    )
    from ipsevidence.core.results_of_moderators import (
        FitStatistics,
        PermutationResult,
        Prediction,
        RegressionResult,
        RobustResult,
        SubgroupResult,
    )
    from ipsevidence.core.results_of_sensitivity import (
        ExcessSignificance,
        GoshResult,
        InfluenceResult,
        PetPeeseResult,
        PointsResult,
        SelectionResult,
        SeriesResult,
        TrimFillResult,
    )
    from ipsevidence.core.review_manager import mantel_haenszel_random
    from ipsevidence.core.robust_to_selection import HenmiCopasResult, henmi_copas
    from ipsevidence.core.sensitivity import baujat, cumulative, influence, leave_one_out
    from ipsevidence.core.shrinkage import ShrunkenEffects, blups
    from ipsevidence.core.significance import excess_significance, fail_safe_n, selection_model
    from ipsevidence.core.small_study import begg, egger, egger_mixed, harbord, pet_peese, peters, trim_and_fill
    from ipsevidence.core.subsets import gosh, leave_d_out
    from ipsevidence.core.tau2 import TAU2_ESTIMATORS, estimate_tau2
    from ipsevidence.core.tau2_bounds import TAU2_INTERVALS, tau2_interval
    from ipsevidence.core.three_level import MultilevelResult, multilevel

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
    "BayesSettings",
    "ControlRiskEffect",
    "ControlRiskResult",
    "CountResult",
    "EValue",
    "ExcessSignificance",
    "FitStatistics",
    "GlmmResult",
    "GoshResult",
    "HenmiCopasResult",
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
    "excess_significance",
    "fail_safe_n",
    "fit_statistics",
    "freeman_tukey_back",
    "glmm",
    "glmm_proportion",
    "gosh",
    "harbord",
    "harmonic_mean",
    "henmi_copas",
    "influence",
    "leave_d_out",
    "leave_one_out",
    "likelihood_ratio_test",
    "mantel_haenszel",
    "mantel_haenszel_random",
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
    "absolute": ("absolute_effect", "e_value", "missing_outcomes", "proportion_beyond"),
    "bayes_model": ("TAU_PRIORS", "BayesSettings"),
    "bayesian": ("bayes",),
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
    "robust_to_selection": ("HenmiCopasResult", "henmi_copas"),
    "heterogeneity": ("q_test",),
    "inputs": ("InputError",),
    "moderators": (
        "difference",
        "fit_statistics",
        "likelihood_ratio_test",
        "meta_regression",
        "predict_effects",
        "subgroups",
    ),
    "permutation": ("permutation_interval", "permutation_test"),
    "pooling": ("INTERVALS", "PREDICTIONS", "pool", "small_k_pool"),
    "registry": ("Method", "choose"),
    "results": (
        "Interval",
        "NotApplicable",
        "PoolSettings",
        "PooledResult",
        "Result",
        "Tau2Interval",
        "TestResult",
    ),
    "results_of_counts": (
        "CountResult",
        "GlmmResult",
        "RandomStudiesResult",
    ),
    "results_of_meaning": (
        "AbsoluteEffect",
        "BayesResult",
        "EValue",
        "ProportionBeyond",
        "SmallKResult",
    ),
    "results_of_moderators": (
        "FitStatistics",
        "PermutationResult",
        "Prediction",
        "RegressionResult",
        "RobustResult",
        "SubgroupResult",
    ),
    "results_of_sensitivity": (
        "ExcessSignificance",
        "GoshResult",
        "InfluenceResult",
        "PetPeeseResult",
        "PointsResult",
        "SelectionResult",
        "SeriesResult",
        "TrimFillResult",
    ),
    "review_manager": ("mantel_haenszel_random",),
    "sensitivity": ("baujat", "cumulative", "influence", "leave_one_out"),
    "shrinkage": ("ShrunkenEffects", "blups"),
    "significance": ("excess_significance", "fail_safe_n", "selection_model"),
    "small_study": (
        "begg",
        "egger",
        "egger_mixed",
        "harbord",
        "pet_peese",
        "peters",
        "trim_and_fill",
    ),
    "subsets": ("gosh", "leave_d_out"),
    "tau2": ("TAU2_ESTIMATORS", "estimate_tau2"),
    "tau2_bounds": ("TAU2_INTERVALS", "tau2_interval"),
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
