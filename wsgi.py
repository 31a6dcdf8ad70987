"""The application for any WSGI server (``granian --interface wsgi wsgi:app``) and for ``flask --app wsgi db``."""

from collab import create_app
from collab.jobs import schema

app = create_app()
schema.prepare(app)
