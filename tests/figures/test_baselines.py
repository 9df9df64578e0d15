"""A few figures as they looked when somebody last looked at them.

After a change that is meant: ``python -m tests.figures.test_baselines`` draws them again; look at each.
"""

import dataclasses
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ipsevidence.figures.compact_plot import compact
from ipsevidence.figures.forest_plot import forest
from ipsevidence.figures.forest_series import cumulative

from .factory import nine, pooled, row

FOLDER = Path(__file__).parent / "baselines"
DPI = 80


def dated():
    run = nine()
    rows = tuple(dataclasses.replace(one, extra={"year": one.label[-4:]}) for one in run.rows)
    return dataclasses.replace(run, rows=rows)


def assessed():
    judged = {"rob:randomisation": "low", "rob:missing-data": "some-concerns", "rob:overall": "high"}
    return pooled([row(f"Trial {n}", 4 + n, 20, 2, 20, extra=judged) for n in range(4)])


FIGURES = {
    "default": lambda: forest(nine()),
    "revman": lambda: forest(nine(), style="revman"),
    "jama-grey-bias": lambda: forest(
        assessed(), style="jama", palette="grey", columns=("study", "events1", "events2", "effect", "plot", "rob")
    ),
    "lancet-cumulative": lambda: cumulative(dated(), style="lancet"),
    "compact": lambda: compact(nine()),
}


def drawn(name):
    file = io.BytesIO()
    FIGURES[name]().savefig(file, format="png", dpi=DPI)
    return Image.open(file).convert("L")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_looks_as_it_did(name):
    with Image.open(FOLDER / f"{name}.png") as image:
        before = np.asarray(image.convert("L"), dtype=float)
    now = np.asarray(drawn(name), dtype=float)
    assert now.shape == before.shape
    # other versions of the font renderer shade edges a little differently; a text elsewhere is far more
    assert np.abs(now - before).mean() < 0.5
    assert (np.abs(now - before) > 100).mean() < 0.001


def test_a_difference_would_be_seen():
    before, now = (
        np.asarray(drawn("default"), dtype=float),
        np.roll(np.asarray(drawn("default"), dtype=float), 1, axis=0),
    )
    assert np.abs(now - before).mean() > 0.5


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for key in FIGURES:
        drawn(key).save(FOLDER / f"{key}.png", optimize=True)
