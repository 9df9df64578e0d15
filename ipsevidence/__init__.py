"""The open evidence base on Individual Placement and Support (IPS): records, pooling, figures.

The public names are loaded when they are first used, so that ``import ipsevidence`` stays quick.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "core": "ipsevidence.core",
    "load": "ipsevidence.dataset.collection",
    "Dataset": "ipsevidence.dataset.collection",
    "run": "ipsevidence.analysis.running",
    "reproduce": "ipsevidence.analysis.reproduction",
    "figure": "ipsevidence.figures",
    "frame": "ipsevidence.analysis.rows",
}

__all__ = ["Dataset", "__version__", "core", "figure", "frame", "load", "reproduce", "run"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'ipsevidence' has no attribute {name!r}")
    home = import_module(_HOMES[name])
    return home if name == "core" else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
