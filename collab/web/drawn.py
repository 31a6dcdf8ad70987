"""Parts of pages that are drawn once and kept.

A macro sees its values and nothing of the request but the language and where the portal is mounted: for the same ones
it always draws the same. The table of the queue, the piles at the left and the filter form are looked at again and
again by people who go to and fro between inquiries; putting them together anew took half of the time of such a page.
What a person may see is asked anew for every page: a part is only found by the very values that have just been read.
"""

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, request
from markupsafe import Markup

from collab.web import hooks

#: About forty pages of the queue: a few megabytes.
KEPT = 1024


def init_app(app: Flask) -> None:
    """Offer it to the templates."""
    app.jinja_env.globals.update(drawn_once=drawn_once, drawn_each=drawn_each)


def drawn_once(template: str, macro: str, *values: Hashable) -> Markup:
    """What a macro makes of these values, which must be all that it shows.

    :param template: where it is; imported without context, so that it sees nothing else.
    :param values: compared by value: nothing that can be changed afterwards.
    """
    return _drawn(hooks.babel_locale(), request.root_path, template, macro, values)


def drawn_each(template: str, macro: str, many: Iterable[Hashable], *values: Hashable) -> Markup:
    """The same for each of many first values, one after the other."""
    locale, root = hooks.babel_locale(), request.root_path
    return Markup("").join(_drawn(locale, root, template, macro, (one, *values)) for one in many)


@lru_cache(maxsize=KEPT)
def _drawn(_locale: str, _root: str, template: str, macro: str, values: tuple[Hashable, ...]) -> Markup:
    module: Any = current_app.jinja_env.get_template(template).module
    return Markup(getattr(module, macro)(*values))  # noqa: S704  # escaped by the template
