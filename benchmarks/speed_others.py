"""Other programs on the same work, each in an environment of its own; what cannot be had is left out with a word."""

import json
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from benchmarks.speed_data import studies

HERE = Path(__file__).parent
ENVIRONMENTS = HERE.parent / ".bench"
INSTALLED = {
    "statsmodels": "statsmodels==0.15.0",
    "PyMARE": "PyMARE==0.0.13",
    "PyMetaAnalysis": "PyMetaAnalysis==0.9.0",
    "pimeta": "pimeta==1.1.0",
}
METAFOR_SIZES = (10, 13, 20, 32, 100, 316, 1_000)


def others(quick, say):
    """Yield (program, version, work -> seconds of each run) of those that can be had."""
    for name, run in [("metafor", _metafor), *((name, _python) for name in INSTALLED)]:
        say(f"{name} ...")
        try:
            found = run(name, quick)
        except (OSError, subprocess.SubprocessError) as error:
            say(f"{name} is left out: {_reason(error)}")
            continue
        yield name, found["version"], found["times"]


def _reason(error):
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _python(name, quick):
    """Run `speed_peers.py` in the environment of a package, which is made when it is first wanted."""
    folder = ENVIRONMENTS / name.lower()
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    _run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", INSTALLED[name]])
    done = _run([python, HERE / "speed_peers.py", name, "quick" if quick else "full"])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _metafor(_name, quick):
    """Run `speed.R` on the same numbers."""
    if shutil.which("Rscript") is None:
        raise OSError("there is no Rscript")
    with tempfile.TemporaryDirectory() as folder:
        for k in METAFOR_SIZES:
            table = np.column_stack(studies(k))
            np.savetxt(Path(folder) / f"{k}.csv", table, delimiter=",", header="yi,vi,x", comments="", fmt="%.17g")
        done = _run(["Rscript", "--vanilla", HERE / "speed.R", folder, "quick" if quick else "full"])
    return json.loads(done.stdout.strip().splitlines()[-1])


def _run(command):
    return subprocess.run(command, capture_output=True, text=True, check=True)
