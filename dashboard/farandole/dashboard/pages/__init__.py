"""What people see in a browser. Pages only ask: what is done goes through the HTTP API, by the one door."""

from fastapi import APIRouter
from fastapi.responses import Response

from . import catalogue, clocks, comparing, costs, listing, machines, mapping, people, run, trouble
from .assets import served
from .site import error_page, login_page

__all__ = ["error_page", "login_page", "pages"]

pages = APIRouter(include_in_schema=False)


@pages.get("/static/{said}/{name:path}")
async def static(said: str, name: str) -> Response:
    """A script or a style."""
    return served(said, name)


for _each in (listing, run, mapping, people, trouble, machines, clocks, catalogue, comparing, costs):
    pages.include_router(_each.router)
