"""References: recorded citations taken apart where that is certain, kept whole where not, and nothing that runs."""

import json
import re
from pathlib import Path

import pytest

from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.analysis.usertables import table_spec
from ipsevidence.dataset.collection import load
from ipsevidence.report.citing import Work, _work, bibtex, csl_json, ris, works

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found():
    data = load(ROOT)
    return works(run("bond-2019-nine-rcts", data), data), data


def test_dataset_analysis_and_every_report_of_every_trial(found):
    made, data = found
    assert [work.kind for work in made[:2]] == ["dataset", "analysis"]
    assert made[0].version == data.version
    keys = [work.key for work in made]
    assert len(keys) == len(set(keys))
    trials = [row.id for row in run("bond-2019-nine-rcts", data).rows]
    assert keys[2:] == [f"{name}-{report.id}" for name in trials for report in data[name].reports]


@pytest.mark.parametrize(
    ("citation", "fields"),
    [
        (
            "Davis LL, Leon AC, Toscano R. Psychiatr Serv 2012;63(5):464-470",
            {"kind": "article", "authors": ("Davis LL", "Leon AC", "Toscano R"), "journal": "Psychiatr Serv",
             "year": "2012", "volume": "63", "issue": "5", "pages": "464-470", "others": False, "title": ""},
        ),
        (
            "Bejerholm U et al. J Affect Disord 2017;207:212-220",
            {"kind": "article", "authors": ("Bejerholm U",), "others": True, "volume": "207", "issue": ""},
        ),
        (
            "Bond GR, Drake RE. Sustaining IPS services. World Psychiatry 2016;15(1):81-83",
            {"kind": "article", "title": "Sustaining IPS services", "journal": "World Psychiatry"},
        ),
        ("van Duin D, de Winter L. Schizophr Res 2021;236:115-122", {"authors": ("van Duin D", "de Winter L")}),
        ("O'Neill S, Li-Tsang CWP. J Occup Rehabil 2008", {"kind": "article", "year": "2008", "volume": ""}),
        ("Psychiatr Rehabil J 2024;47(1):46-55", {"kind": "other", "authors": ()}),
        ("Durcan G, Allan J. From prison to work. Centre for Mental Health, 2018", {"kind": "other"}),
        ("Psychiatr Serv 2020, online 3 January; authors not read", {"kind": "other", "year": "1999"}),
    ],
)  # fmt: skip
def test_a_citation_is_taken_apart_only_where_it_has_the_form(citation, fields):
    work = _work("k", citation, year=1999)
    assert {name: getattr(work, name) for name in fields} == fields
    assert work.citation == citation


def test_bibtex_holds_the_fields():
    work = _work(
        "davis-2012-main", "Davis LL, van Busschbach J et al. Psychiatr Serv 2012;63(5):464-470", doi="10.1/x_y"
    )
    assert bibtex([work]) == (
        "@article{davis-2012-main,\n"
        "  author = {Davis, L. L. and van Busschbach, J. and others},\n"
        "  journal = {Psychiatr Serv},\n  year = {2012},\n  volume = {63},\n  number = {5},\n  pages = {464--470},\n"
        "  doi = {10.1/x_y},\n"
        "  note = {Davis LL, van Busschbach J et al. Psychiatr Serv 2012;63(5):464-470}\n}\n"
    )


def test_ris_holds_the_fields():
    work = _work("k", "Davis LL, Leon AC. Psychiatr Serv 2012;63(5):464-470", pmid="123")
    lines = ris([work]).split("\r\n")
    assert lines[:4] == ["TY  - JOUR", "ID  - k", "AU  - Davis, LL", "AU  - Leon, AC"]
    assert {"PY  - 2012", "SP  - 464", "EP  - 470", "AN  - PMID 123"} <= set(lines)
    assert lines[-3:] == ["ER  - ", "", ""]


def test_csl_json_holds_the_fields(found):
    made, _ = found
    items = json.loads(csl_json(made))
    assert [item["id"] for item in items] == [work.key for work in made]
    davis = next(item for item in items if item["id"] == "davis-2012-main")
    assert davis["type"] == "article-journal"
    assert davis["author"][0] == {"family": "Davis", "given": "LL"}
    assert davis["issued"] == {"date-parts": [[2012]]}
    assert davis["DOI"] == "10.1176/appi.ps.201100340"


def test_hostile_text_ends_no_entry():
    evil = "x}\n@misc{y, note = {\\input{/etc/passwd}} \r\nER  - \r\nTY  - JOUR % $"
    work = _work("k", evil)
    assert work.kind == "other"
    text = bibtex([work])
    assert len(re.findall(r"^@", text, flags=re.MULTILINE)) == 1
    depth = 0
    for sign in re.sub(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\[{}%&$#_]", "", text):
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0
    assert depth == 0
    assert "\\input" not in text
    assert sum(line.startswith("TY  -") for line in ris([work]).splitlines()) == 1
    assert json.loads(csl_json([work]))[0]["note"] == " ".join(evil.split())


def test_a_table_of_ones_own_has_the_analysis_to_cite():
    (only,) = works(pool_rows(table_spec("t", {}), ()), None)
    assert isinstance(only, Work)
    assert only.kind == "analysis"
