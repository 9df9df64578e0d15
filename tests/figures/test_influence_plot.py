"""The influence panel: a row for each study, a panel for each diagnostic."""

import numpy as np
import pytest

from ipsevidence import core
from ipsevidence.core import InputError
from ipsevidence.figures.influence_plot import influence

from .cases import effects, trials
from .factory import nine
from .plotted import bcg, line, marks, on_page, points, texts, words

COLUMNS = ("rstudent", "dffits", "cook", "cov_ratio", "tau2_deleted", "q_deleted", "hat", "weight")


def shown(figure, column):
    """Return the values of a diagnostic by row."""
    found = {}
    for kind in ("usual", "influential"):
        if f"{column}-{kind}" in marks(figure):
            x, y = points(figure, f"{column}-{kind}")
            found |= dict(zip(y.tolist(), x.tolist(), strict=True))
    return [found[row] for row in sorted(found)]


@pytest.mark.parametrize("column", COLUMNS)
def test_marks_stand_at_the_diagnostics(column):
    run = bcg()
    expected = getattr(core.influence(run.y, run.v, tau2="reml"), column)
    np.testing.assert_allclose(shown(influence(run), column), expected)


def test_values_are_those_of_metafor():
    # metafor::influence(rma(yi, vi, data = dat.bcg)): first and fourth trial
    figure = influence(bcg())
    assert shown(figure, "rstudent")[0] == pytest.approx(-0.2181, abs=5e-5)
    assert shown(figure, "cook")[3] == pytest.approx(0.2295, abs=5e-5)
    assert shown(figure, "weight")[0] == pytest.approx(5.0595, abs=5e-5)


def test_influential_studies_are_diamonds_in_shaded_rows():
    run = nine()
    found = core.influence(run.y, run.v, tau2="dl")
    figure = influence(run)
    rows = [1.0 + i for i in np.flatnonzero(found.influential)]
    assert points(figure, "cook-influential")[1].tolist() == rows
    for row in rows:
        box = marks(figure)[f"cook-shade-{row:.0f}"]
        assert box.get_y() + box.get_height() / 2 == row
    assert "Influential: Davis 2012, " in figure.alternative
    assert "No study is influential." in influence(bcg()).alternative


def test_limits_are_those_of_the_rules():
    figure = influence(nine())
    assert line(figure, "dffits-limit-1")[0] == pytest.approx(3 * (1 / 8) ** 0.5)
    assert line(figure, "cook-limit-0")[0] == pytest.approx(0.4549, abs=1e-4)  # median of chi-square, 1 df
    assert set(line(figure, "rstudent-limit-0")[0]) == {-1.96}


def test_the_whole_pool_is_a_line():
    run = nine()
    figure = influence(run)
    assert line(figure, "tau2_deleted-whole")[0] == pytest.approx(run.fit.tau2)
    assert line(figure, "q_deleted-whole")[0] == pytest.approx(run.fit.q)
    assert line(figure, "weight-whole")[0] == pytest.approx(100 / 9)


def test_studies_are_named_once_in_their_order_from_the_top():
    run = nine()
    figure = influence(run)
    names = [text.get_text() for key, text in texts(figure).items() if "-y-tick-" in key]
    assert names == [row.label for row in run.rows]
    _, _, bottom, top = on_page(figure, "rstudent")
    assert top < bottom


def test_the_number_of_influential_studies_is_said():
    assert words(influence(nine()), "note").startswith("4 studies are influential")
    assert words(influence(bcg()), "note").startswith("No studies are influential")


def test_values_that_are_all_alike_have_an_axis():
    figure = influence(effects([(0.3, 0.1)] * 4))
    left, right, *_ = on_page(figure, "tau2_deleted")
    assert left <= 0.0 < right


def test_too_few_studies_are_refused():
    with pytest.raises(InputError, match="at least 3 studies"):
        influence(trials(2))
