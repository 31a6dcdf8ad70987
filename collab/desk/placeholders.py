"""Words in braces that stand for something of an inquiry: ``{full_name}``. Nothing else in a text means anything.

There is no expression, no attribute and no format: a text is copied, and each known word in braces is replaced once.
What is put in is never looked through again, so a name that looks like a placeholder stays a name.
"""

import re
from collections.abc import Collection, Mapping

from flask_babel import gettext as _

_BRACES = re.compile(r"\{([^{}\n]{0,60})\}")
_ANY = re.compile(r"[{}｛｝]")


class Unknown(ValueError):
    """A text holds something in braces that stands for nothing here; the message is for people."""


def names_in(text: str) -> list[str]:
    """Every word that stands in braces, in order."""
    return [found[1] for found in _BRACES.finditer(text)]


def check(text: str, known: Collection[str]) -> None:
    """:raises Unknown: a placeholder that is not known, or braces that are none."""
    for name in names_in(text):
        if name not in known:
            raise Unknown(_("There is no placeholder {%(name)s} here.", name=name))
    stray = _ANY.search(_BRACES.sub("", text))
    if stray:
        around = text[max(0, text.find(stray[0]) - 10) :][:30]
        raise Unknown(
            _("Braces stand around placeholders only, such as {reference}; mend “%(around)s”.", around=around)
        )


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every placeholder replaced.

    :raises Unknown: as ``check``: a letter is whole, or there is none.
    """
    check(text, values)
    return _BRACES.sub(lambda found: values[found[1]], text)
