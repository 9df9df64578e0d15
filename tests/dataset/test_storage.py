"""Files are old or new, whatever happens."""

import os
import stat
from pathlib import Path

import pytest

from ipsevidence.dataset.storage import write_atomically, write_new


def test_writes_text_as_utf8_with_its_line_ends(tmp_path):
    path = tmp_path / "x.yaml"
    write_atomically(path, "é\n")
    assert path.read_bytes() == b"\xc3\xa9\n"
    write_atomically(path, b"\xff\r\n")
    assert path.read_bytes() == b"\xff\r\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="modes are those of POSIX")
def test_keeps_the_mode_and_gives_a_new_file_the_usual_one(tmp_path):
    path = tmp_path / "x.yaml"
    write_atomically(path, "a")
    plain = tmp_path / "plain"
    plain.write_text("a")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    path.chmod(0o640)
    write_atomically(path, "b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_follows_a_symbolic_link(tmp_path):
    real = tmp_path / "real.yaml"
    real.write_text("old")
    link = tmp_path / "link.yaml"
    link.symlink_to(real)
    write_atomically(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, step):
    path = tmp_path / "x.yaml"
    path.write_text("old")

    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "no" / "x.yaml", "a")


def test_a_folder_that_cannot_be_synced_does_no_harm(tmp_path, monkeypatch):
    original = os.open

    def refuse(path, flags, *rest):
        if Path(path) == tmp_path:
            raise PermissionError
        return original(path, flags, *rest)

    monkeypatch.setattr(os, "open", refuse)
    write_atomically(tmp_path / "x.yaml", "new")
    assert (tmp_path / "x.yaml").read_text() == "new"


def test_a_new_file_is_whole_and_one_that_is_there_stays(tmp_path):
    path = tmp_path / "x.yaml"
    write_new(path, "first")
    with pytest.raises(FileExistsError) as error:
        write_new(path, "second")
    assert error.value.filename == str(path)
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_takes_no_link_for_a_free_name(tmp_path):
    (tmp_path / "x.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "x.yaml", "new")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_system_without_links_keeps_what_is_there_too(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "x.yaml"
    write_new(path, "first")
    with pytest.raises(FileExistsError):
        write_new(path, "second")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]
