"""Rendering: from a name and what it needs to subject, text and HTML in the reader's language.

``templates/mail/<name>/`` holds ``subject.txt``, ``body.txt`` and, where the HTML is to say more than the text made
into paragraphs, ``body.html`` (the inner part of ``mail/layout.html``). Each is rendered under the locale it is for,
so one template with gettext sentences serves all languages. A partner's mail carries both languages, the reader's
first (domain.md B.5).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import current_app
from flask_babel import force_locale
from jinja2 import Environment
from markupsafe import Markup, escape

from collab.core import site
from collab.core.wording import format_day, format_moment

LANGUAGES = ("en", "zh")
#: Between the two languages of a letter.
LINE_BETWEEN = "\n\n" + "-" * 40 + "\n\n"
_LINK = re.compile(r"https?://[^\s<>\"'，。；：！？、）】》]+[^\s<>\"'，。；：！？、）】》.,;:!?)]")


@dataclass(frozen=True)
class Composed:
    """A mail's three parts, ready for ``enqueue``."""

    subject: str
    text: str
    html: str


def compose(name: str, locale: str, *, bilingual: bool = True, **context: Any) -> Composed:
    """Render one mail.

    Besides ``context`` the templates have ``lang``, ``link(path)`` (absolute, from the configured address),
    ``day(date)``, ``moment(datetime)`` and ``institution`` if given. A value of ``context`` that is a mapping with
    exactly the languages as keys (``{"en": …, "zh": …}``) is handed over in the language being rendered.

    :param name: a folder under ``templates/mail``.
    :param locale: ``en`` or ``zh``: the reader's.
    :param bilingual: put the other language below; for mails to partners.
    """
    first = locale if locale in LANGUAGES else LANGUAGES[0]
    languages = [first, *(other for other in LANGUAGES if bilingual and other != first)]
    texts = [(lang, _render(f"mail/{name}/body.txt", lang, context).strip()) for lang in languages]
    parts = [(lang, _html(name, lang, text, context)) for lang, text in texts]
    subject = " ".join(_render(f"mail/{name}/subject.txt", first, context).split())
    with force_locale(first):
        html = current_app.jinja_env.get_template("mail/layout.html").render(
            subject=subject, lang=first, parts=parts
        )
    return Composed(subject=subject, text=LINE_BETWEEN.join(text for _lang, text in texts) + "\n", html=html)


def paragraphs(text: str) -> Markup:
    """Plain text as HTML: paragraphs, lists of ``- `` lines, line breaks, addresses as links; all else escaped."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = block.split("\n")
        if all(line.startswith("- ") for line in lines):
            items = Markup("").join(Markup("<li>{}</li>").format(_linked(line[2:])) for line in lines)
            blocks.append(Markup("<ul>{}</ul>").format(items))
        else:
            blocks.append(Markup("<p>{}</p>").format(Markup("<br>\n").join(_linked(line) for line in lines)))
    return Markup("\n").join(blocks)


def _render(template: str, lang: str, context: Mapping[str, Any]) -> str:
    # The environment, not flask.render_template: its context knows the request, and a mail has none.
    with force_locale(lang):
        return current_app.jinja_env.get_template(template).render(_context(lang, context))


def _html(name: str, lang: str, text: str, context: Mapping[str, Any]) -> Markup:
    template = f"mail/{name}/body.html"
    if template not in _templates(current_app.jinja_env):
        return paragraphs(text)
    return Markup(_render(template, lang, context))  # noqa: S704  # escaped by the template


@lru_cache(1)
def _templates(environment: Environment) -> frozenset[str]:
    return frozenset(environment.list_templates(filter_func=lambda name: name.startswith("mail/")))


def _context(lang: str, context: Mapping[str, Any]) -> dict[str, Any]:
    timezone = context.get("timezone", "Asia/Shanghai")
    values = {
        key: value[lang] if isinstance(value, Mapping) and set(value) == set(LANGUAGES) else value
        for key, value in context.items()
    }
    return {
        "lang": lang,
        "link": site.address,
        "day": lambda value: format_day(value, lang, timezone=timezone),
        "moment": lambda value: format_moment(value, lang, timezone=timezone),
        **values,
    }


def _linked(line: str) -> Markup:
    parts, at = [], 0
    for found in _LINK.finditer(line):
        parts.append(escape(line[at : found.start()]))
        parts.append(Markup('<a href="{0}">{0}</a>').format(found.group()))
        at = found.end()
    parts.append(escape(line[at:]))
    return Markup("").join(parts)
