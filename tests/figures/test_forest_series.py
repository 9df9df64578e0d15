"""Cumulative and leave-one-out forest plots: rows are pools, all else is the forest plot."""

import dataclasses
import re

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import InputError
from ipsevidence.figures.forest_series import cumulative, leave_one_out
from ipsevidence.figures.style import STYLES

from .cases import trials
from .factory import NINE, nine, pooled, row
from .seen import boxes, marks, overlaps, texts


def dated(run):
    rows = tuple(dataclasses.replace(one, extra={"year": one.label[-4:]}) for one in run.rows)
    return dataclasses.replace(run, rows=rows)


def words(figure, key):
    found = texts(figure)
    return " ".join(text.get_text() for name, text in found.items() if re.fullmatch(rf"{key}(-\d+)?", name))


def column(figure, name, rows):
    return [words(figure, f"line-{index}-{name}") for index in range(rows)]


# metafor 3.8-1: leave1out(rma(yi, vi, method="DL"), transf=exp) on the log odds ratios of the nine trials
def test_each_row_leaves_out_the_study_it_names():
    figure = leave_one_out(nine())
    assert column(figure, "study", 2) == ["Without Davis 2012", "Without Davis 2018"]
    assert column(figure, "k", 10) == ["8"] * 9 + ["9"]
    assert column(figure, "effect", 3) == ["1.83 [1.33–2.52]", "2.55 [1.58–4.10]", "2.57 [1.65–4.01]"]
    assert column(figure, "i2", 1) == ["60%"]
    assert words(figure, "line-9-effect") == "2.23 [1.53–3.26]"
    assert words(figure, "heading-study") == "Study left out"
    assert "Leave-one-out" in words(figure, "foot-0")


# metafor 3.8-1: cumul(rma(yi, vi, method="DL"), order=year), transf=exp
def test_each_row_adds_the_next_study():
    figure = cumulative(dated(nine()))
    labels = column(figure, "study", 9)
    assert labels[0] == "Davis 2012"
    assert labels[1] == "+ Ottomanelli 2012"
    assert labels[-1] == "+ Reme 2019"
    assert column(figure, "k", 9) == [str(k) for k in range(1, 10)]
    assert column(figure, "effect", 3) == ["8.27 [3.12–21.89]", "4.86 [1.79–13.21]", "2.97 [1.00–8.85]"]
    assert words(figure, "line-0-i2") == ""
    assert words(figure, "line-8-effect") == words(figure, "line-9-effect") == "2.23 [1.53–3.26]"


def test_what_the_order_is_by_is_said_where_the_name_does_not():
    run = nine()
    sizes = [cells[1] + cells[3] for _, *cells, _, _ in NINE]
    rows = tuple(dataclasses.replace(one, extra={"n": float(n)}) for one, n in zip(run.rows, sizes, strict=True))
    labels = column(cumulative(dataclasses.replace(run, rows=rows), by="n"), "study", 9)
    assert labels[:2] == ["Lones 2017 (45)", "+ Bejerholm 2017 (61)"]


def test_intervals_are_those_of_the_core():
    run = nine()
    figure = leave_one_out(run)
    series = core.leave_one_out(np.array(run.y), np.array(run.v), tau2="dl", interval="wald", prediction="none")
    drawn = marks(figure, "interval")
    for index in range(9):
        ends = drawn[f"line-{index}-interval"].get_xdata()
        assert list(ends) == pytest.approx([series.low[index], series.high[index]])


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("rows", [3, 9, 60])
def test_nothing_overlaps(style, rows):
    run = trials(rows, seed=rows, long=True)
    rows = tuple(dataclasses.replace(one, extra={"year": 2000.0 + n}) for n, one in enumerate(run.rows))
    run = dataclasses.replace(run, rows=rows)
    assert overlaps(boxes(cumulative(run, style=style))) == []
    assert overlaps(boxes(leave_one_out(run, style=style))) == []


def test_too_few_studies_are_refused_with_the_reason():
    one = pooled([row("A", 4, 10, 2, 10, extra={"year": 2001.0})])
    two = pooled([row("A", 4, 10, 2, 10), row("B", 4, 10, 2, 10)])
    with pytest.raises(InputError, match="nothing to add"):
        cumulative(one)
    with pytest.raises(InputError, match="nothing would be pooled"):
        leave_one_out(two)


def test_an_order_that_a_row_does_not_have_is_an_error():
    with pytest.raises(InputError, match="Davis 2012 says nothing under 'year'"):
        cumulative(nine())
    mixed = [row("A", 4, 10, 2, 10, extra={"x": "early"}), row("B", 4, 10, 2, 10, extra={"x": 3.0})]
    with pytest.raises(InputError, match="words for some studies"):
        cumulative(pooled(mixed), by="x")


def test_the_description_names_every_row():
    text = cumulative(dated(nine())).alternative
    assert text.startswith("Forest plot of 9 pools. Cumulative:")
    assert "+ Reme 2019: 2.23 (1.53–3.26)." in text
    assert "Favours IPS" in text
