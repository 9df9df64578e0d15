"""What keeps the ring readable: short functions, short modules, no warnings switched off for all."""

import ast
from pathlib import Path

import pytest

from ipsevidence import core

SOURCES = sorted(Path(core.__file__).parent.glob("*.py"))
LONGEST_FUNCTION = 60  # lines of code, signature included, docstring and comments aside
LONGEST_MODULE = 700


def code_lines(function, text):
    """The lines of a function that are code: neither docstring nor comment nor empty."""
    first = function.body[0]
    last_of_docstring = 0
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        last_of_docstring = first.end_lineno
    lines = text.splitlines()
    numbers = range(function.lineno, function.end_lineno + 1)
    in_docstring = range(first.lineno, last_of_docstring + 1)
    kept = (lines[n - 1].strip() for n in numbers if n not in in_docstring)
    return sum(bool(line) and not line.startswith("#") for line in kept)


def functions(path):
    text = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, code_lines(node, text)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_function_is_long(path):
    assert [(name, lines) for name, lines in functions(path) if lines > LONGEST_FUNCTION] == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_no_module_is_long(path):
    lines = path.read_text(encoding="utf-8").count("\n")
    # the registry of measures stands with what computes them
    assert lines <= (LONGEST_MODULE if path.name != "effects.py" else 800)


def test_the_measure_of_length_counts_code_only():
    text = 'def f(x):\n    """One.\n\n    Two.\n    """\n    # three\n\n    y = x\n    return y\n'
    assert code_lines(ast.parse(text).body[0], text) == 3
