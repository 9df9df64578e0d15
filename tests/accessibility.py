"""What axe finds on a page, for all tests that look at pages in a browser."""

from axe_playwright_python.sync_playwright import Axe


def grave(page):
    """Return the rules that a page breaks gravely, and where; its policy must let the script of axe in."""
    return [
        (one["id"], [node["html"][:120] for node in one["nodes"]])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
