"""The flow of records: numbers that add up, boxes that hold their text, arrows that meet the boxes."""

from pathlib import Path

import pytest
import yaml

from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.figures.flow_plot import Flow, flow, flow_from, flow_of
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES

from .seen import axes, overlaps
from .sheets import boxes, lines_of, patches_of, texts

EXAMPLE = Path(__file__).parents[2] / "docs" / "gallery" / "example.yaml"
PLAIN = {
    "databases": {"PubMed": 100, "PsycINFO": 60},
    "registers": {"ISRCTN": 5},
    "duplicates": 40,
    "screened": 125,
    "excluded": 100,
    "sought": 25,
    "not_retrieved": 1,
    "assessed": 24,
    "reports_excluded": {"no comparison group": 10, "another population": 2},
    "studies": 9,
    "reports": 12,
}
OTHERS = {"sources": {"websites": 8}, "sought": 8, "not_retrieved": 2, "assessed": 6, "reports_excluded": {"old": 1}}
LONG = {f"a reason that takes quite a number of words to be said, the {i}th of them": 2 for i in range(6)}
CASES = {
    "plain": PLAIN,
    "others": {**PLAIN, "others": OTHERS, "reports": 17},
    "long": {**PLAIN, "reports_excluded": LONG, "others": {**OTHERS, "assessed": 6}, "reports": 17},
    "nothing": {**dict.fromkeys(PLAIN, 0), "databases": {"PubMed": 0}, "registers": {}, "reports_excluded": {}},
}


@pytest.fixture(params=CASES)
def drawn(request):
    return flow(flow_from(CASES[request.param]), note="example, not data")


def written(figure, box):
    return " ".join(text for key, text in texts(figure).items() if key.rpartition("-")[0] == f"box-{box}").replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_the_numbers_are_those_given():
    figure = flow(flow_from(CASES["others"]))
    assert (
        written(figure, "identified")
        == "Records identified (n = 165) PubMed (n = 100) PsycINFO (n = 60) ISRCTN (n = 5)"
    )
    assert written(figure, "removed").startswith("Records removed before screening (n = 40) Duplicates (n = 40)")
    assert written(figure, "screened") == "Records screened (n = 125)"
    assert written(figure, "excluded") == "Records excluded (n = 100)"
    assert written(figure, "assessed") == "Reports assessed for eligibility (n = 24)"
    assert written(figure, "other-assessed") == "Reports assessed for eligibility (n = 6)"
    assert written(figure, "included") == "Studies included in the review (n = 9) Reports of these (n = 17)"
    assert "165 identified (PubMed 100; PsycINFO 60; ISRCTN 5)" in figure.alternative
    assert "Included: 9 studies in 17 reports." in figure.alternative


def test_no_text_lies_on_another_or_leaves_the_page(drawn):
    found = boxes(drawn)
    assert overlaps(found) == []
    wide, high = drawn.get_size_inches() * drawn.dpi
    assert all(left >= 0 and right <= wide and low >= 0 and top <= high for left, low, right, top in found.values())


def test_text_stands_in_its_box(drawn):
    high = drawn.get_figheight() * drawn.dpi
    scale = drawn.dpi / 72
    for key, (left, low, right, top) in boxes(drawn).items():
        name = key.rpartition("-")[0]
        if not key.startswith(("box-", "phase-")):
            continue
        x, y, wide, tall = (scale * part for part in patches_of(drawn, name))
        assert x <= left <= right <= x + wide, key
        assert y <= high - top <= high - low <= y + tall, key


def test_arrows_go_from_box_to_box(drawn):
    ends = [one.get_gid() for one in axes(drawn, "page").lines]
    for key in (key for key in ends if key.startswith("out-0")):
        row = {"0": ("identified", "removed"), "1": ("screened", "excluded")}.get(key[-1])
        if row is None:
            continue
        (start, y), (end, y2) = lines_of(drawn, key)
        first, second = (patches_of(drawn, f"box-{name}") for name in row)
        assert start == pytest.approx(first[0] + first[2])
        assert end == pytest.approx(second[0])
        assert y == y2
        assert all(box[1] <= y <= box[1] + box[3] for box in (first, second))
    (x, start), (x2, end) = lines_of(drawn, "down-0-3")
    assert x == x2
    assert start == pytest.approx(sum(patches_of(drawn, "box-assessed")[i] for i in (1, 3)))
    assert end == pytest.approx(patches_of(drawn, "box-included")[1])


@pytest.mark.parametrize("style", STYLES)
def test_every_style_has_room(style):
    figure = flow(flow_from(CASES["long"]), style=style)
    assert overlaps(boxes(figure)) == []
    assert figure.get_figwidth() * 72 <= STYLES[style].width + 0.01


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"screened": 126}, "screened must be identified less removed before screening, 125; got 126"),
        ({"sought": 24, "assessed": 23}, "sought must be screened less excluded, 25; got 24"),
        ({"assessed": 25}, "assessed must be sought less not retrieved, 24; got 25"),
        ({"reports": 13}, "reports must be assessed less excluded, 12; got 13"),
        ({"studies": 13}, "studies must be at most reports, 12; got 13"),
        ({"duplicates": -1}, "duplicates must be a whole number, 0 or more; got -1"),
        ({"databases": {"PubMed": 1.5}}, "PubMed must be a whole number"),
        ({"others": {**OTHERS, "assessed": 7}}, "others.assessed must be"),
        ({"found": 3}, "must have no key found"),
    ],
)
def test_numbers_that_do_not_add_up_are_refused(change, says):
    with pytest.raises(InputError, match=says):
        flow_from({**PLAIN, **change})


def test_a_missing_number_is_named():
    with pytest.raises(InputError, match="the key excluded"):
        flow_from({key: value for key, value in PLAIN.items() if key != "excluded"})


def test_the_dataset_has_no_flow():
    with pytest.raises(InputError, match="no systematic search: there is no flow to draw"):
        flow_of(load())


def test_the_example_says_that_it_is_one(tmp_path):
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    numbers = flow_from(example["flow"])
    assert isinstance(numbers, Flow)
    figure = flow(numbers, note=example["label"])
    assert texts(figure)["label-0"] == "Example, not data"
    assert figure.alternative.startswith("Example, not data.")
    for form in ("svg", "png", "pdf"):
        first, again = (save(figure, tmp_path / f"{name}.{form}").read_bytes() for name in "ab")
        assert first == again
    assert (tmp_path / "a.svg").stat().st_size < 200_000
