"""Deciding one after the other: a round is a list of references, carried by the address and by nothing else.

Each decision is its own step and its own transaction. What somebody else decides in the meantime is passed over.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from flask import g, request, url_for

from collab import reviews
from collab.web.access import actor

_REFERENCE = re.compile(r"[A-Z0-9]{2,12}(-[A-Z0-9]{1,12}){1,4}")
#: More than anybody decides in one sitting.
MOST = reviews.waiting.MOST


@dataclass(frozen=True)
class Round:
    """What somebody decides one after the other.

    :param references: all of it, in its order, as it was at the beginning.
    :param here: the one that this page is about.
    """

    references: tuple[str, ...]
    here: str

    @classmethod
    def of_request(cls, here: str) -> Self | None:
        """The round of this request; ``None`` without one, or where this inquiry is none of it."""
        found = tuple(dict.fromkeys(request.args.get("round", "").split(".")))
        if here not in found or len(found) > MOST or not all(map(_REFERENCE.fullmatch, found)):
            return None
        return cls(found, here)

    @property
    def number(self) -> int:
        return self.references.index(self.here) + 1

    @property
    def of(self) -> int:
        return len(self.references)

    @property
    def written(self) -> str:
        """As the address carries it."""
        return ".".join(self.references)

    @property
    def back_url(self) -> str | None:
        """The one before, whatever became of it."""
        return self._url(self.references[self.number - 2]) if self.number > 1 else None

    @cached_property
    def next_url(self) -> str:
        """The next one that still waits for this person; the list when there is none. Looked up once: see ``anew``."""
        waits = reviews.still_ready(actor(), self.references)
        behind = self.references[self.number :]
        following = next((one for one in behind if one in waits), None)
        return self._url(following) if following else url_for("staff.to_decide")

    @property
    def has_next(self) -> bool:
        return self.next_url != url_for("staff.to_decide")

    def anew(self) -> Self:
        """The same round, to be asked again once this inquiry is decided."""
        return replace(self)

    def _url(self, reference: str) -> str:
        return url_for("staff.decide", reference=reference, round=self.written)


def round_here(reference: str) -> Round | None:
    """The round this page belongs to, for the page and for what stands around it."""
    g.round = Round.of_request(reference)
    found: Round | None = g.round
    return found
