"""Text that people typed: made regular before it is checked or kept, refused when it hides something."""

import re
import unicodedata

# C0/C1 controls but tab and line feed; bidi embeddings, overrides and isolates; zero-width and other invisible
# format characters that serve to disguise; line and paragraph separators; lone surrogates; noncharacters.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\u200b\u2060\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_SPACES = re.compile(r"[^\S\n]+")


class HiddenCharacters(ValueError):
    """The text holds control or direction-override characters."""


def clean_text(value: str) -> str:
    """Several lines: line ends made ``\\n``, NFC, trimmed.

    :raises HiddenCharacters: control or bidi-override characters in it.
    """
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if _HIDDEN.search(value):
        raise HiddenCharacters
    return value


def clean_line(value: str) -> str:
    """One line: as ``clean_text``, and every run of white space becomes one space.

    :raises HiddenCharacters: control or bidi-override characters in it.
    """
    return _SPACES.sub(" ", clean_text(value).replace("\n", " ")).strip()


def fold(value: str) -> str:
    """For matching only: compatibility form, no accents, no case."""
    # Folded after it is decomposed, too: the letters of formulas and of full width have a case of their own.
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", value.casefold()).casefold())
    return unicodedata.normalize("NFC", "".join(c for c in decomposed if not unicodedata.combining(c)))


def shorten(value: str, length: int) -> str:
    """At most ``length`` characters, cut at a word where there is one, with an ellipsis when cut."""
    value = " ".join(value.split())
    if len(value) <= length:
        return value
    cut = value[: length - 1]
    head, _, tail = cut.rpartition(" ")
    return (head if head and len(tail) < 20 else cut).rstrip(" ,;，；、") + "…"


_CJK = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af]")


def is_cjk(value: str) -> bool:
    """Whether a text is mainly written in Chinese, Japanese or Korean characters (they say more in less)."""
    letters = sum(1 for c in value if c.isalpha())
    return bool(letters) and len(_CJK.findall(value)) * 2 >= letters
