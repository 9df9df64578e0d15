"""Pages of results say what the committed results say, and are in step with them."""

import json
import math
import re
from pathlib import Path

import pytest

from ipsevidence.analysis.choices import CRITERIA
from ipsevidence.analysis.claimfiles import VERDICTS
from ipsevidence.analysis.service_rates import service_rates
from ipsevidence.analysis.specfiles import spec_files
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP, CONCEPT
from ipsevidence.report.choices_page import choices_text
from ipsevidence.report.claims_page import claims_text
from ipsevidence.report.documents import DOCUMENTS, write_documents
from ipsevidence.report.markdown import cell
from ipsevidence.report.result_pages import RESULT_PAGES, results_of
from ipsevidence.report.services_page import services_text

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def dataset():
    return load(ROOT)


@pytest.fixture(scope="module")
def results():
    return results_of(ROOT)


@pytest.fixture(scope="module")
def pages(dataset, results):
    return {name: make(results, dataset) for name, make in RESULT_PAGES.items()}


def committed(name):
    return json.loads((ROOT / "analyses" / "results" / f"{name}.json").read_text(encoding="utf-8"))


def tables(text):
    """Return the tables of a page, each as rows of cells, its heading first."""
    found = []
    for block in re.split(r"\n(?!\|)", text):
        lines = [line for line in block.splitlines() if line.startswith("| ")]
        if lines:
            found.append([re.split(r"(?<!\\) \| ", line.strip("| ")) for line in lines if set(line) - set("|- :")])
    return found


@pytest.mark.parametrize("name", RESULT_PAGES)
def test_committed_page_is_in_step(name, pages):
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == pages[name], "run: make documents"


@pytest.mark.parametrize("name", RESULT_PAGES)
def test_every_table_is_whole_and_every_link_leads_somewhere(name, pages):
    found = tables(pages[name])
    assert found
    for head, *rows in found:
        assert {len(row) for row in rows} <= {len(head)}
        # A group may be called None; a number may not.
        assert not [row for row in rows if {"nan", "None", "null"} & set(row[1:])]
    for target in re.findall(r"\]\(([^)#]+)\)", pages[name]):
        assert f"results/{target}" in RESULT_PAGES


def test_every_analysis_with_a_result_is_read(results):
    assert set(results) == set(spec_files(ROOT))


def test_headline_numbers_are_those_of_the_results(results, pages):
    primary = results["primary"]
    shown = primary["result"]["shown"]
    (row,) = (row for table in tables(pages["results/README.md"]) for row in table if row[0] == "All randomised trials")
    estimate, low, high = shown["estimate"], *shown["ci"]
    assert row[1] == f"{primary['coverage']['k']} of {primary['coverage']['eligible']}"
    assert row[3] == f"RR {estimate:.2f} ({low:.2f} to {high:.2f})"
    assert row[4] == "{:.2f} to {:.2f}".format(*shown["prediction"])
    bounds = {bound["key"]: math.exp(bound["estimate"]) for bound in primary["coverage"]["bounds"]}
    assert row[-2:] == [f"{bounds['no-effect']:.2f}", f"{bounds['stated']:.2f}"]


def test_what_is_not_pooled_has_its_reason(results, pages):
    whole = pages["results/README.md"]
    reasons = {one["result"]["not_applicable"] for one in results.values() if "not_applicable" in one["result"]}
    assert reasons
    assert all(cell(reason) in whole for reason in reasons)


def test_groups_say_why_they_are_not_compared(results, pages):
    page = pages["results/groups.md"]
    reason = results["primary-by-region"]["between"]["not_applicable"]
    assert f"{reason[0].upper()}{reason[1:]}.\n" in page
    assert "\n.\n" not in page
    one = results["any-by-comparator"]["contrasts"][0]
    ratio, low, high = (math.exp(value) for value in (one["difference"], *one["ci"]))
    assert f"{one['first']} against {one['second']}: ratio of effects {ratio:.2f} ({low:.2f} to {high:.2f})" in page


def test_rates_are_named_and_their_reasons_are_not(results, pages):
    page = pages["results/README.md"]
    assert "PLO" not in page
    shown = results["rate-trials-ips-18-months"]["result"]["shown"]
    assert f"| proportion {shown['estimate']:.2f} (" in page


def test_computed_figures_have_the_digits_of_the_published(results, pages):
    found = {row[1]: row for row in tables(pages["results/reproductions.md"])[0]}
    (verdict,) = (v for v in results["frederick-2019-two-calls"]["verdicts"] if v["published"] == "2.04")
    two_calls = found["frederick-2019-two-calls"][2:4]
    assert two_calls == ["2.04 (risk ratio with totals as totals)", f"{verdict['computed']:.2f}"]
    assert found["bond-2012-four-trials"][2:4] == ["681 (participants)", "681"]


def test_groups_stand_in_the_order_of_the_vocabulary(pages):
    labels = [term.label for term in ANALYSIS_GROUP.values()]
    places = [
        [labels.index(row[0]) for row in table[1:]]
        for table in tables(pages["results/groups.md"])
        if all(row[0] in labels for row in table[1:])
    ]
    assert places
    assert all(place == sorted(place) for place in places)
    first = tables(pages["results/README.md"])[0]
    names = [row[0] for row in first[1:]]
    assert names[:2] == ["All randomised trials", "People without severe mental illness"]
    assert names[2:] == [label for label in labels if label in names[2:]]
    assert len(names) == 2 + len(labels)


def test_the_page_of_claims_says_what_the_result_says(pages):
    page = pages["results/claims.md"]
    claims = committed("claims")["claims"].values()
    sections = dict(re.findall(r"^## (.+?)\n\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    summary = {row[0]: row[1] for row in tables(page)[0][1:]}
    for verdict in VERDICTS:
        words = verdict.replace("-", " ")
        those = [claim for claim in claims if claim["verdict"] == verdict]
        assert summary[words] == f"{len(those)}"
        rows = tables(sections[words.capitalize()])[0][1:] if those else []
        assert [row[1:] for row in rows] == [
            [cell(claim["reason"]), cell(claim["decision"]), cell("; ".join(claim["stated_by"]))] for claim in those
        ]
        assert all(cell(claim["claim"]) in row[0] for claim, row in zip(those, rows, strict=True))
    (known,) = tables(sections["What was known when the rules were written"])
    assert sorted(name for row in known[1:] for name in row[2].split(", ")) == [claim["id"] for claim in claims]
    for claim in claims:
        assert not claim["notes"] or cell(claim["notes"]) in sections["Notes"]


def test_a_claim_cannot_break_the_page():
    one = {
        **dict.fromkeys(("id", "title", "claim", "reason", "decision", "known_before"), "a | b <i> *c*\n\n# d"),
        "verdict": "imprecise",
        "stated_by": ["x [y](z)"],
        "committed_on": "2026-01-01",
        "notes": "one\n\n## two",
    }
    page = claims_text({"claims": {"a": one}})
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Claims",
        "## Imprecise",
        "## What was known when the rules were written",
        "## Notes",
    ]
    assert "<i>" not in page.replace("\\<", "")
    assert all(len(row) == len(table[0]) for table in tables(page) for row in table)


def test_the_page_of_choices_says_what_the_result_says(pages):
    page = pages["results/multiverse.md"]
    head, *summary = tables(page)[0]
    found = committed("multiverse")["analyses"]
    assert len(summary) == 2 * len(found)
    for name, row in zip([name for name in found for _ in range(2)], summary, strict=True):
        choices = found[name]["estimator" if row[1] == "Equivalent methods" else "question"]
        pooled = [one["estimate"] for one in choices["cells"].values() if "estimate" in one]
        assert row[2] == f"{len(pooled)} of {len(choices['cells'])}"
        assert row[4] == f"{min(pooled):.2f} to {max(pooled):.2f}"
        # What moves it most is the single change furthest away in ratio, up or down.
        here = choices["cells"]["as the analysis"]["estimate"]
        singles = [one for key, one in choices["cells"].items() if key.count(":") == 1 and "estimate" in one]
        far = max((one["estimate"] for one in singles), key=lambda value: abs(math.log(value / here)))
        assert row[5].endswith(f", to {far:.2f}")
        assert (row[6] == "nothing") == (not choices["flips"])
        assert len(row) == len(head)


def choices(**more):
    options = [{"key": "own", "label": "ours"}, {"key": "other", "label": "theirs"}]
    return {
        "measure": "RR",
        "decisions": [{"key": "a", "label": "A", "options": options}, {"key": "b", "label": "B", "options": options}],
        "excluded": [{"decision": "a", "option": "third", "label": "the third", "why": "no need"}],
        "cells": {
            "as the analysis": {"k": 5, "estimate": 2.0, "low": 1.1, "high": 3.6},
            "a: other": {"k": 5, "estimate": 1.4, "low": 0.9, "high": 2.2},
            "b: other": {"k": 2, "why": "2 trials: nothing is pooled below 3"},
        },
        "threshold": 1.5,
        "range": [1.4, 2.0],
        "flips": [{"decision": "a", "option": "other", "criterion": key, "now": False} for key in CRITERIA],
        "moves_most": {"decision": "a", "option": "other", "by": math.log(0.7)},
        **more,
    }


def test_flips_reasons_and_what_was_not_tried_are_said():
    none = {"not_applicable": "rates | of groups"}
    page = choices_text({"analyses": {"x": {"title": "X", "estimator": none, "question": choices()}}})
    first, second = tables(page)[0][1:]
    assert first[:3] == ["X", "Equivalent methods", "rates \\| of groups"]
    assert second[2:] == [
        "2 of 3",
        "2.00 (1.10 to 3.60)",
        "1.40 to 2.00",
        "A: theirs, to 1.40",
        "A: theirs: no effect is no longer excluded; A: theirs: the estimate no longer lies above 1.5",
    ]
    assert "| B | theirs | 2 | 2 trials: nothing is pooled below 3 | – |" in page
    assert "3 sets of choices, 2 of them pooled. The interval excludes no effect in 1 of them" in page
    assert "- 1: 2 trials: nothing is pooled below 3" in page
    assert "| A | the third | no need | all |" in page


def test_the_page_of_services_has_every_rate_once(dataset, pages):
    page = pages["results/services.md"]
    rates = service_rates(dataset)
    found = tables(page)
    assert sum(len(table) - 1 for table in found) == len(rates)
    titles = [line[3:].casefold() for line in page.splitlines() if line.startswith("## ")]
    assert sorted(titles) == sorted({rate.kind.casefold() for rate in rates})
    concepts = [term.label.casefold() for term in CONCEPT.values()]
    places = [max(i for i, label in enumerate(concepts) if title.startswith(f"{label},")) for title in titles]
    assert places == sorted(places)
    # Rinaldi 2010: 32 of 67 at 24 months; Wilson's bounds by hand are 36.25 and 59.52.
    (row,) = (row for table in found for row in table if row[0] == "Rinaldi 2010")
    assert row[3:6] == ["24 months", "analysed", "32 of 67"]
    assert row[6] == "48% (36 to 60)"


def test_rates_without_counts_have_no_interval_and_the_benchmark_its_source(pages):
    page = pages["results/services.md"]
    for table in tables(page):
        for row in table[1:]:
            assert ("(" in row[6]) == (row[5] != "no counts")
    assert "31% minimal, 41% average, 50% excellent (IPS Employment Center." in page
    assert "<https://ipsworks.nyspi.org/index.php/faq-items/" in page


def test_without_the_claim_there_is_no_benchmark(toy):
    assert "Benchmark" not in services_text(toy)


def test_pages_of_results_are_written_where_there_are_results(dataset, tmp_path):
    names = {file.relative_to(tmp_path).as_posix() for file in write_documents(dataset, tmp_path)}
    assert names == {*DOCUMENTS, *RESULT_PAGES}
    assert all((tmp_path / name).is_file() for name in names)
