"""What `site build` and `site serve` do."""

import contextlib
import functools
import http.server
import sys
import tempfile
from pathlib import Path
from typing import Any

from ipsevidence.terminal.output import envelope, origin, say

__all__ = ["built", "served"]


def built(out: Path, address: str, workers: int, data: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Build the site into a folder, and say how many files and bytes it has."""
    from ipsevidence.dataset.collection import load
    from ipsevidence.site.build import build

    dataset = load(data)
    files = build(dataset, out, address=address, workers=workers)
    size = sum((out / path).stat().st_size for path in files)
    if as_json:
        envelope("site build", {"folder": str(out), "files": list(files), "bytes": size}, [origin(dataset)])
    elif not quiet:
        say(f"{len(files)} files, {size / 1e6:.1f} MB: {out / 'index.html'}")
        say(f"{origin(dataset)}; version {dataset.version}")


def served(out: Path | None, port: int, workers: int, data: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Build the site and show it to this machine's browsers until it is interrupted."""
    with contextlib.ExitStack() as stack:
        folder = out or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ipsevidence-site-")))
        handler = functools.partial(Handler, directory=str(folder))
        # Bound before the site is built, so that a port that is taken is said at once.
        server = stack.enter_context(http.server.ThreadingHTTPServer(("127.0.0.1", port), handler))
        address = f"http://127.0.0.1:{server.server_port}/"
        built(folder, "", workers, data, as_json=False, quiet=True)
        if as_json:
            envelope("site serve", {"folder": str(folder), "address": address})
        else:
            say(address if quiet else f"The site is at {address} until you press Ctrl-C.")
        sys.stdout.flush()  # who reads the address from a pipe waits for it
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files of the site, nothing logged, and the site's own page for what is not there."""

    def log_message(self, *_: Any) -> None:
        """Say nothing: the address that was printed stays in sight."""

    def list_directory(self, _: Any) -> None:
        """Show no folders: a server of static pages would not."""
        self.send_error(404)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Show the site's own page where something is not found."""
        text = Path(self.directory) / "404.html"
        if code != 404 or not text.is_file():
            super().send_error(code, message, explain)
            return
        content = text.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
