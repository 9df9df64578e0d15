"""Where records meet the engine: selection, one row a study, runs and verdicts."""
