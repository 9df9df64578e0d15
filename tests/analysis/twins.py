"""Two versions of a small dataset in folders: the made-up trials with analyses and a claim."""

import shutil

from tests.toy import ABOUT, STUDIES

QUESTION = "question: {population: made up, intervention: made up, comparator: made up, outcome: made up}\n"
TWO = f"""schema: 1
id: two
title: Two trials
purpose: reproduction
{QUESTION}studies:
  list:
    - {{id: alpha-2001}}
    - {{id: beta-2002}}
effect: {{measure: RR}}
model: {{tau2: common, interval: wald, prediction: none}}
sensitivity:
  - {{id: alone, label: alpha alone, drop: [beta-2002]}}
published:
  - {{quantity: estimate, value: 2.00, target: read, from: made up}}
"""
RULE = f"""schema: 1
id: rule
title: By rule
purpose: living
{QUESTION}studies: {{where: {{}}}}
effect: {{measure: RR}}
"""
JUSTICE = f"""schema: 1
id: justice
title: Justice
purpose: living
{QUESTION}studies: {{where: {{analysis_groups: [justice]}}}}
effect: {{measure: RR}}
"""
CLAIM = """schema: 1
id: above-one
title: Made up
claim: The ratio is above 1.4.
stated_by:
  - {cite: made up, read: abstract, date: "2000-01-01", as_printed: made up}
about: {population: made up, outcome: made up, months: made up, denominator: made up}
rule: {kind: ratio-above, threshold: 1.4, minimum_k: 2}
decision: made up
decided_on:
  - {analysis: two}
committed_on: "2000-01-01"
"""
ALPHA = "studies/alpha-2001.yaml"


def write_data(root, *, analyses=True):
    """Write the made-up trials; with analyses also three specs and a claim."""
    (root / "studies").mkdir(parents=True)
    (root / "studies" / "_dataset.yaml").write_text(ABOUT, encoding="utf-8")
    for name, text in STUDIES.items():
        (root / "studies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    if analyses:
        (root / "analyses" / "claims").mkdir(parents=True)
        for name, text in (("two", TWO), ("rule", RULE), ("justice", JUSTICE), ("claims/above-one", CLAIM)):
            (root / "analyses" / f"{name}.yaml").write_text(text, encoding="utf-8")
    return root


def write_pair(folder, *, analyses=True):
    """Write the same data twice; the second is for a test to change."""
    old = write_data(folder / "old", analyses=analyses)
    shutil.copytree(old, folder / "new")
    return old, folder / "new"


def swap(root, name, before, after):
    """Replace a text that must be there."""
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
