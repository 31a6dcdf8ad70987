"""Secret links that staff get by mail: how often they may be guessed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeVar

from flask_babel import gettext as _

from collab.core import limits
from collab.core.db import unit_of_work
from collab.core.errors import NotFound, TooMany
from collab.web.network import client_network

T = TypeVar("T")
MISSES: Final = 30
WINDOW: Final = timedelta(minutes=15)


def found(look_up: Callable[[str], T], token: str) -> T:
    """What a link stands for. Misses are counted per network; after too many, a good link is refused alike.

    The count is the one thing that is written when a page is only asked for, and only for a link that is no good.

    :raises NotFound: with the same sentence whatever is wrong with the link.
    :raises TooMany: too many links that are no good came from this network.
    """
    bucket = f"staff-link:{client_network()}"
    if limits.count(bucket, per=WINDOW) >= MISSES:
        raise TooMany(retry_after=int(WINDOW.total_seconds()))
    try:
        return look_up(token)
    except NotFound:
        with unit_of_work():
            limits.hit(bucket, limit=MISSES * 100, per=WINDOW)
        raise NotFound(
            _(
                "This link is not good, or not any more: it works once and for a limited time. Ask for a new one."
            )
        ) from None
