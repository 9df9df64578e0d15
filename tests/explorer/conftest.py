"""The explorer of the shipped data, made once, and a server for it."""

import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest

import ipsevidence.site
from ipsevidence.dataset.collection import load
from ipsevidence.explorer.static import files
from ipsevidence.terminal.site import Handler


@pytest.fixture(scope="session")
def shipped():
    return load()


@pytest.fixture(scope="session")
def made(shipped):
    """The files of the explorer."""
    return files(shipped)


def serve(folder, content):
    """Write the files with the assets of the site, and return a server of them with its address."""
    assets = Path(ipsevidence.site.__file__).parent / "assets"
    shutil.copytree(assets, folder / "assets")
    for path, data in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/explore.html"


@pytest.fixture(scope="session")
def address(made, tmp_path_factory):
    server, where = serve(tmp_path_factory.mktemp("explorer"), made)
    yield where
    server.shutdown()
    server.server_close()


class Watched:
    """A page, with every request it made and every complaint of the browser."""

    def __init__(self, context):
        self.page = context.new_page()
        self.requests, self.complaints = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def outside(self, where):
        home = where.rsplit("/", 1)[0]
        return [url for url in self.requests if not url.startswith((home, "data:"))]


@pytest.fixture
def opened(browser):
    """Open pages, and close them at the end."""
    contexts = []

    def make(**options):
        contexts.append(browser.new_context(**options))
        return Watched(contexts[-1])

    yield make
    for context in contexts:
        context.close()
