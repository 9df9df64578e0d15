"""What strangers write, and what must never become of it."""

import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

MARKUP = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "]]><svg onload=alert(1)>",
    "</title></style><iframe src=//evil.example>",
    "{{ 7 * 191 }}{% raw %}",
    "[x](javascript:alert(1)) ![y](https://evil.example/pixel)",
    "`code` | column | **bold** _em_",
    "&lt;script&gt; &#60;b&#62;",
    "$(touch pwned) ;`id`",
)
EVIL = " ".join(MARKUP)
FORMULAS = ('=HYPERLINK("https://evil.example")', "+1+1", "-2+3", "@SUM(1)", " =1+1", "\uff1d1+1", "\uff20x")

_ALIVE = frozenset(
    ("script", "img", "iframe", "object", "embed", "form", "foreignobject", "base", "use", "animate", "set")
)
_LINKS = frozenset(("href", "src", "action", "formaction", "data", "xlink:href", "srcdoc"))


class _Page(HTMLParser):
    def __init__(self, allowed_links):
        super().__init__()
        self.allowed, self.found = allowed_links, []

    def handle_starttag(self, tag, attrs):
        ours = tag == "img" and re.fullmatch(
            r"data:image/(png|svg\+xml);base64,[A-Za-z0-9+/=]+", dict(attrs).get("src") or ""
        )
        if tag in _ALIVE and not ours:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or (name in _LINKS and not ours and not re.fullmatch(self.allowed, value or "")):
                self.found.append(f"{tag} {name}={value}")

    handle_startendtag = handle_starttag


def alive_in_html(text, links="#.*|[a-z0-9.-]+"):
    """List what a browser would run or load: tags, attributes of events, links that are not ours."""
    page = _Page(links)
    page.feed(text)
    page.close()
    return page.found


def alive_in_svg(text):
    """List what a browser would run or load in an SVG, which must be well-formed."""
    found = []
    for element in ET.fromstring(text.encode()).iter():
        tag = element.tag.rpartition("}")[2].lower()
        if tag in _ALIVE - {"use"}:
            found.append(tag)
        for name, value in element.attrib.items():
            plain = name.rpartition("}")[2].lower()
            drawn = tag == "image" and value.startswith("data:image/png;base64,")
            if plain.startswith("on") or (plain == "href" and not value.startswith("#") and not drawn):
                found.append(f"{tag} {plain}={value}")
    return found


def alive_in_markdown(text):
    """List raw HTML, pictures and links elsewhere that Markdown with tables would make of a text."""
    from markdown_it import MarkdownIt

    found = []
    for block in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        for token in [block, *(block.children or ())]:
            if token.type == "link_open" and re.fullmatch(r"[\w./#-]+", token.attrs["href"]):
                continue  # to a page beside this one
            raw = token.type in ("html_block", "html_inline") and not token.content.strip().startswith("<!--")
            if raw or token.type in ("link_open", "image"):
                found.append((token.type, token.content, token.attrs))
    return found


def alive_on_github(text):
    """List what GitHub would make of a comment: HTML but its folds, links, addresses, mentions, issues and commits.

    Addresses are looked for in the Markdown, by the rules of https://github.github.com/gfm/#autolinks-extension-. The
    rest GitHub looks for in the finished page, where escapes and entities are characters again.
    """
    from markdown_it import MarkdownIt
    from mdit_py_plugins.gfm_autolink import gfm_autolink_plugin

    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).use(gfm_autolink_plugin)
    page = _Comment()
    page.feed(reader.render(text))
    page.close()
    shown = "".join(page.texts)
    return [*page.found, *(match.group() for match in _REFERENCE.finditer(shown))]


_REFERENCE = re.compile(
    r"(?<![\w/])@[a-z0-9]|#[0-9]|\bgh-[0-9]|(?<![0-9a-z])(?=[0-9]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{7,40}(?![0-9a-z])",
    re.IGNORECASE,
)
_OF_MARKDOWN = frozenset(
    [
        *("table", "thead", "tbody", "tr", "th", "td", "ul", "ol", "li", "p", "hr", "br", "em", "strong", "s", "code"),
        *("h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "details", "summary"),
    ]
)


class _Comment(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in _OF_MARKDOWN or attrs:
            self.found.append(f"<{tag} {attrs}>")

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.texts.append(data)


def formulas_in(rows):
    """List the cells that a spreadsheet would take for a formula; numbers are none."""
    return [
        cell
        for row in rows
        for cell in row
        if re.match(r"\s*[=+@\uff1d\uff0b\uff0d\uff20\t\r-]", cell)
        and not re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", cell)
    ]
