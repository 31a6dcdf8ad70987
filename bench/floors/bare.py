"""Flask that says hello: what starting a worker takes at least."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def hello() -> str:
    """Say it."""
    return "hello"
