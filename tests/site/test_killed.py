"""kill -9 while a site is written: every page is the old one or the new one, and the next build leaves no third."""

import importlib
import json
import os
import random

import pytest

from ipsevidence.dataset.collection import load
from ipsevidence.site.build import MANIFEST, build
from tests.hostile.killing import killings
from tests.toy import ABOUT

building = importlib.import_module("ipsevidence.site.build")

KILLS = 12
PAGES = 60

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked and killed")


def pages(word, first):
    """Return pages that differ in what they hold, and a third of them in their names."""
    return {f"studies/{name}.html": f"{word} {name}\n".encode() * 2000 for name in range(first, first + PAGES)}


def test_a_site_that_is_killed_is_healed(tmp_path, monkeypatch):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT)
    dataset, site, rng = load(tmp_path), tmp_path / "site", random.Random(8)
    old, new = pages("old", 0), pages("new", PAGES // 3)

    def write(files):
        monkeypatch.setattr(building, "MAKERS", (lambda _: files,))
        build(dataset, site)

    between = 0
    for _ in killings(KILLS, lambda: write(new), lambda: write(old), PAGES, rng):
        here = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*.html")}
        listed = set(json.loads((site / MANIFEST).read_text())["files"])
        assert here.keys() <= listed  # nothing that a later build would leave behind
        ours = {path: content for path, content in here.items() if path.startswith("studies/")}
        assert all(content in (old.get(path), new.get(path)) for path, content in ours.items())
        between += ours not in (old, new)
        write(new)
        assert {f"studies/{path.name}": path.read_bytes() for path in (site / "studies").glob("*.html")} == new
    assert between > 0
