"""Secrets that travel in links and cookies: 256 random bits, stored only as a digest bound to their purpose."""

import hashlib
import secrets


def new_token() -> str:
    """43 URL-safe characters, 256 bits."""
    return secrets.token_urlsafe(32)


def digest(purpose: str, token: str) -> str:
    """What is stored of a token: 64 hex characters. A token of one purpose never matches another's digest.

    A plain hash is enough: the token itself has 256 bits, there is nothing to guess.
    """
    return hashlib.sha256(f"{purpose}\0{token}".encode()).hexdigest()
