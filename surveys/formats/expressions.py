"""Conditions as formats write them, read as far as ours can say the same.

XLSForm (``selected(${q}, '1') or ${q} = '2'``), LimeSurvey (``q.NAOK == "1"``) and SurveyJS
(``{q} = 1``, ``{q} anyof [1, 2]``) differ in how a question is named and hardly in the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from surveys.formats.outline import Clause

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<ref>\$\{\s*[^{}]+?\s*\}|\{[^{}]+\})
    | (?P<text>'[^']*'|"[^"]*"|’[^’]*’|‘[^’]*’)
    | (?P<number>-?\d+(?:\.\d+)?(?![\w.]))
    | (?P<op><=|>=|==|!=|=|<|>|\(|\)|,|\[|\]|&&|\|\|)
    | (?P<word>[\w.:\-]+)
    )""",
    re.VERBOSE,
)
#: A condition longer than this is no condition on one question.
LONGEST = 4000
DEEPEST = 30
_COMPARED = {"=", "==", "eq", "equal", "<", "<=", ">", ">=", "le", "ge", "lt", "gt"}
_OPERATORS = {"le": "<=", "ge": ">=", "lt": "<", "gt": ">"}
_TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}

_Token = tuple[str, str]


class _Beyond(Exception):  # noqa: N818 - a signal of the parser
    """The condition says more than ours can."""


def clauses(written: str) -> tuple[Clause, ...] | None:
    """The clauses of a condition, which hold together; None where it says more than ours can."""
    if len(written) > LONGEST or (tokens := _tokens(written)) is None:
        return None
    parser = _Parser(tokens)
    try:
        found = parser.either(0)
        parser.end()
    except _Beyond:
        return None
    return found


def _tokens(written: str) -> list[_Token] | None:
    found: list[_Token] = []
    position, written = 0, written.replace("\u00a0", " ").rstrip()
    while position < len(written):
        match = _TOKEN.match(written, position)
        if match is None or match.lastgroup is None:
            return None
        found.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return found


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens, self._at = tokens, 0

    def end(self) -> None:
        if self._at < len(self._tokens):
            raise _Beyond

    def either(self, depth: int) -> tuple[Clause, ...]:
        found = self._all(depth)
        while self._word("or", "||"):
            other = self._all(depth)
            if len(found) != 1 or len(other) != 1 or found[0].question != other[0].question:
                raise _Beyond
            if found[0].tests or other[0].tests:
                raise _Beyond
            codes = dict.fromkeys((*found[0].codes, *other[0].codes))
            found = (Clause(found[0].question, tuple(codes)),)
        return found

    def _all(self, depth: int) -> tuple[Clause, ...]:
        found = self._one(depth)
        while self._word("and", "&&"):
            for clause in self._one(depth):
                last = found[-1]
                if last.question == clause.question and last.tests and clause.tests:
                    merged = Clause(last.question, tests=(*last.tests, *clause.tests))
                    found = (*found[:-1], merged)
                else:
                    found = (*found, clause)
        return found

    def _one(self, depth: int) -> tuple[Clause, ...]:
        if depth > DEEPEST:
            raise _Beyond
        if self._word("("):
            found = self.either(depth + 1)
            self._expect(")")
            return found
        if self._word("selected"):
            self._expect("(")
            question = self._question()
            self._expect(",")
            code = self._literal()
            self._expect(")")
            return (Clause(question, (code,)),)
        if self._next()[0] in ("text", "number"):
            value = self._literal()
            operator = self._operator()
            return (self._clause(self._question(), _TURNED.get(operator, operator), value),)
        question = self._question()
        if self._word("anyof"):
            self._expect("[")
            codes = [self._literal()]
            while self._word(","):
                codes.append(self._literal())
            self._expect("]")
            return (Clause(question, tuple(codes)),)
        operator = self._operator()
        return (self._clause(question, operator, self._literal()),)

    @staticmethod
    def _clause(question: str, operator: str, value: str) -> Clause:
        if operator in ("=", "==", "eq", "equal"):
            return Clause(question, (value,))
        try:
            return Clause(question, tests=((operator, float(value)),))
        except ValueError as error:
            raise _Beyond from error

    def _next(self) -> _Token:
        if self._at >= len(self._tokens):
            raise _Beyond
        return self._tokens[self._at]

    def _word(self, *words: str) -> bool:
        if self._at < len(self._tokens):
            sort, token = self._tokens[self._at]
            if sort in ("op", "word") and token.lower() in words:
                self._at += 1
                return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._word(sign):
            raise _Beyond

    def _operator(self) -> str:
        sort, token = self._next()
        if sort not in ("op", "word") or token.lower() not in _COMPARED:
            raise _Beyond
        self._at += 1
        return _OPERATORS.get(token.lower(), token)

    def _question(self) -> str:
        sort, token = self._next()
        self._at += 1
        if sort == "ref":
            return token.lstrip("$").strip("{} ")
        if sort == "word" and token.lower() not in ("not", "true", "false", "and", "or"):
            return re.sub(r"\.(NAOK|value|code)$", "", token)
        raise _Beyond

    def _literal(self) -> str:
        sort, token = self._next()
        self._at += 1
        if sort == "text":
            return token[1:-1]
        if sort == "number" or (sort == "word" and token in ("true", "false")):
            return token
        raise _Beyond


def passes(code: str, tests: Sequence[tuple[str, float]]) -> bool:
    """Whether a code that is a number passes all tests."""
    try:
        value = float(code)
    except ValueError:
        return False
    return all(
        {"<": value < n, "<=": value <= n, ">": value > n, ">=": value >= n}[operator]
        for operator, n in tests
    )
