"""Invented sample data for trying the portal out. Loaded by the same verbs that people use, so nothing in it is special.

Everything is invented: people, institutions, texts; addresses are of the reserved ``example`` domains.
"""

from collab.demo.actions import Loaded, load, target

__all__ = ["Loaded", "load", "target"]
