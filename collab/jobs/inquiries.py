"""The clocks of inquiries: what time itself does to them (domain.md B.6, B.9)."""

from functools import partial

from collab import privacy, reviews
from collab.core.db import db
from collab.inquiries import clockwork, submission
from collab.jobs.rounds import one_by_one, retrying


def turn_clocks() -> int:
    """Reminders, closing without reply, telling of delays, escalation."""
    rounds = (*clockwork.ROUNDS, ("conditions", reviews.conditions_overdue, reviews.lapse_conditional))
    done = 0
    for name, due, verb in rounds:
        ids = due()
        db.session.rollback()  # the reading is over: no transaction is kept open while each is handled
        done += one_by_one(f"inquiries.{name}", ids, verb)
    return done


def retain() -> int:
    """Delete what must not be kept any longer (domain.md B.9), and count it in the audit log."""
    rounds = (
        ("patients", "patients_text_deleted", privacy.patients_due, privacy.delete_patients_text),
        ("reviews", "reviews_deleted", privacy.reviews_due, privacy.delete_reviews),
    )
    everything = 0
    for name, what, owed, verb in rounds:
        due = owed()
        db.session.rollback()
        done = one_by_one(f"privacy.{name}", due, verb)
        retrying(partial(privacy.count_retention, what, done))
        everything += done
    return everything


def sweep() -> int:
    """Forget drafts and unconfirmed inquiries of more than a week, and the last mails of erased ones."""
    return retrying(submission.sweep) + retrying(privacy.forget_farewells)
