"""`GET /`: the live page, its script and its stylesheet. Nothing of it comes from anywhere else."""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_FILES = {"index.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
_CONTENT = {name: (files("deskwatch.sidecar") / "page" / name).read_bytes() for name in _FILES}


def _serve(name: str) -> Response:
    return Response(_CONTENT[name], media_type=_FILES[name], headers=_HEADERS)


@router.get("/")
async def index() -> Response:
    """The page. It holds no data: that it asks for with the visitor's own token."""
    return _serve("index.html")


@router.get("/page.js")
async def script() -> Response:
    """The page's script."""
    return _serve("page.js")


@router.get("/page.css")
async def stylesheet() -> Response:
    """The page's stylesheet."""
    return _serve("page.css")
