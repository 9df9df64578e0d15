"""What two publications on the field say stands in the records: every numbered fact, and every scheme by its name.

The list is tests/data/source_facts.yaml. A record's sources and log are left out when a fact is looked for: they say
what was read, and would go on saying it if the fact were dropped.
"""

import re
from functools import cache
from pathlib import Path
from typing import Literal, Self

import pytest
from pydantic import Field, model_validator

from ipsevidence.dataset.reader import fetch, parse, plain, read
from ipsevidence.dataset.record import Identifier, Record, Text, Url

ROOT = Path(__file__).parents[2]
LIST = ROOT / "tests" / "data" / "source_facts.yaml"
FACTS = 83

NAMED = [
    ("IPS in secondary care", ["nhs-ips-secondary-care"], "IPS in secondary care"),
    ("IPS in primary care", ["nhs-ips-secondary-care"], "primary care"),
    ("IPS in NHS Talking Therapies", ["nhs-ips-secondary-care"], "NHS Talking Therapies"),
    ("IPS (PC)", ["ips-primary-care"], "IPS PC"),
    ("WorkWell", ["workwell"], "WorkWell"),
    ("Working Well Early Help", ["working-well-early-help"], "Working Well Early Help"),
    ("IPS-AD services", ["ips-ad-services"], "IPS-AD"),
    ("IPS-AD trial", ["marsden-2024"], "IPS-AD"),
    ("Universal Support", ["universal-support-ips"], "Universal Support"),
    ("West Midlands prisons pilot", ["durcan-2018"], "leaving prisons in the West Midlands"),
    ("US trial for people with justice involvement", ["bond-2015"], "severe mental illness and justice involvement"),
    ("Lothian veterans pilot", ["lothian-veterans-2017"], "veterans, Lothian"),
    ("SAMH Glasgow", ["samh-glasgow-2016"], "SAMH Glasgow"),
    ("FEAT Fife", ["feat-fife"], "FEAT, Fife"),
    ("West London substance-use service", ["archer-2024"], "drug or alcohol problems, in treatment or after it"),
    ("Health-led Trials", ["newton-2023-wmca", "newton-2023-scr"], "Health-led Employment Trial"),
    ("Supported Employment Proof of Concept", ["se-proof-of-concept"], "Supported Employment Proof of Concept"),
    ("Fair Start Scotland", ["fss-programme", "fss-ips-overall"], "Fair Start Scotland"),
    ("the nine lots", [f"fss-lot-{number}" for number in range(1, 10)], "Fair Start Scotland lot"),
    ("six-trust pilot", ["hutchinson-2018"], "six NHS mental health trusts"),
    ("young people", ["ies-young-people"], "IPS for young people"),
    ("nine-RCT review", ["bond-drake-pogue-2019"], "eight of nine"),
    ("scale-up targets of England", ["nhs-england-ips-scale-up"], "scale-up from 10,000 to 115,000"),
    ("Ireland's roll-out", ["ireland-hse-genio"], "IPS in Ireland: roll-out"),
]

LOTS = [
    ("Glasgow", "PeoplePlus", "no", "Not IPS Supported Employment", "guided self-assessment"),
    ("Lanarkshire", "Remploy", "yes", "Not IPS Supported Employment", "fidelity review"),
    ("Tayside", "Remploy", "yes", "Not IPS Supported Employment", "fidelity review"),
    ("Forth Valley", "Falkirk Council", "yes", "Fair Fidelity", "fidelity review"),
    ("East", "FedCap (Start Scotland)", "no", "Not IPS Supported Employment", "guided self-assessment"),
    ("Southwest", "FedCap (Start Scotland)", "no", "Not IPS Supported Employment", "guided self-assessment"),
    ("Northeast", "FedCap (Momentum Scotland)", "no", "Not IPS Supported Employment", "guided self-assessment"),
    ("Highlands and Islands", "PeoplePlus", "no", "Not IPS Supported Employment", "guided self-assessment"),
    ("West", "The Wise Group", "no", "Not IPS Supported Employment", "guided self-assessment"),
]

FAMILY = {
    "nhs-ips-secondary-care": {
        "funder": "NHS England",
        "setting": "mental health trusts",
        "integration": "embedded",
        "fidelity_aspired": "high",
        "fidelity_rated": "high for the majority",
    },
    "ips-primary-care": {
        "funder": "Department for Work and Pensions",
        "setting": "primary care",
        "referral_routes": "GP surgeries",
        "integration": "minimal",
        "time_limit": "yes",
        "fidelity_rated": "not high fidelity",
    },
    "workwell": {"referral_routes": "Job Centre", "fidelity_aspired": "low"},
    "ips-ad-services": {
        "funder": "Office for Health Improvement and Disparities",
        "commissioner": "local authorities",
        "setting": "drug and alcohol services",
        "integration": "daily",
        "fidelity_rated": "very high",
    },
    "universal-support-ips": {"referral_routes": "voluntary", "years": "not yet running"},
}


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

    @model_validator(mode="after")
    def carried_or_not(self) -> Self:
        carried = bool(self.records) and bool(self.shows)
        if carried == bool(self.why_not) or bool(self.records) != bool(self.shows):
            raise ValueError("either records and what they show, or why not")
        return self


class SourceFacts(Record):
    schema_: Literal[1] = Field(alias="schema")
    publications: Publications
    facts: tuple[Fact, ...]


LISTED, _ = read(fetch(LIST), SourceFacts, file=LIST.name)


@cache
def content(record):
    """The text of a record's file."""
    study, review = ROOT / "studies" / f"{record}.yaml", ROOT / "analyses" / "published" / f"{record}.yaml"
    assert study.is_file() or review.is_file(), f"no record {record}"
    return (study if study.is_file() else review).read_text(encoding="utf-8")


def values(record):
    return plain(parse(content(record).encode(), file=record))


def folded(text):
    return " ".join(text.split())


def statements(text):
    """A record without its sources and log, on one line."""
    blocks = re.split(r"^(?=\w)", text, flags=re.MULTILINE)
    return folded("".join(block for block in blocks if not block.startswith(("sources:", "log:"))))


def stands(words, text):
    """Whether these words stand in a text, and not as a part of a longer word or number."""
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w|[.,]\d)", text) is not None


def lacks(fact, texts):
    """What a fact's records do not show, and which of them show nothing of it."""
    shown = {words: [record for record in fact.records if stands(words, texts[record])] for words in fact.shows}
    idle = set(fact.records).difference(*shown.values())
    return [words for words, where in shown.items() if not where] + sorted(idle)


def test_the_facts_are_numbered_without_a_gap():
    assert [fact.fact for fact in LISTED.facts] == list(range(1, FACTS + 1))


@pytest.mark.parametrize("fact", LISTED.facts, ids=lambda fact: f"fact-{fact.fact}")
def test_a_fact_stands_in_its_records(fact):
    assert len(set(fact.records)) == len(fact.records)
    assert lacks(fact, {record: statements(content(record)) for record in fact.records}) == []


@pytest.mark.parametrize("fact", [fact for fact in LISTED.facts if fact.records], ids=lambda fact: f"fact-{fact.fact}")
def test_one_of_its_records_cites_the_publication(fact):
    texts = [folded(content(record)).casefold() for record in fact.records]
    for key in ("cmh", "fss") if fact.publication == "both" else (fact.publication,):
        name = getattr(LISTED.publications, key).cited_with.casefold()
        assert any(name in text for text in texts), key


def test_a_fact_that_is_dropped_is_missed():
    fact = next(fact for fact in LISTED.facts if fact.fact == 11)
    (record,) = fact.records
    text = statements(content(record))
    dropped = text.replace("107%, a saving of GBP 1,436 per user", "107%").replace("n: 126", "n: 1260")
    assert lacks(fact, {record: dropped}) == ["n: 126", "107%, a saving of GBP 1,436 per user"]
    assert lacks(fact, {record: ""}) == [*fact.shows, record]


def test_what_was_read_is_not_what_is_said():
    read_of_it = "sources:\n  s1: {supports: 41 of 126}\n", "log:\n  - 41 of 126\n"
    text = f"id: a\n{read_of_it[0]}facts:\n  - {{what: jobs,\n     as_printed: some}}\n{read_of_it[1]}"
    assert statements(text) == "id: a facts: - {what: jobs, as_printed: some}"


@pytest.mark.parametrize(("name", "records", "words"), NAMED, ids=[name for name, _, _ in NAMED])
def test_a_thing_is_covered_by_name(name, records, words):
    listed = {record for fact in LISTED.facts for record in fact.records}
    for record in records:
        assert stands(words, statements(content(record))), f"{name}: {record}"
        assert record in listed, f"{name}: no fact names {record}"


@pytest.mark.parametrize(("record", "fields"), FAMILY.items(), ids=FAMILY)
def test_a_service_of_the_family(record, fields):
    service = values(record)["service"]
    assert {key: words for key, words in fields.items() if not stands(words, service[key])} == {}


@pytest.mark.parametrize(("number", "lot"), list(enumerate(LOTS, start=1)), ids=[lot[0] for lot in LOTS])
def test_a_lot_of_fair_start_scotland(number, lot):
    region, provider, delivers, rating, review = lot
    record = values(f"fss-lot-{number}")
    service, (fidelity,) = record["service"], record["fidelity"]
    assert (service["region"], service["provider"], service["delivers_ips"]) == (region, provider, delivers)
    assert (fidelity["scale"], fidelity["label_as_printed"]) == ("ips-25", rating)
    assert review in fidelity["note"]
    assert review in service["fidelity_rated"]
