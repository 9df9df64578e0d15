"""Formulas of the methods pages as MathML, which browsers set by themselves: the part of TeX that the pages use."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from markupsafe import Markup

__all__ = ["UnknownFormulaError", "mathml"]


class UnknownFormulaError(ValueError):
    """A formula uses what is not in the small part of TeX that is known here."""


_GREEK: Final = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ",
    "nu": "ν", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "Phi": "Φ", "Gamma": "Γ",
    "Delta": "Δ", "Sigma": "Σ", "ell": "ℓ",
}  # fmt: skip
_FUNCTIONS: Final = frozenset(("log", "max", "min", "exp", "sin", "cos", "arcsin", "sinh", "ln"))
_OPERATORS: Final = {
    "sim": "∼", "rvert": "|", "lvert": "|", "propto": "∝", "pm": "±", "mid": "∣", "cdot": "·", "to": "→", "ge": "≥",
    "le": "≤", "ne": "≠", "approx": "≈", "times": "×", "in": "∈", "infty": "∞", "{": "{", "}": "}", "ldots": "…",
}  # fmt: skip
_LARGE: Final = {"sum": "∑", "prod": "∏", "int": "∫"}
_ACCENTS: Final = {"hat": "^", "bar": "¯", "tilde": "~"}
_SPACES: Final = {"qquad": "2em", "quad": "1em", ",": "0.17em", ";": "0.28em", " ": "0.25em", "!": "0em"}
_TOKEN: Final = re.compile(r"\\(?:[A-Za-z]+|.)|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)


def mathml(tex: str, *, display: bool = False) -> Markup:
    """Write a formula as MathML.

    Parameters
    ----------
    tex : str
        The formula in TeX, without its dollar signs.
    display : bool
        Whether it stands on a line of its own.

    Returns
    -------
    Markup

    Raises
    ------
    UnknownFormulaError
        If a command is not known or a brace is not closed.
    """
    tokens = _Tokens(tex)
    row = _row(tokens, "")
    block = Markup(' display="block"') if display else Markup("")
    return Markup("<math{}>{}</math>").format(block, row)


class _Tokens:
    """The tokens of a formula, one after the other; spaces mean nothing."""

    def __init__(self, tex: str) -> None:
        self._tokens: Iterator[str] = (match for match in _TOKEN.findall(tex) if match.strip() or match == "\\ ")
        self.next = next(self._tokens, "")

    def take(self) -> str:
        taken, self.next = self.next, next(self._tokens, "")
        return taken

    def one(self) -> Markup:
        """Read what a command without braces takes: an atom, of a number its first digit."""
        if self.next[:1].isdigit():
            digit, self.next = self.next[0], self.next[1:] or next(self._tokens, "")
            return _tag("mn", digit)
        return _atom(self)

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise UnknownFormulaError(f"a {token} is missing")


def _row(tokens: _Tokens, end: str) -> Markup:
    parts = []
    while tokens.next and tokens.next != end:
        parts.append(_scripted(tokens))
    if end:
        tokens.expect(end)
    return Markup("").join(parts)


def _scripted(tokens: _Tokens) -> Markup:
    """Read an atom with what stands below and above its line."""
    base = _atom(tokens)
    below = above = None
    while tokens.next in ("_", "^", "'"):
        sign = tokens.take()
        if sign == "_":
            below = tokens.one()
        else:
            above = _tag("mo", "′") if sign == "'" else tokens.one()
    if below is not None and above is not None:
        return Markup("<msubsup>{}{}{}</msubsup>").format(base, below, above)
    if below is not None:
        return Markup("<msub>{}{}</msub>").format(base, below)
    return base if above is None else Markup("<msup>{}{}</msup>").format(base, above)


def _atom(tokens: _Tokens) -> Markup:
    sign = tokens.take()
    if sign == "{":
        return _tag("mrow", _row(tokens, "}"))
    if sign.startswith("\\"):
        return _command(sign[1:], tokens)
    if sign in ("", "}"):
        raise UnknownFormulaError("something is missing")
    if sign in "()[]|":
        # By themselves they would stretch to whatever stands beside them; \left and \right ask for that.
        return Markup('<mo stretchy="false">{}</mo>').format(sign)
    kind = "mn" if sign[0].isdigit() else "mi" if sign.isalpha() else "mo"
    return _tag(kind, {"-": "−", "*": "∗"}.get(sign, sign))


def _command(name: str, tokens: _Tokens) -> Markup:
    if name in _BUILDERS:
        return _BUILDERS[name](tokens)
    if name in _ACCENTS:
        return Markup('<mover accent="true">{}<mo>{}</mo></mover>').format(_atom(tokens), _ACCENTS[name])
    if name in _SPACES:
        return Markup('<mspace width="{}"/>').format(_SPACES[name])
    if name in _FUNCTIONS:
        return _tag("mi", name)
    for known, tag in ((_GREEK, "mi"), (_OPERATORS, "mo"), (_LARGE, "mo")):
        if name in known:
            return _tag(tag, known[name])
    raise UnknownFormulaError(f"the command \\{name} is not known here")


def _fraction(tokens: _Tokens) -> Markup:
    return Markup("<mfrac>{}{}</mfrac>").format(tokens.one(), tokens.one())


def _upright(tokens: _Tokens) -> Markup:
    return Markup('<mi mathvariant="normal">{}</mi>').format(_words(tokens))


def _fenced(tokens: _Tokens) -> Markup:
    opening, parts = _fence(tokens), []
    while tokens.next not in ("\\right", ""):
        parts.append(_scripted(tokens))
    tokens.expect("\\right")
    return Markup("<mrow>{}{}{}</mrow>").format(opening, Markup("").join(parts), _fence(tokens))


def _fence(tokens: _Tokens) -> Markup:
    sign = tokens.take().removeprefix("\\")
    shown = "" if sign == "." else _OPERATORS.get(sign, sign)
    return Markup('<mo stretchy="true">{}</mo>').format(shown)


_BUILDERS: Final[dict[str, Callable[[_Tokens], Markup]]] = {
    "frac": _fraction,
    "tfrac": _fraction,
    "sqrt": lambda tokens: _tag("msqrt", _atom(tokens)),
    "operatorname": _upright,
    "mathrm": _upright,
    "text": _upright,
    "left": _fenced,
}


def _words(tokens: _Tokens) -> str:
    tokens.expect("{")
    letters = []
    while tokens.next not in ("}", ""):
        letters.append(tokens.take().removeprefix("\\"))
    tokens.expect("}")
    return "".join(letters)


def _tag(name: str, inner: str) -> Markup:
    return Markup("<{0}>{1}</{0}>").format(name, inner)
