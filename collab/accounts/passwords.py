"""Passwords: which are good enough, how they are hashed and compared. Nothing here touches the database.

Compared exactly as typed: no trimming, no case folding, no normalisation, no cutting. An attempt costs the
same whether the account exists or not.
"""

import secrets
import threading
from collections.abc import Iterable
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask_babel import gettext as _

from collab.core import site
from collab.core.errors import Invalid
from collab.core.text import fold

LEAST: Final = 12
#: Longer ones are refused before any hashing, in bytes of UTF-8.
MOST_BYTES: Final = 1024
#: zxcvbn's time grows with the square of the length; what comes after this only makes a password better.
JUDGED: Final = 72
LEAST_SCORE: Final = 3
#: Words nobody may build a password of; the departments' names and the person's own are added to them.
CONTEXT: Final = (
    "collab",
    "portal",
    "staff",
    "password",
    "admin",
    "administrator",
    "inquiry",
    "department",
    "hospital",
)

# Each hash fills tens of megabytes: more than a few at once would let strangers fill the memory.
_at_once = threading.BoundedSemaphore(4)


def hash_password(password: str) -> str:
    """argon2id with the configured cost."""
    with _at_once:
        return _hasher().hash(_bytes(password))


def matches(password_hash: str | None, password: str) -> bool:
    """Whether this is the password; as slow for an account that has none or does not exist."""
    if too_long(password):
        return False
    wanted = password_hash or _nobodys()
    with _at_once:
        try:
            _hasher().verify(wanted, _bytes(password))
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with another cost than is configured now."""
    return _hasher().check_needs_rehash(password_hash)


def too_long(password: str) -> bool:
    return len(password) > MOST_BYTES or len(_bytes(password)) > MOST_BYTES


def check(password: str, *, field: str = "password", about: Iterable[str] = ()) -> None:
    """Refuse a new password that is short, easily guessed or made of words from around it.

    :param about: the person's name and address, names of departments and institution.
    :raises Invalid: at ``field``, saying why.
    """
    if len(password) < LEAST:
        raise Invalid(
            field,
            _("Please choose at least %(count)s characters; several words make a good one.", count=LEAST),
        )
    if too_long(password):
        raise Invalid(field, _("This password is longer than the portal takes."))
    words = context_words(about)
    left = fold(password)
    for word in sorted(words, key=len, reverse=True):
        left = left.replace(word, "")
    if left != fold(password) and sum(c.isalpha() for c in left) < 8:
        raise Invalid(
            field, _("This password is made of names everybody here knows. Please choose other words.")
        )
    from zxcvbn import zxcvbn  # 30,000 words, loaded where a password is chosen

    if zxcvbn(password[:JUDGED], user_inputs=sorted(words))["score"] < LEAST_SCORE:
        raise Invalid(field, _("This password is easy to guess. Please choose a longer or less common one."))


def context_words(about: Iterable[str]) -> set[str]:
    """The words of the product and of these texts, folded; a few letters make no word, unless Chinese."""
    words = set(CONTEXT)
    for text in about:
        whole = fold(text)
        local = whole.partition("@")[0]
        parts = "".join(c if c.isalnum() else " " for c in whole).split()
        together = "".join(c for c in local if c.isalnum())
        for part in {whole, local, together, *parts}:
            if len(part) >= 4 or (len(part) >= 2 and not part.isascii()):
                words.add(part)
    return words


def one_time_password() -> str:
    """A password to be told to somebody once: 100 random bits in groups that can be read aloud."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _hasher() -> PasswordHasher:
    settings = site.settings()
    return PasswordHasher(
        memory_cost=settings.password_memory_kib, time_cost=settings.password_passes, parallelism=1
    )


def _nobodys() -> str:
    settings = site.settings()
    return _nobodys_at(settings.password_memory_kib, settings.password_passes)


@cache
def _nobodys_at(memory_kib: int, passes: int) -> str:
    return PasswordHasher(memory_cost=memory_kib, time_cost=passes, parallelism=1).hash(
        secrets.token_bytes(32)
    )
