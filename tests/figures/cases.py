"""The analyses on which the forest plot has to hold."""

import math
import random

from .factory import nine, pooled, row

NAMES = ("Müller", "Smith", "Nakagawa", "Ødegård", "García", "O'Brien", "Li", "van-der-Berg", "Kowalski", "Okafor")
LONG = "Supported employment for veterans with PTSD, second cohort 19"
BASES = ("reported", "derived", "bounded", "approximate", "reconstructed")


def trials(k, *, seed=1, groups=0, long=False, bases=True, **settings):
    """Return k made-up trials, pooled."""
    draw = random.Random(seed)
    rows = []
    for index in range(k):
        n1 = draw.choice((20, 30, 45, 60, 90, 150, 300, 700))
        n2 = max(10, round(n1 * draw.uniform(0.8, 1.2)))
        p2 = draw.uniform(0.1, 0.4)
        p1 = 1 / (1 + math.exp(-(math.log(p2 / (1 - p2)) + draw.gauss(0.7, 0.4))))
        cells = [sum(draw.random() < p for _ in range(n)) for p, n in ((p1, n1), (p2, n2))]
        name = LONG if long and index % 3 == 0 else f"{draw.choice(NAMES)} {2000 + index % 25}"
        group = f"g{index * groups // k}" if groups else ""
        basis = draw.choice(BASES) if bases else ""
        rows.append(row(name, cells[0], n1, cells[1], n2, group=group, basis=basis))
    named = tuple((f"g{number}", f"Group {number + 1}") for number in range(groups))
    return pooled(rows, **{"groups": named, "tau2": "reml", "interval": "hksj", "prediction": "t-k1", **settings})


def effects(pairs, **settings):
    """Return studies known by effect and variance only, pooled."""
    rows = [row(f"Trial {index + 1}", y=float(y), v=float(v)) for index, (y, v) in enumerate(pairs)]
    return pooled(rows, **settings)


def plain_effects(**settings):
    return effects([(0.1 * index - 0.3, 0.02 + 0.01 * index) for index in range(9)], **settings)


CASES = {
    "nine trials": nine,
    "one": lambda: trials(1),
    "one, Wald": lambda: trials(1, interval="wald"),
    "two, t with one degree of freedom": lambda: trials(2, prediction="t-k2"),
    "three": lambda: trials(3, seed=3, prediction="t-k2"),
    "sixty in groups": lambda: trials(60, seed=5, groups=4),
    "a hundred and twenty, long names": lambda: trials(120, seed=6, groups=6, long=True),
    "a hundred and twenty": lambda: trials(120, seed=7),
    "long names": lambda: trials(9, seed=8, long=True, groups=2),
    "a name without a space": lambda: pooled([row("x" * 60, 4, 10, 2, 10), row("y" * 300, 5, 12, 3, 11)]),
    "identical names": lambda: pooled([row("Smith 2001", 4, 10, 2, 10)] * 4),
    "one in a group, an empty group": lambda: pooled(
        [row("A", 4, 10, 2, 10, group="one"), row("B", 4, 10, 3, 10), row("C", 5, 20, 3, 20)],
        groups=(("none", "Nothing here"), ("one", "One"), ("nor", "Nor here")),
    ),
    "identical effects, no interval": lambda: effects([(0.3, 0.1)] * 3, interval="hksj"),
    "far off the axis": lambda: effects([(0.1 * i, 0.05) for i in range(6)] + [(7.0, 0.3), (0.2, 40.0), (-90, 2.0)]),
    "a group far off the axis": lambda: pooled(
        [row(f"S{i}", y=0.1 * i, v=0.05, group="near") for i in range(6)]
        + [row(f"F{i}", y=9.0, v=0.3, group="far") for i in range(2)],
        groups=(("near", "Near"), ("far", "Far")),
        tau2="common",
        prediction="none",
    ),
    "an exponential that overflows": lambda: effects([(0.1, 0.1), (0.2, 9e5), (0.3, 0.1)]),
    "effects only": plain_effects,
    "proportions as logits": lambda: plain_effects(measure="PLO"),
    "proportions as arcsines": lambda: plain_effects(measure="PAS"),
    "proportions, double arcsine": lambda: effects([(0.2, 0.01), (0.5, 0.02), (1.5, 0.01)], measure="PFT"),
    "proportions of nearly all": lambda: effects([(4.0, 0.5), (5.0, 0.5), (3.5, 0.5)], measure="PLO"),
    "correlations": lambda: plain_effects(measure="ZCOR"),
    "effects of any kind": lambda: plain_effects(measure="GEN"),
    "tiny differences between precise studies": lambda: effects([(0.002 * i - 0.003, 2e-5) for i in range(5)]),
    "risk difference": lambda: nine(measure="RD", tau2="reml", interval="hksj-adhoc", prediction="t-k1"),
    "negative differences": lambda: pooled(
        [row("A", 3, 30, 10, 30), row("B", 30, 300, 50, 290), row("C", 13, 35, 18, 30), row("D", 0, 35, 2, 30)],
        measure="RD",
    ),
    "large counts": lambda: pooled(
        [row(f"Register {i}", 123456 + i, 1234567, 113456, 1234567) for i in range(3)],
    ),
    "common effect": lambda: nine(tau2="common", prediction="none"),
    "counts that are not whole": lambda: pooled([row("A", 4.5, 10.5, 2, 10), row("B", 4, 10, 2.5, 10)]),
    "dollars and braces": lambda: pooled([row(r"$\frac{a}{b}$ $", 4, 10, 2, 10), row("a_{b}^c %", 5, 12, 3, 11)]),
    "a caveat that does not end": lambda: nine(caveats=(("word " * 700).strip(), "x" * 3000)),
}
