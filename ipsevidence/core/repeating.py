"""Work that is repeated many times: in chunks, here or in other processes, with the same numbers either way."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

CHUNK = 4096  # fits that are handed to the mapper at once

Mapper: TypeAlias = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""What applies a function to each of many chunks and gives the results back in order: `map`, or one over processes."""

Progress: TypeAlias = Callable[[int, int], None]
"""What is told, after each chunk, how many fits are done, of how many."""

Item = TypeVar("Item")
Part = TypeVar("Part")


def gather(
    function: Callable[[Any], Part],
    chunks: Iterable[Any],
    *,
    total: int,
    chunk: int,
    mapper: Mapper = map,
    progress: Progress | None = None,
) -> list[Part]:
    """Return what a function makes of each chunk, in order; after Ctrl-C, of those that were complete.

    Parameters
    ----------
    function : callable
        Takes a chunk. A module's own function, or a `functools.partial` of one, so that other processes can have it.
    chunks : iterable
        Of `chunk` fits each, the last of what remains of `total`. Made one by one as the mapper asks for them.
    total, chunk : int
        Numbers of fits.
    mapper : callable
        As `map`: takes the function and the chunks, gives results in the order of the chunks.
    progress : callable, optional
        Told after each chunk how many fits are done, of how many.

    Returns
    -------
    list
        One result for each chunk that was completed.

    Raises
    ------
    KeyboardInterrupt
        If nothing was complete yet.
    """
    parts: list[Part] = []
    try:
        for part in mapper(function, chunks):
            parts.append(part)
            if progress is not None:
                progress(min(len(parts) * chunk, total), total)
    except KeyboardInterrupt:
        if not parts:
            raise
    return parts


def ranges(total: int, chunk: int) -> Iterator[range]:
    """Return the numbers below `total`, `chunk` at a time."""
    return (range(start, min(start + chunk, total)) for start in range(0, total, chunk))


def batches(items: Iterable[Item], chunk: int) -> Iterator[list[Item]]:
    """Return items `chunk` at a time."""
    left = iter(items)
    while found := list(islice(left, chunk)):
        yield found


def random_words(seed: int, rows: range, width: int) -> NDArray[np.uint64]:
    """Return random bits that depend on the seed and on the number of a row alone, shape (len(rows), width).

    Parameters
    ----------
    seed : int
        Seed.
    rows : range
        Consecutive rows.
    width : int
        Words of 64 bits in each row.

    Returns
    -------
    ndarray of uint64, shape (len(rows), width)

    Notes
    -----
    A counter-based generator is set to where the first row begins, so that no row needs those before it.

    References
    ----------
    .. [1] Salmon JK, Moraes MA, Dror RO, Shaw DE. Parallel random numbers: as easy as 1, 2, 3. SC'11, 2011.
       doi:10.1145/2063384.2063405
    """
    generator = np.random.Philox(seed)
    at_once = 4  # words that one count of the generator gives
    skipped, start = divmod(rows.start * width, at_once)
    generator.advance(skipped)
    words = generator.random_raw(start + len(rows) * width)
    found: NDArray[np.uint64] = words[start:].reshape(len(rows), width)
    return found


def interrupted(done: int, total: int) -> tuple[str, ...]:
    """Return the note that says how much was done, or none if all was."""
    return () if done == total else (f"Interrupted after {done:,} of {total:,} fits: these are the first.",)
