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
}


@pytest.mark.parametrize("folder", ["anywhere", "analyses", "analyses/published", "studies"])
@pytest.mark.parametrize("kind", SHIPPED)
def test_the_kind_of_a_file_is_read_off_its_keys_in_any_folder(kind, folder, tmp_path):
    place = tmp_path / folder
    place.mkdir(parents=True)
    copy = Path(shutil.copy(SHIPPED[kind], place))
    assert not [finding for finding in validate([copy]).findings if finding.severity == "error"]
    assert canonical_form([copy], write=False) == ()


@pytest.mark.parametrize(
    ("folder", "missing"), [("anywhere", "arms"), ("analyses", "purpose"), ("analyses/published", "citation")]
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


def test_an_empty_folder_is_a_mistake(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no \.yaml file in the folder"):
        validate([tmp_path])
    (tmp_path / "studies").mkdir()
    with pytest.raises(FileNotFoundError, match="use --data"):
        canonical_form([tmp_path], write=True)
