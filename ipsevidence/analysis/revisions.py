"""The data of a git revision, written into a temporary folder: blobs only, no filters, no shell, within bounds."""

import contextlib
import dataclasses
import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from ipsevidence.core import InputError

__all__ = ["Revision", "RevisionError", "default_base", "materialised"]

FOLDERS: Final = ("studies", "analyses", "analyses/published", "analyses/claims")
"""Folders whose YAML files are taken, without what lies deeper."""

MOST_FILES: Final = 5_000
MOST_BYTES: Final = 64 * 1024 * 1024
"""The most that a revision may hold; beyond it is refused before anything is read."""

_SECONDS: Final = 60.0
_NAME: Final = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9_@{}./~^+-]{0,199}")
_BRANCHES: Final = (("main", "refs/heads/main"), ("origin/main", "refs/remotes/origin/main"))
_OF_ANOTHER_PLACE: Final = frozenset(
    (
        "GIT_DIR",
        "GIT_WORK_TREE",
        "GIT_COMMON_DIR",
        "GIT_INDEX_FILE",
        "GIT_OBJECT_DIRECTORY",
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_NAMESPACE",
        "GIT_PREFIX",
    )
)
_FIXED: Final = ("--no-pager", "--no-replace-objects", "--literal-pathspecs")


class RevisionError(InputError):
    """A revision that cannot be had: no git, no repository, no such revision, or not of the form of our data."""

    def __init__(self, message: str) -> None:
        super().__init__(message, parameter="base")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """The data of one revision.

    Attributes
    ----------
    name : str
        As it was asked for.
    commit : str
        Its full object id.
    root : Path
        The temporary folder with studies/ and analyses/; it is gone when the context ends.
    """

    name: str
    commit: str
    root: Path


class _Blob(NamedTuple):
    object_id: str
    size: int
    path: str


def default_base(root: Path) -> tuple[str, str]:
    """Return the commit that a working tree is compared with where none is named.

    Parameters
    ----------
    root : Path
        A folder inside the working tree.

    Returns
    -------
    commit, name : str
        The merge base of HEAD with ``main``, or else with ``origin/main``, or else HEAD; and which of these it is.

    Raises
    ------
    RevisionError
        If the folder is in no git working tree, or the repository has no commit.
    """
    _inside(root)
    head = _commit(root, "HEAD")
    if head is None:
        raise RevisionError("the repository has no commit yet: there is nothing to compare with")
    for name, reference in _BRANCHES:
        commit = _commit(root, reference)
        if commit is None:
            continue
        done = _git(root, "merge-base", head, commit)
        common = done.stdout.decode("ascii", "replace").strip()
        if done.returncode == 0 and common:
            return common, "HEAD" if common == head else f"the merge base with {name}"
    return head, "HEAD"


@contextlib.contextmanager
def materialised(root: Path, name: str) -> Iterator[Revision]:
    """Write the records, specs, reviews and claims of a revision into a temporary folder for as long as it is needed.

    The index and the working tree are not looked at, so it does not matter whether they are clean.

    Parameters
    ----------
    root : Path
        The folder of the working tree that holds studies/ and analyses/.
    name : str
        A branch, tag, commit, or such as ``HEAD~2``; neither a range nor a path.

    Yields
    ------
    Revision

    Raises
    ------
    RevisionError
        If git is not installed or fails, the folder is in no working tree, the name is none, there is no such
        revision, it holds no studies/ there, a symbolic link among its files, or more than the bounds allow.
    """
    _inside(root)
    if _NAME.fullmatch(name) is None or ".." in name:
        raise RevisionError(
            f"the revision must be a branch, a tag, a commit or such as HEAD~2; got {name[:80]!r}",
        )
    commit = _commit(root, name)
    if commit is None:
        raise RevisionError(f"there is no revision {name!r} in this repository; if it is on a remote, fetch it first")
    blobs = _listed(root, commit, name)
    with tempfile.TemporaryDirectory(prefix="ipsevidence-") as place:
        _write(root, blobs, Path(place))
        yield Revision(name=name, commit=commit, root=Path(place))


def _inside(root: Path) -> None:
    done = _git(root, "rev-parse", "--is-inside-work-tree")
    if done.returncode != 0 or done.stdout.strip() != b"true":
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = f" ({said[0]})" if said else ""
        raise RevisionError(f"{root} is in no git working tree{why}; name two folders, the old and the new")


def _commit(root: Path, name: str) -> str | None:
    done = _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    found = done.stdout.decode("ascii", "replace").strip()
    return found if done.returncode == 0 and re.fullmatch(r"[0-9a-f]{40,64}", found) else None


def _listed(root: Path, commit: str, name: str) -> tuple[_Blob, ...]:
    """List the files that are wanted of a commit; paths are relative to the folder of the data."""
    done = _succeeded(_git(root, "ls-tree", "-r", "-z", "--long", commit, "--", "studies", "analyses"))
    blobs = []
    for line in done.stdout.split(b"\0"):
        if not line:
            continue
        facts, _, raw = line.partition(b"\t")
        path = os.fsdecode(raw)
        folder, _, file = path.rpartition("/")
        if folder not in FOLDERS or not file.endswith(".yaml"):
            continue
        mode, _, object_id, size = facts.decode("ascii").split()
        if mode not in ("100644", "100755"):
            raise RevisionError(f"{path} is no ordinary file in {name}; links are not followed")
        if set(file) & set('\\:*?"<>|'):
            raise RevisionError(f"the name of a file in {name} holds a sign that not every system takes: {path!r}")
        if not size.isdecimal():  # a damaged repository, or a clone without the content of files
            raise RevisionError(f"git does not have {path} of {name}; fetch the revision as a whole")
        blobs.append(_Blob(object_id, int(size), path))
    if not any(blob.path.startswith("studies/") for blob in blobs):
        raise RevisionError(f"{name} holds no records in studies/")
    if len(blobs) > MOST_FILES or sum(blob.size for blob in blobs) > MOST_BYTES:
        raise RevisionError(f"{name} holds more than {MOST_FILES:,} files or {MOST_BYTES // 2**20} MB of YAML")
    return tuple(blobs)


def _write(root: Path, blobs: Sequence[_Blob], place: Path) -> None:
    """Write the files as they were committed: `cat-file` applies no filter and no attribute."""
    for folder in FOLDERS:
        (place / folder).mkdir(parents=True, exist_ok=True)
    wanted = "".join(f"{blob.object_id}\n" for blob in blobs)
    content = _succeeded(_git(root, "cat-file", "--batch", given=wanted.encode("ascii"))).stdout
    at = 0
    for blob in blobs:
        head = f"{blob.object_id} blob {blob.size}\n".encode("ascii")
        start = at + len(head)
        if content[at:start] != head or len(content) <= start + blob.size:
            raise RevisionError(f"git does not give {blob.path}: the object is missing or damaged")
        (place / blob.path).write_bytes(content[start : start + blob.size])
        at = start + blob.size + 1


def _git(root: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git with fixed arguments, without a shell, without asking anybody and without fetching anything."""
    kept = {key: value for key, value in os.environ.items() if key not in _OF_ANOTHER_PLACE}
    quiet = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
    command = ["git", *_FIXED, "-C", str(root.resolve()), *arguments]
    try:
        return subprocess.run(  # noqa: S603 (an argument list; names of revisions are checked before)
            command, input=given, capture_output=True, check=False, timeout=_SECONDS, env=kept | quiet
        )
    except FileNotFoundError:
        raise RevisionError("git is not installed; name two folders, the old and the new") from None
    except subprocess.TimeoutExpired:
        raise RevisionError(f"git did not answer within {_SECONDS:g} seconds") from None


def _succeeded(done: subprocess.CompletedProcess[bytes]) -> subprocess.CompletedProcess[bytes]:
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise RevisionError(f"git failed: {said[0] if said else f'exit code {done.returncode}'}")
    return done
