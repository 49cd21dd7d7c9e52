"""Who signs the reports of which unit, as a setting names them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Signer:
    """Who signs a unit's letters, and the sign that follows their number; empty where not known."""

    #: What the number ends with: BC-UBND.
    symbol: str = ""
    #: As what somebody signs, a line each: TM. ỦY BAN NHÂN DÂN, CHỦ TỊCH.
    position: tuple[str, ...] = ()
    name: str = ""


def lines_of(position: str) -> tuple[str, ...]:
    """The lines of a position, which a stroke between blanks divides."""
    return tuple(filter(None, map(str.strip, position.split(" / "))))


@dataclass(frozen=True)
class Signers:
    """Signers by the code of the unit that issues."""

    by_unit: tuple[tuple[str, Signer], ...] = ()

    @classmethod
    def read(cls, given: Signers | str) -> Signers:
        """From ``77 = BC-UBND | TM. ỦY BAN NHÂN DÂN / CHỦ TỊCH | Trần Văn A; H1 = …``.

        Raises
        ------
        ValueError
            For what names no unit or has too many parts, and a unit that comes twice.
        """
        if isinstance(given, Signers):
            return given
        found: dict[str, Signer] = {}
        for part in filter(None, map(str.strip, given.split(";"))):
            code, stands, rest = part.partition("=")
            parts = [*map(str.strip, rest.split("|"))]
            if not stands or not code.strip() or len(parts) > 3:
                raise ValueError(f"a signer is UNIT = SYMBOL | POSITION | NAME, not {part!r}")
            if code.strip() in found:
                raise ValueError(f"the unit {code.strip()} has two signers")
            symbol, position, name = (*parts, "", "")[:3]
            found[code.strip()] = Signer(symbol, lines_of(position), name)
        return cls(tuple(found.items()))

    def of(self, unit: str) -> Signer:
        """Who signs what a unit issues; a signer of whom nothing is known where none is named."""
        return dict(self.by_unit).get(unit, Signer())

    def __str__(self) -> str:
        """As it is read."""
        return "; ".join(
            f"{code} = {each.symbol} | {' / '.join(each.position)} | {each.name}"
            for code, each in self.by_unit
        )
