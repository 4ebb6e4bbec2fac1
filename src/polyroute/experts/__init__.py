"""Which experts a task or a language calls on, and random experts to compare them with.

Shape legend of this room: N sequences, L layers, E experts, R resamples.
A set of experts is a mapping of the model's own layer numbers to expert numbers; layers without one are left out.
"""

from collections.abc import Mapping

ExpertSet = Mapping[int, tuple[int, ...]]
"""Layer -> its experts, ascending; no layer without experts."""
