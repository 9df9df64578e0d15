"""Figures as files: the same bytes for the same numbers, with words for those who do not see the picture.

PNG has 300 dots per inch, SVG real text, PDF and EPS embedded fonts. No file carries a date.
"""

import html
import io
import os
import re
import xml.sax.saxutils
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import ipsevidence
from ipsevidence.core import InputError
from ipsevidence.dataset.storage import write_atomically
from ipsevidence.figures.style import context, font_face

__all__ = ["DPI", "FORMATS", "Drawing", "save"]

DPI: Final = 300

FORMATS: Final = ("png", "svg", "pdf", "eps")


class Drawing(Figure):
    """A matplotlib figure that knows its title and its description, and is saved the same way every time.

    Parameters
    ----------
    width, height : float
        Size in points.
    title : str
        One line.
    alternative : str
        What the figure shows, in words and numbers.
    """

    def __init__(self, *, width: float, height: float, title: str, alternative: str) -> None:
        super().__init__(figsize=(width / 72, height / 72), dpi=DPI, facecolor="white")
        FigureCanvasAgg(self)
        self.title = title
        self.alternative = alternative

    def savefig(self, fname: Any, **kwargs: Any) -> None:
        """Save as matplotlib does, with the settings of the project, without dates, with the description.

        Parameters
        ----------
        fname : str, Path or file
            Where to.
        **kwargs
            What `matplotlib.figure.Figure.savefig` takes.
        """
        suffix = Path(fname).suffix[1:] if isinstance(fname, str | os.PathLike) else ""
        form = str(kwargs.pop("format", None) or suffix or "png").lower()
        kwargs["metadata"] = {**self._metadata(form), **(kwargs.get("metadata") or {})}
        if form == "png":  # read again at once and packed in fewer colours: packing it here as well is half of the time
            kwargs.setdefault("pil_kwargs", {"compress_level": 0})
        buffer = io.BytesIO()
        with context():
            super().savefig(buffer, format=form, **kwargs)
        data = _finished(buffer.getvalue(), form, self.alternative)
        if isinstance(fname, str | os.PathLike):
            path = Path(fname)
            path.with_name(path.name if suffix else f"{path.name}.{form}").write_bytes(data)
        else:
            fname.write(data)

    def _metadata(self, form: str) -> dict[str, Any]:
        """Return what the file says of itself, in the words of its format; None takes an entry away."""
        maker = f"ipsevidence {ipsevidence.__version__}"
        if form == "png":
            return {"Software": None, "Title": self.title, "Description": self.alternative, "Source": maker}
        if form == "svg":
            return {"Date": None, "Creator": maker, "Title": self.title}
        if form == "pdf":
            entries = {"Title": self.title, "Subject": self.alternative, "Creator": maker}
            return {**entries, "CreationDate": None, "ModDate": None}
        return {"Creator": maker} if form in {"eps", "ps"} else {}


def save(figure: Figure, path: str | os.PathLike[str], *, words: bool = False) -> Path:
    """Write a figure to a file; the suffix says in which format.

    The file appears whole or not at all (`ipsevidence.dataset.storage.write_atomically`). The description goes
    into the file itself (SVG: title and desc; PDF: Title and Subject; PNG: Title and Description).

    Parameters
    ----------
    figure : Figure
        What `ipsevidence.figure` returned.
    path : str or Path
        Ends in .png, .svg, .pdf or .eps; its folder is made where it is missing.
    words : bool
        Whether the description is also written to a text file of the same name, for a web page or a caption.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If the suffix names no format.
    OSError
        If the file cannot be written; it names the file.
    """
    target = Path(path)
    form = target.suffix[1:].lower()
    if form not in FORMATS:
        known = ", ".join(f".{name}" for name in FORMATS)
        raise InputError(f"path must end in one of {known}; got {target.name!r}", parameter="path")
    buffer = io.BytesIO()
    if isinstance(figure, Drawing):
        figure.savefig(buffer, format=form)
    else:
        with context():
            figure.savefig(buffer, format=form, dpi=DPI)
    _put(target, buffer.getvalue())
    if words:
        _put(target.with_suffix(".txt"), (getattr(figure, "alternative", "") + "\n").encode())
    return target


def _put(target: Path, data: bytes) -> None:
    """Write a file, and its folder where it is missing; an error names the file that was asked for."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, data)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(target)) from error


def _finished(data: bytes, form: str, alternative: str) -> bytes:
    """Add the description that matplotlib has no place for in an SVG; take the date out of an EPS."""
    if form == "png":
        return _fewer_colours(data)
    if form == "svg":
        desc = f"<desc>{xml.sax.saxutils.escape(alternative)}</desc>{_fonts(data)}".encode()
        data = data.replace(b"</title>", b"</title>\n " + desc, 1).replace(b"<svg ", b'<svg role="img" ', 1)
        data = re.sub(rb"<text [^>]*>", _lean, data)
    elif form in {"eps", "ps"}:
        data = re.sub(rb"%%CreationDate: [^\n]*\n", b"", data, count=1)
    return data


def _fewer_colours(data: bytes) -> bytes:
    """Return a PNG of at most 256 colours, a third of its size; words and resolution stay."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    with Image.open(io.BytesIO(data)) as image:
        told = PngInfo()
        for key, value in image.info.items():
            if isinstance(key, str) and isinstance(value, str):
                told.add_text(key, value)
        few = image.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        file = io.BytesIO()
        few.save(file, "PNG", pnginfo=told, dpi=image.info.get("dpi", (DPI, DPI)), optimize=True)
    return file.getvalue()


def _fonts(data: bytes) -> str:
    """Return the style of an SVG that carries the fonts of its text, for browsers without one of the same widths."""
    text = html.unescape("".join(re.findall(r">([^<]*)</(?:text|tspan)>", data.decode())))
    return f'<style type="text/css">{font_face(text)}{font_face(text, bold=True)}</style>'


def _lean(tag: re.Match[bytes]) -> bytes:
    """Take from a text element of an SVG what says nothing: no rotation, the usual anchor."""
    return re.sub(rb' transform="rotate\(-?0 [^"]*\)"', b"", tag.group()).replace(b" text-anchor: start;", b"")
