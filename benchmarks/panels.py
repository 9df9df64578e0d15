"""What the panels of the benchmarks' figures share."""

from ipsevidence.figures.style import STYLES, font

PALETTE, SIZE = STYLES["default"].palette, 7.0


def finish(panel, along):
    """Set ticks, spines and the name of the horizontal axis as the package's figures have them."""
    panel.tick_params(colors=PALETTE.ink, width=0.5, length=2.5)
    for label in (*panel.get_xticklabels(), *panel.get_yticklabels()):
        label.set_fontproperties(font(SIZE))
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        panel.spines[side].set(linewidth=0.5, color=PALETTE.rule)
    panel.set_xlabel(along, fontproperties=font(SIZE), color=PALETTE.ink, labelpad=2)
