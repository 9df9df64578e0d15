"""The tables of docs/methods/speed.md and its figure, made from results; the text around them is written by hand."""

import json
import re
from pathlib import Path

import numpy as np

from benchmarks.panels import PALETTE, SIZE, finish
from benchmarks.speed_data import WORKS, summed
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.figures.saving import Drawing, save
from ipsevidence.figures.style import STYLES, context, font

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "speed.json"
PAGE = ROOT / "docs" / "methods" / "speed.md"
FOLDER = ROOT / "docs" / "images"
FIGURE = "speed-scaling"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
WIDTH, HEIGHT = STYLES["default"].width, 190.0
SECONDS = ((1e-4, "0.1 ms"), (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "0.1 s"), (1.0, "1 s"), (10.0, "10 s"))
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
NONE = "–"
RESULT = 27  # bytes that GOSH of 20 studies returns for each fit: three doubles and 20 bits


def write_results(results):
    """Write what a run measured, seconds to four digits."""
    text = json.dumps(_short(results), indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^\[\]{}]*\]", lambda times: " ".join(times[0].split()), text)  # the runs of a work on one line
    write_atomically(RESULTS, f"{text}\n")


def _short(found):
    """Return the same with all numbers but whole ones to four digits."""
    if isinstance(found, dict):
        return {str(key): _short(value) for key, value in found.items()}
    if isinstance(found, list):
        return [_short(value) for value in found]
    return float(f"{found:.4g}") if isinstance(found, float) else found


def read_results():
    """Return what the last full run measured."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def write_page(results, page=PAGE):
    """Put the tables of a run into the page."""
    write_atomically(page, with_tables(page.read_text(encoding="utf-8"), results))


def with_tables(text, results):
    """Return the text of the page with every table made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]](results)}\n{block[3]}", text)


def _table(head, rows):
    return "".join(f"| {' | '.join(line)} |\n" for line in [head, ["---"] * len(head), *rows])


def table_of_works(results):
    """Return median, shortest and longest run of all work here and elsewhere, and how many times longer others take."""
    programs = ["here", *results["versions"]]
    rows = []
    for work in WORKS:
        times = results["times"][work]
        if "here" in times:
            middle = summed(times["here"])[0]
            rows.append([work, *(_cell(times.get(name), None if name == "here" else middle) for name in programs)])
    return _table(["work", *programs], rows)


def _cell(times, middle):
    if not times:
        return NONE
    median, low, high = summed(times)
    size, unit = next((x for x in UNITS if median >= x[0]), UNITS[-1])
    spread = "" if len(times) == 1 else f" ({_three(low / size)}–{_three(high / size)})"
    times_as_long = "" if middle is None else f", **{_three(median / middle)}×**"
    return f"{_three(median / size)}{spread} {unit}{times_as_long}"


def _three(x):
    """Write a number with two or three digits."""
    return f"{x:,.0f}" if x >= 99.5 else f"{x:.3g}"


def machine_table(results):
    """Return the machine and the versions."""
    machine, versions = results["machine"], results["versions"]
    rows = [
        ["machine", f"{machine['processors']} processors, {machine['kind']}, {machine['system']}"],
        [
            "load when it ended",
            f"{machine['load']} (waiting processes; at rest it is below 1.5 with one process measured)",
        ],
        ["here", f"Python {machine['python']}, NumPy {machine['numpy']}, SciPy {machine['scipy']}"],
        *([name, version] for name, version in versions.items()),
    ]
    return _table(["what", "which"], rows)


def checks_table(results):
    """Return what else was asked of the run."""
    single, converged, scaling = results["single"], results["converged"], results["scaling"]
    least, most = (max(map(int, x)) for x in (scaling["studies"], scaling["memory"]))
    grown = _beyond_the_result(scaling)
    rows = [
        [
            f"one fit, k = 10, over {single['sets']} data sets",
            f"median {single['median'] * 1e6:.0f} µs, longest median {single['longest'] * 1e6:.0f} µs",
        ],
        [
            "GOSH fits whose score vanishes where tau2 was put",
            f"{converged['converged']:,} of {converged['fits']:,}",
        ],
        [f"one fit, k = {least:,}", f"{scaling['studies'][str(least)] * 1e3:.3g} ms"],
        [
            f"memory beyond the result, of {min(grown):,} and of {most:,} fits",
            f"{grown[min(grown)]:.1f} MB, {grown[most]:.1f} MB",
        ],
        ["cost against fits, exponent", f"{_slope(scaling['fits'], 10_000):.2f}"],
        ["cost against studies, exponent from 10,000 on", f"{_slope(scaling['studies'], 10_000):.2f}"],
    ]
    return _table(["what", "found"], rows)


def _beyond_the_result(scaling):
    """Return megabytes that so many fits took at most, without what they returned."""
    return {int(fits): (grown - RESULT * int(fits)) / 1e6 for fits, grown in scaling["memory"].items()}


def _slope(seconds, least):
    points = np.log([(int(k), s) for k, s in seconds.items() if int(k) >= least])
    return np.polyfit(*points.T, 1)[0]


TABLES = {"works": table_of_works, "machine": machine_table, "checks": checks_table}


def draw_figure(results, folder=FOLDER):
    """Write the figure of how cost grows, as PNG and SVG; return the files."""
    scaling = results["scaling"]
    with context():
        figure = Drawing(
            width=WIDTH,
            height=HEIGHT,
            title="Cost of one fit by its studies, of many by their number, and their memory",
            alternative=_words(scaling),
        )
        panels = figure.subplots(1, 3)
        figure.subplots_adjust(left=0.075, right=0.965, bottom=0.175, top=0.9, wspace=0.32)
        others = scaling["metafor"]
        _panel(panels[0], "one fit: time", "studies", scaling["studies"], highest=max(others.values(), default=0.0))
        _other(panels[0], others)
        _panel(panels[1], "GOSH of 20 studies: time", "fits", scaling["fits"])
        _panel(panels[2], "memory beyond the result", "fits", _beyond_the_result(scaling), seconds=False)
        panels[2].axhline(500, color=PALETTE.ink, linewidth=0.6)
        panels[2].text(1e3, 530, "limit", fontproperties=font(SIZE), color=PALETTE.ink)
    return [save(figure, folder / f"{FIGURE}.{form}") for form in ("png", "svg")]


def _points(found):
    return zip(*sorted((int(x), y) for x, y in found.items()), strict=True)


def _whole(x):
    return "1 million" if x == 1_000_000 else f"{x:,}"


def _panel(panel, title, along, found, *, seconds=True, highest=0.0):
    x, y = _points(found)
    panel.set(xscale="log", yscale="log")
    panel.set_xticks(decades := [10**n for n in range(1, 7) if x[0] <= 10**n <= x[-1]], map(_whole, decades))
    if seconds:
        panel.set_ylim(0.5 * min(y), 2.0 * max(*y, highest))
        panel.set_yticks(
            *zip(*((t, name) for t, name in SECONDS if 0.5 * min(y) < t < 2.0 * max(*y, highest)), strict=True)
        )
    else:
        panel.set_ylim(1, 1000)
        panel.set_yticks([1, 10, 100, 1000], ["1 MB", "10 MB", "100 MB", "1 GB"])
    panel.plot(x, y, color=PALETTE.accent, linewidth=1.8, marker="o", markersize=3, zorder=4)
    if seconds:
        ends = np.array([min(x), max(x)])
        panel.plot(ends, y[-1] * ends / x[-1], color=PALETTE.ink, linewidth=0.8, linestyle=(0, (3.0, 2.0)), zorder=2)
    panel.set_title(title, fontproperties=font(SIZE), loc="left", color=PALETTE.ink, pad=4)
    panel.minorticks_off()
    finish(panel, along)


def _other(panel, found):
    if not found:
        return
    x, y = _points(found)
    panel.plot(x, y, color=PALETTE.square, linewidth=1.2, marker="s", markersize=3, zorder=3)
    panel.text(x[-1] * 1.4, y[-1], "metafor", fontproperties=font(SIZE), color=PALETTE.ink, va="center")


def _words(scaling):
    """Return what the figure shows, in words and numbers, for those who do not see it."""

    def ends(found, unit):
        x, y = _points(found)
        return f"{x[0]:,}: {y[0]:.2g} {unit}, {x[-1]:,}: {y[-1]:.2g} {unit}"

    memory = _beyond_the_result(scaling)
    other = f" metafor, {ends(scaling['metafor'], 's')}." if scaling["metafor"] else ""
    return (
        f"Seconds of one fit by studies, {ends(scaling['studies'], 's')}.{other} Seconds of GOSH by fits,"
        f" {ends(scaling['fits'], 's')}. Memory beyond the result by fits, {ends(memory, 'MB')}; the limit is"
        " 500 MB. Dashed: cost in proportion."
    )
