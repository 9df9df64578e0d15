"""The map of evidence: every included study in its cell, bubbles by number, bars by basis, gaps that show."""

import math

import pytest
from matplotlib.colors import to_hex

from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.vocabulary import ANALYSIS_GROUP
from ipsevidence.figures.map_plot import CLASSES, COLUMNS, evidence_map
from ipsevidence.figures.plot_frame import SHADES
from ipsevidence.figures.saving import save
from ipsevidence.figures.style import STYLES
from tests.toy import ABOUT, PLAIN, TWO_ARMS, outcome, study

from .seen import axes, overlaps
from .sheets import boxes, patches_of, texts

ALONE = [("ips", "ips", "randomised")]
TWO_IPS = [("ips", "ips", "randomised"), ("more", "ips-augmented", "randomised")]
WAITING = [("ips", "ips", "randomised"), ("tau", "waiting-list", "randomised")]
BOUNDED = [("ips", 30, 50, "bounded"), ("tau", 15, 50, "reported")]
RECONSTRUCTED = [("ips", 30, 50, "reconstructed"), ("tau", 15, 50, "reported")]


@pytest.fixture(scope="module")
def records():
    return load()


@pytest.fixture
def made(tmp_path):
    def make(studies):
        (tmp_path / "studies").mkdir()
        (tmp_path / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
        for name, text in studies.items():
            (tmp_path / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
        return load(tmp_path)

    return make


def area(figure, key):
    drawn = axes(figure, "page").collections
    return next(float(one.get_sizes()[0]) for one in drawn if one.get_gid() == f"bubble-{key}")


def sizes(figure):
    found = {key.removeprefix("size-"): text for key, text in texts(figure).items() if key.startswith("size-")}
    return {key: int(text.split("\N{NO-BREAK SPACE}")[0]) for key, text in found.items()}


def test_studies_stand_where_they_belong(toy):
    # the toy trials: all in smi but beta-2002; theta-2008 awaits classification; gamma-2003 has comparators of two
    # kinds; delta-2004 has reconstructed counts, zeta-2006 none in two arms
    figure = evidence_map(toy)
    assert sizes(figure) == {"smi-usual": 8, "smi-vocational": 1, "justice-usual": 1}
    written = texts(figure)
    assert written["codes-smi-usual"] == "6R 1A 1N"
    assert written["codes-smi-vocational"] == "1R"
    assert written["head-usual-total"] == "9\N{NO-BREAK SPACE}studies"
    assert written["head-vocational-total"] == "1\N{NO-BREAK SPACE}study"
    assert "9\N{NO-BREAK SPACE}studies included. Not counted: 1 awaiting classification." in figure.alternative
    assert "Severe mental illness: usual care 8 (6 reported, 1 approximate or reconstructed, 1 no two-arm counts)" in (
        figure.alternative
    )


def test_bubbles_and_bars_are_in_proportion(toy):
    figure = evidence_map(toy)
    assert area(figure, "smi-usual") / area(figure, "smi-vocational") == pytest.approx(8)
    parts = {name: patches_of(figure, f"bar-smi-usual-{name}")[2] for name in ("reported", "weak", "no-counts")}
    whole = math.fsum(parts.values())
    assert {name: wide / whole for name, wide in parts.items()} == pytest.approx(
        {"reported": 6 / 8, "weak": 1 / 8, "no-counts": 1 / 8}
    )


def test_comparators_of_one_kind_count_once_and_single_arms_have_no_bar(made):
    three = [*TWO_ARMS, ("wait", "waiting-list", "randomised")]
    figure = evidence_map(
        made(
            {
                "a-2001": study("a-2001", three, [outcome("job", BOUNDED)]),
                "b-2002": study("b-2002", ALONE, [outcome("job", PLAIN[:1])]),
                "c-2003": study("c-2003", TWO_IPS, [outcome("job", PLAIN[:1])]),
                "d-2004": study("d-2004", WAITING, [outcome("job", RECONSTRUCTED)], group="homelessness"),
            }
        )
    )
    assert sizes(figure) == {"smi-usual": 1, "smi-none": 1, "smi-ips": 1, "homelessness-usual": 1}
    written = texts(figure)
    assert written["codes-smi-usual"] == "1D"
    assert written["codes-homelessness-usual"] == "1A"
    assert written["codes-smi-ips"] == "1N"
    assert "codes-smi-none" not in written


def test_gaps_are_seen_and_counted(toy):
    figure = evidence_map(toy)
    gaps = [key for key in texts(figure) if key.startswith("gap-")]
    assert len(gaps) == len(ANALYSIS_GROUP) * len(COLUMNS) - 3
    assert "49 of 52 cells with a comparator hold no study." in figure.alternative
    colours = {one.get_gid(): to_hex(one.get_facecolor()) for one in axes(figure, "page").patches}
    assert colours["cell-smi-usual"] == "#ffffff"
    assert {colours[key.replace("gap-", "cell-")] for key in gaps} == {SHADES[0]}


def test_the_stronger_the_basis_the_darker(toy):
    from .test_palette import linear

    for style in STYLES:
        figure = evidence_map(toy, style)
        keys = {one.get_gid(): to_hex(one.get_facecolor()) for one in axes(figure, "page").patches}
        light = [linear(keys[f"key-{name}"]) @ [0.2126, 0.7152, 0.0722] for name in CLASSES]
        assert light == sorted(light)
        assert len(set(light)) == len(CLASSES)


def test_all_included_records_are_on_the_map(records):
    figure = evidence_map(records)
    included = [one for one in records if one.status == "included"]
    several = sum(sizes(figure).values()) - len(included)
    assert f"{len(included)}\N{NO-BREAK SPACE}studies included." in figure.alternative
    assert 0 <= several < 0.1 * len(included)  # those with comparators of two kinds stand twice


@pytest.mark.parametrize("style", STYLES)
def test_no_text_lies_on_another_or_leaves_its_cell(style, records):
    figure = evidence_map(records, style)
    found = boxes(figure)
    assert overlaps(found) == []
    scale = figure.dpi / 72
    for key, (left, _, right, _) in found.items():
        kind, _, cell = key.partition("-")
        if kind in {"size", "codes", "gap"}:
            x, _, wide, _ = (scale * part for part in patches_of(figure, f"cell-{cell}"))
            assert x < left < right < x + wide, key
        assert 0 <= left < right <= figure.get_figwidth() * figure.dpi


def test_files_are_the_same_each_time(records, toy, tmp_path):
    for form in ("svg", "png", "pdf"):
        first, again = (save(evidence_map(toy), tmp_path / f"{name}.{form}").read_bytes() for name in "ab")
        assert first == again
    assert save(evidence_map(records), tmp_path / "all.svg").stat().st_size < 200_000


def test_an_empty_dataset_has_no_map(made):
    waits = study("a-2001", TWO_ARMS, [outcome("job", PLAIN)], status="awaiting")
    with pytest.raises(InputError, match="no study is included"):
        evidence_map(made({"a-2001": waits}))
