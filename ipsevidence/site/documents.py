"""The documentation as pages: methods, protocol, decisions, vocabulary, made from the Markdown that there is."""

import functools
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from markdown_it import MarkdownIt
from markupsafe import Markup, escape
from mdit_py_plugins.anchors import anchors_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin

from ipsevidence.report.documents import DOCUMENTS
from ipsevidence.report.result_pages import RESULT_PAGES
from ipsevidence.site.mathml import UnknownFormulaError, mathml
from ipsevidence.site.schema_org import REPOSITORY, web_address
from ipsevidence.site.shell import page, relative

if TYPE_CHECKING:
    from pathlib import Path

    from markdown_it.renderer import RendererProtocol
    from markdown_it.token import Token

    from ipsevidence.site.material import Material

__all__ = ["files", "rendered"]

_GENERATED: Final = {
    "docs/checks.md": "methods/checks.html",
    "docs/methods-by-key.md": "methods/by-key.html",
    "docs/vocabulary.md": "methods/vocabulary.html",
}
_RESULTS: Final = {
    "docs/results/groups.md": "analyses/groups.html",
    "docs/results/multiverse.md": "analyses/other-choices.html",
}
_ELSEWHERE: Final = {
    "docs/results/README.md": "analyses/index.html",
    "docs/results/claims.md": "claims.html",
    "docs/results/reproductions.md": "reviews.html",
    "docs/results/services.md": "services.html#rates",
    "docs/results/what-would-change.md": "wanted.html#change",
    "docs/wanted.md": "wanted.html",
    "docs/data-dictionary.md": "data.html#dictionary",
}
"""Documents whose content has a page of its own making."""

_WRITTEN: Final = {
    "CONTRIBUTING.md": ("contributing.html", "contribute"),
    "REVIEWING.md": ("reviewing.html", "contribute"),
    "CHANGELOG.md": ("changes.html", "data"),
    "docs/protocol/README.md": ("methods/protocol.html", "methods"),
}
_COMMENT: Final = re.compile(r"^<!--.*?-->\n?", re.MULTILINE)
_LONG: Final = 45
"""Signs of TeX from which a formula may be wider than a phone."""

_PICTURES: Final = (".svg", ".png")


def files(material: "Material") -> dict[str, bytes]:
    """Make a page of each document that there is, and of each that is made from registries and committed results."""
    texts = _texts(material)
    pages = {source: path for source, (path, _, _) in texts.items()} | _ELSEWHERE
    found: dict[str, bytes] = {}
    titles: dict[str, str] = {}
    pictures: dict[str, Path] = {}
    for source, (path, here, text) in texts.items():
        if source == "docs/methods/README.md":
            continue
        title, body = rendered(
            text, source=source, path=path, pages=pages, root=material.dataset.root, pictures=pictures
        )
        titles[path] = title
        found[path] = _page(path, title, body, here).encode()
    overview = texts.get("docs/methods/README.md")
    found["methods/index.html"] = _front(material, overview[2] if overview else "", pages, titles, pictures).encode()
    return found | {path: file.read_bytes() for path, file in pictures.items()}


def _page(path: str, title: str, body: Markup, here: str) -> str:
    crumb = {"methods": ("Methods", "methods/index.html"), "analyses": ("Analyses", "analyses/index.html")}.get(here)
    crumb = crumb or {"data": ("Data", "data.html"), "contribute": ("Contribute", "contribute.html")}[here]
    return page("document.html.j2", path=path, title=title, description=f"{title}.", here=here, body=body, crumb=crumb)


def _front(
    material: "Material",
    overview: str,
    pages: Mapping[str, str],
    titles: Mapping[str, str],
    pictures: dict[str, "Path"],
) -> str:
    path = "methods/index.html"
    body = Markup("")
    if overview:
        text = overview.partition("\n")[2]  # its heading is ours
        source, root = "docs/methods/README.md", material.dataset.root
        _, body = rendered(text, source=source, path=path, pages=pages, root=root, pictures=pictures)
    decisions = sorted((one, title) for one, title in titles.items() if one.startswith("methods/decisions/"))
    return page(
        "methods.html.j2",
        path=path,
        title="Methods",
        description="The protocol, the formulas, what each was checked against, and the decisions with their reasons.",
        here="methods",
        body=body,
        titles=titles,
        decisions=decisions,
    )


def _texts(material: "Material") -> dict[str, tuple[str, str, str]]:
    """Return the documents by their place in a checkout: page, entry of the navigation, Markdown."""
    root, dataset = material.dataset.root, material.dataset
    places = dict(_WRITTEN)
    for file in sorted((root / "docs" / "methods").glob("*.md")):
        places[f"docs/methods/{file.name}"] = (f"methods/{file.stem}.html", "methods")
    if "docs/methods/README.md" in places:
        places["docs/methods/README.md"] = ("methods/index.html", "methods")
    for file in sorted((root / "docs" / "decisions").glob("*.md")):
        places[f"docs/decisions/{file.name}"] = (f"methods/decisions/{file.stem}.html", "methods")
    found = {
        source: (path, here, (root / source).read_text(encoding="utf-8"))
        for source, (path, here) in places.items()
        if (root / source).is_file()
    }
    for source, path in _GENERATED.items():
        found[source] = (path, "methods", DOCUMENTS[source.removeprefix("docs/")](dataset))
    if "primary" in material.results:
        for source, path in _RESULTS.items():
            found[source] = (path, "analyses", RESULT_PAGES[source.removeprefix("docs/")](material.results, dataset))
    return found


def rendered(
    text: str, *, source: str, path: str, pages: Mapping[str, str], root: "Path", pictures: dict[str, "Path"]
) -> tuple[str, Markup]:
    """Render a document.

    Parameters
    ----------
    text : str
        Markdown; HTML in it is text.
    source : str
        Its place in a checkout, such as ``docs/methods/bayes.md``: its links start there.
    path : str
        Its page.
    pages : mapping of str to str
        Pages of the documents, by their places; what is not among them is linked where it is developed.
    root : Path
        The checkout.
    pictures : dict of str to Path
        Takes the pictures that the document shows, by their paths on the site.

    Returns
    -------
    title : str
        Its first heading.
    body : Markup
        All of it.
    """
    found = {"title": ""}

    def address(link: str) -> str:
        if link.startswith("#") or web_address(link):
            return link
        if ":" in link.partition("/")[0]:
            return ""
        file, _, anchor = link.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), file))
        if target.startswith(".."):
            return ""
        if target in pages:
            return (
                relative(path, pages[target])
                if not anchor
                else relative(path, pages[target].partition("#")[0]) + f"#{anchor}"
            )
        return f"{REPOSITORY}/blob/main/{target}"

    def picture(link: str) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        file = root / target
        if target.startswith("..") or not target.endswith(_PICTURES) or not file.is_file():
            return ""
        place = f"methods/pictures/{posixpath.basename(target)}"
        pictures[place] = file
        return relative(path, place)

    environment: dict[str, Any] = {"address": address, "picture": picture}
    tokens = _markdown().parse(_COMMENT.sub("", text), environment)
    for at, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h1" and not found["title"]:
            found["title"] = _plain(tokens[at + 1])
    _settle(tokens, environment)
    return found["title"], Markup(_markdown().renderer.render(tokens, _markdown().options, environment))  # noqa: S704


def _plain(inline: "Token") -> str:
    return "".join(child.content for child in inline.children or ())


def _settle(tokens: "Sequence[Token]", environment: Mapping[str, Any]) -> None:
    """Make links and pictures those of the site, and alignment a class: the policy allows no styles in attributes."""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            style = str(token.attrs.pop("style", ""))
            if "right" in style:
                token.attrs["class"] = "n"
            if token.type == "th_open":
                token.attrs["scope"] = "col"
        if token.type == "link_open":
            address = environment["address"](str(token.attrs.get("href", "")))
            token.attrs.pop("href", None)
            token.attrs.pop("title", None)
            if address:
                token.attrs["href"] = address
        if token.type == "image":
            token.attrs["src"] = environment["picture"](str(token.attrs.get("src", "")))
        _settle(token.children or (), environment)


@functools.cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.use(anchors_plugin, max_level=3)
    markdown.use(dollarmath_plugin, renderer=_formula, allow_space=False)
    markdown.add_render_rule("fence", _code)
    markdown.add_render_rule("code_block", _code)
    markdown.add_render_rule("table_open", _table_open)
    markdown.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
    return markdown


def _formula(content: str, options: Mapping[str, Any]) -> str:
    display = bool(options.get("display_mode"))
    try:
        formula = mathml(content, display=display)
        # What may be wider than a phone scrolls in its own box, which the keyboard must reach.
        return f'<span class="formula" tabindex="0">{formula}</span>' if display or len(content) > _LONG else formula
    except UnknownFormulaError:
        return f'<code class="tex">{escape(content)}</code>'


def _code(_: "RendererProtocol", tokens: "Sequence[Token]", at: int, *__: Any) -> str:
    # Long lines scroll in their box, which the keyboard must reach.
    return f'<pre tabindex="0" role="region" aria-label="Code"><code>{escape(tokens[at].content)}</code></pre>\n'


def _table_open(_: "RendererProtocol", tokens: "Sequence[Token]", at: int, *__: Any) -> str:
    heads = []
    for token in tokens[at:]:
        if token.type == "thead_close":
            break
        if token.type == "inline":
            heads.append(_plain(token))
    label = escape(f"Table: {', '.join(head for head in heads if head) or 'terms'}")
    return f'<div class="scroll" role="region" aria-label="{label}" tabindex="0">\n<table>\n'
