"""``python -m ipsevidence`` is the command line."""

from ipsevidence.cli import main

main()
