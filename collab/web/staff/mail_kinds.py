"""What each mail is, in words, by its topic (domain.md B.5)."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

KINDS: dict[str, LazyString] = {
    "M1": _l("Please confirm your e-mail"),
    "M2": _l("Inquiry received"),
    "M2b": _l("We continue"),
    "M3": _l("Question to the partner"),
    "M3r1": _l("First reminder of a question"),
    "M3r2": _l("Second reminder of a question"),
    "M3r3": _l("Third reminder of a question"),
    "M4": _l("Now with a group"),
    "M4d": _l("We are late"),
    "M5": _l("Acceptance"),
    "M6": _l("Agreement on conditions"),
    "M7": _l("Waiting list"),
    "M8": _l("Referral to another office"),
    "M9": _l("Decline"),
    "M10": _l("Two messages joined"),
    "M11": _l("Closed without reply"),
    "M12": _l("Place free, or wish still open"),
    "M12r1": _l("First reminder of an offer or refresh"),
    "M12r2": _l("Second reminder of an offer or refresh"),
    "M13": _l("Withdrawal confirmed"),
    "M14": _l("Data deleted"),
    "S1": _l("Something waits for a member of staff"),
    "S2": _l("An answer is due"),
    "S3": _l("A promised date is at risk"),
    "S4": _l("A decision waits"),
    "S-mention": _l("Somebody is named in a note"),
    "S-digest": _l("Daily digest"),
    "link": _l("New private link"),
    "letter": _l("Letter to the partner"),
    "draft": _l("Link to an unfinished form"),
    "invitation": _l("Invitation to the staff"),
    "password_reset": _l("Link for a new password"),
    "account_changed": _l("Account changed"),
    "absence": _l("Absence and deputy"),
}


def kind_of(topic: str) -> str:
    """What a mail is; the bare code of one we know nothing of."""
    return str(KINDS.get(topic, topic))
