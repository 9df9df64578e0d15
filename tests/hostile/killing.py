"""Run work in a child, kill it at a random moment, look at every file; again and again. Prints what was seen.

A process of its own loads the libraries once and forks a child for each round, so that what is killed is the work.
Usage: python -m tests.hostile.killing VERB KILLS, in the folder of a dataset that `tests.hostile.test_interruptions`
has made: old/ and new/ hold what each file may be.
"""

import contextlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path

ARGUMENTS = {
    "run": ["run", "--all", "--update"],
    "fmt": ["fmt"],
    "export": ["export", "--out", "live"],
    "site": ["site", "build", "--out", "live"],
}
LIVE = {"run": Path("analyses/results"), "fmt": Path("studies"), "export": Path("live"), "site": Path("live")}


def work(arguments):
    """Run the command in this process, silently."""
    from ipsevidence.cli import app

    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        app(arguments, standalone_mode=False)


def put(source, live):
    shutil.copytree(source, live, copy_function=shutil.copyfile, dirs_exist_ok=True)


def killed(work, *, before_rename=None, after_seconds=None):
    """Fork a child that works; tell whether it was killed, and had not ended before."""
    child = os.fork()
    if child == 0:
        try:
            if before_rename:
                sys.addaudithook(death_at_rename(before_rename))
            work()
            os._exit(0)
        finally:
            os._exit(1)
    if after_seconds is not None:
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the work failed before it was killed")
    return os.WIFSIGNALED(status)


def death_at_rename(number):
    """Return an audit hook that kills its own process in front of the rename with that number."""
    renames = itertools.count(1)

    def hook(event, _):
        if event == "os.rename" and next(renames) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    return hook


def killings(number, work, prepare, files, rng):
    """Yield after each of so many kills: by turns before one of so many files is put in place, and at any moment.

    A child that ended first was not killed: it does not count, and later moments are chosen from a shorter time. So
    how fast the machine is, and what else it does, decides nothing.
    """
    prepare()
    start = time.perf_counter()
    work()
    usual, kills = time.perf_counter() - start, 0
    for _ in range(20 * number):
        prepare()
        if kills % 2:
            was_killed = killed(work, before_rename=rng.randint(1, files))
        else:
            moment = rng.uniform(rng.choice([0, 0.7]), 1) * usual  # files are written towards the end
            was_killed = killed(work, after_seconds=moment)
            usual = usual if was_killed else moment
        if was_killed:
            kills += 1
            yield
        if kills == number:
            return
    raise AssertionError("the work ends before it is killed")


def look(live, old, new):
    """Count the files that are old and new; any that is neither, or too much, is an error."""
    seen = Counter()
    for path in live.rglob("*"):
        if path.is_dir():
            continue
        content, name = path.read_bytes(), path.relative_to(live)
        if path.name.endswith(".part") and path.name.startswith("."):
            seen["part"] += 1
            path.unlink()
        elif content == content_of(new / name):
            seen["new"] += 1
        elif content == content_of(old / name):
            seen["old"] += 1
        else:
            raise AssertionError(f"{path}: {len(content)} bytes, neither old nor new")
    return seen


def content_of(path):
    return path.read_bytes() if path.is_file() else None


def main(verb, number):
    live, arguments, seen = LIVE[verb], ARGUMENTS[verb], Counter()
    files = sum(path.is_file() for path in Path("new").rglob("*"))
    work(arguments)  # loads the libraries
    for _ in killings(number, lambda: work(arguments), lambda: put(Path("old"), live), files, random.Random(verb)):
        here = look(live, Path("old"), Path("new"))
        seen += here
        seen["kills"] += 1
        seen["between"] += here["old"] > 0 and here["new"] > 0
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
