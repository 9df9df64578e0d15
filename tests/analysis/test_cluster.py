"""A dask cluster gives the numbers of one process, also when one of its workers is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import distributed
import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis import workers
from ipsevidence.analysis.across import reproduce_all
from ipsevidence.analysis.resultfiles import plain
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.analysis.workers import WorkersError, spread
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load

ROOT = Path(__file__).parents[2]
SPECS = ("bond-2015-early-psychosis", "primary-justice", "bond-2019-nine-rcts")
RANDOM = np.random.default_rng(12)
QUIET = {"dashboard_address": "127.0.0.1:0", "silence_logs": "CRITICAL"}
"""No log, and the pages that a scheduler serves on a port that is free, not on the one that all take."""

V = RANDOM.uniform(0.02, 0.5, 23)
Y = RANDOM.normal(0.4, np.sqrt(V + 0.1))


def started():
    return distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, **QUIET)


@pytest.fixture(scope="module")
def cluster():
    """A cluster whose workers live."""
    with started() as local:
        yield local


@pytest.fixture
def mortal():
    """A cluster of its own for a test that kills: how soon workers are started again is not what is tested."""
    with started() as local:
        yield local


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(workers, "_SECONDS_TO_CONNECT", 10)
    monkeypatch.setattr(workers, "_SECONDS_FOR_A_TASK", 50)


def pids(cluster):
    with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        return sorted(client.run(os.getpid).values())


def test_a_killed_worker_moves_no_number(mortal):
    alone = core.gosh(Y, V, subsets=6000, seed=2, chunk=100)
    before = pids(mortal)
    assert os.getpid() not in before
    killed = []

    def kill(done, total):
        if not killed and done < total:
            os.kill(before[0], signal.SIGKILL)
            killed.append(done)

    with spread(dask=mortal.scheduler_address) as mapper:
        found = core.gosh(Y, V, subsets=6000, seed=2, chunk=100, mapper=mapper, progress=kill)
    assert killed == [100]
    with pytest.raises(ProcessLookupError):
        os.kill(before[0], 0)
    for part in ("estimate", "tau2", "i2", "members"):
        assert np.array_equal(getattr(found, part), getattr(alone, part)), part
    assert found.notes == alone.notes == ()


def test_analyses_of_a_cluster_are_those_of_one_process(cluster):
    dataset = load(ROOT)
    asked = [find_spec(name, ROOT) for name in SPECS]
    alone = [plain(one) for one in reproduce_all(asked, dataset)]
    with spread(dask=cluster.scheduler_address) as mapper:
        found = [plain(one) for one in reproduce_all(asked, dataset, mapper=mapper)]
    assert repr(found) == repr(alone)


def test_the_command_line_takes_the_address(cluster):
    def call(*more):
        command = [sys.executable, "-m", "ipsevidence", "run", *SPECS[:2], "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
        return json.loads(done.stdout)

    assert call("--dask", cluster.scheduler_address) == call()


def test_a_task_that_takes_down_every_worker_is_given_up(mortal, monkeypatch):
    monkeypatch.setattr(workers, "_SECONDS_FOR_A_TASK", 6)
    assert len(pids(mortal)) == 2  # of one alone joblib makes no use: the task would end this very process
    with spread(dask=mortal.scheduler_address) as mapper, pytest.raises(WorkersError, match="did not come back"):
        list(mapper(os._exit, [1]))


def test_errors_keep_their_turn_and_their_kind(cluster):
    pids(cluster)
    with spread(dask=cluster.scheduler_address) as mapper:
        found = mapper(int, ["1", "2", "three", "4"])
        assert [next(found), next(found)] == [1, 2]
        with pytest.raises(ValueError, match="three"):
            next(found)


def test_an_address_where_nobody_answers_is_told(monkeypatch):
    monkeypatch.setattr(workers, "_SECONDS_TO_CONNECT", 1)
    words = r"no scheduler of dask answers at 'tcp://127\.0\.0\.1:9'"
    with pytest.raises(InputError, match=words), spread(dask="tcp://127.0.0.1:9"):
        pass


def test_a_cluster_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(workers, "_SECONDS_TO_CONNECT", 1)
    with distributed.LocalCluster(n_workers=0, processes=True, **QUIET) as empty:
        words, address = "has no workers; start some with `dask worker", empty.scheduler_address
        with pytest.raises(InputError, match=words), spread(dask=address):
            pass


def test_workers_of_another_version_are_refused(cluster, monkeypatch):
    pids(cluster)
    monkeypatch.setattr(workers, "__version__", "99.0")
    words = r"need ipsevidence 99\.0; they have: 0\."
    with pytest.raises(InputError, match=words), spread(dask=cluster.scheduler_address):
        pass


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'ipsevidence\[dask\]'"), spread(dask="tcp://127.0.0.1:9"):
        pass
