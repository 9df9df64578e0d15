"""The data of a git revision, in a real repository: what is written, and what is refused."""

import os
import shutil
import subprocess

import pytest

from ipsevidence.analysis import revisions
from ipsevidence.analysis.comparing import compare_data
from ipsevidence.analysis.revisions import RevisionError, default_base, materialised
from ipsevidence.core import InputError
from tests.analysis.twins import ALPHA, swap, write_data

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=")


def git(root, *arguments):
    done = subprocess.run(["git", *WHO, "-C", root, *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(root, message):
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", message)
    return git(root, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)


@pytest.fixture
def checkout(tmp_path):
    root = write_data(tmp_path / "checkout")
    git(root, "init", "-q", "-b", "main")
    commit(root, "first")
    return root


def files(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.yaml")}


def test_a_revision_holds_what_was_committed(checkout):
    before = files(checkout)
    swap(checkout, ALPHA, "events: 30", "events: 36")
    commit(checkout, "second")
    (checkout / ALPHA).unlink()
    with materialised(checkout, "HEAD~1") as revision:
        assert files(revision.root) == before
        assert revision.commit == git(checkout, "rev-parse", "HEAD~1")
    assert not revision.root.exists()


def test_a_dirty_tree_against_its_last_commit(checkout):
    swap(checkout, ALPHA, "events: 30", "events: 36")
    commit_, name = default_base(checkout)
    assert name == "HEAD"
    with materialised(checkout, commit_) as revision:
        found = compare_data(revision.root, checkout, names=("HEAD", "the working tree"))
    assert [one.id for one in found.documents] == ["alpha-2001"]
    assert {one.id for one in found.analyses} == {"two", "rule"}
    assert (checkout / ALPHA).read_text(encoding="utf-8").count("events: 36") == 1


def test_a_branch_is_compared_with_where_it_left_main(checkout):
    first = git(checkout, "rev-parse", "HEAD")
    git(checkout, "checkout", "-q", "-b", "a-trial")
    swap(checkout, ALPHA, "events: 30", "events: 36")
    commit(checkout, "on the branch")
    git(checkout, "checkout", "-q", "main")
    swap(checkout, "studies/beta-2002.yaml", "events: 24", "events: 25")
    commit(checkout, "on main, later")
    git(checkout, "checkout", "-q", "a-trial")
    assert default_base(checkout) == (first, "the merge base with main")


def test_a_clone_without_a_main_of_its_own(checkout, tmp_path):
    git(tmp_path, "clone", "-q", str(checkout), "clone")
    clone = tmp_path / "clone"
    git(clone, "checkout", "-q", "-b", "mine")
    git(clone, "branch", "-q", "-D", "main")
    swap(clone, ALPHA, "events: 30", "events: 36")
    commit(clone, "mine")
    assert default_base(clone) == (git(checkout, "rev-parse", "HEAD"), "the merge base with origin/main")


def test_without_main_the_last_commit_counts(tmp_path):
    root = write_data(tmp_path / "other")
    git(root, "init", "-q", "-b", "trunk")
    last = commit(root, "first")
    assert default_base(root) == (last, "HEAD")


def test_data_below_the_top_of_the_repository(tmp_path):
    top = tmp_path / "top"
    root = write_data(top / "data" / "evidence")
    git(top, "init", "-q", "-b", "main")
    commit(top, "first")
    with materialised(root, "main") as revision:
        assert files(revision.root) == files(root)


def test_attributes_and_filters_are_not_applied(checkout):
    (checkout / ".gitattributes").write_text("*.yaml export-ignore filter=evil ident eol=crlf\n", encoding="utf-8")
    git(checkout, "config", "filter.evil.smudge", f"touch {checkout / 'ran'}; cat")
    git(checkout, "add", ".gitattributes")
    git(checkout, "commit", "-q", "-m", "attributes")
    (checkout / "ran").unlink(missing_ok=True)
    before = files(checkout)
    with materialised(checkout, "HEAD") as revision:
        assert files(revision.root) == before
    assert not (checkout / "ran").exists()


def test_only_yaml_of_the_known_folders(checkout):
    (checkout / "analyses" / "results").mkdir()
    (checkout / "analyses" / "results" / "two.yaml").write_text("a: 1\n", encoding="utf-8")
    (checkout / "studies" / "readme.md").write_text("words\n", encoding="utf-8")
    commit(checkout, "more")
    with materialised(checkout, "HEAD") as revision:
        names = {path.relative_to(revision.root).as_posix() for path in revision.root.rglob("*") if path.is_file()}
    assert "studies/readme.md" not in names
    assert "analyses/results/two.yaml" not in names
    assert "analyses/claims/above-one.yaml" in names


@pytest.mark.parametrize(
    "name",
    [
        "--output=/etc/passwd",
        "-h",
        "",
        " main",
        "main..HEAD",
        "main...HEAD",
        "^main",
        "HEAD:studies",
        ":/first",
        "main;ls",
        "$(ls)",
        "main\nHEAD",
        "main\0",
        "a" * 300,
        "ma\u202ein",
    ],
)
def test_names_that_are_none(checkout, name):
    with pytest.raises(RevisionError, match="the revision must be"), materialised(checkout, name):
        pass


@pytest.mark.parametrize("name", ["nowhere", "HEAD~9", "0" * 40, "main^{tree}", "deadbeef"])
def test_revisions_that_are_not_there(checkout, name):
    with pytest.raises(RevisionError, match="there is no revision"), materialised(checkout, name):
        pass


def test_outside_a_repository(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    root = write_data(tmp_path / "plain")
    with pytest.raises(RevisionError, match="is in no git working tree"):
        default_base(root)
    with pytest.raises(InputError, match="name two folders"), materialised(root, "main"):
        pass


def test_a_variable_of_another_repository_is_not_followed(checkout, tmp_path, monkeypatch):
    other = write_data(tmp_path / "other")
    git(other, "init", "-q", "-b", "main")
    here = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert default_base(checkout) == (here, "HEAD")


def test_a_repository_without_a_commit(tmp_path):
    root = write_data(tmp_path / "empty")
    git(root, "init", "-q", "-b", "main")
    with pytest.raises(RevisionError, match="no commit yet"):
        default_base(root)


def test_a_revision_without_records(tmp_path):
    root = tmp_path / "bare"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    git(root, "commit", "-q", "--allow-empty", "-m", "nothing")
    with pytest.raises(RevisionError, match="HEAD holds no records"), materialised(root, "HEAD"):
        pass


def test_a_symbolic_link_is_refused(checkout):
    (checkout / "studies" / "omega-2012.yaml").symlink_to("/etc/passwd")
    commit(checkout, "a link")
    with pytest.raises(RevisionError, match="no ordinary file"), materialised(checkout, "HEAD"):
        pass


@pytest.mark.parametrize(("bound", "value"), [("MOST_FILES", 5), ("MOST_BYTES", 1000)])
def test_more_than_the_bounds_is_refused_unread(checkout, monkeypatch, bound, value):
    monkeypatch.setattr(revisions, bound, value)
    with pytest.raises(RevisionError, match="more than"), materialised(checkout, "HEAD"):
        pass


def test_without_git(checkout, monkeypatch):
    monkeypatch.setenv("PATH", str(checkout / "nowhere"))
    with pytest.raises(RevisionError, match="git is not installed"):
        default_base(checkout)


def test_a_damaged_repository_is_said(checkout):
    blob = git(checkout, "rev-parse", f"HEAD:{ALPHA}")
    path = checkout / ".git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o600)
    path.unlink()
    with (
        pytest.raises(RevisionError, match=r"git does not have studies/alpha-2001\.yaml of HEAD"),
        materialised(checkout, "HEAD"),
    ):
        pass
