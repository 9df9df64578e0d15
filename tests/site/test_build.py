"""Building a small site: the same bytes twice, files old or new, nobody else's files, strange text harmless."""

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ipsevidence.core import InputError
from ipsevidence.dataset.collection import load
from ipsevidence.dataset.record import Report
from ipsevidence.site import schema_org
from ipsevidence.site.build import MANIFEST, build, files_of
from ipsevidence.site.shell import json_block, page, relative
from tests.hostile.strangers import EVIL, MARKUP
from tests.hostile.test_text_of_strangers import SPEC, strange
from tests.site.pages import Page, broken, elsewhere
from tests.toy import ABOUT, STUDIES

building = importlib.import_module("ipsevidence.site.build")

POOL = """schema: 1
id: primary
title: made up
purpose: living
question: {population: made up, intervention: IPS, comparator: usual care, outcome: a job}
studies: {where: {}}
outcome: {composite: made up}
"""


def small(root, names=("alpha-2001", "beta-2002", "gamma-2003"), words="", spec=POOL):
    (root / "studies").mkdir(parents=True)
    (root / "analyses").mkdir()
    (root / "studies" / "_dataset.yaml").write_text(ABOUT)
    for name in names:
        text = strange(STUDIES[name], words) if words else STUDIES[name]
        (root / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    (root / "analyses" / f"{re.search('id: (.*)', spec)[1]}.yaml").write_text(spec, encoding="utf-8")
    return load(root)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return small(tmp_path_factory.mktemp("small") / "data")


@pytest.fixture(scope="module")
def files(data):
    return files_of(data)


def test_a_small_site_is_whole(data, files):
    assert {"index.html", "studies/index.html", "analyses/primary/index.html", "data.html", "404.html"} <= set(files)
    assert all(f"studies/{study.id}.html" in files for study in data)
    assert broken(files) == []
    assert all(Page(content.decode()).refused == [] for path, content in files.items() if path.endswith(".html"))


def test_another_process_with_another_order_of_hashes_writes_the_same_bytes(data, files, tmp_path):
    code = (
        "import sys; from pathlib import Path; from ipsevidence.site.build import build;"
        " from ipsevidence.dataset.collection import load;"
        " build(load(sys.argv[1]), Path(sys.argv[2]), workers=2)"
    )
    subprocess.run(
        [sys.executable, "-c", code, data.root, tmp_path / "site"], check=True, env=os.environ | {"PYTHONHASHSEED": "7"}
    )
    for path, content in files.items():
        assert (tmp_path / "site" / path).read_bytes() == content, path


@pytest.fixture
def makers(monkeypatch):
    """Put a maker of these files in the place of all others: files are written whatever they hold."""
    return lambda **files: monkeypatch.setattr(
        building, "MAKERS", (lambda _: {name.replace("__", "/") + ".html": text for name, text in files.items()},)
    )


def test_files_of_an_earlier_build_go_and_no_others(data, makers, tmp_path):
    site = tmp_path / "site"
    makers(index=b"1", studies__a=b"1", studies__b=b"1", old__page=b"1")
    build(data, site)
    (site / "studies" / "mine.txt").write_text("mine")
    (site / "CNAME").write_text("ips.example")
    makers(index=b"2", studies__a=b"1")
    written = build(data, site)
    here = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert here == {*written, MANIFEST, "studies/mine.txt", "CNAME"}
    assert {"index.html", "studies/a.html"} <= here
    assert not (site / "old").exists()


def test_a_file_that_has_not_changed_is_not_written_again(data, makers, tmp_path):
    makers(index=b"1", other=b"1")
    build(data, tmp_path)
    before = (tmp_path / "other.html").stat().st_ino
    makers(index=b"2", other=b"1")
    build(data, tmp_path)
    assert (tmp_path / "other.html").stat().st_ino == before
    assert (tmp_path / "index.html").read_bytes() == b"2"


@pytest.mark.parametrize("listed", ["../outside.txt", "/outside.txt", "link/outside.txt", "a/../../outside.txt", 7])
def test_a_list_of_files_that_was_tampered_with_reaches_nothing_outside(data, makers, tmp_path, listed):
    site, outside = tmp_path / "site", tmp_path / "outside.txt"
    makers(index=b"1")
    build(data, site)
    outside.write_text("stays")
    (site / "link").symlink_to(tmp_path)
    (site / MANIFEST).write_text(json.dumps({"files": [listed]}))
    build(data, site)
    assert outside.read_text() == "stays"


def test_a_list_that_reached_outside_would_be_seen(data, makers, tmp_path, monkeypatch):
    site, outside = tmp_path / "site", tmp_path / "outside.txt"
    makers(index=b"1")
    build(data, site)
    outside.write_text("goes")
    (site / "link").symlink_to(tmp_path)
    (site / MANIFEST).write_text(json.dumps({"files": ["link/outside.txt"]}))
    monkeypatch.setattr(Path, "is_relative_to", lambda *_: True)
    build(data, site)
    assert not outside.exists()


@pytest.mark.parametrize("text", ["", "[]", "7", '{"files": 7}', "{", "\udcff"])
def test_a_list_that_is_none_counts_as_no_list(data, makers, tmp_path, text):
    makers(index=b"1")
    (tmp_path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    (tmp_path / "mine.html").write_text("mine")
    build(data, tmp_path)
    assert (tmp_path / "mine.html").read_text() == "mine"
    assert "index.html" in json.loads((tmp_path / MANIFEST).read_text())["files"]


@pytest.mark.parametrize("moment", range(1, 9))
def test_an_interrupted_build_leaves_each_file_old_or_new_and_the_next_one_heals_it(
    data, makers, tmp_path, monkeypatch, moment
):
    old = {"a.html": b"1", "b.html": b"1", "only-old.html": b"1"}
    new = {"a.html": b"2", "b.html": b"2", "only-new.html": b"2"}
    makers(**{name.removesuffix(".html"): text for name, text in old.items()})
    build(data, tmp_path)
    makers(**{name.removesuffix(".html"): text for name, text in new.items()})
    write, count = building.write_atomically, [0]

    def failing(path, content):
        count[0] += 1
        if count[0] == moment:
            raise KeyboardInterrupt
        write(path, content)

    with monkeypatch.context() as patched:
        patched.setattr(building, "write_atomically", failing)
        try:
            build(data, tmp_path)
        except KeyboardInterrupt:
            listed = set(json.loads((tmp_path / MANIFEST).read_text())["files"])
            here = {path.name for path in tmp_path.glob("*.html")}
            assert here <= listed | {"404.html"}  # nothing that a later build would leave behind
            for name in {*old, *new} & here:
                assert (tmp_path / name).read_bytes() in (old.get(name), new.get(name)), name
        else:
            assert moment > 5
    build(data, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.html") if path.name != "404.html"} == new


def test_an_address_is_used_where_it_must_be_and_nowhere_else(data, files):
    here = files_of(data, address="https://example.org/ips/")
    changed = {path for path in files if files[path] != here[path]}
    assert changed == {"404.html", "index.html", "data.html"}
    links = [link for _, _, link in Page(here["404.html"].decode()).links if not link.startswith("#")]
    assert links
    assert all(link.startswith("https://example.org/ips/") for link in links)
    (about,) = Page(here["data.html"].decode()).described
    assert all(one["contentUrl"].startswith("https://example.org/ips/data/") for one in about["distribution"])


@pytest.mark.parametrize("address", ["ftp://x/", "https://x", "javascript:alert(1)//", "//x/"])
def test_an_address_that_is_none_is_refused(data, address):
    with pytest.raises(InputError, match="address must begin with https://"):
        files_of(data, address=address)


def test_two_makers_of_one_file_are_our_mistake(data, monkeypatch):
    monkeypatch.setattr(building, "MAKERS", (lambda _: {"a.txt": b""}, lambda _: {"a.txt": b""}))
    with pytest.raises(ValueError, match=r"a\.txt"):
        files_of(data)
    monkeypatch.setattr(building, "MAKERS", (lambda _: {"../a.txt": b""},))
    with pytest.raises(ValueError, match=r"\.\./a\.txt"):
        files_of(data)


# -- strange text ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def evil(tmp_path_factory):
    root = tmp_path_factory.mktemp("evil") / "data"
    return files_of(small(root, words=EVIL, spec=SPEC.format(evil=json.dumps(EVIL))))


def test_text_of_a_stranger_stays_text(evil, files):
    for path, content in evil.items():
        if not path.endswith(".html"):
            continue
        found = Page(content.decode())
        assert found.refused == [], path
        assert not any("evil.example" in link or "javascript" in link for _, _, link in found.links), path
        assert {tag for tag, *_ in found.links} <= {"a", "link", "script", "img"}
        assert all(not elsewhere(link) for tag, _, link in found.links if tag != "a")
    assert broken(evil) == []
    text = " ".join(Page(evil["studies/alpha-2001.html"].decode()).text)
    assert all(words in text for words in MARKUP)  # shown, not swallowed
    assert files["assets/site.css"] == evil["assets/site.css"]


def test_a_description_for_machines_ends_where_it_should(evil):
    (about, *_) = Page(evil["studies/alpha-2001.html"].decode()).described
    assert "<script>alert(1)</script>" in json.dumps(about)


def test_a_page_of_the_site_without_escaping_would_be_seen(monkeypatch):
    shell = importlib.import_module("ipsevidence.site.shell")
    open_ = shell._environment().overlay(autoescape=False)
    monkeypatch.setattr(shell, "_environment", lambda: open_)
    text = page("not_found.html.j2", path="x.html", title=EVIL, description=EVIL, here="")
    assert {"<iframe>"} <= set(Page(text).refused)


def test_a_description_without_escaping_would_be_seen():
    words = "</script><script>alert(1)</script>"
    assert Page(f'<script type="application/ld+json">{json_block([words])}</script>').refused == []
    with pytest.raises(json.JSONDecodeError):
        Page(f'<script type="application/ld+json">{json.dumps([words])}</script>')


def test_json_in_a_page_is_what_it_was():
    data = {"a": ["</script><!--", "\u2028&amp;", "<b>"], "b": None}
    text = str(json_block(data))
    assert json.loads(text) == data
    assert not set("<>&\u2028") & set(text)


def test_links_that_are_not_of_the_web_are_not_made():
    assert schema_org.web_address("https://example.org/x") == "https://example.org/x"
    for url in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "HTTPS:x", " https://x", None, ""):
        assert schema_org.web_address(url) == ""


def test_an_address_that_no_record_may_have_would_not_become_a_link(data):
    # The reader refuses such a record; should one come in another way, its page still has no such link.
    study = data["alpha-2001"]
    report = Report.model_construct(**{**dict(study.reports[0]), "url": "javascript:alert(1)"})
    bad = study.model_copy(update={"reports": (report,)})
    studies = importlib.import_module("ipsevidence.site.studies")
    material = importlib.import_module("ipsevidence.site.material").Material(dataset=data)
    text = studies._page(material, bad, ("treatment-as-usual",))
    assert "javascript:" not in text


# -- links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("here", "target", "link"),
    [
        ("index.html", "map.html", "map.html"),
        ("studies/a.html", "map.html", "../map.html"),
        ("studies/a.html", "studies/b.html#log", "b.html#log"),
        ("analyses/x/index.html", "assets/site.css", "../../assets/site.css"),
        ("analyses/x/index.html", "analyses/index.html", "../index.html"),
        ("a.html", "#here", "#here"),
    ],
)
def test_links_are_relative_to_the_page(here, target, link):
    assert relative(here, target) == link


def test_a_page_marks_where_it_is():
    text = page("not_found.html.j2", path="x/y.html", title="<T>", description='"d"', here="map")
    assert "<title>&lt;T&gt; · IPS evidence</title>" in text
    assert text.count('href="../map.html" aria-current="true"') == 2


# -- the command line --------------------------------------------------------------------------------------------


def test_serve_shows_the_site_until_it_is_interrupted(data):
    command = [sys.executable, "-m", "ipsevidence", "site", "serve", "--port", "0", "--quiet", "--data", data.root]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as serving:
        try:
            address = serving.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
            with urllib.request.urlopen(address) as answer:
                assert b"Of 100 people" in answer.read()
            with pytest.raises(urllib.error.HTTPError) as missing:
                urllib.request.urlopen(address + "studies/../../../etc/passwd")
            assert missing.value.code == 404
            assert b"There is no page at this address" in missing.value.read()
        finally:
            serving.send_signal(signal.SIGINT)
            out, err = serving.communicate(timeout=60)
    assert serving.returncode == 0
    assert (out, err) == ("", "")


def test_build_says_what_it_wrote(data, files, tmp_path):
    command = [
        sys.executable,
        "-m",
        "ipsevidence",
        "site",
        "build",
        "-o",
        tmp_path / "s",
        "--data",
        data.root,
        "--json",
    ]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["command"] == "site build"
    assert set(told["data"]["files"]) == set(files)
    assert told["data"]["bytes"] == sum((tmp_path / "s" / name).stat().st_size for name in told["data"]["files"])
    taken = subprocess.run(
        [*command[:5], "-o", data.root / "studies" / "alpha-2001.yaml", "--data", data.root],
        capture_output=True,
        text=True,
        check=False,
    )
    assert taken.returncode == 2
    assert taken.stderr.startswith("error: File exists")
