"""The ring: what core may import, what it may know, and that its names work however they are reached."""

import ast
import pkgutil
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ipsevidence import core

SOURCES = sorted(Path(core.__file__).parent.glob("*.py"))
MODULES = [module.name for module in pkgutil.iter_modules(core.__path__)]


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("seed", range(3))
def test_submodules_in_any_order_leave_the_names_callable(seed):
    order = random.Random(seed).sample(MODULES, len(MODULES))
    lines = [f"import ipsevidence.core.{name}" for name in order]
    lines += [
        "from ipsevidence import core",
        "y, v = core.two_by_two('OR', [4, 6], [40, 60], [9, 8], [41, 62])",
        "core.pool(y, v); core.tau2_interval(y, v); core.estimate_tau2(y, v); core.q_test(y, v)",
        "assert all(getattr(core, name) is not None for name in core.__all__)",
    ]
    done = python("\n".join(lines))
    assert done.returncode == 0, done.stderr


def test_no_module_has_the_name_of_a_public_function():
    assert not set(MODULES) & set(core.__all__)


def test_names_are_found_and_listed():
    assert set(core.__all__) <= set(dir(core))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        core.nothing  # noqa: B018
    assert set(core.__all__) == set(core._MODULE_OF)


def test_heavy_packages_stay_out():
    uses_all = "; ".join(f"core.{name}" for name in core.__all__)
    heavy = ["scipy.stats", "scipy.optimize", "pandas", "matplotlib", "statsmodels", "pydantic", "yaml"]
    code = f"import sys\nfrom ipsevidence import core\n{uses_all}\n"
    done = python(f"{code}print([m for m in {heavy} if m in sys.modules])")
    assert done.stdout.strip() == "[]", done.stderr


def test_effects_need_no_scipy():
    done = python("import sys, ipsevidence.core.effects\nprint('scipy' in sys.modules)")
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_core_knows_nothing_of_the_field(source):
    text = source.read_text(encoding="utf-8")
    assert not re.search(r"employ", text, re.IGNORECASE)
    assert not re.search(r"\bIPS\b", text)
    for line in re.findall(r"^\s*(?:from|import) (\S+)", text, re.MULTILINE):
        assert line.split(".")[0] in {"ipsevidence", "numpy", "scipy"} | sys.stdlib_module_names
        assert not line.startswith("ipsevidence.") or line.startswith("ipsevidence.core")


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_functions_fit_on_a_screen(source):
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            docs = ast.get_docstring(node, clean=False)
            length = node.end_lineno - node.lineno + 1 - (docs.count("\n") + 1 if docs else 0)
            assert length <= 60, node.name
