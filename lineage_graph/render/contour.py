"""The outline of a drawn subtree: how far it reaches to both sides in each generation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Contour:
    """``left`` and ``right``: by generation, in pixels from an origin that lies ``shift`` right of the subtree's root.

    The shift moves a whole outline in constant time, so that long chains cost no more than wide trees.
    """

    left: dict[int, float] = field(default_factory=dict)
    right: dict[int, float] = field(default_factory=dict)
    shift: float = 0.0

    def reserve(self, generations: Iterable[int], width: float) -> None:
        """Keep ``width`` free around the root's place in these generations."""
        for generation in generations:
            self.stretch(generation, -width / 2, width / 2)

    def stretch(self, generation: int, left: float, right: float) -> None:
        """Reach at least from ``left`` to ``right``, seen from the root."""
        self.left[generation] = min(self.left.get(generation, left), left - self.shift)
        self.right[generation] = max(self.right.get(generation, right), right - self.shift)

    def distance(self, other: Contour) -> float:
        """How far right of this root the other root has to stand, so that the outlines just touch."""
        few, many = sorted((self.left, other.left), key=len)
        gaps = [self.right[g] + self.shift - other.left[g] - other.shift for g in few if g in many]
        return max(gaps, default=0.0)


def join(outlines: Sequence[Contour]) -> tuple[list[float], Contour]:
    """Push subtrees together from left to right: the place of each root, seen from the first, and the outline of all.

    The outlines are used up.
    """
    if not outlines:
        return [], Contour()
    whole, places = outlines[0], [0.0]
    for outline in outlines[1:]:
        place = whole.distance(outline)
        outline.shift += place
        places.append(place)
        small, whole = sorted((whole, outline), key=lambda part: len(part.left))
        for generation in small.left:
            whole.stretch(generation, small.left[generation] + small.shift, small.right[generation] + small.shift)
    return places, whole
