"""Absolute addresses from the configured base: what search engines and shared links carry."""

from typing import Any

from flask import current_app, url_for

from collab.settings import Settings

#: Address part and the language tag search engines read.
LANGUAGES = {"en": "en", "zh": "zh-Hans"}


def base_url() -> str:
    settings: Settings = current_app.extensions["collab.settings"]
    return settings.base_url


def absolute(endpoint: str, lang: str, **values: Any) -> str:
    """The address of a page in one language, with scheme and host."""
    return base_url() + url_for(endpoint, lang=lang, **values)


def alternates(endpoint: str, **values: Any) -> dict[str, str]:
    """The page in each language, and what to show readers of others."""
    found = {tag: absolute(endpoint, lang, **values) for lang, tag in LANGUAGES.items()}
    return found | {"x-default": absolute(endpoint, "en", **values)}
