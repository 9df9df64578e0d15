"""What the dataset holds and lacks."""

from ipsevidence.dataset.overview import NO_COUNTS, ORDERS, best_basis, evidence_map, find, size, stats, wanted


def test_best_basis_is_the_weakest_number_of_the_strongest_outcome(toy):
    assert best_basis(toy["alpha-2001"]) == "reported"
    assert best_basis(toy["delta-2004"]) == "reconstructed"
    assert best_basis(toy["zeta-2006"]) == NO_COUNTS
    assert best_basis(toy["kappa-2010"]) == "reported"


def test_counts(toy):
    counts = stats(toy)
    assert counts["status"] == {"included": 9, "awaiting": 1}
    assert counts["design"] == {"rct": 8, "pilot-rct": 1, "quasi-experimental": 1}
    assert counts["country"] == {"US": 10}
    assert sum(counts["analysis group"].values()) == len(toy)
    assert counts["fidelity scale"] == {}


def test_map_puts_a_study_under_each_of_its_comparators(toy):
    cells = {(cell.group, cell.comparator): cell for cell in evidence_map(toy)}
    assert cells["justice", "treatment-as-usual"].studies == ("beta-2002",)
    assert cells["smi", "train-then-place"].studies == ("gamma-2003",)
    assert "gamma-2003" in cells["smi", "treatment-as-usual"].studies
    assert cells["smi", "treatment-as-usual"].bases[NO_COUNTS] == 1


def test_size_and_wanted(toy):
    assert size(toy["alpha-2001"]) == 100
    assert wanted(toy) == ()


def test_filters_are_all_met_and_orders_are_total(toy):
    assert [study.id for study in find(toy, {"group": "justice"})] == ["beta-2002"]
    assert [study.id for study in find(toy, {"design": "rct", "basis": "reconstructed"})] == ["delta-2004"]
    assert [study.id for study in find(toy, {"treatment": "train-then-place"})] == ["gamma-2003"]
    assert find(toy, {"country": "NO"}) == ()
    for order in ORDERS:
        assert {study.id for study in find(toy, {}, order)} == set(toy.entries)
    assert find(toy, {}, "basis")[-1].id == "zeta-2006"
