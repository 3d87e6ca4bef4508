"""Checks of every request, and headers of every response, around the application."""

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cowgan.turing.serving.request_problems import RequestProblem, bad_request

HEADERS = {
    "Cache-Control": "no-store, no-transform",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; font-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
_STRICT_TRANSPORT = "max-age=31536000"
HEALTH = "/health"


class Guard:
    """Refuses requests from other sites or for other hosts.

    Parameters
    ----------
    application : ASGI application
        What answers the others.
    origins : collection of str
        Addresses that readers open, such as ``https://reading.example.org``.
    """

    def __init__(self, application: ASGIApp, origins: Collection[str]) -> None:
        self._application = application
        self._origins = frozenset(origins)
        self._hosts = frozenset(origin.split("://")[1] for origin in origins)
        self._headers = dict(HEADERS)
        if all(origin.startswith("https://") for origin in origins):
            self._headers["Strict-Transport-Security"] = _STRICT_TRANSPORT

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        problem = self._problem(scope)
        if problem is None:
            await self._application(scope, receive, send_with_headers)
        else:
            response = JSONResponse(problem.to_dict(), problem.status)
            await response(scope, receive, send_with_headers)

    def _problem(self, scope: Scope) -> RequestProblem | None:
        headers = Headers(scope=scope)
        if scope["path"] == HEALTH:
            return None
        # Otherwise another site could let its name point here.
        if headers.get("host", "") not in self._hosts:
            return bad_request("This server has another address.")
        asks = scope["method"] in ("GET", "HEAD")
        own = headers.get("origin") in self._origins
        site = headers.get("sec-fetch-site", "same-origin")
        to_api = scope["path"].startswith("/api/")
        if (not asks and not own) or (to_api and site not in ("same-origin", "none")):
            return RequestProblem(403, "other_origin", "This request comes from another site.")
        return None
