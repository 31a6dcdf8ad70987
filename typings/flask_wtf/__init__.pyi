"""The part of Flask-WTF that we use, typed (the package ships no types)."""

from typing import Any

from flask import Flask
from markupsafe import Markup
from wtforms import Form

from flask_wtf.csrf import CSRFProtect as CSRFProtect

class FlaskForm(Form):
    def __init__(self, formdata: Any = ..., **kwargs: Any) -> None: ...
    def is_submitted(self) -> bool: ...
    def validate_on_submit(self, extra_validators: Any = ...) -> bool: ...
    def hidden_tag(self, *fields: Any) -> Markup: ...
