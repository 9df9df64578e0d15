"""An analysis as an R script: metafor repeats its main result from the inputs and sets both side by side."""

import math
from typing import TYPE_CHECKING, Final

from ipsevidence import __version__
from ipsevidence.analysis.cross_check import METAFOR_METHODS, METAFOR_TESTS
from ipsevidence.core import MEASURES, NotApplicable, PooledResult

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun

__all__ = ["TOLERANCE", "expected", "r_script"]

TOLERANCE: Final = 1e-6
"""Largest difference, on the pooled scale, that counts as agreement."""
_TABLES: Final = ("OR", "RR", "RD", "AS", "PETO")
_SHARES: Final = ("PR", "PLO", "PAS")
_DEGREES: Final = {"t-k1": "fit$k - 1", "t-k2": "fit$k - 2", "normal": "Inf"}


def expected(fit: PooledResult) -> dict[str, float]:
    """Return the numbers of a pool that another program is to give, on the pooled scale; what is missing is left out.

    Parameters
    ----------
    fit : PooledResult

    Returns
    -------
    dict of str to float
        ``estimate``, ``se``, ``ci_low``, ``ci_high``, ``tau2``, ``q``, ``prediction_low``, ``prediction_high``.
        A prediction interval by bootstrap is not among them.
    """
    numbers = {
        "estimate": fit.estimate,
        "se": fit.se,
        "ci_low": fit.ci.low,
        "ci_high": fit.ci.high,
        "tau2": fit.tau2,
        "q": fit.q,
    }
    if fit.settings.prediction in _DEGREES:
        numbers |= {"prediction_low": fit.prediction.low, "prediction_high": fit.prediction.high}
    return {name: float(value) for name, value in numbers.items() if math.isfinite(value)}


def r_script(analysis: "AnalysisRun") -> str:
    """Write the script; it reads inputs.csv beside it and exits with 1 where a number differs by more than 1e-6.

    Parameters
    ----------
    analysis : AnalysisRun
        The run whose main result is repeated.

    Returns
    -------
    str
        R. Where there is no pool, or no counterpart in metafor, the script says why and exits with 0.
    """
    head = _head(analysis)
    fit = analysis.fit
    if isinstance(fit, NotApplicable):
        return f"{head}\ncat({_text(f'There is no pooled effect to repeat: {fit.reason}.')}, fill = TRUE)\n"
    if fit.settings.tau2 not in METAFOR_METHODS and analysis.spec.model.q_about == "inverse-variance":
        reason = f"metafor is not asked for the estimator {fit.settings.tau2}."
        return f"{head}\ncat({_text(reason)}, fill = TRUE)\n"
    return "\n".join((head, _READ, _effects(analysis), _model(analysis, fit), _numbers(fit), _COMPARE))


def _head(analysis: "AnalysisRun") -> str:
    title = " ".join(analysis.spec.title.split()).encode("ascii", "replace").decode()
    return (
        f"# {title} ({analysis.spec.id})\n"
        f"# Repeats the main result of ipsevidence {__version__} with metafor, from inputs.csv beside this file.\n"
        f"# Exits with status 1 where a number differs by more than {TOLERANCE:g} on the pooled scale.\n"
        "# Run it with: Rscript analysis.R\n"
    )


def _text(text: str) -> str:
    """Write a string of R: letters beyond ASCII as escapes, nothing that could end it."""
    safe = "".join(
        sign if " " <= sign <= "~" and sign not in '"\\' else f"\\U{{{ord(sign):x}}}" for sign in " ".join(text.split())
    )
    return f'"{safe}"'


_READ: Final = """\
suppressPackageStartupMessages(library(metafor))
here <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE))
file <- "inputs.csv"
if (!file.exists(file) && length(here) == 1) file <- file.path(dirname(here), file)
d <- read.csv(file, na.strings = c("", "NA"))
"""


def _effects(analysis: "AnalysisRun") -> str:
    """Compute effects and variances anew from counts and printed intervals; take those that were given as they are."""
    effect, rows, measure = analysis.spec.effect, analysis.rows, MEASURES[analysis.spec.effect.measure]
    lines = ["yi <- d$yi", "vi <- d$vi"]
    settings = f'measure = "{measure.key}", data = d[counted, ], add = {effect.add}, to = "{effect.to}"'
    if any(row.counts for row in rows) and measure.key in _TABLES:
        lines += [
            "",
            "# Effects of the studies that have counts.",
            "counted <- !is.na(d$ai)",
            f"e <- escalc(ai = ai, n1i = n1i, ci = ci, n2i = n2i, {settings})",
            "yi[counted] <- e$yi",
            "vi[counted] <- e$vi",
        ]
    if any(row.share for row in rows) and measure.key in _SHARES:
        lines += [
            "",
            "counted <- !is.na(d$xi)",
            f"e <- escalc(xi = xi, ni = ni, {settings})",
            "yi[counted] <- e$yi",
            "vi[counted] <- e$vi",
        ]
    if any(not math.isnan(row.estimate) for row in rows):
        scale = "log" if measure.scale == "log" else "identity"
        lines += [
            "",
            "# Printed effects: the variance is that of the width of the printed interval.",
            "printed <- !is.na(d$estimate)",
            f"yi[printed] <- {scale}(d$estimate[printed])",
            "z <- qnorm((1 + d$level[printed]) / 2)",
            f"vi[printed] <- (({scale}(d$high[printed]) - {scale}(d$low[printed])) / (2 * z))^2",
        ]
    return "\n".join(lines) + "\n"


def _model(analysis: "AnalysisRun", fit: PooledResult) -> str:
    settings, effect = fit.settings, analysis.spec.effect
    control = "control = list(threshold = 1e-13, tol = 1e-13, maxiter = 10000)"
    method = f'method = "{METAFOR_METHODS.get(settings.tau2, "DL")}"'
    lines = []
    if analysis.spec.model.q_about == "mantel-haenszel":
        lines += [
            "# As in Review Manager 5: Q, and with it tau2, about the Mantel-Haenszel mean.",
            f'common <- rma.mh(ai = ai, n1i = n1i, ci = ci, n2i = n2i, data = d, measure = "{effect.measure}")',
            "w <- 1 / vi",
            "q <- sum(w * (yi - as.numeric(common$beta))^2)",
            "tau2 <- max(0, (q - (length(yi) - 1)) / (sum(w) - sum(w^2) / sum(w)))",
        ]
        method = "tau2 = tau2"
    level = f"{100 * settings.level:.12g}"
    lines.append(
        f'fit <- rma.uni(yi, vi, {method}, test = "{METAFOR_TESTS[settings.interval]}", level = {level}, {control})'
    )
    if analysis.spec.model.q_about != "mantel-haenszel":
        lines.append("q <- fit$QE")
    lines.append("metafor <- c(estimate = fit$beta[1], se = fit$se, ci_low = fit$ci.lb, ci_high = fit$ci.ub,")
    lines.append("             tau2 = fit$tau2, q = q)")
    if "prediction_low" in expected(fit):
        lines += [
            "",
            "# Prediction interval for the effect in a new study.",
            f"half <- qt({(1 + settings.level) / 2:.12g}, {_DEGREES[settings.prediction]}) * sqrt(fit$tau2 + fit$se^2)",
            "metafor <- c(metafor, prediction_low = fit$beta[1] - half, prediction_high = fit$beta[1] + half)",
        ]
    return "\n".join(lines) + "\n"


def _numbers(fit: PooledResult) -> str:
    pairs = ",\n                 ".join(f"{name} = {value:.15g}" for name, value in expected(fit).items())
    return f"ipsevidence <- c({pairs})\n"


_COMPARE: Final = f"""\
both <- data.frame(ipsevidence, metafor = unname(metafor[names(ipsevidence)]))
both <- rbind(both, "largest gap of yi" = c(0, max(abs(yi - d$yi))), "largest gap of vi" = c(0, max(abs(vi - d$vi))))
both$difference <- abs(both$ipsevidence - both$metafor)
print(both, digits = 9)
if (!all(is.finite(both$difference)) || any(both$difference > {TOLERANCE:g})) {{
  cat("The two differ.", fill = TRUE)
  quit(status = 1)
}}
cat("The two agree.", fill = TRUE)
"""
