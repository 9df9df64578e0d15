"""Work in other processes gives the same results in the same order, stops when asked, and leaves no process behind."""

import functools
import math
import operator
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.across import judge_all, multiverse_document, reproduce_all
from ipsevidence.analysis.resultfiles import plain
from ipsevidence.analysis.specfiles import find_spec
from ipsevidence.analysis.workers import SharedDataset, WorkersError, spread
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.terminal.output import UserError

ROOT = Path(__file__).parents[2]
SPECS = ("bond-2015-early-psychosis", "primary-smi", "primary-justice", "tag-ptsd", "bond-2019-nine-rcts")
RANDOM = np.random.default_rng(11)
V = RANDOM.uniform(0.02, 0.5, 23)
Y = RANDOM.normal(0.4, np.sqrt(V + 0.1))
X = np.column_stack([np.ones(23), RANDOM.normal(size=23)])


@pytest.fixture(scope="module")
def dataset():
    return load(ROOT)


@functools.cache
def everything(workers):
    """What runs in several processes, as plain data."""
    data = load(ROOT)
    asked = [find_spec(name, ROOT) for name in SPECS]
    with spread(workers) as mapper:
        made = list(reproduce_all(asked, data, mapper=mapper))
        runs = {one.run.spec.id: one.run for one in made}
        gosh = core.gosh(Y, V, subsets=9000, mapper=mapper, chunk=1000)
        test = core.permutation_test(Y, V, X, permutations=3000, mapper=mapper, chunk=500)
        return {
            "analyses": [plain(one) for one in made],
            "claims": [one.to_dict() for one in judge_all(data, runs, mapper=mapper)],
            "choices": multiverse_document(data, runs, mapper=mapper),
            "gosh": [gosh.estimate.tobytes(), gosh.tau2.tobytes(), gosh.members.tobytes()],
            "permutations": test.p.tobytes(),
        }


@pytest.mark.parametrize("workers", [2, 4])
def test_results_are_the_same_whatever_the_number_of_workers(workers):
    one, many = everything(1), everything(workers)
    assert [document["id"] for document in many["analyses"]] == list(SPECS)
    assert list(many["choices"]["analyses"]) == ["primary-smi"]
    assert len(many["claims"]) > 30
    for part, found in one.items():
        assert repr(many[part]) == repr(found), part


def test_one_worker_is_this_process():
    with spread() as mapper:
        assert mapper is map


def held(gate, number):
    """Return the number; from 10 on, when the file is there."""
    while number >= 10 and not gate.exists():
        time.sleep(0.01)
    return number


def test_results_come_in_order_one_by_one_and_work_is_taken_as_it_is_done(tmp_path):
    taken, gate = [], tmp_path / "gate"

    def numbers():
        for number in range(200):
            taken.append(number)
            yield number

    with spread(2) as mapper:
        found = mapper(functools.partial(held, gate), numbers())
        assert [next(found) for _ in range(3)] == [0, 1, 2]
        assert len(taken) < 30  # ten are done, two are held, and a few wait
        gate.touch()
        assert [next(found) for _ in range(10)] == list(range(3, 13))
        found.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_comes_in_its_turn(workers):
    with spread(workers) as mapper:
        found = mapper(functools.partial(operator.truediv, 1), iter([4, 2, 0, 1]))
        assert [next(found), next(found)] == [0.25, 0.5]
        with pytest.raises(ZeroDivisionError, match="division by zero"):
            next(found)


def refused(number):
    raise InputError(f"{number} will not do", parameter="number", study=3)


def test_an_error_of_ours_arrives_whole():
    with spread(2) as mapper, pytest.raises(InputError, match="7 will not do") as caught:
        list(mapper(refused, [7]))
    assert (caught.value.parameter, caught.value.study) == ("number", 3)
    assert "in refused" in "".join(caught.value.__notes__)


def test_an_error_in_what_gives_the_work_is_not_lost():
    with spread(2) as mapper, pytest.raises(ValueError, match="invalid literal"):
        list(mapper(math.factorial, map(int, ["1", "x"])))


def test_a_worker_that_is_ended_from_outside_is_told():
    with spread(2) as mapper, pytest.raises(WorkersError, match="try again with fewer workers"):
        list(mapper(os._exit, [1, 1]))


def test_lost_workers_are_a_message_and_no_traceback():
    assert UserError.of(WorkersError("try again")) == UserError(message="try again")


def children():
    """Processes that this one started and that still run, but for the two that look after shared memory."""
    command = ["ps", "--ppid", str(os.getpid()), "-o", "stat=,args="]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line for line in found.stdout.splitlines() if not line.startswith("Z")]
    return [line for line in lines if "resource_tracker" not in line and "ps --ppid" not in line]


def stop_after_the_first():
    with spread(2) as mapper:
        for _ in mapper(time.sleep, [0.01, 60, 60]):
            raise KeyboardInterrupt


def test_no_process_stays():
    before = len(children())
    with spread(3) as mapper:
        assert list(mapper(math.factorial, range(6))) == [1, 1, 2, 6, 24, 120]
        assert len(children()) == before + 3
    with pytest.raises(KeyboardInterrupt):
        stop_after_the_first()
    assert len(children()) == before


@pytest.mark.parametrize("workers", [0, -1, True, 2.0, "2"])
def test_a_wrong_number_of_workers_is_refused(workers):
    with pytest.raises(InputError, match="at least 1"), spread(workers):
        pass


def test_workers_and_a_cluster_exclude_each_other():
    with pytest.raises(InputError, match="not both"), spread(2, "tcp://127.0.0.1:9"):
        pass


def test_a_dataset_is_read_again_elsewhere_and_must_be_the_same(dataset, tmp_path):
    shared = SharedDataset(dataset)
    assert shared.get() is dataset
    text = pickle.dumps(shared)
    assert len(text) < 1000
    assert pickle.loads(text).get() == dataset
    for name in ("_dataset", "davis-2012"):
        target = tmp_path / "studies" / f"{name}.yaml"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes((ROOT / "studies" / f"{name}.yaml").read_bytes())
    text = pickle.dumps(SharedDataset(load(tmp_path)))
    target.write_bytes(target.read_bytes() + b"# another comment\n")
    with pytest.raises(InputError, match="found other records"):
        pickle.loads(text).get()
    (tmp_path / "studies" / "_dataset.yaml").unlink()
    with pytest.raises(InputError, match="need the folder under the same path"):
        pickle.loads(text).get()


def test_joblib_is_loaded_by_nobody_who_does_not_ask():
    code = "import sys, ipsevidence.analysis.workers, ipsevidence.terminal.analyses, ipsevidence.report.gallery\n"
    code += "print(sorted({'joblib', 'distributed', 'dask'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
