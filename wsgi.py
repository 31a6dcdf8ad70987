"""The application for any WSGI server: ``granian --interface wsgi wsgi:app``."""

from collab import create_app

app = create_app()
