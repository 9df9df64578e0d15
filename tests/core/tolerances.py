"""How close is close: one place, with the reason for each."""

# Sums and products of the same numbers: what is left is rounding.
CLOSED = 1e-10
# Found by iteration, and metafor's own stop is an absolute change of 1e-13 in tau2.
ITERATED = 1e-6
# Where the reference is 0, metafor leaves a rest of its own iteration: compared in units of median v.
ZERO = 1e-9
# Nine printed digits: half a unit in the ninth, where the number begins with a 1.
PRINTED = 5e-9
