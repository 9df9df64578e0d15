"""What can be chosen in an explorer, in words: the choices of the site's grid, or all that the engine takes."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ipsevidence.analysis import exploring
from ipsevidence.analysis.exploring import ANY, COMPARATORS, Choice
from ipsevidence.core import INTERVALS, MEASURES, PREDICTIONS, TAU2_ESTIMATORS
from ipsevidence.dataset.vocabulary import BASIS

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset

__all__ = ["GRID_COMPARATORS", "GRID_OUTCOMES", "Select", "all_selects", "grid_selects"]

GRID_OUTCOMES: Final = ("primary", "any-vocational-outcome")
GRID_COMPARATORS: Final = (ANY, "usual-care", "vocational-service")
"""Outcomes and comparators of the grid; the others are for the explorer with the whole engine."""

_INTERVAL_WORDS: Final = {
    "hksj": "Hartung-Knapp, by the protocol's rules",
    "hksj-adhoc": "Hartung-Knapp, ad hoc throughout",
    "t": "t with k \u2212 1 degrees of freedom",
}
_TAU2_WORDS: Final = {"common": "None: a common effect", "reml": "Restricted maximum likelihood (REML)"}


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """One choice: its key, a field of `Choice`; its label; the options with theirs; and the protocol's."""

    key: str
    label: str
    options: Mapping[str, str]

    @property
    def usual(self) -> str:
        """The option of the protocol."""
        return str(getattr(Choice(), self.key))


def grid_selects(dataset: "Dataset") -> tuple[Select, ...]:
    """Return the choices of the grid, in order."""
    tau2 = {key: TAU2_ESTIMATORS[key].label for key in exploring.TAU2}
    return (
        Select(key="population", label="Population", options=exploring.explored_populations(dataset)),
        _outcomes({key: label for key, label in exploring.outcomes_of(dataset).items() if key in GRID_OUTCOMES}),
        _comparators({key: COMPARATORS[key] for key in GRID_COMPARATORS}),
        _measures(),
        _tau2(tau2),
        _intervals(),
    )


def all_selects(dataset: "Dataset") -> tuple[Select, ...]:
    """Return every choice, in order."""
    designs = {key: label for key, (label, _, _) in exploring.DESIGNS.items()}
    predictions = {key: method.label for key, method in PREDICTIONS.items()}
    return (
        Select(key="population", label="Population", options=exploring.explored_populations(dataset, tags=True)),
        _outcomes(exploring.outcomes_of(dataset)),
        _comparators(COMPARATORS),
        Select(key="design", label="Designs", options=_named(designs)),
        Select(key="fidelity", label="Fidelity", options=_named(exploring.FIDELITIES)),
        Select(
            key="weakest_basis",
            label="Weakest basis of the numbers",
            options=_named({key: term.label for key, term in BASIS.items()}),
        ),
        _measures(),
        _tau2({key: method.label for key, method in TAU2_ESTIMATORS.items()}),
        _intervals(),
        Select(key="prediction", label="Prediction interval", options=_named(predictions)),
    )


def _outcomes(options: Mapping[str, str]) -> Select:
    return Select(key="outcome", label="Outcome", options=options)


def _comparators(options: Mapping[str, str]) -> Select:
    return Select(key="comparator", label="Compared with", options=_named(options))


def _measures() -> Select:
    options = {key: MEASURES[key].label for key in exploring.MEASURES}
    return Select(key="measure", label="Measure", options=_named(options))


def _tau2(options: Mapping[str, str]) -> Select:
    label = "Differences between trials (\u03c4\u00b2)"
    return Select(key="tau2", label=label, options=_named({**options, **_TAU2_WORDS}, keys=options))


def _intervals() -> Select:
    options = {key: _INTERVAL_WORDS.get(key, INTERVALS[key].label) for key in exploring.INTERVALS}
    return Select(key="interval", label="Confidence interval", options=options)


def _named(options: Mapping[str, str], keys: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the options with a capital, but for a letter that is a symbol, such as the t of a distribution."""
    labels = {key: options[key] for key in keys or options}
    return {key: text if text[1:2] == " " else text[:1].upper() + text[1:] for key, text in labels.items()}
