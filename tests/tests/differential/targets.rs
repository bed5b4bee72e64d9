//! What is asked for: a grammar of paths, every sentence of it up to a depth and chance beyond, and the traversals that
//! people try.

use std::collections::BTreeSet;

use super::words::{DOUBTS, PLACES, QUERIES, SLASHES, STARTS, STEPS, TRICKS, WANTED};

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
