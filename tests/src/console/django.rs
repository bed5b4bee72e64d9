//! The Django admin from PyPI: a console with its own accounts, sessions and CSRF protection.

use std::process::Command;

use tempfile::TempDir;

use super::{answers, installed, own_files};
use crate::{Running, free_port};

/// The admin under `/admin/`.
#[derive(Debug)]
pub struct Django {
    port: u16,
    _process: Running,
    folder: TempDir,
}

impl Django {
    /// The console's own administrator, who has nothing to do with the door's accounts.
    pub const OWNER: &str = "owner";
    /// The owner's password.
    pub const OWNERS_PASSWORD: &str = "a key under the mat";

    /// Starts it with one user, [`Self::OWNER`].
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        manage(&folder, &["migrate", "--verbosity=0"]);
        manage(
            &folder,
            &[
                "createsuperuser",
                "--noinput",
                "--email=owner@example.com",
                "--username",
                Self::OWNER,
            ],
        );
        let mut command = Command::new(installed("django").join("bin").join("waitress-serve"));
        command
            .arg(format!("--listen=127.0.0.1:{port}"))
            .arg("console:application");
        in_its_place(&mut command, &folder);
        let mut process = Running::start("django", command, &folder.path().join("django.log"));
        answers(&mut process, port, "/admin/login/").await;
        Self {
            port,
            _process: process,
            folder,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Whether it has a user of this name, asked of its database and not of its pages.
    pub fn has_user(&self, name: &str) -> bool {
        let script = format!(
            "from django.contrib.auth.models import User; print(User.objects.filter(username={name:?}).exists())"
        );
        manage(&self.folder, &["shell", "--command", &script])
            .trim()
            .ends_with("True")
    }
}

fn manage(folder: &TempDir, arguments: &[&str]) -> String {
    let mut command = Command::new(installed("django").join("bin").join("django-admin"));
    command.args(arguments).arg("--settings=console");
    in_its_place(&mut command, folder);
    let output = command.output().expect("django-admin can be started");
    assert!(
        output.status.success(),
        "django-admin {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("django prints text")
}

fn in_its_place(command: &mut Command, folder: &TempDir) {
    command
        .env("PYTHONPATH", own_files("django"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
        .env("DATABASE", folder.path().join("console.sqlite"))
        .env("DJANGO_SETTINGS_MODULE", "console");
    command.env("DJANGO_SUPERUSER_PASSWORD", Django::OWNERS_PASSWORD);
}
