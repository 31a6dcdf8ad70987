"""File fields."""

from typing import Any

from wtforms import FileField as _FileField

class FileField(_FileField):
    data: Any

def __getattr__(name: str) -> Any: ...
