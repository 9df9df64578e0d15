"""Ctrl-C waits for what must not be divided."""

import io
import signal
import sys

import pytest

from ipsevidence.terminal.progress import progress_bar, undivided


def interrupted(then):
    with undivided():
        signal.raise_signal(signal.SIGINT)
        then()


def test_an_interruption_waits_for_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt):
        interrupted(lambda: done.append("all of it"))
    assert done == ["all of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_inside_is_that_error():
    with pytest.raises(ZeroDivisionError):
        interrupted(lambda: 1 / 0)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_that_set_interruptions_aside_is_left_alone():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with undivided():
            signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_no_bar_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress_bar("fits") as tell:
        assert tell is None
