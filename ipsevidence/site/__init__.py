"""The static site: what the public and commissioners read, made from the records and the analyses."""
