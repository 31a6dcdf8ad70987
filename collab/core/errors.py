"""One family of refusals. Verbs raise them; the web and the API translate each once, into a page or a problem."""


class Refused(Exception):
    """What was asked cannot be done; the message is a whole sentence for the person who asked."""

    status = 400

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message


class NotFound(Refused):
    """There is no such thing, or it is not for you: strangers cannot tell which."""

    status = 404


class Forbidden(Refused):
    """You are known, and this is not yours to do."""

    status = 403


class Conflict(Refused):
    """Somebody or something was there first: the state does not allow this any more."""

    status = 409


class Invalid(Refused):
    """One field holds something that cannot be taken.

    :param field: the field's name as in the form.
    """

    status = 422

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class TooMany(Refused):
    """A limit is reached.

    :param retry_after: seconds until it makes sense to try again.
    """

    status = 429

    def __init__(self, message: str = "", *, retry_after: int = 60) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Refused):
    """Something the portal stands on does not answer now (disk full, database away); nothing was acknowledged."""

    status = 503

    def __init__(self, message: str = "", *, retry_after: int = 30) -> None:
        super().__init__(message)
        self.retry_after = retry_after
