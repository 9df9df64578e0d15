"""Imports point inwards only, and importing the package stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ipsevidence"
# What each part may import of the package; the interface may import everything inside it.
INWARDS = {
    "core": {"core"},
    "dataset": {"core", "dataset"},
    "analysis": {"core", "dataset", "analysis"},
    "figures": {"core", "dataset", "analysis", "figures"},
    "report": {"core", "dataset", "analysis", "figures", "report"},
    # The explorer is a page of the site, in its shell.
    "site": {"core", "dataset", "analysis", "figures", "report", "site", "explorer"},
    "explorer": {"core", "dataset", "analysis", "figures", "report", "site", "explorer"},
    "terminal": {"core", "dataset", "analysis", "figures", "report", "site", "explorer", "terminal"},
    "__main__": {"cli"},
    "cli": {"core", "dataset", "analysis", "figures", "report", "site", "explorer", "terminal", "cli"},
}
CORE_LIBRARIES = {"numpy", "scipy"}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
            if node.module == "ipsevidence":
                names |= {f"ipsevidence.{alias.name}" for alias in node.names}
    return names


def part(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


MODULES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_inwards(path):
    allowed = INWARDS[part(path)]
    for name in imported(path):
        if name.startswith("ipsevidence.") and name != "ipsevidence.__version__":
            assert name.split(".")[1] in allowed, f"{path.relative_to(PACKAGE)} imports {name}"


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) == "core"], ids=lambda path: path.name)
def test_core_knows_numbers_only(path):
    for name in imported(path):
        top = name.split(".")[0]
        assert top == "ipsevidence" or top in CORE_LIBRARIES or top in sys.stdlib_module_names, name
        assert not name.startswith("scipy.stats"), name
    text = path.read_text(encoding="utf-8").lower()
    assert "employ" not in text


def loaded_after(statement: str) -> set[str]:
    code = f"import sys\n{statement}\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("heavy", ["pandas", "matplotlib", "scipy.stats", "statsmodels", "forestplot"])
def test_importing_the_package_is_light(heavy):
    assert heavy not in loaded_after("import ipsevidence")


def test_help_loads_no_numbers():
    loaded = loaded_after(
        "import contextlib, io\nfrom ipsevidence.cli import app\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    app(['--help'])"
    )
    assert not loaded & {"numpy", "scipy", "pandas", "matplotlib", "pydantic", "yaml"}


def test_public_names_resolve():
    import ipsevidence

    for name in ipsevidence.__all__:
        assert getattr(ipsevidence, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = ipsevidence.nothing
    assert set(dir(ipsevidence)) == set(ipsevidence.__all__)
