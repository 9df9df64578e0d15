"""The generated pages are in step with registries and records, and a stranger's text does nothing in them."""

import dataclasses
from pathlib import Path

import pytest

from ipsevidence import core
from ipsevidence.core.registry import Method
from ipsevidence.dataset.checks import CHECKS
from ipsevidence.dataset.collection import NotEntered, load
from ipsevidence.dataset.reader import CHECKS as READER_CHECKS
from ipsevidence.report.documents import DOCUMENTS, METHOD_FAMILIES, write_documents
from ipsevidence.report.markdown import cell

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_committed_page_is_in_step(name):
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert committed == DOCUMENTS[name](load(ROOT)), "run: make documents"


def test_every_check_is_on_the_page(toy):
    page = DOCUMENTS["checks.md"](toy)
    for key in (*CHECKS, *READER_CHECKS):
        assert f"| {key} |" in page


def test_every_method_is_on_the_page(toy):
    registries = [
        value
        for value in (getattr(core, name) for name in core.__all__ if name.isupper())
        if isinstance(value, dict) and all(isinstance(entry, Method) for entry in value.values())
    ]
    shown = [registry for _, registry in METHOD_FAMILIES.values()]
    assert all(any(registry is other for other in shown) for registry in registries)
    page = DOCUMENTS["methods-by-key.md"](toy)
    for registry in registries:
        for method in registry.values():
            assert f"| {cell(method.key)} | {cell(method.label)} | {cell(method.reference)} |" in page


def test_a_study_that_waits_is_named_with_what_it_would_change(toy):
    waiting = NotEntered(citation="C.", registration="N1", url="https://example.org/x", why="Late.", effect="Much.")
    page = DOCUMENTS["wanted.md"](dataclasses.replace(toy, not_entered=(waiting,)))
    assert "\n## Known, and not entered yet\n" in page
    assert "| C. | N1 | https" in page
    assert page.endswith(" | Late. | Much. |\n")
    assert str(waiting) == "Known, and not entered yet: C (N1). Late. Much."
    assert "not entered" not in DOCUMENTS["wanted.md"](toy)


def test_a_cell_stays_acell():
    assert cell("a | b\n\n# <script>[x](javascript:y) `c`") == "a \\| b # \\<script>\\[x](javascript:y) \\`c\\`"


def test_written_where_asked(toy, tmp_path):
    # The made-up trials have no committed results, so that there is no page of any.
    assert {file.name for file in write_documents(toy, tmp_path)} == set(DOCUMENTS)
