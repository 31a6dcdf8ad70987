"""What visitors read: the department's profile, its offers, its notices. Nothing here knows who is asking."""

from flask import Blueprint

bp = Blueprint("public", __name__)

from . import answering, machines, views  # noqa: E402

__all__ = ["answering", "bp", "machines", "views"]
