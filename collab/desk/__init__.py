"""How each member of staff works: who is at an inquiry now, views and words kept for the next time, what is due when.

Nothing here decides anything about an inquiry; it makes deciding quick and keeps two people out of each other's way.
"""

from collab.desk.presence import Someone, here, leave, present

__all__ = ["Someone", "here", "leave", "present"]
