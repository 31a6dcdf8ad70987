"""Collab: the portal through which a university-hospital department works with the world.

``create_app`` is the table of contents: what the application is made of, in the order it is put together.
"""

from flask import Flask

from collab.core.package import PACKAGE, folder
from collab.settings import Settings

__version__ = "0.1.0"


def create_app(settings: Settings | None = None) -> Flask:
    """Build the WSGI application.

    :param settings: read from the environment and ``instance/collab.toml`` when not given.
    :raises collab.settings.WrongSetting: a setting cannot be used.
    """
    import collab.models  # noqa: F401  # every table, before the first query
    from collab import extensions
    from collab import settings as settings_room
    from collab.core import db as database
    from collab.core import logs
    from collab.web import (
        application,
        assets,
        errors,
        health,
        hooks,
        page_cache,
        pieces,
        staff_session,
        templating,
    )
    from collab.web.account import bp as account
    from collab.web.account.calendar_feed import feeds_bp as feeds
    from collab.web.admin import bp as admin
    from collab.web.partner import bp as partner
    from collab.web.public import bp as public
    from collab.web.staff import bp as staff

    settings = settings or settings_room.load()
    logs.configure(level=settings.log_level, form=settings.log_format)
    app = application.Application(
        "collab",
        template_folder=str(folder("templates")),
        static_folder=None,
        instance_path=str(settings.instance),
        root_path=str(PACKAGE),
    )
    app.config.from_mapping(application.config_of(settings))
    app.extensions["collab.settings"] = settings

    extensions.db.init_app(app)
    with app.app_context():
        database.prepare_engine(extensions.db.engine)
    extensions.csrf.init_app(app)
    extensions.mail.init_app(app)
    extensions.babel.init_app(
        app,
        locale_selector=hooks.babel_locale,
        default_translation_directories=str(PACKAGE / "locale"),
    )
    extensions.login_manager.init_app(app)

    hooks.init_app(app, settings)
    errors.init_app(app)
    templating.init_app(app, settings)
    pieces.init_app(app)
    staff_session.init_app(app, settings)
    for blueprint in (public, partner, account, feeds, staff, admin, health.bp):
        app.register_blueprint(blueprint)
    assets.install(app, settings)
    page_cache.install(app, settings)
    application.trust_proxies(app, settings)
    return app
