"""What stands where in a figure, in pixels."""

import numpy as np

from ipsevidence.figures.style import context


def axes(figure, label):
    return next(one for one in figure.axes if one.get_label() == label)


def texts(figure):
    """Return all text that is drawn, by key; ticks are ``tick-0`` and so on."""
    found = {text.get_gid(): text for text in axes(figure, "page").texts}
    ticks = axes(figure, "effects").get_xticklabels()
    found |= {f"tick-{index}": label for index, label in enumerate(ticks)}
    return {key: text for key, text in found.items() if text.get_text()}


def boxes(figure):
    """Return the box of every text as left, bottom, right, top; as high as the font's tallest and deepest letters."""
    with context():
        figure.draw_without_rendering()
        renderer = figure.canvas.get_renderer()
        return {key: _box(text, renderer) for key, text in texts(figure).items()}


def _box(text, renderer):
    left, bottom, right, top = text.get_window_extent(renderer).extents
    if text.get_va() == "baseline":
        em = text.get_fontsize() * renderer.dpi / 72
        baseline = text.get_transform().transform(text.get_position())[1]
        bottom, top = min(bottom, baseline - 0.24 * em), max(top, baseline + 0.93 * em)
    return left, bottom, right, top


def overlaps(found, *, allowed=0.5):
    """Return the pairs of texts whose boxes meet by more than `allowed` pixels (of 1/300 inch) in both directions."""
    keys, edges = list(found), np.array(list(found.values()))
    left, bottom, right, top = edges.T
    wide = np.minimum.outer(right, right) - np.maximum.outer(left, left)
    high = np.minimum.outer(top, top) - np.maximum.outer(bottom, bottom)
    first, second = np.nonzero(np.triu((wide > allowed) & (high > allowed), 1))
    return [(keys[i], keys[j]) for i, j in zip(first, second, strict=True)]


def marks(figure, part=""):
    """Return the artists of the effect axis whose key holds `part`."""
    drawn = axes(figure, "effects")
    artists = [*drawn.lines, *drawn.patches, *drawn.collections]
    return {artist.get_gid(): artist for artist in artists if part in (artist.get_gid() or "")}
