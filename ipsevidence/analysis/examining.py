"""What is asked of every analysis of the dataset beyond its pool: coverage, readings, absolute answers, absences."""

import dataclasses
from typing import Any

from ipsevidence import core
from ipsevidence.analysis.absolutes import Absolutes, absolutes_of
from ipsevidence.analysis.covering import Coverage, coverage_of
from ipsevidence.analysis.denominators import MissingParticipants, missing_participants_of
from ipsevidence.analysis.readings import ReadingsRange, range_over_readings
from ipsevidence.analysis.running import AnalysisRun
from ipsevidence.analysis.unlocking import Unlock, what_would_change
from ipsevidence.dataset.collection import Dataset

__all__ = ["Examined", "examine"]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """An analysis looked at from all sides; each side is a result, or the reason why it does not apply.

    Attributes
    ----------
    coverage : Coverage or NotApplicable
        How much of the evidence is in the pool.
    readings : ReadingsRange or NotApplicable
        The range of the pool over all readings of its trials.
    absolutes : Absolutes or NotApplicable
        What the effect means in people.
    missing : MissingParticipants or NotApplicable
        The pool under other suppositions about participants without an outcome.
    unlocks : tuple of Unlock or NotApplicable
        Absent trials by what their numbers would bring.
    """

    coverage: Coverage | core.NotApplicable
    readings: ReadingsRange | core.NotApplicable
    absolutes: Absolutes | core.NotApplicable
    missing: MissingParticipants | core.NotApplicable
    unlocks: tuple[Unlock, ...] | core.NotApplicable

    def to_dict(self) -> dict[str, Any]:
        """Return all sides as plain data."""
        unlocks = self.unlocks
        return {
            "coverage": self.coverage.to_dict(),
            "readings": self.readings.to_dict(),
            "absolutes": self.absolutes.to_dict(),
            "missing_participants": self.missing.to_dict(),
            "unlocks": [one.to_dict() for one in unlocks] if isinstance(unlocks, tuple) else unlocks.to_dict(),
        }


def examine(run: AnalysisRun, dataset: Dataset) -> Examined:
    """Look at an analysis from all sides.

    Parameters
    ----------
    run : AnalysisRun
        An analysis of the dataset.
    dataset : Dataset
        The records it was run on.

    Returns
    -------
    Examined
    """
    if run.spec.studies.inputs_of is not None:
        why = core.NotApplicable(reason="what a review entered was pooled, not our records")
        return Examined(coverage=why, readings=why, absolutes=absolutes_of(run), missing=why, unlocks=why)
    coverage = coverage_of(run, dataset)
    unlocks = what_would_change(run, dataset, coverage) if isinstance(coverage, Coverage) else coverage
    return Examined(
        coverage=coverage,
        readings=range_over_readings(run, dataset),
        absolutes=absolutes_of(run),
        missing=missing_participants_of(run, dataset),
        unlocks=unlocks,
    )
