"""How to cite an analysis, its dataset and its trials: sentences, BibTeX, RIS and CSL-JSON."""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

from ipsevidence import __version__

if TYPE_CHECKING:
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = ["FORMATS", "Work", "bibtex", "csl_json", "ris", "works"]

AUTHORS: Final = "The ipsevidence contributors"
TITLE: Final = "ipsevidence: the open evidence base on Individual Placement and Support"

# A citation in the Vancouver short form that records use: authors, journal, year, and where on paper.
_NAME = r"[^\W\d_][\w'\u2019 -]* [A-Z\u00c0-\u00de-]{1,4}"
_ARTICLE = re.compile(
    rf"(?P<authors>{_NAME}(?:, {_NAME})*)(?P<others>,? et al)?\. (?:(?P<title>[^.]+)\. )?"
    r"(?P<journal>[^.,;:0-9]+) (?P<year>\d{4})"
    r"(?:;(?P<volume>\d+)(?:\((?P<issue>[\w-]+)\))?(?::(?P<pages>\w+(?:-\w+)?))?)?\.?"
)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A work to cite.

    Attributes
    ----------
    key : str
        What a reference manager calls it.
    kind : {'dataset', 'analysis', 'article', 'other'}
        An article is one whose citation could be taken apart; any other trial report is kept as it is recorded.
    citation : str
        As recorded, in one line.
    authors : tuple of str
        ``Family Initials``, or names of groups.
    others : bool
        Whether the citation names only the first of them.
    title, journal, year, volume, issue, pages, version, doi, pmid, url : str
        Empty where not known: few records hold the titles of papers.
    """

    key: str
    kind: str
    citation: str
    authors: tuple[str, ...] = ()
    others: bool = False
    title: str = ""
    journal: str = ""
    year: str = ""
    volume: str = ""
    issue: str = ""
    pages: str = ""
    version: str = ""
    doi: str = ""
    pmid: str = ""
    url: str = ""


def works(analysis: "AnalysisRun", dataset: "Dataset | None") -> tuple[Work, ...]:
    """Return what to cite: the dataset, the analysis, then every report of every trial in the pool.

    Parameters
    ----------
    analysis : AnalysisRun
        The analysis.
    dataset : Dataset or None
        Its records; None for a table of one's own.

    Returns
    -------
    tuple of Work
    """
    found = []
    if analysis.data is not None:
        version = analysis.data.version
        text = f"{AUTHORS}. {TITLE}. Dataset, version {version}."
        found.append(
            Work(key="ipsevidence", kind="dataset", citation=text, authors=(AUTHORS,), title=TITLE, version=version)
        )
    title = _line(analysis.spec.title)
    text = f"{AUTHORS}. {title}. Analysis {analysis.spec.id}, ipsevidence {__version__}."
    key = f"ipsevidence-{analysis.spec.id}"
    found.append(Work(key=key, kind="analysis", citation=text, authors=(AUTHORS,), title=title, version=__version__))
    if dataset is None:
        cited = dict.fromkeys(str(row.extra.get("citation", "")) for row in analysis.rows)
        return (*found, *(_work(f"trial-{i}", text) for i, text in enumerate(filter(None, cited), start=1)))
    for row in analysis.rows:
        if row.id in dataset:
            for report in dataset[row.id].reports:
                ids = {"doi": report.doi or "", "pmid": report.pmid or "", "url": report.url or ""}
                found.append(_work(f"{row.id}-{report.id}", report.citation, year=report.year, **ids))
    return tuple(found)


def _work(key: str, citation: str, *, year: int | None = None, **ids: Any) -> Work:
    text = _line(citation)
    match = _ARTICLE.fullmatch(text.removesuffix("."))
    if match is None:
        return Work(key=key, kind="other", citation=text, year=str(year or ""), **ids)
    parts: dict[str, Any] = {
        name: value or "" for name, value in match.groupdict().items() if name not in {"authors", "others"}
    }
    parts |= {"authors": tuple(match["authors"].split(", ")), "others": match["others"] is not None}
    return Work(key=key, kind="article", citation=text, **parts, **ids)


def _note(work: Work) -> str:
    """Return the citation as recorded, where the fields do not hold all of it."""
    return work.citation if work.kind == "other" or work.others else ""


def _line(text: str) -> str:
    return " ".join(text.split())


_TEX: Final = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def _tex(text: str) -> str:
    return "".join(_TEX.get(sign, sign) for sign in text)


def bibtex(found: Iterable[Work]) -> str:
    """Write BibTeX; a trial report that could not be taken apart stands in ``note`` as recorded."""
    return "\n".join(_bibtex_entry(work) for work in found)


def _bibtex_entry(work: Work) -> str:
    names = [_bibtex_name(name, group=work.kind in {"dataset", "analysis"}) for name in work.authors]
    authors = " and ".join([*names, *(["others"] if work.others else [])])
    fields = {
        "author": authors,
        "title": f"{{{_tex(work.title)}}}" if work.title else "",
        "journal": _tex(work.journal),
        "year": work.year,
        "volume": work.volume,
        "number": work.issue,
        "pages": work.pages.replace("-", "--"),
        "version": _tex(work.version),
        "doi": work.doi.replace("{", "").replace("}", ""),
        "pmid": work.pmid,
        "url": work.url.replace("{", "").replace("}", ""),
        "note": _tex(_note(work)),
    }
    kind = "article" if work.kind == "article" else "misc"
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@{kind}{{{work.key},\n" + ",\n".join(lines) + "\n}\n"


def _bibtex_name(name: str, *, group: bool) -> str:
    family, given = _split(name)
    return f"{{{_tex(name)}}}" if group or not given else f"{_tex(family)}, {' '.join(f'{g}.' for g in given)}"


def _split(name: str) -> tuple[str, str]:
    family, _, given = name.rpartition(" ")
    return (family, given) if family else (name, "")


def ris(found: Iterable[Work]) -> str:
    """Write RIS, one record a work."""
    return "".join(_ris_record(work) for work in found)


def _ris_record(work: Work) -> str:
    kinds = {"dataset": "DATA", "analysis": "COMP", "article": "JOUR", "other": "GEN"}
    start, _, end = work.pages.partition("-")
    group = work.kind in {"dataset", "analysis"}
    names = (name if group else ", ".join(part for part in _split(name) if part) for name in work.authors)
    lines = [
        ("TY", kinds[work.kind]),
        ("ID", work.key),
        *(("AU", name) for name in names),
        ("TI", work.title),
        ("JO", work.journal),
        ("PY", work.year),
        ("VL", work.volume),
        ("IS", work.issue),
        ("SP", start),
        ("EP", end),
        ("ET", work.version),
        ("DO", work.doi),
        ("AN", f"PMID {work.pmid}" if work.pmid else ""),
        ("UR", work.url),
        ("N1", _note(work)),
    ]
    return "".join(f"{tag}  - {_line(value)}\r\n" for tag, value in lines if value) + "ER  - \r\n\r\n"


def csl_json(found: Iterable[Work]) -> str:
    """Write CSL-JSON, as reference managers and citation processors read it."""
    return json.dumps([_csl(work) for work in found], indent=2, ensure_ascii=False) + "\n"


def _csl(work: Work) -> dict[str, Any]:
    kinds = {"dataset": "dataset", "analysis": "software", "article": "article-journal", "other": "document"}
    group = work.kind in {"dataset", "analysis"}
    names = [{"literal": name} if group else _csl_name(name) for name in work.authors]
    fields = {
        "id": work.key,
        "type": kinds[work.kind],
        "author": names,
        "title": work.title,
        "container-title": work.journal,
        "issued": {"date-parts": [[int(work.year)]]} if work.year else "",
        "volume": work.volume,
        "issue": work.issue,
        "page": work.pages,
        "version": work.version,
        "DOI": work.doi,
        "PMID": work.pmid,
        "URL": work.url,
        "note": _note(work),
    }
    return {name: value for name, value in fields.items() if value}


def _csl_name(name: str) -> dict[str, str]:
    family, given = _split(name)
    return {"family": family, "given": given} if given else {"literal": family}


FORMATS: Final[dict[str, Callable[[Iterable[Work]], str]]] = {
    "references.bib": bibtex,
    "references.ris": ris,
    "references.json": csl_json,
}
"""The files of references, and what writes each."""
