"""Pure decisions about mail: what may stand in a header, when to try again, what an error may say."""

import base64
import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.header import decode_header, make_header

#: Delays before the next try (F05): 1, 5, 15, 60 minutes, then every few hours, until ``GIVE_UP_AFTER``.
DELAYS = tuple(timedelta(minutes=n) for n in (1, 5, 15, 60, 120, 240))
GIVE_UP_AFTER = timedelta(days=3)
#: While the server itself is the trouble, no mail waits longer than this for the next try.
SERVER_DELAY = timedelta(minutes=15)

# All C0 and C1 controls, line and paragraph separators, bidi overrides and isolates, lone surrogates.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HOST = re.compile(
    r"(?=.{1,250}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.ASCII | re.IGNORECASE,
)
# Characters that mean something in an address header; a name with one of them is encoded as a whole.
_SPECIAL = re.compile(r'[()<>@,;:\\".\[\]]')
_STRUCK = "…"


class UnsafeHeader(ValueError):
    """A header's value holds a line break or another control character, openly or inside an encoded word."""


def safe_header(value: str) -> str:
    """The value, if it can stand in a header as it is.

    Encoded words are opened first, as often as they are nested: the standard library lets ``=?utf-8?q?x=0ABcc:…?=``
    in a subject become a header of its own.

    :raises UnsafeHeader: it cannot.
    """
    opened = value
    for _ in range(4):
        if _FORBIDDEN.search(opened):
            raise UnsafeHeader
        if "=?" not in opened:
            return value
        try:
            inner = str(make_header(decode_header(opened)))
        except (HeaderParseError, UnicodeError, LookupError, ValueError):
            raise UnsafeHeader from None
        if inner == opened:
            return value
        opened = inner
    raise UnsafeHeader


def safe_address(value: str) -> str:
    """One bare address in its normal form: no display name, no comment, no second address.

    :raises UnsafeHeader: it is anything else.
    """
    import email_validator  # loaded when an address is checked

    safe_header(value)
    if "=?" in value:
        raise UnsafeHeader
    local, at, domain = value.rpartition("@")
    # Names inside a house (localhost, .internal, .test) are no business of the validator's, but people have them.
    inside = bool(at) and _HOST.fullmatch(domain) is not None
    try:
        checked = email_validator.validate_email(
            f"{local}@example.com" if inside else value, check_deliverability=False, allow_quoted_local=False
        )
    except email_validator.EmailNotValidError:
        raise UnsafeHeader from None
    return f"{checked.local_part}@{domain.lower()}" if inside else checked.normalized


def encoded(value: str, *, name: bool = False) -> str:
    """A header's value in words that fold: plain where it is plain, else RFC 2047 words of at most 75 characters.

    What only looks like an encoded word is encoded itself, so that it arrives as it was written.

    :param name: the value is a name before an address, where more characters have a meaning.
    """
    plain = value.isascii() and "=?" not in value and not (name and _SPECIAL.search(value))
    if plain and all(len(word) <= 60 for word in value.split(" ")):
        return value
    words, chunk = [], b""
    for character in value:
        more = character.encode()
        if len(chunk) + len(more) > 42:
            words.append(chunk)
            chunk = b""
        chunk += more
    words.append(chunk)
    return " ".join(f"=?utf-8?b?{base64.b64encode(word).decode()}?=" for word in words)


def next_try(attempts: int, *, first: datetime, now: datetime, server: bool = False) -> datetime | None:
    """When to try again after a temporary failure; ``None`` when it is time to give up.

    :param attempts: how often it was tried, this time included.
    :param first: when it was tried for the first time.
    :param server: it was the server's fault, not this mail's.
    """
    if now - first >= GIVE_UP_AFTER:
        return None
    delay = DELAYS[min(max(attempts, 1), len(DELAYS)) - 1]
    if server:
        delay = min(delay, SERVER_DELAY)
    # A fifth of jitter, so that a thousand mails that failed together do not come back together.
    moment = now + delay * random.uniform(0.9, 1.1)  # noqa: S311
    return min(moment, first + GIVE_UP_AFTER)


def replaced(text: str, words: Mapping[str, str]) -> str:
    """The text with words replaced, all in one go: what was put in is not replaced again."""
    if not words:
        return text
    either = re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
    return either.sub(lambda found: words[found.group()], text)


def strike(text: str, secrets: list[str]) -> str:
    """The text with each secret replaced by an ellipsis."""
    for secret in sorted(secrets, key=len, reverse=True):
        if secret:
            text = text.replace(secret, _STRUCK)
    return text


def printable_error(text: str, secrets: tuple[str, ...] = ()) -> str:
    """An error as staff may read it: one line, bounded, without passwords (also not as base64)."""
    for secret in secrets:
        if secret:
            encoded = base64.b64encode(secret.encode()).decode()
            for form in (secret, encoded, encoded.rstrip("=")):
                text = text.replace(form, "***")
    return " ".join(_FORBIDDEN.sub(" ", text).split())[:300]
