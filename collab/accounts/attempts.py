"""How often a password or a code may be tried.

Counted in the database, so every worker and every restart sees the same figure. Three counts each: per account from
one network, per account from all networks, per network. A network from which the person has signed in during the
last 30 days is exempt from the second, so that a stranger who tries from everywhere cannot lock the person out.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import sqlalchemy as sa

from collab.accounts.models import StaffSession
from collab.core import clock, limits
from collab.core.db import db

KNOWN_FOR: Final = timedelta(days=30)


@dataclass(frozen=True)
class Bounds:
    """What is counted, and how many are too many."""

    what: str
    here: int
    everywhere: int
    network: int
    per: timedelta = timedelta(minutes=15)
    per_everywhere: timedelta = timedelta(hours=1)


PASSWORDS: Final = Bounds("sign-in", here=10, everywhere=100, network=100)
CODES: Final = Bounds("code", here=5, everywhere=30, network=60)


def count(bounds: Bounds, *, account: str, user_id: int | None, network: str | None) -> None:
    """Count an attempt before it is looked at. In a unit of work of its own.

    :param account: what the account was asked for by; one that does not exist is counted alike.
    :raises TooMany: this attempt is not looked at.
    """
    known = _is_known(user_id, network)
    for bucket, limit, per in _buckets(bounds, account, network, known=known):
        limits.hit(bucket, limit=limit, per=per)


def forgive(bounds: Bounds, *, account: str, user_id: int | None, network: str | None) -> None:
    """The attempt was right: only wrong ones count."""
    known = _is_known(user_id, network)
    for bucket, _limit, per in _buckets(bounds, account, network, known=known):
        limits.give_back(bucket, per=per)


def _buckets(
    bounds: Bounds, account: str, network: str | None, *, known: bool
) -> Iterator[tuple[str, int, timedelta]]:
    # The address itself is not kept in the counters.
    who = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    network = network or "unknown"
    yield f"{bounds.what}:account:{who}:{network}", bounds.here, bounds.per
    if not known:
        yield f"{bounds.what}:account:{who}", bounds.everywhere, bounds.per_everywhere
    yield f"{bounds.what}:network:{network}", bounds.network, bounds.per


def _is_known(user_id: int | None, network: str | None) -> bool:
    found = db.session.scalar(
        sa.select(
            sa.exists().where(
                StaffSession.user_id == (user_id or 0),
                StaffSession.network == (network or ""),
                StaffSession.second_factor_at > clock.now() - KNOWN_FOR,
            )
        )
    )
    return bool(found)
