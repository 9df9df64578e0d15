"""The shell of every page: navigation, head, policy; links that work from wherever the site stands."""

import dataclasses
import functools
import json
import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import jinja2
from markupsafe import Markup

from ipsevidence.figures.numbers import MINUS

__all__ = ["ASSETS", "NAVIGATION", "POLICY", "Entry", "json_block", "page", "relative"]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation: its key (what a page gives as `here`), label and page."""

    key: str
    label: str
    path: str


NAVIGATION: Final = (
    Entry("home", "Findings", "index.html"),
    Entry("studies", "Studies", "studies/index.html"),
    Entry("map", "Map", "map.html"),
    Entry("analyses", "Analyses", "analyses/index.html"),
    Entry("explore", "Explore", "explore.html"),
    Entry("claims", "Claims", "claims.html"),
    Entry("reviews", "Reviews", "reviews.html"),
    Entry("services", "Services", "services.html"),
    Entry("wanted", "Wanted", "wanted.html"),
    Entry("data", "Data", "data.html"),
    Entry("methods", "Methods", "methods/index.html"),
    Entry("contribute", "Contribute", "contribute.html"),
)
"""The entries of the navigation, in order."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " base-uri 'none'; form-action 'none'"
)
"""What a page may load: files of the site, nothing inline, nothing from elsewhere."""

ASSETS: Final = "assets"
"""Folder of stylesheet and scripts, in the package and on the site."""


def page(
    template: str,
    *,
    path: str,
    title: str,
    description: str,
    here: str,
    scripts: Sequence[str] = (),
    root: str | None = None,
    **context: Any,
) -> str:
    """Write a page of the site.

    Parameters
    ----------
    template : str
        Name of a template in ``ipsevidence/site/templates`` that extends ``base.html.j2``: blocks `main` and `head`.
    path : str
        Where the page stands on the site, such as ``studies/davis-2012.html``. In the template ``link("map.html")``
        is the address, relative to it, of another file of the site; an anchor may follow.
    title, description : str
        For the head of the page; the title is followed by the name of the site.
    here : str
        Key of the entry of the navigation that is marked.
    scripts : sequence of str
        Scripts of the page, by their names in `ASSETS`.
    root : str, optional
        Address of the site where links shall start from it, as on a page that is shown at any address; ends with a
        slash.
    **context
        What else the template uses.

    Returns
    -------
    str
        HTML; text of the context is escaped.
    """
    link = functools.partial(_absolute, root) if root is not None else functools.partial(relative, path)
    return (
        _environment()
        .get_template(template)
        .render(
            path=path,
            title=title,
            description=description,
            here=here,
            scripts=scripts,
            link=link,
            navigation=NAVIGATION,
            policy=POLICY,
            **context,
        )
        + "\n"
    )


_HYPHEN: Final = re.compile(r"(?<![\w.-])-(?=[0-9])")
"""A hyphen that stands for a minus: before a number, after nothing that belongs to it."""


def relative(page_path: str, target: str) -> str:
    """Return the address of a file of the site as seen from a page of it; both are paths from the site's root."""
    file, mark, anchor = target.partition("#")
    if not file:
        return target
    return posixpath.relpath(file, posixpath.dirname(page_path) or ".") + mark + anchor


def _absolute(root: str, target: str) -> str:
    return root + target


@functools.cache
def _environment() -> jinja2.Environment:
    from ipsevidence.report.page import shown_width  # loads matplotlib

    environment = jinja2.Environment(
        # The report's own blocks are the site's too.
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader("ipsevidence.site"), jinja2.PackageLoader("ipsevidence.report")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["json_block"] = json_block
    environment.filters["source"] = lambda picture: f"{picture.key}.svg"
    environment.filters["width"] = shown_width
    environment.filters["minus"] = lambda text: _HYPHEN.sub(MINUS, text)
    environment.filters["capital"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["kind"] = lambda block: type(block).__name__
    return environment


def json_block(data: Mapping[str, Any] | Sequence[Any]) -> Markup:
    """Write plain data as JSON that may stand in a script element: nothing in it can end the element or begin another.

    Parameters
    ----------
    data : mapping or sequence
        Plain data, such as a description by schema.org.

    Returns
    -------
    Markup
    """
    text = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - every sign that HTML knows is escaped above
