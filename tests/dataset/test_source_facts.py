"""What the two publications that opened this field to us say stands in the records: each fact, and each thing by name.

The list is tests/data/source_facts.yaml. A fact stands where its words do, sources and log of the record left out:
these say what was read, not what was found.
"""

from pathlib import Path
from typing import Literal

from ipsevidence.dataset.record import Identifier, Record, Text, Url

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "data" / "source_facts.yaml"


class Publication(Record):
    cite: Text
    url: Url
    cited_with: Text


class Publications(Record):
    cmh: Publication
    fss: Publication


class Fact(Record):
    fact: int
    publication: Literal["cmh", "fss", "both"]
    says: Text
    records: tuple[Identifier, ...] = ()
    shows: tuple[Text, ...] = ()
    why_not: Text | None = None


class SourceFacts(Record):
    schema_: Literal[1]
    publications: Publications
    facts: tuple[Fact, ...]
