"""Pages that are the same for everybody, drawn once for each content.

A page brings a *sheet*: what its templates are given, and what they drew of it. A sheet is found under the digests of
everything it is made from, with language, address and day: other content is another sheet, and none ever has to be
thrown away for being old.

A page that takes nothing from the request is kept whole, but for the address of its other language, which carries the
query on. A page that answers a question is drawn each time and keeps the pieces that stand in its templates between
``{% call keep("foot") %}`` and ``{% endcall %}``: no question may change them. Without a sheet (the partners' pages)
``keep`` draws what stands in it.
"""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from flask import Flask, render_template
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import escape

#: So many sheets one process keeps, about 25 KB each; the eldest go first.
MOST_SHEETS = 400


#: Stands for the other language's address in a kept page. Nobody can know it, so no content holds it.
OTHER_LANGUAGE = f"other-{secrets.token_hex(16)}"


@dataclass(frozen=True)
class Sheet:
    """One page in one language, as drawn from one content.

    :param given: what its templates are given; nothing of a request, nothing of a person.
    :param pieces: what they drew of it, finished and escaped, by name; the whole page has none.
    """

    given: dict[str, Any]
    pieces: dict[str, str] = field(default_factory=dict)

    def piece(self, name: str, draw: Callable[[], str]) -> str:
        """A piece, drawn at the first call."""
        found = self.pieces.get(name)
        if found is None:
            found = self.pieces[name] = draw()
        return found


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


def page(template: str, sheet: Sheet, other_language: str | None, asked: dict[str, Any]) -> str:
    """Put a page together.

    :param asked: what its templates are given for this request alone.
    """
    if asked:
        return render_template(template, sheet=sheet, **sheet.given, **asked)
    whole = sheet.piece("", lambda: render_template(template, **sheet.given, other_lang_url=OTHER_LANGUAGE))
    return whole.replace(OTHER_LANGUAGE, escape(other_language or ""))


@pass_context
def keep(context: Context, name: str, caller: Callable[[], str]) -> str:
    """A piece of a page that no question changes."""
    sheet: Sheet | None = context.get("sheet")
    return caller() if sheet is None else sheet.piece(name, caller)


def init_app(app: Flask) -> None:
    """Give the templates ``keep``."""
    app.extensions["collab.sheets"] = Sheets()
    app.jinja_env.globals["keep"] = keep
