"""The tables of docs/methods/coverage.md, made from results; the text around them is written by hand."""

import math
import re
from pathlib import Path

from benchmarks.coverage_design import EFFECTS, MODELS, OWN_MEASURE, VARIANCES

PAGE = Path(__file__).parents[1] / "docs" / "methods" / "coverage.md"
BLOCK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
MINUS = "\u2212"
MEAN_METHODS = {
    "Wald": ("reml", "wald"),
    "t": ("reml", "t"),
    "HKSJ": ("reml", "hksj"),
    "ad hoc": ("reml", "hksj-adhoc"),
    "rule": ("reml", "protocol"),
    "common effect": ("common", "wald"),
    "Bayes": ("bayes", "bayes"),
}
PREDICTION_METHODS = {
    "normal, Wald": ("reml", "wald", "normal"),
    "t(k−2), Wald": ("reml", "wald", "t-k2"),
    "t(k−2), HKSJ": ("reml", "hksj", "t-k2"),
    "t(k−1), HKSJ": ("reml", "hksj", "t-k1"),
    "t(k−1), rule": ("reml", "protocol", "t-k1"),
    "Bayes": ("bayes", "bayes", "bayes"),
}
ESTIMATORS = ("reml", "dl", "pm", "sj", "ml")
SINGLE_METHODS = {
    "mantel-haenszel": "Mantel-Haenszel",
    "um.fs": "GLMM, fixed study effects",
    "um.rs": "GLMM, random study effects",
    "reml": "inverse variance, REML",
}


class Found:
    """The lines and biases of a run, by their names."""

    def __init__(self, results, *, single=False):
        lines, biases = (results.single_lines, results.single_biases) if single else (results.lines, results.biases)
        self.base = results.base
        self.lines = {
            (x.model, x.effect, x.variance, x.k, x.measure, x.estimator, x.interval, x.prediction): x for x in lines
        }
        self.biases = {(x.model, x.effect, x.variance, x.k, x.measure, x.estimator): x for x in biases}
        self.trials = sorted({x.k for x in lines})

    def line(self, cell, method, measure=None):
        """Return a line, or None; `method` is estimator, interval and, for a new trial, prediction."""
        key = (*method, "") if len(method) == 2 else method
        return self.lines.get((*cell, measure or OWN_MEASURE[cell[0]], *key))

    def bias(self, cell, estimator, measure=None):
        """Return a bias."""
        return self.biases[(*cell, measure or OWN_MEASURE[cell[0]], estimator)]

    def tau2(self, variance, measure="OR"):
        """Return a between-study variance of the grid."""
        return self.base.tau2[measure][variance]


def write_page(results, page=PAGE):
    """Put the tables of a run into the page."""
    page.write_text(with_tables(page.read_text(encoding="utf-8"), results), encoding="utf-8")


def with_tables(text, results):
    """Return the text of the page with every table made anew."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{TABLES[block[2]](results)}\n{block[3]}", text)


def summary(results):
    """Return what a quick run prints."""
    return "\n".join([settings_table(results), mean_table(results), prediction_table(results), failures(results)])


def table(head, rows):
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(x, digits):
    """Return a number with a true minus."""
    return f"{x:.{digits}f}".replace("-", MINUS) if abs(x) >= 0.5 * 10**-digits else f"{0:.{digits}f}"


def covered(line):
    """Return coverage in percent and median width, of an interval that may not be there."""
    if line is None or math.isnan(line.coverage):
        return "–"
    return f"{number(100 * line.coverage, 1)} ({number(line.width, 2)})"


def settings_table(results):
    """Return what the simulation rests on."""
    base, made = results.base, results.settings
    risks, (n1, n2) = base.control_risks, base.sizes
    rows = [
        ["trials resampled", f"{len(base.trials)}: {', '.join(trial[0] for trial in base.trials)}"],
        ["arm sizes", f"{min(n1.min(), n2.min())}–{max(n1.max(), n2.max())}"],
        ["observed control risks", f"{risks.min():.2f}–{risks.max():.2f}"],
        ["true mean", f"OR {math.exp(base.effect['OR']):.2f}, RR {math.exp(base.effect['RR']):.2f}; or none"],
    ]
    for measure in ("OR", "RR"):
        grid = ", ".join(f"{name} {base.tau2[measure][name]:.3f}" for name in VARIANCES)
        rows.append([f"τ² of the log {measure}", grid])
    rows += [
        ["control log odds", f"mean {number(base.control_logit, 2)}, standard deviation {base.control_sd:.2f}"],
        ["slope of the log OR on them", number(base.slope, 2)],
        [
            "risks held at 0.95 in the risk-ratio model",
            ", ".join(f"{name} {100 * share:.0f}%" for name, share in made["share_of_risks_capped"].items()),
        ],
        ["meta-analyses a cell", f"{made['repetitions']:,}"],
        ["those fitted on counts, one by one", str(made["repetitions_on_counts"])],
        ["those with the bootstrap", str(made["repetitions_bootstrap"])],
        ["seed", str(made["seed"])],
        ["dataset", f"{base.version}, records {base.digest[:12]}"],
    ]
    return table(["what", "value"], rows)


def mean_table(results):
    """Return coverage and width of intervals of the mean, by between-study variance and number of trials."""
    found = Found(results)
    rows = [
        [f"{found.tau2(variance):.3f}", str(k)]
        + [covered(found.line(("normal", "data", variance, k), method)) for method in MEAN_METHODS.values()]
        for variance in VARIANCES
        for k in found.trials
    ]
    return table(["τ²", "k", *MEAN_METHODS], rows)


def test_table(results):
    """Return type I error and power, in percent."""
    found = Found(results)

    def shares(variance, k, method):
        pair = [found.line(("normal", effect, variance, k), method) for effect in ("none", "data")]
        if any(x is None or math.isnan(x.excludes_null) for x in pair):
            return "–"
        return f"{100 * pair[0].excludes_null:.1f} / {100 * pair[1].excludes_null:.0f}"

    rows = [
        [f"{found.tau2(variance):.3f}", str(k)] + [shares(variance, k, method) for method in MEAN_METHODS.values()]
        for variance in VARIANCES
        for k in found.trials
    ]
    return table(["τ²", "k", *MEAN_METHODS], rows)


def estimator_table(results):
    """Return bias and coverage by estimator of tau2, at 5 and 12 trials."""
    found = Found(results)
    rows = []
    for variance in VARIANCES:
        for k in (5, 12):
            cell = ("normal", "data", variance, k)
            for estimator in ESTIMATORS:
                off = found.bias(cell, estimator)
                rows.append(
                    [
                        f"{found.tau2(variance):.3f}",
                        str(k),
                        estimator.upper(),
                        f"{number(off.bias, 3)} ({off.bias_se:.3f})",
                        f"{off.tau2:.3f}",
                        f"{100 * off.tau2_zero:.0f}",
                    ]
                    + [covered(found.line(cell, (estimator, name))) for name in ("wald", "hksj", "protocol")]
                    + [covered(found.line(cell, (estimator, "hksj", "t-k1")))]
                )
    head = ["τ²", "k", "estimator", "bias (s.e.)", "mean estimate of τ²", "estimate 0 (%)", "Wald", "HKSJ", "rule"]
    return table([*head, "new trial, t(k−1)"], rows)


def prediction_table(results):
    """Return how much of the distribution of true effects prediction intervals hold."""
    found = Found(results)
    rows = [
        [f"{found.tau2(variance):.3f}", str(k)]
        + [covered(found.line(("normal", "data", variance, k), method)) for method in PREDICTION_METHODS.values()]
        for variance in VARIANCES
        for k in found.trials
    ]
    return table(["τ²", "k", *PREDICTION_METHODS], rows)


def departure_table(results):
    """Return what becomes of bias and coverage where effects are not normal on the log odds scale."""
    found = Found(results)
    rows = []
    for model in MODELS:
        for variance in VARIANCES[1:]:
            for k in (3, 5, 12, 30):
                cell = (model, "data", variance, k)
                if (*cell, OWN_MEASURE[model], "reml") not in found.biases:
                    continue
                off = found.bias(cell, "reml")
                rows.append(
                    [
                        model,
                        f"{found.tau2(variance, OWN_MEASURE[model]):.3f}",
                        str(k),
                        f"{number(off.bias, 3)} ({off.bias_se:.3f})",
                    ]
                    + [covered(found.line(cell, MEAN_METHODS[name])) for name in ("Wald", "HKSJ", "rule", "Bayes")]
                    + [covered(found.line(cell, ("reml", "hksj", "t-k1")))]
                )
    head = ["model", "τ²", "k", "bias (s.e.)", "Wald", "HKSJ", "rule", "Bayes", "new trial, t(k−1)"]
    return table(head, rows)


def measure_table(results):
    """Return truth and bias of pooled odds ratios and risk ratios under the same models, at 12 trials."""
    found = Found(results)
    rows = []
    for (model, effect, variance, k, measure, estimator), _ in sorted(found.biases.items(), key=_place):
        if measure != "OR" or estimator != "reml" or k != 12:
            continue
        cell = (model, effect, variance, k)
        row = [model, EFFECTS[effect], f"{found.tau2(variance, OWN_MEASURE[model]):.3f}"]
        for shown in ("OR", "RR"):
            off = found.bias(cell, "reml", shown)
            held = found.line(cell, ("reml", "hksj"), shown)
            row += [
                f"{math.exp(off.truth):.2f}",
                f"{number(100 * math.expm1(off.bias), 1)} ({100 * off.bias_se:.1f})",
                number(100 * held.coverage, 1),
            ]
        rows.append(row)
    head = ["model", "effect", "τ²", "true OR", "bias of OR, % (s.e.)", "HKSJ (%)"]
    return table([*head, "true RR", "bias of RR, % (s.e.)", "HKSJ (%)"], rows)


def _place(item):
    model, effect, variance = item[0][:3]
    return list(MODELS).index(model), list(EFFECTS).index(effect), VARIANCES.index(variance), item[0][3:]


def single_table(results):
    """Return methods on the counts, fitted one by one."""
    found = Found(results, single=True)
    rows = []
    for (model, effect, variance, k, measure, estimator), off in found.biases.items():
        cell = (model, effect, variance, k)
        shown = [found.line(cell, (estimator, interval), measure) for interval in ("wald", "hksj")]
        rows.append(
            [
                f"{found.tau2(variance):.3f}",
                str(k),
                SINGLE_METHODS[estimator],
                f"{number(off.bias, 3)} ({off.bias_se:.3f})",
                "–" if math.isnan(off.tau2) else f"{off.tau2:.3f}",
                *(covered(x) + _error(x) for x in shown),
                str(off.failed),
            ]
        )
    return table(["τ²", "k", "method", "bias (s.e.)", "mean estimate of τ²", "Wald", "HKSJ", "failed"], rows)


def bootstrap_table(results):
    """Return prediction intervals by bootstrap beside the others, on the same meta-analyses."""
    found = Found(results, single=True)
    methods = {
        "t(k−1), HKSJ": ("reml", "hksj", "t-k1"),
        "t(k−2), Wald": ("reml", "wald", "t-k2"),
        "bootstrap": ("none", "bootstrap", "bootstrap"),
    }
    rows = []
    for variance in VARIANCES:
        for k in found.trials:
            shown = [found.line(("normal", "data", variance, k), method) for method in methods.values()]
            if any(shown):
                rows.append([f"{found.tau2(variance):.3f}", str(k), *(covered(x) + _error(x) for x in shown)])
    return table(["τ²", "k", *methods], rows)


def _error(line):
    return "" if line is None or math.isnan(line.coverage_se) else f" ±{100 * line.coverage_se:.1f}"


def switched_table(results):
    """Return how often the rule takes the ad hoc form from five trials on, and how both forms cover there."""
    found = Found(results)
    rows = []
    for variance in VARIANCES:
        for k in (k for k in found.trials if k >= 5):
            cell = ("normal", "data", variance, k)
            plain, adhoc = (found.line(cell, ("reml", f"{name}, switched")) for name in ("hksj", "hksj-adhoc"))
            share = 100 * (1 - plain.failed / plain.repetitions)
            texts = [f"{found.tau2(variance):.3f}", str(k), f"{share:.0f}"]
            rows.append([*texts, *(covered(x) + _error(x) for x in (plain, adhoc))])
    return table(["τ²", "k", "switched (%)", "HKSJ there", "ad hoc there"], rows)


def failures(results):
    """Return a sentence on intervals that could not be made, and one on Monte Carlo error."""
    made = [x for x in results.lines if not (x.prediction == "t-k2" and x.k == 2) and "switched" not in x.interval]
    worst = max(made, key=lambda x: x.failed / x.repetitions)
    gone = sum(x.failed > 0 for x in made)
    means = max(x.coverage_se for x in made if not x.prediction and x.coverage >= 0.9)
    news = max(x.coverage_se for x in made if x.prediction)
    if gone:
        said = (
            f"Of {len(made):,} lines {gone:,} have meta-analyses without an interval, at most "
            f"{100 * worst.failed / worst.repetitions:.2f}% of them ({worst.k} trials, model {worst.model})."
        )
    else:
        said = f"No interval failed in any of {len(made):,} lines."
    return (
        f"{said} The Monte Carlo standard error of a coverage of 90% or more is at most {100 * means:.2f} points, that "
        f"of the coverage of a prediction interval at most {100 * news:.2f} points.\n"
    )


TABLES = {
    "settings": settings_table,
    "mean": mean_table,
    "tests": test_table,
    "switched": switched_table,
    "estimators": estimator_table,
    "prediction": prediction_table,
    "departures": departure_table,
    "measures": measure_table,
    "single": single_table,
    "bootstrap": bootstrap_table,
    "failures": failures,
}
