"""Reads a QuestionnaireResponse of FHIR, R4 and R5 alike, into the body of a response.

What says who answered (subject, author, source, encounter, contained resources, narrative) is not
read: a response here is nobody's. Nor are numbers made of texts, or levels of truths: an answer has
the type that its item has, or is refused by its path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.importing.cells import Answer, CellRefused, ItemCells, NotGiven
from app.importing.mapping import NO_OPINION, ColumnMeaning
from app.importing.moments import moment_of
from app.intake.ids import made_uuid7
from app.problems import FieldError, InvalidFields
from app.registry.questionnaires import Published
from app.text_keys import TextKeys
from surveys.model import (
    CodedItem,
    LongTextItem,
    MultipleChoiceItem,
    NumberItem,
    PercentItem,
    RatedItem,
    ShortTextItem,
    SingleChoiceItem,
    TextItem,
    ZeroToTenItem,
)

NAME = "QuestionnaireResponse"
#: Of ``meta.tag``: the public code of the survey point.
POINT_SYSTEM = "urn:hailong:point"
#: How deep items may stand within one another, and how many there may be.
_DEEPEST, _MOST_ITEMS = 30, 2000
_LONGEST = 500
_PURPOSE = b"fhir"
#: Codes of "no opinion" among options.
_NONE = ("na", NO_OPINION)
_CANONICAL = re.compile(r"(?:.*[:/])?(?P<code>[a-z][a-z0-9-]{1,47})(?:\|(?P<version>[0-9]{1,5}))?")
_WHOLE = re.compile(r"\d{4}-\d{2}-\d{2}(?:T.+(?:Z|[+-]\d{2}:\d{2}))?")
Node = Mapping[str, object]
#: A version of a questionnaire by code and number, or the only one; None where there is none.
Find = Callable[[str, int | None], Published | None]


@dataclass(frozen=True)
class FhirRead:
    """What was read: the body of a response without its id, its version, and what names it."""

    body: dict[str, object]
    version: Published
    #: What tells it from all others, wherever it comes in; None where it says nothing of the kind.
    key: tuple[str, ...] | None
    #: The same where the point has to be known, too.
    local_key: str
    answered_at: datetime
    #: Where each item's answer stands.
    paths: Mapping[str, str]

    def with_ids(
        self, keys: TextKeys, codes: Callable[[str], Sequence[str]], content: object
    ) -> tuple[dict[str, object], tuple[str, ...]]:
        """The body with its id, and the ids under which it may stand from before.

        ``codes`` are all that the point of a code had, the first one first; ``content`` is what
        it is known by where it has no id of its own.
        """
        point = str(self.body.get("point") or "")
        moment = datetime(2000, 1, 1, tzinfo=self.answered_at.tzinfo)
        said: list[object] = []
        if self.key is not None:
            said = [["id", *self.key]]
        else:
            places = codes(point)
            if self.local_key:
                said = [["at", place, self.local_key] for place in places]
            else:
                moment = self.answered_at
                said = [["content", place, content] for place in places]
        hashes = [hash for each in said for hash in keys.hashes(_PURPOSE, each)]
        first, *former = (str(made_uuid7(moment, hash[-10:])) for hash in dict.fromkeys(hashes))
        return self.body | {"id": first}, tuple(former)


def read_response(
    resource: object, find: Find, zone: ZoneInfo, point: str = "", full_url: str = ""
) -> FhirRead:
    """One QuestionnaireResponse.

    Raises
    ------
    InvalidFields
        With the path of everything that is wrong.
    """
    return _Reading(resource, find, zone).read(point, full_url)


class _Reading:
    def __init__(self, resource: object, find: Find, zone: ZoneInfo) -> None:
        self._resource: Node = resource if isinstance(resource, dict) else {}
        self._find, self._zone = find, zone
        self._errors: list[FieldError] = []
        self._items = 0
        self._paths: dict[str, str] = {}

    def read(self, point: str, full_url: str) -> FhirRead:
        resource = self._resource
        if resource.get("resourceType") != NAME:
            self._wrong(
                "resourceType", "importing.fhir_type", value=_short(resource.get("resourceType"))
            )
            raise self._refusal()
        status = resource.get("status")
        if status not in ("completed", "amended", "stopped"):
            self._wrong("status", "importing.fhir_status", value=_short(status))
        if "modifierExtension" in resource:
            self._wrong("modifierExtension", "importing.fhir_modifier")
        version = self._version()
        answered_at = self._authored()
        if version is None or answered_at is None:
            raise self._refusal()
        answers = self._answers(version)
        if self._errors:
            raise self._refusal()
        body: dict[str, object] = {
            "questionnaire": version.form.code,
            "version": version.form.version,
            "answered_at": answered_at.isoformat(),
            "language": self._language(),
            "answers": answers,
        }
        if place := (self._point() or point).strip().upper():
            body["point"] = place
        if status == "stopped":
            body["partial"] = True
        return FhirRead(
            body, version, self._key(full_url), self._local_key(), answered_at, self._paths
        )

    def _version(self) -> Published | None:
        written = self._resource.get("questionnaire")
        found = _CANONICAL.fullmatch(written) if isinstance(written, str) else None
        version = None
        if found is not None and len(str(written)) <= _LONGEST:
            number = int(found["version"]) if found["version"] else None
            version = self._find(found["code"], number)
        if version is None:
            self._wrong("questionnaire", "importing.fhir_questionnaire", value=_short(written))
        return version

    def _authored(self) -> datetime | None:
        written = self._resource.get("authored")
        moment = None
        if isinstance(written, str) and _WHOLE.fullmatch(written):
            try:
                moment = moment_of(written, self._zone, None)
            except (ValueError, OverflowError):
                moment = None
        if moment is None:
            self._wrong("authored", "importing.fhir_authored", value=_short(written))
        return moment

    def _language(self) -> str:
        written = self._resource.get("language")
        return written.split("-")[0].lower() if isinstance(written, str) and written else "vi"

    def _point(self) -> str:
        meta = self._resource.get("meta")
        for tag in _objects(meta if isinstance(meta, dict) else {}, "tag"):
            if tag.get("system") == POINT_SYSTEM and isinstance(tag.get("code"), str):
                return str(tag["code"])[:16]
        return ""

    def _key(self, full_url: str) -> tuple[str, ...] | None:
        """A business identifier with its system, or an id that is the world's."""
        given = self._resource.get("identifier")  # one in R4, several in R5
        for each in given if isinstance(given, list) else [given]:
            if isinstance(each, dict) and isinstance(each.get("value"), str) and each.get("system"):
                return ("identifier", str(each["system"])[:_LONGEST], each["value"][:_LONGEST])
        if full_url.startswith(("urn:oid:", "https://", "http://")):
            return ("url", full_url[:_LONGEST])
        # Many draw one anew for each Bundle, in which the resource keeps its own id.
        if full_url.startswith("urn:uuid:") and not self._local_key():
            return ("url", full_url[:_LONGEST])
        return None

    def _local_key(self) -> str:
        given = self._resource.get("id")
        return given[:_LONGEST] if isinstance(given, str) else ""

    def _answers(self, version: Published) -> dict[str, Answer]:
        items = {item.code: item for item in version.form.items}
        found: dict[str, Answer] = {}
        for path, node in self._walk(self._resource, NAME, 0):
            given = _objects(node, "answer")
            if not given:
                continue
            code = node.get("linkId")
            item = items.get(code) if isinstance(code, str) else None
            if item is None:
                self._at(f"{path}.linkId", "importing.fhir_link", value=_short(code))
            elif item.code in found:
                self._at(f"{path}.linkId", "importing.fhir_twice", value=item.code)
            elif len(given) > 1 and not isinstance(item, MultipleChoiceItem):
                self._at(f"{path}.answer", "importing.fhir_several", item=item.code)
            else:
                self._paths[item.code] = f"{path}.answer"
                self._answer(path, item, given, version, found)
        return found

    def _walk(self, node: Node, path: str, depth: int) -> Iterator[tuple[str, Node]]:
        """All items, those within items and within answers too."""
        if depth > _DEEPEST:
            self._at(path, "importing.fhir_deep", most=_DEEPEST)
            return
        for n, item in enumerate(_objects(node, "item")):
            self._items += 1
            if self._items > _MOST_ITEMS:
                self._at(path, "importing.fhir_items", most=_MOST_ITEMS)
                return
            here = f"{path}.item[{n}]"
            yield here, item
            yield from self._walk(item, here, depth + 1)
            for m, answer in enumerate(_objects(item, "answer")):
                yield from self._walk(answer, f"{here}.answer[{m}]", depth + 1)

    def _answer(
        self,
        path: str,
        item: CodedItem | TextItem,
        given: Sequence[Node],
        version: Published,
        found: dict[str, Answer],
    ) -> None:
        cells = ItemCells(
            ColumnMeaning(item=item.code, words=_words(item, version)), item, version.form,
            frozenset(), "en", digits_are_codes=True,
        )  # fmt: skip
        chosen: list[int] = []
        nothing = ""
        for n, each in enumerate(given):
            names = [name for name in each if name.startswith("value")]
            if not names:
                continue  # R4 lets an answer be nothing but further items
            here = f"{path}.answer[{n}].{names[0]}"
            try:
                if len(names) > 1:
                    raise CellRefused("importing.fhir_values")
                answer = cells.answer(_value(item, names[0], each[names[0]]))
            except NotGiven:
                continue
            except CellRefused as refused:
                self._at(here, refused.reason, **refused.values)
                continue
            if isinstance(item, MultipleChoiceItem) and isinstance(answer, list):
                chosen += answer
                found[item.code] = list(chosen)
            else:
                found[item.code] = answer
                nothing = here if answer is None else nothing
        if chosen and nothing:
            # Our Questionnaire says that it excludes the others; whoever shows both to be ticked
            # leaves it open which of the two was meant.
            self._at(nothing, "importing.fhir_none_beside", item=item.code)

    def _wrong(self, field: str, reason: str, **values: object) -> None:
        self._at(f"{NAME}.{field}", reason, **values)

    def _at(self, path: str, reason: str, **values: object) -> None:
        self._errors.append(FieldError(path, reason, values))

    def _refusal(self) -> InvalidFields:
        return InvalidFields(errors=self._errors, count=len(self._errors))


def _value(item: CodedItem | TextItem, name: str, value: object) -> str | int | float:
    """The value of an answer as a cell has it, if it is of the item's type.

    Raises
    ------
    CellRefused
        Where it is of another.
    """
    match item, name, value:
        case ((RatedItem() | SingleChoiceItem() | MultipleChoiceItem()), "valueCoding", {}):
            for part in ("code", "display"):
                if isinstance(value, dict) and isinstance(written := value.get(part), str):
                    return written
        case ((RatedItem() | SingleChoiceItem() | MultipleChoiceItem()), "valueString", str()):
            return value
        case ((ShortTextItem() | LongTextItem()), ("valueString" | "valueMarkdown"), str()):
            return value
        case NumberItem() | PercentItem() | ZeroToTenItem(), "valueQuantity", {"value": number}:
            if type(number) in (int, float):
                return number  # type: ignore[no-any-return]
        case (
            NumberItem() | PercentItem() | ZeroToTenItem() | RatedItem() | SingleChoiceItem()
            | MultipleChoiceItem()
        ), ("valueInteger" | "valueDecimal"), (int() | float()):  # fmt: skip
            if type(value) is not bool and not (name == "valueInteger" and type(value) is float):
                return value
        case ((NumberItem() | PercentItem() | ZeroToTenItem()), "valueCoding", {"code": code}):
            if code in _NONE:
                return NO_OPINION
    raise CellRefused("importing.fhir_value", item=item.code, name=name)


def _words(item: CodedItem | TextItem, version: Published) -> dict[str, int | str]:
    """The code under which "no opinion" stands in the form as it is written for FHIR."""
    return dict.fromkeys(_NONE, NO_OPINION) if item.code in version.sheet.with_no_opinion else {}


def _objects(node: Node, name: str) -> list[Node]:
    given = node.get(name)
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _short(value: object) -> str:
    return "" if value is None else str(value)[:100]
