"""Problems of requests, as responses that a page understands."""

from dataclasses import dataclass
from typing import Any


@dataclass
class RequestProblem(Exception):
    """A request that cannot be answered.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        Word for the page; see ``docs/turing_server_api.md``.
    sentence : str
        For the reader; it must not name files of the server.
    retry_after_s : int or None
        When to send the request again.
    """

    status: int
    code: str
    sentence: str
    retry_after_s: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the body of the response."""
        error = {"code": self.code, "sentence": self.sentence}
        later = {} if self.retry_after_s is None else {"retry_after_s": self.retry_after_s}
        return {"error": {**error, **later}}


def bad_request(sentence: str = "This request is not understood.") -> RequestProblem:
    """Return the answer to what no page sends."""
    return RequestProblem(400, "bad_request", sentence)


def no_access() -> RequestProblem:
    """Return the answer without a login; it does not tell why, which would help to guess."""
    return RequestProblem(
        401, "no_access", "This link is not valid any more; please ask for a new one."
    )


def not_found() -> RequestProblem:
    """Return the answer for what does not exist, or belongs to another reader."""
    return RequestProblem(404, "not_found", "There is nothing here.")


def elsewhere() -> RequestProblem:
    """Return the answer while another page of the reader is open."""
    return RequestProblem(409, "elsewhere", "This reading is open in another window or computer.")


def superseded() -> RequestProblem:
    """Return the answer to a page that another has taken over from."""
    return RequestProblem(
        409, "superseded", "This reading goes on in another window or computer; close this one."
    )


def not_started() -> RequestProblem:
    """Return the answer to a page that acts before it has started."""
    return RequestProblem(409, "not_started", "The reading has not been started here.")


def too_large() -> RequestProblem:
    """Return the answer to a body beyond the limit."""
    return RequestProblem(413, "too_large", "This request is too large.")


def too_many(wait_s: int) -> RequestProblem:
    """Return the answer to requests that come too fast."""
    return RequestProblem(429, "too_many", "Too many requests; please wait a moment.", wait_s)


def broken() -> RequestProblem:
    """Return the answer if a reading cannot go on; the log says why."""
    return RequestProblem(
        500,
        "broken",
        "This reading cannot continue. Please tell whoever gave you the link; answers that were "
        "saved are safe.",
    )


def busy() -> RequestProblem:
    """Return the answer while another request of the reader takes long."""
    return RequestProblem(503, "busy", "The server is busy; please wait a moment.", 1)


def disk_refuses() -> RequestProblem:
    """Return the answer while the journal cannot be written."""
    return RequestProblem(
        507,
        "disk",
        "Your last answers cannot be saved: the disk of the server is full or missing. Please "
        "leave this page open, and tell whoever gave you the link.",
        5,
    )
