"""The site of the shipped data, built once: links, policy, numbers, weight; then in a browser.

All of it is one module, so that one process builds the site for all tests.
"""

import functools
import http.server
import json
import threading
from collections import Counter
from pathlib import Path

import pytest

from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.site.build import build
from ipsevidence.site.shell import NAVIGATION, POLICY
from ipsevidence.site.studies import value_of
from ipsevidence.terminal.site import Handler
from tests.accessibility import grave
from tests.site.pages import Page, broken, elsewhere

ROOT = Path(__file__).parents[2]
KINDS = (
    "index.html",
    "studies/index.html",
    "studies/davis-2012.html",
    "studies/fss-programme.html",
    "studies/killackey-2019.html",
    "map.html",
    "analyses/index.html",
    "analyses/primary/index.html",
    "analyses/primary-justice/index.html",
    "analyses/other-choices.html",
    "explore.html",
    "claims.html",
    "reviews.html",
    "services.html",
    "wanted.html",
    "data.html",
    "methods/index.html",
    "methods/heterogeneity.html",
    "methods/vocabulary.html",
    "contribute.html",
    "contributing.html",
    "404.html",
)


@pytest.fixture(scope="module")
def dataset():
    return load(ROOT)


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    place = tmp_path_factory.mktemp("site")
    build(dataset, place)
    return place


@pytest.fixture(scope="module")
def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def pages(files):
    return {path: Page(content.decode()) for path, content in files.items() if path.endswith(".html")}


@pytest.fixture(scope="module")
def address(folder):
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def show(browser, address):
    """Open a page in a fresh context; whatever the browser complains of fails the test at its end."""
    opened, complaints = [], []

    def open_page(path, *, width=1280, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        opened.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("request", lambda one: None if one.url.startswith((address, "data:")) else complaints.append(one.url))
        page.goto(address + path)
        return page

    yield open_page
    for context in opened:
        context.close()
    assert complaints == []


# -- the files ---------------------------------------------------------------------------------------------------


def test_every_link_inside_the_site_leads_somewhere(files):
    assert broken(files) == []


def test_every_navigation_entry_is_a_page_that_marks_itself(files):
    for entry in NAVIGATION:
        text = files[entry.path].decode()
        assert text.count(' aria-current="page"') == 2, entry.path  # the wide menu and the narrow one


def test_no_page_has_anything_that_the_policy_refuses(pages):
    for path, page in pages.items():
        assert page.refused == [], path
        assert page.meta["Content-Security-Policy"] == POLICY, path
        assert page.meta["viewport"] == "width=device-width, initial-scale=1"


def test_links_elsewhere_are_of_the_web_and_nothing_is_loaded_from_there(pages):
    for path, page in pages.items():
        for tag, name, link in page.links:
            assert ":" not in link.partition("/")[0] or elsewhere(link), f"{path}: {link}"
            if tag != "a":
                assert not elsewhere(link), f"{path}: <{tag} {name}={link}>"


def test_every_page_has_one_heading_a_description_and_anchors_of_its_own(pages):
    for path, page in pages.items():
        assert sum(level == "h1" for level, _ in page.heads) == 1, path
        assert page.meta["description"].strip(), path
        assert [one for one, count in Counter(page.ids).items() if count > 1] == [], path


def test_a_page_of_a_study_has_every_number_of_its_record(dataset, pages):
    for study in dataset:
        shown = Counter(pages[f"studies/{study.id}.html"].data)
        wanted = Counter(value_of(number) for _, number in study.numbers())
        assert wanted - shown == Counter(), study.id


def test_a_page_of_a_study_has_all_it_says(dataset, pages):
    study = dataset["davis-2012"]
    text = " ".join(pages["studies/davis-2012.html"].text)
    for words in (
        study.title,
        study.notes.split("\n")[0],
        *(fact.as_printed for fact in study.facts),
        *(source.supports for source in study.sources.values() if source.supports),
        *(entry.note for entry in study.log if entry.note),
    ):
        assert words in text
    links = {link for _, _, link in pages["studies/davis-2012.html"].links}
    assert "https://doi.org/10.1176/appi.ps.201100340" in links
    assert "https://clinicaltrials.gov/study/NCT00333801" in links


def test_the_record_stands_beside_its_page_as_it_is(dataset, files):
    for study in dataset:
        assert files[f"studies/{study.id}.yaml"] == (ROOT / "studies" / f"{study.id}.yaml").read_bytes()


def test_descriptions_for_machines_are_of_schema_org(dataset, pages):
    (about,) = pages["data.html"].described
    assert about["@type"] == "Dataset"
    assert about["version"] == dataset.version
    assert about["identifier"] == f"sha256:{dataset.digest()}"
    assert {one["encodingFormat"] for one in about["distribution"]} >= {"application/zip", "application/json"}
    (article, *_) = pages["studies/davis-2012.html"].described
    assert article["@type"] == "ScholarlyArticle"
    assert article["sameAs"] == ["https://doi.org/10.1176/appi.ps.201100340"]
    assert all(one["@context"] == "https://schema.org" for page in pages.values() for one in page.described)


def test_the_first_page_says_what_the_committed_results_say(pages):
    # From analyses/results, which are compared with metafor elsewhere: not from the code that made the page.
    result = json.loads((ROOT / "analyses" / "results" / "primary.json").read_text(encoding="utf-8"))
    absolutes = result["absolutes"]
    middle = absolutes["baselines"][(len(absolutes["baselines"]) - 1) // 2]
    one = next(a for a in absolutes["answers"] if (a["baseline"], a["model"]) == (middle, absolutes["headline"]))
    text = " ".join(pages["index.html"].text)
    ends = [round(100 * one["difference_ci"][end]) for end in ("low", "high")]
    assert f"Of 100 people, about {round(100 * one['difference'])} more get work with IPS" in text
    assert f"{ends[0]} to {ends[1]} more" in text
    assert "With the trials that are missing" in text
    assert "9 or 24 more" in text  # as `ipsevidence answer` has them: two suppositions, no bounds
    assert f"{result['coverage']['k']} of {result['coverage']['eligible']} eligible trials" in text


def test_the_first_page_names_every_population_and_says_where_nothing_is_known(pages):
    text = " ".join(pages["index.html"].text)
    for group, term in ANALYSIS_GROUP.items():
        assert term.label in text
        result = json.loads((ROOT / "analyses" / "results" / f"primary-{group}.json").read_text(encoding="utf-8"))
        if not result["inputs"] and result["coverage"]["eligible"]:
            assert f"Not known: {result['coverage']['eligible']} trial" in text
    assert "Nothing is known: there is no trial." in text


def test_the_first_page_is_light(files, pages):
    loaded = {"index.html"} | {
        link for tag, _, link in pages["index.html"].links if tag in ("link", "script", "img") and not elsewhere(link)
    }
    assert "assets/site.css" in loaded
    assert sum(len(files[path]) for path in loaded) < 300_000


def test_scripts_are_a_few_hundred_lines(files):
    lines = sum(content.count(b"\n") for path, content in files.items() if path == "assets/tables.js")
    assert lines < 300


# -- in a browser ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", KINDS)
def test_a_phone_shows_every_kind_of_page_without_scrolling_sideways(show, path):
    page = show(path, width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("path", KINDS)
def test_axe_finds_nothing_serious(browser, address, path):
    # The policy of the page would refuse the script of axe.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, bypass_csp=True)
    try:
        page = context.new_page()
        page.goto(address + path)
        found = grave(page)
    finally:
        context.close()
    assert found == []


def rows(page, table="#studies"):
    return page.locator(f"{table} tbody tr:visible")


def test_filters_narrow_the_list_and_the_address_keeps_them(show, dataset):
    page = show("studies/index.html")
    everyone = len(dataset)
    assert rows(page).count() == everyone
    page.get_by_label("Population").select_option("justice")
    justice = sum(study.population.analysis_group == "justice" for study in dataset)
    assert rows(page).count() == justice
    assert page.get_by_role("status").inner_text() == f"{justice} of {everyone} shown"
    assert page.url.endswith("?population=justice")
    page.get_by_label("Search").fill("bond 2015")
    assert [text.split("\n")[0] for text in rows(page).all_inner_texts()] == ["Bond 2015"]
    page.reload()
    assert rows(page).count() == 1
    page.get_by_role("button", name="Show all").click()
    assert rows(page).count() == everyone
    assert page.url.endswith("studies/index.html")


def test_search_passes_over_accents(show):
    page = show("studies/index.html?q=hellstrom")
    assert "Hellström 2017" in rows(page).first.inner_text()


def test_cells_of_the_map_lead_to_as_many_studies_as_they_say(show):
    page = show("map.html")
    cells = page.locator("table.map td a")
    wanted = [(cell.get_attribute("href"), int(cell.inner_text())) for cell in cells.all()]
    assert len(wanted) > 20
    for link, count in wanted[::5]:
        page.goto(page.url.rpartition("/")[0].removesuffix("/studies") + "/" + link)
        assert rows(page).count() == count, link


def test_sorting_by_a_number_and_back(show, dataset):
    page = show("studies/index.html")
    head = page.get_by_role("columnheader", name="People")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    first = rows(page).first.inner_text()
    assert first.startswith(dataset["fss-programme"].label)  # the largest of all
    last = page.locator("#studies tbody tr").last.locator("td").nth(5)
    assert last.inner_text() == ""  # what has no size stays at the end
    page.get_by_role("columnheader", name="Study").get_by_role("button").click()
    names = [text.split("\n")[0] for text in page.locator("#studies tbody th").all_inner_texts()]
    assert names[0] == "Abdel-Baki 2013"
    assert head.get_attribute("aria-sort") is None


def test_the_keyboard_reaches_everything_and_shows_where_it_is(show):
    page = show("studies/index.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "q"
    page.keyboard.type("davis")
    shown = rows(page).count()
    assert 0 < shown < 20
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "sorter":
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    assert page.locator('th[aria-sort="ascending"]').count() == 1
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('tbody') !== null"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/studies/davis-*.html")


def test_without_scripts_the_whole_table_is_there_and_no_dead_control(show, dataset):
    page = show("studies/index.html", java_script_enabled=False)
    assert rows(page).count() == len(dataset)
    assert page.locator("form:visible").count() == 0
    assert page.locator(".sorter").count() == 0
    page = show("index.html", width=360, java_script_enabled=False)
    menu = page.locator("details.narrow")
    menu.locator("summary").click()
    menu.get_by_role("link", name="Claims").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Claims"


def test_in_print_the_page_is_its_text(show):
    page = show("studies/davis-2012.html")
    page.emulate_media(media="print")
    assert page.locator("nav:visible").count() == 0
    assert page.locator("footer:visible").count() == 0
    assert page.get_by_role("heading", name="Davis 2012").is_visible()
    assert page.locator(".scroll").first.evaluate("one => getComputedStyle(one).overflowX") == "visible"


def test_figures_of_an_analysis_are_drawn(show):
    page = show("analyses/primary/index.html")
    widths = page.locator("figure img").evaluate_all("all => all.map((one) => one.naturalWidth)")
    assert len(widths) >= 4
    assert all(width > 100 for width in widths)


def test_an_address_that_is_not_there_gets_the_page_for_it(browser, address):
    page = browser.new_page()
    try:
        answer = page.goto(address + "studies/nobody-1900.html")
        assert answer.status == 404
        assert page.get_by_role("heading", level=1).inner_text() == "There is no page at this address"
    finally:
        page.close()
