"""Pieces of public pages, drawn once for each content and joined for each visitor.

What says the same to everybody stands in a template between ``{% call keep("foot") %}`` and ``{% endcall %}``. A page
brings a *sheet*: what its templates are given, and their finished, escaped pieces. A sheet is found under the digests
of everything it is made from, with language, address and day: other content is another sheet, and none ever has to be
thrown away for being old. Without a sheet (partners, staff, errors) ``keep`` draws what stands in it, each time.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from flask import Flask
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

#: So many sheets one process keeps, about 25 KB each; the eldest go first.
MOST_SHEETS = 400


@dataclass(frozen=True)
class Sheet:
    """One page in one language, as drawn from one content.

    :param given: what its templates are given; nothing of a request, nothing of a person.
    :param pieces: what they drew of it, by name.
    """

    given: dict[str, Any]
    pieces: dict[str, Markup] = field(default_factory=dict)


class Sheets:
    """The sheets of one application."""

    def __init__(self) -> None:
        self._sheets: OrderedDict[Hashable, Sheet] = OrderedDict()
        self._changing = Lock()

    def of(self, key: Hashable, fill: Callable[[], dict[str, Any]]) -> Sheet:
        """The sheet kept under a key, filled at the first call.

        :param key: everything that ``fill`` and the templates read. What a caller may freely choose (a query) must
            not be in it: it would be kept.
        """
        found = self._sheets.get(key)
        if found is None:
            found = Sheet(fill())
            with self._changing:
                self._sheets[key] = found
                while len(self._sheets) > MOST_SHEETS:
                    self._sheets.popitem(last=False)
        return found

    def forget(self) -> None:
        """Drop them all."""
        with self._changing:
            self._sheets.clear()

    def __len__(self) -> int:
        return len(self._sheets)


@pass_context
def keep(context: Context, name: str, caller: Callable[[], Markup], *, unless: object = False) -> Markup:
    """A piece of a page, drawn once for each sheet.

    :param unless: true where the piece shows what this request alone asked for; it is then drawn anew and not kept.
    """
    sheet: Sheet | None = context.get("sheet")
    if sheet is None or unless:
        return caller()
    piece = sheet.pieces.get(name)
    if piece is None:
        piece = sheet.pieces[name] = caller()
    return piece


def init_app(app: Flask) -> None:
    """Give the templates ``keep``."""
    app.extensions["collab.sheets"] = Sheets()
    app.jinja_env.globals["keep"] = keep
