"""What a case measured: a rate, a size or a count, and what it is to be compared with."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value.

    Machines are noisy: a rate means something beside another one of the same run, so a case gives
    the work and its yardstick, and the second names the first in `against`.
    """

    name: str
    value: float
    unit: str
    against: str = ""
    """Name of an earlier figure of the same case; the report then shows this one as a multiple."""
    target: str = ""
    """What was asked for, in words; shown, never judged here."""

    def to_fields(self) -> dict[str, object]:
        """Return the JSON form."""
        return asdict(self)


def ratio(figure: Figure, figures: list[Figure]) -> float | None:
    """Return the figure as a multiple of the one it names, None if it names none.

    Raises:
        ValueError: it names a figure that the case does not have, or one that is zero.
    """
    if not figure.against:
        return None
    base = {each.name: each.value for each in figures}.get(figure.against)
    if not base:
        raise ValueError(f"{figure.name}: no figure {figure.against!r} to compare with")
    return figure.value / base
