"""What stands where on a sheet: a figure of one page of text and marks without a plot."""

import numpy as np

from ipsevidence.figures.style import context

from .seen import axes


def texts(figure):
    """Return all text by key."""
    return {text.get_gid(): text.get_text() for text in axes(figure, "page").texts}


def boxes(figure):
    """Return the box of every text as left, bottom, right, top in pixels."""
    with context():
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()
        found = {}
        for text in axes(figure, "page").texts:
            left, bottom, right, top = text.get_window_extent(renderer).extents
            em = text.get_fontsize() * renderer.dpi / 72
            baseline = text.get_transform().transform(text.get_position())[1]
            box = left, min(bottom, baseline - 0.24 * em), right, max(top, baseline + 0.93 * em)
            found[text.get_gid()] = box
        return found


def icons_of(figure, key):
    """Return where the marks of a key stand, in points."""
    for one in axes(figure, "page").collections:
        if one.get_gid() == key:
            return np.asarray(one.get_offsets())
    return np.empty((0, 2))


def lines_of(figure, key):
    """Return the points of the line of a key."""
    return next(one.get_xydata() for one in axes(figure, "page").lines if one.get_gid() == key)


def patches_of(figure, key):
    """Return the rectangle of a key as left, top, width, height."""
    box = next(one for one in axes(figure, "page").patches if one.get_gid() == key)
    return (*box.get_xy(), box.get_width(), box.get_height())
