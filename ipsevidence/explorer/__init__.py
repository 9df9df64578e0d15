"""The explorer: choose a question and a model, see what it gives; precomputed on the site, live on one machine."""
