"""A user's own table: the forms it may have, and one clear error for each thing that can be wrong."""

import math
import zipfile

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.usertables import TableError, rows_from_table, table_spec
from ipsevidence.core import InputError

COUNTS = "study,ai,n1i,ci,n2i\nA 2001,32,42,12,43\nB 2002,21,46,8,38\n"


def written(tmp_path, text, name="table.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_counts(tmp_path):
    first, second = rows_from_table(written(tmp_path, COUNTS))
    assert first.label == "A 2001"
    assert (second.counts.events1, second.counts.n1, second.counts.events2, second.counts.n2) == (
        21,
        46,
        8,
        38,
    )
    assert first.participants == 85


def test_effects_and_standard_errors_are_the_same_thing(tmp_path):
    by_variance = rows_from_table(written(tmp_path, "study,yi,vi\nA,0.5,0.04\n", "a.csv"))[0]
    by_error = rows_from_table(written(tmp_path, "study,yi,sei\nA,0.5,0.2\n", "b.csv"))[0]
    assert by_variance.y == by_error.y
    assert by_variance.v == pytest.approx(by_error.v, rel=1e-15)


def test_published_effect_gives_the_variance_of_its_interval(tmp_path):
    rows = rows_from_table(written(tmp_path, "study,estimate,ci_low,ci_high\nA,2,1,4\n"))
    run = pool_rows(
        table_spec("t", {"measure": "RR", "tau2": "common", "interval": "wald", "prediction": "none"}), rows
    )
    # The interval of one study comes back as it was printed.
    assert run.shown(run.fit.estimate) == pytest.approx(2)
    assert run.shown(run.fit.ci.low) == pytest.approx(1)
    assert run.shown(run.fit.ci.high) == pytest.approx(4)


def test_own_names_for_columns(tmp_path):
    path = written(tmp_path, "trial,e1,t1,e2,t2\nA,32,42,12,43\n")
    row = rows_from_table(path, {"ai": "e1", "n1i": "t1", "ci": "e2", "n2i": "t2"})[0]
    assert row.counts.events2 == 12


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators(tmp_path, separator):
    rows = rows_from_table(written(tmp_path, COUNTS.replace(",", separator)))
    assert [row.counts.events1 for row in rows] == [32, 21]


def test_decimal_comma_with_semicolons(tmp_path):
    row = rows_from_table(written(tmp_path, "study;yi;vi\nA;0,50;0,04\n"))[0]
    assert (row.y, row.v) == (0.5, 0.04)


def test_byte_order_mark_of_a_spreadsheet_program(tmp_path):
    assert rows_from_table(written(tmp_path, "\ufeff" + COUNTS))[0].label == "A 2001"


def test_spreadsheet_gives_the_same_rows_as_text(tmp_path):
    book = openpyxl.Workbook()
    for line in COUNTS.splitlines():
        book.active.append([int(cell) if cell.isdigit() else cell for cell in line.split(",")])
    book.active.append([None] * 5)
    book.save(tmp_path / "table.xlsx")
    spreadsheet = rows_from_table(tmp_path / "table.xlsx")
    text = rows_from_table(written(tmp_path, COUNTS))
    assert [(row.label, row.counts) for row in spreadsheet] == [(row.label, row.counts) for row in text]


def test_further_columns_are_kept(tmp_path):
    row = rows_from_table(written(tmp_path, "study,yi,vi,group,year\nA,0.5,0.04,smi,2001\n"))[0]
    assert row.group == "smi"
    assert row.extra == {"group": "smi", "year": "2001"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the table is empty"),
        ("study,ai,n1i\nA,1,2\n", "needs the columns ai, n1i, ci, n2i; or yi, vi"),
        ("study,ai,n1i,ci,n2i\n", "no study below it"),
        ("study,ai,n1i,ci,n2i\nA,1,2,3\n", "row 2 has 4 cells, the heading has 5"),
        ("study,ai,n1i,ci,n2i\nA,1,2,x,4\n", "row 2, column ci: expected a number, found 'x'"),
        ("study,ai,n1i,ci,n2i\nA,1,2,,4\n", "row 2, column ci: expected a number, found empty"),
        ("study,ai,n1i,ci,n2i\nA,1,2,nan,4\n", "row 2, column ci: expected a number, found 'nan'"),
        ("study,yi,yi,vi\nA,1,2,3\n", "column 'yi' stands twice"),
        ('study,yi,vi\nA,"1,2\n', "check the quotes"),
        (
            "study,ai,n1i,ci,n2i\nA,5,10,2,10\nB,11,10,2,10\n",
            "row 3, column ai: events must be from 0 to n1i, found 11 of 10",
        ),
        (
            "study,ai,n1i,ci,n2i\nA,5,10,-2,10\n",
            "row 2, column ci: events must be from 0 to n2i, found -2 of 10",
        ),
        ("study,ai,n1i,ci,n2i\nA,2.5,10,2,10\n", "row 2, column ai: must be a whole number, found 2.5: fractional"),
        ("study,ai,n1i,ci,n2i\nA,1,2e9,2,10\n", "row 2, column n1i: must be at most 1,000,000,000, found 2e+09"),
        ("study,ai,n1i,ci,n2i\nA,1,1e400,2,10\n", "row 2, column n1i: too large to compute with: 1e400"),
        ('study,ai,n1i,ci,n2i\nA,1,"1,234",2,10\n', "row 2, column n1i: expected a number, found '1,234'; write it wi"),
        ("study;ai;n1i;ci;n2i\nA;1;1,234;2;10\n", "row 2, column n1i: expected a number, found '1,234'; write it wi"),
        ("study;ai;n1i;ci;n2i\nA;1;1,000;2;10\n", "write it without commas, as in 1234"),
        ("study,yi,vi\nA,1_0,1\n", "row 2, column yi: expected a number, found '1_0'"),
        ("study,yi,vi\nA,\u0661,1\n", "row 2, column yi: expected a number"),
        ("study,yi,vi\nA,inf,1\n", "row 2, column yi: expected a number, found 'inf'"),
        ("study,yi,vi\nA,1e60,1\n", "row 2, column yi: too large to compute with: 1e60"),
        ("study,yi,vi\nA,1,1e-60\n", "row 2, column vi: too small to compute with"),
        ("study,yi,sei\nA,1,1e-30\n", "row 2, column sei: a variance of 1e-60 cannot"),
        ("study,estimate,ci_low,ci_high\nA,3,1,2\n", "row 2, column estimate: the interval must hold the estimate"),
        ("study,yi,vi" + ",x" * 200 + "\n", "over 200 columns"),
        ("study,yi,vi\n" + "A,1,1\n" * 10_000, "over 10,000 rows"),
        ("study,yi,vi,group\nA,1,1," + "g" * 300 + "\n", "row 2, column group: over 200 characters"),
        ("study,ai,n1i,ci,n2i\nA,0,0,2,10\n", "row 2, column n1i: must be above 0, found 0"),
        ("study,yi,vi\nA,0.5,0\n", "row 2, column vi: must be above 0, found 0"),
    ],
)
def test_what_can_be_wrong_has_a_place_and_a_fix(tmp_path, text, message):
    with pytest.raises(TableError, match=r"table\.csv") as error:
        rows_from_table(written(tmp_path, text))
    assert message in str(error.value)


def test_missing_file_wrong_encoding_and_wrong_spreadsheet(tmp_path):
    with pytest.raises(TableError, match="no such file"):
        rows_from_table(tmp_path / "nothing.csv")
    with pytest.raises(TableError, match="not UTF-8 at byte 9"):
        rows_from_table(written(tmp_path, "study,yi\nÅ,1\n", encoding="latin-1", name="l.csv"))
    with pytest.raises(TableError, match="not an XLSX workbook"):
        rows_from_table(written(tmp_path, "PK", "broken.xlsx"))
    with pytest.raises(TableError, match=r"no column 'x' \(wanted for ai\)"):
        rows_from_table(written(tmp_path, COUNTS), {"ai": "x"})


def test_counts_that_cannot_be_in_rows_of_code_name_the_study():
    rows = (StudyRow(id="b", label="B 2002", counts=Counts(events1=11, n1=10, events2=2, n2=10)),)
    with pytest.raises(InputError, match="B 2002: ai must be at most n1i"):
        pool_rows(table_spec("t", {}), rows)
    rows = (StudyRow(id="c", label="C 2003", estimate=-1, low=0.5, high=2),)
    with pytest.raises(InputError, match="C 2003: a ratio and its interval must be above 0"):
        pool_rows(table_spec("t", {}), rows)
    rows = (StudyRow(id="d", label="D 2004", estimate=3, low=0.5, high=2),)
    with pytest.raises(InputError, match="D 2004: the interval must hold the estimate"):
        pool_rows(table_spec("t", {}), rows)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "odds"}, "measure must be one of"),
        ({"tau2": "REML"}, "nearest: 'reml'"),
        ({"interval": "z"}, "interval must be one of"),
        ({"prediction": "t"}, "prediction must be one of"),
        ({"level": "95"}, "level must be above 0 and below 1"),
        ({"level": "high"}, "level must be above 0 and below 1"),
        ({"level": "nan"}, "level must be above 0 and below 1"),
        ({"level": "1e-400"}, "level must be above 0 and below 1"),
        ({"level": "0." + "9" * 40}, "level must be above 0 and below 1"),
        ({"measure": "PLO"}, "measure must be one of"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(InputError, match=message):
        table_spec("t", settings)


@given(st.text(max_size=300))
def test_any_text_is_a_table_or_one_clear_error(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_text(text, encoding="utf-8", errors="surrogatepass", newline="")
    try:
        rows = rows_from_table(path)
    except TableError:
        return
    assert all(math.isfinite(row.y) or row.counts or math.isfinite(row.estimate) for row in rows)


def workbook(tmp_path, *lines, name="table.xlsx"):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / name)
    return tmp_path / name


def test_headings_match_whatever_their_case_and_blanks(tmp_path):
    row = rows_from_table(written(tmp_path, " Study , AI,N1i ,ci,n2I\nA,1,10,2,10\n"))[0]
    assert (row.label, row.counts.n1) == ("A", 10)
    row = rows_from_table(written(tmp_path, "Study,Events IPS,n1i,ci,n2i\nA,1,10,2,10\n"), {"ai": " events ips"})[0]
    assert row.counts.events1 == 1


def test_a_column_named_for_ours_goes_before_one_of_the_same_name(tmp_path):
    row = rows_from_table(written(tmp_path, "study,ai,e,n1i,ci,n2i\nA,9,1,10,2,10\n"), {"ai": "e"})[0]
    assert row.counts.events1 == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"events": "ai"}, "names 'events', which is none of ai, n1i"),
        ({"ai": "ci", "n1i": "ci"}, "column 'ci' is named for ai and for n1i"),
    ],
)
def test_columns_are_named_for_what_there_is(tmp_path, columns, message):
    with pytest.raises(TableError, match=message):
        rows_from_table(written(tmp_path, COUNTS), columns)


def test_blank_lines_and_quoted_headings_do_not_hide_the_separator(tmp_path):
    text = '\n ; ;\n"study, first, of, all";label;yi;vi\nx;A;0,5;1\n'
    assert rows_from_table(written(tmp_path, text.replace(" ; ;\n", "\n")))[0].y == 0.5


def test_a_row_without_label_is_called_by_its_number(tmp_path):
    path = workbook(tmp_path, ["study", "yi", "vi"], [None, 0.5, 0.04], ["  ", 0.5, 0.04])
    assert [row.label for row in rows_from_table(path)] == ["row 2", "row 3"]


def test_a_formula_without_its_value_says_what_to_do(tmp_path):
    path = workbook(tmp_path, ["study", "yi", "vi"], ["A", "=1/2", 0.04])
    with pytest.raises(
        TableError, match="row 2, column yi: expected a number, found empty; if it holds a formula, save"
    ):
        rows_from_table(path)
    with pytest.raises(TableError, match="expected a number, found True"):
        rows_from_table(workbook(tmp_path, ["study", "yi", "vi"], ["A", True, 0.04]))


def changed(source, part, content):
    target = source.with_name("changed.xlsx")
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            new.writestr(item.filename, content if item.filename == part else old.read(item))
    return target


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "[Content_Types].xml"])
@pytest.mark.parametrize("content", [b"<broken", b"", b"<a/>"])
def test_a_broken_workbook_is_one_error(tmp_path, part, content):
    path = changed(workbook(tmp_path, ["study", "yi", "vi"], ["A", 0.5, 0.04]), part, content)
    with pytest.raises(
        TableError, match=r"changed\.xlsx: (not an XLSX workbook|the workbook has no|the table is empty)"
    ):
        rows_from_table(path)


def test_a_workbook_of_charts_alone(tmp_path):
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.create_chartsheet("chart")
    book.save(tmp_path / "chart.xlsx")
    with pytest.raises(TableError, match="no sheet with cells"):
        rows_from_table(tmp_path / "chart.xlsx")


def test_a_workbook_that_is_too_large_is_refused(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A1048576"] = "study", "B"
    book.save(tmp_path / "long.xlsx")
    with pytest.raises(TableError, match="over 10,000 rows"):
        rows_from_table(tmp_path / "long.xlsx")
    with pytest.raises(TableError, match="over 200 columns"):
        rows_from_table(workbook(tmp_path, ["study", "yi", "vi", *["x"] * 200], ["A", 1, 1], name="wide.xlsx"))
    bomb = changed(tmp_path / "wide.xlsx", "xl/worksheets/sheet1.xml", b" " * 200_000_001)
    with pytest.raises(TableError, match="unpacks to over 200 MB"):
        rows_from_table(bomb)


@pytest.mark.parametrize(
    ("text", "measure", "message"),
    [
        ("yi,vi\n701,1\n", "OR", "row 2, column yi: 701 is no logarithm of a ratio"),
        ("yi,sei\n1,400\n", "RR", "row 2, column sei: 400 is no spread"),
        ("estimate,ci_low,ci_high\n0.2,0.1,0.3\n", "OR", "does not fit an odds ratio: on the log scale .* --measure"),
        ("estimate,ci_low,ci_high\n2,1,4\n", "RD", "does not fit a risk difference: on the plain scale .* --measure"),
        ("estimate,ci_low,ci_high\n0.1,-0.1,0.3\n", "OR", "a ratio and its interval must be above 0"),
    ],
)
def test_effects_that_cannot_be_on_the_scale_of_the_measure(tmp_path, text, measure, message):
    path = written(tmp_path, text)
    with pytest.raises(TableError, match=message):
        rows_from_table(path, measure=measure)
    assert len(rows_from_table(path)) == 1


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("yi,vi\n701,1\n", "MD"),
        ("estimate,ci_low,ci_high\n0.2,0.1,0.3\n", "RD"),
        ("estimate,ci_low,ci_high\n2.23,1.53,3.24\n", "OR"),
    ],
)
def test_effects_on_the_scale_of_the_measure(tmp_path, text, measure):
    assert len(rows_from_table(written(tmp_path, text), measure=measure)) == 1


def test_the_level_of_the_input_is_not_the_level_of_the_output(tmp_path):
    path = written(tmp_path, "estimate,ci_low,ci_high\n2,1,4\n2,1,4\n")

    def fit(level, ci_level):
        rows = rows_from_table(path, measure="OR", level=ci_level)
        settings = {"tau2": "common", "interval": "wald", "prediction": "none", "level": level}
        return pool_rows(table_spec("t", settings, rows), rows).fit

    assert fit("0.95", 0.95).se == fit("0.9", 0.95).se
    assert fit("0.95", 0.9).se == pytest.approx(fit("0.95", 0.95).se * 1.959963984540 / 1.644853626951)


def test_groups_of_a_table_are_pooled_each(tmp_path):
    lines = [("S M I", 3), ("s m  i", 4), ("Ψ", 3), ("S-M-I", 3), ("", 2), ("s m i", 5)]
    table = "group,ai,n1i,ci,n2i\n" + "".join(f"{group},{events},10,2,10\n" for group, events in lines)
    rows = rows_from_table(written(tmp_path, table))
    assert [row.group for row in rows] == ["s-m-i", "s-m-i", "group", "s-m-i-2", "no-group", "s-m-i"]
    run = pool_rows(table_spec("t", {}, rows), rows)
    assert [(group.label, len(group.members)) for group in run.groups] == [
        ("S M I", 3),
        ("Ψ", 1),
        ("S-M-I", 1),
        ("no group", 1),
    ]
    assert run.groups[0].fit.k == 3


def test_counts_are_pooled_on_three_measures_and_effects_on_more(tmp_path):
    counts = rows_from_table(written(tmp_path, COUNTS))
    with pytest.raises(InputError, match=r"measure must be one of \{'OR', 'RR', 'RD'\}; got 'MD'"):
        table_spec("t", {"measure": "MD"}, counts)
    effects = rows_from_table(written(tmp_path, "yi,vi\n1,2\n"))
    assert table_spec("t", {"measure": "MD"}, effects).effect.measure == "MD"


@given(st.lists(st.tuples(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3)), min_size=1, max_size=4))
def test_any_table_of_effects_that_is_read_is_pooled(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("any") / "t.csv"
    path.write_text("yi,vi\n" + "".join(f"{y!r},{v!r}\n" for y, v in pairs), encoding="utf-8")
    try:
        rows = rows_from_table(path, measure="MD")
    except TableError:
        return
    assert pool_rows(table_spec("t", {"measure": "MD", "tau2": "dl"}, rows), rows).fit.k == len(pairs)
