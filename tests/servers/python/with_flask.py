"""Flask as a console under test: routes by path converter, files by send_from_directory."""

import os

from flask import Flask, Response, send_from_directory

ROOT = os.environ["ROOT"]
application = Flask(__name__, static_folder=None)


def says(area, rest=""):
    return Response(f"area={area} resource={rest!a}\n", mimetype="text/plain")


@application.get("/admin/")
@application.get("/admin/<path:rest>")
def admin(rest=""):
    return says("admin", rest)


@application.get("/app/")
@application.get("/app/<path:rest>")
def app(rest=""):
    return says("app", rest)


@application.get("/public/")
@application.get("/public/<path:rest>")
def public(rest="index.html"):
    return send_from_directory(os.path.join(ROOT, "public"), rest)


@application.get("/static/")
@application.get("/static/<path:rest>")
def static_files(rest="index.html"):
    return send_from_directory(os.path.join(ROOT, "static"), rest)


@application.get("/report")
def report():
    return says("report")


@application.get("/")
@application.get("/rest/<path:rest>")
def anything_else(rest=""):
    return says("rest", rest)
