"""What the pages of the site are made from: the records, and every analysis, run once."""

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.specfiles import spec_files

if TYPE_CHECKING:
    from ipsevidence.dataset.collection import Dataset

__all__ = ["Material"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Material:
    """What the pages are made from; each part is computed when it is first asked for.

    Attributes
    ----------
    dataset : Dataset
        The records.
    address : str
        Where the site will stand, with a slash at its end; empty where that is not known.
    """

    dataset: "Dataset"
    address: str = ""

    @cached_property
    def reproductions(self) -> dict[str, Reproduction]:
        """Every analysis that ships with the data, run, by id."""
        return {name: reproduce(name, self.dataset) for name in spec_files(self.dataset.root)}
