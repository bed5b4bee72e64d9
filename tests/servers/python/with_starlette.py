"""Starlette as a console under test: mounts, a path parameter, its own files."""

import os

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

ROOT = os.environ["ROOT"]


def says(area):
    async def answer(request):
        return PlainTextResponse(f"area={area} resource={request.url.path!a}\n")

    return answer


application = Starlette(
    routes=[
        Mount("/admin", routes=[Route("/secret", says("admin")), Route("/{rest:path}", says("admin"))]),
        Route("/app/{rest:path}", says("app")),
        Mount("/public", StaticFiles(directory=os.path.join(ROOT, "public"), html=True)),
        Mount("/static", StaticFiles(directory=os.path.join(ROOT, "static"))),
        Route("/report", says("report")),
        Mount("/", StaticFiles(directory=os.path.join(ROOT, "rest"), html=True)),
    ]
)
