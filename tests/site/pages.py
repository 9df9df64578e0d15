"""What the tests read of a page: its links, anchors, data, and what a policy would refuse."""

import json
import posixpath
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

_LINKS = {"href", "src", "action", "formaction", "data", "srcset", "poster", "xlink:href"}
_LOADING = {"iframe", "object", "embed", "form", "base", "style", "foreignobject", "use", "audio", "video", "applet"}


class Page(HTMLParser):
    """A page, parsed once."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.data, self.described, self.refused = [], [], [], [], []
        self.heads, self.meta, self.text = [], {}, []
        self._json, self._at = None, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.links += [(tag, name, value or "") for name, value in attrs if name in _LINKS]
        self.refused += [f"{tag} {name}={value}" for name, value in attrs if re.match("style$|srcdoc$|on", name)]
        if "id" in found:
            self.ids.append(found["id"])
        if tag == "data":
            self.data.append(found["value"])
        if tag in _LOADING and not (tag == "form" and "action" not in found):
            self.refused.append(f"<{tag}>")
        if tag == "script":
            self._script(found)
        if tag == "meta":
            self.meta[found.get("name") or found.get("http-equiv")] = found.get("content")
        self._at.append(tag)

    def _script(self, found):
        if found.get("type") == "application/ld+json":
            self._json = []
        elif not re.fullmatch(r"((\.\./)*|/)assets/[a-z]+\.js", found.get("src") or ""):
            self.refused.append(f"<script {found}>")

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        if tag == "script" and self._json is not None:
            self.described.append(json.loads("".join(self._json)))
            self._json = None

    def handle_data(self, data):
        if self._json is not None:
            self._json.append(data)
        elif data.strip():
            self.text.append(data.strip())
            if self._at and self._at[-1] in ("h1", "h2", "h3"):
                self.heads.append((self._at[-1], data.strip()))


def elsewhere(link):
    """Whether a link leaves the site."""
    return link.startswith(("https://", "http://"))


def target(path, link):
    """Return the file and the anchor that a link of a page leads to, from the site's root."""
    parts = urlsplit(link)
    if not parts.path:
        return path, unquote(parts.fragment)
    start = "" if parts.path.startswith("/") else posixpath.dirname(path)
    file = posixpath.normpath(posixpath.join(start, parts.path.lstrip("/")))
    return unquote(file), unquote(parts.fragment)


def broken(files):
    """List the links of all pages that lead nowhere: to no file, or to no anchor of a page."""
    pages = {path: Page(content.decode()) for path, content in files.items() if path.endswith(".html")}
    found = []
    for path, page in pages.items():
        for tag, name, link in page.links:
            if elsewhere(link):
                continue
            file, anchor = target(path, link)
            if file not in files:
                found.append(f"{path}: {tag} {name}={link}: no such file")
            elif anchor and anchor not in pages[file].ids:
                found.append(f"{path}: {tag} {name}={link}: no such anchor")
    return found
