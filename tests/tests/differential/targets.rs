//! What is asked for: a grammar of paths, every sentence of it up to a depth and chance beyond, and the traversals that
//! people try.

use std::collections::BTreeSet;

/// Names that lead somewhere on the servers.
const PLACES: [&str; 16] = [
    "admin",
    "app",
    "public",
    "static",
    "report",
    "rest",
    "secret",
    "page",
    "users",
    "index.html",
    "page.html",
    "view.php",
    "index.php",
    "view.jsp",
    "report.php",
    "front.php",
];

/// Segments that some reader takes for another one.
const TRICKS: [&str; 120] = [
    "",
    ".",
    "..",
    "...",
    "....",
    "%2e",
    "%2E%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%ae",
    "%c0%2e",
    "%u002e%u002e",
    "%uff0e%uff0e",
    "%ef%bc%8e%ef%bc%8e",
    "%e2%80%a5",
    "%e2%80%a4%e2%80%a4",
    "..;",
    "..;x=1",
    ".;",
    ";",
    ";x",
    "..%3b",
    "..%00",
    "%00",
    "..%09",
    "..%20",
    "%20..",
    "..%0d",
    "..+",
    "..?",
    "..%3f",
    "..%23",
    "..#",
    "..\\",
    "..%5c",
    "..%255c",
    "%5c..",
    "..%2f",
    "..%252f",
    "..%c0%af",
    "..%c1%9c",
    "..%ef%bc%8f",
    "..%e2%88%95",
    "..%e2%81%84",
    "..%u2215",
    "static..",
    "public..",
    "admin..",
    "admin.",
    "admin...",
    "admin%20",
    "%20admin",
    "admin+",
    "admin%20.",
    "admin%00",
    "admin%09",
    "admin%0a",
    "admin%c2%a0",
    "admin%e2%80%8b",
    "%ef%bb%bfadmin",
    "%e2%80%8fadmin",
    "ad%c2%admin",
    "%61dmin",
    "%61%64%6d%69%6e",
    "%2561dmin",
    "%u0061dmin",
    "ADMIN",
    "Admin",
    "aDmin",
    "%41DMIN",
    "REPORT",
    "Static",
    "SECRET",
    "adm%c4%b1n",
    "ADM%c4%b0N",
    "%ef%bd%81dmin",
    "%ef%bd%81%ef%bd%84%ef%bd%8d%ef%bd%89%ef%bd%8e",
    "%d0%b0dmin",
    "a%cc%80dmin",
    "%c5%bfecret",
    "admin;x=1",
    "admin;jsessionid=1",
    "adm;x/in",
    ";admin",
    "admin%3bx",
    "admin::$DATA",
    "admin::$INDEX_ALLOCATION",
    "admin:80",
    "ADMIN~1",
    "admin~",
    "~admin",
    "%7eadmin",
    "~",
    "*",
    "%2a",
    "admin*",
    "adm?n",
    "@admin",
    "admin@",
    "user:x@admin",
    "admin,x",
    "admin=x",
    "admin&x",
    "admin!",
    "$admin",
    "(admin)",
    "%27admin%27",
    "[admin]",
    "%5badmin%5d",
    "admin.php",
    "admin.html",
    "secret.html",
    "style.css",
    "a%20b",
    "a+b",
    "caf%c3%a9",
    "cafe%cc%81",
];

/// What people put for a step up, for the slash behind it, and where they want to get.
const STEPS: [&str; 16] = [
    "..",
    "%2e%2e",
    ".%2e",
    "%2e.",
    "%252e%252e",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "..;",
    "..;x",
    "...",
    "..%00",
    "..%09",
    "..%0d",
    "%ef%bc%8e%ef%bc%8e",
    "%uff0e%uff0e",
    ".",
];
const SLASHES: [&str; 16] = [
    "/",
    "//",
    "/./",
    "\\",
    "%2f",
    "%5c",
    "%252f",
    "%255c",
    "%c0%af",
    "%c1%9c",
    "%ef%bc%8f",
    "%e2%88%95",
    "%u2215",
    ";/",
    "/%20/",
    "%2f/",
];
const STARTS: [(&str, usize); 8] = [
    ("", 1),
    ("/public", 1),
    ("/static", 1),
    ("/app", 1),
    ("/public/", 0),
    ("/app/view.php", 2),
    ("/public/view.jsp", 2),
    ("/static/style.css", 2),
];
const WANTED: [&str; 4] = ["admin/secret", "admin", "secret", "ADMIN/secret"];

/// What has more than one reading, and that a site may let pass by name.
const DOUBTS: [&str; 28] = [
    "%2f",
    "%2F",
    "%5c",
    "%3b",
    "%3bx",
    "%3bjsessionid=1",
    "%3f",
    "%3fx",
    "%23",
    "%23x",
    "%25",
    "%25/",
    "%2e",
    "x%2e",
    ";jsessionid=1",
    ";JSESSIONID=a.b",
    ";jsessionid=",
    "//",
    "///",
    "\"",
    "{x}",
    "|",
    "^",
    "\u{e9}",
    "%ef%bc%8f",
    "%ef%bc%8e",
    "%e2%81%84",
    "%ef%bc%9b",
];

const QUERIES: [&str; 10] = [
    "",
    "?",
    "?x=1",
    "?/../admin/secret",
    "?x=/admin/secret",
    "?../../admin",
    "?r=admin%2Fsecret",
    "??",
    "?;x=/../admin",
    "?_method=DELETE",
];

/// How many targets chance adds; with the sentences of the grammar it makes what two busy cores can ask every server.
const BY_CHANCE: usize = 2500;
const DEPTH_BY_CHANCE_MAX: usize = 6;

/// Every target, each once, in an order that is always the same.
pub(super) fn all(seed: u64) -> Vec<Vec<u8>> {
    let mut targets = BTreeSet::new();
    short_sentences(&mut targets);
    doubts(&mut targets);
    traversals(&mut targets);
    odd_forms(&mut targets);
    by_chance(&mut Chance(seed), &mut targets);
    // What would end the request line is no target, and cannot be sent as one.
    let mut all: Vec<Vec<u8>> = targets.into_iter().map(String::into_bytes).collect();
    all.retain(|target| !target.iter().any(|byte| matches!(byte, b'\r' | b'\n')) && !target.is_empty());
    all
}

/// One and two segments of every kind, and a trick between, behind and inside what leads somewhere.
fn short_sentences(targets: &mut BTreeSet<String>) {
    let segments = || PLACES.iter().chain(&TRICKS);
    for first in segments() {
        targets.insert(format!("/{first}"));
        targets.insert(format!("/{first}/"));
        for place in PLACES {
            targets.insert(format!("/{first}/{place}"));
            targets.insert(format!("/{place}/{first}"));
        }
        for start in ["public", "static", "app", "admin", "app/view.php"] {
            for (end, query) in ["admin/secret", "secret", "page"].iter().zip(&QUERIES) {
                targets.insert(format!("/{start}/{first}/{end}{query}"));
                targets.insert(format!("/{start}{first}/{end}"));
                targets.insert(format!("/{first}{start}/{end}"));
            }
        }
    }
}

/// What has several readings, once and twice, at every place around what leads somewhere.
fn doubts(targets: &mut BTreeSet<String>) {
    for doubt in DOUBTS {
        for place in ["admin", "app", "public", "static", "report", "ADMIN", "rest"] {
            for wanted in ["admin", "secret", "page", "ADMIN", "admin/secret", "x"] {
                targets.insert(format!("/{place}{doubt}{wanted}"));
                targets.insert(format!("/{place}/{doubt}{wanted}"));
                targets.insert(format!("/{place}{doubt}/{wanted}"));
                targets.insert(format!("/{place}/{wanted}{doubt}"));
                targets.insert(format!("/{doubt}{place}/{wanted}"));
            }
            for other in DOUBTS {
                targets.insert(format!("/{place}{doubt}{other}admin/secret"));
                targets.insert(format!("/{place}/x{doubt}admin{other}secret"));
                targets.insert(format!("/{place}{doubt}..{other}secret"));
            }
        }
    }
}

fn traversals(targets: &mut BTreeSet<String>) {
    for step in STEPS {
        for slash in SLASHES {
            for (start, depth) in STARTS {
                for wanted in WANTED {
                    let up = format!("{step}{slash}").repeat(depth.max(1));
                    targets.insert(format!("{start}/{up}{wanted}"));
                    targets.insert(format!("{start}{slash}{up}{wanted}"));
                    // The step glued to the folder's name, for an alias without its slash.
                    targets.insert(format!("{start}{up}{wanted}"));
                }
            }
        }
    }
}

/// What is no path at all, or not only one.
fn odd_forms(targets: &mut BTreeSet<String>) {
    for odd in [
        "*",
        "admin/secret",
        "http:admin/secret",
        "http://console.localhost/admin/secret",
        "http://console.localhost:80/public/../admin/secret",
        "//console.localhost/admin/secret",
        "///admin/secret",
        "/public?/../admin/secret",
        "?/admin/secret",
        "#/admin/secret",
        "/public#/../admin/secret",
        "/admin/secret#x.png",
        "/admin%23/public",
        "/public/page?x#/../../admin/secret",
        "/\\admin/secret",
        "/%5cadmin/secret",
        "/%2fadmin/secret",
        "/%2f%2fevil.example/..",
        "/.//admin/secret",
        "/admin/secret%",
        "/admin/secret%2",
        "/admin/secret%zz",
        "/admin/%s",
        "/%",
        "/public/%ff",
        "/caf\u{e9}/\u{e9}",
        "/public/caf\u{e9}",
    ] {
        for query in QUERIES {
            targets.insert(format!("{odd}{query}"));
        }
    }
}

/// Deeper paths, and spellings of single letters, drawn by the seed.
fn by_chance(chance: &mut Chance, targets: &mut BTreeSet<String>) {
    for _ in 0..BY_CHANCE {
        let mut target = String::new();
        for _ in 0..=chance.below(DEPTH_BY_CHANCE_MAX) {
            target.push_str(if chance.below(24) == 0 {
                chance.one_of(&SLASHES)
            } else {
                "/"
            });
            let trick = chance.below(5) == 0;
            let segment = if trick {
                chance.one_of(&TRICKS)
            } else {
                chance.one_of(&PLACES)
            };
            spell(segment, chance, &mut target);
        }
        if chance.below(4) == 0 {
            target.push('/');
        }
        target.push_str(chance.one_of(&QUERIES));
        targets.insert(target);
    }
}

/// Now and then a letter in another case or percent-encoded, once or twice.
fn spell(segment: &str, chance: &mut Chance, target: &mut String) {
    for letter in segment.chars() {
        match chance.below(40) {
            0 if letter.is_ascii() => target.push_str(&format!("%{:02x}", u32::from(letter))),
            1 if letter.is_ascii() => target.push_str(&format!("%25{:02X}", u32::from(letter))),
            2 => target.extend(letter.to_uppercase()),
            _ => target.push(letter),
        }
    }
}

/// A small generator whose every draw follows from the seed (xorshift64*), so that a finding can be found again.
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(drawn).expect("31 bits fit") % limit
    }

    /// Leaves so many, drawn from all.
    pub(super) fn cut_to<T>(&mut self, length: usize, all: &mut Vec<T>) {
        while all.len() > length {
            all.swap_remove(self.below(all.len()));
        }
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}
