//! Flask, Starlette and aiohttp from PyPI, on the servers that their guides name.

use std::path::Path;
use std::process::Command;

use super::place::{Place, own_files};
use super::{Started, first_line, installed};
use crate::{Running, free_port};

pub(super) fn start(place: &Place) -> [Started; 3] {
    let bin = installed("python").join("bin");
    let (flask, starlette, aiohttp) = (free_port(), free_port(), free_port());

    let mut gunicorn = Command::new(bin.join("gunicorn"));
    gunicorn.args([
        "--worker-class=gthread",
        "--threads=8",
        "--keep-alive=60",
        "--no-control-socket",
        "with_flask",
    ]);
    gunicorn.arg(format!("--bind=127.0.0.1:{flask}"));
    gunicorn.arg("--worker-tmp-dir").arg(place.own("flask"));

    let mut uvicorn = Command::new(bin.join("uvicorn"));
    uvicorn.args([
        "--log-level=warning",
        "--timeout-keep-alive=60",
        "with_starlette:application",
    ]);
    uvicorn.arg(format!("--port={starlette}"));

    let mut own = Command::new(bin.join("python"));
    own.arg(own_files().join("python/with_aiohttp.py"))
        .arg(aiohttp.to_string());

    [
        ("Flask", gunicorn, flask, ["flask", "werkzeug", "gunicorn"].as_slice()),
        ("Starlette", uvicorn, starlette, &["starlette", "uvicorn", "h11"]),
        ("aiohttp", own, aiohttp, &["aiohttp", "yarl"]),
    ]
    .map(|(name, mut command, port, packages)| {
        let folder = place.own(&name.to_lowercase());
        command
            .current_dir(own_files().join("python"))
            .env("ROOT", place.root());
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        Started {
            process: Running::start(name, command, &folder.join("python.log")),
            version: versions(&bin.join("python"), packages),
            listens: vec![(name, port)],
        }
    })
}

/// `flask 3.1.3, werkzeug 3.1.9`.
fn versions(python: &Path, packages: &[&str]) -> String {
    let script = "import sys, importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in sys.argv[1:]))";
    first_line(Command::new(python).args(["-c", script]).args(packages))
}
