"""What must hold for every record that ships."""

import re
from pathlib import Path

import pytest

from ipsevidence.dataset.collection import load, study_files
from ipsevidence.dataset.reader import parse
from ipsevidence.dataset.record import Study
from ipsevidence.dataset.writer import canonical

ROOT = Path(__file__).parents[2]
WORKPLACE = re.compile(r"(?<![\w.-])/(work|root|tmp|home)/|000_b4|004_f4|\bDRAFT\b|\bTODO\b")


@pytest.fixture(scope="module")
def shipped():
    return load(ROOT)


def test_every_number_has_a_source_and_a_basis(shipped):
    seen = 0
    for study in shipped:
        for path, number in study.numbers():
            seen += 1
            assert number.basis, f"{study.id}: {path}"
            assert number.from_ in study.sources, f"{study.id}: {path}"
    assert seen > 500


def test_every_file_is_canonical():
    for file in study_files(ROOT):
        content = file.read_text(encoding="utf-8")
        assert canonical(parse(content.encode(), file=file.name), Study) == content, file.name


def test_no_record_speaks_of_anything_but_its_study():
    for file in (*study_files(ROOT), *(ROOT / "analyses").rglob("*.yaml")):
        assert not WORKPLACE.search(file.read_text(encoding="utf-8")), file.name


def test_reconstructed_counts_are_asked_for_by_name(shipped):
    from ipsevidence.analysis.selection import select
    from ipsevidence.analysis.spec import Spec

    question = dict.fromkeys(("population", "intervention", "comparator", "outcome"), "any")
    spec = {"schema": 1, "id": "any", "title": "any", "purpose": "living", "question": question}
    default = select(Spec.model_validate({**spec, "studies": {"where": {}}}), shipped)
    assert default.rows
    assert {row.basis for row in default.rows} <= {"reported", "derived", "bounded"}
