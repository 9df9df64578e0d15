"""The pages of docs/methods print what they say, name every method, and lead somewhere."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from ipsevidence import core

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "methods"
EXAMPLE = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
PRINTED = re.compile(r"\A\n```text\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
# the index has no examples, and the numbers of the simulation and of the benchmark are not made while tests run
MEASURED = ("coverage.md", "speed.md")
PAGES = sorted(page.name for page in FOLDER.glob("*.md") if page.name not in {"README.md", *MEASURED})
FAMILIES = {
    "absolute-effects.md": (),
    "bayes.md": core.TAU_PRIORS,
    "between-study-variance.md": (*core.TAU2_ESTIMATORS, *core.TAU2_INTERVALS),
    "counts.md": (*core.GLMM_MODELS, *core.MANTEL_HAENSZEL),
    "dependence.md": (),
    "effects-and-conversions.md": [key for key, m in core.MEASURES.items() if m.needs != "proportion"],
    "few-studies.md": (),
    "heterogeneity.md": (),
    "intervals-and-prediction.md": (*core.INTERVALS, *core.PREDICTIONS),
    "moderators.md": (),
    "proportions.md": [key for key, m in core.MEASURES.items() if m.needs == "proportion"],
    "sensitivity.md": (),
    "small-study-effects.md": (),
}


def text_of(page):
    return (FOLDER / page).read_text(encoding="utf-8")


def test_there_is_a_page_for_every_family():
    assert set(PAGES) == set(FAMILIES)


@pytest.mark.parametrize("page", PAGES)
def test_examples_print_what_the_page_says(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text, names = text_of(page), {}
    examples = list(EXAMPLE.finditer(text))
    assert examples
    for example in examples:
        shown = PRINTED.match(text[example.end() :])
        assert shown, f"an example without what it prints: {example[1]}"
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(example[1], page, "exec"), names)
        lines = [line.rstrip() for line in out.getvalue().splitlines()]
        assert "\n".join(lines).strip("\n") == shown[1].rstrip("\n")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_its_parts(page):
    headings = re.findall(r"^## (.+)$", text_of(page), re.MULTILINE)
    assert [h for h in headings if h in {"Example", "Checked against", "Differences", "Not here"}] == [
        "Example",
        "Checked against",
        "Differences",
        "Not here",
    ]


@pytest.mark.parametrize("page", PAGES)
def test_every_key_is_on_its_page(page):
    text = text_of(page)
    assert [key for key in FAMILIES[page] if f"`{key}`" not in text] == []


def test_every_function_is_on_a_page():
    words = set(re.findall(r"\w+", " ".join(text_of(page) for page in PAGES)))
    functions = {name for name in core.__all__ if name.islower()}
    assert functions - words == {"choose"}  # which looks keys up


@pytest.mark.parametrize("page", [*PAGES, *MEASURED, "README.md"])
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", text_of(page))
    assert [link for link in links if not (FOLDER / link).exists()] == []


def test_the_index_names_every_page():
    index = text_of("README.md")
    assert [page for page in [*PAGES, *MEASURED] if f"]({page})" not in index] == []
