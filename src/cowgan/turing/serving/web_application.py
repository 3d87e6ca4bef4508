"""The application that answers the page; see ``docs/turing_server_api.md``."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path

from anyio import fail_after
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cowgan.errors import CowganError
from cowgan.turing.reading.package import PACKAGES
from cowgan.turing.reading.receipt import receipt_content
from cowgan.turing.serving import request_problems as problems
from cowgan.turing.serving.guard import HEALTH, Guard
from cowgan.turing.serving.links import served_readers
from cowgan.turing.serving.logins import Logins
from cowgan.turing.serving.page_files import INDEX, PageFiles
from cowgan.turing.serving.rate_limit import RateLimit
from cowgan.turing.serving.request_problems import RequestProblem
from cowgan.turing.serving.requests import ActionsRequest, EnterRequest, StartRequest, parsed
from cowgan.turing.serving.served_reading import ServedReading

LARGEST_BODY = 64 * 2**10
_BODY_S = 20
_LONGEST_BROWSER = 200
_BINARY = "application/octet-stream"

_log = logging.getLogger(__name__)


def application(
    study: Path, origins: Collection[str], clock: Callable[[], float] = time.monotonic
) -> ASGIApp:
    """Return the application that serves a study.

    Parameters
    ----------
    study : Path
        Folder with packages; the key is not needed.
    origins : collection of str
        Addresses that readers open.
    clock : callable, optional
        Monotonic clock in seconds, for the limits on how often somebody asks.

    Raises
    ------
    CowganError
        It is no study, or a file is damaged.
    """
    return Guard(_Server(study, origins, clock).application, origins)


class _Server:
    def __init__(self, study: Path, origins: Collection[str], clock: Callable[[], float]) -> None:
        self._readings = {
            reader: ServedReading(study / PACKAGES / reader) for reader in served_readers(study)
        }
        self._logins = Logins(study)
        self._page = PageFiles()
        self._secure = all(origin.startswith("https://") for origin in origins)
        # With this prefix, no neighbouring site can set the cookie.
        self._cookie = "__Host-reading" if self._secure else "reading"
        # All readers of a hospital may come from one address.
        self._entering = RateLimit(100, 5, clock)
        self._reading = RateLimit(100, 20, clock)
        self.application = Starlette(
            routes=[
                Route("/", self._index),
                Route("/page/{name}", self._file),
                Route(HEALTH, self._health),
                Route("/api/enter", self._enter, methods=["POST"]),
                Route("/api/leave", self._leave, methods=["POST"]),
                Route("/api/reading", self._constants),
                Route("/api/start", self._start, methods=["POST"]),
                Route("/api/actions", self._act, methods=["POST"]),
                Route("/api/volumes/{name}", self._volume),
                Route("/api/receipt", self._receipt),
            ],
            exception_handlers={
                RequestProblem: _on_problem,
                HTTPException: _on_http_error,
                Exception: _on_error,
            },
            lifespan=self._lifespan,
        )

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        for reading in self._readings.values():
            await run_sync(reading.close)

    async def _index(self, request: Request) -> Response:
        return self._page.response(INDEX)

    async def _file(self, request: Request) -> Response:
        return self._page.response(request.path_params["name"])

    async def _health(self, request: Request) -> Response:
        return JSONResponse({"ok": True})

    async def _enter(self, request: Request) -> Response:
        host = request.client.host if request.client else ""
        _require_patience(self._entering, host)
        token = parsed(await _body(request), EnterRequest).token
        try:
            cookie = await run_sync(self._logins.enter, token)
        except CowganError as error:
            _log.error("%s %s", error.sentence, error.detail)
            raise problems.disk_refuses() from error
        if cookie is None:
            raise problems.no_access()
        response = Response(status_code=204)
        response.set_cookie(
            self._cookie, cookie, httponly=True, samesite="strict", secure=self._secure
        )
        return response

    async def _leave(self, request: Request) -> Response:
        await self._reading_of(request)
        await run_sync(self._logins.leave, request.cookies[self._cookie])
        response = Response(status_code=204)
        response.delete_cookie(self._cookie, httponly=True, samesite="strict", secure=self._secure)
        return response

    async def _constants(self, request: Request) -> Response:
        reading = await self._reading_of(request)
        return JSONResponse(await run_sync(reading.constants))

    async def _start(self, request: Request) -> Response:
        reading = await self._reading_of(request)
        start = parsed(await _body(request), StartRequest)
        browser = request.headers.get("user-agent", "")[:_LONGEST_BROWSER]
        state = await run_sync(reading.start, start, browser)
        return JSONResponse({"state": state})

    async def _act(self, request: Request) -> Response:
        reading = await self._reading_of(request)
        actions = parsed(await _body(request), ActionsRequest)
        return JSONResponse(await run_sync(reading.act, actions))

    async def _volume(self, request: Request) -> Response:
        reading = await self._reading_of(request)
        voxels = await run_sync(reading.volume, request.path_params["name"])
        return Response(voxels, media_type=_BINARY)

    async def _receipt(self, request: Request) -> Response:
        reading = await self._reading_of(request)
        receipt = await run_sync(reading.receipt)
        name = f"{receipt.reader}_receipt.json"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return JSONResponse(receipt_content(receipt), headers=headers)

    async def _reading_of(self, request: Request) -> ServedReading:
        """Return the reading of whoever has logged in; nobody can name another."""
        cookie = request.cookies.get(self._cookie)
        reader = None if cookie is None else await run_sync(self._logins.reader, cookie)
        if reader is None or reader not in self._readings:
            raise problems.no_access()
        _require_patience(self._reading, reader)
        return self._readings[reader]


def _require_patience(limit: RateLimit, name: str) -> None:
    wait_s = limit.wait_s(name)
    if wait_s:
        raise problems.too_many(wait_s)


async def _body(request: Request) -> bytes:
    """Return a body of limited size that comes in limited time."""
    body = b""
    try:
        with fail_after(_BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > LARGEST_BODY:
                    raise problems.too_large()
    except TimeoutError as error:
        raise problems.bad_request() from error
    return body


async def _on_problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, RequestProblem)
    wait_s = problem.retry_after_s
    headers = {} if wait_s is None else {"Retry-After": str(wait_s)}
    return JSONResponse(problem.to_dict(), problem.status, headers)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = problems.not_found() if error.status_code == 404 else problems.bad_request()
    return JSONResponse(found.to_dict(), error.status_code, error.headers)


async def _on_error(request: Request, error: Exception) -> Response:
    problem = problems.broken()
    return JSONResponse(problem.to_dict(), problem.status)
