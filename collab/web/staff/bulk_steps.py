"""What can be done with many inquiries at once: the buttons above the queue."""

from enum import StrEnum

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l


class BulkStep(StrEnum):
    """What can be done with many at once."""

    OWN = "own"
    TAG = "tag"
    REMIND = "remind"
    VOID = "void"
    EXPORT = "export"

    @property
    def label(self) -> LazyString:
        return {
            BulkStep.OWN: _l("Set the coordinator"),
            BulkStep.TAG: _l("Add a tag"),
            BulkStep.REMIND: _l("Remind"),
            BulkStep.VOID: _l("Set aside as spam or test"),
            BulkStep.EXPORT: _l("Download as CSV"),
        }[self]
