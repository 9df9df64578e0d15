"""Presets: nothing overlaps in any of them, and each writes as its journal does."""

import dataclasses
import re

import numpy as np
import pytest

from ipsevidence.core import InputError
from ipsevidence.figures.forest_plot import forest
from ipsevidence.figures.style import PALETTES, STYLES

from .cases import CASES, trials
from .factory import nine, pooled, row
from .seen import axes, boxes, marks, overlaps, texts

PRESETS = [key for key in STYLES if key != "default"]
DOMAINS = ("randomisation", "deviations", "missing-data", "measurement", "selection", "overall")


def words(figure, key):
    found = texts(figure)
    return " ".join(text.get_text() for name, text in found.items() if re.fullmatch(rf"{key}(-\d+)?", name))


def assessed(judged=("low", "some-concerns", "high", "no-information", "moderate", "critical")):
    rows = [
        row(
            f"S{number}",
            4 + number,
            20,
            2,
            20,
            extra={f"rob:{name}": value for name, value in zip(DOMAINS, judged, strict=True)},
        )
        for number in range(3)
    ]
    return pooled([*rows, row("S3", 5, 20, 3, 20)])


HARD = (
    "nine trials", "one", "long names", "identical names", "one in a group, an empty group", "far off the axis",
    "proportions as logits", "negative differences", "large counts", "common effect",
)  # fmt: skip


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("style", PRESETS)
def test_nothing_overlaps_and_all_is_on_the_page(style, case):
    figure = forest(CASES[case](), style=style)
    found = boxes(figure)
    assert overlaps(found) == []
    edges = np.array(list(found.values()))
    assert edges[:, :2].min() >= 0
    assert edges[:, 2].max() <= figure.bbox.width
    assert edges[:, 3].max() <= figure.bbox.height


@pytest.mark.parametrize("rows", [1, 3, 8, 20, 60, 120])
@pytest.mark.parametrize("style", STYLES)
def test_nothing_overlaps_from_one_row_to_many(style, rows):
    figure = forest(trials(rows, seed=rows, groups=min(4, rows // 3), long=rows % 2 == 0), style=style)
    assert overlaps(boxes(figure)) == []


@pytest.mark.parametrize("style", STYLES)
def test_squares_and_diamonds_are_the_same_in_every_preset(style):
    run = nine()
    figure = forest(run, style=style)
    sizes = marks(figure, "squares")["squares"].get_sizes()
    assert sizes / sizes.max() == pytest.approx(run.fit.weights / run.fit.weights.max())

    diamonds = [artist.get_xy() for artist in marks(figure, "diamond").values()]
    total = diamonds[-1]
    assert [total[:, 0].min(), total[:, 0].max()] == pytest.approx([run.fit.ci.low, run.fit.ci.high])
    assert axes(figure, "effects").get_xlim()[0] < 0 < axes(figure, "effects").get_xlim()[1]


# 2.23 (1.53 to 3.26): Bond GR, Drake RE, Pogue JA. Psychiatr Serv 2019, as pooled from the nine trials
@pytest.mark.parametrize(
    ("style", "effect", "total", "events", "p"),
    [
        ("default", "2.23 [1.53–3.26]", "Total (k\u00a0=\u00a09)", "718/1510", "p\u00a0<\u00a00.001"),
        ("revman", "2.23 [1.53,\u00a03.26]", "Total (95%\u00a0CI)", "718", "P\u00a0=\u00a00.0004"),
        ("jama", "2.23 (1.53-3.26)", "Overall", "718/1510", "P\u00a0<\u00a0.001"),
        ("bmj", "2.23 (1.53\u00a0to\u00a03.26)", "Total (95%\u00a0CI)", "718/1510", "P<0.001"),
        ("lancet", "2·23 (1·53–3·26)", "Overall", "718/1510", "p=0·00035"),
        ("nejm", "2.23 (1.53–3.26)", "Overall", "718/1510", "P<0.001"),
    ],
)
def test_each_preset_writes_as_its_journal_does(style, effect, total, events, p):
    figure = forest(nine(), style=style)
    written = {key: text.get_text() for key, text in texts(figure).items()}
    line = next(key for key, text in written.items() if text == total).removesuffix("-study-0")
    assert written[f"{line}-effect"] == effect
    assert written[f"{line}-{'counts1' if style == 'revman' else 'events1'}"] == events
    foot = " ".join(text for key, text in written.items() if key.startswith("foot"))
    assert p in foot
    assert figure.get_size_inches()[0] * 25.4 == pytest.approx(STYLES[style].width_mm)


def test_order_of_columns_is_that_of_the_preset():
    for key, order in {
        "revman": ("study", "counts1", "total1", "counts2", "total2", "weight", "effect"),
        "jama": ("study", "events1", "events2", "effect", "weight"),
        "bmj": ("study", "events1", "events2", "weight", "effect"),
    }.items():
        found = boxes(forest(nine(), style=key))
        lefts = [found[f"line-1-{name}-0" if name == "study" else f"line-1-{name}"][0] for name in order]
        assert lefts == sorted(lefts), key


def test_method_words_of_a_cochrane_review():
    figure = forest(nine(), style="revman")
    said = words(figure, "foot-0") + words(figure, "foot-1")
    assert "Tau²\u00a0=\u00a00.18" in said
    assert "Chi²\u00a0=\u00a028.75, df\u00a0=\u00a08 (P\u00a0=\u00a00.0004); I²\u00a0=\u00a072%" in said
    assert "Test for overall effect: Z\u00a0=\u00a04.18 (P\u00a0<\u00a00.0001)." in said
    assert "Tau² calculated by the DerSimonian-Laird method." in said
    assert "IV, Random, 95%\u00a0CI" in words(figure, "heading-plot")
    assert words(figure, "over-counts1") == "IPS"
    assert words(forest(nine(tau2="common", prediction="none"), style="revman"), "heading-plot").startswith("IV, Fixed")


def test_the_sides_stand_above_the_plot_in_jama_and_below_elsewhere():
    for style in STYLES:
        found = boxes(forest(nine(), style=style))
        above = found["favours-0-0"][1] > found["line-0-study-0"][3]
        assert above == (style == "jama")


@pytest.mark.parametrize("style", STYLES)
def test_grey_print_can_be_asked_of_any_preset(style):
    figure = forest(nine(), style=style, palette="grey")
    colours = {text.get_color() for text in texts(figure).values() if text.get_color() != "black"}
    faces = {artist.get_facecolor()[:3] for artist in marks(figure, "diamond").values()}
    assert all(len(set(face)) == 1 for face in faces)
    assert all(len({colour[i : i + 2] for i in (1, 3, 5)}) == 1 for colour in colours if colour.startswith("#"))


def test_an_unknown_palette_is_an_error():
    with pytest.raises(InputError, match="palette must be one of"):
        forest(nine(), palette="gray")
    assert set(PALETTES) == {"colour", "grey"}


@pytest.mark.parametrize("style", STYLES)
def test_dots_of_risk_of_bias_carry_a_sign_and_a_colour(style):
    run = assessed()
    keys = (*STYLES[style].columns, "rob")
    figure = forest(run, style=style, columns=keys)
    assert overlaps(boxes(figure)) == []
    signs = [words(figure, f"line-0-rob:{name}") for name in DOMAINS]
    assert signs == ["+", "!", "−", "?", "!", "×"]
    assert [words(figure, f"heading-rob:{name}") for name in DOMAINS] == list("ABCDEF")
    dots = next(one for one in axes(figure, "page").collections if one.get_gid() == "dots")
    assert len(dots.get_offsets()) == 18
    assert words(figure, "line-3-rob:overall") == ""
    foot = " ".join(text.get_text() for key, text in texts(figure).items() if key.startswith("foot"))
    assert "A\u00a0randomisation" in foot
    assert "F\u00a0overall" in foot
    assert "×\u00a0critical" in foot


def test_dots_stand_behind_their_signs():
    figure = forest(assessed(), columns=("study", "plot", "rob"))
    found, page = boxes(figure), axes(figure, "page")
    dots = next(one for one in page.collections if one.get_gid() == "dots")
    middles = page.transData.transform(np.asarray(dots.get_offsets()))
    signs = [box for key, box in found.items() if re.match(r"line-\d-rob", key)]
    assert len(signs) == 18
    for left, bottom, right, top in signs:
        near = np.abs(middles - ((left + right) / 2, (bottom + top) / 2)).max(axis=1).min()
        assert near < 6


def test_columns_without_anything_to_say_are_refused_with_the_reason():
    with pytest.raises(InputError, match="risk of bias: not assessed"):
        forest(nine(), columns=("study", "plot", "rob"))
    with pytest.raises(InputError, match="fidelity: no study"):
        forest(nine(), columns=("study", "plot", "fidelity"))
    with pytest.raises(InputError, match="no row says anything under 'dose'"):
        forest(nine(), columns=("study", "plot", "extra:dose"))
    with pytest.raises(InputError, match="nearest: 'low'"):
        forest(assessed(("lo", *["low"] * 5)), columns=("study", "plot", "rob"))


def test_fidelity_is_blank_where_none_is_known():
    rows = [row(f"S{n}", 4 + n, 20, 2, 20, extra={"fidelity": "107/125 (good)"} if n else {}) for n in range(3)]
    figure = forest(pooled(rows), columns=("study", "fidelity", "plot", "effect"))
    assert [words(figure, f"line-{n}-fidelity") for n in range(3)] == ["", "107/125 (good)", "107/125 (good)"]


def test_a_style_of_ones_own_is_a_preset_with_changes():
    style = dataclasses.replace(STYLES["jama"], width_mm=200.0)
    assert forest(nine(), style=style).get_size_inches()[0] * 25.4 == pytest.approx(200)


def test_every_group_but_the_first_stands_apart_even_below_an_empty_one():
    run = CASES["one in a group, an empty group"]()
    found = boxes(forest(run))
    gap = found["line-1-study-0"][1] - found["line-2-study-0"][3]
    assert gap > found["line-2-study-0"][1] - found["line-3-study-0"][3] + 10


def test_the_description_says_what_dots_and_fidelity_show():
    rows = [
        row(f"S{n}", 4 + n, 20, 2, 20, extra={"fidelity": "107/125", "rob:missing-data": "some-concerns"})
        for n in range(2)
    ]
    keys = ("study", "fidelity", "plot", "effect", "rob")
    said = forest(pooled(rows), columns=keys).alternative
    assert said.count("Fidelity 107/125. Risk of bias: missing data some concerns.") == 2
    assert "Risk of bias" not in forest(pooled(rows)).alternative
