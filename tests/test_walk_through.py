"""The walk-through of CONTRIBUTING.md, command by command: it ends clean, and prints what the page says.

IPSEVIDENCE_WRITE_TRANSCRIPT=1 writes what was printed into the page.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "CONTRIBUTING.md"
# A few trials, named, so that a new one in the dataset does not change the page.
RECORDS = (
    "_dataset",
    "bejerholm-2015",
    "bond-2007",
    "burns-2007",
    "drake-1999",
    "howard-2010",
    "rodriguez-pulido-2018",
    "wong-2008",
)
ANALYSES = ("primary", "primary-veterans-ptsd")
SECTION = re.compile(r"<!-- walk-through: begin -->\n\n```console\n(.*?)```\n\n<!-- walk-through: end -->", re.DOTALL)


def steps(text):
    """Return the commands with what each prints: a command goes on where its line ends with a backslash."""
    found = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        elif found and found[-1][0].endswith("\\") and not found[-1][1]:
            found[-1][0] += f"\n{line}"
        else:
            found[-1][1] += f"{line}\n"
    return found


@pytest.fixture
def checkout(tmp_path):
    """A small copy of the dataset as a git checkout, in which the trial was never entered."""
    root = tmp_path / "checkout"
    for name in (*(f"studies/{name}.yaml" for name in RECORDS), *(f"analyses/{name}.yaml" for name in ANALYSES)):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "base"]):
        git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false", *arguments]
        subprocess.run(git, cwd=root, check=True)
    return root


def printed(command, root):
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_COLOR": "1"}
    environment.pop("IPSEVIDENCE_DATA", None)
    run = subprocess.run(
        ["bash", "-c", command],
        cwd=root,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    lines = [line.rstrip() for line in run.stdout.replace(str(root), "~/checkout").splitlines()]
    # the day and the commit are those of the run
    text = re.sub(r"\b\d{4}-\d{2}-\d{2}\b", "2026-11-21", "\n".join([*lines, ""]))
    text = re.sub(
        r"\b[0-9a-f]{7,40}\b(?=\W)", lambda match: "0" * 7 if re.search("[a-f]", match[0]) else match[0], text
    )
    return run.returncode, text if lines else ""


def test_the_page_shows_what_happens(checkout):
    page = PAGE.read_text(encoding="utf-8")
    section = SECTION.search(page)
    written = steps(section[1])
    assert 0 < len(written) < 10
    seen = []
    for command, _ in written:
        code, text = printed(command, checkout)
        assert code == 0, (command, text)
        seen.append([command, text])
    if os.environ.get("IPSEVIDENCE_WRITE_TRANSCRIPT"):
        transcript = "".join(f"$ {command}\n{text}" for command, text in seen)
        PAGE.write_text(page[: section.start(1)] + transcript + page[section.end(1) :], encoding="utf-8")
        return
    assert seen == written
    assert "0 errors" in dict(map(tuple, seen))["ipsevidence validate"]
