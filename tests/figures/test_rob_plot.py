"""Risk of bias: a light for each judgement, bars by weight, the example, and the refusal where nobody has judged."""

from pathlib import Path

import pytest
import yaml

from ipsevidence.analysis.running import run
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import BIAS_JUDGEMENT
from ipsevidence.figures.rob_plot import Judgement, judgements_from, judgements_of, risk_of_bias
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES
from tests.toy import ABOUT, PLAIN, TWO_ARMS, outcome, study

from .seen import axes, overlaps
from .sheets import boxes, patches_of, texts

EXAMPLE = Path(__file__).parents[2] / "docs" / "gallery" / "example.yaml"
DOMAINS = ("randomisation", "deviations", "missing-data", "measurement", "selection-of-result")
SEVEN = ("confounding", "selection", "classification", "deviations", "missing-data", "measurement")
JUDGED = """    risk_of_bias:
      tool: rob-2
      domains: {{{domains}}}
      overall: {overall}
      by: [First Person, Second Person]
      date: "2000-01-01"
"""


def judged(label, values, overall, **fields):
    domains = dict(zip(DOMAINS, values, strict=True))
    return Judgement(label=label, tool="rob-2", domains=domains, overall=overall, by=("A B", "C D"), **fields)


LOW, SOME, HIGH = "low", "some-concerns", "high"
THREE = (
    judged("One 2001", [LOW, LOW, LOW, LOW, LOW], LOW),
    judged("Two 2002", [LOW, SOME, LOW, LOW, LOW], SOME),
    judged("Three 2003", [LOW, SOME, HIGH, LOW, LOW], HIGH),
)
ROBINS = Judgement(
    label="Four 2004",
    tool="robins-i",
    domains={**dict.fromkeys(SEVEN, "moderate"), "selection-of-result": "no-information", "confounding": "critical"},
    overall="critical",
    by=("A B", "C D"),
)


@pytest.fixture(scope="module")
def example():
    return yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))


def dots(figure):
    drawn = axes(figure, "page").collections
    return {one.get_gid(): tuple(one.get_facecolor()[0]) for one in drawn if one.get_gid().endswith("-dot")}


def test_every_light_has_its_sign_and_its_colour():
    figure = risk_of_bias(THREE)
    written, drawn = texts(figure), dots(figure)
    assert [written[f"rob-2-2-{domain}-sign"] for domain in (*DOMAINS, "overall")] == ["+", "!", "−", "+", "+", "−"]
    colours = {written[key.replace("-dot", "-sign")]: colour for key, colour in drawn.items()}
    assert len(set(colours.values())) == len(colours) == 3
    assert len([key for key in drawn if key.startswith("rob-2-")]) == 18


def test_bars_are_shares_and_weights_change_them():
    plain, weighted = risk_of_bias(THREE), risk_of_bias(THREE, weights=[6, 3, 1])
    whole = sum(patches_of(plain, f"rob-2-bar-overall-{value}")[2] for value in (LOW, SOME, HIGH))
    for value, share in ((LOW, 1 / 3), (SOME, 1 / 3), (HIGH, 1 / 3)):
        assert patches_of(plain, f"rob-2-bar-overall-{value}")[2] == pytest.approx(share * whole)
    for value, share in ((LOW, 0.6), (SOME, 0.3), (HIGH, 0.1)):
        assert patches_of(weighted, f"rob-2-bar-overall-{value}")[2] == pytest.approx(share * whole)
    assert texts(weighted)["rob-2-bar-overall-low-text"] == "+\N{NO-BREAK SPACE}60%"
    assert "missing data: low 90%, high 10%" in weighted.alternative


def test_what_was_not_judged_is_blank():
    blank = Judgement(label="Five 2005", tool="rob-2")
    figure = risk_of_bias([*THREE, blank])
    assert not any(key.startswith("rob-2-3-") for key in dots(figure))
    assert texts(figure)["rob-2-study-3"] == "Five 2005"
    assert texts(figure)["key--text"] == "blank: not judged"
    whole = [patches_of(figure, f"rob-2-bar-overall-{value}")[2] for value in (LOW, SOME, HIGH, "not-judged")]
    assert whole[3] / sum(whole) == pytest.approx(0.25)
    assert "not judged 25%" in figure.alternative


def test_tools_stand_apart():
    figure = risk_of_bias([*THREE, ROBINS])
    written = texts(figure)
    assert written["rob-2-by"] == "By RoB 2"
    assert written["robins-i-by"] == "By ROBINS-I"
    assert written["robins-i-0-confounding-sign"] == "×"
    assert written["robins-i-0-selection-of-result-sign"] == "?"
    assert {BIAS_JUDGEMENT[key].label for key in (LOW, SOME, "moderate", HIGH, "critical", "no-information")} == {
        text for key, text in written.items() if key.startswith("key-") and key.endswith("-text")
    }


LONG = [
    judged(f"A study with quite a long name indeed, the {i}th {2000 + i}", [LOW, SOME, HIGH, LOW, LOW], HIGH)
    for i in range(60)
]
CASES = {"three": THREE, "one": THREE[:1], "both": (*THREE, ROBINS), "sixty": LONG}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_on_another_or_leaves_the_page(case, style):
    figure = risk_of_bias(CASES[case], style=style, note="example, not data")
    found = boxes(figure)
    assert overlaps(found) == []
    wide, high = figure.get_size_inches() * figure.dpi
    assert all(left >= 0 and right <= wide and low >= 0 and top <= high for left, low, right, top in found.values())


@pytest.mark.parametrize("style", STYLES)
def test_no_word_of_a_heading_is_broken(style):
    written = texts(risk_of_bias(CASES["both"], style=style))
    heads = {text for key, text in written.items() if "-head-" in key}
    assert {"Randomisation", "Measurement", "Classification", "Confounding", "Overall"} <= heads


def test_the_example_says_that_it_is_one(example, tmp_path):
    judgements = judgements_from(example["risk_of_bias"])
    figure = risk_of_bias(judgements, weights=example["weights"], note=example["label"])
    assert texts(figure)["label-0"] == "Example, not data"
    assert figure.alternative.startswith("Example, not data.")
    assert all(one.label.startswith("Example") for one in judgements)
    for form in ("svg", "png", "pdf"):
        first, again = (save(figure, tmp_path / f"{name}.{form}").read_bytes() for name in "ab")
        assert first == again
    assert (tmp_path / "a.svg").stat().st_size < 200_000


def test_the_dataset_is_not_judged():
    with pytest.raises(InputError, match="not assessed; it is judged for each result by two named people"):
        judgements_of(load())
    with pytest.raises(InputError, match="not assessed"):
        risk_of_bias([Judgement(label="One 2001", tool="rob-2")])


def test_judgements_come_from_the_records_that_are_pooled(tmp_path, spec_of):
    domains = ", ".join(f"{domain}: low" for domain in DOMAINS)
    bias = JUDGED.format(domains=domains, overall="low")
    studies = {
        "alpha-2001": study("alpha-2001", TWO_ARMS, [outcome("job", PLAIN) + bias]),
        "beta-2002": study("beta-2002", TWO_ARMS, [outcome("job", PLAIN), outcome("later", PLAIN, months=36) + bias]),
    }
    (tmp_path / "studies").mkdir()
    (tmp_path / "analyses").mkdir()
    (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in studies.items():
        (tmp_path / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    dataset = load(tmp_path)
    assert [one.label for one in judgements_of(dataset)] == ["ALPHA-2001", "BETA-2002"]
    found = judgements_of(dataset, run(spec_of(), dataset))
    assert [(one.label, one.overall) for one in found] == [("ALPHA-2001", "low"), ("BETA-2002", "")]
    assert found[0].by == ("First Person", "Second Person")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"by": ("A B", "A B")}, "two different people"),
        ({"by": ()}, "two different people"),
        ({"domains": {"confounding": "low"}}, "domains must be of rob-2"),
        ({"overall": "moderate"}, "overall must be one of low, some-concerns, high"),
        ({"tool": "rob"}, "tool"),
    ],
)
def test_a_judgement_is_of_its_tool_and_of_two_people(fields, says):
    given = {"label": "x", "tool": "rob-2", "domains": {"deviations": "low"}, "overall": "low", "by": ("A B", "C D")}
    with pytest.raises(InputError, match=says):
        Judgement(**{**given, **fields})


@pytest.mark.parametrize("weights", [[1.0], [1.0, 2.0, 0.0], [1.0, 2.0, float("nan")]])
def test_weights_are_one_for_each_row(weights):
    with pytest.raises(InputError, match="3 positive numbers"):
        risk_of_bias(THREE, weights=weights)


def test_plain_data_with_an_unknown_key_is_refused():
    with pytest.raises(InputError, match="a judgement has"):
        judgements_from([{"label": "x", "tool": "rob-2", "judge": "me"}])
