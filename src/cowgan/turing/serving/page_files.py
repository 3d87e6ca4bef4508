"""Files of the page, read once: no path of a request ever reaches the disk."""

from importlib.resources import files

from starlette.responses import Response

from cowgan.turing.serving.request_problems import not_found

INDEX = "index.html"
_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "woff2": "font/woff2",
}


class PageFiles:
    """The files of the page that lies in this package."""

    def __init__(self) -> None:
        found = (files("cowgan.turing.serving") / "page").iterdir()
        self._contents = {
            file.name: file.read_bytes() for file in found if _suffix(file.name) in _TYPES
        }

    def response(self, name: str) -> Response:
        """Return a file.

        Raises
        ------
        RequestProblem
            There is none of that name.
        """
        if name not in self._contents:
            raise not_found()
        return Response(self._contents[name], media_type=_TYPES[_suffix(name)])


def _suffix(name: str) -> str:
    return name.rpartition(".")[2]
