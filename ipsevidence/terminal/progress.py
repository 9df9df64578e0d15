"""Long work: a bar on a terminal that shows how far it is, nothing in a pipe; and Ctrl-C, where it may come."""

import contextlib
import signal
import sys
from collections.abc import Callable, Iterator

__all__ = ["progress_bar", "undivided"]


@contextlib.contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None] | None]:
    """Give what shows how much is done, of how much; None where nobody looks: no terminal, or `quiet`.

    The bar stands on standard error, below what is printed, and goes when the work is over.
    """
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # What is printed meanwhile goes through the bar only where both are on the terminal: a file gets it unchanged.
    together = sys.stdout.isatty()
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=together)
    task = bar.add_task(what, total=None)
    with bar:
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextlib.contextmanager
def undivided() -> Iterator[None]:
    """Let Ctrl-C wait until what is inside is over, in the main thread of a program that has not set it aside."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    waiting = []
    signal.signal(signal.SIGINT, lambda *_: waiting.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if waiting:
        raise KeyboardInterrupt
