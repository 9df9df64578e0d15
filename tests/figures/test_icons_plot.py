"""A hundred people at each baseline: as many icons of each kind as the numbers say, and rings where they may lie."""

import dataclasses
import io

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.absolutes import CUT, absolutes_of
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.spec import Spec
from ipsevidence.figures.icons_plot import icons
from ipsevidence.figures.style import STYLES

from .seen import overlaps
from .sheets import boxes, icons_of, texts

TRIALS = ((30, 50, 15, 50), (24, 40, 12, 40), (18, 30, 4, 30), (14, 33, 3, 28), (40, 90, 21, 88), (33, 60, 20, 62))
HARM = tuple((c, n2, a, n1) for a, n1, c, n2 in TRIALS)


def run_of(tables, **fields):
    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "made up")
    base = {"schema": 1, "id": "toy", "title": "A made-up question", "purpose": "living", "question": question}
    spec = Spec.model_validate({**base, "studies": {"where": {}}, "effect": {"measure": "RR"}, **fields})
    rows = [
        StudyRow(
            id=f"t{i}", label=f"Trial {i}", counts=Counts(events1=a, n1=n1, events2=c, n2=n2), participants=n1 + n2
        )
        for i, (a, n1, c, n2) in enumerate(tables)
    ]
    return pool_rows(spec, rows)


CASES = {
    "six": (TRIALS, {}),
    "harm": (HARM, {}),
    "four": (TRIALS[:4], {}),
    "one": (TRIALS[:1], {}),
    "wide": (TRIALS, {"wide": True}),
    "by odds ratio": (TRIALS, {"model": "OR"}),
    "one, wide": (TRIALS[:1], {"wide": True}),
}


@pytest.fixture(scope="module", params=CASES)
def drawn(request):
    tables, options = CASES[request.param]
    run = run_of(tables)
    return run, options, icons(run, **options)


def test_notes_are_of_the_model_that_is_drawn():
    run = run_of(TRIALS)
    by_odds, by_model = (icons(run, model=model).alternative for model in ("", "bivariate"))
    assert ("read first" in by_odds, "too narrow" in by_odds) == (True, False)
    assert ("read first" in by_model, "too narrow" in by_model) == (False, True)


def test_every_hundred_is_a_hundred(drawn):
    run, options, figure = drawn
    found = absolutes_of(run)
    for index, baseline in enumerate(found.baselines):
        one = found.at(baseline, options.get("model", ""))
        anyway, extra = one.people
        counted = {kind: icons_of(figure, f"field-{index}-{kind}") for kind in ("anyway", "more", "fewer", "not")}
        assert sum(map(len, counted.values())) == 100
        assert len(counted["anyway"]) == anyway + min(extra, 0)
        assert len(counted["more"]) == max(extra, 0)
        assert len(counted["fewer"]) == max(-extra, 0)
        assert len(np.unique(np.concatenate([one for one in counted.values() if len(one)]), axis=0)) == 100


def test_rings_are_the_interval(drawn):
    run, options, figure = drawn
    found = absolutes_of(run)
    for index, baseline in enumerate(found.baselines):
        one = found.at(baseline, options.get("model", ""))
        ends = one.difference_ci if one.difference_prediction.missing else one.difference_prediction
        low, high = (min(100, one.people[0] + round(100 * end)) for end in (ends.low, ends.high))
        assert len(icons_of(figure, f"field-{index}-ring")) == high - max(low, 0)
    written = texts(figure)["key-ring-text"]
    assert ("prediction" in written) == (len(run.rows) >= 5)


def test_nothing_overlaps_and_all_is_on_the_page(drawn):
    _, _, figure = drawn
    found = boxes(figure)
    assert overlaps(found) == []
    edges = np.array(list(found.values()))
    width, height = figure.get_size_inches() * figure.dpi
    assert edges[:, :2].min() >= 0
    assert edges[:, 2].max() <= width
    assert edges[:, 3].max() <= height


def test_numbers_are_written_as_well_as_drawn(drawn):
    run, options, figure = drawn
    found = absolutes_of(run)
    one = found.at(found.baselines[0], options.get("model", ""))
    anyway, extra = one.people
    written = {key: text.replace("\u00a0", " ") for key, text in texts(figure).items()}
    assert written["field-0-head-0"] == f"{anyway} of 100 anyway"
    sign = "+" if extra > 0 else "\u2212"
    assert written["field-0-more-0"] == f"{sign}{abs(extra)} in group 1"
    assert written["field-0-ci-0"].startswith("95% CI")
    assert f"{anyway} of 100" in figure.alternative
    assert f"{abs(extra)} {'more' if extra > 0 else 'fewer'} in group 1" in figure.alternative


@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws(style):
    figure = icons(run_of(TRIALS), style=style)
    assert overlaps(boxes(figure)) == []


def test_width_is_that_of_a_column_or_a_page():
    run = run_of(TRIALS)
    assert icons(run).get_size_inches()[0] * 25.4 == pytest.approx(85)
    assert icons(run, wide=True).get_size_inches()[0] * 25.4 == pytest.approx(180)


def test_given_baselines_are_drawn_in_rows_of_three():
    run = run_of(TRIALS)
    figure = icons(run, absolutes_of(run, [0.15, 0.2, 0.25, 0.3]))
    assert texts(figure)["field-3-head-0"] == "30 of 100 anyway"
    assert len(icons_of(figure, "field-3-anyway")) == 30
    assert overlaps(boxes(figure)) == []


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(core.InputError, match="no trial is in the pool"):
        icons(run_of([]))
    with pytest.raises(core.InputError, match=r"model must be one of OR, RR, bivariate; got 'trial'"):
        icons(run_of(TRIALS), model="trial")


def test_the_same_numbers_give_the_same_bytes():
    files = []
    for _ in range(2):
        buffer = io.BytesIO()
        icons(run_of(TRIALS[:4])).savefig(buffer, format="svg")
        files.append(buffer.getvalue())
    assert files[0] == files[1]


def test_a_note_on_what_was_cut_stands_only_where_it_was():
    run = run_of(TRIALS)
    found = absolutes_of(run)
    cut = dataclasses.replace(found, notes=(*found.notes, CUT))
    assert not any("cut there" in text for text in texts(icons(run, cut)).values())
