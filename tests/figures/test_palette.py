"""The palette can be told apart by colour-blind eyes and in grey print, and be read on white."""

import dataclasses
import itertools

import numpy as np
import pytest

from ipsevidence.figures.style import STYLES

# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB
VISION = {
    "ordinary": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
    "grey": np.tile([0.2126, 0.7152, 0.0722], (3, 1)),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = "#ffffff"
MARKS = ("ink", "square", "accent", "accent_light")


def linear(colour):
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(colour):
    return 1.05 / (float(linear(colour) @ VISION["grey"][0]) + 0.05)


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.key)
@pytest.mark.parametrize("vision", VISION)
def test_marks_can_be_told_apart(style, vision):
    colours = {name: getattr(style.palette, name) for name in MARKS} | {"paper": WHITE}
    seen = {name: lab(VISION[vision] @ linear(colour)) for name, colour in colours.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 12, (one, other)


@pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.key)
def test_text_and_lines_have_contrast(style):
    palette = style.palette
    for name, least in (("ink", 7), ("quiet", 4.5), ("accent", 4.5), ("rule", 4.5), ("square", 3)):
        assert contrast(getattr(palette, name)) >= least, name


def test_presets_are_data():
    for key, style in STYLES.items():
        assert key == style.key
        assert style.small >= 7
        assert style.tight().size >= 7
        with pytest.raises(dataclasses.FrozenInstanceError):
            style.size = 3
