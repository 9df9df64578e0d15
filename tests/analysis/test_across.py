"""What is asked of all analyses together: every claim, and the main analyses by other choices."""

import json
import math

import pytest

from ipsevidence.analysis.across import VARIED, claims_document, judge_all, multiverse_document
from ipsevidence.analysis.claimfiles import claim_files
from ipsevidence.analysis.multiverse import estimator_choices, question_choices
from ipsevidence.analysis.resultfiles import differences, text
from ipsevidence.analysis.running import run
from ipsevidence.dataset.collection import load


@pytest.fixture(scope="module")
def dataset():
    return load()


@pytest.fixture(scope="module")
def made(dataset):
    return {"primary-smi": run("primary-smi", dataset)}


@pytest.fixture(scope="module")
def verdicts(dataset, made):
    return judge_all(dataset, made)


def test_every_claim_is_judged_once(dataset, verdicts):
    assert [verdict.id for verdict in verdicts] == list(claim_files(dataset.root))


def test_runs_that_were_made_are_not_made_again(dataset, monkeypatch, made):
    from ipsevidence.analysis import claims

    asked = []

    def counted(spec, data):
        asked.append(getattr(spec, "id", spec))
        return run(spec, data)

    monkeypatch.setattr(claims, "run", counted)
    judge_all(dataset, made)
    assert "primary" in asked
    assert "primary-smi" not in asked


def test_the_verdicts_as_committed(dataset, verdicts):
    document = claims_document(verdicts, dataset)
    assert json.loads(text(document)) == document
    assert set(document["claims"]) == set(claim_files(dataset.root))
    twice = document["claims"]["smi-at-least-doubles"]
    (verdict,) = (one for one in verdicts if one.id == "smi-at-least-doubles")
    assert twice["estimate"] == pytest.approx(verdict.estimate, rel=1e-11)
    assert twice["asked"] == [2, None]
    assert twice["verdict"] == verdict.verdict
    moved = json.loads(text(document))
    moved["claims"]["smi-at-least-doubles"]["verdict"] = "contradicted"
    assert differences(document, moved) == [
        f'claims.smi-at-least-doubles.verdict: "{verdict.verdict}" -> "contradicted"'
    ]


def test_no_correlation_is_pooled_where_one_study_is_of_the_scale(verdicts):
    by_id = {verdict.id: verdict for verdict in verdicts}
    alone, two = (by_id[f"fidelity-correlates-ips-{items}"] for items in (15, 25))
    assert (alone.verdict, alone.grounds[0].k) == ("not-testable", 1)
    # 0.34 over 79 programmes and 0.36 over 34 on Fisher's z, weights 76 and 31: metafor as in test_claims.
    assert (two.verdict, two.grounds[0].k) == ("supported", 2)
    assert (two.estimate, two.low, two.high) == pytest.approx((0.345827, 0.169566, 0.500650), abs=1e-6)


def test_choices_as_committed_hold_every_cell(dataset, made):
    document = multiverse_document(dataset, made)
    assert json.loads(text(document)) == document
    assert list(document["analyses"]) == ["primary-smi"]
    one = document["analyses"]["primary-smi"]
    families = {
        "estimator": estimator_choices(made["primary-smi"]),
        "question": question_choices(made["primary-smi"].spec, dataset),
    }
    for family, choices in families.items():
        cells = one[family]["cells"]
        assert len(cells) == len(choices.cells)
        assert next(iter(cells)) == "as the analysis"
        for found, cell in zip(cells.values(), choices.cells, strict=True):
            assert found["k"] == cell.k
            assert ("estimate" in found) == (not math.isnan(cell.estimate)) == ("why" not in found)
        assert cells["as the analysis"]["estimate"] == pytest.approx(choices.headline.estimate, rel=1e-11)
    assert one["estimator"]["cells"]["tau2: dl; interval: wald"]["k"] == 8


def test_what_has_no_choices_says_why(toy, spec_of):
    named = run(spec_of(effect={"measure": "RR"}, studies={"list": ({"id": "alpha-2001"}, {"id": "beta-2002"})}), toy)
    one = multiverse_document(toy, {VARIED[0]: named})["analyses"][VARIED[0]]
    assert one["question"] == {"not_applicable": "the analysis lists its studies by name: its question is fixed"}
    assert one["estimator"] == {"not_applicable": "2 studies: nothing is pooled below 3"}


def test_without_claims_or_main_analyses_there_is_nothing(toy):
    assert judge_all(toy, {}) == ()
    assert multiverse_document(toy, {}) is None
