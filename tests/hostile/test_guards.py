"""Each guard, taken away: what it stops then gets through, so its test can fail."""

import os
import re
from pathlib import Path

import pytest

from ipsevidence.dataset import annotating, reader, storage
from ipsevidence.dataset.findings import Finding
from ipsevidence.dataset.reader import ReadError, parse
from tests.hostile import killing
from tests.test_workflows import inside_the_fence, tool


def gets_through(text):
    try:
        parse(text.encode(), file="x")
    except ReadError:
        return False
    return True


@pytest.mark.parametrize(
    ("text", "guard", "without"),
    [
        ("a: " + "[" * 40 + "]" * 40 + "\n", "DEPTH", 10**6),
        ("a: [" + "1, " * 20_001 + "]\n", "NODES", 10**9),
        ("a: " + "x" * (256 * 1024) + "\n", "SIZE", 10**9),
        ("a: \u202ex\n", "hidden", lambda _: iter(())),
        ("lаbel: x\n", "is_key", lambda _: True),
        ("a: 1e99999\n", "doubt", lambda _: None),
        ("a: " + "9" * 5000 + "\n", "doubt", lambda _: None),
        ("a: NO\n", "doubt", lambda _: None),
    ],
)
def test_of_the_reader(monkeypatch, text, guard, without):
    assert not gets_through(text)
    monkeypatch.setattr(reader, guard, without)
    monkeypatch.setattr(reader, "_SETTLED", set())
    monkeypatch.setattr(reader, "_GOOD_KEYS", set())
    if guard == "is_key":
        monkeypatch.setattr(reader, "is_plain_key", without)
    assert gets_through(text)


@pytest.mark.parametrize(
    ("text", "guard"),
    [("a: *x\n", "_alias"), ("a: !x word\n", "_note_properties"), ("a: &x word\n", "_note_properties")],
)
def test_of_the_builder(monkeypatch, text, guard):
    assert not gets_through(text)
    monkeypatch.setattr(reader._Builder, guard, lambda *_: reader.Scalar("x", True, reader.Mark(1, 1)))
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


def test_of_whole_files(tmp_path):
    for name, text in (("old", "old file"), ("new", "new file"), ("live", "new file")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_text(text)
    folders = [tmp_path / name for name in ("live", "old", "new")]
    assert killing.look(*folders) == {"new": 1}
    (tmp_path / "live" / "x").write_text("new fi")  # what a plain write leaves when it is killed
    with pytest.raises(AssertionError, match="neither old nor new"):
        killing.look(*folders)


def test_every_threat_of_the_page_names_a_test_that_exists():
    root = Path(__file__).parents[2]
    rows = [
        line for line in (root / "docs" / "security.md").read_text(encoding="utf-8").splitlines() if "tests/" in line
    ]
    named = [re.findall(r"`(tests/[^`]+)`", row) for row in rows if row.startswith("| ")]
    assert len(named) > 25
    for (place,) in named:
        file, _, function = place.partition("::")
        assert f"def {function}(" in (root / file).read_text(encoding="utf-8") or not function, place
