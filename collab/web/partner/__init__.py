"""What partners do: send an inquiry, confirm it, and see where it stands on a page of their own, without an account."""

from flask import Blueprint

bp = Blueprint("partner", __name__)

from collab.web.partner import confirming, inquiring, own_page  # noqa: E402

__all__ = ["bp", "confirming", "inquiring", "own_page"]
