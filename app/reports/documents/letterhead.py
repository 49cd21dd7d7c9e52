"""Who issues a report, under whom, and to whom it goes, from a unit's kind and place in the tree.

Decree 30/2020/NĐ-CP, annex I: a body stands in bold, and the body that it directly belongs to above
it. A province, a district or a commune is a place; its People's Committee issues, and belongs to no
body. A department, a hospital or a ward belongs to what stands above it in the tree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.figures.results import Names
from app.messages.words import Words
from app.registry.models import UnitKind
from app.registry.queries import UnitNode, line_of
from app.settings.signers import Signer

#: Places: what issues there is the People's Committee.
PLACES = frozenset({UnitKind.PROVINCE, UnitKind.DISTRICT, UnitKind.COMMUNE})
#: Bodies whose parts write to those who direct them.
_DIRECTED = frozenset({UnitKind.HOSPITAL, UnitKind.HEALTH_CENTRE})
#: What a place's Vietnamese name begins with.
_SORT = re.compile(
    r"(?P<sort>Tỉnh|Thành phố|Quận|Huyện|Thị xã|Xã|Phường|Thị trấn|Đặc khu) (?P<own>.+)"
)
#: Names in a registry that say the People's Committee already.
_COMMITTEE = re.compile(r"(?:Ủy ban nhân dân|Uỷ ban nhân dân|UBND) (?P<place>.+)")


@dataclass(frozen=True)
class Letterhead:
    """The first lines of an official letter, and its addressee; empty where there is none."""

    #: The body above the issuer; or the words "People's Committee", a part of the issuer's name.
    above: str
    #: Its place, where that is to be said.
    above_place: str
    issuer: str
    #: Whether the line above is a part of the issuer's own name.
    one_name: bool
    #: The body above that the report is sent to.
    addressee: str
    #: The place before the date.
    place: str


@dataclass(frozen=True)
class Signing:
    """A letter's number and who signs it, as far as either is known."""

    number: str = ""
    symbol: str = ""
    #: As what somebody signs, a line each.
    position: tuple[str, ...] = ()
    name: str = ""

    def or_else(self, usual: Signer) -> Signing:
        """With what is usual for the unit wherever nothing else was said.

        A name is somebody's who signs as something: the usual name does not stand under another
        position.
        """
        position = self.position or usual.position
        name = self.name or (usual.name if position == usual.position else "")
        return Signing(self.number, self.symbol or usual.symbol, position, name)

    def numbered(self, symbol: str) -> str:
        """The number with its sign, ``symbol`` where none is known: 12/BC-UBND, or …/BC-….

        A number that has a sign already is written as it is.
        """
        if "/" in self.number:
            return self.number
        return f"{self.number or '…'}/{self.symbol or symbol}"


#: Nothing is known: what the settings say holds, and the rest is dotted.
UNSIGNED = Signing()


def line(session: Session, units: Iterable[int]) -> tuple[UnitNode, ...]:
    """The nearest unit that some units all belong to, and what stands above it, nearest first."""
    shared: list[UnitNode] | None = None
    for id in units:
        above = line_of(session, id)
        ids = {node.id for node in above}
        shared = above if shared is None else [node for node in shared if node.id in ids]
        if not shared:
            break
    return tuple(shared or ())


def letterhead(words: Words, line: Sequence[UnitNode]) -> Letterhead:
    """The letterhead of a unit; ``line`` is the unit itself and what stands above it.

    Without a unit there is room to write both by hand.
    """
    if not line:
        above, issuer = words("report.issuer_above"), words("report.issuer")
        return Letterhead(above, "", issuer, one_name=False, addressee="", place="…")
    unit, higher = line[0], line[1:]
    above, place = body(words, higher) if higher else ("", "")
    addressee = f"{above} {place}".strip()
    if higher and higher[0].kind in _DIRECTED:
        addressee = words("report.directors", unit=addressee)
    one_name = unit.kind in PLACES
    if one_name:
        above, place, issuer = words("report.committee"), "", _place(words, unit)
    else:
        issuer = named(words, unit)
    return Letterhead(above, place, issuer, one_name, addressee, _seat(words, line))


def body(words: Words, line: Sequence[UnitNode]) -> tuple[str, str]:
    """The body that acts for the first unit of a line, and its place where that is to be said."""
    unit, higher = line[0], line[1:]
    if unit.kind in PLACES:
        return words("report.committee"), within(_place(words, unit))
    name = named(words, unit)
    # A department is called alike in every province.
    if unit.kind != UnitKind.AGENCY or not higher or higher[0].kind not in PLACES:
        return name, ""
    place = within(_place(words, higher[0]))
    if place.casefold() in name.casefold():
        return name, ""
    if words.language == "vi":
        sort = place.removesuffix(_bare(higher[0])).strip()
        return name.removesuffix(f" {sort}"), place
    return words("report.of_place", name=name), place


def named(words: Words, unit: UnitNode) -> str:
    """A unit's name in the language of the words."""
    return words.name(Names(vi=unit.name_vi, en=unit.name_en))


def within(name: str) -> str:
    """A name within a sentence: tỉnh Bà Rịa – Vũng Tàu, but Phường 1, which has no other name."""
    found = _SORT.fullmatch(name)
    if found is None or found["own"][0].isdigit():
        return name
    return found["sort"].lower() + name[len(found["sort"]) :]


def _place(words: Words, unit: UnitNode) -> str:
    """A place's name, without its People's Committee where the registry names that."""
    name = named(words, unit)
    found = _COMMITTEE.fullmatch(name)
    if found is not None:
        return found["place"][0].upper() + found["place"][1:]
    return re.sub(r"^People.s Committee of (?:the )?", "", name)


def _bare(unit: UnitNode) -> str:
    """A place's name without what sort of place it is, unless it has no name but a number."""
    name = unit.name_vi
    committee = _COMMITTEE.fullmatch(name)
    if committee is not None:
        name = committee["place"][0].upper() + committee["place"][1:]
    found = _SORT.fullmatch(name)
    return name if found is None or found["own"][0].isdigit() else found["own"]


def _seat(words: Words, line: Sequence[UnitNode]) -> str:
    """Where a letter is written: the nearest place, called as the decree has it."""
    for unit in line:
        if unit.kind in PLACES:
            bare = _bare(unit)
            return _place(words, unit) if bare == unit.name_vi else bare
    return "…"
