"""The product: an inquiry on one of three tracks, from the form to its end, with its whole history.

``statuses`` holds the one table of transitions, ``rules`` says who may do what and why not, ``deadlines`` what is due
when, ``gates`` what must not stand against it, ``interests`` who may not have to do with it. Verbs: ``submission``
(form, drafts, confirming), ``triage`` (coordinators and hosts), ``conversation`` (letters, notes, what partners do),
``clockwork`` (what time does). ``queries`` reads.
"""

from collab.inquiries import (
    clocks,
    clockwork,
    conversation,
    deadlines,
    gates,
    interests,
    links,
    notices,
    reasons,
    rules,
    submission,
    triage,
)
from collab.inquiries.conversation import answer, ask_for_erasure, note, request_link, resume, withdraw, write
from collab.inquiries.models import (
    Assignment,
    AssignmentKind,
    Draft,
    HostAnswer,
    Inquiry,
    InquiryEvent,
    LinkKind,
    Message,
    Note,
)
from collab.inquiries.queries import by_reference
from collab.inquiries.reasons import Reason
from collab.inquiries.statuses import Status, Step
from collab.inquiries.submission import Submission, confirm, find_draft, save_draft, submit

__all__ = [
    "Assignment",
    "AssignmentKind",
    "Draft",
    "HostAnswer",
    "Inquiry",
    "InquiryEvent",
    "LinkKind",
    "Message",
    "Note",
    "Reason",
    "Status",
    "Step",
    "Submission",
    "answer",
    "ask_for_erasure",
    "by_reference",
    "clocks",
    "clockwork",
    "confirm",
    "conversation",
    "deadlines",
    "find_draft",
    "gates",
    "interests",
    "links",
    "note",
    "notices",
    "reasons",
    "request_link",
    "resume",
    "rules",
    "save_draft",
    "submission",
    "submit",
    "triage",
    "withdraw",
    "write",
]
