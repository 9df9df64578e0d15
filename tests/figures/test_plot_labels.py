"""Labels beside marks: they name the mark they stand by, lie on nothing, and are left out where there is no room."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from ipsevidence.figures.lettering import width
from ipsevidence.figures.plot_frame import Plan, frame_for
from ipsevidence.figures.plot_labels import Label, write_labels
from ipsevidence.figures.plot_side import Side
from ipsevidence.figures.style import STYLES, context

from .factory import nine
from .plotted import marks, texts

LOOK = STYLES["default"]
POINTS = st.lists(st.tuples(st.floats(0.0, 10.0), st.floats(0.0, 10.0)), min_size=1, max_size=25)


def framed():
    plan = Plan(x=Side(label="x", low=0.0, high=10.0), y=Side(label="y", low=0.0, high=10.0), height=150.0)
    return frame_for(nine(), LOOK, [[plan]], kind="Test", alternative="A test.")


def written(points, **options):
    """Return the frame, the labels of the points, and the boxes of what was written, by text, in points of the page."""
    with context():
        frame = framed()
        labels = [Label(text=f"Study {index}", x=x, y=y) for index, (x, y) in enumerate(points)]
        done = write_labels(frame, frame.panel(), labels, marks=labels, **options)
    size, boxes = LOOK.small, {}
    for key, text in texts(frame.drawing).items():
        if key.startswith("label-"):
            left, baseline = text.get_position()
            wide = width(text.get_text(), size)
            boxes[text.get_text()] = (left, baseline - 0.93 * size, left + wide, baseline + 0.24 * size)
    assert [label.text for label in done] == list(boxes)
    return frame, labels, boxes


def gap(box, point):
    x, y = point
    return math.hypot(max(box[0] - x, x - box[2], 0.0), max(box[1] - y, y - box[3], 0.0))


@given(POINTS)
@settings(max_examples=40, deadline=None)
def test_labels_lie_on_no_mark_and_no_label_and_stand_nearest_to_their_own(points):
    frame, labels, boxes = written(points, most=25)
    places = {label.text: frame.panel().place(label.x, label.y) for label in labels}
    found = list(boxes.values())
    for index, one in enumerate(found):
        for other in found[index + 1 :]:
            assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]
    led = {key for key in marks(frame.drawing) if key.endswith("-line")}
    for number, (text, box) in enumerate(boxes.items()):
        own = places[text]
        others = [place for name, place in places.items() if name != text and place != own]
        assert all(gap(box, place) >= 3.0 for place in places.values())
        if f"label-effects-{number}-line" not in led:
            assert all(gap(box, own) <= gap(box, place) for place in others)


def test_a_single_label_stands_to_the_right():
    frame, _, boxes = written([(5.0, 5.0)])
    assert boxes["Study 0"][0] == frame.panel().place(5.0, 5.0)[0] + 5.0


def test_at_the_right_edge_it_stands_to_the_left():
    frame, _, boxes = written([(10.0, 5.0)])
    assert boxes["Study 0"][2] < frame.panel().place(10.0, 5.0)[0]


def test_a_label_moves_off_a_line():
    _, _, boxes = written([(5.0, 5.0)], lines=[([0.0, 10.0], [5.0, 5.0])])
    frame, _, _ = written([(5.0, 5.0)])
    across = frame.panel().place(5.0, 5.0)[1]
    assert boxes["Study 0"][3] < across or boxes["Study 0"][1] > across


def test_no_more_are_written_than_asked_for_the_first_first():
    _, _, boxes = written([(2.0, 2.0), (5.0, 5.0), (8.0, 8.0)], most=2)
    assert list(boxes) == ["Study 0", "Study 1"]


def test_identical_marks_are_not_named_twice_at_one_place():
    _, _, boxes = written([(5.0, 5.0)] * 2)
    assert len(set(boxes.values())) == len(boxes)


def test_marks_beyond_the_panel_have_no_label():
    _, _, boxes = written([(50.0, 5.0), (5.0, 5.0)])
    assert list(boxes) == ["Study 1"]
