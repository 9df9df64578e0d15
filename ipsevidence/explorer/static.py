"""The explorer of the site: one page, and for each population a file with every cell, computed beforehand."""

import dataclasses
import importlib.resources
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from ipsevidence.analysis.covering import Coverage
from ipsevidence.analysis.exploring import Pool, explored_populations, grid, outcomes_of
from ipsevidence.core import PooledResult
from ipsevidence.explorer.cells import document, few_words
from ipsevidence.explorer.options import GRID_COMPARATORS, GRID_OUTCOMES, grid_selects
from ipsevidence.report.tables import numerals, persons, shown_interval
from ipsevidence.site.shell import page

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset

__all__ = ["ADDRESS", "files"]

ADDRESS: Final = "explore.html"
"""Where the page stands on the site."""

_FILES: Final = ("explorer.js", "explorer.css")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Primary:
    """The primary result of a population, for a page that needs no script."""

    key: str
    label: str
    trials: str
    participants: str
    effect: str
    prediction: str


def files(dataset: "Dataset") -> Mapping[str, bytes]:
    """Return the files of the explorer by their paths on the site.

    Parameters
    ----------
    dataset : Dataset
        The records and the analyses that ship with them.

    Returns
    -------
    mapping of str to bytes
        The page, its script and stylesheet, and one JSON file a population; the same bytes for the same data.
    """
    found: dict[str, bytes] = {}
    primary: list[_Primary] = []
    outcomes = [key for key in GRID_OUTCOMES if key in outcomes_of(dataset)]
    for key, label in explored_populations(dataset).items():
        pools = tuple(grid(dataset, key, outcomes=outcomes, comparators=GRID_COMPARATORS))
        primary.append(_primary(key, label, pools[0]))
        found[f"explore/{key}.json"] = _json(document(key, label, dataset.version, pools))
    found[ADDRESS] = _page(dataset, primary).encode()
    folder = importlib.resources.files("ipsevidence.explorer") / "assets"
    return found | {f"assets/{name}": (folder / name).read_bytes() for name in _FILES}


def _page(dataset: "Dataset", primary: list[_Primary]) -> str:
    return page(
        "explorer.html.j2",
        path=ADDRESS,
        title="Explorer",
        description="Choose a population, an outcome and a model: pooled effect, intervals and forest plot.",
        here="explore",
        scripts=("explorer.js",),
        choices=grid_selects(dataset),
        primary=primary,
        version=dataset.version,
    )


def _primary(key: str, label: str, pool: Pool) -> _Primary:
    run, coverage = pool.run, pool.coverage
    fit, measure = run.fit, run.measure.key
    effect, prediction = few_words(pool), ""
    if isinstance(fit, PooledResult):
        effect = f"{numerals(measure).effect(run.shown(fit.estimate))} ({shown_interval(measure, fit.ci)})"
        prediction = shown_interval(measure, fit.prediction)
    trials, people = str(len(run.rows)), persons(run.participants)
    if isinstance(coverage, Coverage):
        trials = f"{coverage.k} of {coverage.eligible}"
        people = f"{persons(coverage.headline)} of {persons(coverage.known)}"
    return _Primary(key=key, label=label, trials=trials, participants=people, effect=effect, prediction=prediction)


def _json(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return (text + "\n").encode()
