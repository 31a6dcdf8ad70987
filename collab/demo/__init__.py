"""Invented sample data for trying the portal out, loaded by the verbs that people use: nothing in it is special.

Everything is invented: people, institutions, texts; addresses are of the reserved ``example`` domains.
"""

from collab.demo.actions import Loaded, load, target

__all__ = ["Loaded", "load", "target"]
