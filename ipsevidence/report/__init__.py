"""Tables, sentences and pages made from an analysis that has been run; nothing is computed here."""
