"""What a partner can ask for."""

from enum import StrEnum


class Track(StrEnum):
    """The three kinds of inquiry (domain.md A.2, A.3, A.4)."""

    COOPERATION = "cooperation"
    VISIT = "visit"
    TRAINING = "training"
