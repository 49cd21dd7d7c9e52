"""Reads YAML that strangers wrote: bounded while it is parsed, and without signs that deceive.

Whoever sends a form may be careless or hostile. Size, depth and aliases are therefore held to
bounds as the parser's events come, before anything is expanded: a file of a few lines can stand
for billions of parts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.constructor import ConstructorError

#: Thirty times the longest form that comes with the software.
MOST_BYTES = 256 * 1024
LONGEST_LINE = 4000
#: Keys, values, lists and mappings, with every alias written out: six times the largest form's.
MOST_PARTS = 5_000
#: A form needs nine: the wording of an option of an item of a factor.
DEEPEST = 16

#: What no form needs and no reader sees: controls (tab and line ends apart), signs that turn the
#: direction of writing, separators that YAML takes for line ends, halves and non-characters.
#: Joiners and the zero-width space stay: languages without spaces are written with them.
UNSEEN = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    r"\ud800-\udfff\ufeff\ufffe\uffff]"
)


@dataclass(frozen=True)
class Mark:
    """A place in a file; both count from 1, as editors count."""

    line: int
    column: int

    @classmethod
    def of(cls, mark: Any) -> Mark:
        """A mark of the YAML parser, which counts from 0 and may have none."""
        return cls(mark.line + 1, mark.column + 1) if mark else cls(1, 1)


#: Why a text is not read, by rule, as it is told to whoever writes YAML.
SENTENCES = {
    "larger": "larger than {most} KiB",
    "not_utf16": "not UTF-16 text, which its first bytes promise",
    "not_utf8": "not UTF-8 text; save the file as UTF-8",
    "long_line": "this line has {length} characters; at most {most} are read",
    "unseen": "the sign {sign} is not seen by readers and may not stand in a form",
    "not_yaml": "not YAML: {said}",
    "in_itself": "*{name} stands within itself",
    "tag": "a form needs no tag: {tag}",
    "parts": "with every alias written out, more than {most} keys and values",
    "deep": "more than {most} levels deep",
}


@dataclass(frozen=True)
class Unread:
    """Why a text is not read: one of ``SENTENCES``, and what it speaks of."""

    rule: str
    values: Mapping[str, object]

    def __str__(self) -> str:
        """The sentence for whoever writes YAML."""
        return SENTENCES[self.rule].format(**self.values)


class UnreadableError(ValueError):
    """What a file holds is no YAML that we read."""

    def __init__(
        self, rule: str, mark: Mark, place: tuple[str | int, ...] = (), **values: object
    ) -> None:
        self.said = Unread(rule, values)
        self.mark, self.place = mark, place
        super().__init__(str(self.said))

    @property
    def reason(self) -> str:
        """The sentence for whoever writes YAML."""
        return str(self.said)


def text_of(content: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 where a byte order mark says so (Notepad's).

    Raises
    ------
    UnreadableError
        Where it is neither, too large, or holds a line too long or a sign that nobody sees.
    """
    if len(content) > MOST_BYTES:
        last = content.count(b"\n", 0, MOST_BYTES) + 1
        column = MOST_BYTES - content.rfind(b"\n", 0, MOST_BYTES)
        raise UnreadableError("larger", Mark(last, column), most=MOST_BYTES // 1024)
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        sound = content[: error.start].decode("utf-16" if wide else "utf-8-sig", "ignore")
        rule = "not_utf16" if wide else "not_utf8"
        raise UnreadableError(rule, _mark_at(sound, len(sound))) from error
    if unseen := UNSEEN.search(text):
        mark = _mark_at(text, unseen.start())
        raise UnreadableError("unseen", mark, sign=_named(unseen[0]))
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > LONGEST_LINE:
            mark = Mark(number, LONGEST_LINE + 1)
            raise UnreadableError("long_line", mark, length=len(line), most=LONGEST_LINE)
    return text


def parsed(text: str) -> tuple[yaml.Node | None, Any]:
    """The nodes of a YAML text, with their marks, and what they say; None for an empty text.

    Raises
    ------
    UnreadableError
        Where it is no YAML, or YAML beyond the bounds.
    """
    loader = _BoundedLoader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = Mark.of(error.problem_mark)
        raise UnreadableError("not_yaml", mark, said=error.problem) from error
    except yaml.YAMLError as error:
        raise UnreadableError("not_yaml", Mark(1, 1), said=error) from error
    except UnreadableError:
        raise
    except (ValueError, OverflowError) as error:
        # The scanner meets an escape such as \UFFFFFFFF, which is no character.
        raise UnreadableError("not_yaml", Mark.of(loader.get_mark()), said=error) from error
    finally:
        loader.dispose()


@dataclass
class _Open:
    """A list or mapping whose end has not come yet."""

    anchor: str | None
    is_mapping: bool
    parts_before: int
    #: How many keys and values, or entries, came so far, and the key that was last.
    came: int = 0
    key: str = ""
    #: How many levels stand below.
    height: int = 0

    def step(self) -> str | int:
        return self.key if self.is_mapping else self.came - 1


class _BoundedLoader(yaml.SafeLoader):
    """Stops at the first event beyond the bounds; wordings are composed (NFC) as they are read."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._open: list[_Open] = []
        self._parts = 0
        #: Of each anchor whose node is whole: how many parts it has, and how many levels.
        self._whole: dict[str, tuple[int, int]] = {}

    def get_event(self) -> Any:
        """The next event, within the bounds: the composer goes no deeper than this lets it."""
        event = super().get_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.NodeEvent):
            self._came(event)
            if isinstance(event, yaml.AliasEvent):
                self._alias(event)
            else:
                self._node(event)
        return event

    def _came(self, event: Any) -> None:
        if not self._open:
            return
        inner = self._open[-1]
        inner.came += 1
        if inner.is_mapping and inner.came % 2:
            inner.key = event.value if isinstance(event, yaml.ScalarEvent) else ""

    def _alias(self, event: Any) -> None:
        if any(each.anchor == event.anchor for each in self._open):
            raise self._beyond(event, "in_itself", name=event.anchor)
        # An anchor that is not there is refused by the composer.
        parts, height = self._whole.get(event.anchor, (1, 0))
        self._count(event, parts, height)

    def _node(self, event: Any) -> None:
        if event.tag is not None:
            raise self._beyond(event, "tag", tag=event.tag)
        self._count(event, 1, 0)
        if isinstance(event, yaml.CollectionStartEvent):
            is_mapping = isinstance(event, yaml.MappingStartEvent)
            self._open.append(_Open(event.anchor, is_mapping, self._parts - 1))
            return
        # Signs written as escapes are not seen in the text, only here.
        if unseen := UNSEEN.search(event.value):
            raise self._beyond(event, "unseen", sign=_named(unseen[0]))
        if event.anchor:
            self._whole[event.anchor] = (1, 0)

    def _close(self) -> None:
        closed = self._open.pop()
        if self._open:
            self._open[-1].height = max(self._open[-1].height, closed.height + 1)
        if closed.anchor:
            self._whole[closed.anchor] = (self._parts - closed.parts_before, closed.height + 1)

    def _count(self, event: Any, parts: int, height: int) -> None:
        self._parts += parts
        if self._parts > MOST_PARTS:
            raise self._beyond(event, "parts", most=MOST_PARTS)
        if len(self._open) + height > DEEPEST:
            raise self._beyond(event, "deep", most=DEEPEST)
        if self._open:
            self._open[-1].height = max(self._open[-1].height, height)

    def _beyond(self, event: Any, rule: str, **values: object) -> UnreadableError:
        place = tuple(each.step() for each in self._open if each.came)
        return UnreadableError(rule, Mark.of(event.start_mark), place, **values)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        """A scalar in composed form: one wording has one spelling, and one hash."""
        node: yaml.ScalarNode = super().compose_scalar_node(anchor)
        node.value = unicodedata.normalize("NFC", node.value)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """What a node says; days and numbers that there are none of are told with their place."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, OverflowError) as error:
            raise ConstructorError(None, None, str(error), node.start_mark) from error


def _named(sign: str) -> str:
    return "NUL" if sign == "\0" else f"U+{ord(sign):04X}"


def _mark_at(text: str, position: int) -> Mark:
    line = text.count("\n", 0, position) + 1
    return Mark(line, position - text.rfind("\n", 0, position))
