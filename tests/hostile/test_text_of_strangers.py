"""Whatever stands in a record or a table, no page, figure, table, terminal or workflow does anything with it."""

import contextlib
import csv
import io
import json
import re
import sqlite3
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import ipsevidence
from ipsevidence.analysis.reproduction import reproduce
from ipsevidence.core import InputError
from ipsevidence.dataset import export as exporting
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.findings import Finding, hidden
from ipsevidence.dataset.reader import ReadError, parse, read
from ipsevidence.dataset.record import Study
from ipsevidence.figures import FIGURES, figure, save
from ipsevidence.report import documents, page
from ipsevidence.report.documents import DOCUMENTS
from ipsevidence.terminal import output
from tests.hostile.strangers import (
    EVIL,
    FORMULAS,
    MARKUP,
    alive_in_html,
    alive_in_markdown,
    alive_in_svg,
    alive_on_github,
    formulas_in,
)
from tests.toy import ABOUT, STUDIES, not_entered

SPEC = """schema: 1
id: evil
title: {evil}
purpose: living
question: {{population: {evil}, intervention: {evil}, comparator: {evil}, outcome: {evil}}}
studies: {{where: {{}}}}
"""


def strange(text, words):
    """Return a record of which every free text is the words of a stranger."""
    quoted = json.dumps(words, ensure_ascii=False)
    text = text.replace("definition: made up", f"definition: {quoted}")
    text = text.replace("description: made up", f"description: {quoted}").replace("did: made up", f"did: {quoted}")
    lines = [f"label: {quoted}" if line.startswith("label: ") else line for line in text.splitlines()]
    lines = [
        line.split("citation:")[0] + f"citation: {quoted}, year: 2001}}" if "citation:" in line else line
        for line in lines
    ]
    more = f"doubts: [{quoted}]\nwanted:\n  - {{what: {quoted}, where: {quoted}}}\nnotes: {quoted}\n"
    return "\n".join(lines) + "\n" + more


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp("evil")
    (root / "studies").mkdir()
    (root / "analyses").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT + not_entered(EVIL), encoding="utf-8")
    words = [EVIL, *MARKUP, *FORMULAS]
    for at, (name, text) in enumerate(STUDIES.items()):
        (root / "studies" / f"{name}.yaml").write_text(strange(text, words[at % len(words)]), encoding="utf-8")
    for name in ("alpha-2001", "beta-2002"):
        path = root / "studies" / f"{name}.yaml"
        path.write_text(strange(STUDIES[name], EVIL), encoding="utf-8")
    (root / "analyses" / "evil.yaml").write_text(SPEC.format(evil=json.dumps(EVIL)), encoding="utf-8")
    return load(root)


@pytest.fixture(scope="module")
def formulas(tmp_path_factory):
    root = tmp_path_factory.mktemp("formulas")
    (root / "studies").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT)
    for text, words in zip(STUDIES.items(), FORMULAS, strict=False):
        (root / "studies" / f"{text[0]}.yaml").write_text(strange(text[1], words), encoding="utf-8")
    return load(root)


# -- pages and figures -------------------------------------------------------------------------------------------


def report_of(data, folder):
    page.write_report(reproduce("evil", data), folder)
    return (folder / "report.html").read_text(encoding="utf-8"), (folder / "forest.svg").read_text(encoding="utf-8")


def test_a_page_runs_nothing_and_loads_nothing(data, tmp_path):
    html, svg = report_of(data, tmp_path)
    assert alive_in_html(html) == []
    assert alive_in_svg(svg) == []
    assert "1337" not in html  # 7 * 191: no text is a template
    assert "alert(1)" in html


def test_a_page_without_escaping_would_be_seen(data, tmp_path, monkeypatch):
    original = page.jinja2.Environment
    monkeypatch.setattr(page.jinja2, "Environment", lambda **given: original(**{**given, "autoescape": False}))
    assert alive_in_html(report_of(data, tmp_path)[0]) != []


def test_a_template_made_of_a_text_would_be_seen(data, tmp_path, monkeypatch):
    original = page.jinja2.Environment

    def careless(**given):
        def as_template(value):
            found = re.search(r"\{\{.*?\}\}", value) if isinstance(value, str) else None
            return original().from_string(found[0]).render() if found else value

        return original(**given, finalize=as_template)

    monkeypatch.setattr(page.jinja2, "Environment", careless)
    assert "1337" in report_of(data, tmp_path)[0]


def test_a_description_without_escaping_would_be_seen(evil_run, data, tmp_path, monkeypatch):
    monkeypatch.setattr("ipsevidence.figures.saving.xml.sax.saxutils.escape", lambda text: text)
    svg = save(figure("forest", evil_run, data), tmp_path / "x.svg").read_text(encoding="utf-8")
    with pytest.raises(ET.ParseError):
        alive_in_svg(svg)


def test_a_drawing_without_escaping_would_be_seen():
    with pytest.raises(Exception, match=r"not well-formed|mismatched"):
        alive_in_svg(f'<svg xmlns="http://www.w3.org/2000/svg"><text>{EVIL}</text></svg>')
    assert alive_in_svg('<svg xmlns="http://www.w3.org/2000/svg" onload="x"><a href="javascript:x"/></svg>') != []


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_a_document_made_of_records_holds_no_markup_of_theirs(data, name):
    assert alive_in_markdown(DOCUMENTS[name](data)) == []


def test_a_document_without_escaping_would_be_seen(data, monkeypatch):
    from ipsevidence.report import markdown

    assert "alert" in DOCUMENTS["wanted.md"](data)
    monkeypatch.setattr(markdown, "_SIGNS", ())
    assert alive_in_markdown(DOCUMENTS["wanted.md"](data)) != []
    assert documents.DOCUMENTS is DOCUMENTS


# -- tables ------------------------------------------------------------------------------------------------------


def exported_cells(data, folder):
    exporting.export(data, folder, ("csv",))
    return [row for path in folder.glob("*.csv") for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8")))]


def test_no_cell_of_a_csv_file_is_a_formula(formulas, tmp_path):
    cells = exported_cells(formulas, tmp_path)
    assert formulas_in(cells) == []
    assert any("HYPERLINK" in cell for row in cells for cell in row)


def test_a_formula_would_be_seen(formulas, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "safe_cell", lambda value: value)
    assert set(FORMULAS) <= set(formulas_in(exported_cells(formulas, tmp_path)))


def test_the_inputs_of_an_analysis_hold_no_formula(formulas):
    (formulas.root / "analyses").mkdir(exist_ok=True)
    (formulas.root / "analyses" / "evil.yaml").write_text(SPEC.format(evil='"x"'))
    text = page.inputs_csv(reproduce("evil", formulas).run)
    assert formulas_in(csv.reader(io.StringIO(text))) == []


def test_no_spreadsheet_is_written_at_all():
    """XLSX is read, never written; who adds a writer adds its guard here."""
    files = Path(ipsevidence.__file__).parent.rglob("*.py")
    assert [path.name for path in files if writes_spreadsheets(path.read_text(encoding="utf-8"))] == []


def writes_spreadsheets(code):
    return any(word in code for word in ("Workbook(", "to_excel", "ExcelWriter", "xlsxwriter"))


@pytest.mark.parametrize("code", ["openpyxl.Workbook()", "frame.to_excel(path)", "import xlsxwriter"])
def test_a_writer_of_spreadsheets_would_be_seen(code):
    assert writes_spreadsheets(code)


ROBBER = "'); DROP TABLE studies; --"


def stored_notes(data, folder):
    """Export a dataset to SQLite; return the labels in it, and the names of its tables."""
    (path,) = (path for path in exporting.export(data, folder, ("sqlite",)) if path.suffix == ".sqlite")
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        labels = {label for (label,) in database.execute("SELECT label FROM studies")} if "studies" in tables else set()
        return labels, tables


@pytest.fixture(scope="module")
def robbed(tmp_path_factory):
    root = tmp_path_factory.mktemp("robbed")
    (root / "studies").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT)
    (root / "studies" / "alpha-2001.yaml").write_text(strange(STUDIES["alpha-2001"], ROBBER), encoding="utf-8")
    return load(root)


def test_text_that_is_sql_stays_text(robbed, tmp_path):
    labels, tables = stored_notes(robbed, tmp_path)
    assert labels == {ROBBER}
    assert "studies" in tables


def test_sql_that_is_pasted_together_would_be_seen(robbed, tmp_path, monkeypatch):
    class Pasting(sqlite3.Connection):
        """Writes values into the command, as a careless program does."""

        def executemany(self, command, rows):
            for row in rows:
                values = ", ".join("NULL" if value is None else f"'{value}'" for value in row)
                self.executescript(re.sub(r"\(\?.*\)", lambda _, values=values: f"({values})", command))

    connect = sqlite3.connect
    monkeypatch.setattr(exporting.sqlite3, "connect", lambda place: connect(place, factory=Pasting))
    with pytest.raises(sqlite3.Error):
        stored_notes(robbed, tmp_path)


# -- terminal, JSON, workflows -----------------------------------------------------------------------------------

UNSEEN = "a\x1b[31mred\x1b]0;title\x07 \u202eback \u200b \r\x08 \u2028::error::x"


def test_a_terminal_gets_no_control_and_no_turned_text(capsys):
    from ipsevidence.report.table import Column, Table

    output.say(UNSEEN)
    output.table(Table(title=UNSEEN, columns=(Column(heading=UNSEEN),), rows=((UNSEEN,),), notes=(UNSEEN,)))
    output.envelope("x", {"text": UNSEEN}, [UNSEEN])
    output.say(str(Finding("f\n", 1, 1, "error", "tab", UNSEEN, UNSEEN)))
    shown = capsys.readouterr().out
    assert [match.group() for match in hidden(shown)] == []


def test_what_a_terminal_would_get_without_the_guard_is_seen(capsys, monkeypatch):
    monkeypatch.setattr(output, "visible", lambda text: text)
    output.say(UNSEEN)
    assert list(hidden(capsys.readouterr().out))


@pytest.mark.parametrize(
    "evil",
    ["\n::error::x", "\r::stop-commands::x", "##[add-mask]x", "%0A::error::x", "::error file=x::y", "\u2028::error::x"],
)
def test_an_annotation_is_one_command_whatever_it_quotes(evil):
    from ipsevidence.dataset.annotating import github_annotations

    (line,) = github_annotations([Finding(f"studies/{evil}.yaml", 1, 1, "error", "tab", evil, evil)])
    assert line.splitlines() == [line]
    head, _, rest = line.partition("::")[2].partition("::")
    assert line.startswith("::error file=")
    assert head.count(",") == 3, "the file cannot add a property"
    assert "%0A" not in rest.replace("%250A", "")


# -- what never gets in ------------------------------------------------------------------------------------------

RECORD = STUDIES["alpha-2001"]


def refused(text):
    with pytest.raises(ReadError) as error:
        read(text.encode("utf-8", "surrogatepass"), Study, file="x.yaml")
    return {finding.check for finding in error.value.findings}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,<script>",
        "file:///etc/passwd",
        "//evil.example",
        "https://user:word@evil.example/",
        'https://x.org/"onmouseover="x',
        "https://x.org/<b>",
        "https://x.org\n",
        "https://pаypal.com/",
        "https://x.org/a b",
        " https://x.org/",
    ],
)
def test_a_web_address_is_one_of_http_and_nothing_else(url):
    quoted = json.dumps(url, ensure_ascii=False)
    assert "wrong-form" in refused(RECORD.replace("year: 2001}", f"year: 2001, url: {quoted}}}")), url


@pytest.mark.parametrize(
    "name",
    ["../x", "..", "a/b", "a\\b", "/etc/passwd", "C:x", "x.yaml", "", "a" * 61, "аlpha", "-x", "%2e%2e", "x\n", "~"],
)
def test_an_id_is_no_path(name):
    found = refused(RECORD.replace("id: alpha-2001", f"id: {json.dumps(name, ensure_ascii=False)}"))
    assert found & {"wrong-form", "wrong-length", "wrong-type"}


@pytest.mark.parametrize(
    "number", ["9" * 5000, "1e99999", "1e-99999", "0x" + "f" * 1000, ".inf", "1" + "0" * 400, "1_000"]
)
def test_a_huge_number_is_refused_at_once(number):
    assert refused(RECORD.replace("n: 50", f"n: {number}", 1)) & {"ambiguous-scalar", "wrong-type"}


def test_a_number_of_fifteen_digits_is_out_of_range_and_makes_no_other_number_wait():
    assert refused(RECORD.replace("events: 30", "events: 999999999999999", 1)) == {"out-of-range"}
    assert Decimal("1e12") > 10**11


def test_an_alias_bomb_is_refused_before_it_grows():
    levels = "".join(f"k{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
    with pytest.raises(ReadError) as error:
        parse(f"k0: &a0 [x]\n{levels}".encode(), file="x")
    assert {finding.check for finding in error.value.findings} >= {"alias", "anchor"}


@pytest.mark.parametrize(("key", "odd"), [("label", "lаbel"), ("schema", "sсhema"), ("status", "\uff53tatus")])
def test_a_key_of_look_alike_letters_is_refused(key, odd):
    assert refused(RECORD.replace(f"{key}:", f"{odd}:", 1)) & {"bad-key", "unknown-key"}


def test_a_source_of_look_alike_letters_is_refused():
    """Sources may have any name, so that nothing but the letters tells one from another."""
    assert refused(RECORD.replace("  s1:", "  ѕ1:", 1)) == {"bad-key"}


def test_reading_a_record_runs_nothing(monkeypatch):
    monkeypatch.setattr("os.system", lambda _: pytest.fail("ran"))
    for tag in ("!!python/object/apply:os.system ['true']", "!!python/name:os.system", "!<tag:x> y"):
        assert "tag" in refused(RECORD.replace("status: included", f"status: {tag}"))


# What four made-up trials without groups, years, scales, rates or judgements do not give, and the figure says so.
NOT_TO_BE_DRAWN = {
    "bubble": "moderator: 'year' is 2001 in every study",
    "card": "a card shows one or two trials",
    "compact": "the analysis has no groups",
    "control-risk": "is fitted from 5 on",
    "fidelity": "has a fidelity score on a named scale",
    "flow": "no systematic search",
    "readings": "no trial of the pool has more than one reading",
    "rob": "it is judged for each result by two named people",
    "strip": "no kind of rate has 3 rates",
}


@pytest.fixture(scope="module")
def evil_run(data):
    return reproduce("evil", data).run


@pytest.mark.parametrize("kind", list(FIGURES))
def test_a_figure_of_any_kind_holds_text_and_nothing_else(data, evil_run, tmp_path, kind):
    if kind in NOT_TO_BE_DRAWN:
        with pytest.raises(InputError, match=NOT_TO_BE_DRAWN[kind]):
            figure(kind, evil_run, data)
        return
    drawn = figure(kind, evil_run, data)
    svg = save(drawn, tmp_path / "x.svg", words=True).read_text(encoding="utf-8")
    assert alive_in_svg(svg) == []
    assert list(hidden((tmp_path / "x.txt").read_text(encoding="utf-8").replace("\N{NO-BREAK SPACE}", " "))) == []


def test_the_comparison_of_a_change_is_harmless_markdown():
    from ipsevidence.report.diff_markdown import harmless

    for words in (*MARKUP, EVIL, "@everyone", "#1", "www.evil.example", "https://evil.example"):
        shown = harmless(words)
        assert alive_on_github(f"| a |\n| --- |\n| {shown} |\n") == []
        assert alive_on_github(f"- {shown}\n") == []


def test_a_comparison_without_its_breaks_would_be_seen(monkeypatch):
    from ipsevidence.report import diff_markdown

    monkeypatch.setattr(diff_markdown, "_BREAK", "")
    for words in ("@everyone", "#1", "www.evil.example", "https://evil.example"):
        assert alive_on_github(f"| a |\n| --- |\n| {diff_markdown.harmless(words)} |\n") != []
