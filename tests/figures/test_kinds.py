"""The registry of figures: every kind draws or says why not, takes what it says it takes, and nothing else."""

import pytest

import ipsevidence
from ipsevidence.core import InputError
from ipsevidence.figures import FIGURES, alternative_text, figure, options_of
from ipsevidence.report.gallery import draw_all, page

from .factory import nine

REFUSED = {"rob": "not assessed", "flow": "no systematic search", "card": "one or two trials"}


@pytest.fixture(scope="module")
def dataset():
    return ipsevidence.load()


@pytest.fixture(scope="module")
def primary(dataset):
    return ipsevidence.run("primary", dataset)


@pytest.mark.parametrize("kind", list(FIGURES))
def test_every_kind_draws_the_primary_analysis_or_says_why_not(kind, primary, dataset):
    if kind in REFUSED:
        with pytest.raises(InputError):
            figure(kind, primary, dataset)
        return
    made = figure(kind, primary, dataset)
    assert len(alternative_text(made)) > 60


@pytest.mark.parametrize("kind", list(FIGURES))
def test_every_kind_says_what_it_is(kind):
    one = FIGURES[kind]
    assert one.key == kind
    assert one.shows.endswith(".")
    assert one.needs


def test_options_are_read_from_text():
    assert options_of("funnel", {"contours": "yes", "fill": "no"}) == {"contours": True, "fill": False}
    assert options_of("forest", {"arms": "IPS, usual care", "columns": "study,plot"}) == {
        "arms": ("IPS", "usual care"),
        "columns": ("study", "plot"),
    }
    assert options_of("bayes", {"tau-prior": "half-cauchy", "scale": "0.5"}) == {
        "tau_prior": "half-cauchy",
        "scale": 0.5,
    }


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        ("pie", {}, "kind must be one of"),
        ("funnel", {"colour": "red"}, "funnel has no option 'colour'; it has: contours, fill, wide"),
        ("influence", {"wide": "yes"}, "none but style"),
        ("funnel", {"contours": "perhaps"}, "contours must be yes or no; got 'perhaps'"),
        ("forest", {"arms": "IPS"}, "arms must be two texts with a comma between"),
        ("bayes", {"scale": "wide"}, "scale must be a number; got 'wide'"),
        ("forest", {"columns": " , "}, "columns must be names with commas between"),
    ],
)
def test_an_option_that_cannot_be_read_is_one_clear_error(kind, given, message):
    with pytest.raises(InputError, match=message):
        options_of(kind, given)


def test_what_a_kind_cannot_do_without():
    with pytest.raises(InputError, match="forest needs an analysis"):
        figure("forest")
    with pytest.raises(InputError, match="coverage needs an analysis of the dataset"):
        figure("coverage", nine_of_a_table())
    with pytest.raises(InputError, match="baujat has no option 'colour'"):
        figure("baujat", nine(), colour="red")


def nine_of_a_table():
    import dataclasses

    return dataclasses.replace(nine(), data=None)


def test_a_gallery_of_a_table_leaves_out_what_shows_records(tmp_path):
    done = draw_all(nine_of_a_table(), None, tmp_path, formats=("svg",))
    files = {one.kind: one.file for one in done}
    assert files["forest"] == "forest.svg"
    assert (tmp_path / "forest.svg").is_file()
    assert not files["map"]
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "![Forest plot of 9 studies" in text
    assert "Not drawn: it shows records" in text


def test_a_page_is_safe_for_the_text_of_strangers():
    from ipsevidence.report.gallery import Drawn

    one = Drawn(kind="forest", label="x", shows="y.", file="forest.svg", words="<b>](javascript:alert(1)) | *x*")
    text = page("a | b", (one,))
    assert "<b>" not in text.replace("\\<b>", "")  # escaped, it is no tag
    assert "](javascript" not in text.replace("\\](javascript", "")
