"""The sentences of the templates in the reader's language, found with one look into a dictionary.

Flask-Babel asks for domain, locale and catalogue anew at every sentence, and Jinja goes through two more calls to make
it safe and to put its values in: a third of the time a page of the staff takes. A sentence without values is always
the same text in one language, so it is translated once and kept. Only templates ask here, so they are few.
"""

from functools import lru_cache
from typing import Any

from flask import Flask, g
from flask_babel import get_domain, get_locale  # type: ignore[attr-defined]
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup


def init_app(app: Flask) -> None:
    """Take the place of Flask-Babel's own functions in the templates."""
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda s: _catalogue().ugettext(s),
        ngettext=lambda s, p, n: _catalogue().ungettext(s, p, n),
        newstyle=True,
        pgettext=lambda c, s: _catalogue().upgettext(c, s),
        npgettext=lambda c, s, p, n: _catalogue().unpgettext(c, s, p, n),
    )
    app.jinja_env.globals.update(_=sentence, gettext=sentence, ngettext=counted)


@pass_eval_context
def sentence(context: EvalContext, text: str, /, **values: Any) -> str:
    """A sentence; in a page the values put into it are made safe, in a plain text they stay as they are."""
    if not values:
        return _without_values(_catalogue(), text, context.autoescape)
    found: str = _catalogue().ugettext(text)
    return (Markup(found) if context.autoescape else found) % values  # noqa: S704


@pass_eval_context
def counted(context: EvalContext, one: str, many: str, num: int, /, **values: Any) -> str:
    """A sentence about a number, which stands in it as ``%(num)s``."""
    found: str = _catalogue().ungettext(one, many, num)
    return (Markup(found) if context.autoescape else found) % {"num": num, **values}  # noqa: S704


@lru_cache(maxsize=8192)
def _without_values(catalogue: Any, text: str, safe: bool) -> str:
    found: str = catalogue.ugettext(text) % {}  # "%%" stands for a percent sign, with values and without
    return Markup(found) if safe else found  # noqa: S704


def _catalogue() -> Any:
    """The sentences in the reader's language, found once for each request and each language forced within it."""
    here = g.__dict__
    locale = getattr(here.get("_flask_babel"), "babel_locale", None)
    known = here.get("catalogue")
    if known is not None and known[0] is locale:
        return known[1]
    found = get_domain().get_translations()
    here["catalogue"] = (get_locale(), found)
    return found
