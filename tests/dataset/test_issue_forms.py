"""A form on the web becomes a record, or says why not; nothing that anybody writes into it becomes anything else."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.dataset.findings import hidden
from ipsevidence.dataset.issue_forms import FIELDS, PROMISES, record_of_form
from ipsevidence.dataset.reader import SIZE, read
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.writer import canonical

ROOT = Path(__file__).parents[2]
SAVED = ROOT / "tests" / "data" / "issue_forms"
COUNTS = (SAVED / "counts.md").read_bytes().decode().replace("\r\n", "\n")


def answered(**changes):
    """Return the saved form with other answers, by field."""
    labels = {field.id: field.label for field in FIELDS}
    text = COUNTS
    for name, answer in changes.items():
        label = labels[name.replace("_", "-")]
        head, rest = text.split(f"### {label}\n\n", 1)
        text = f"{head}### {label}\n\n{answer}\n\n###{rest.split('###', 1)[1]}"
    return record_of_form(text.encode(), file="form.md")


def told(result):
    return [(finding.check, finding.what) for finding in result.findings]


def test_a_saved_form_gives_the_record_it_should():
    found = record_of_form((SAVED / "counts.md").read_bytes(), file="counts.md")
    assert (found.id, found.text) == ("oberg-2024", (SAVED / "counts.yaml").read_text(encoding="utf-8"))
    assert found.findings == ()


def test_percents_become_percents_and_two_arms_of_one_treatment_two_ids():
    found = record_of_form((SAVED / "percents.md").read_bytes(), file="percents.md")
    study, tree = read(found.text.encode(), Study, file="x.yaml")
    assert [(r.kind, str(r.percent.value), int(r.n.value)) for r in study.outcomes[0].readings] == [
        ("percent", "46", 61),
        ("percent", "25.4", 59),
    ]
    assert [arm.id for arm in study.arms] == ["ips", "ips-2"]
    assert study.notes == "A third arm of 12.\n\n### Methods\n\nSee page 4."
    assert canonical(tree, Study) == found.text


def test_the_form_on_the_web_is_the_form_that_is_read():
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "new-trial.yml").read_text(encoding="utf-8"))
    parts = [part for part in form["body"] if part["type"] != "markdown"]
    kinds = {"choice": "dropdown", "long": "textarea"}
    expected = [(f.id, f.label, kinds.get(f.kind, "input"), f.required, list(f.choices)) for f in FIELDS]
    shown = [
        (p["id"], p["attributes"]["label"], p["type"], p["validations"]["required"], p["attributes"].get("options", []))
        for p in parts[:-1]
    ]
    assert shown == expected
    boxes = parts[-1]["attributes"]
    assert boxes["label"] == "Before you send"
    assert [(box["label"], box["required"]) for box in boxes["options"]] == [(promise, True) for promise in PROMISES]


@pytest.mark.parametrize(
    ("field", "answer", "check"),
    [
        ("author", "../../etc/passwd", None),
        ("author", "С", "wrong-form"),
        ("author", "_No response_", "missing-key"),
        ("year", "2024\n\nx: 1", "wrong-form"),
        ("year", "24", "wrong-form"),
        ("doi", "https://doi.org/10.1/x", "wrong-form"),
        ("url", "javascript:alert(1)", "wrong-form"),
        ("url", 'https://x.org/"><script>', "wrong-form"),
        ("countries", "NO, XX", "wrong-form"),
        ("countries", "no", "wrong-form"),
        ("read", "none", "not-in-list"),
        ("design", "!!python/object/apply:os.system", "not-in-list"),
        ("n_1", "6l", "wrong-type"),
        ("n_1", "9" * 5000, "wrong-length"),
        ("n_1", "1e9", "wrong-type"),
        ("n_1", "-5", "wrong-type"),
        ("events_1", "٢٨", "wrong-type"),
        ("events_1", "28,5%", "wrong-type"),
        ("events_1", "-4%", "out-of-range"),
        ("events_1", "4%%", "wrong-type"),
        ("estimate", "1.81e400", "wrong-type"),
        ("months", "-12", "out-of-range"),
        ("people", "a\u202eb", "hidden-character"),
        ("people", "a\u200bb", "hidden-character"),
        ("people", "x" * 501, "wrong-length"),
        ("notes", "x" * 4001, "wrong-length"),
        ("low", "_No response_", "invalid-value"),
        ("measure", "_No response_", "invalid-value"),
    ],
)
def test_an_answer_that_does_not_fit_its_field(field, answer, check):
    found = answered(**{field: answer})
    if check is None:
        assert found.id == "etc-passwd-2024"
        return
    assert found.text is None
    assert [name for name, _ in told(found)] == [check]
    assert 1 <= found.findings[0].line <= COUNTS.count("\n") + 3


def test_an_id_stays_inside_its_folder():
    for author in ("..", "/", "a/../../b", "C:\\x", "-", "con.yaml/..", "%2e%2e"):
        found = answered(author=author)
        assert found.id is None or found.id.replace("-", "").isalnum(), author


def test_a_heading_of_the_form_inside_an_answer_is_refused():
    found = answered(notes="see below\n\n### First author\n\nMallory")
    assert told(found) == [("wrong-form", "the heading `First author` stands where `Before you send` should")]
    twice = record_of_form((COUNTS + "\n\n### Year\n\n1999\n").encode(), file="f")
    assert told(twice) == [("wrong-form", "the heading `Year` stands twice")]


def test_a_form_with_a_field_less_is_refused():
    found = record_of_form(COUNTS.replace("### Year\n", "").encode(), file="f")
    assert told(found) == [("wrong-form", "the heading `Citation` stands where `Year` should")]
    assert told(record_of_form(b"", file="f")) == [("wrong-form", "the heading `First author` is missing")]


def test_an_unticked_box_is_refused():
    found = record_of_form(COUNTS.replace("[X]", "[ ]", 1).encode(), file="f")
    assert told(found) == [("missing-key", f"not ticked: {PROMISES[0]}")]


def test_bytes_that_are_no_form():
    assert told(record_of_form(b"\xff", file="f"))[0][0] == "not-utf8"
    assert told(record_of_form(b"x" * (SIZE + 1), file="f"))[0][0] == "too-large"


def test_the_checks_of_records_see_what_the_form_gave():
    found = answered(events_1="61", events_2="0")  # no longer a risk ratio of 1.81
    assert found.text is not None
    assert any(finding.severity == "error" for finding in found.findings)


@pytest.mark.parametrize(
    "text",
    [
        "key: value # not a comment",
        "*alias &anchor !tag",
        "| pipe",
        "- item\n- item",
        '"quoted" \\ back',
        "=1+1",
        "no",
        "12:30",
        "<script>alert(1)</script>",
        "{a: b}",
        "---",
    ],
)
def test_text_that_looks_like_yaml_stays_text(text):
    found = answered(notes=text)
    assert read(found.text.encode(), Study, file="x.yaml")[0].notes == text


@given(st.sampled_from([field.id.replace("-", "_") for field in FIELDS]), st.text(max_size=60))
def test_any_answer_gives_a_record_that_can_be_read_or_findings(field, answer):
    found = answered(**{field: answer})
    if found.text is None:
        assert found.findings
        assert not any(match for finding in found.findings for match in hidden(finding.what + finding.fix))
    else:
        study, tree = read(found.text.encode(), Study, file="x.yaml")
        assert canonical(tree, Study) == found.text
        assert study.id == found.id
