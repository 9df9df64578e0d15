"""The card of one trial, and of two: what it says, what it draws, and what it refuses."""

import io
import math

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.analysis.rows import StudyRow
from ipsevidence.analysis.running import pool_rows, run
from ipsevidence.figures.card_plot import card
from ipsevidence.figures.style import STYLES

from .seen import overlaps
from .sheets import boxes, icons_of, lines_of, patches_of, texts
from .test_icons_plot import TRIALS, run_of

PRINTED = StudyRow(id="p", label="Printed 2003", estimate=2.0, low=1.0, high=4.0, basis="reported", participants=90.0)
LOPSIDED = StudyRow(id="l", label="Lopsided 2004", estimate=2.81, low=1.98, high=7.37, participants=157.0)


def words(figure, key):
    found = texts(figure)
    lines = [name for name in found if name == key or (name.startswith(f"{key}-") and name[len(key) + 1 :].isdigit())]
    text = " ".join(found[name] for name in lines)
    return text.replace("\u00a0", " ")


def with_rows(*rows):
    base = run_of(TRIALS[:1])
    return pool_rows(base.spec, rows)


CASES = {
    "one": lambda: card(run_of(TRIALS[:1])),
    "one, wide": lambda: card(run_of(TRIALS[:1]), wide=True),
    "two": lambda: card(run_of(TRIALS[:2])),
    "two, wide": lambda: card(run_of(TRIALS[:2]), wide=True),
    "all and none": lambda: card(run_of([(20, 20, 0, 20)])),
    "one printed": lambda: card(with_rows(PRINTED)),
    "one with counts, one printed": lambda: card(with_rows(run_of(TRIALS[:1]).rows[0], LOPSIDED), wide=True),
    "long words": lambda: card(
        with_rows(
            StudyRow(
                id="w",
                label="Supported employment for veterans with PTSD, second cohort 2019",
                counts=run_of(TRIALS[:1]).rows[0].counts,
                basis="derived",
                extra={
                    "intervention": "individual placement and support " * 6,
                    "comparator": "C" * 90,
                    "definition": "any work " * 40,
                    "citation": "Author A, " * 40,
                    "denominator": "analysed",
                },
            )
        )
    ),
    "odds ratios": lambda: card(run_of(TRIALS[:2], effect={"measure": "OR"})),
    "risk differences": lambda: card(run_of(TRIALS[:2], effect={"measure": "RD"})),
}


@pytest.fixture(scope="module", params=CASES)
def drawn(request):
    return CASES[request.param]()


def test_nothing_overlaps_and_all_is_on_the_page(drawn):
    found = boxes(drawn)
    assert overlaps(found) == []
    edges = np.array(list(found.values()))
    width, height = drawn.get_size_inches() * drawn.dpi
    assert edges[:, :2].min() >= 0
    assert edges[:, 2].max() <= width
    assert edges[:, 3].max() <= height


def test_one_trial_by_hand():
    # 30/50 v 15/50: RR 2 (exp(log 2 -+ 1.96 x sqrt(1/30 - 1/50 + 1/15 - 1/50))), OR 3.5, RD 0.3 (Newcombe)
    figure = card(run_of(TRIALS[:1]))
    reach = 1.959963984540054 * math.sqrt(1 / 30 - 1 / 50 + 1 / 15 - 1 / 50)
    low, high = 2 * math.exp(-reach), 2 * math.exp(reach)
    assert words(figure, "banner") == "One trial, not a pool"
    assert words(figure, "card-0-effect-0-value") == f"2.00 [{low:.2f}–{high:.2f}]"
    assert words(figure, "card-0-effect-1-value").startswith("3.50 [")
    assert words(figure, "card-0-effect-2-value") == "30 more [11 to 47 more]"
    assert words(figure, "card-0-intervention-numbers") == "30/50, 60% (46–72)"
    assert words(figure, "card-0-comparator-numbers") == "15/50, 30% (19–44)"
    assert "One trial, not a pool" in figure.title
    assert "30 of 50 against 15 of 50, risk ratio 2.00" in figure.alternative


def test_bars_are_as_long_as_the_risks():
    figure = card(run_of(TRIALS[:1]))
    for side, risk in (("intervention", 0.6), ("comparator", 0.3)):
        left, _, long, _ = patches_of(figure, f"card-0-{side}-scale")
        bar = patches_of(figure, f"card-0-{side}-bar")
        assert bar[0] == left
        assert bar[2] == pytest.approx(risk * long)
    ends = lines_of(figure, "card-0-intervention-interval")[:, 0]
    left, _, long, _ = patches_of(figure, "card-0-intervention-scale")
    assert (ends - left) / long == pytest.approx([0.46180, 0.72393], abs=1e-4)


def test_two_trials_with_the_line_of_the_common_effect_and_no_diamond():
    run_two = run_of(TRIALS[:2])
    figure = card(run_two, wide=True)
    common, bayes = run_two.few.headline, run_two.few.bayes
    assert words(figure, "banner") == "Two trials: no random-effects mean"
    assert words(figure, "both-2-name") == "Common effect"
    assert words(figure, "both-2-value").startswith(f"{math.exp(common.estimate):.2f} [{math.exp(common.ci.low):.2f}–")
    assert words(figure, "both-3-value").startswith(
        f"{math.exp(bayes.median):.2f} [{math.exp(bayes.ci_central.low):.2f}"
    )
    line = lines_of(figure, "common-line")
    assert line[0, 0] == line[1, 0] == pytest.approx(icons_of(figure, "both-2-mark")[0, 0])
    left = patches_of(figure, "card-0-frame")
    right = patches_of(figure, "card-1-frame")
    assert left[1] == right[1]
    assert left[0] + left[2] < right[0]
    below = card(run_two)
    first, second = (patches_of(below, f"card-{index}-frame") for index in (0, 1))
    assert first[1] + first[3] < second[1]


def test_trials_stand_on_the_axis_where_their_effects_are():
    figure = card(run_of([(30, 50, 15, 50), (10, 50, 20, 50)]))
    null = lines_of(figure, "no-effect")[0, 0]
    assert icons_of(figure, "both-0-mark")[0, 0] > null > icons_of(figure, "both-1-mark")[0, 0]
    # logarithms: RR 2 and RR 1/2 lie as far from 1
    assert icons_of(figure, "both-0-mark")[0, 0] - null == pytest.approx(null - icons_of(figure, "both-1-mark")[0, 0])


def test_a_printed_effect_is_shown_as_printed():
    figure = card(with_rows(PRINTED))
    assert words(figure, "card-0-effect-0").endswith("as printed")
    assert words(figure, "card-0-effect-0-value") == "2.00 [1.00–4.00]"
    assert "card-0-effect-1" not in texts(figure)
    moved = card(with_rows(LOPSIDED))
    assert words(moved, "card-0-effect-0-value") == "2.81 [1.98–7.37]"
    assert "not symmetric" in words(moved, "card-0-effect-1")
    # as wide on the log scale as the printed one, around the estimate
    half = math.sqrt(7.37 / 1.98)
    assert words(moved, "card-0-effect-1-value") == f"[{2.81 / half:.2f}–{2.81 * half:.2f}]"


def test_who_took_part_is_the_records(toy, spec_of):
    analysis = run(spec_of(studies={"list": ({"id": "alpha-2001"},)}, effect={"measure": "RR"}), toy)
    assert words(card(analysis, dataset=toy), "card-0-who") == "Made up"
    justice = run(spec_of(studies={"where": {"analysis_groups": ("justice",)}}, effect={"measure": "RR"}), toy)
    assert words(card(justice), "card-0-who") == "Justice involvement"
    assert words(card(justice), "card-0-fact-0") == "Outcome: made up"
    assert words(card(justice), "card-0-fact-1") == "Rests on: reported counts, of those randomised"
    assert words(card(justice), "card-0-fact-2") == "Source: BETA-2002. A journal"


@pytest.mark.parametrize("style", STYLES)
def test_every_style_draws(style):
    assert overlaps(boxes(card(run_of(TRIALS[:2]), style=style, wide=True))) == []


@pytest.mark.parametrize("k", [0, 3])
def test_other_numbers_of_trials_are_refused(k):
    if k == 0:
        with pytest.raises(core.InputError, match="there are 0"):
            card(run_of([]))
    else:
        with pytest.raises(core.InputError, match="there are 3"):
            card(run_of(TRIALS[:3]))


def test_other_measures_are_refused():
    with pytest.raises(core.InputError, match="this analysis is on AS"):
        card(run_of(TRIALS[:1], effect={"measure": "AS"}))


def test_the_same_numbers_give_the_same_bytes():
    files = []
    for _ in range(2):
        buffer = io.BytesIO()
        card(run_of(TRIALS[:2])).savefig(buffer, format="svg")
        files.append(buffer.getvalue())
    assert files[0] == files[1]
