"""What a form brings hidden: its unique key, the secret of its uploads, and, signed, when it was opened.

The three are signed together, so that nobody puts a stranger's upload or key into a form of his own.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import current_app
from itsdangerous import BadSignature, URLSafeSerializer

from collab.core import clock, tokens
from collab.web.partner.forms import SealedForm

#: A form filled in faster was filled in by a machine (product.md).
LEAST = timedelta(seconds=2)
#: A form that was open longer gets a fresh seal; what was typed stays.
MOST = timedelta(hours=12)


@dataclass(frozen=True)
class Seal:
    """One form as it was given out."""

    submission_key: str
    claim_token: str
    began: datetime

    @property
    def age(self) -> timedelta:
        return clock.now() - self.began


def put(form: SealedForm, purpose: str) -> None:
    """Give a form a fresh seal."""
    seal = Seal(tokens.new_token(), tokens.new_token(), clock.now())
    place(form, purpose, seal)


def place(form: SealedForm, purpose: str, seal: Seal) -> None:
    """Put a seal into a form."""
    form.submission_key.data = seal.submission_key
    form.claim_token.data = seal.claim_token
    milliseconds = round(seal.began.timestamp() * 1000)
    form.began.data = signer(purpose).dumps([milliseconds, seal.submission_key, seal.claim_token])


def renew(form: SealedForm, purpose: str, seal: Seal) -> None:
    """The same form opened anew: key and uploads stay, its time begins now."""
    place(form, purpose, Seal(seal.submission_key, seal.claim_token, clock.now()))


def read(form: SealedForm, purpose: str) -> Seal | None:
    """The seal a form came back with; ``None`` when it is missing or not ours. Its age is the caller's business."""
    try:
        content: Any = signer(purpose).loads(form.began.data or "")
        milliseconds, key, claim = content
        began = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (BadSignature, ValueError, TypeError, OverflowError):
        return None
    if (key, claim) != (form.submission_key.data, form.claim_token.data):
        return None
    return Seal(key, claim, began)


def signer(purpose: str) -> URLSafeSerializer:
    """Signs what the browser keeps for us; a value of one purpose is worth nothing for another."""
    return URLSafeSerializer(current_app.secret_key or "", salt=f"collab.partner.{purpose}")
