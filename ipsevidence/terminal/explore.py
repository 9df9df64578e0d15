"""What `explore` does: the explorer with the whole engine, for this machine's browsers."""

import contextlib
import importlib.util
import socket
import sys
from pathlib import Path

from ipsevidence.terminal.output import envelope, origin, say

__all__ = ["explored"]

_HERE = "127.0.0.1"


def explored(port: int, data: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Serve the explorer until it is interrupted, and say first where it is."""
    from ipsevidence.core import InputError

    if importlib.util.find_spec("shiny") is None:
        raise InputError(
            "the explorer needs Shiny, which is not installed: pip install 'ipsevidence[explorer]'; the explorer of"
            " the site needs nothing: ipsevidence site serve",
            parameter="explore",
        )
    free = _free(port)
    from shiny import run_app

    from ipsevidence.dataset.collection import load
    from ipsevidence.explorer.app import application

    dataset = load(data)
    app = application(dataset)
    address = f"http://{_HERE}:{free}/"
    if as_json:
        envelope("explore", {"address": address}, [origin(dataset)])
    else:
        say(address if quiet else f"The explorer is at {address} until you press Ctrl-C.")
        if not quiet:
            say(f"{origin(dataset)}; version {dataset.version}")
    sys.stdout.flush()
    assert run_app is not None  # it is where there are no sockets: in a browser
    with contextlib.suppress(KeyboardInterrupt):
        run_app(app, host=_HERE, port=free, log_level="warning", dev_mode=False)


def _free(port: int) -> int:
    """Return the port, or for 0 one that is free; OSError says at once that it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HERE, port))
        except OSError as error:
            raise OSError(error.errno, error.strerror, f"port {port}") from error
        return int(probe.getsockname()[1])
