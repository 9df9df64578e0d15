"""Documents as pages: links, anchors and formulas of the site's own, and nothing of a stranger's."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.site.documents import rendered
from ipsevidence.site.mathml import UnknownFormulaError, mathml
from tests.hostile.strangers import MARKUP
from tests.site.pages import Page

ROOT = Path(__file__).parents[2]


def render(text, pages=None, source="docs/methods/x.md", path="methods/x.html", pictures=None):
    return rendered(
        text, source=source, path=path, pages=pages or {}, root=ROOT, pictures={} if pictures is None else pictures
    )


def test_links_lead_to_pages_where_there_are_some_and_to_the_repository_where_not():
    pages = {"docs/methods/bayes.md": "methods/bayes.html", "docs/wanted.md": "wanted.html"}
    text = "# T\n[a](bayes.md#formulas) [b](../wanted.md) [c](../../tests/toy.py) [d](https://x.org) [e](#here)"
    title, body = render(text, pages)
    assert title == "T"
    assert [link for _, _, link in Page(body).links] == [
        "bayes.html#formulas",
        "../wanted.html",
        "https://github.com/ipsevidence/ipsevidence/blob/main/tests/toy.py",
        "https://x.org",
        "#here",
    ]


@pytest.mark.parametrize("words", [*MARKUP, "[x](data:text/html,x)", "[x](../../../../etc/passwd)", "<a@b.c>"])
def test_nothing_of_a_stranger_is_alive_in_a_document(words):
    _, body = render(f"# T\n\n{words}\n\n| a |\n| --: |\n| {words} |\n")
    found = Page(body)
    assert found.refused == []
    assert all(not link for _, _, link in found.links)


def test_pictures_come_from_the_checkout_only():
    pictures = {}
    _, body = render("![a](../images/coverage-mean.svg) ![b](../../../../etc/x.png)", pictures=pictures)
    assert pictures == {"methods/pictures/coverage-mean.svg": ROOT / "docs/images/coverage-mean.svg"}
    assert [link for _, _, link in Page(body).links] == ["pictures/coverage-mean.svg", ""]


def test_columns_of_numbers_are_a_class_and_tables_can_be_scrolled_by_keyboard():
    _, body = render("| a | b |\n| --- | ---: |\n| 1 | 2 |\n")
    assert '<th scope="col" class="n">' in body or '<th class="n" scope="col">' in body
    assert '<td class="n">2</td>' in body
    assert 'tabindex="0"' in body
    assert "style=" not in body


def test_comments_and_marks_of_generated_pages_are_not_shown():
    _, body = render("<!-- Generated: make documents. -->\n\n# T\n\n<!-- walk: begin -->\n\ntext\n")
    assert "Generated" not in body
    assert "begin" not in body


@pytest.mark.parametrize(
    ("tex", "shown"),
    [
        ("y_i", "<msub><mi>y</mi><mi>i</mi></msub>"),
        (r"\hat\mu", '<mover accent="true"><mi>μ</mi><mo>^</mo></mover>'),
        (r"\frac{1}{2}", "<mfrac><mrow><mn>1</mn></mrow><mrow><mn>2</mn></mrow></mfrac>"),
        ("e^{-x}", "<msup><mi>e</mi><mrow><mo>−</mo><mi>x</mi></mrow></msup>"),
        (r"w_i^*", "<msubsup><mi>w</mi><mi>i</mi><mo>∗</mo></msubsup>"),
        (r"\operatorname{se}", '<mi mathvariant="normal">se</mi>'),
        (r"\left(a\right]", '<mrow><mo stretchy="true">(</mo><mi>a</mi><mo stretchy="true">]</mo></mrow>'),
        ("q'", "<msup><mi>q</mi><mo>′</mo></msup>"),
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("x^23", "<msup><mi>x</mi><mn>2</mn></msup><mn>3</mn>"),
        ("a<b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    ],
)
def test_formulas(tex, shown):
    assert mathml(tex) == f"<math>{shown}</math>"
    assert mathml(tex, display=True) == f'<math display="block">{shown}</math>'


@pytest.mark.parametrize("tex", [r"\unknown", "{a", r"\frac{1}", r"\left(a", "a_", "}", r"\operatorname{a"])
def test_what_is_no_formula_is_refused_and_shown_as_written(tex):
    with pytest.raises(UnknownFormulaError):
        mathml(tex)


def test_every_formula_of_the_methods_pages_is_known():
    for file in sorted((ROOT / "docs" / "methods").glob("*.md")):
        _, body = render(file.read_text(encoding="utf-8"))
        assert re.findall(r'<code class="tex">.*?</code>', body) == [], file.name


@given(st.text(alphabet=r"\{}_^'ab1<&>\"$ fracleftrightsqrt().", max_size=60))
def test_any_text_gives_markup_that_is_closed_or_a_refusal(tex):
    from xml.etree import ElementTree as ET

    try:
        found = mathml(tex)
    except UnknownFormulaError:
        return
    ET.fromstring(found)
