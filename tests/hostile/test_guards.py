"""Each guard, taken away: what it stops then gets through, so its test can fail."""

import contextlib
import os
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from ipsevidence.analysis import usertables
from ipsevidence.core import InputError
from ipsevidence.dataset import annotating, building, decoding, issue_forms, reader, starting, storage, writer
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import ReadError, parse, plain
from ipsevidence.dataset.record import Report, Study
from tests.dataset.test_issue_forms import COUNTS
from tests.hostile import killing
from tests.test_workflows import inside_the_fence, open_to_strangers, rights_given_away, strange_code, tool
from tests.toy import STUDIES


def gets_through(text):
    try:
        parse(text.encode(), file="x")
    except ReadError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "module", "guard", "without"),
    [
        ("a: " + "[" * 40 + "]" * 40 + "\n", building, "DEPTH", 10**6),
        ("a: [" + "1, " * 20_001 + "]\n", building, "NODES", 10**9),
        ("a: " + "x" * (256 * 1024) + "\n", decoding, "SIZE", 10**9),
        ("a: \u202ex\n", decoding, "hidden", lambda _: iter(())),
        ("lаbel: x\n", building, "is_key", lambda _: True),
        ("a: 1e99999\n", building, "doubt", lambda _: None),
        ("a: " + "9" * 5000 + "\n", building, "doubt", lambda _: None),
        ("a: NO\n", building, "doubt", lambda _: None),
    ],
)
def test_of_the_reader(monkeypatch, text, module, guard, without):
    assert not gets_through(text)
    monkeypatch.setattr(module, guard, without)
    monkeypatch.setattr(building, "_SETTLED", set())
    monkeypatch.setattr(building, "_GOOD_KEYS", set())
    if guard == "is_key":
        monkeypatch.setattr(building, "is_plain_key", without)
    assert gets_through(text)


@pytest.mark.parametrize(
    ("text", "guard"),
    [("a: *x\n", "_alias"), ("a: !x word\n", "_note_properties"), ("a: &x word\n", "_note_properties")],
)
def test_of_the_builder(monkeypatch, text, guard):
    assert not gets_through(text)
    monkeypatch.setattr(building.Builder, guard, lambda *_: reader.Scalar("x", True, reader.Mark(1, 1)))
    assert gets_through(text)


def test_of_annotations(monkeypatch):
    evil = Finding("x\n", 1, 1, "error", "tab", "w", "f")
    object.__setattr__(evil, "what", "\n::stop-commands::x")
    assert len(annotating.github_annotations([evil])[0].splitlines()) == 1
    monkeypatch.setattr(annotating, "_data", lambda text: text)
    assert len(annotating.github_annotations([evil])[0].splitlines()) == 2


def test_of_the_comment(monkeypatch):
    tools = tool("comment")
    plain = inside_the_fence(tools.comment("x", "", "success", "", ""))[1]
    assert inside_the_fence(tools.comment("@all", "", "success", "", ""))[1] == plain
    monkeypatch.setattr(tools, "fenced", lambda text: text)
    assert inside_the_fence(tools.comment("@all", "", "success", "", ""))[1] != plain


def test_of_new_files(monkeypatch, tmp_path):
    path = tmp_path / "x"
    path.write_text("mine")
    with pytest.raises(FileExistsError):
        storage.write_new(path, "theirs")
    monkeypatch.setattr(os, "link", os.replace)
    storage.write_new(path, "theirs")
    assert path.read_text() == "theirs"


class OpenReport(Report):
    url: str | None = None


class OpenStudy(Study):
    """A record whose ids and addresses may be anything."""

    id: str
    reports: tuple[OpenReport, ...]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: alpha-2001", 'id: "../../../tmp/x"'),
        ("year: 2001}", 'year: 2001, url: "javascript:alert(1)"}'),
        ("year: 2001}", 'year: 2001, url: "https://user:word@evil.example/"}'),
    ],
)
def test_of_ids_and_addresses(old, new):
    text = STUDIES["alpha-2001"].replace(old, new)
    assert text != STUDIES["alpha-2001"]
    with pytest.raises(ReadError):
        reader.read(text.encode(), Study, file="x")
    study, _ = reader.read(text.encode(), OpenStudy, file="x")
    assert "../" in study.id or not study.reports[0].url.startswith("https://evil")


def test_of_the_id_of_a_new_record(monkeypatch):
    values = {"author": ["A"], "year": ["2001"], "read": ["abstract"], "country": ["NO"], "group": ["smi"]}
    arms = [{"treatment": "ips"}, {"treatment": "treatment-as-usual"}]
    given = {"today": "2026-11-21", "study_id": "../../x"}
    with pytest.raises(InputError):
        starting.new_record(starting.TEMPLATES["two-arm"], values, arms, **given)
    monkeypatch.setattr(starting, "_ID", re.compile(".*"))
    assert starting.new_record(starting.TEMPLATES["two-arm"], values, arms, **given).id == "../../x"


def test_of_the_headings_of_a_form(monkeypatch):
    body = COUNTS.replace("### Before you send", "### First author\n\nMallory\n\n### Before you send")
    assert body != COUNTS
    assert issue_forms.record_of_form(body.encode(), file="f").text is None
    monkeypatch.setattr(issue_forms, "_answers", last_answers)
    assert "Mallory" in issue_forms.record_of_form(body.encode(), file="f").text


def last_answers(text, _file, _findings):
    """Take a form apart at its headings, wherever they stand and however often."""
    ids = {field.label: field.id for field in issue_forms.FIELDS} | {issue_forms._BOXES: issue_forms._BOXES}
    parts = [part.partition("\n") for part in text.split("### ")[1:]]
    return {ids[head.strip()]: issue_forms._Answer(rest.strip(), 1) for head, _, rest in parts if head.strip() in ids}


def test_of_text_that_looks_like_yaml(monkeypatch):
    node = {"notes": "x\nstatus: excluded", "id": "a: b"}
    assert plain(parse(starting.written(node, Study).encode(), file="x")) == node
    monkeypatch.setattr(writer, "_quoted", lambda text: text)
    with pytest.raises(ReadError):
        parse(starting.written(node, Study).encode(), file="x")


def test_of_the_archive(tmp_path, monkeypatch):
    tools = tool("comment")
    archive = tmp_path / "effect.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("effect.txt", b"0" * 1_000_000)
    assert len(tools.text_in(archive, "effect.txt")) == 4 * tools.LONGEST
    monkeypatch.setattr(tools, "LONGEST", 10**9)
    assert len(tools.text_in(archive, "effect.txt")) == 1_000_000


def test_of_a_workbook(tmp_path, monkeypatch):
    path = tmp_path / "x.xlsx"
    book = openpyxl.Workbook()
    for row in (("study", "yi", "vi"), ("A", 1, 1), ("B", 1, 1)):
        book.active.append(row)
    book.save(path)
    assert len(usertables.rows_from_table(path)) == 2
    monkeypatch.setattr(usertables, "_UNPACKED", 100)
    with pytest.raises(usertables.TableError, match="unpacks"):
        usertables.rows_from_table(path)


TITLE = "${{ github.event.pull_request.title }}"


@pytest.mark.parametrize(
    "step",
    [
        {"run": f"echo {TITLE}"},
        {"uses": "actions/checkout@v6", "with": {"persist-credentials": False}},
        {"uses": f"evil/action@{'a' * 40}"},
        {"uses": f"actions/checkout@{'a' * 40}"},
    ],
)
def test_of_the_steps_of_workflows(step):
    assert open_to_strangers(step)


def test_of_the_rights_of_workflows():
    assert rights_given_away({"pull_request_target": None}, "")
    assert rights_given_away({"pull_request": None}, "${{ secrets.X }}")
    assert rights_given_away({"pull_request": None}, "contents: write")
    assert not rights_given_away({"pull_request": None}, "contents: read")
    ours = {"uses": "actions/checkout@x", "with": {"ref": "${{ github.event.repository.default_branch }}"}}
    theirs = {"uses": "actions/checkout@x", "with": {"ref": "${{ github.event.workflow_run.head_sha }}"}}
    unpacked = {"uses": "actions/download-artifact@x"}
    assert not strange_code({"steps": [ours]})
    assert strange_code({"steps": [ours, theirs]})
    assert strange_code({"steps": [ours, unpacked]})


def test_of_the_writer_of_files(monkeypatch, tmp_path):
    """Without the temporary file a program that ends half-way leaves half a file."""
    path = tmp_path / "x"
    path.write_text("old")

    def cut(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(KeyboardInterrupt):
        storage.write_atomically(path, "new and longer")
    assert path.read_text() == "old"
    monkeypatch.setattr(storage, "_part", half_written)
    with pytest.raises(KeyboardInterrupt):
        storage.write_atomically(path, "new and longer")
    assert path.read_text() == "new a"


@contextlib.contextmanager
def half_written(target, content):
    target.write_text(content[:5])
    os.fsync(0)
    yield target


def test_of_whole_files(tmp_path):
    for name, text in (("old", "old file"), ("new", "new file"), ("live", "new file")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(text)
    folders = [tmp_path / name for name in ("live", "old", "new")]
    assert killing.look(*folders) == {"new": 1}
    (tmp_path / "live" / "x").write_text("new fi")  # what a plain write leaves when it is killed
    with pytest.raises(AssertionError, match="neither old nor new"):
        killing.look(*folders)


def test_every_threat_of_the_page_names_its_test_and_that_of_its_guard():
    root = Path(__file__).parents[2]
    rows = [
        line for line in (root / "docs" / "security.md").read_text(encoding="utf-8").splitlines() if "tests/" in line
    ]
    named = [re.findall(r"`(tests/[^`]+)`", row) for row in rows if row.startswith("| ")]
    assert len(named) > 25
    for test, guard in named:
        for place in (test, guard):
            file, _, function = place.partition("::")
            assert f"def {function}(" in (root / file).read_text(encoding="utf-8"), place
