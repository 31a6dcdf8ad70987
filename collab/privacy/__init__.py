"""What partners may ask of their data: a copy, and erasure that leaves the figures right; what goes by itself."""

from collab.privacy.actions import (
    count_retention,
    delete_patients_text,
    delete_reviews,
    erase,
    forget_farewells,
    patients_due,
    reviews_due,
)
from collab.privacy.queries import everything_of

__all__ = [
    "count_retention",
    "delete_patients_text",
    "delete_reviews",
    "erase",
    "everything_of",
    "forget_farewells",
    "patients_due",
    "reviews_due",
]
