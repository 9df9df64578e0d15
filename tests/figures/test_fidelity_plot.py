"""The fidelity strip: scores on their own scales, bands with what was not read of them, effects, and what is said."""

import math

import pytest

from ipsevidence.analysis.running import run
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.figures.fidelity_plot import fidelity_strip
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES
from tests.toy import ABOUT, TWO_ARMS, outcome, study

from .seen import axes, overlaps
from .sheets import boxes, icons_of, lines_of, patches_of, texts

SCORES = {
    "point-2001": "{scale: ips-25, arm: ips, score: {value: 100, basis: reported, from: s1}, maximum: 125}",
    "range-2002": "{scale: ips-25, arm: ips, score: {low: 106, high: 109, basis: reported, from: s1}, maximum: 125}",
    "first-2003": "{scale: ips-15, arm: ips, score: {value: 69, basis: reported, from: s1}, maximum: 75}",
    "words-2004": "{scale: not-stated, arm: ips, label_as_printed: good}",
    "none-2005": "",
    "control-2006": "{scale: ips-25, arm: tau, score: {value: 77, basis: reported, from: s1}, maximum: 125}",
}
TWICE = (
    "{scale: ips-25, arm: ips, score: {value: 73, basis: reported, from: s1}, maximum: 125}",
    "{scale: ips-25, arm: ips, score: {value: 100, basis: reported, from: s1}, maximum: 125}",
)


@pytest.fixture(scope="module")
def records():
    return load()


def record(name, scores, index):
    arms = [("ips", 30 - index, 50, "reported"), ("tau", 15, 50, "reported")]
    text = study(name, TWO_ARMS, [outcome("job", arms)])
    lines = "".join(f"  - {score}\n" for score in scores if score)
    return text.replace("log:\n", f"fidelity:\n{lines}log:\n") if lines else text


def dataset(folder, scores):
    (folder / "studies").mkdir()
    (folder / "analyses").mkdir()
    (folder / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for index, (name, given) in enumerate(scores.items()):
        (folder / "studies" / f"{name}.yaml").write_text(record(name, given, index), encoding="utf-8")
    return load(folder)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    given = {name: (score,) for name, score in SCORES.items()}
    return dataset(tmp_path_factory.mktemp("scores"), {**given, "twice-2007": TWICE})


@pytest.fixture
def drawn(data, spec_of):
    analysis = run(spec_of(effect={"measure": "RR"}), data)
    return analysis, fidelity_strip(analysis, data)


def on_scale(figure, scale, x):
    start, end = lines_of(figure, f"{scale}-score-axis")[:, 0]
    lowest, highest = (15, 75) if scale == "ips-15" else (25, 125)
    return lowest + (x - start) / (end - start) * (highest - lowest)


def test_scores_stand_on_their_own_scales_the_highest_first(drawn):
    _, figure = drawn
    written = texts(figure)
    assert [written[f"ips-25-{i}-trial"] for i in range(3)] == ["RANGE-2002", "POINT-2001", "TWICE-2007"]
    assert [written[f"ips-25-{i}-score"] for i in range(3)] == ["106–109", "100", "73, 100"]
    assert on_scale(figure, "ips-25", lines_of(figure, "ips-25-0-mark-0")[:, 0]) == pytest.approx([106, 109])
    assert on_scale(figure, "ips-25", icons_of(figure, "ips-25-1-mark-0")[0][0]) == pytest.approx(100)
    assert on_scale(figure, "ips-25", lines_of(figure, "ips-25-2-from-to")[:, 0]) == pytest.approx([73, 100])
    assert on_scale(figure, "ips-15", icons_of(figure, "ips-15-0-mark-0")[0][0]) == pytest.approx(69)


def test_effects_are_those_of_the_run(drawn):
    analysis, figure = drawn
    index = next(i for i, row in enumerate(analysis.rows) if row.id == "range-2002")
    null = lines_of(figure, "ips-25-no-effect")[0, 0]
    ticks = {
        text: lines_of(figure, key.removesuffix("-text"))[0, 0]
        for key, text in texts(figure).items()
        if "25-effect-tick" in key
    }
    unit = (ticks["2"] - null) / math.log(2)
    assert icons_of(figure, "ips-25-0-effect")[0][0] == pytest.approx(null + unit * analysis.y[index])
    ends = [null + unit * end for end in analysis.intervals[index]]
    assert lines_of(figure, "ips-25-0-interval")[:, 0] == pytest.approx(ends)
    # 29/50 against 15/50: RR 1.93, 95% CI exp(ln 1.9333 -+ 1.96 sqrt(1/29 - 1/50 + 1/15 - 1/50)) = 1.19 to 3.14
    assert texts(figure)["ips-25-0-numbers"] == "1.93\N{NO-BREAK SPACE}(1.19–3.14)"


def test_bands_are_those_of_the_scale_and_say_what_was_not_read(drawn):
    _, figure = drawn
    written = {text for key, text in texts(figure).items() if key.startswith("ips-25-band")}
    assert written == {"not IPS*", "fair", "good*", "exemplary*"}
    left, _, wide, _ = patches_of(figure, "ips-25-band-fair")
    assert on_scale(figure, "ips-25", left) == pytest.approx(74)
    assert on_scale(figure, "ips-25", left + wide) == pytest.approx(100)
    assert "* A border of this band was not read in a source. Bands of different scales do not correspond." in (
        figure.alternative
    )


def test_trials_without_a_score_are_counted(drawn):
    _, figure = drawn
    assert texts(figure)["note-0-0"] == "Of 7 trials 4 have a score, 2 in words alone, 1 none that was read."
    assert not any("CONTROL" in text for text in texts(figure).values())


def test_it_says_what_it_cannot_show(drawn):
    _, figure = drawn
    assert "It cannot show what fidelity does" in texts(figure)["cannot-0"]
    assert "It cannot show what fidelity does" in figure.alternative
    lines = [one.get_gid() for one in axes(figure, "page").lines]
    assert not any("fit" in key or "mean" in key for key in lines)


def test_without_a_score_nothing_is_drawn(tmp_path, spec_of):
    data = dataset(tmp_path, {"words-2004": (SCORES["words-2004"],), "none-2005": ("",)})
    with pytest.raises(InputError, match="no trial of this analysis has a fidelity score on a named scale"):
        fidelity_strip(run(spec_of(), data), data)


@pytest.mark.parametrize("style", STYLES)
def test_no_text_lies_on_another_or_leaves_the_page(style, data, records, spec_of):
    real = run(spec_of(studies={"where": {"designs": ("rct", "pilot-rct")}}, effect={"measure": "RR"}), records)
    made = run(spec_of(effect={"measure": "OR"}), data)
    for figure in (fidelity_strip(real, records, style), fidelity_strip(made, data, style)):
        found = boxes(figure)
        assert overlaps(found) == []
        wide, high = figure.get_size_inches() * figure.dpi
        assert all(left >= 0 and right <= wide and low >= 0 and top <= high for left, low, right, top in found.values())


def test_files_are_the_same_each_time(drawn, data, tmp_path):
    analysis, _ = drawn
    for form in ("svg", "png", "pdf"):
        first, again = (save(fidelity_strip(analysis, data), tmp_path / f"{name}.{form}").read_bytes() for name in "ab")
        assert first == again
    assert (tmp_path / "a.svg").stat().st_size < 200_000
