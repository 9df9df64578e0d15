"""What a published review entered, as rows: its numbers as printed there, whatever our records say."""

from ipsevidence.analysis.derivation import SelectionError
from ipsevidence.analysis.rows import Counts, StudyRow
from ipsevidence.analysis.selection import Decision, Selection
from ipsevidence.dataset.review import PublishedReview, ReviewInput

__all__ = ["inputs_of"]


def inputs_of(review: PublishedReview, measure: str) -> Selection:
    """Return one row for each input of a review, with counts or with an effect on the measure of the analysis.

    Parameters
    ----------
    review : PublishedReview
        The review, with its `inputs`.
    measure : str
        Key of `core.MEASURES`.

    Returns
    -------
    Selection
        Inputs without numbers on this measure are left out, with the reason.

    Raises
    ------
    SelectionError
        If no input of the review can enter.
    """
    rows, decisions = [], []
    for name, entered in zip(review.input_names, review.inputs, strict=True):
        row = _row(name, entered, measure)
        reason = "as the review entered it" if row else f"the review prints no counts and no {measure} of it"
        if row:
            rows.append(row)
        stage = "" if row else "counts"
        decisions.append(Decision(id=name, label=entered.label, included=row is not None, reason=reason, stage=stage))
    if not rows:
        raise SelectionError(f"{review.id}: no input of the review has counts or an effect on {measure}")
    return Selection(rows=tuple(rows), decisions=tuple(decisions))


def _row(name: str, entered: ReviewInput, measure: str) -> StudyRow | None:
    extra: dict[str, str | float] = {"denominator": "as the review entered it"}
    if entered.note:
        extra["because"] = entered.note
    if entered.counts is not None:
        events1, n1, events2, n2 = (float(number) for number in entered.counts)
        return StudyRow(
            id=name,
            label=entered.label,
            counts=Counts(events1=events1, n1=n1, events2=events2, n2=n2),
            basis=entered.basis,
            participants=n1 + n2,
            extra=extra,
        )
    if entered.measure == measure and entered.estimate is not None and entered.ci is not None:
        low, high = (float(bound) for bound in entered.ci)
        estimate = float(entered.estimate)
        return StudyRow(
            id=name, label=entered.label, estimate=estimate, low=low, high=high, basis=entered.basis, extra=extra
        )
    return None
