"""Rates of services: a panel for each kind, dots where the rates are, benchmarks of one kind alone, and no mean."""

import dataclasses
import math

import pytest

from ipsevidence.analysis.service_rates import ServiceRate, service_rates
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.figures.saving import save
from ipsevidence.figures.strip_plot import BENCHMARK_SOURCE, BENCHMARKS, service_strip
from ipsevidence.figures.style import STYLES

from .seen import axes, overlaps
from .sheets import boxes, icons_of, lines_of, texts

QUARTER = "employed in a quarter, within a quarter"
EVER = "competitive employment, at any time up to then"


def rate(label, events, n, *, kind=EVER, arm="ips", **fields):
    # Wilson: 20/40 gives 0.352 to 0.648 (Newcombe 1998, by hand from his formula)
    z = 1.959963984540054
    p = events / n
    middle, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)),
    )
    given = {"events": events, "n": n, "rate": p, "low": middle - half, "high": middle + half, "basis": "reported"}
    about = {"study": label.lower(), "treatment": "ips", "design": "routine service", "group": "mixed", "period": ""}
    return ServiceRate(
        **{**given, **about, "label": label, "arm": arm, "kind": kind, "months": 12.0, "of": "entrants", "fidelity": ""}
        | fields
    )


def percent(label, share, **fields):
    nothing = dict.fromkeys(("events", "n", "low", "high"), math.nan)
    return dataclasses.replace(rate(label, 1, 2, **fields), rate=share, **nothing)


MADE = (
    rate("Low 2001", 10, 40),
    rate("High 2002", 30, 40),
    percent("Percent 2003", 0.5, months=math.nan, of=""),
    *(rate(f"Quarter {i}", 40 + i, 100, kind=QUARTER) for i in range(3)),
    rate("Alone 2004", 1, 2, kind="job start, time not stated"),
)


@pytest.fixture(scope="module")
def rates():
    return service_rates(load())


def dot(figure, key):
    return next(one for one in axes(figure, "page").collections if one.get_gid() == f"{key}-dot")


def share(figure, panel, x):
    start, end = lines_of(figure, f"{panel}-axis")[:, 0]
    return (x - start) / (end - start)


def test_rows_are_sorted_and_stand_at_their_rates():
    figure = service_strip(MADE)
    written = texts(figure)
    assert [written[f"panel-0-{i}-study-0"] for i in range(3)] == ["High 2002", "Percent 2003", "Low 2001"]
    places = [share(figure, "panel-0", icons_of(figure, f"panel-0-{i}-dot")[0][0]) for i in range(3)]
    assert places == pytest.approx([0.75, 0.5, 0.25])
    low, high = share(figure, "panel-0", lines_of(figure, "panel-0-0-interval")[:, 0])
    assert (low, high) == pytest.approx((0.5981, 0.8581), abs=5e-5)  # Wilson for 30 of 40
    assert written["panel-0-0-persons"] == "30/40"
    assert written["panel-0-0-rate"] == "75"
    assert written["panel-0-0-months"] == "12"


def test_a_percent_is_hollow_and_has_no_interval():
    figure = service_strip(MADE)
    lines = {one.get_gid() for one in axes(figure, "page").lines}
    assert "panel-0-0-interval" in lines
    assert "panel-0-1-interval" not in lines
    assert tuple(dot(figure, "panel-0-1").get_facecolor()[0]) == (1.0, 1.0, 1.0, 1.0)
    assert tuple(dot(figure, "panel-0-0").get_facecolor()[0]) != (1.0, 1.0, 1.0, 1.0)
    written = texts(figure)
    assert (written["panel-0-1-persons"], written["panel-0-1-months"]) == ("–", "–")
    assert written["panel-0-1-among"] == "not stated"


def test_benchmarks_stand_with_the_quarterly_rate_alone():
    figure = service_strip(MADE)
    drawn = [one.get_gid() for one in axes(figure, "page").lines if "benchmark" in one.get_gid()]
    assert drawn == [f"panel-1-benchmark-{word}" for _, word in BENCHMARKS]
    places = [share(figure, "panel-1", lines_of(figure, key)[0, 0]) for key in drawn]
    assert places == pytest.approx([0.31, 0.41, 0.50])
    assert BENCHMARK_SOURCE in figure.alternative
    assert BENCHMARK_SOURCE not in service_strip(MADE, kind=EVER).alternative


def test_kinds_of_fewer_than_three_have_no_panel_unless_asked_for():
    figure = service_strip(MADE)
    names = [text for key, text in texts(figure).items() if key.endswith("-name")]
    assert names == [EVER.capitalize(), QUARTER.capitalize()]
    assert "Not drawn: 1 rate of other kinds." in figure.alternative
    one = service_strip(MADE, kind="job start")
    assert [text for key, text in texts(one).items() if key.endswith("-name")] == ["Job start, time not stated"]
    with pytest.raises(InputError, match="kind must be, or begin, one of"):
        service_strip(MADE, kind="sustained job")
    with pytest.raises(InputError, match="no kind of rate has 3 rates"):
        service_strip(MADE[:2])


def test_it_says_that_kinds_are_not_compared_and_draws_no_mean(rates):
    figure = service_strip(rates)
    assert texts(figure)["never-0"] == "Rates of different kinds are never compared."
    assert "Rates of different kinds are never compared." in figure.alternative
    kinds = [rate.kind for rate in rates]
    dots = [one.get_gid() for one in axes(figure, "page").collections]
    assert len(dots) == sum(kinds.count(kind) >= 3 for kind in kinds) == len(set(dots))
    drawn = {one.get_gid().split("-")[2] for one in axes(figure, "page").lines if one.get_gid().startswith("panel-")}
    assert {key for key in drawn if not key.isdigit()} == {"axis", "grid", "benchmark"}


def test_groups_of_one_study_are_told_apart():
    two = (rate("Same 2001", 5, 40, arm="first centre"), rate("Same 2001", 9, 40, arm="second centre"))
    written = texts(service_strip((*two, rate("Other 2002", 8, 40, period="2014"))))
    assert [written[f"panel-0-{i}-study-0"] for i in range(3)] == [
        "Same 2001: second centre",
        "Other 2002, 2014",
        "Same 2001: first centre",
    ]


@pytest.mark.parametrize("style", STYLES)
def test_no_text_lies_on_another_or_leaves_the_page(style, rates):
    for figure in (service_strip(rates, style=style), service_strip(rates, kind=QUARTER, style=style)):
        found = boxes(figure)
        assert overlaps(found) == []
        wide, high = figure.get_size_inches() * figure.dpi
        assert all(left >= 0 and right <= wide and low >= 0 and top <= high for left, low, right, top in found.values())


def test_files_are_the_same_each_time(rates, tmp_path):
    for form in ("svg", "png", "pdf"):
        first, again = (
            save(service_strip(rates, kind=QUARTER), tmp_path / f"{name}.{form}").read_bytes() for name in "ab"
        )
        assert first == again
    assert save(service_strip(rates), tmp_path / "all.svg").stat().st_size < 200_000
