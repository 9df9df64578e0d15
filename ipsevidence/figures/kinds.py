"""The kinds of figures: what each shows, what it takes, which options it has. Drawing loads what it needs."""

import dataclasses
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["FIGURES", "Kind"]

Parser = Callable[[str], Any]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of figure.

    Attributes
    ----------
    key, label : str
        What a caller writes, and what menus show.
    shows : str
        What it is for, in a sentence.
    function : callable
        Draws it from an analysis and the dataset, of which it may need only one.
    needs : frozenset of {'run', 'dataset'}
        What it cannot do without.
    options : mapping of str to callable
        Options beyond ``style``, and how each is read from text.
    repeats : bool
        Whether it fits so often that it takes ``mapper`` and ``progress``, as `ipsevidence.core.gosh` does.
    """

    key: str
    label: str
    shows: str
    function: "Callable[..., Figure]"
    needs: frozenset[str] = frozenset({"run"})
    options: Mapping[str, Parser] = dataclasses.field(default_factory=lambda: MappingProxyType({}))
    repeats: bool = False


def _flag(text: str) -> bool:
    if text.lower() not in ("yes", "no", "true", "false"):
        raise ValueError("yes or no")
    return text.lower() in ("yes", "true")


def _two(text: str) -> tuple[str, str]:
    first, _, second = text.partition(",")
    if not first.strip() or not second.strip():
        raise ValueError('two texts with a comma between, such as "IPS,usual care"')
    return first.strip(), second.strip()


def _several(text: str) -> tuple[str, ...]:
    found = tuple(part.strip() for part in text.split(",") if part.strip())
    if not found:
        raise ValueError("names with commas between")
    return found


def _number(text: str) -> float:
    return float(text)


def _whole(text: str) -> int:
    return int(text)


def _of_run(module: str, name: str) -> "Callable[..., Figure]":
    """Return what draws from an analysis alone."""

    def draw(run: "AnalysisRun", dataset: "Dataset | None", **options: Any) -> "Figure":
        del dataset
        found: Figure = getattr(import_module(f"ipsevidence.figures.{module}"), name)(run, **options)
        return found

    return draw


def _of_both(module: str, name: str) -> "Callable[..., Figure]":
    """Return what draws from an analysis and its records."""

    def draw(run: "AnalysisRun", dataset: "Dataset", **options: Any) -> "Figure":
        found: Figure = getattr(import_module(f"ipsevidence.figures.{module}"), name)(run, dataset, **options)
        return found

    return draw


def _of_dataset(module: str, name: str) -> "Callable[..., Figure]":
    """Return what draws from the records alone."""

    def draw(run: "AnalysisRun | None", dataset: "Dataset", **options: Any) -> "Figure":
        del run
        found: Figure = getattr(import_module(f"ipsevidence.figures.{module}"), name)(dataset, **options)
        return found

    return draw


def _card(run: "AnalysisRun", dataset: "Dataset | None", **options: Any) -> "Figure":
    from ipsevidence.figures.card_plot import card

    return card(run, dataset=dataset, **options)


def _readings(run: "AnalysisRun", dataset: "Dataset", **options: Any) -> "Figure":
    from ipsevidence.analysis.readings import range_over_readings
    from ipsevidence.figures.readings_plot import readings_range

    return readings_range(run, range_over_readings(run, dataset), **options)


def _specification(run: "AnalysisRun", dataset: "Dataset", *, of: str = "estimator", **options: Any) -> "Figure":
    from ipsevidence.analysis.multiverse import estimator_choices, question_choices
    from ipsevidence.core import InputError, NotApplicable
    from ipsevidence.figures.specification_plot import specification

    if of not in ("estimator", "question"):
        raise InputError(f"of must be estimator or question; got {of!r}", parameter="of")
    choices = estimator_choices(run) if of == "estimator" else question_choices(run.spec, dataset)
    if isinstance(choices, NotApplicable):
        raise InputError(f"nothing can be drawn: {choices.reason}", parameter="run")
    return specification(run, choices, **options)


def _strip(run: "AnalysisRun | None", dataset: "Dataset", **options: Any) -> "Figure":
    from ipsevidence.analysis.service_rates import service_rates
    from ipsevidence.figures.strip_plot import service_strip

    del run
    return service_strip(service_rates(dataset), **options)


def _rob(run: "AnalysisRun", dataset: "Dataset", **options: Any) -> "Figure":
    from ipsevidence.figures.rob_plot import judgements_of, risk_of_bias

    return risk_of_bias(judgements_of(dataset, run), **options)


def _flow(run: "AnalysisRun | None", dataset: "Dataset", **options: Any) -> "Figure":
    from ipsevidence.figures.flow_plot import flow_of

    del run, options
    return flow_of(dataset)


_RUN: Final = frozenset({"run"})
_DATASET: Final = frozenset({"dataset"})
_BOTH: Final = _RUN | _DATASET
_WIDE: Final[Mapping[str, Parser]] = MappingProxyType({"wide": _flag})
_LAID_OUT: Final[Mapping[str, Parser]] = MappingProxyType({"palette": str, "favours": _two})


def _kind(
    key: str,
    label: str,
    shows: str,
    function: "Callable[..., Figure]",
    needs: frozenset[str] = _RUN,
    options: Mapping[str, Parser] = MappingProxyType({}),
    *,
    repeats: bool = False,
) -> Kind:
    return Kind(key=key, label=label, shows=shows, function=function, needs=needs, options=options, repeats=repeats)


FIGURES: Final[dict[str, Kind]] = {
    kind.key: kind
    for kind in (
        _kind(
            "forest",
            "forest plot",
            "Every study with its counts, effect, interval and weight; the pooled effect by group and in all.",
            _of_run("forest_plot", "forest"),
            options={"arms": _two, "columns": _several, **_LAID_OUT},
        ),
        _kind(
            "cumulative",
            "cumulative forest plot",
            "The pooled effect as studies came in, one after the other.",
            _of_run("forest_series", "cumulative"),
            options={"by": str, **_LAID_OUT},
        ),
        _kind(
            "leave-one-out",
            "leave-one-out forest plot",
            "The pooled effect without each study in turn.",
            _of_run("forest_series", "leave_one_out"),
            options={**_LAID_OUT},
        ),
        _kind(
            "compact",
            "compact summary",
            "One row for each group, or for each sensitivity analysis.",
            _of_run("compact_plot", "compact"),
            options={"of": str, **_LAID_OUT},
        ),
        _kind(
            "funnel",
            "funnel plot",
            "Effects against standard errors, the funnel around the mean, and the test of asymmetry that applies.",
            _of_run("funnel_plot", "funnel"),
            options={"contours": _flag, "fill": _flag, **_WIDE},
        ),
        _kind(
            "baujat",
            "Baujat plot",
            "How much each study adds to heterogeneity, and how much it moves the mean.",
            _of_run("baujat_plot", "baujat"),
            options={**_WIDE},
        ),
        _kind(
            "radial",
            "radial plot",
            "Each study as a ray whose slope is its effect, with the band of chance and a ruler of effects.",
            _of_run("radial_plot", "radial"),
            options={**_WIDE},
        ),
        _kind(
            "labbe",
            "L'Abbé plot",
            "Event rate in one arm against the other, with the pooled effect and no effect as lines.",
            _of_run("labbe_plot", "labbe"),
            options={"arms": _two, **_WIDE},
        ),
        _kind(
            "drapery",
            "drapery plot",
            "The p-value of every value of the effect, for each study and for the mean.",
            _of_run("drapery_plot", "drapery"),
            options={**_WIDE},
        ),
        _kind(
            "gosh",
            "GOSH plot",
            "Mean and I² of every selection of the studies, with or without one study told apart.",
            _of_run("gosh_plot", "gosh"),
            options={"study": str, "subsets": _whole, "seed": _whole, **_WIDE},
            repeats=True,
        ),
        _kind(
            "bubble",
            "bubble plot",
            "Effects against a moderator, with the meta-regression line, its interval and the band of new studies.",
            _of_run("bubble_plot", "bubble"),
            options={"moderator": str, **_WIDE},
        ),
        _kind(
            "influence",
            "influence panel",
            "Eight deletion diagnostics of every study side by side, influential ones marked.",
            _of_run("influence_plot", "influence"),
        ),
        _kind(
            "specification",
            "specification curve",
            "The pooled effect under every choice of estimator, or of question, and which choice is which.",
            _specification,
            _BOTH,
            options={"of": str},
        ),
        _kind(
            "readings",
            "range over readings",
            "What the sources leave open of each trial, and the range of the pooled effect over all of it.",
            _readings,
            _BOTH,
        ),
        _kind(
            "rob",
            "risk of bias",
            "Judgements of two named people, by domain, with the share of each.",
            _rob,
            _BOTH,
        ),
        _kind(
            "map",
            "evidence and gap map",
            "How many studies there are by population and comparator, and how well their counts are known.",
            _of_dataset("map_plot", "evidence_map"),
            _DATASET,
        ),
        _kind(
            "flow",
            "PRISMA flow diagram",
            "Records from search to inclusion.",
            _flow,
            _DATASET,
        ),
        _kind(
            "icons",
            "icons",
            "A hundred people at each baseline: in work anyway, with IPS, not.",
            _of_run("icons_plot", "icons"),
            options={"model": str, **_WIDE},
        ),
        _kind(
            "coverage",
            "coverage bar",
            "Participants in the pool and absent from it, and the pool under two assumptions about the absent.",
            _of_both("coverage_plot", "coverage_bar"),
            _BOTH,
        ),
        _kind(
            "strip",
            "strip of service rates",
            "Employment rates of services by kind, with Wilson intervals; rates of different kinds never meet.",
            _strip,
            _DATASET,
            options={"kind": str},
        ),
        _kind(
            "fidelity",
            "fidelity strip",
            "Effects of trials by fidelity score, each scale apart.",
            _of_both("fidelity_plot", "fidelity_strip"),
            _BOTH,
        ),
        _kind(
            "timeline",
            "timeline of the evidence",
            "Cumulative mean by year with its interval, and the studies that moved it most.",
            _of_run("timeline_plot", "timeline"),
        ),
        _kind(
            "bayes",
            "Bayesian estimate",
            "Prior and posterior of the mean and of τ, and each study as observed and drawn towards the mean.",
            _of_run("bayes_plot", "bayes"),
            options={"tau_prior": str, "scale": _number, "mu_sd": _number},
        ),
        _kind(
            "card",
            "card of a trial",
            "One trial as one trial, or two side by side.",
            _card,
            options={**_WIDE},
        ),
        _kind(
            "control-risk",
            "effect against control risk",
            "Odds ratios against control risk, with the bivariate binomial model's line and bands.",
            _of_run("control_risk_plot", "control_risk"),
            options={**_WIDE},
        ),
    )
}
"""The kinds by key, in the order of menus and of the gallery."""
