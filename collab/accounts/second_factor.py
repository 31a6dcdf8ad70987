"""The second factor: time-based codes (RFC 6238) and recovery codes. Nothing here touches the database."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from hmac import compare_digest
from typing import Final

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

STEP_SECONDS: Final = 30
#: How many steps a telephone's clock may be off, either way.
DRIFT: Final = 1
RECOVERY_CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_SELECTOR: Final = 4
_SECRET: Final = 10


def new_secret() -> str:
    """160 random bits in base32, as authenticator apps take them."""
    return pyotp.random_base32(32)


def provisioning_uri(secret: str, *, email: str, issuer: str) -> str:
    """What the QR code says."""
    return str(pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=issuer))


def matching_step(secret: str, code: str, *, at: datetime) -> int | None:
    """The time step whose code this is: now or one either side; ``None`` when it is none of them.

    All are compared, so that the time taken does not tell which.
    """
    digits = plain(code)
    if len(digits) != 6 or not digits.isascii() or not digits.isdigit():
        return None
    totp = pyotp.TOTP(secret)
    now = int(at.timestamp()) // STEP_SECONDS
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        if compare_digest(totp.at(step * STEP_SECONDS), digits):
            found = step
    return found


def plain(code: str) -> str:
    """A code without the spaces and dashes people put into it."""
    return "".join(code.split()).replace("-", "").lower()[:64]


@dataclass(frozen=True)
class NewRecoveryCode:
    """A code as it is shown once, and what is kept of it."""

    text: str
    selector: str
    code_hash: str


def new_recovery_codes() -> list[NewRecoveryCode]:
    """Ten codes of 70 random bits; the first 20 bits find the row, the other 50 are kept hashed."""
    codes: list[NewRecoveryCode] = []
    selectors: set[str] = set()
    while len(codes) < RECOVERY_CODES:
        selector = _random(_SELECTOR)
        if selector in selectors:
            continue
        selectors.add(selector)
        secret = _random(_SECRET)
        text = f"{selector}-{secret[:5]}-{secret[5:]}"
        codes.append(NewRecoveryCode(text, selector, _hasher.hash(secret)))
    return codes


def split_recovery_code(code: str) -> tuple[str, str] | None:
    """Selector and secret of a code as typed; ``None`` when it has not the shape of one."""
    text = plain(code)
    if len(text) != _SELECTOR + _SECRET or not text.isascii() or not text.isalnum():
        return None
    return text[:_SELECTOR], text[_SELECTOR:]


def recovery_code_matches(code_hash: str | None, secret: str) -> bool:
    """Whether the secret part belongs to this row; as slow when there is no row."""
    try:
        _hasher.verify(code_hash or _nobodys(), secret)
    except (VerificationError, InvalidHashError):
        return False
    return code_hash is not None


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


# The codes are random, not chosen: OWASP's least cost is plenty, and ten are made at once.
_hasher = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_bytes(16))
