"""Pure decisions about attachments: what a name is shown as, which names and types are taken, and the sentences."""

import re
import unicodedata
from collections.abc import Collection

from flask_babel import gettext as _

from collab.files.inspection import DOCX, JPEG, MAX_PAGES, PDF, PNG

EXTENSIONS: dict[str, tuple[str, ...]] = {
    PDF: (".pdf",),
    DOCX: (".docx",),
    PNG: (".png",),
    JPEG: (".jpg", ".jpeg"),
}
LABELS = {PDF: "PDF", DOCX: "Word (.docx)", PNG: "PNG", JPEG: "JPEG"}
#: What browsers say when they know no better.
UNDECLARED = frozenset(
    {
        "",
        "application/octet-stream",
        "binary/octet-stream",
        "application/x-download",
        "application/force-download",
    }
)
ALIASES = {"application/x-pdf": PDF, "image/jpg": JPEG, "image/pjpeg": JPEG, "image/x-png": PNG}

# Slashes of all kinds: a name ends up in lists, headers and on somebody's disk.
_SLASHES = re.compile("[/\\\\\u2044\u2215\u29f8\u29f9\uff0f\uff3c\ufe68]")
_HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_RESERVED = re.compile(r'[<>:"|?*]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|$)", re.IGNORECASE)
_PROGRAM_ENDINGS = (
    "ade adp apk app asp aspx bat cer cgi chm cmd com cpl csh dll exe hta htaccess htm html ins isp jar js jse jsp "
    "ksh lib lnk mde mht mhtml msc msi msp mst phar php php3 php4 php5 php7 phps phtml pif pl ps1 py pyc rb reg scr "
    "sct sh shb shtml svg svgz swf sys vb vbe vbs vxd war wasm wsc wsf wsh xap xht xhtml xml xsl"
)
_PROGRAMS = frozenset(_PROGRAM_ENDINGS.split())


def display_name(raw: str) -> str:
    """What a file is called in lists and downloads: never a path, nothing invisible, at most 120 characters."""
    name = _SLASHES.split(unicodedata.normalize("NFC", raw[:10_000]))[-1]
    name = _RESERVED.sub("_", _HIDDEN.sub("", name))
    name = " ".join(name.split()).strip(". ")
    if _DEVICES.match(name):
        name = "_" + name
    stem, dot, extension = name.rpartition(".")
    if not dot:
        stem, extension = name, ""
    extension = extension[:10]
    kept = stem[: 120 - len(extension) - 1].rstrip(". ") or "file"
    return f"{kept}.{extension}" if extension else kept


def media_type_by_name(raw: str) -> str | None:
    """The type the name's ending speaks for; ``None`` when none of ours, or when the name hides another ending.

    ``report.v1.2.pdf`` is fine, ``report.php.pdf`` and ``report.pdf.`` are not.
    """
    name = _SLASHES.split(raw)[-1]
    if "\0" in name or name != name.rstrip(". ") or name.startswith("."):
        return None
    _stem, *suffixes = name.casefold().split(".")
    if not suffixes or any(suffix.strip() in _PROGRAMS for suffix in suffixes):
        return None
    ending = "." + suffixes[-1]
    return next((kind for kind, endings in EXTENSIONS.items() if ending in endings), None)


def declared_type(declared: str | None) -> str | None:
    """The type the upload claims, made regular; ``None`` when it claims nothing."""
    value = (declared or "").partition(";")[0].strip().casefold()
    return None if value in UNDECLARED else ALIASES.get(value, value)


def accept(allowed: Collection[str]) -> str:
    """The value for the ``accept`` attribute of a file field."""
    return ",".join(part for kind in sorted(allowed) for part in (kind, *EXTENSIONS[kind]))


def kinds(allowed: Collection[str]) -> str:
    """The kinds taken, for a sentence: ``PDF, PNG``."""
    return _(", ").join(LABELS[kind] for kind in EXTENSIONS if kind in allowed)


def sentence(code: str, *, allowed: Collection[str], max_bytes: int) -> str:
    """Why a file is refused, for the person who sent it."""
    size = f"{max_bytes / (1024 * 1024):g}"
    sentences: dict[str, str] = {
        "empty": _("This file is empty. Please choose it again."),
        "size": _("This file is larger than %(size)s MB. Please send a smaller one.", size=size),
        "kind": _("Only these kinds of files are taken: %(kinds)s.", kinds=kinds(allowed)),
        "not_this_kind": _(
            "The content of this file is not what its name says. These kinds are taken: %(kinds)s.",
            kinds=kinds(allowed),
        ),
        "two_kinds": _(
            "This file has something else hidden in it. Please save it again and send the new file."
        ),
        "broken": _(
            "This file cannot be opened; it may be damaged. Please save it again and send the new file."
        ),
        "password": _("This file is protected by a password. Please send a copy without protection."),
        "pages": _(
            "This file has more than %(count)s pages. Please send only what is needed.", count=MAX_PAGES
        ),
        "too_much_inside": _("This file unpacks to far more than its size. Please send a simpler one."),
        "programs": _("This file contains programs or archives. Please send the document alone."),
        "macros": _("This document contains macros. Please save it without macros, or as PDF."),
        "paths": _(
            "This file contains names that point outside it. Please save it again and send the new file."
        ),
        "slow": _("This file takes too long to look through. Please send a simpler one."),
    }
    return sentences[code]
