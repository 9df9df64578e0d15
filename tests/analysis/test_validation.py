"""What a file is follows from its keys, and only what is whole is rewritten."""

import shutil
from pathlib import Path

import pytest

from ipsevidence.analysis.validation import canonical_form, validate
from ipsevidence.dataset.findings import ReadError

ROOT = Path(__file__).parents[2]
SHIPPED = {
    "record": ROOT / "studies" / "davis-2012.yaml",
    "spec": ROOT / "analyses" / "bond-2019-nine-rcts.yaml",
    "review": ROOT / "analyses" / "published" / "campbell-2011.yaml",
    "claim": ROOT / "analyses" / "claims" / "smi-at-least-doubles.yaml",
}


@pytest.mark.parametrize("folder", ["anywhere", "analyses", "analyses/published", "analyses/claims", "studies"])
@pytest.mark.parametrize("kind", SHIPPED)
def test_the_kind_of_a_file_is_read_off_its_keys_in_any_folder(kind, folder, tmp_path):
    place = tmp_path / folder
    place.mkdir(parents=True)
    copy = Path(shutil.copy(SHIPPED[kind], place))
    assert not [finding for finding in validate([copy]).findings if finding.severity == "error"]
    assert canonical_form([copy], write=False) == {}


@pytest.mark.parametrize(
    ("folder", "missing"),
    [
        ("anywhere", "arms"),
        ("analyses", "purpose"),
        ("analyses/published", "citation"),
        ("analyses/claims", "stated_by"),
    ],
)
def test_the_folder_decides_where_the_keys_do_not(folder, missing, tmp_path):
    path = tmp_path / folder / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("schema: 1\nid: mine\n", encoding="utf-8")
    assert any(missing in finding.what for finding in validate([path]).findings)


@pytest.mark.parametrize(
    "text",
    [
        "name: workflow\njobs:\n  b: 1\n  a: 2\n",
        "purpose: exploratory\nid: mine\n",
        "kind: x\ncitation: y\nschema: 1\n",
    ],
)
def test_what_is_no_record_is_not_rewritten(text, tmp_path):
    good = Path(shutil.copy(SHIPPED["record"], tmp_path))
    loose = good.read_text(encoding="utf-8").replace("label: Davis 2012", 'label:   "Davis 2012"')
    good.write_text(loose, encoding="utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(text, encoding="utf-8")
    with pytest.raises(ReadError) as error:
        canonical_form([good, other], write=True)
    assert {finding.file for finding in error.value.findings} == {str(other)}
    assert other.read_text(encoding="utf-8") == text
    assert good.read_text(encoding="utf-8") == loose


def placed(finding, file, line, column):
    return (finding.file, finding.line, finding.column) == (str(file), line, column)


def test_a_claim_whose_rule_is_not_whole_is_told_by_place_and_fix(tmp_path):
    text = SHIPPED["claim"].read_text(encoding="utf-8")
    (line,) = (number for number, one in enumerate(text.splitlines(), 1) if one.startswith("rule:"))
    assert "rule: {kind: ratio-above, threshold: 2, minimum_k: 5}\n" in text
    bad = tmp_path / "smi-at-least-doubles.yaml"
    bad.write_text(text.replace("ratio-above, threshold: 2,", "ratio-abov, threshold: 2,"), encoding="utf-8")
    (finding,) = validate([bad]).findings
    assert placed(finding, bad, line, len("rule: {kind: ") + 1)
    assert "ratio-above" in f"{finding.what} {finding.fix}"


def test_names_of_a_claim_resolve_within_the_dataset(tmp_path):
    for part in ("studies", "analyses"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("results"))
    assert not [finding for finding in validate(data=tmp_path).findings if finding.severity == "error"]
    claim = tmp_path / "analyses" / "claims" / "smi-at-least-doubles.yaml"
    text = claim.read_text(encoding="utf-8")
    assert "  - {analysis: primary-smi}\n" in text
    (line,) = (number for number, one in enumerate(text.splitlines(), 1) if one == "  - {analysis: primary-smi}")
    claim.write_text(text.replace("{analysis: primary-smi}", "{analysis: primary-sm}"), encoding="utf-8")
    (finding,) = (one for one in validate(data=tmp_path).findings if one.severity == "error")
    assert placed(finding, "analyses/claims/smi-at-least-doubles.yaml", line, len("  - {analysis: ") + 1)
    assert (finding.check, finding.fix) == ("name-does-not-resolve", "correct the id")
    assert "there is no analysis primary-sm; nearest: primary-smi" in finding.what


def test_a_claim_out_of_form_is_put_into_it(tmp_path):
    good = Path(shutil.copy(SHIPPED["claim"], tmp_path))
    form = good.read_text(encoding="utf-8")
    good.write_text(form.replace("schema: 1", "schema:   1"), encoding="utf-8")
    (lines,) = canonical_form([good], write=True).values()
    assert "\n-schema:   1\n+schema: 1\n" in lines
    assert good.read_text(encoding="utf-8") == form
    good.rename(tmp_path / "other.yaml")
    (finding,) = validate([tmp_path / "other.yaml"]).findings
    assert (finding.line, finding.fix) == (2, "give the file the name of the id")


def test_an_empty_folder_is_a_mistake(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no \.yaml file in the folder"):
        validate([tmp_path])
    (tmp_path / "studies").mkdir()
    with pytest.raises(FileNotFoundError, match="use --data"):
        canonical_form([tmp_path], write=True)


# Every field of an analysis or claim that names studies or reviews: file, the text around the name, the name, the name
# misspelt, and what is said of it.
MISSPELT = [
    ("any-by-region", "  without:\n    - id: {}\n", "howard-2010", "howard-201o", "no record howard-201o"),
    ("bond-2019-nine-rcts", "    - id: {}\n", "lepage-2016", "lepage-2o16", "no record lepage-2o16"),
    ("bond-2019-nine-rcts", "drop: [{}]", "davis-2018", "davis-2o18", "no record davis-2o18"),
    ("bond-2019-nine-rcts", "- {{id: {}, outcome: steady-18m}}", "davis-2018", "davis-2o18", "no record davis-2o18"),
    (
        "bond-2026-early-psychosis",
        "- {{id: {}, outcome: competitive-6m",
        "killackey-2008",
        "killackey-208",
        "no record",
    ),
    (
        "probyn-2021",
        "quantity: study-estimate, study: {}, value: 4.44",
        "bond-2015",
        "bond-2o15",
        "no record bond-2o15",
    ),
    ("bond-2012-four-trials", "review: {}\n", "bond-2012-standardizing", "bond-2012-standardising", "no review bond"),
    ("bond-2015-early-psychosis", "inputs_of: {},", "bond-2015-early-psychosis", "bond-2015-early", "no review bond"),
    ("claims/trials-ips-arms-55-percent", "- {{id: {}, because", "cook-2005", "cook-2oo5", "no record cook-2oo5"),
]


def test_every_study_and_review_that_an_analysis_or_claim_names_must_be_there(tmp_path):
    for part in ("studies", "analyses"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("results"))
    expected = []
    for name, around, right, wrong, what in MISSPELT:
        file = tmp_path / "analyses" / f"{name}.yaml"
        text = file.read_text(encoding="utf-8")
        assert text.count(around.format(right)) == 1, around
        place = text.index(around.format(right)) + around.format("\0").index("\0")
        file.write_text(text.replace(around.format(right), around.format(wrong)), encoding="utf-8")
        line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
        expected.append((f"analyses/{name}.yaml", line, column, "name-does-not-resolve", f"there is {what}", right))
    # `readmit` names what `without` leaves out; no analysis that ships has it.
    toy = tmp_path / "analyses" / "any-by-region.yaml"
    lines = toy.read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith("sensitivity:") for line in lines)
    toy.write_text("\n".join([*lines, "sensitivity:", "  - {id: a, label: a, readmit: [howrd-2010]}", ""]), "utf-8")
    found = (
        "analyses/any-by-region.yaml",
        len(lines) + 2,
        33,
        "name-does-not-resolve",
        "there is no record",
        "howard-2010",
    )
    findings = [one for one in validate(data=tmp_path).findings if one.severity == "error"]
    missed = [
        place
        for place in [*expected, found]
        if not any(
            (one.file, one.line, one.column, one.check) == place[:4]
            and one.what.startswith(place[4])
            and one.what.endswith(f"; nearest: {place[5]}")
            for one in findings
        )
    ]
    assert not missed, findings
    assert len(findings) == len(expected) + 1


def test_a_row_of_a_review_without_a_record_may_be_dropped(tmp_path):
    for part in ("studies", "analyses"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("results"))
    review = tmp_path / "analyses" / "published" / "bond-2015-early-psychosis.yaml"
    text = review.read_text(encoding="utf-8")
    assert text.count("study: major-2010, ") == 1
    review.write_text(text.replace("study: major-2010, ", ""), encoding="utf-8")
    spec = tmp_path / "analyses" / "bond-2015-early-psychosis.yaml"
    before = spec.read_text(encoding="utf-8")
    for name, errors in (("input-1", 0), ("input-9", 1)):
        spec.write_text(before.replace("drop: [major-2010]", f"drop: [{name}]"), encoding="utf-8")
        found = [one for one in validate(data=tmp_path).findings if one.severity == "error"]
        assert len(found) == errors, found
