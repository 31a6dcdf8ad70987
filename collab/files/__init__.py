"""Attachments: records inside, bytes in a store (a local folder or S3).

What arrives is read within a limit, looked into, and kept under a name of our making; it belongs to the form that
uploaded it until that form's thing claims it. What is given out is verified first. The sweep and ``fsck`` keep
records and bytes in step.
"""

from collab.files.actions import (
    Arrived,
    FileUnavailable,
    Opened,
    arrive,
    attach,
    attach_new,
    claim,
    copy,
    discard,
    discard_of,
    forget_older_than,
    hand_over,
    hold,
    keep_newest,
    read,
    receive,
)
from collab.files.inspection import DOCX, JPEG, PDF, PNG
from collab.files.models import FileState, ScanState, StoredFile
from collab.files.queries import by_id, of, of_many, pending, total_size
from collab.files.rules import accept, display_name, kinds
from collab.files.upkeep import (
    Report,
    discarded,
    free_space,
    fsck,
    note_scan,
    remove_for_good,
    remove_orphans,
    scan,
    store_is_writable,
    unchecked,
)

__all__ = [
    "DOCX",
    "JPEG",
    "PDF",
    "PNG",
    "Arrived",
    "FileState",
    "FileUnavailable",
    "Opened",
    "Report",
    "ScanState",
    "StoredFile",
    "accept",
    "arrive",
    "attach",
    "attach_new",
    "by_id",
    "claim",
    "copy",
    "discard",
    "discard_of",
    "discarded",
    "display_name",
    "forget_older_than",
    "free_space",
    "fsck",
    "hand_over",
    "hold",
    "keep_newest",
    "kinds",
    "note_scan",
    "of",
    "of_many",
    "pending",
    "read",
    "receive",
    "remove_for_good",
    "remove_orphans",
    "scan",
    "store_is_writable",
    "total_size",
    "unchecked",
]
