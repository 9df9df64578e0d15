"""`from-issue` writes one new file, never over another."""

import json
from pathlib import Path

import pytest

from ipsevidence.terminal.issues import record_from_issue
from tests.toy import ABOUT

SAVED = Path(__file__).parents[1] / "data" / "issue_forms"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT)
    return tmp_path


def test_writes_the_record_and_says_where(root, capsys):
    assert record_from_issue(SAVED / "counts.md", root, check=False, as_json=False, quiet=False)
    path = root / "studies" / "oberg-2024.yaml"
    assert path.read_bytes() == (SAVED / "counts.yaml").read_bytes()
    assert capsys.readouterr().out == f"written: {path}\n"


def test_never_overwrites(root):
    path = root / "studies" / "oberg-2024.yaml"
    path.write_text("mine")
    with pytest.raises(FileExistsError) as error:
        record_from_issue(SAVED / "counts.md", root, check=False, as_json=False, quiet=False)
    assert error.value.filename == str(path)
    assert path.read_text() == "mine"


def test_never_writes_through_a_link(root, tmp_path):
    (root / "studies" / "oberg-2024.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        record_from_issue(SAVED / "counts.md", root, check=False, as_json=False, quiet=False)
    assert not (tmp_path / "elsewhere").exists()


def test_check_writes_nothing_and_shows_the_record(root, capsys):
    assert record_from_issue(SAVED / "counts.md", root, check=True, as_json=False, quiet=True)
    assert capsys.readouterr().out == (SAVED / "counts.yaml").read_text(encoding="utf-8")
    assert [path.name for path in (root / "studies").iterdir()] == ["_dataset.yaml"]


def test_a_form_that_is_wrong_gives_findings_and_no_file(root, tmp_path, capsys):
    form = tmp_path / "form.md"
    form.write_text((SAVED / "counts.md").read_text(encoding="utf-8").replace("\n61\n", "\n6l\n"), encoding="utf-8")
    assert not record_from_issue(form, root, check=False, as_json=True, quiet=False)
    told = json.loads(capsys.readouterr().out)["data"]
    assert (told["record"], told["file"], told["findings"][0]["check"]) == (None, None, "wrong-type")
    assert not record_from_issue(form, root, check=False, as_json=False, quiet=False)
    assert "1 finding; no record was written" in capsys.readouterr().out
    assert [path.name for path in (root / "studies").iterdir()] == ["_dataset.yaml"]
