"""Long commands show how far they are on a terminal only, and Ctrl-C leaves what is done whole."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
KEPT = ("bond-2019-nine-rcts", "primary-justice", "primary-smi", "primary", "tag-ptsd")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All records with five analyses, without results."""
    root = tmp_path_factory.mktemp("five")
    shutil.copytree(ROOT / "studies", root / "studies")
    (root / "analyses" / "published").mkdir(parents=True)
    for name in KEPT:
        shutil.copy(ROOT / "analyses" / f"{name}.yaml", root / "analyses")
    return root


INTERRUPTED = """
import itertools, os, runpy, signal, sys

renames = itertools.count(1)

def interrupt_before_the_second_file(event, _):
    if event == "os.rename" and next(renames) == 2:
        os.killpg(os.getpgid(0), signal.SIGINT)  # as a terminal does: to every process

sys.addaudithook(interrupt_before_the_second_file)
runpy.run_module("ipsevidence", run_name="__main__", alter_sys=True)
"""


def started(*arguments, **streams):
    command = [sys.executable, "-m", "ipsevidence", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, start_new_session=True, **streams)


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_each_result_whole_or_untouched(folder, workers):
    results = folder / "analyses" / "results"
    shutil.rmtree(results, ignore_errors=True)
    command = [sys.executable, "-c", INTERRUPTED, "run", "--all", "--update", "--workers", str(workers)]
    work = subprocess.run(
        [*command, "--data", str(folder)], cwd=ROOT, start_new_session=True, capture_output=True, text=True, check=False
    )
    assert work.returncode == 130
    (stop,) = work.stderr.splitlines()
    written = sorted(path.stem for path in results.iterdir())
    assert 1 <= len(written) <= 2
    assert stop.startswith(f"stopped: {len(written)} of 7 results are done and whole; not run: ")
    left = stop.partition("not run: ")[2].split(", ")
    assert sorted([*left, *written]) == sorted([*KEPT, "claims", "multiverse"])
    for name in written:
        committed = (ROOT / "analyses" / "results" / f"{name}.json").read_bytes()
        assert (results / f"{name}.json").read_bytes() == committed


def on_a_terminal(*arguments, stdout=None):
    """Run a command with standard error on a terminal of its own, and standard output there or elsewhere."""
    ours, theirs = pty.openpty()
    work = started(*arguments, stdin=theirs, stdout=stdout or theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so when the other side is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    return work.wait(timeout=60), seen.decode()


def test_a_bar_on_a_terminal_and_none_in_a_pipe(folder, tmp_path):
    command = ("run", "primary-justice", "tag-ptsd", "--data", folder)
    piped = subprocess.run(
        [sys.executable, "-m", "ipsevidence", *map(str, command)], capture_output=True, cwd=ROOT, check=True
    )
    assert piped.stderr == b""
    with (tmp_path / "out.txt").open("wb") as file:
        code, seen = on_a_terminal(*command, stdout=file)
    assert code == 0
    assert "analyses" in seen
    assert "2/2" in seen
    assert (tmp_path / "out.txt").read_bytes() == piped.stdout
    code, seen = on_a_terminal(*command)
    assert code == 0
    assert "2/2" in seen
    assert "Veterans" in seen or "PTSD" in seen
    assert on_a_terminal(*command, "--quiet", stdout=subprocess.DEVNULL) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "primary-justice", "--workers", "0"], "workers must be a whole number, at least 1; got 0"),
        (["run", "primary-justice", "--workers", "2", "--dask", "tcp://127.0.0.1:9"], "not both"),
        (["figure", "forest", "primary", "-o", "x.svg", "--workers", "2"], "--workers is for gosh and gallery"),
        (["figure", "gallery", "primary", "-o", "x", "--dask", "tcp://127.0.0.1:9"], "--dask is for gosh"),
    ],
)
def test_workers_are_offered_where_they_help(arguments, message):
    done = subprocess.run(
        [sys.executable, "-m", "ipsevidence", *arguments], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_gosh_plot_in_two_processes_is_the_same_file(tmp_path):
    for workers in ("1", "2"):
        arguments = ["figure", "gosh", "primary-smi", "--set", "subsets=200", "--workers", workers, "--json"]
        done = subprocess.run(
            [sys.executable, "-m", "ipsevidence", *arguments, "-o", str(tmp_path / f"{workers}.svg")],
            capture_output=True,
            cwd=ROOT,
            check=True,
        )
        assert json.loads(done.stdout)["data"]["kind"] == "gosh"
    assert (tmp_path / "1.svg").read_bytes() == (tmp_path / "2.svg").read_bytes()
