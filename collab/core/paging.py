"""Keyset paging: a page is found by the last row's key, never by counting rows over (no OFFSET)."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from collab.core.errors import Invalid

T = TypeVar("T")
Key = tuple[int | str | None, ...]


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some rows, and the cursors that lead to those before and after them (``None`` at the ends)."""

    rows: Sequence[T]
    older: str | None = None
    newer: str | None = None


def to_cursor(key: Key, *, back: bool = False) -> str:
    """A key as text for an address."""
    return base64.urlsafe_b64encode(json.dumps([int(back), *key]).encode()).decode().rstrip("=")


def from_cursor(cursor: str, *, length: int) -> tuple[Key, bool]:
    """The key in an address, and whether it asks for the rows before it.

    :raises Invalid: the text is no cursor of this list.
    """
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != length + 1:
            raise ValueError
        back, *key = parts
        if not all(_is_part(part) for part in key):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, UnicodeDecodeError, RecursionError):
        raise Invalid("after", "") from None
    return tuple(key), bool(back)


def _is_part(part: object) -> bool:
    """What a database takes as part of a key: no truth value, no number beyond its own, no NUL, no half character."""
    if isinstance(part, str):
        return len(part) <= 200 and part.isprintable()
    if isinstance(part, int):
        return not isinstance(part, bool) and abs(part) <= 2**62
    return part is None
