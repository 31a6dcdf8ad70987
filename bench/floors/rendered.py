"""Flask and Jinja: a page of 19 KB drawn from a list, a base layout and autoescaped values."""

from flask import Flask, render_template
from jinja2 import DictLoader

app = Flask(__name__)

FACTS = [
    {"name": f"Figure {n}", "value": n * 37, "note": "A sentence that says where this comes from. " * 3}
    for n in range(70)
]
LAYOUT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title>
<link rel="stylesheet" href="/style.css"></head><body><header><nav>
{% for one in range(8) %}<a href="/{{ one }}">Page {{ one }}</a>
{% endfor %}</nav></header><main>{% block content %}{% endblock %}</main><footer>{{ title }}</footer></body></html>"""
PAGE = """{% extends "layout.html" %}{% block title %}{{ title }}{% endblock %}{% block content %}<h1>{{ title }}</h1>
{% for fact in facts %}<section><h2>{{ fact.name }}</h2><dl><dt>Value</dt><dd>{{ fact.value }}</dd>
<dt>Note</dt><dd>{{ fact.note }}</dd></dl></section>
{% endfor %}{% endblock %}"""
app.jinja_loader = DictLoader({"layout.html": LAYOUT, "page.html": PAGE})


@app.get("/")
def page() -> str:
    """The page."""
    return render_template("page.html", title="A department & its figures", facts=FACTS)
