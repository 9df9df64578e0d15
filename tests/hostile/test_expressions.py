"""No regular expression of the package takes long, whatever text comes to it."""

import ast
import contextlib
import importlib
import re
import signal
import time
from pathlib import Path

import pytest

import ipsevidence

PACKAGE = Path(ipsevidence.__file__).parent
TEXT = 4000
"""The longest text of a record (`ipsevidence.dataset.record.Text`)."""
FILE = 256 * 1024
"""The largest file that is read."""
BUDGET = 0.5
"""Seconds of processor time; what is linear takes a thousandth of it."""

# How much text comes to an expression where it is not a text of a record: less, by a guard in front of it, or a file.
LENGTHS = {
    ("dataset/arithmetic.py", "_P_VALUE"): 40,
    ("dataset/arithmetic.py", "_HEDGED"): 40,
    ("dataset/arithmetic.py", "_SUM"): 200,
    ("dataset/arithmetic.py", "_SHARE"): 200,
    ("dataset/arithmetic.py", "_TOKEN"): 200,
    ("dataset/tree.py", "_FORMS"): 64,
    ("dataset/tree.py", "_NUMBER"): FILE,
    ("dataset/tree.py", "_LONG_NUMBER"): FILE,
    ("dataset/tree.py", "_FOREIGN_NUMBER"): FILE,
    ("dataset/tree.py", "_KEY"): FILE,
    ("dataset/decoding.py", "_BREAKS"): FILE,
    ("dataset/building.py", "_PROPERTY"): FILE,
    ("dataset/writer.py", "_SAFE"): FILE,
    ("dataset/writer.py", "_DOI"): FILE,
    ("dataset/writer.py", "_BREAK"): FILE,
    ("dataset/writer.py", "_CODE"): FILE,
    ("dataset/findings.py", "_HIDDEN"): FILE,
    ("dataset/findings.py", "_NOT_PLAIN"): FILE,
    ("dataset/findings.py", "_UNSAFE_IN_A_LINE"): FILE,
}
PIECES = [
    "1",
    "0",
    " ",
    "a",
    "A",
    ".",
    ",",
    "-",
    "_",
    '"',
    "%",
    "[",
    "\\",
    "é",
    "\u0301",
    "\u00b7",
    "\u202e",
    "~",
    "\n",
]
PIECES += [
    "1,",
    "1,000",
    "1.",
    "1 ",
    "1 - ",
    ".1",
    "1:",
    "1%",
    "a ",
    "about ",
    "<text ",
    "rotate(",
    "10.1/",
    "/*",
    "`a",
]
# Expressions put together inside a function, of our own text and on our own text.
OURS = {"dataset/refusals.py", "dataset/check_examples.py"}
USES = {"search", "match", "fullmatch", "finditer", "findall", "sub", "split"}


def expressions():
    """Yield each expression with the functions it is used by: (file, name, pattern, uses)."""
    for path in sorted(PACKAGE.rglob("*.py")):
        tree, file = ast.parse(path.read_text(encoding="utf-8")), path.relative_to(PACKAGE).as_posix()
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
        of_re = [call for call in calls if isinstance(call.func.value, ast.Name) and call.func.value.id == "re"]
        compiled = {}
        if any(call.func.attr == "compile" for call in of_re):
            module = importlib.import_module(
                ".".join(["ipsevidence", *path.relative_to(PACKAGE).with_suffix("").parts])
            )
            compiled = {name: list(patterns(value)) for name, value in vars(module).items()}
        for name, values in compiled.items():
            uses = {c.func.attr for c in calls if getattr(c.func.value, "id", "") == name and c.func.attr in USES}
            for pattern in values:
                yield file, name, pattern, uses or {"fullmatch"}
        inline = [call for call in of_re if call.func.attr in {*USES, "compile"} and call not in named(tree)]
        for call in inline:
            if isinstance(call.args[0], ast.Constant):
                yield file, f"line {call.lineno}", re.compile(call.args[0].value), {call.func.attr} & USES or {"search"}
            else:
                assert file in OURS, f"an expression in {file} that is not looked at"


def named(tree):
    """List the calls that give a module its names."""
    whole = [node.value for node in tree.body if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value]
    return [node for value in whole for node in ast.walk(value) if isinstance(node, ast.Call)]


def patterns(value):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from patterns(part)


ALL = list(expressions())


@pytest.mark.parametrize(("file", "name", "pattern", "uses"), ALL, ids=[f"{e[0]}:{e[1]}" for e in ALL])
def test_is_quick_on_text_made_to_stall_it(file, name, pattern, uses):
    length = LENGTHS.get((file, name), TEXT)
    for piece in PIECES:
        for head in ("", "1", "10.1234/", "a"):
            text = (head + piece * length)[: length - 1] + "!"
            subject = text.encode() if isinstance(pattern.pattern, bytes) else text
            for use in uses:
                # Of three runs the fastest: another program on the machine can make one slow, and not all.
                took = next((took for _ in range(3) if (took := seconds(pattern, use, subject)) < BUDGET), BUDGET)
                assert took < BUDGET, f"{use} of {pattern.pattern[:60]!a} takes long on {head!r} and {piece!r}"


def seconds(pattern, use, text):
    """Return the processor time of this thread alone; what takes for ever is stopped, and took as long as it had."""
    start = time.thread_time()
    with contextlib.suppress(TimeoutError), stopped_after(4 * BUDGET):
        apply(pattern, use, text)
    return time.thread_time() - start


@contextlib.contextmanager
def stopped_after(limit):
    """Raise `TimeoutError` after so many seconds of processor time; matching looks for signals now and then."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def apply(pattern, use, text):
    if use == "sub":
        pattern.sub(b"" if isinstance(text, bytes) else "", text)
    elif use == "finditer":
        for _ in pattern.finditer(text):  # not kept: the collector would count every object of the process
            pass
    else:
        getattr(pattern, use)(text)


def test_every_guarded_length_is_that_of_an_expression():
    assert set(LENGTHS) <= {(file, name) for file, name, _, _ in ALL}


def test_the_guards_are_there():
    from ipsevidence.dataset import arithmetic, tree

    assert (arithmetic._LONGEST_P, arithmetic._LONGEST_RULE, tree._LONGEST_FORM) == (40, 200, 64)
    assert tree.doubt("1" * 100_000 + ":") is not None
    start = time.process_time()
    assert tree.doubt("1," * 100_000) is not None
    assert arithmetic.rule_result("1+" * 100_000 + "1") is None
    assert arithmetic.printed_p("1" * 100_000) is None
    assert time.process_time() - start < BUDGET


def test_an_expression_that_stalls_would_be_seen():
    with pytest.raises(AssertionError, match="takes long"):
        test_is_quick_on_text_made_to_stall_it("dataset/made_up.py", "_BAD", re.compile(r"(?:a+)+b"), {"fullmatch"})
