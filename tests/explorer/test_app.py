"""The explorer with the whole engine: started as a user does, looked at in a browser, ended by Ctrl-C."""

import contextlib
import importlib.util
import json
import signal
import subprocess
import sys
import urllib.parse

import pytest

from ipsevidence.analysis.running import run
from ipsevidence.core import InputError
from ipsevidence.report.sentences import verdict_line
from ipsevidence.report.table import make
from ipsevidence.terminal.explore import explored
from tests.accessibility import grave
from tests.hostile.strangers import MARKUP, alive_in_html
from tests.toy import ABOUT, STUDIES


@contextlib.contextmanager
def started(*options):
    """Start the explorer on a free port; yield its process and its address."""
    command = [sys.executable, "-m", "ipsevidence", "explore", "--port", "0", "--json", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    lines = []
    while not lines or lines[-1] != "}\n":
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate()[1])
        lines.append(line)
    try:
        yield process, json.loads("".join(lines))["data"]["address"]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def live():
    with started() as (_, address):
        yield address


def show(watched, address):
    for _ in range(50):
        with contextlib.suppress(Exception):
            watched.page.goto(address)
            break
        watched.page.wait_for_timeout(100)
    watched.page.wait_for_selector("#verdict")
    return watched.page


def verdict_is(page, text):
    page.wait_for_function("text => document.getElementById('verdict')?.textContent === text", arg=text)


def test_it_shows_what_run_gives_and_follows_the_choices(live, opened, shipped):
    watched = opened()
    page = show(watched, live)
    primary = run("primary", shipped)
    verdict_is(page, verdict_line(primary))
    page.wait_for_selector("img.forest")
    assert f"{primary.shown(primary.fit.estimate):.2f}" in page.get_attribute("img.forest", "alt")
    page.select_option("#measure", "OR")
    page.wait_for_function("document.getElementById('verdict').textContent.startsWith('Odds ratio')")
    page.get_by_text("The analysis as a file").click()
    page.wait_for_selector("#spec pre")
    source = page.get_attribute("#spec a", "href").partition(",")[2]
    assert urllib.parse.unquote(source) == page.text_content("#spec pre")
    assert watched.outside(live) == []


def test_the_file_of_a_choice_gives_its_numbers(live, opened, shipped, tmp_path):
    page = show(opened(), live)
    for key, value in {
        "population": "ptsd",
        "outcome": "any-vocational-outcome",
        "weakest_basis": "reconstructed",
    }.items():
        page.select_option(f"#{key}", value)
    page.get_by_text("The analysis as a file").click()
    page.wait_for_selector("#spec pre:has-text('id: explored-ptsd')")
    page.wait_for_selector("#spec pre:has-text('weakest_basis: reconstructed')")
    file = tmp_path / "choice.yaml"
    file.write_text(page.text_content("#spec pre"), encoding="utf-8")
    found = run(file, shipped)
    assert {row.id for row in found.rows} >= {"davis-2012"}
    page.get_by_text("Trials in, and why in this way").click()
    page.wait_for_selector("#inside tbody tr")
    assert page.locator("#inside table").first.locator("tbody tr").count() == len(found.rows)


def test_a_choice_without_an_answer_is_a_sentence(live, opened):
    page = show(opened(), live)
    page.select_option("#tau2", "common")
    page.wait_for_function("document.getElementById('verdict').textContent.startsWith('Not pooled: a common effect')")
    page.select_option("#population", "primary-care")
    page.wait_for_function(
        "document.getElementById('verdict').textContent.startsWith('No trial gives a usable number')"
    )
    page.wait_for_function("!document.querySelector('img.forest')")
    # What no control offers can still be sent.
    page.evaluate("Shiny.setInputValue('population', '../../etc/passwd')")
    page.wait_for_function("document.getElementById('verdict').textContent.startsWith('population must be one of')")
    assert "Traceback" not in page.content()


@pytest.mark.parametrize("width", [360, 1280])
def test_it_can_be_read_by_everybody(live, width, opened):
    page = show(opened(viewport={"width": width, "height": 900}), live)
    page.wait_for_selector("img.forest")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert grave(page) == []


def test_what_strangers_write_does_nothing(tmp_path, opened):
    (tmp_path / "studies").mkdir()
    (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for number, (name, content) in enumerate(STUDIES.items()):
        words = json.dumps(f"{MARKUP[number % len(MARKUP)]} <script>window.hit = 1</script>")
        lines = [f"label: {words}" if line.startswith("label: ") else line for line in content.splitlines()]
        (tmp_path / "studies" / f"{name}.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with started("--data", str(tmp_path)) as (_, address):
        watched = opened()
        page = show(watched, address)
        page.wait_for_selector("img.forest")
        page.get_by_text("Studies out, and why").click()
        page.wait_for_selector("#outside td:has-text('window.hit')")
        assert page.evaluate("window.hit") is None
        assert (
            page.locator("#result script, #around script, #outside script, #outside img, #around iframe").count() == 0
        )
        assert watched.outside(address) == []


def test_a_table_without_escaping_would_be_seen(monkeypatch):
    from shiny import ui

    from ipsevidence.explorer import app

    strange = make("Studies", "Study", [(words,) for words in MARKUP])
    assert alive_in_html(str(app._table(strange))) == []
    cell = ui.tags.td
    monkeypatch.setattr(ui.tags, "td", lambda text, **options: cell(ui.HTML(text), **options))
    assert alive_in_html(str(app._table(strange)))


def test_ctrl_c_ends_it_in_silence(opened):
    with started() as (process, address):
        show(opened(), address)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert errors == ""


def test_a_port_that_is_taken_is_said(live):
    port = urllib.parse.urlsplit(live).port
    command = [sys.executable, "-m", "ipsevidence", "explore", "--port", str(port)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: Address already in use: port {port}"]


def test_without_shiny_it_says_what_to_install(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "shiny" else real(name, *more))
    with pytest.raises(InputError, match=r"pip install 'ipsevidence\[explorer\]'"):
        explored(0, None, as_json=False, quiet=False)
