"""What the first page says of the judgements of people."""

from types import SimpleNamespace

from ipsevidence.analysis.spec import Spec
from ipsevidence.dataset.reader import read
from ipsevidence.site import home
from tests.analysis.test_certainty import SPEC


def said(certainty, monkeypatch, judged=()):
    monkeypatch.setattr(home, "risk_of_bias", lambda *_: SimpleNamespace(rows=judged))
    return home._judged(SimpleNamespace(run=SimpleNamespace(spec=SimpleNamespace(certainty=certainty))), None)


def test_only_what_somebody_judged_is_said_to_be_judged(monkeypatch):
    assert said(None, monkeypatch) == "Nobody has judged the risk of bias yet."
    assert said(None, monkeypatch, [("Alpha 2001",)]) == "Risk of bias was judged in 1 of them."
    certainty = read(SPEC.encode(), Spec, file="judged.yaml")[0].certainty
    words = said(certainty, monkeypatch, [("Alpha 2001",), ("Beta 2002",)])
    assert words == "Risk of bias was judged in 2 of them. Certainty of the evidence: low."
