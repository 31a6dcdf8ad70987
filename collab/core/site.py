"""What the rooms need to know of the installation they run in."""

from typing import cast

from flask import current_app

from collab.settings import Settings


def settings() -> Settings:
    """The settings the application was made with."""
    return cast(Settings, current_app.extensions["collab.settings"])


def address(path: str) -> str:
    """An absolute address of this portal, as people use it.

    :param path: begins with ``/``.
    """
    return settings().base_url + path
