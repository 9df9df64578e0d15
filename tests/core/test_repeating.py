"""What is repeated gives the same numbers in any chunks, in any order of work, and keeps what is done."""

import pickle
from functools import partial

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core.repeating import batches, gather, random_words, ranges

RANDOM = np.random.default_rng(5)
V = RANDOM.uniform(0.02, 0.5, 24)
Y = RANDOM.normal(0.3, np.sqrt(V + 0.1))
X = np.column_stack([np.ones(24), RANDOM.normal(size=24)])

REPEATED = {
    "gosh, all": partial(core.gosh, Y[:9], V[:9]),
    "gosh, drawn": partial(core.gosh, Y, V, subsets=300, seed=3),
    "without two": partial(core.leave_d_out, Y[:9], V[:9]),
    "signs, all": partial(core.permutation_test, Y[:8], V[:8]),
    "signs, drawn": partial(core.permutation_test, Y, V, permutations=300),
    "orders, all": partial(core.permutation_test, Y[:5], V[:5], X[:5]),
    "orders, drawn": partial(core.permutation_test, Y[:8], V[:8], X[:8], permutations=150, interval="hksj"),
}


def last_first(function, chunks):
    """Do the last chunk first, each in a copy as another process would have it."""
    found = [pickle.loads(pickle.dumps((function, chunk))) for chunk in chunks]
    return reversed([work(chunk) for work, chunk in reversed(found)])


def stopped_after(number):
    def mapper(function, chunks):
        for i, chunk in enumerate(chunks):
            if i == number:
                raise KeyboardInterrupt
            yield function(chunk)

    return mapper


def same(first, second):
    return first.to_dict() == second.to_dict()


@pytest.mark.parametrize("work", REPEATED.values(), ids=REPEATED)
def test_neither_chunks_nor_the_order_of_work_move_a_number(work):
    whole = work()
    assert same(whole, work(chunk=1))
    assert same(whole, work(chunk=7, mapper=last_first))


@pytest.mark.parametrize("work", REPEATED.values(), ids=REPEATED)
def test_progress_is_told_after_each_chunk(work):
    told = []
    work(chunk=50, progress=lambda *numbers: told.append(numbers))
    total = told[-1][1]
    assert [done for done, _ in told] == [*range(50, total, 50), total]


@pytest.mark.parametrize("kind", ["gosh, all", "gosh, drawn"])
def test_an_interrupted_gosh_keeps_the_first_selections(kind):
    whole, part = REPEATED[kind](), REPEATED[kind](chunk=60, mapper=stopped_after(2))
    for name in ("estimate", "tau2", "i2", "members"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[:120])
    assert not part.exhaustive
    assert part.notes == (f"Interrupted after 120 of {whole.estimate.size} fits: these are the first.",)
    assert "note: Interrupted" in str(part)
    assert str(part).startswith("120 random selections:" if kind == "gosh, drawn" else "120 selections:")


@pytest.mark.parametrize("kind", ["signs, drawn", "orders, drawn"])
def test_an_interrupted_test_rests_on_the_permutations_that_were_done(kind):
    part = REPEATED[kind](chunk=60, mapper=stopped_after(2))
    assert same(core.PermutationResult(**{**fields(REPEATED[kind](permutations=120)), "notes": part.notes}), part)
    assert "Interrupted after 120 of" in part.notes[0]


def fields(result):
    return {name: getattr(result, name) for name in result.__slots__}


@pytest.mark.parametrize("kind", ["signs, all", "orders, all"])
def test_an_interrupted_exact_test_is_none(kind):
    with pytest.raises(KeyboardInterrupt):
        REPEATED[kind](chunk=60, mapper=stopped_after(1))


@pytest.mark.parametrize("work", REPEATED.values(), ids=REPEATED)
def test_interrupted_before_anything_was_done(work):
    with pytest.raises(KeyboardInterrupt):
        work(mapper=stopped_after(0))


def test_an_interval_is_not_made_of_interrupted_tests():
    with pytest.raises(KeyboardInterrupt):
        core.permutation_interval(Y, V, tau2="dl", permutations=200, chunk=100, mapper=stopped_after(1))


def test_ctrl_c_while_progress_is_told():
    def stop(done, _total):
        if done == 20:
            raise KeyboardInterrupt

    assert gather(len, ranges(45, 10), total=45, chunk=10, progress=stop) == [10, 10]


@pytest.mark.parametrize("name", ["gosh", "permutation_test"])
def test_a_chunk_holds_something(name):
    with pytest.raises(core.InputError, match="chunk must be a whole number, at least 1"):
        getattr(core, name)(Y, V, chunk=0)


def test_ranges_and_batches_leave_nothing_out():
    assert [list(part) for part in ranges(5, 2)] == [[0, 1], [2, 3], [4]]
    assert list(batches("abcde", 2)) == [["a", "b"], ["c", "d"], ["e"]]


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5])
def test_random_words_of_a_row_depend_on_its_number_alone(width):
    whole = random_words(7, range(50), width)
    assert whole.shape == (50, width)
    for start in range(20):
        assert np.array_equal(random_words(7, range(start, start + 9), width), whole[start : start + 9])
    assert not np.array_equal(random_words(8, range(50), width), whole)
