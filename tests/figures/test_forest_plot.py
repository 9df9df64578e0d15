"""The forest plot by what stands where: texts, squares, diamonds, lines, arrows."""

import dataclasses
import itertools
import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence import figures
from ipsevidence.core import InputError, NotApplicable, PooledResult
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.figures.forest_lines import MARKS
from ipsevidence.figures.forest_plot import forest
from ipsevidence.figures.lettering import width
from ipsevidence.figures.style import STYLES

from .cases import CASES, effects, plain_effects, trials
from .factory import nine, pooled, row
from .seen import axes, boxes, marks, overlaps, texts

NORMAL = 1.959963984540054


@pytest.fixture(scope="module", params=CASES)
def drawn(request):
    run = CASES[request.param]()
    return run, forest(run)


def words(figure, key):
    """Return a text of the figure, all lines of it as one."""
    found = texts(figure)
    return " ".join(found[name].get_text() for name in found if name == key or name.startswith(f"{key}-"))


def test_nothing_overlaps(drawn):
    _, figure = drawn
    assert overlaps(boxes(figure)) == []


def test_an_overlap_would_be_seen():
    figure = forest(trials(3))
    text = texts(figure)["line-1-study-0"]
    text.set_y(text.get_position()[1] - 4)
    assert overlaps(boxes(figure)) == [("line-0-study-0", "line-1-study-0")]


def test_all_text_is_on_the_page(drawn):
    _, figure = drawn
    edges = np.array(list(boxes(figure).values()))
    width, height = figure.get_size_inches() * figure.dpi
    assert edges[:, :2].min() >= 0
    assert edges[:, 2].max() <= width
    assert edges[:, 3].max() <= height


def test_no_text_stands_among_the_marks(drawn):
    _, figure = drawn
    left, bottom, right, top = axes(figure, "effects").get_window_extent().extents
    for key, (x1, y1, x2, y2) in boxes(figure).items():
        if not key.startswith("tick"):
            assert x2 <= left or x1 >= right or y2 <= bottom or y1 >= top, key


def test_no_text_is_smaller_than_seven_points(drawn):
    _, figure = drawn
    assert min(text.get_fontsize() for text in texts(figure).values()) >= 7


def test_width_is_that_of_the_style_unless_columns_need_more(drawn):
    _, figure = drawn
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(180)


def test_cells_stand_under_their_headings(drawn):
    _, figure = drawn
    found = boxes(figure)
    for column in ("events1", "events2", "effect", "weight"):
        heads = [box for key, box in found.items() if re.fullmatch(rf"(heading-{column}-\d|unit-{column})", key)]
        cells = [box for key, box in found.items() if re.fullmatch(rf"line-\d+-{column}", key)]
        if not cells:
            assert heads == []
            continue
        left, right = min(box[0] for box in cells), max(box[2] for box in cells)
        for box in heads:
            if column == "weight":
                assert box[2] == pytest.approx(right, abs=2)
            else:
                assert min(left, right) - 2 <= (box[0] + box[2]) / 2 <= max(left, right) + 2
                assert box[0] < right
                assert box[2] > left


def test_events_line_up_on_the_slash_and_estimates_on_the_bracket():
    figure = forest(nine())
    for column, sign in (("events1", "/"), ("effect", "[")):
        places = []
        for key, text in texts(figure).items():
            if re.fullmatch(rf"line-\d+-{column}", key):
                head = text.get_text().partition(sign)[0]
                bold = text.get_fontweight() == "bold"
                places.append(text.get_position()[0] + width(head, text.get_fontsize(), bold=bold))
        assert max(places) - min(places) < 0.6


def test_areas_of_squares_are_proportional_to_weights(drawn):
    run, figure = drawn
    squares = marks(figure)["squares"]
    estimates = squares.get_offsets()[:, 0]
    low, high = axes(figure, "effects").get_xlim()
    at = [place(run, y) for y in run.y]
    inside = [index for index, y in enumerate(at) if low <= y <= high]
    order = {round(y, 12) for y in estimates}
    assert order == {round(at[index], 12) for index in inside}
    if isinstance(run.fit, PooledResult) and run.fit.k > 1 and not run.fit.ci.missing:
        by_estimate = sorted(zip(estimates, squares.get_sizes(), strict=True))
        expected = sorted((at[index], float(run.fit.weights[index])) for index in inside)
        ratios = [area / weight for (_, area), (_, weight) in zip(by_estimate, expected, strict=True)]
        assert ratios == pytest.approx([ratios[0]] * len(ratios))


def place(run, pooled):
    """Return where a pooled number stands on the axis: ratios at their logarithms, all else where it is written."""
    measure = run.measure
    return pooled if measure.scale in {"log", "identity"} else float(measure.back(pooled))


def fits(run):
    """Return what has a diamond."""
    every = [*(group.fit for group in run.groups), run.fit]
    return [fit for fit in every if isinstance(fit, PooledResult) and fit.k > 1 and not fit.ci.missing]


def test_diamonds_reach_from_bound_to_bound_with_their_tips_at_the_estimate(drawn):
    run, figure = drawn
    low, high = axes(figure, "effects").get_xlim()
    diamonds = list(marks(figure, "diamond").values())
    placed = [[place(run, value) for value in (fit.ci.low, fit.estimate, fit.ci.high)] for fit in fits(run)]
    expected = [span for span in placed if span[0] <= high and span[2] >= low]
    assert len(diamonds) == len(expected)
    for diamond, (start, estimate, end) in zip(diamonds, expected, strict=True):
        x, y = diamond.get_xy().T
        assert x.min() == max(start, low)
        assert x.max() == min(end, high)
        if low <= estimate <= high:
            assert set(x[(y == y.min()) | (y == y.max())]) == {estimate}
        if start >= low and end <= high:
            assert len(set(map(tuple, diamond.get_xy()))) == 4


def test_arrows_stand_exactly_where_something_goes_on_beyond_the_axis(drawn):
    run, figure = drawn
    low, high = axes(figure, "effects").get_xlim()
    arrows = marks(figure, "-arrow-")
    assert {key.rpartition("-")[2] for key in arrows} <= {"low", "high"}
    for key, arrow in arrows.items():
        assert list(arrow.get_xdata()) == [low if key.endswith("low") else high]
    halves = [NORMAL * math.sqrt(v) for v in run.v]
    spans = [(y - half, y + half) for y, half in zip(run.y, halves, strict=True)]
    spans += [(fit.ci.low, fit.ci.high) for fit in fits(run)]
    if fits(run) and run.fit is fits(run)[-1] and not run.fit.prediction.missing:
        spans.append((run.fit.prediction.low, run.fit.prediction.high))
    spans = [(place(run, start), place(run, end)) for start, end in spans]
    assert sum(key.endswith("low") for key in arrows) == sum(span[0] < low for span in spans)
    assert sum(key.endswith("high") for key in arrows) == sum(span[1] > high for span in spans)
    told = "An arrow marks" in words(figure, "foot")
    assert told == bool(arrows)


def test_intervals_end_at_their_bounds_or_at_the_end_of_the_axis():
    run = nine()
    figure = forest(run)
    low, high = axes(figure, "effects").get_xlim()
    drawn = [line.get_xdata() for line in marks(figure, "-interval").values()]
    for (start, end), y, v in zip(drawn, run.y, run.v, strict=True):
        half = NORMAL * math.sqrt(v)
        assert start == pytest.approx(max(y - half, low))
        assert end == pytest.approx(min(y + half, high))


def test_lines_at_no_effect_and_at_the_mean(drawn):
    run, figure = drawn
    found = marks(figure)
    null = math.log(run.measure.null) if run.measure.scale == "log" else run.measure.null
    assert ("no-effect" in found) == (not math.isnan(null))
    if not math.isnan(null):
        assert list(found["no-effect"].get_xdata()) == [null, null]
        assert found["no-effect"].get_linestyle() == "-"
        low, high = axes(figure, "effects").get_xlim()
        assert low < null < high
    pooled_here = bool(fits(run)) and run.fit is fits(run)[-1]
    assert ("mean" in found) == pooled_here
    if pooled_here:
        assert list(found["mean"].get_xdata()) == [place(run, run.fit.estimate)] * 2
        assert found["mean"].get_linestyle() != "-"
        diamond = list(marks(figure, "diamond").values())[-1]
        assert max(found["mean"].get_ydata()) == pytest.approx(diamond.get_xy()[:, 1].mean(), abs=1)


def test_the_prediction_interval_is_a_bar_with_its_name(drawn):
    run, figure = drawn
    bars = [mark for key, mark in marks(figure, "-prediction").items() if key.endswith("-prediction")]
    fit = run.fit
    if not isinstance(fit, PooledResult) or fit.k == 1 or fit.prediction.missing or fit.ci.missing:
        assert bars == []
        return
    (bar,) = bars
    low, high = axes(figure, "effects").get_xlim()
    assert bar.get_x() == max(place(run, fit.prediction.low), low)
    assert bar.get_x() + bar.get_width() == pytest.approx(min(place(run, fit.prediction.high), high))
    assert bar.get_height() < 3
    assert any(text.get_text().startswith("95%\u00a0prediction") for text in texts(figure).values())


def test_ticks_are_plain(drawn):
    run, figure = drawn
    drawn_axes = axes(figure, "effects")
    labels = [label.get_text() for label in drawn_axes.get_xticklabels()]
    assert len(labels) >= 2
    for place, label in zip(drawn_axes.get_xticks(), labels, strict=True):
        assert re.fullmatch(r"−?\d+(\.\d+)?", label)
        value = math.exp(place) if run.measure.scale == "log" else place
        assert float(label.replace("−", "-")) == pytest.approx(value, abs=1e-12)


def test_ticks_double_where_there_is_room():
    labels = [label.get_text() for label in axes(forest(nine()), "effects").get_xticklabels()]
    assert labels == ["0.5", "1", "2", "4", "8", "16", "32"]


def test_every_row_says_its_numbers():
    run = nine()
    figure = forest(run)
    assert words(figure, "line-1-study") == "Davis 2012\u202f†"
    assert words(figure, "line-1-events1") == "32/42"
    assert words(figure, "line-1-events2") == "12/43"
    assert words(figure, "line-1-effect") == "8.27 [3.12–21.89]"
    assert words(figure, "line-1-weight") == f"{run.fit.weights[0]:.1f}"
    every = [text.get_text() for text in texts(figure).values()]
    assert "2.23 [1.53–3.26]" in every
    assert "718/1510" in every
    assert "IPS" in every
    assert "events/n" in every
    assert "[95%\u00a0CI]" in every


def test_groups_have_heading_rows_subtotal_and_heterogeneity():
    figure = forest(nine())
    lines = [words(figure, f"line-{index}-study") for index in range(19)]
    assert lines[0] == "Psychiatric disorders other than severe mental illness"
    assert lines[7] == "Subtotal (k\u00a0=\u00a06)"
    assert lines[8].replace("\u00a0", " ").startswith("I² = 74%, τ² = 0.139, Q = 19.")
    assert lines[14] == "Musculoskeletal or neurological"
    assert lines[16] == "One trial, not a pool."
    assert lines[17] == "Total (k\u00a0=\u00a09)"
    assert lines[18] == "95%\u00a0prediction interval"


def test_an_empty_group_says_why_it_has_no_diamond():
    run = CASES["one in a group, an empty group"]()
    figure = forest(run)
    said = [text.get_text() for text in texts(figure).values()]
    reasons = [group.fit.reason for group in run.groups if isinstance(group.fit, NotApplicable)]
    assert len(reasons) == 3
    for reason in reasons:
        assert f"{reason[0].upper()}{reason[1:]}." in said
    assert {"Nothing here", "One", "Nor here", "In none of these groups"} <= set(said)


def test_the_foot_names_model_and_estimators_and_ends_with_the_caveats():
    foot = words(forest(nine()), "foot").replace("\u00a0", " ")
    for part in (
        "I² = 72%", "τ² = 0.183 (95% CI 0.123–4.003)", "df = 8", "p < 0.001", "random effects", "DerSimonian",
        "Wald", "k − 2 degrees of freedom", "No test between groups",
    ):  # fmt: skip
        assert part in foot
    assert foot.endswith("work participation kept or gained in one.")


def test_both_directions_are_named_where_two_groups_are_compared(drawn):
    run, figure = drawn
    if run.spec.effect.measure not in {"OR", "RR", "RD"}:
        assert not [key for key in texts(figure) if "favours" in key]
        return
    left, right = ("Favours comparator", "Favours IPS") if run.data else ("Lower in group 1", "Higher in group 1")
    assert words(figure, "favours-0") == f"← {left}"
    assert words(figure, "favours-1") == f"{right} →"
    null = axes(figure, "effects").transData.transform((marks(figure)["no-effect"].get_xdata()[0], 0))[0]
    found = boxes(figure)
    assert found["favours-0-0"][2] <= null <= found["favours-1-0"][0]


def test_words_for_arms_and_directions_are_options():
    figure = forest(nine(), arms=("Aspirin", "Placebo"), favours=("Worse with aspirin", "Better"))
    assert words(figure, "heading-events1") == "Aspirin"
    assert words(figure, "heading-events2") == "Placebo"
    assert words(figure, "favours-0") == "← Worse with aspirin"
    assert "favours-0-0" not in texts(forest(nine(), favours=None))


def test_of_a_table_of_ones_own_nothing_is_claimed():
    figure = forest(trials(4))
    assert words(figure, "heading-events1") == "Group 1"
    assert words(figure, "heading-events2") == "Group 2"
    assert "Values below 1: Lower in group 1; above: Higher in group 1." in figure.alternative
    said = " ".join(text.get_text() for text in texts(figure).values()) + figure.alternative
    assert not re.search("IPS|Comparator|[Ff]avours", said)
    named = forest(trials(4), arms=("aspirin", "placebo"))
    assert words(named, "favours-1") == "Higher in aspirin →"


def test_a_table_of_events_in_the_second_group_only_stands_left():
    run = pooled([row(f"S{i}", 2, 20, 9, 20) for i in range(3)])
    figure = forest(run)
    assert run.y[0] < 0
    arrow = boxes(figure)["favours-0-0"]
    square = axes(figure, "effects").transData.transform((run.y[0], 0))[0]
    assert words(figure, "favours-0") == "← Lower in group 1"
    assert square < arrow[2]


@pytest.mark.parametrize("key", ["PR", "PLO", "PAS", "PFT", "ZCOR"])
def test_what_is_pooled_on_a_scale_of_its_own_is_shown_as_it_is_read(key):
    run = effects([(0.3, 0.01), (0.5, 0.02), (0.6, 0.01)], measure=key)
    figure = forest(run)
    name = "Correlation" if key == "ZCOR" else "Proportion"
    assert words(figure, "axis-name") == words(figure, "heading-effect") == name
    shown = float(run.measure.back(run.fit.estimate))
    assert words(figure, "line-3-effect").startswith(f"{shown:.2f} [")
    assert ("Test of no effect" in words(figure, "foot")) == (key == "ZCOR")
    assert (run.measure.sentence in words(figure, "foot")) == (key != "PR")
    labels = [float(label.get_text().replace("−", "-")) for label in axes(figure, "effects").get_xticklabels()]
    assert min(labels) >= (-1 if key == "ZCOR" else 0)
    assert max(labels) <= 1


def test_directions_without_a_value_of_no_effect_are_an_error():
    with pytest.raises(InputError, match="favours cannot be used: PLO"):
        forest(plain_effects(measure="PLO"), favours=("Few", "Many"))


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("key", ["OR", "RR", "PLO", "ZCOR", "GEN"])
@pytest.mark.parametrize("ys", [(800, 801, 0.1), (800,), (5000, 0.1)])
def test_effects_beyond_all_numbers_are_drawn(key, ys, sign):
    run = effects([(sign * y, 0.1) for y in ys], measure=key)
    figure = forest(run)
    figure.draw_without_rendering()
    if key in {"OR", "RR"}:
        expected = ">999999 [>999999–>999999]" if sign > 0 else "<0.01 [<0.01–<0.01]"
        assert words(figure, "line-0-effect") == expected
    for label in axes(figure, "effects").get_xticklabels():
        assert re.fullmatch(r"−?\d+(\.\d+)?", label.get_text())


def test_long_words_for_arms_and_directions_do_not_overlap():
    long = "a comparator that takes a remarkably long time to be named in full"
    figure = forest(nine(), arms=(long, "x" * 90), favours=(long * 3, long * 3))
    assert overlaps(boxes(figure)) == []


def test_marks_that_occur_are_explained_and_no_others(drawn):
    run, figure = drawn
    foot = words(figure, "foot")
    used = {one.basis for one in run.rows}
    for basis, mark in MARKS.items():
        assert (f"{mark.sign}\u00a0{basis}: {mark.meaning}" in foot) == (basis in used)
    shown = "".join(text.get_text()[-1] for key, text in texts(figure).items() if "-study-" in key)
    for basis, mark in MARKS.items():
        assert shown.count(mark.sign) == sum(one.basis == basis for one in run.rows)


def test_every_basis_but_reported_has_a_mark_of_its_own():
    assert ["reported", *MARKS] == list(BASIS)
    assert len({mark.sign for mark in MARKS.values()}) == len(MARKS)


def test_a_name_that_is_cut_keeps_its_mark():
    figure = forest(pooled([row("very long name " * 20, 4, 10, 2, 10, basis="bounded"), row("B", 4, 10, 3, 10)]))
    assert words(figure, "line-0-study").endswith("…\u202f‡")


def test_columns_of_events_vanish_where_no_row_has_counts():
    figure = forest(plain_effects())
    assert not [key for key in texts(figure) if "events" in key]
    assert len(marks(figure, "-interval")) == 9


def test_a_sum_is_shown_only_where_every_row_has_counts():
    run = pooled([row("A", 4, 10, 2, 10), row("B", y=0.2, v=0.1), row("C", 5, 10, 3, 10)])
    figure = forest(run)
    assert words(figure, "line-0-events1") == "4/10"
    assert "line-1-events1" not in texts(figure)
    assert "line-3-events1" not in texts(figure)


def test_without_a_pool_there_is_no_diamond_no_weight_and_a_reason():
    run = dataclasses.replace(nine(groups=()), fit=NotApplicable(reason="the studies measure different things"))
    figure = forest(run)
    assert marks(figure, "diamond") == {}
    assert "heading-weight-0" not in texts(figure)
    assert words(figure, "line-9-study") == "The studies measure different things."
    assert len(set(marks(figure)["squares"].get_sizes())) == 1
    assert overlaps(boxes(figure)) == []


def test_one_study_is_shown_as_a_study():
    figure = forest(trials(1, interval="wald"))
    assert marks(figure, "diamond") == {}
    assert "nothing was pooled" in words(figure, "line-1-study")
    assert "nothing was pooled" not in words(figure, "foot")


def test_a_year_is_added_only_where_the_name_has_none():
    rows = [
        row("Davis 2012", 4, 10, 2, 10, extra={"year": 2012.0}),
        row("Reme", 4, 10, 2, 10, extra={"year": 2015.0}),
        row("Lones", 5, 10, 2, 10, extra={"year": "2017"}),
        row("Burns", 5, 10, 2, 10, extra={"year": math.nan}),
    ]
    figure = forest(pooled(rows))
    assert [words(figure, f"line-{i}-study") for i in range(4)] == ["Davis 2012", "Reme 2015", "Lones 2017", "Burns"]


def test_further_columns_come_from_the_rows():
    rows = [row(f"S{i}", 4 + i, 10, 2, 10, extra={"fidelity": 101.0 + i, "where": "Oslo"}) for i in range(4)]
    keys = ("study", "extra:where", "events1", "events2", "plot", "effect", "extra:fidelity")
    figure = forest(pooled(rows), columns=keys)
    assert words(figure, "line-2-extra:fidelity") == "103"
    assert words(figure, "line-2-extra:where") == "Oslo"
    assert words(figure, "heading-extra:fidelity") == "Fidelity"
    assert overlaps(boxes(figure)) == []


def test_columns_that_need_more_than_the_width_make_the_figure_wider():
    rows = [row("A name of a study 2012", 4, 10, 2, 10, extra=dict.fromkeys("abcdefgh", "w" * 20)) for _ in range(3)]
    keys = ("study", *(f"extra:{name}" for name in "abcdefgh"), "events1", "events2", "plot", "effect", "weight")
    figure = forest(pooled(rows), columns=keys)
    assert figure.get_size_inches()[0] * 25.4 > 180
    assert overlaps(boxes(figure)) == []


def test_rows_are_set_tight_where_a_page_is_not_enough():
    few, many = forest(trials(10)), forest(trials(60))
    assert texts(few)["line-0-study-0"].get_fontsize() == STYLES["default"].size
    assert texts(many)["line-0-study-0"].get_fontsize() == STYLES["default"].small
    assert many.get_size_inches()[1] * 25.4 < 297


def test_text_from_data_is_literal():
    figure = forest(CASES["dollars and braces"]())
    assert words(figure, "line-0-study") == r"$\frac{a}{b}$ $"
    assert words(figure, "line-1-study") == "a_{b}^c %"


def test_a_wide_interval_of_a_small_trial_does_not_squeeze_the_others():
    spread = [(0.1 * index, 0.04) for index in range(10)]
    without = axes(forest(effects(spread)), "effects").get_xlim()
    with_wide = axes(forest(effects([*spread, (0.3, 400.0)])), "effects").get_xlim()
    assert np.ptp(with_wide) < 1.3 * np.ptp(without)


def test_nothing_to_draw_is_an_error_with_its_reason():
    run = pooled([row("A", 0, 10, 0, 10)])
    assert run.rows == ()
    with pytest.raises(InputError, match="no study to draw"):
        forest(run)


def test_figures_are_found_by_their_kind():
    run = trials(3)
    drawn = figures.figure("forest", run)
    assert drawn.alternative == figures.alternative_text(drawn)
    with pytest.raises(InputError, match=r"kind must be one of.*nearest: 'forest'"):
        figures.figure("forst", run)
    with pytest.raises(InputError, match="style must be one of"):
        figures.figure("forest", run, style="gaudy")
    with pytest.raises(InputError, match="columns must be one of"):
        figures.figure("forest", run, columns=("study", "plot", "efect"))
    with pytest.raises(InputError, match="columns must name each column once"):
        figures.figure("forest", run, columns=("plot", "study"))
    for key, kind in figures.FIGURES.items():
        assert key == kind.key
        assert kind.label
        assert kind.shows.endswith(".")


def test_the_description_holds_studies_pool_and_heterogeneity():
    said = forest(nine()).alternative.replace("\u00a0", " ")
    for part in (
        "Forest plot of 9 studies", "Davis 2018 (reconstructed): 187/271 against 154/270, 1.68 (1.18–2.39).",
        "Total (k = 9): 2.23 (1.53–3.26).", "95% prediction interval 0.74–6.77.", "I² = 72%", "One trial, not a pool.",
    ):  # fmt: skip
        assert part in said


labels = st.text(st.characters(codec="latin-1"), max_size=80) | st.sampled_from(["$x$", "Ünïted 2019", "W" * 70, ""])
names = st.tuples(labels, labels)


@st.composite
def runs(draw):
    """Analyses of counts or of effects, with and without groups, at any size of effect."""
    k = draw(st.integers(1, 12))
    keys = ["", "a", "b", "c"] if draw(st.booleans()) else [""]
    rows = []
    by_effect = draw(st.booleans())
    for _ in range(k):
        common = {
            "group": draw(st.sampled_from(keys)),
            "basis": draw(st.sampled_from(["", *BASIS])),
        }
        if by_effect:
            y = draw(st.floats(-20, 20))
            rows.append(row(draw(labels), y=y, v=draw(st.floats(1e-3, 1e3)), **common))
        else:
            n1, n2 = draw(st.integers(1, 10**6)), draw(st.integers(1, 500))
            cells = draw(st.integers(0, n1)), n1, draw(st.integers(0, n2)), n2
            rows.append(row(draw(labels), *cells, **common))
    return pooled(
        rows,
        measure=draw(st.sampled_from(["OR", "RR", "RD"])),
        tau2=draw(st.sampled_from(["dl", "reml", "common"])),
        interval=draw(st.sampled_from(["wald", "hksj", "hksj-adhoc"])),
        prediction=draw(st.sampled_from(["none", "t-k2", "normal"])),
        groups=tuple((key, f"Group {key}") for key in keys if key),
        caveats=tuple(text for text in draw(st.lists(labels, max_size=2)) if text.strip()),
    )


@given(run=runs(), arms=names, favours=names)
@settings(max_examples=25, deadline=None)
def test_nothing_overlaps_whatever_is_drawn(run, arms, favours):
    if not run.rows:
        return
    figure = forest(run, arms=arms, favours=favours)
    found = boxes(figure)
    assert overlaps(found) == []
    width, height = figure.get_size_inches() * figure.dpi
    edges = np.array(list(found.values()))
    assert edges[:, :2].min() >= -0.5
    assert edges[:, 2].max() <= width + 0.5
    assert edges[:, 3].max() <= height + 0.5
    rows = [box for key, box in found.items() if re.fullmatch(r"line-\d+-study-0", key)]
    assert all(above[1] > below[1] for above, below in itertools.pairwise(rows))
