"""Where to go after signing in: a staff page of ours, or nowhere."""

import re

from flask import request

# An address of ours is spelled out; anything cleverer (//host, /\host, https:host, control characters) is none.
_OURS = re.compile(r"/staff(?:/[A-Za-z0-9._~%-]+)*/?(?:\?[A-Za-z0-9._~%=&+,:@/-]*)?")


def next_page() -> str | None:
    """The page asked for, when it is one of the staff's."""
    wanted = request.args.get("next", "")
    if len(wanted) > 600 or not _OURS.fullmatch(wanted) or wanted.startswith("/staff/sign-"):
        return None
    return wanted
