"""The explorer's page in a browser: it shows the numbers of its files, and what a record says does nothing there."""

import json
import random
import re

import pytest

from ipsevidence.analysis.running import run
from ipsevidence.explorer.options import grid_selects
from ipsevidence.explorer.static import files
from ipsevidence.report.page import spec_text
from tests.accessibility import grave
from tests.explorer.conftest import serve
from tests.hostile.strangers import MARKUP, alive_in_html
from tests.toy import ABOUT, STUDIES

STATES = {
    "primary": {},
    "another model": {"population": "smi", "measure": "OR", "tau2": "dl", "interval": "wald"},
    "three trials": {"population": "first-episode-psychosis", "outcome": "any-vocational-outcome"},
    "two trials": {"population": "justice", "outcome": "any-vocational-outcome"},
    "one trial": {"population": "justice"},
    "no trial": {"population": "primary-care"},
    "no such model": {"tau2": "common", "interval": "t"},
    "differences": {"measure": "RD"},
}
USUAL = {
    "population": "all",
    "outcome": "primary",
    "comparator": "any",
    "measure": "RR",
    "tau2": "reml",
    "interval": "hksj",
}


def link(address, state):
    return address + "?" + "&".join(f"{key}={value}" for key, value in state.items())


def show(watched, address, state):
    """Open a state by its link, and wait for its numbers."""
    watched.page.goto("about:blank")
    watched.page.goto(link(address, state))
    watched.page.wait_for_selector("#headline:not(:empty)")
    return watched.page


def expected(made, state):
    chosen = USUAL | state
    pool = json.loads(made[f"explore/{chosen['population']}.json"])["pools"][
        f"{chosen['outcome']}/{chosen['comparator']}/{chosen['measure']}"
    ]
    return pool, pool["cells"].get(f"{chosen['tau2']}/{chosen['interval']}", {"why": pool["why"]})


def text(page, selector):
    return page.text_content(selector)


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_link_restores_a_state_whose_numbers_are_those_of_the_file(state, made, address, opened):
    watched = opened()
    page = show(watched, address, state)
    pool, cell = expected(made, state)
    assert {key: page.input_value(f"select[name={key}]") for key in USUAL} == USUAL | state
    assert text(page, "#question") == pool["title"]
    headline = cell.get("headline") or (pool["headline"] if pool["why"] else f"Not pooled: {cell['why']}.")
    assert text(page, "#headline") == headline
    assert text(page, "#coverage") == f"In the pool: {pool['coverage']}."
    assert page.locator("#caveats li").all_text_contents() == pool["caveats"]
    drawn = " ".join(page.locator("#plot text").all_text_contents())
    for row in pool["rows"]:
        assert row["label"] in drawn
        assert row["text"] in drawn
    if "result" in cell:
        assert text(page, "#sentence") == cell["sentence"]
        assert cell["effect"] in drawn
        weights = [weight for _, weight, _ in pool["weights"][(USUAL | state)["tau2"]]]
        assert page.locator("#trials tbody td:nth-child(7)").all_text_contents() == weights
        people = [
            page.locator(f"#per100 tbody tr:nth-child({n + 1}) td").all_text_contents()
            for n in range(len(cell["per100"]))
        ]
        assert people == cell["per100"]
    assert (page.locator("#plot .diamond").count() == 1) == ("result" in cell)
    assert page.locator("#plot .square").count() == sum(
        pool["axis"]["low"] <= row["at"][0] <= pool["axis"]["high"] for row in pool["rows"]
    )
    assert watched.complaints == []
    assert watched.outside(address) == []


def test_marks_are_drawn_where_the_stored_places_are(made, address, opened):
    page = show(opened(), address, {})
    pool, cell = expected(made, {})
    axis = pool["axis"]
    ticks = page.locator("#plot text.mid")
    places = [float(ticks.nth(n).get_attribute("x")) for n in range(len(axis["ticks"]))]
    (one, _), (two, _) = axis["ticks"][0], axis["ticks"][-1]
    scale = (places[-1] - places[0]) / (two - one)

    def x(place):
        return places[0] + (place - one) * scale

    boxes = page.locator("#plot rect.square")
    for number, row in enumerate(pool["rows"]):
        box = boxes.nth(number)
        assert float(box.get_attribute("x")) + float(box.get_attribute("width")) / 2 == pytest.approx(x(row["at"][0]))
    corners = [float(n) for n in re.findall(r"[ML](-?[0-9.]+)", page.get_attribute("#plot .diamond", "d"))]
    ci = cell["result"]["ci"]
    assert [corners[0], corners[2]] == pytest.approx([x(ci["low"]), x(ci["high"])])
    assert corners[1] == pytest.approx(x(cell["result"]["estimate"]))


def test_what_is_downloaded_is_a_spec_that_run_takes(made, address, opened, shipped, tmp_path):
    choices = random.Random(7)
    options = {one.key: list(one.options) for one in grid_selects(shipped)}
    watched = opened(accept_downloads=True)
    for _ in range(3):
        state = {key: choices.choice(keys) for key, keys in options.items()} | {"tau2": "pm"}
        state |= {"population": "smi", "comparator": choices.choice(("any", "vocational-service"))}
        page = show(watched, address, state)
        page.click("#file summary")
        with page.expect_download() as download:
            page.click("#download")
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        assert file.name == "explored-smi.yaml"
        written = file.read_text(encoding="utf-8")
        assert written == text(page, "#spec")
        _, cell = expected(made, state)
        found = run(file, shipped)
        assert written == spec_text(found.spec)
        assert float(f"{found.fit.estimate:.12g}") == cell["result"]["estimate"]


def test_a_choice_changes_numbers_link_and_file(made, address, opened):
    watched = opened()
    page = show(watched, address, {})
    page.select_option("select[name=measure]", "OR")
    page.select_option("select[name=interval]", "wald")
    _, cell = expected(made, {"measure": "OR", "interval": "wald"})
    page.wait_for_function("text => document.getElementById('headline').textContent === text", arg=cell["headline"])
    assert "measure=OR" in page.url
    assert "interval=wald" in page.url
    assert "interval: wald" in text(page, "#spec")
    assert page.get_attribute("#headline", "aria-live") == "polite"
    # The way past the navigation is an anchor of the page, and no choice.
    page.evaluate("location.hash = 'main'")
    assert text(page, "#headline") == cell["headline"]


def test_the_table_of_primary_results_leads_to_each(made, address, opened):
    page = show(opened(), address, {})
    page.click(".primaries a >> text='Severe mental illness'")
    _, cell = expected(made, {"population": "smi"})
    page.wait_for_function("text => document.getElementById('headline')?.textContent === text", arg=cell["headline"])


def test_an_unknown_choice_in_a_link_is_the_protocols(made, address, opened):
    watched = opened()
    page = show(watched, address, {"population": "../../etc", "measure": "<img>", "tau2": "dl"})
    assert page.input_value("select[name=population]") == "all"
    assert text(page, "#headline") == expected(made, {"tau2": "dl"})[1]["headline"]


def test_the_keyboard_is_enough(made, address, opened):
    watched = opened()
    page = show(watched, address, {})
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "population":
            break
    page.keyboard.press("ArrowDown")
    _, cell = expected(made, {"population": "smi"})
    page.wait_for_function("text => document.getElementById('headline').textContent === text", arg=cell["headline"])
    for _ in range(6):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.type") == "reset"
    page.keyboard.press("Enter")
    _, cell = expected(made, {})
    page.wait_for_function("text => document.getElementById('headline').textContent === text", arg=cell["headline"])
    seen = []
    for _ in range(20):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.parentElement.id + ' ' + document.activeElement.tagName"))
    assert "file SUMMARY" in seen
    page.locator("#file summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#spec").is_visible()


def test_without_javascript_the_primary_results_are_there(made, address, opened):
    page = opened(java_script_enabled=False).page
    page.goto(address)
    assert page.locator("#explorer").is_hidden()
    assert "Choices need JavaScript" in page.inner_text("main")
    rows = page.locator(".primaries tbody tr")
    assert rows.count() == sum(name.startswith("explore/") for name in made)
    _, cell = expected(made, {})
    low, high = cell["result"]["shown"]["ci"]
    estimate = cell["result"]["shown"]["estimate"]
    assert f"{estimate:.2f} ({low:.2f}\u2013{high:.2f})" in rows.nth(0).inner_text()
    assert "12 of 44" in rows.nth(0).inner_text()
    assert expected(made, {"population": "homelessness"})[0]["headline"] in page.inner_text(".primaries")


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_phone_needs_no_sideways_scroll(state, address, opened):
    page = show(opened(viewport={"width": 360, "height": 740}), address, state)
    for summary in page.locator("#explorer summary:visible").all():
        if not summary.evaluate("one => one.parentNode.open"):
            summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for node in page.locator("#plot text").all():
        box = node.bounding_box()
        assert box is None or (box["x"] >= 0 and box["x"] + box["width"] <= 361), node.text_content()


@pytest.mark.parametrize("state", ["primary", "two trials", "no trial"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_in_the_way_of_a_screen_reader(state, width, address, opened):
    page = show(opened(viewport={"width": width, "height": 900}, bypass_csp=True), address, STATES[state])
    for summary in page.locator("#explorer summary:visible").all():
        if not summary.evaluate("one => one.parentNode.open"):
            summary.click()
    assert grave(page) == []


def test_on_paper_there_are_no_controls(address, opened):
    page = show(opened(viewport={"width": 760, "height": 1000}), address, {})
    page.emulate_media(media="print")
    assert page.locator("#choices").is_hidden()
    assert page.locator("#plot svg").is_visible()
    assert page.locator("#headline").is_visible()


def test_trials_lead_to_their_pages_and_absent_ones_to_the_wanted_numbers(made, address, opened):
    page = show(opened(), address, STATES["no trial"])
    pool, _ = expected(made, STATES["no trial"])
    links = [node.get_attribute("href") for node in page.locator("#absent a").all()]
    assert links == [*(f"studies/{one['id']}.html" for one in pool["absent"]), "wanted.html"]
    page = show(opened(), address, {})
    pool, _ = expected(made, {})
    links = [node.get_attribute("href") for node in page.locator("#trials a").all()]
    assert links == [f"studies/{row['id']}.html" for row in pool["rows"]]


def test_a_file_that_is_not_there_is_said_in_words(address, opened):
    watched = opened()
    watched.page.route("**/explore/*.json", lambda route: route.fulfill(status=404, body=""))
    watched.page.goto(address)
    watched.page.wait_for_selector("#headline:not(:empty)")
    assert "could not be loaded" in text(watched.page, "#headline")


@pytest.fixture(scope="module")
def strange(tmp_path_factory):
    """The explorer of records whose labels are the words of strangers."""
    from ipsevidence.dataset.collection import load

    root = tmp_path_factory.mktemp("strange")
    (root / "studies").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for number, (name, content) in enumerate(STUDIES.items()):
        words = json.dumps(f"{MARKUP[number % len(MARKUP)]} <script>window.hit = 1</script>")
        lines = [f"label: {words}" if line.startswith("label: ") else line for line in content.splitlines()]
        lines = [line.replace("description: made up", f"description: {words}") for line in lines]
        (root / "studies" / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return files(load(root))


def test_what_strangers_write_is_text_and_nothing_else(strange, tmp_path, opened):
    server, address = serve(tmp_path, strange)
    try:
        watched = opened()
        page = show(watched, address, {})
        assert page.locator("#plot text").filter(has_text="<script>").count() >= 1
        assert page.evaluate("window.hit") is None
        inside = page.inner_html("#explorer")
        assert (
            alive_in_html(
                inside.replace("<form", "<div"),
                links=r"#.*|studies/[a-z0-9-]+\.html|wanted\.html|data:application/yaml.*",
            )
            == []
        )
        assert page.locator("#explorer script, #explorer img, #explorer iframe").count() == 0
        assert watched.outside(address) == []
    finally:
        server.shutdown()
        server.server_close()


def test_a_script_that_made_markup_would_be_seen(strange, tmp_path, opened):
    script = strange["assets/explorer.js"].replace(b"textContent = text", b"innerHTML = text")
    assert script != strange["assets/explorer.js"]
    server, address = serve(tmp_path, {**strange, "assets/explorer.js": script})
    try:
        page = show(opened(), address, {})
        assert page.locator("#explorer script, #explorer img, #explorer iframe").count() > 0
    finally:
        server.shutdown()
        server.server_close()


def test_the_script_never_makes_markup_of_text(made):
    script = made["assets/explorer.js"].decode()
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "DOMParser"):
        assert way not in script
    assert len(script.splitlines()) <= 300
    # It moves stored places and takes part in no sum of statistics: neither logarithms nor powers nor roots.
    assert not re.search(r"Math\.(log|exp|sqrt|pow)|toFixed|toPrecision|\*\*", script)
