"""aiohttp as a console under test: resources with a tail, its own files."""

import os
import sys

from aiohttp import web

ROOT = os.environ["ROOT"]


def says(area):
    async def answer(request):
        return web.Response(text=f"area={area} resource={request.path!a}\n")

    return answer


def application():
    app = web.Application()
    app.router.add_get("/admin", says("admin"))
    app.router.add_get("/admin/{rest:.*}", says("admin"))
    app.router.add_get("/app", says("app"))
    app.router.add_get("/app/{rest:.*}", says("app"))
    app.router.add_static("/public", os.path.join(ROOT, "public"))
    app.router.add_static("/static", os.path.join(ROOT, "static"))
    app.router.add_get("/report", says("report"))
    app.router.add_get("/", says("rest"))
    app.router.add_get("/rest/{rest:.*}", says("rest"))
    return app


if __name__ == "__main__":
    web.run_app(application(), host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
