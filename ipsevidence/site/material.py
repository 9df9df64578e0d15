"""What the pages of the site are made from: the records, and every analysis, run once."""

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ipsevidence.analysis.across import CLAIMS
from ipsevidence.analysis.answers import EVERYONE, Answer, answer
from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.resultfiles import read_result, result_path
from ipsevidence.analysis.specfiles import spec_files
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.report.result_pages import results_of

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset

__all__ = ["Material", "Use"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An analysis whose question a study answers: whether it is in the pool, and why."""

    analysis: str
    title: str
    included: bool
    reason: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """What the pages are made from; each part is computed when it is first asked for.

    Attributes
    ----------
    dataset : Dataset
        The records.
    address : str
        Where the site will stand, with a slash at its end; empty where that is not known.
    workers : int
        Processes that draw figures; the files are the same whatever their number.
    """

    dataset: "Dataset"
    address: str = ""
    workers: int = 1

    @cached_property
    def reproductions(self) -> dict[str, Reproduction]:
        """Every analysis that ships with the data, run, by id."""
        return {name: reproduce(name, self.dataset) for name in spec_files(self.dataset.root)}

    @cached_property
    def uses(self) -> dict[str, list["Use"]]:
        """Analyses whose question a study answers, by study: those it is in before those it is not in."""
        found: dict[str, list[Use]] = {}
        for name, one in self.reproductions.items():
            for decision in one.run.decisions:
                if decision.eligible:
                    use = Use(
                        analysis=name, title=one.run.spec.title, included=decision.included, reason=decision.reason
                    )
                    found.setdefault(decision.id, []).append(use)
        return {name: sorted(uses, key=lambda use: not use.included) for name, uses in found.items()}

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """The answer for all trials together and for each population, by key, as `ipsevidence answer` gives it."""
        return {name: answer(name, None, self.dataset) for name in (EVERYONE, *ANALYSIS_GROUP)}

    @cached_property
    def results(self) -> dict[str, dict[str, Any]]:
        """The committed results by the id of their analysis."""
        return results_of(self.dataset.root)

    @cached_property
    def claims(self) -> dict[str, dict[str, Any]]:
        """The claims with their verdicts as committed, by id; none where none are."""
        path = result_path(self.dataset.root, CLAIMS)
        return dict(read_result(path)["claims"]) if path.is_file() else {}
