"""Which items a form asks: one rule for form, kiosk and server.

An item with a condition is asked where the item that it hangs on was asked, and answered with one
of the condition's values. So hidden hides on, however long the chain. The scripts of the form and
of the kiosk have the same rule; a test holds all to one table of cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from surveys.model import BaseItem


def hidden(items: Iterable[BaseItem], given: Callable[[str], object]) -> set[str]:
    """The codes of the items that are not asked, after the answers that ``given`` finds by code.

    ``items`` stand in the form's order; those without a condition may be left out.
    """
    found: set[str] = set()
    for item in items:
        condition = item.shown_if
        if condition is not None and (
            condition.item in found or given(condition.item) not in condition.is_
        ):
            found.add(item.code)
    return found
