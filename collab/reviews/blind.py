"""Blind first reading: what tells who wrote is covered in the texts a reviewer reads before the own review is in.

Names that stand in columns are not shown at all (``inquiries.interests.reads_blind`` says to whom); here they are
covered where the partner wrote them into a text. Files cannot be covered: only their names are hidden.
"""

import re

from babel import Locale

from collab.inquiries.models import Inquiry

#: What stands where something is covered.
COVER = "▒▒▒"
#: Parts of names shorter than this are words of their own too often; in Chinese a name is short.
SHORTEST = 3


def veiled(text: str, inquiry: Inquiry) -> str:
    """A text with the partner's name, address, institution and country covered."""
    for word in _telling(inquiry):
        pattern = re.escape(word)
        if word[0].isascii() and word[-1].isascii():
            pattern = rf"(?<!\w){pattern}(?!\w)"
        text = re.sub(pattern, COVER, text, flags=re.IGNORECASE)
    return text


def file_name(number: int, filename: str) -> str:
    """What a file is called for somebody who must not learn whose it is: its number and its kind."""
    _stem, dot, ending = filename.rpartition(".")
    return (
        f"file-{number}{dot}{ending.lower()}"
        if dot and ending.isascii() and ending.isalnum()
        else f"file-{number}"
    )


def _telling(inquiry: Inquiry) -> list[str]:
    """The words that tell who it is, the longest first, so that a whole name is covered as one."""
    parts = [part for part in re.split(r"[\s,.·]+", inquiry.full_name) if len(part) >= SHORTEST]
    countries = [
        str(Locale.parse(locale).territories.get(inquiry.country, "")) for locale in ("en_GB", "zh_Hans_CN")
    ]
    domain = inquiry.email.rpartition("@")[2]
    words = {inquiry.full_name, inquiry.institution_name, inquiry.email, domain, *parts, *countries}
    return sorted((word for word in words if word and word != "–"), key=len, reverse=True)
