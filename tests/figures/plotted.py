"""What stands where in a figure of panels, and the analyses on which such figures have to hold."""

import dataclasses
from pathlib import Path

import numpy as np

from ipsevidence.analysis.running import pool_rows
from ipsevidence.analysis.usertables import rows_from_table, table_spec
from ipsevidence.figures.style import context

from .cases import effects, trials
from .factory import nine
from .seen import _box

BCG = Path(__file__).parents[1] / "data" / "bcg.csv"


def with_years(run):
    """Return an analysis whose rows have a year: that of the label where it ends in one, else one by one from 2000."""
    rows = []
    for index, row in enumerate(run.rows):
        last = row.label.split()[-1]
        year = int(last) if last.isdigit() and len(last) == 4 else 2000 + index % 23
        rows.append(dataclasses.replace(row, extra={"year": year, "hours": str(5 + 7 * index % 31)}))
    return dataclasses.replace(pool_rows(run.spec, rows), data=run.data)


def bcg(measure="RR"):
    """Return the thirteen trials of BCG vaccine, as a user's table."""
    rows = rows_from_table(BCG)
    return pool_rows(table_spec("bcg.csv", {"measure": measure}, rows), rows)


RUNS = {
    "nine": lambda: with_years(nine()),
    "bcg": bcg,
    "three": lambda: with_years(trials(3, seed=3)),
    "forty": lambda: with_years(trials(40, seed=9, long=True)),
    "effects": lambda: with_years(effects([(0.1 * i - 0.3, 0.02 + 0.01 * i) for i in range(12)], measure="SMD")),
    "common": lambda: with_years(nine(tau2="common", prediction="none")),
}


def texts(figure):
    """Return every text that is drawn, by key: those of the page, and the labels of all ticks."""
    found = {}
    for axes in figure.axes:
        found |= {text.get_gid(): text for text in axes.texts}
        if axes.axison:
            for side, axis in (("x", axes.xaxis), ("y", axes.yaxis)):
                labels = axis.get_ticklabels()
                found |= {f"{axes.get_label()}-{side}-tick-{i}": label for i, label in enumerate(labels)}
    return {key: text for key, text in found.items() if text.get_text()}


def boxes(figure):
    """Return the box of every text in pixels: left, bottom, right, top."""
    with context():
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()
        return {key: _box(text, renderer) for key, text in texts(figure).items()}


def marks(figure):
    """Return every artist that has a key, in all panels."""
    artists = [a for axes in figure.axes for a in (*axes.lines, *axes.patches, *axes.collections, *axes.images)]
    return {artist.get_gid(): artist for artist in artists if artist.get_gid()}


def line(figure, key):
    """Return x and y of a line."""
    return tuple(np.asarray(part, dtype=float) for part in marks(figure)[key].get_data())


def points(figure, key):
    """Return x and y of marks."""
    return np.asarray(marks(figure)[key].get_offsets()).T


def outline(figure, key):
    """Return x and y of the corners of a filled area."""
    return marks(figure)[key].get_paths()[0].vertices.T


def words(figure, key):
    """Return the lines of text whose key begins so, joined."""
    return " ".join(text.get_text() for name, text in texts(figure).items() if name.startswith(key))


def on_page(figure, key="effects"):
    """Return the limits of a panel: x low, x high, y low, y high."""
    axes = next(one for one in figure.axes if one.get_label() == key)
    return (*axes.get_xlim(), *axes.get_ylim())
