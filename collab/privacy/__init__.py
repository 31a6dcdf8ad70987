"""What partners may ask of their data: a copy, and erasure that leaves the figures right."""

from collab.privacy.actions import erase, forget_farewells
from collab.privacy.queries import everything_of

__all__ = ["erase", "everything_of", "forget_farewells"]
