"""The same work in several processes: on this machine, or on a cluster, by joblib; results in order, whatever they are.

Nothing here schedules, keeps or repeats work: joblib's loky does on this machine, dask on a cluster.
"""

import contextlib
import functools
import gc
import os
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import TimeoutError as TaskTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ipsevidence import __version__
from ipsevidence.core import InputError
from ipsevidence.core.repeating import Mapper
from ipsevidence.dataset.collection import Dataset, Origin, gather
from ipsevidence.dataset.findings import ReadError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["SharedDataset", "WorkersError", "spread"]

_SECONDS_TO_CONNECT: Final = 10
_SECONDS_FOR_A_TASK: Final = 3600
"""After which a task of a cluster is given up: joblib never hears of one that took down every worker it was given."""


class WorkersError(RuntimeError):
    """Worker processes went away with work that nobody else took over; the message says what to do."""


@contextlib.contextmanager
def spread(workers: int = 1, dask: str | None = None) -> Iterator[Mapper]:
    """Give what applies a function to many things, in as many processes as asked for.

    Parameters
    ----------
    workers : int
        Processes on this machine, 1 or more. One is this process itself, and the mapper then is `map`.
    dask : str, optional
        Address of the scheduler of a dask cluster, such as ``tcp://10.0.0.1:8786``; all of its workers are used. Wants
        the extra ``ipsevidence[dask]``. They need this version of the package, and for analyses the folder of the data
        under the same path. Of a cluster with a single core joblib makes no use: the work is then done here.

    Yields
    ------
    callable
        ``mapper(function, things)`` gives the results in the order of the things, one by one as they are ready, and
        takes things as work is done. Function, things and results must be such as pickle can send. What the function
        raises is raised when its turn comes, so that results before it are there whatever the number of processes.

    Raises
    ------
    InputError
        If `workers` is no whole number above 0, both are given, dask is not installed, or no scheduler with workers
        answers at the address.
    WorkersError
        From the mapper, if a worker was ended from outside and nobody took over its work.

    Notes
    -----
    After an interruption, and when the context ends, work that nobody waits for any more is stopped, and the processes
    are ended. Workers of this machine leave Ctrl-C to the process that started them.
    """
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InputError(f"workers must be a whole number, at least 1; got {workers!r}", parameter="workers")
    if dask is not None:
        if workers > 1:
            raise InputError("give workers of this machine, or the address of a cluster, not both", parameter="workers")
        with _connected(dask) as client:
            yield functools.partial(_on_cluster, client)
    elif workers == 1:
        yield map
    else:
        try:
            yield functools.partial(_on_this_machine, workers)
        finally:
            _end_processes()


def _on_this_machine(workers: int, function: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
    from joblib import Parallel
    from joblib.externals.loky.process_executor import BrokenProcessPool

    parallel = Parallel(n_jobs=workers, backend="loky", batch_size=1, return_as="generator")
    try:
        yield from _in_order(parallel, functools.partial(_outcome_here, os.getpid(), function), things)
    except BrokenProcessPool as error:
        raise WorkersError(
            "a worker process was ended from outside, perhaps for want of memory; try again with fewer workers"
        ) from error


def _on_cluster(client: "Client", function: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
    from joblib import Parallel, parallel_config

    with parallel_config(backend="dask", client=client):
        parallel = Parallel(n_jobs=-1, batch_size=1, return_as="generator", timeout=_SECONDS_FOR_A_TASK)
    try:
        yield from _in_order(parallel, functools.partial(_outcome, function), things)
    except TaskTimeoutError as error:
        raise WorkersError(
            f"a task of the cluster did not come back within {_SECONDS_FOR_A_TASK} seconds; see what its workers say"
        ) from error


def _in_order(parallel: Any, outcome: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
    results = parallel(_tasks(outcome, things))
    try:
        for found in results:
            if isinstance(found, _Failure):
                raise found.error()
            yield found
    finally:
        with warnings.catch_warnings():
            # joblib tells whoever stops early that work was for nothing: after Ctrl-C and errors that is meant
            warnings.filterwarnings("ignore", ".*You could benefit from adjusting the input task", UserWarning)
            results.close()


def _tasks(outcome: Callable[[Any], Any], things: Iterable[Any]) -> Iterator[Any]:
    """Yield a task for each thing: one object without arguments, since dask would keep those on a single worker."""
    from joblib import delayed

    try:
        for thing in things:
            yield delayed(functools.partial(outcome, thing))()
    except Exception as error:  # noqa: BLE001 - raised in its turn: joblib takes things in a thread that nobody watches
        yield delayed(functools.partial(_Failure.of, error))()


class _Failure(NamedTuple):
    """An error on its way between processes, in parts: not every error can be made again from its message alone."""

    kind: type[Exception]
    arguments: tuple[Any, ...]
    state: dict[str, Any]

    @classmethod
    def of(cls, error: Exception) -> "_Failure":
        return cls(type(error), error.args, dict(vars(error)))

    def error(self) -> Exception:
        made = self.kind.__new__(self.kind, *self.arguments)
        made.args = self.arguments
        vars(made).update(self.state)
        return made


def _outcome(function: Callable[[Any], Any], thing: Any) -> Any:
    """Return what a function gives, or how it failed."""
    try:
        return function(thing)
    except Exception as error:  # noqa: BLE001 - raised again where the results are taken
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
        return _Failure.of(error)


def _outcome_here(first: int, function: Callable[[Any], Any], thing: Any) -> Any:
    if os.getpid() != first:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to every process; the first one decides
    return _outcome(function, thing)


def _end_processes() -> None:
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


@contextlib.contextmanager
def _connected(address: str) -> Iterator["Client"]:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "a cluster wants dask, which is not installed here; install it with: pip install 'ipsevidence[dask]'",
            parameter="dask",
        ) from None
    try:
        client = Client(address, timeout=_SECONDS_TO_CONNECT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(
            f"no scheduler of dask answers at {address!r} ({type(error).__name__}); start one with `dask scheduler`,"
            " and give the address that it prints, such as tcp://10.0.0.1:8786",
            parameter="dask",
        ) from None
    with client:
        _have_the_package(client, address)
        yield client


def _have_the_package(client: "Client", address: str) -> None:
    """Refuse a cluster without workers, and workers that would count by other rules."""
    try:
        client.wait_for_workers(1, timeout=_SECONDS_TO_CONNECT)
    except TimeoutError:
        raise InputError(
            f"the scheduler at {address} has no workers; start some with `dask worker {address}`", parameter="dask"
        ) from None
    try:
        versions = set(client.run(_version).values())
    except ImportError:
        versions = {"none"}
    if versions != {__version__}:
        found = ", ".join(sorted(versions))
        raise InputError(
            f"the workers at {address} need ipsevidence {__version__}; they have: {found}", parameter="dask"
        )


def _version() -> str:
    return __version__


class SharedDataset:
    """A dataset that goes to another process as the place and the digest of its records, and is read there once.

    Parameters
    ----------
    dataset : Dataset
        As it was loaded: all records of its folder.
    """

    __slots__ = ("_dataset", "_place")

    def __init__(self, dataset: Dataset) -> None:
        self._dataset: Dataset | None = dataset
        self._place: tuple[Path, Origin, str] = (dataset.root.resolve(), dataset.origin, dataset.digest())

    def __getstate__(self) -> tuple[Path, Origin, str]:
        return self._place

    def __setstate__(self, state: tuple[Path, Origin, str]) -> None:
        self._dataset, self._place = None, state

    def get(self) -> Dataset:
        """Return the dataset.

        Returns
        -------
        Dataset
            In the process that loaded it that one itself; in another its like.

        Raises
        ------
        InputError
            If this process finds no such records, or others.
        """
        if self._dataset is None:
            self._dataset = _read_here(*self._place)
        return self._dataset


@functools.lru_cache(maxsize=1)
def _read_here(root: Path, origin: Origin, digest: str) -> Dataset:
    try:
        dataset, findings = gather(root, origin)
    except (OSError, ReadError) as error:
        raise InputError(
            f"a worker cannot read the data in {root}: {error}; the workers of a cluster need the folder under the same"
            " path",
            parameter="data",
        ) from None
    if findings or dataset.digest() != digest:
        raise InputError(
            f"a worker found other records in {root} than the run began with; leave them alone until it is over, and on"
            " a cluster see that all workers have the same",
            parameter="data",
        )
    gc.freeze()  # nothing of it will go while this process lives: no collection need look at it
    return dataset
