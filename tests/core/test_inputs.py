import numpy as np
import pytest

from ipsevidence.core.inputs import InputError, check_array, check_effects, check_level, check_number


@pytest.mark.parametrize(
    ("y", "v", "parameter", "study", "message"),
    [
        ([1, np.nan], [1, 1], "y", 1, "y must be finite; got nan in study 2 of 2"),
        ([np.inf, 1], [1, 1], "y", 0, "y must be finite; got inf in study 1"),
        ([1, 1], [1, 0], "v", 1, "v must be finite and above 0; got 0 in study 2 of 2"),
        ([1, 1], [-2, 1], "v", 0, "v must be finite and above 0; got -2 in study 1"),
        ([1, 1], [1, np.inf], "v", 1, "v must be finite and above 0; got inf in study 2"),
        ([1, 1, 1], [1, 1], "v", None, "v must have as many studies as y (3); got 2"),
        ([], [], "y", None, "y must have at least one study; got none"),
        ([[1, 2]], [[1, 2]], "y", None, "y must have one dimension, one number per study; got shape (1, 2)"),
        (["a"], [1], "y", None, "y must be a sequence of numbers, one per study; got ['a']"),
        ([1, [2, 3]], [1, 1], "y", None, "y must be a sequence of numbers"),
        (["x" * 100], [1], "y", None, "xxx..."),
    ],
)
def test_errors_name_parameter_and_study(y, v, parameter, study, message):
    with pytest.raises(InputError) as raised:
        check_effects(y, v)
    assert message in str(raised.value)
    assert (raised.value.parameter, raised.value.study) == (parameter, study)


def test_a_plain_number_is_one_study():
    assert check_array("y", 2).shape == (1,)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, float("nan"), "0.95", None, True])
def test_level_is_between_0_and_1(level):
    with pytest.raises(InputError, match="level must be a number, finite and above 0 and below 1"):
        check_level(level)


def test_numbers():
    assert check_number("add", np.float32(0.5)) == 0.5
    with pytest.raises(InputError, match="x must be a number, finite; got inf"):
        check_number("x", float("inf"))
