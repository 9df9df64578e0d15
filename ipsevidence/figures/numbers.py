"""How numbers are written in figures and reports. Rounding happens here, once, and nowhere before."""

import dataclasses
import math
from typing import Final

__all__ = [
    "EN_DASH",
    "MINUS",
    "NO_BREAK",
    "Numerals",
    "count",
    "effect",
    "interval",
    "p_value",
    "percent",
    "tau2",
]

EN_DASH: Final = "\u2013"
MINUS: Final = "\u2212"
NO_BREAK: Final = "\u00a0"

LARGEST: Final = 1e6
"""From here on an effect is only said to be larger."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Numerals:
    """Writes numbers: digits, decimal mark and brackets as data, so that a journal's habits are a preset.

    Attributes
    ----------
    decimal : str
        The decimal mark.
    brackets : tuple of str
        What stands before and after an interval in a column.
    effect_digits, tau2_digits, i2_digits, weight_digits, statistic_digits : int
        Decimals.
    between, between_differences : str
        What stands between the bounds of a ratio and of anything that may be negative.
    p_name : str
        What a p-value is called.
    p_digits : tuple of (float, int)
        From which p-value on how many decimals are written, from the largest down; below the last it is written
        as smaller. ``((0.01, 2), (0.001, 3))`` writes 0.04, 0.004 and <0.001.
    p_zero : bool
        Whether p-values have a zero before the decimal mark.
    percent_sign : bool
        Whether each weight has one.
    spaced : bool
        Whether there are spaces around the sign of an equation.
    ratio : bool
        Whether effects are ratios. These are above 0: a ratio that rounds to 0 is written as smaller than the
        smallest that does not. Differences may be negative.
    """

    decimal: str = "."
    brackets: tuple[str, str] = ("[", "]")
    effect_digits: int = 2
    tau2_digits: int = 3
    i2_digits: int = 0
    weight_digits: int = 1
    statistic_digits: int = 2
    between: str = EN_DASH
    between_differences: str = f"{NO_BREAK}to{NO_BREAK}"
    p_name: str = "p"
    p_digits: tuple[tuple[float, int], ...] = ((0.001, 3),)
    p_zero: bool = True
    percent_sign: bool = False
    spaced: bool = True
    ratio: bool = True

    def fixed(self, value: float, digits: int) -> str:
        """Write a number with a fixed count of decimals and a true minus; an en dash where there is none."""
        if math.isnan(value):
            return EN_DASH
        text = f"{abs(value):.{digits}f}"
        negative = value < 0 and any(digit in text for digit in "123456789")
        return (MINUS if negative else "") + text.replace(".", self.decimal)

    def effect(self, value: float) -> str:
        """Write an effect on the scale it is shown on; one beyond what digits can tell is marked < or >."""
        if abs(value) >= LARGEST:
            return (f"<{MINUS}" if value < 0 else ">") + f"{LARGEST - 1:.0f}"
        smallest = 10.0**-self.effect_digits
        if self.ratio and value < smallest / 2:
            return f"<{self.fixed(smallest, self.effect_digits)}"
        return self.fixed(value, 0 if abs(value) >= 1000 else self.effect_digits)

    def range(self, low: float, high: float) -> str:
        """Write the two bounds of an interval of effects, without brackets."""
        between = self.between if self.ratio else self.between_differences
        return f"{self.effect(low)}{between}{self.effect(high)}"

    def interval(self, low: float, high: float) -> str:
        """Write an interval of effects in brackets."""
        before, after = self.brackets
        return f"{before}{self.range(low, high)}{after}"

    def level(self, level: float) -> str:
        """Write a confidence level: ``95%``."""
        return f"{100 * level:g}%".replace(".", self.decimal)

    def tau2(self, value: float) -> str:
        """Write a variance; one that rounds to 0 and is not 0 is written as smaller than the smallest."""
        smallest = 10.0**-self.tau2_digits
        if 0 < value < smallest / 2:
            return f"<{self.fixed(smallest, self.tau2_digits)}"
        return self.fixed(value, self.tau2_digits)

    def tau2_range(self, low: float, high: float) -> str:
        """Write the bounds of a variance."""
        return f"{self.fixed(low, self.tau2_digits)}{self.between}{self.fixed(high, self.tau2_digits)}"

    def percent(self, value: float) -> str:
        """Write I2."""
        return f"{self.fixed(value, self.i2_digits)}%"

    def weight(self, value: float) -> str:
        """Write a weight in percent."""
        return self.fixed(value, self.weight_digits) + ("%" if self.percent_sign else "")

    def statistic(self, value: float) -> str:
        """Write a test statistic."""
        return self.fixed(value, self.statistic_digits)

    def p_value(self, p: float) -> str:
        """Write a p-value: ``0.012``, ``<0.001``; one below 0.05 is not rounded to 0.05 where digits can tell."""
        if math.isnan(p):
            return EN_DASH
        smallest, most = self.p_digits[-1]
        if p < smallest:
            return "<" + self._p(smallest, round(-math.log10(smallest)))
        digits = next(digits for least, digits in self.p_digits if p >= least)
        while digits < most and p < 0.05 <= round(p, digits):
            digits += 1
        largest = 1 - 10.0**-digits
        return ">" + self._p(largest, digits) if p > largest else self._p(p, digits)

    def _p(self, value: float, digits: int) -> str:
        text = self.fixed(value, digits)
        return text if self.p_zero else text.removeprefix("0")

    def p(self, p: float) -> str:
        """Write a p-value with its name: ``p < 0.001``."""
        return self.equation(self.p_name, self.p_value(p))

    def count(self, value: float) -> str:
        """Write a count: whole where it is whole, else with one decimal."""
        return self.fixed(value, 0 if math.isnan(value) or float(value).is_integer() else 1)

    def plain(self, value: float) -> str:
        """Write a value of an axis or of a further column in full, never with a power of ten."""
        if value == 0 or not math.isfinite(value):
            return "0" if value == 0 else EN_DASH
        decimals = min(max(0, 9 - math.floor(math.log10(abs(value)))), 18)
        text = self.fixed(value, decimals)
        return text.rstrip("0").rstrip(self.decimal) if self.decimal in text else text

    def equation(self, name: str, value: str) -> str:
        """Write ``I² = 72%``, ``p < 0.001``: a name and a written value that stay on one line."""
        relation = value[0] if value[:1] in {"<", ">"} else "="
        space = NO_BREAK if self.spaced else ""
        return f"{name}{space}{relation}{space}{value.lstrip('<>')}"


_PLAIN = Numerals(ratio=False)


def effect(value: float) -> str:
    """Write an effect in two digits."""
    return _PLAIN.effect(value)


def interval(low: float, high: float) -> str:
    """Write an interval without brackets: an en dash, or "to" where a bound is negative."""
    return dataclasses.replace(_PLAIN, ratio=not (low < 0 or high < 0)).range(low, high)


def p_value(p: float) -> str:
    """Write a p-value in three digits: ``0.012``, ``<0.001``."""
    return _PLAIN.p_value(p)


def tau2(value: float) -> str:
    """Write a between-study variance in three digits."""
    return _PLAIN.tau2(value)


def percent(value: float, digits: int = 0) -> str:
    """Write a percentage."""
    return f"{_PLAIN.fixed(value, digits)}%"


def count(value: float) -> str:
    """Write a count: whole where it is whole, else with one decimal."""
    return _PLAIN.count(value)
