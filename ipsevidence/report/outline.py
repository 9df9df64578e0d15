"""The sections of a report, once, as data; every rendering is made from them."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

from ipsevidence.analysis import answer_words
from ipsevidence.core import NotApplicable
from ipsevidence.dataset.vocabulary import BASIS
from ipsevidence.report import citing, evidence_tables, sentences, study_tables, tables
from ipsevidence.report.certainty_tables import certainty
from ipsevidence.report.methods_prose import methods
from ipsevidence.report.prisma import prisma_map
from ipsevidence.report.table import Table
from ipsevidence.report.tables import persons

if TYPE_CHECKING:
    from ipsevidence.analysis.choices import Choices
    from ipsevidence.analysis.covering import Coverage
    from ipsevidence.analysis.reproduction import Reproduction
    from ipsevidence.analysis.running import AnalysisRun
    from ipsevidence.dataset.collection import Dataset

__all__ = [
    "PICTURES",
    "TITLES",
    "Block",
    "Bullets",
    "Files",
    "Grid",
    "Material",
    "Outline",
    "Paragraph",
    "Picture",
    "Section",
    "Terms",
    "outline",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph, and how it is set: the verdict large, a caveat in the box at the head, a note soft."""

    text: str
    role: Literal["plain", "verdict", "caveat", "note"] = "plain"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; with `numbered`, its items are cited by their numbers."""

    items: tuple[str, ...]
    numbered: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Terms, each with what it is here."""

    pairs: tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table with the name of its file; with `total`, its last row is a sum."""

    key: str
    table: Table
    total: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure: the stem of its files, title, what it shows in words, and its bytes as SVG and PNG."""

    key: str
    title: str
    words: str
    svg: str
    png: bytes


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Files beside the report, each with what it holds."""

    pairs: tuple[tuple[str, str], ...]


Block: TypeAlias = Paragraph | Bullets | Terms | Grid | Picture | Files


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section: its key, heading and blocks."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A whole report: title, subtitle, what stands at its head, sections, and the versions at its foot."""

    title: str
    subtitle: str
    head: tuple[Block, ...]
    sections: tuple[Section, ...]
    stamp: str

    @property
    def grids(self) -> tuple[Grid, ...]:
        """All tables, in the order of the report."""
        return tuple(one for section in self.sections for one in section.blocks if isinstance(one, Grid))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a report is made from.

    Attributes
    ----------
    reproduction : Reproduction
        The run, its verdicts, and what surrounds it.
    dataset : Dataset or None
        The records; without them nothing of theirs is in the report.
    pictures : mapping of str to Picture
        The figures that were drawn, by key.
    choices : Choices or None
        The analysis by equivalent methods; None where it was not run by others.
    files : tuple of (str, str)
        Files beside the report that are not of one table or figure.
    """

    reproduction: "Reproduction"
    dataset: "Dataset | None" = None
    pictures: Mapping[str, Picture] = dataclasses.field(default_factory=dict)
    choices: "Choices | None" = None
    files: tuple[tuple[str, str], ...] = ()

    @property
    def run(self) -> "AnalysisRun":
        """The run."""
        return self.reproduction.run

    def side(self, name: str) -> Any:
        """Return a side of the examination, or None where it does not apply."""
        found = getattr(self.reproduction.examined, name, None)
        return None if isinstance(found, NotApplicable) else found


PICTURES: Final = {
    "forest": "forest",
    "coverage": "selection",
    "icons": "summary",
    "rob": "bias",
    "funnel": "small-studies",
}
"""Figures of a whole report, and the section of each."""


def outline(material: Material) -> Outline:
    """Return the report of an analysis, section by section.

    Parameters
    ----------
    material : Material
        The run, its records, the figures that were drawn, the files beside it.

    Returns
    -------
    Outline
        Sections without anything to say are left out.
    """
    made = [Section(key=key, title=title, blocks=_full(make(material))) for key, (title, make) in _SECTIONS.items()]
    sections = [section for section in made if section.blocks]
    titles = {"title": "head of the report"} | {one.key: one.title for one in sections}
    titles |= {"prisma": TITLES["prisma"]}
    empty = {one.key for one in sections if one.key in {"bias", "small-studies"} and not _has_table(one)}
    spec = material.run.spec
    if "summary" in titles:
        titles["certainty"] = titles["summary"]
        empty |= {"certainty"} if spec.certainty is None else set()
    kind = "table" if material.run.data is None else spec.purpose
    table = Grid(key="prisma", table=prisma_map(titles, empty, kind))
    return Outline(
        title=spec.title,
        subtitle=f"A re-run of: {spec.report.reference}" if spec.report.reference else "",
        head=_head(material),
        sections=(*sections, Section(key="prisma", title=TITLES["prisma"], blocks=(table,))),
        stamp=sentences.stamp(material.run),
    )


def _full(blocks: "list[Block | None]") -> tuple[Block, ...]:
    """Leave out what is not there, and tables without a row that have no note either."""
    kept = (one for one in blocks if one is not None)
    return tuple(one for one in kept if not isinstance(one, Grid) or one.table.rows)


def _has_table(section: Section) -> bool:
    return any(isinstance(block, Grid) for block in section.blocks)


def _head(material: Material) -> tuple[Block, ...]:
    analysis, question = material.run, material.run.spec.question
    texts = [
        sentences.few_line(analysis),
        sentences.beside_line(analysis),
        sentences.plain_words(analysis, material.reproduction.examined),
    ]
    reading = sentences.reading_line(analysis)
    terms = Terms(
        pairs=(
            ("Population", question.population),
            ("Intervention", question.intervention),
            ("Comparator", question.comparator),
            ("Outcome", question.outcome),
        )
    )
    return (
        Paragraph(text=sentences.verdict_line(analysis), role="verdict"),
        *(Paragraph(text=text) for text in texts if text),
        *((Paragraph(text=reading, role="note"),) if reading else ()),
        *(Paragraph(text=note, role="caveat") for note in analysis.notes),
        terms,
    )


Blocks: TypeAlias = "list[Block | None]"


def _summary(material: Material) -> Blocks:
    analysis, examined = material.run, material.reproduction.examined
    if examined is None:
        return []
    absolutes = material.side("absolutes")
    blocks: Blocks = [Grid(key="summary", table=evidence_tables.summary(analysis, examined.absolutes))]
    bears: tuple[tuple[str, str], ...] = ()
    if material.dataset is not None and analysis.measure.needs == "two-by-two":
        bears = answer_words.certainty(analysis, material.dataset, examined.coverage)
    if bears or analysis.spec.certainty is not None:
        blocks.append(Grid(key="certainty", table=certainty(bears, analysis.spec.certainty)))
    blocks.append(Grid(key="absolutes", table=evidence_tables.absolutes(absolutes)) if absolutes else None)
    return [*blocks, material.pictures.get("icons")]


def _forest(material: Material) -> Blocks:
    return [material.pictures.get("forest")]


def _selection(material: Material) -> Blocks:
    analysis, coverage = material.run, material.side("coverage")
    blocks: Blocks = []
    if coverage:
        blocks += [Paragraph(text=_covered(coverage)), material.pictures.get("coverage")]
    blocks.append(Grid(key="studies-in", table=tables.decisions(analysis, included=True)))
    if any(not one.included for one in analysis.decisions):
        out = tables.left_out(analysis)
        blocks.append(Grid(key="studies-out", table=out))
        if not out.rows:
            blocks += [Paragraph(text=note, role="note") for note in out.notes]
    if coverage and coverage.absent:
        blocks.append(Grid(key="absent", table=evidence_tables.absent(coverage)))
        if coverage.bounds:
            blocks.append(Grid(key="bounds", table=evidence_tables.bounds(analysis, coverage)))
        else:
            why = f"The pool with the absent trials is not given: {coverage.why_no_bounds}."
            blocks.append(Paragraph(text=why, role="note"))
    return blocks


def _covered(coverage: "Coverage") -> str:
    """Say what is in the pool, and how many of its people are in the counts."""
    where = "In the pool" if coverage.k > 1 else "With a usable number"
    text = f"{where}: {coverage.sentence}."
    if coverage.analysed < coverage.headline:
        text += f" Of these {coverage.headline:,.0f} people {coverage.analysed:,.0f} are in the numbers that were used."
    return text


def _characteristics(material: Material) -> Blocks:
    analysis, dataset = material.run, material.dataset
    blocks: Blocks = []
    if dataset is not None:
        blocks.append(Grid(key="characteristics", table=study_tables.characteristics(analysis, dataset)))
        blocks.append(Grid(key="conduct", table=study_tables.conduct(analysis, dataset)))
    if any("concept" in row.extra for row in analysis.rows):
        blocks.append(Grid(key="outcomes", table=tables.outcomes(analysis)))
    if analysis.rows:
        blocks.append(Grid(key="inputs", table=tables.inputs(analysis)))
        blocks.append(_participants(analysis))
    return blocks


def _participants(analysis: "AnalysisRun") -> Block:
    """Set the participants of each study beside those in its counts, or say that they are the same."""
    table = tables.participants(analysis)
    if any(one != two or why for _, one, two, why in table.rows):
        return Grid(key="participants", table=table, total=True)
    return Paragraph(text=f"All {persons(analysis.participants)} participants of these studies are in their numbers.")


def _bias(material: Material) -> Blocks:
    if material.dataset is None:
        return [Paragraph(text="Risk of bias: not assessed.")]
    found = study_tables.risk_of_bias(material.run, material.dataset)
    count = len(material.run.rows)
    if not found.rows:
        why = "Two named people judge it, and nobody has judged these results."
        return [Paragraph(text=f"Risk of bias: not assessed. {why}")]
    return [
        Paragraph(text=f"Risk of bias: assessed by two people for {len(found.rows)} of {count} results."),
        Grid(key="risk-of-bias", table=found),
        material.pictures.get("rob"),
    ]


def _heterogeneity(material: Material) -> Blocks:
    analysis = material.run
    if isinstance(analysis.fit, NotApplicable):
        blocks: Blocks = [Paragraph(text=f"Not to be judged: {analysis.fit.reason}.")]
    else:
        blocks = [Grid(key="heterogeneity", table=tables.heterogeneity(analysis))]
    if analysis.groups:
        blocks.append(Grid(key="groups", table=tables.groups(analysis)))
    if analysis.contrasts:
        blocks.append(Grid(key="contrasts", table=evidence_tables.contrasts(analysis)))
    if analysis.moderators:
        blocks.append(Grid(key="moderators", table=evidence_tables.moderators(analysis)))
    return blocks


def _sensitivity(material: Material) -> Blocks:
    analysis, missing = material.run, material.side("missing")
    blocks: Blocks = []
    if analysis.sensitivity and not any(one.k for one in analysis.sensitivity):
        blocks.append(Paragraph(text="No sensitivity analysis has a number that can enter."))
    elif analysis.sensitivity:
        blocks.append(Grid(key="sensitivity", table=tables.sensitivity(analysis)))
    if missing:
        blocks.append(Grid(key="missing", table=evidence_tables.missing(missing)))
    if material.choices is not None:
        blocks.append(Grid(key="choices", table=evidence_tables.choices(material.choices)))
    return blocks or [Paragraph(text="No sensitivity analysis is part of this analysis.")]


def _readings(material: Material) -> Blocks:
    found = material.side("readings")
    if found:
        return [Grid(key="readings", table=evidence_tables.readings(material.run, found))]
    why = getattr(getattr(material.reproduction.examined, "readings", None), "reason", "")
    return [Paragraph(text=f"No range over readings: {why}.")] if why else []


def _small(material: Material) -> Blocks:
    found = evidence_tables.small_studies(material.run)
    if isinstance(found, NotApplicable):
        return [Paragraph(text=f"Not assessed: {found.reason}.")]
    return [Grid(key="small-studies", table=found), material.pictures.get("funnel")]


def _published(material: Material) -> Blocks:
    if not material.reproduction.verdicts:
        return []
    return [Grid(key="verdicts", table=tables.verdicts(material.reproduction))]


def _methods(material: Material) -> Blocks:
    parts = methods(material.reproduction)
    references = tuple(dict.fromkeys(one.reference for part in parts for one in part if one.reference))
    blocks: Blocks = [
        Paragraph(
            text=" ".join(_cited(one.text, references.index(one.reference) + 1 if one.reference else 0) for one in part)
        )
        for part in parts
    ]
    return [*blocks, Bullets(items=references, numbered=True) if references else None]


def _cited(text: str, number: int) -> str:
    whole = text.replace("k - ", "k\u00a0\u2212\u00a0")
    return f"{whole.removesuffix('.')} [{number}]." if number else whole


def _notes(material: Material) -> Blocks:
    analysis = material.run
    items = []
    for basis, term in BASIS.items():
        names = [row.label for row in analysis.rows if row.basis == basis]
        if names:
            meaning = term.definition.replace("`", "")
            items.append(f"{term.label.capitalize()} ({len(names)}): {', '.join(names)}. {meaning}")
    blocks: Blocks = [Bullets(items=tuple(items)) if items else None]
    if material.dataset is not None:
        blocks.append(Grid(key="data-notes", table=study_tables.data_notes(analysis, material.dataset)))
    if analysis.data is not None:
        blocks.append(Paragraph(text="A curated collection, not a systematic search.", role="note"))
    if material.dataset is not None and analysis.spec.purpose == "living":
        blocks += [Paragraph(text=str(one), role="note") for one in material.dataset.not_entered]
    return blocks


def _wanted(material: Material) -> Blocks:
    examined = material.reproduction.examined
    if examined is None or not material.side("unlocks"):
        return []
    return [Grid(key="wanted", table=evidence_tables.unlocks(material.run, examined))]


def _cite(material: Material) -> Blocks:
    found = citing.works(material.run, material.dataset)
    own = [work for work in found if work.kind in {"dataset", "analysis"}]
    trials = [work for work in found if work.kind not in {"dataset", "analysis"}]
    blocks: Blocks = [Bullets(items=tuple(work.citation for work in own))]
    if trials:
        blocks.append(Paragraph(text="Cite the trials as well:"))
        blocks.append(Bullets(items=tuple(dict.fromkeys(map(_with_doi, trials)))))
    return blocks


def _with_doi(work: citing.Work) -> str:
    doi = f" doi:{work.doi}" if work.doi and work.doi.lower() not in work.citation.lower() else ""
    return f"{work.citation.removesuffix('.')}.{doi}"


def _files(material: Material) -> Blocks:
    return [
        Paragraph(text=f"{sentences.stamp(material.run)}.", role="note"),
        Files(pairs=material.files) if material.files else None,
    ]


_SECTIONS: Final[dict[str, tuple[str, Callable[[Material], Blocks]]]] = {
    "summary": ("Summary of findings", _summary),
    "forest": ("Forest plot", _forest),
    "selection": ("Which studies, and why", _selection),
    "characteristics": ("Characteristics and counts of the studies", _characteristics),
    "bias": ("Risk of bias", _bias),
    "heterogeneity": ("Heterogeneity and subgroups", _heterogeneity),
    "sensitivity": ("Sensitivity analyses", _sensitivity),
    "readings": ("Range over readings", _readings),
    "small-studies": ("Small-study effects", _small),
    "published": ("Published against computed", _published),
    "methods": ("Methods", _methods),
    "notes": ("Notes on the data", _notes),
    "wanted": ("What would change this", _wanted),
    "cite": ("How to cite", _cite),
    "files": ("Versions and files", _files),
}
TITLES: Final = {key: title for key, (title, _) in _SECTIONS.items()} | {"prisma": "PRISMA 2020 items"}
"""Titles of the sections by key, in their order."""
