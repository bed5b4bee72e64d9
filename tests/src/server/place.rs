//! The tree that all servers serve: every document says which area it lies in.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::repository;

/// The areas of the tree, and the patterns that a careful policy has for them. `rest` is whatever no other holds.
pub const AREAS: [(&str, &[&str]); 6] = [
    ("admin", &["/admin/**"]),
    ("app", &["/app/**"]),
    ("public", &["/public/**"]),
    ("report", &["/report/**", "/report.php/**"]),
    ("static", &["/static/**"]),
    (REST, &["/**"]),
];

/// The area around all others.
pub const REST: &str = "rest";

/// What no path may lead to: it lies beside the tree.
pub const OUTSIDE: &str = "outside";

/// Files below the root, in the area that their first part names.
const DOCUMENTS: [&str; 22] = [
    "admin/index.html",
    "admin/page",
    "admin/secret",
    "admin/secret.html",
    "admin/users/index.html",
    "app/index.html",
    "app/page",
    "public/caf\u{e9}",
    "public/index.html",
    "public/page",
    "public/page.html",
    "public/a b",
    "public/a+b",
    "public/100",
    "rest/index.html",
    "rest/page",
    "rest/secret.html",
    "static/index.html",
    "static/page",
    "static/secret",
    "static/style.css",
    "~admin/secret",
];

/// Scripts of the same kind.
const SCRIPTS: [(&str, &str); 5] = [
    ("admin", "admin/index.php"),
    ("admin", "admin/view.php"),
    ("app", "app/view.php"),
    ("public", "public/view.php"),
    ("report", "report.php"),
];

/// Pages of Tomcat's beside the documents.
const PAGES: [(&str, &str); 2] = [("admin", "admin/view.jsp"), ("public", "public/view.jsp")];

/// A folder with the tree and what the servers write while they run.
#[derive(Debug)]
pub(super) struct Place {
    folder: TempDir,
}

impl Place {
    /// Writes the tree.
    pub(super) fn make() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Apache's workers are somebody else where the test is run by root.
        let open = fs::Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("an own folder can be opened");
        let place = Self { folder };
        for document in DOCUMENTS {
            let first = document.split('/').next().unwrap_or_default();
            let area = AREAS
                .iter()
                .find(|(area, _)| *area == first)
                .map_or(REST, |(area, _)| area);
            place.write(&place.root().join(document), &says(area, document));
        }
        place.write(&place.root().join("index.html"), &says(REST, "index.html"));
        for (area, script) in SCRIPTS {
            let text = own_file("php/view.php").replace("AREA", area).replace("SCRIPT", script);
            place.write(&place.root().join(script), &text);
        }
        place.write(&place.root().join("front.php"), &own_file("php/front.php"));
        for (area, page) in PAGES {
            place.write(&place.root().join(page), &says(area, page));
        }
        for file in ["index.html", "page", "secret", "style.css"] {
            let text = says("static", &format!("assets/static/{file}"));
            place.write(&place.assets().join("static").join(file), &text);
        }
        for (folder, name) in [
            (place.assets(), "secret"),
            (place.assets(), "admin/secret"),
            (place.base(), "secret"),
        ] {
            place.write(&folder.join(name), &says(OUTSIDE, name));
        }
        place
    }

    /// The folder that holds everything.
    pub(super) fn base(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// The root of the documents.
    pub(super) fn root(&self) -> PathBuf {
        self.base().join("root")
    }

    /// A folder with `static/` in it, for servers that have it from elsewhere by an alias.
    pub(super) fn assets(&self) -> PathBuf {
        self.base().join("assets")
    }

    /// A folder of a server's own.
    pub(super) fn own(&self, server: &str) -> PathBuf {
        let folder = self.base().join(server);
        fs::create_dir_all(&folder).expect("a folder can be made");
        folder
    }

    /// Writes one of our files, its `@NAMES@` filled in, and gives where it is.
    pub(super) fn fill(&self, file: &str, to: &Path, names: &[(&str, String)]) -> PathBuf {
        let mut text = own_file(file);
        let own = to.parent().expect("a file lies in a folder").display().to_string();
        let places = [
            ("BASE", own),
            ("ROOT", self.root().display().to_string()),
            ("ASSETS", self.assets().display().to_string()),
        ];
        for (name, value) in places.iter().chain(names) {
            text = text.replace(&format!("@{name}@"), value);
        }
        self.write(to, &text);
        to.to_path_buf()
    }

    fn write(&self, file: &Path, text: &str) {
        fs::create_dir_all(file.parent().expect("a file lies in a folder")).expect("a folder can be made");
        fs::write(file, text).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()));
    }
}

/// What a document says, and what a test reads out of an answer.
fn says(area: &str, resource: &str) -> String {
    format!("area={area} resource={resource}\n")
}

/// A file of ours that a server starts from.
pub(super) fn own_files() -> PathBuf {
    repository().join("tests").join("servers")
}

fn own_file(name: &str) -> String {
    let file = own_files().join(name);
    fs::read_to_string(&file).unwrap_or_else(|error| panic!("`{}`: {error}", file.display()))
}
