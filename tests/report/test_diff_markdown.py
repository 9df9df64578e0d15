"""The comment on a pull request: bounded, harmless, the same each time."""

import dataclasses
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.analysis.analysis_changes import AnalysisChange, Numbers, Side
from ipsevidence.analysis.comparing import Comparison, DocumentChange, Stamp, compare_data
from ipsevidence.analysis.field_changes import FieldChange
from ipsevidence.dataset.findings import Finding
from ipsevidence.report.diff_markdown import MOST, diff_markdown, harmless
from ipsevidence.report.diff_words import summary, tables
from tests.analysis.twins import ALPHA, swap, write_pair
from tests.hostile.strangers import alive_on_github

STAMP = Stamp(name="one", version="2000.1", records=1)
EMPTY = Comparison(before=STAMP, after=STAMP)
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))",
    "![a](https://example.org/a.png)",
    "@octocat and @org/team",
    "fixes #1, GH-2, org/repo#3",
    "https://example.org WWW.example.org a@example.org",
    "a | b\n| c |",
    "`code` ``` fence",
    "$x$ and ~~struck~~ **bold** _it_",
    "&#60;script&#62; &#64;octocat",
    "\u202eevil \x1b[31mred",
    "\\",
    "11d5e00 and 11bd71901bbe5b1630ceea73d27597364c9af683",
]
PIECES = [
    *(
        "https",
        "http://",
        "://",
        ":",
        "//",
        "www.",
        "w",
        "evil.example",
        "@",
        "octocat",
        "/",
        "#",
        "1",
        "GH-",
        "org/repo",
    ),
    *(
        "mailto:",
        "a@evil.example",
        "11d5e00",
        "c9af683",
        "[",
        "](",
        ")",
        "<",
        ">",
        "<a href=x>",
        "&#64;",
        "&colon;",
        "\\",
    ),
    *("*", "_", "~", "`", "|", "(", " ", "\n", "$", "\u200b"),
]


def document(**fields):
    return DocumentChange(**{"what": "record", "id": "a-2001", "label": "A", "kind": "changed", **fields})


def field(text="x", number=False):
    return FieldChange(path="notes", before="", after=text, number=number)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_text_of_strangers_is_harmless(text):
    found = dataclasses.replace(EMPTY, documents=(document(label=text, fields=(field(text),)),))
    comment = diff_markdown(found)
    without_breaks = comment.replace("&#8203;", "")
    assert not re.search(r"<(?!/?details>|/?summary>)", comment)
    assert not re.search(r"@\w|(?<!&)#\d|gh-\d|://|www\.", comment, re.IGNORECASE)
    assert not re.search(r"(?<!\\)[\[`]", comment)
    assert not re.search(r"&(?!amp;|lt;|#8203;)", comment)
    assert alive_on_github(comment) == []
    assert "\u202e" not in comment
    assert "\x1b" not in comment
    for line in without_breaks.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5


@given(st.text(max_size=60))
def test_no_sign_is_left_alone(text):
    made = harmless(text)
    assert "\n" not in made
    assert "<" not in made
    assert not re.search(r"(?<!\\)\|", made)
    assert not re.search(r"@(?!&#8203;)", made)


@given(st.lists(st.sampled_from(PIECES), max_size=6).map("".join))
def test_no_pieces_put_together_make_a_link(text):
    made = harmless(text)
    for page in (
        f"| a |\n| --- |\n| {made} |\n",
        f"- {made}\n",
        f"<details><summary>{made}</summary>\n\nx\n</details>\n",
    ):
        assert alive_on_github(page) == []


@pytest.mark.parametrize("text", [text for text in HOSTILE if re.search("http|@octocat|#1|e000", text)])
def test_what_github_would_make_of_it_otherwise(text):
    assert alive_on_github(f"- {text}\n") != []


def test_numbers_and_names_of_records_stay_whole():
    for text in ("12345678", "1234567.89", "davis-2012", "ISRCTN10984917", "defaced", "0.1234567"):
        assert harmless(text) == text


def test_the_length_is_bounded_and_what_is_left_out_is_counted():
    fields = tuple(field(f"{index} {'@' * 150}", number=True) for index in range(3_000))
    findings = tuple(Finding(f"studies/{i}.yaml", 1, 1, "error", "check", "w" * 500, "f" * 500) for i in range(3_000))
    sides = [Side(numbers=Numbers(measure="RR", k=index, estimate=2.0, low=1.0, high=3.0)) for index in range(2)]
    analyses = tuple(
        AnalysisChange(
            id=f"a-{i}",
            title="t" * 300,
            purpose="living",
            kind="changed",
            before=sides[0],
            after=dataclasses.replace(sides[1], participants=float(i)),
        )
        for i in range(2_000)
    )
    found = dataclasses.replace(
        EMPTY,
        documents=(document(fields=fields),),
        analyses=analyses,
        gained=findings,
        lost=findings,
        unread_after=findings,
        rewritten=tuple(f"studies/{'r' * 50}-{i}.yaml" for i in range(3_000)),
    )
    comment = diff_markdown(found, ("n" * 5_000,))
    assert len(comment) <= MOST
    assert comment.count("<details>") == comment.count("</details>")
    for heading in ("Records that cannot be read", "Records, reviews and claims", "Analyses", "Checks gained"):
        assert heading in comment
    left_out = re.findall(r"^(\d+) of (\d+) rows are left out here\.$", comment, re.MULTILINE)
    assert "3000" in {total for _, total in left_out}
    assert all(0 < int(some) < int(total) for some, total in left_out)


def test_nothing_is_one_sentence():
    comment = diff_markdown(EMPTY)
    assert "Nothing changed: the two sides are the same." in comment
    assert "|" not in comment
    form = dataclasses.replace(EMPTY, rewritten=("studies/a-2001.yaml",))
    assert "Nothing changed but the form of 1 file (studies/a-2001.yaml)" in diff_markdown(form)


def test_numbers_that_differ_are_written_differently():
    sides = [Side(numbers=Numbers(measure="RR", k=2, estimate=value, low=1.0, high=3.0)) for value in (2.0, 2.0001)]
    change = AnalysisChange(id="a", title="A", purpose="living", kind="changed", before=sides[0], after=sides[1])
    (table,) = tables(dataclasses.replace(EMPTY, analyses=(change,)))
    assert table.rows[0][1:] == ("effect", "RR 2.0000 [1.0000–3.0000]", "RR 2.0001 [1.0000–3.0000]")
    assert table.rows[1][1] == "unchanged"


def test_an_analysis_that_cannot_run_says_so():
    before = Side(numbers=Numbers(measure="RR", k=2, estimate=2.0, low=1.0, high=3.0))
    change = AnalysisChange(
        id="a", title="A", purpose="living", kind="changed", before=before, after=Side(error="::error::no record")
    )
    failing, table = tables(dataclasses.replace(EMPTY, analyses=(change,)))
    assert failing.rows == (("a: A", "could be run", ": :error: :no record"),)
    assert ("a: A", "result", "–", "cannot be run: : :error: :no record") in table.rows


def test_analyses_of_the_same_pool_share_their_lines():
    sides = [Side(numbers=Numbers(measure="RR", k=2, estimate=value, low=1.0, high=3.0)) for value in (2.0, 2.5)]
    changes = tuple(
        AnalysisChange(id=name, title=name, purpose="living", kind="changed", before=sides[0], after=sides[1])
        for name in ("pool-by-a", "pool", "pool-by-b")
    )
    (table,) = tables(dataclasses.replace(EMPTY, analyses=changes))
    assert table.rows[0] == ("pool: pool", "effect", "RR 2.00 [1.00–3.00]", "RR 2.50 [1.00–3.00]")
    assert table.rows[2] == ("", "the same in", "pool-by-a, pool-by-b", "")
    assert len(table.rows) == 3


def test_the_summary_counts(tmp_path):
    old, new = write_pair(tmp_path)
    swap(new, ALPHA, "events: 30", "events: 36")
    found = compare_data(old, new)
    assert summary(found) == (
        "1 record changed.",
        "2 of 3 analyses have another result; 1 untouched.",
        "1 claim judged anew, 1 with another verdict.",
        "Checks find the same.",
    )


def test_it_is_the_same_each_time(tmp_path):
    old, new = write_pair(tmp_path)
    swap(new, ALPHA, "events: 30", "events: 36")
    (new / "studies" / "kappa-2010.yaml").unlink()
    code = (
        "import sys; from pathlib import Path; from ipsevidence.analysis.comparing import compare_data;"
        "from ipsevidence.report.diff_markdown import diff_markdown;"
        "print(diff_markdown(compare_data(Path(sys.argv[1]), Path(sys.argv[2]), names=('a', 'b'))))"
    )
    texts = {
        subprocess.run(
            [sys.executable, "-c", code, old, new],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("0", "1")
    }
    assert len(texts) == 1
