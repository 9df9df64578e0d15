"""PRISMA 2020: every item and part is there, leads to a section that is there, and says what is true."""

from pathlib import Path

import pytest

from ipsevidence.analysis.reproduction import Reproduction, reproduce
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.dataset.collection import load
from ipsevidence.report.outline import Material, outline
from ipsevidence.report.prisma import prisma_map

ROOT = Path(__file__).parents[2]

# The numbers of the checklist (Page et al 2021, table 1), typed from it.
PARTS = {10: "ab", 13: "abcdef", 16: "ab", 20: "abcd", 23: "abcd", 24: "abc"}
NUMBERS = [f"{n}{part}" for n in range(1, 28) for part in PARTS.get(n, ("",))]


@pytest.fixture(scope="module")
def data():
    return load(ROOT)


def report_of(name, data):
    return outline(Material(reproduction=reproduce(name, data), dataset=data))


def items(report):
    return {row[0]: row[2] for row in report.sections[-1].blocks[0].table.rows}


@pytest.mark.parametrize("name", ["primary", "bond-2019-nine-rcts", "primary-homelessness", "quasi-experiments"])
def test_every_item_is_answered_by_a_section_that_is_there(name, data):
    report = report_of(name, data)
    found = items(report)
    assert list(found) == NUMBERS
    titles = {section.title for section in report.sections}
    for text in found.values():
        assert text
        parts = [part.removesuffix(" (not assessed, and why)") for part in text.split("; ")]
        if any(part in titles for part in parts):
            assert all(part in titles for part in parts)
    assert found["11"] == found["18"] == "Risk of bias (not assessed, and why)"


def test_it_says_of_itself_what_the_protocol_says(data):
    protocol = " ".join((ROOT / "docs" / "protocol" / "README.md").read_text(encoding="utf-8").split())
    found = items(report_of("primary", data))
    assert "There is no registered review protocol, no dated search string, no second extractor" in protocol
    assert found["6"] == found["7"] == "none: a curated collection, not a systematic search"
    assert "without a second extractor" in found["9"]
    assert found["24a"] == "not registered"
    assert "It was not written blind" in protocol
    assert "not written blind" in found["24b"]
    assert "## Amendments" in protocol
    assert found["24c"] == "dated, at the end of docs/protocol"


def test_nothing_in_the_repository_states_support_or_interests(data):
    found = items(report_of("primary", data))
    assert found["25"] == found["26"] == "not stated by the project"
    texts = [(ROOT / name).read_text(encoding="utf-8").lower() for name in ("README.md", "CITATION.cff", "LICENSE")]
    said = [
        word
        for word in ("funded by", "funding", "competing interest", "conflict of interest")
        for t in texts
        if word in t
    ]
    assert not said, "it is stated now: let items 25 and 26 say where"


def test_a_reproduction_follows_a_paper_and_not_our_protocol(data):
    found = items(report_of("bond-2019-nine-rcts", data))
    assert found["24b"] == "none of its own: it follows the paper that it repeats"
    assert "docs/protocol" not in " ".join(found.values())


def test_nothing_is_said_of_how_a_stranger_made_a_table():
    rows = tuple(
        StudyRow(id=f"s{i}", label=f"S{i}", counts=Counts(events1=e, n1=20, events2=3, n2=20))
        for i, e in enumerate((5, 6, 9))
    )
    made = Reproduction(run=pool_rows(table_spec("t", {}), rows), verdicts=())
    found = items(outline(Material(reproduction=made)))
    assert {found[n] for n in ("6", "7", "8", "9", "16a", "24a", "24b", "24c", "25", "26")} == {
        "for the author of the table to state"
    }


def test_a_section_that_is_not_there_is_not_pointed_at():
    rows = {row[0]: row[2] for row in prisma_map({"title": "head of the report"}).rows}
    assert rows["12"] == rows["17"] == rows["15"] == "not in this report"
