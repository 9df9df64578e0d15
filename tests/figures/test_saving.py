"""Files: the same bytes every time, real text, embedded fonts, a description, nothing left behind."""

import hashlib
import io
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import pypdf
import pytest
from matplotlib.figure import Figure
from PIL import Image

from ipsevidence import figures
from ipsevidence.analysis.running import run
from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.figures import save
from ipsevidence.figures.forest_plot import forest
from ipsevidence.figures.saving import FORMATS

from .cases import CASES
from .factory import nine, pooled, row
from .seen import texts

SVG = "{http://www.w3.org/2000/svg}"
QUICK = ("png", "svg", "pdf")
TESTS = Path(__file__).parents[1]
SCRIPT = """
import hashlib, io, sys, time
sys.path.insert(0, {tests!r})
from figures.factory import nine
from ipsevidence import figures
figure = figures.figure("forest", nine())
for form in {forms!r}:
    file = io.BytesIO()
    figure.savefig(file, format=form)
    print(form, hashlib.sha256(file.getvalue()).hexdigest())
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.fixture(scope="module")
def figure():
    return forest(nine())


def digests(figure, forms=QUICK):
    found = {}
    for form in forms:
        file = io.BytesIO()
        figure.savefig(file, format=form)
        found[form] = hashlib.sha256(file.getvalue()).hexdigest()
    return found


def elsewhere(**environment):
    code = SCRIPT.format(tests=str(TESTS), forms=FORMATS)
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
        cwd=TESTS.parent,
    )
    return dict(line.split() for line in done.stdout.splitlines())


def test_bytes_are_the_same_every_time(figure):
    assert digests(figure) == digests(figure) == digests(forest(nine()))


def test_bytes_are_the_same_in_another_process_at_another_time_and_pyplot_is_never_loaded(figure):
    assert elsewhere(PYTHONHASHSEED="7", TZ="Asia/Tokyo", SOURCE_DATE_EPOCH="1") == digests(figure, FORMATS)


def test_settings_of_the_reader_neither_count_nor_change(figure):
    expected = digests(figure)
    loud = {
        "font.size": 30,
        "savefig.bbox": "tight",
        "svg.fonttype": "path",
        "axes.facecolor": "red",
        "text.color": "red",
    }
    with mpl.rc_context(loud):
        before = dict(mpl.rcParams)
        assert digests(forest(nine())) == expected
        assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("form", QUICK)
def test_saving_by_either_way_gives_the_same_file(figure, form, tmp_path):
    first = save(figure, tmp_path / f"new folder/forest.{form}")
    figure.savefig(tmp_path / f"other.{form}")
    assert first == tmp_path / f"new folder/forest.{form}"
    assert first.read_bytes() == (tmp_path / f"other.{form}").read_bytes()
    assert [path.name for path in first.parent.iterdir()] == [first.name]
    for folder in (TESTS.parent, tmp_path, Path.home(), mpl.get_data_path()):
        assert str(folder).encode() not in first.read_bytes()


def test_png_has_300_dots_per_inch_and_the_width_of_two_columns(figure, tmp_path):
    with Image.open(save(figure, tmp_path / "forest.png")) as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.width == pytest.approx(180 / 25.4 * 300, abs=1)
        assert image.info["Title"] == "A test"
        assert image.info["Description"] == figure.alternative
        assert "Software" not in image.info


def test_svg_is_small_has_real_text_a_title_and_a_description(figure, tmp_path):
    path = save(figure, tmp_path / "forest.svg")
    assert path.stat().st_size < 60_000
    source = path.read_text(encoding="utf-8")
    root = ET.fromstring(source)
    assert root.find(f"{SVG}title").text == "A test"
    assert root.find(f"{SVG}desc").text == figure.alternative
    assert root.get("role") == "img"
    drawn = [element.text for element in root.iter(f"{SVG}text")]
    assert sorted(drawn) == sorted(text.get_text() for text in texts(figure).values())
    for element in root.iter(f"{SVG}text"):
        assert "font-family: 'Arimo', 'Arial', 'Liberation Sans', 'Helvetica', sans-serif" in element.get("style")
    assert "dc:date" not in source
    assert float(root.get("width").removesuffix("pt")) / 72 * 25.4 == pytest.approx(180, abs=0.01)


def test_svg_of_sixty_rows_stays_under_two_hundred_kilobytes(tmp_path):
    assert save(forest(CASES["sixty in groups"]()), tmp_path / "forest.svg").stat().st_size < 200_000


def test_text_from_data_cannot_become_markup(tmp_path):
    evil = """<script>alert(1)</script> " ' & </title> ]]> transform="rotate(0 1 2)\""""
    rows = [row(evil, 4, 10, 2, 10), row("line\nbreak\ttab \x00\x1b[31m \u202eturned \ud800", 4, 10, 3, 10)]
    drawn = forest(pooled(rows), arms=(evil, "$x$"), favours=(evil, evil))
    for form in QUICK:
        path = save(drawn, tmp_path / f"forest.{form}")
        assert path.stat().st_size > 1000
    root = ET.fromstring((tmp_path / "forest.svg").read_text(encoding="utf-8"))
    assert not list(root.iter(f"{SVG}script"))
    said = " ".join(element.text for element in root.iter(f"{SVG}text"))
    assert "<script>alert(1)</script>" in said
    assert "line break tab [31m turned \ufffd" in said


def test_pdf_has_embedded_fonts_text_and_no_date(figure, tmp_path):
    reader = pypdf.PdfReader(save(figure, tmp_path / "forest.pdf"))
    (page,) = reader.pages
    assert float(page.mediabox.width) / 72 * 25.4 == pytest.approx(180, abs=0.01)
    fonts = [font.get_object() for font in page["/Resources"]["/Font"].get_object().values()]
    assert {font["/BaseFont"].partition("+")[2] for font in fonts} == {"Arimo", "Arimo-Bold"}
    for font in fonts:
        assert font["/Subtype"] in {"/TrueType", "/Type0"}
        holder = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        assert "/FontFile2" in holder["/FontDescriptor"].get_object()
    said = page.extract_text()
    for part in ("Hellström 2017", "8.27 [3.12–21.89]", "Favours IPS →", "five"):
        assert part in said
    assert reader.metadata.title == "A test"
    assert reader.metadata.subject == figure.alternative
    assert not {"/CreationDate", "/ModDate"} & set(reader.metadata)


def test_eps_has_embedded_fonts_and_no_date(figure, tmp_path):
    source = save(figure, tmp_path / "forest.eps").read_bytes()
    assert source.startswith(b"%!PS-Adobe-3.0 EPSF")
    assert b"CreationDate" not in source
    assert b"/FontType 42" in source


def test_description_goes_beside_the_file_only_on_request(figure, tmp_path):
    save(figure, tmp_path / "one.png")
    save(figure, tmp_path / "two.png", words=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "two.png", "two.txt"]
    assert (tmp_path / "two.txt").read_text(encoding="utf-8") == f"{figure.alternative}\n"


def test_a_file_is_replaced_whole_or_not_at_all(figure, tmp_path, monkeypatch):
    path = tmp_path / "forest.svg"
    path.write_text("before")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("full")))
        with pytest.raises(OSError, match="full"):
            save(figure, path)
    assert [one.name for one in tmp_path.iterdir()] == ["forest.svg"]
    assert path.read_text() == "before"
    save(figure, path)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_link_is_followed_and_a_mode_is_kept(figure, tmp_path):
    path, link = tmp_path / "real.svg", tmp_path / "link.svg"
    path.write_text("before")
    path.chmod(0o640)
    link.symlink_to(path)
    save(figure, link)
    assert link.is_symlink()
    assert path.read_text(encoding="utf-8").startswith("<?xml")
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_error_names_the_file_that_was_asked_for(figure, tmp_path):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.svg").mkdir()
    for path in (tmp_path / "file/forest.svg", tmp_path / "file/deeper/forest.svg", tmp_path / "folder.svg"):
        with pytest.raises(OSError) as caught:
            save(figure, path)
        assert caught.value.filename == str(path)
        assert caught.value.strerror
        assert ".part" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder.svg"]


@pytest.mark.filterwarnings("error")
def test_letters_that_the_font_lacks_stay_as_text_without_a_warning(tmp_path, capfd):
    drawn = forest(pooled([row("田中 2001", 4, 10, 2, 10), row("हिन्दी 김", 5, 10, 3, 10)]))
    for form in FORMATS:
        assert save(drawn, tmp_path / f"forest.{form}").stat().st_size > 1000
    source = (tmp_path / "forest.svg").read_text(encoding="utf-8")
    assert "田中 2001" in source
    assert "हिन्दी 김" in source
    assert capfd.readouterr().err == ""


def test_the_picture_in_the_readme_is_current():
    name = "docs/images/bond-2019-nine-rcts.png"
    root = TESTS.parent
    assert name in (root / "README.md").read_text(encoding="utf-8")
    expected = figures.figure("forest", run("bond-2019-nine-rcts", load(root))).alternative
    with Image.open(root / name) as image:
        assert image.info["Description"] == expected, "draw it again: make images"


@pytest.mark.parametrize("name", ["forest", "forest.docx", ".svg"])
def test_a_suffix_that_names_no_format_is_an_error(figure, tmp_path, name):
    with pytest.raises(InputError, match=re.escape(".png, .svg, .pdf, .eps")):
        save(figure, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_any_matplotlib_figure_can_be_saved(tmp_path):
    plain = Figure(figsize=(2, 1))
    plain.add_subplot().plot([1, 2])
    for form in FORMATS:
        assert save(plain, tmp_path / f"plain.{form}").stat().st_size > 0


def test_savefig_names_a_file_without_suffix_as_matplotlib_does(figure, tmp_path):
    figure.savefig(tmp_path / "plain")
    assert [path.name for path in tmp_path.iterdir()] == ["plain.png"]
