"""The pool of a run computed again by other programs: statsmodels, and R's metafor where it is installed."""

import csv
import dataclasses
import math
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ipsevidence import core
from ipsevidence.analysis.running import AnalysisRun
from ipsevidence.core.inputs import check_number

__all__ = ["METAFOR_METHODS", "METAFOR_TESTS", "Agreement", "Comparison", "CrossCheck", "cross_check"]

QUANTITIES = ("estimate", "se", "ci-low", "ci-high", "tau2")
CLOSE = 1e-6
# statsmodels ends its Paule-Mandel iteration where Q is within 1e-5 of its degrees of freedom
CLOSE_PAULE_MANDEL = 1e-4
# a tau2 below this share of the median variance is 0: what an iteration that ends at an absolute step leaves
ZERO = 1e-9

STATSMODELS_METHODS = ("dl", "pm")
METAFOR_METHODS = {
    "common": "EE",
    "dl": "DL",
    "he": "HE",
    "hs": "HS",
    "hsk": "HSk",
    "sj": "SJ",
    "ml": "ML",
    "reml": "REML",
    "eb": "EB",
    "pm": "PM",
    "pmm": "PMM",
}
METAFOR_TESTS = {"wald": "z", "t": "t", "hksj": "knha", "hksj-adhoc": "adhoc"}
NO_METAFOR = 3  # exit status of the script below where the library is missing
METAFOR_SCRIPT = f"""\
args <- commandArgs(trailingOnly = TRUE)
if (!requireNamespace("metafor", quietly = TRUE)) quit(status = {NO_METAFOR})
suppressPackageStartupMessages(library(metafor))
d <- read.csv(args[1])
fit <- rma.uni(d$y, d$v, method = args[3], test = args[4], level = as.numeric(args[5]),
               control = list(threshold = 1e-13, tol = 1e-13, maxiter = 10000))
found <- c(fit$beta[1], fit$se, fit$ci.lb, fit$ci.ub, fit$tau2)
if (!all(is.finite(found))) stop("a number is missing")
writeLines(c(as.character(packageVersion("metafor")), sprintf("%.17g", found)), args[2])
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One number of ours beside that of another program.

    Attributes
    ----------
    quantity : {'estimate', 'se', 'ci-low', 'ci-high', 'tau2'}
        What it is, on the pooled scale.
    ours, theirs : float
        The two numbers.
    difference : float
        Their distance: in standard errors for the estimate and its bounds, relative to the larger for the
        others.
    verdict : {'agrees', 'differs'}
        Whether the difference is within the tolerance of the comparison.
    """

    quantity: str
    ours: float
    theirs: float
    difference: float
    verdict: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One pool by another program beside ours.

    Attributes
    ----------
    program : {'statsmodels', 'metafor'}
        Which program.
    version : str
        Its version; empty where it did not run.
    call : str
        What was asked of it.
    tau2, interval : str
        The settings of ours that this is to agree with.
    tolerance : float
        Largest difference that counts as agreement.
    agreements : tuple of Agreement
        One for each quantity; empty where nothing was compared.
    reason : str
        Why nothing was compared; empty otherwise.
    """

    program: str
    version: str = ""
    call: str
    tau2: str
    interval: str
    tolerance: float
    agreements: tuple[Agreement, ...] = ()
    reason: str = ""

    @property
    def verdict(self) -> str:
        """``agrees``, ``differs`` or ``cannot-be-checked``."""
        if not self.agreements:
            return "cannot-be-checked"
        return "agrees" if all(one.verdict == "agrees" for one in self.agreements) else "differs"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class CrossCheck(core.Result):
    """What other programs make of the effects and variances of a run.

    Attributes
    ----------
    comparisons : tuple of Comparison
        One for each pool that was asked for.
    """

    columns: ClassVar[tuple[str, ...]] = (
        "program",
        "tau2",
        "interval",
        "quantity",
        "ours",
        "theirs",
        "difference",
        "verdict",
    )
    comparisons: tuple[Comparison, ...]

    @property
    def differs(self) -> bool:
        """True where a comparison found a difference."""
        return any(one.verdict == "differs" for one in self.comparisons)

    def to_rows(self) -> list[tuple[Any, ...]]:
        """Return one row for each number compared, and one with its reason where nothing could be."""
        nan, rows = math.nan, []
        for one in self.comparisons:
            head = (one.program, one.tau2, one.interval)
            rows += [(*head, a.quantity, a.ours, a.theirs, a.difference, a.verdict) for a in one.agreements]
            if not one.agreements:
                rows.append((*head, one.reason, nan, nan, nan, one.verdict))
        return rows

    def __str__(self) -> str:
        lines = []
        for one in self.comparisons:
            name = f"{one.program} {one.version}" if one.version else one.program
            what = f"{name}, tau2 {one.tau2}, interval {one.interval}"
            if one.agreements:
                worst = max(one.agreements, key=lambda a: a.difference)
                lines.append(f"{what}: {one.verdict} (largest difference {worst.difference:.1g}, {worst.quantity})")
            else:
                lines.append(f"{what}: not compared, {one.reason}")
        return "\n".join(lines)


def cross_check(analysis: AnalysisRun, *, timeout: float = 60.0) -> CrossCheck:
    """Return the pool of a run beside those of other programs.

    Parameters
    ----------
    analysis : AnalysisRun
        A run; its effects and variances are pooled again, with the interval and level of its own pool.
    timeout : float
        Seconds that R may take.

    Returns
    -------
    CrossCheck
        metafor with the settings of the run. statsmodels has no estimator of the between-study variance but
        those of DerSimonian and Laird and of Paule and Mandel, so that these two are compared, each with our
        own pool by the same estimator; for a common effect, the common effect. A program that is not there or
        has no counterpart is listed with the reason.

    Raises
    ------
    core.InputError
        If the timeout is not a number above 0.

    Notes
    -----
    Agreement is to 1e-6: of the standard error for the estimate and its bounds, relative for standard error
    and tau2. For statsmodels' Paule-Mandel it is 1e-4, since its iteration stops early. A tau2 below 1e-9 of
    the median variance counts as 0.
    """
    timeout = check_number("timeout", timeout, above=0.0)
    fit = analysis.fit
    if isinstance(fit, core.NotApplicable):
        none = f"the run has no pool: {fit.reason}"
        programs = ("statsmodels", "metafor")
        return CrossCheck(
            comparisons=tuple(
                Comparison(program=p, call="", tau2="–", interval="–", tolerance=CLOSE, reason=none) for p in programs
            )
        )
    common = fit.settings.tau2 == "common"
    theirs = [_by_statsmodels(fit, method) for method in (("common",) if common else STATSMODELS_METHODS)]
    return CrossCheck(comparisons=(*theirs, _by_metafor(fit, timeout)))


def _compared(
    plain: Comparison, ours: core.PooledResult, theirs: tuple[float, ...], program_version: str
) -> Comparison:
    """Return the comparison with its numbers."""
    if ours.ci.missing:
        return dataclasses.replace(plain, reason=f"ours has no interval: {ours.ci.why}")
    own = (ours.estimate, ours.se, ours.ci.low, ours.ci.high, ours.tau2)
    least = ZERO * float(np.median(ours.v))
    found = []
    for quantity, a, b in zip(QUANTITIES, own, theirs, strict=True):
        if quantity == "tau2" and max(abs(a), abs(b)) < least:
            difference = 0.0
        else:
            unit = max(abs(a), abs(b)) if quantity in {"se", "tau2"} else ours.se
            difference = abs(a - b) / unit
        verdict = "agrees" if difference <= plain.tolerance else "differs"
        found.append(Agreement(quantity=quantity, ours=a, theirs=b, difference=difference, verdict=verdict))
    return dataclasses.replace(plain, version=program_version, agreements=tuple(found))


def _by_statsmodels(fit: core.PooledResult, method: str) -> Comparison:
    from statsmodels.stats.meta_analysis import combine_effects

    asked = fit.settings
    own = "dl" if method == "common" else method
    plain = Comparison(
        program="statsmodels",
        call=f"combine_effects(y, v, method_re={own!r})",
        tau2=method,
        interval=asked.interval,
        tolerance=CLOSE_PAULE_MANDEL if method == "pm" else CLOSE,
    )
    if fit.k == 1:
        return dataclasses.replace(plain, reason="statsmodels has no pool of one study")
    with np.errstate(all="ignore"):
        found = combine_effects(fit.y, fit.v, method_re=own)
        theirs = _statsmodels_numbers(found, asked, common=method == "common")
    if method == "dl" and found.tau2 < 0.0:
        reason = f"statsmodels does not raise a tau2 below 0 to 0 (here it is {found.tau2:.3g})"
        return dataclasses.replace(plain, reason=reason)
    ours = core.pool(fit.y, fit.v, tau2=method, interval=asked.interval, prediction="none", level=asked.level)
    return _compared(plain, ours, theirs, version("statsmodels"))


def _statsmodels_numbers(found: Any, asked: core.PoolSettings, *, common: bool) -> tuple[float, ...]:
    """Return estimate, standard error, bounds and tau2 as statsmodels has them."""
    model = "fe" if common else "re"
    plain, widened = (float(getattr(found, f"sd_eff_w_{model}{end}")) for end in ("", "_hksj"))
    bounds = found.conf_int(alpha=1.0 - asked.level, use_t=asked.interval != "wald")
    hksj = asked.interval == "hksj" or (asked.interval == "hksj-adhoc" and widened > plain)
    low, high = bounds[2 * hksj + (not common)]
    return (
        float(getattr(found, f"mean_effect_{model}")),
        widened if hksj else plain,
        float(low),
        float(high),
        0.0 if common else float(found.tau2),
    )


def _by_metafor(fit: core.PooledResult, timeout: float) -> Comparison:
    asked = fit.settings
    method, test = METAFOR_METHODS.get(asked.tau2, ""), METAFOR_TESTS[asked.interval]
    plain = Comparison(
        program="metafor",
        call=f"rma.uni(y, v, method = {method!r}, test = {test!r}, level = {100.0 * asked.level:g})",
        tau2=asked.tau2,
        interval=asked.interval,
        tolerance=CLOSE,
    )
    program = shutil.which("Rscript")
    if not method:
        return dataclasses.replace(plain, call="", reason=f"tau2 {asked.tau2!r} is not asked of metafor here")
    if fit.k == 1:
        return dataclasses.replace(plain, reason="one study is not a pool")
    if program is None:
        return dataclasses.replace(plain, reason="there is no Rscript on the path")
    answer = _ask_r(program, fit, [method, test, repr(100.0 * asked.level)], timeout)
    if isinstance(answer, core.NotApplicable):
        return dataclasses.replace(plain, reason=answer.reason)
    return _compared(plain, fit, tuple(float(number) for number in answer[1:]), answer[0])


def _ask_r(program: str, fit: core.PooledResult, settings: list[str], timeout: float) -> list[str] | core.NotApplicable:
    """Return the lines that the script writes: metafor's version, then the numbers."""
    with tempfile.TemporaryDirectory() as folder:
        script, data, answer = (Path(folder) / name for name in ("fit.R", "data.csv", "answer.txt"))
        script.write_text(METAFOR_SCRIPT, encoding="utf-8")
        with data.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.writer(lines)
            writer.writerow(("y", "v"))
            writer.writerows(zip(map(repr, fit.y.tolist()), map(repr, fit.v.tolist()), strict=True))
        command = [program, "--vanilla", str(script), str(data), str(answer), *settings]
        try:
            # no shell: the arguments are two file names, two keys and a number
            done = subprocess.run(command, capture_output=True, timeout=timeout, check=False, text=True)  # noqa: S603
        except subprocess.TimeoutExpired:
            return core.NotApplicable(reason=f"R did not answer within {timeout:g} seconds")
        except OSError as error:
            return core.NotApplicable(reason=f"Rscript could not be started: {error}")
        if done.returncode == NO_METAFOR:
            return core.NotApplicable(reason="R is there, its library metafor is not")
        found = answer.read_text(encoding="utf-8").split() if answer.is_file() else []
    if done.returncode != 0 or len(found) != 1 + len(QUANTITIES):
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        return core.NotApplicable(reason=f"metafor stopped: {last.strip()}")
    return found
