"""What can go wrong, named by what the portal does next."""

from collections.abc import Sequence
from typing import Any


class ConnectorError(Exception):
    """The other side failed us. The text is for the operator; it holds no secret. `cause` is a
    code of connectors.trouble.causes, where it is known."""

    def __init__(self, message: str, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class Unavailable(ConnectorError):
    """Try again later: timeout, 429, 5xx. `after` is the other side's own wish, in seconds."""

    def __init__(self, message: str, after: int | None = None, *, cause: str = "") -> None:
        super().__init__(message, cause=cause)
        self.after = after


class OutOfBudget(Unavailable):
    """Go on when the account's next minute comes: its calls are used up. Nobody failed."""


class Unauthorized(ConnectorError):
    """Pause the activation and ask a person: the credentials were refused."""


class Rejected(ConnectorError):
    """Skip this record and show it: the platform refused it."""


class Several(Rejected):
    """Take its parts, each a record of its own, in its place: it stood for all of them. `parts`
    are as they arrive; where there are none, nothing is left to take."""

    def __init__(self, message: str, parts: Sequence[dict[str, Any]]) -> None:
        super().__init__(message)
        self.parts = parts


class Unreadable(ConnectorError):
    """Skip this record and show it: it is not in the shape we know."""


class Refused(Exception):
    """A rule of ours says no. The text says which, and is for whoever asked; `cause` as above."""

    def __init__(self, message: Any, *, cause: str = "") -> None:
        super().__init__(message)
        self.cause = cause


class Held(Refused):
    """A run stopped before something drastic, and a person is asked whether it may go on."""


class NotFound(Refused):
    """There is no such thing in this store (or it is not the asker's to see: no difference)."""


class NotAllowed(Refused):
    """The connector's specification does not provide for it."""


class NothingChanged(Refused):
    """The request was understood and everything in it was true already."""


class Duplicate(Refused):
    """It would be the second of something that there is only one of."""
