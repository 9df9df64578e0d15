"""A user's own table: the forms it may have, and one clear error for each thing that can be wrong."""

import math

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
    assert row.extra == {"year": "2001"}


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
