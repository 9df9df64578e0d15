"""Run a command in a child, kill it at a random moment, look at every file; again and again. Prints what was seen.

A process of its own loads the libraries once and forks a child for each round, so that what is killed is the work.
Usage: python -m tests.hostile.killing VERB ROUNDS, in the folder of a dataset that `tests.hostile.test_interruptions`
has made: old/ and new/ hold what each file may be.
"""

import contextlib
import io
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


def killed_after(arguments, seconds):
    """Fork a child that works, kill it, and tell whether it had ended before."""
    child = os.fork()
    if child == 0:
        try:
            work(arguments)
            os._exit(0)
        finally:
            os._exit(1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise AssertionError("the command failed before it was killed")
    return os.WIFEXITED(status)


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


def main(verb, rounds):
    live, arguments, rng, seen = LIVE[verb], ARGUMENTS[verb], random.Random(verb), Counter()
    put(Path("old"), live)
    work(arguments)  # the libraries, and how long it takes
    put(Path("old"), live)
    start = time.perf_counter()
    work(arguments)
    usual = time.perf_counter() - start
    for _ in range(rounds):
        put(Path("old"), live)
        first = rng.choice([0, 0.7])  # files are written towards the end
        ended = killed_after(arguments, rng.uniform(first, 1.05) * usual)
        here = look(live, Path("old"), Path("new"))
        seen += here
        seen["ended"] += ended
        seen["between"] += here["old"] > 0 and here["new"] > 0
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
