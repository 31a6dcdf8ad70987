"""What happened, by whom: append-only and hash-chained, so that a change or a gap shows (``collab doctor`` verifies).

``record`` writes inside the caller's transaction: it is kept exactly if the deed is. ``record_refusal`` writes in a
transaction of its own: a refused or failed attempt is kept although its deed is rolled back.
"""

from collab.audit.actions import record, record_refusal, verify
from collab.audit.models import AuditEvent, Who

__all__ = ["AuditEvent", "Who", "record", "record_refusal", "verify"]
