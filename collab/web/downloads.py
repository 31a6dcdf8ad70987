"""Giving out an attachment: always to be saved, never shown in the portal's own origin."""

import unicodedata
from urllib.parse import quote

from flask import Response

from collab import files
from collab.files import StoredFile


def download_response(file: StoredFile, *, name: str = "") -> Response:
    """The answer to a download. Whoever asks must have been found entitled before (``files.by_id``).

    The type is the one we detected, and even so nothing may run: disposition, nosniff and a sandbox say so thrice.

    :param name: what it is called instead of its own name.
    :raises files.FileUnavailable: the bytes are missing, changed or not released by the virus scanner.
    """
    opened = files.read(file)
    response = Response(opened, content_type=file.media_type, direct_passthrough=True)
    headers = response.headers
    headers["Content-Length"] = str(opened.size)
    headers["Content-Disposition"] = disposition(name or file.filename)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Cache-Control"] = "private, no-store"
    headers["Vary"] = "Cookie"
    return response


def disposition(filename: str) -> str:
    """``attachment`` with the name for old readers (ASCII) and for new ones (RFC 6266, RFC 8187)."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = "".join(c if c.isalnum() or c in " ._-()+" else "_" for c in plain).strip() or "file"
    if plain.startswith(".") or "." not in plain:
        plain = "file" + (filename[filename.rfind(".") :] if "." in filename and filename.isascii() else "")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"
