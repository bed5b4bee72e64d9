//! The bounded run of every fuzz target (`fuzz/README.md`), with what `cargo test` has: each seed that is kept, then a fixed
//! number of inputs made of the seeds, the same ones each time. No coverage leads the way, so it finds less than `fuzz/run`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the targets panic where a property does not hold"
)]
#![expect(
    unused_attributes,
    reason = "a target is a program without `main`, and here a module"
)]

// The targets say `libfuzzer_sys::fuzz_target!`: here that is this file's, at its end.
extern crate self as libfuzzer_sys;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

#[path = "../../fuzz/targets/cookies.rs"]
mod cookies;
#[path = "../../fuzz/targets/destination.rs"]
mod destination;
#[path = "../../fuzz/targets/forwarded_for.rs"]
mod forwarded_for;
#[path = "../../fuzz/targets/frames.rs"]
mod frames;
#[path = "../../fuzz/targets/host.rs"]
mod host;
#[path = "../../fuzz/targets/http1.rs"]
mod http1;
#[path = "../../fuzz/targets/http2.rs"]
mod http2;
#[path = "../../fuzz/targets/networks.rs"]
mod networks;
#[path = "../../fuzz/targets/policy.rs"]
mod policy;
#[path = "../../fuzz/targets/proxy_protocol.rs"]
mod proxy_protocol;
#[path = "../../fuzz/targets/target.rs"]
mod target;

#[test]
fn a_session_cookie_is_told_alike_however_its_headers_are_cut() {
    smoke_run("cookies", 20_000, cookies::run);
}

#[test]
fn no_text_leads_off_this_origin_after_signing_in() {
    smoke_run("destination", 20_000, destination::run);
}

#[test]
fn what_is_claimed_of_an_address_counts_only_as_far_as_it_is_vouched_for() {
    smoke_run("forwarded_for", 20_000, forwarded_for::run);
}

#[test]
fn websocket_frames_are_counted_alike_however_they_are_cut() {
    smoke_run("frames", 20_000, frames::run);
}

#[test]
fn a_host_that_is_taken_has_one_spelling() {
    smoke_run("host", 20_000, host::run);
}

#[test]
fn http1_is_handed_on_as_whole_requests_or_not_at_all() {
    smoke_run("http1", 20_000, http1::run);
}

#[test]
fn http2_is_watched_alike_however_its_frames_are_cut() {
    smoke_run("http2", 20_000, http2::run);
}

#[test]
fn a_set_of_networks_answers_as_trying_each_of_them_does() {
    smoke_run("networks", 20_000, networks::run);
}

#[test]
fn a_policy_that_loads_judges_alike_both_ways() {
    smoke_run("policy", 1_000, policy::run);
}

#[test]
fn a_proxy_header_is_read_to_its_end_and_no_further() {
    smoke_run("proxy_protocol", 20_000, proxy_protocol::run);
}

#[test]
fn a_target_that_is_taken_leads_nowhere_else() {
    smoke_run("target", 20_000, target::run);
}

#[test]
fn every_target_that_can_be_fuzzed_has_its_smoke_run_and_its_seeds() {
    let tests = include_str!("fuzz_smoke.rs");
    for target in std::fs::read_dir(fuzz().join("targets")).unwrap() {
        let file = target.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap();
        assert!(
            tests.contains(&format!("smoke_run(\"{name}\", ")),
            "{name} has no smoke run"
        );
        assert!(!seeds_of(name).is_empty(), "{name} has no seeds");
    }
}

/// More than any limit that a target sets itself, in bytes.
const INPUT_BYTES_MAX: usize = 4096;
/// Changes made to a seed.
const CHANGES_MAX: usize = 5;
/// Bytes at which one of the parsers turns.
const TURNS: &[u8] = b"\r\n\t\0 :;,./\\%?#=\"!-+*[]@0129aAfFxX\x01\x04\x05\x0c\x20\x7e\x7f\x80\x82\x84\xbe\xff";

fn smoke_run(target: &str, inputs: usize, run: fn(&[u8])) {
    let seeds = seeds_of(target);
    let check = |input: &[u8]| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(input))) {
            eprintln!("{target} does not hold for b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    };
    seeds.iter().for_each(|seed| check(seed));
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..inputs {
        check(&changed(&seeds, &mut chance));
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// In the order of their names, so that every run is the same.
fn seeds_of(target: &str) -> Vec<Vec<u8>> {
    let folder = fuzz().join("seeds").join(target);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files.iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// One of the seeds with a few changes.
fn changed(seeds: &[Vec<u8>], chance: &mut Chance) -> Vec<u8> {
    let mut input = seeds[chance.below(seeds.len())].clone();
    for _ in 0..=chance.below(CHANGES_MAX) {
        let start = chance.below(input.len() + 1);
        let end = (start + chance.below(16)).min(input.len());
        match chance.below(6) {
            0 => input.insert(start, TURNS[chance.below(TURNS.len())]),
            1 if start < end => input[start] = TURNS[chance.below(TURNS.len())],
            2 if start < end => input[start] ^= 1 << chance.below(8),
            3 => drop(input.drain(start..end)),
            4 => {
                let again = input[start..end].to_vec();
                input.splice(end..end, again);
            }
            _ => {
                let other = &seeds[chance.below(seeds.len())];
                let from = chance.below(other.len() + 1);
                let to = (from + chance.below(64)).min(other.len());
                input.splice(start..end, other[from..to].iter().copied());
            }
        }
    }
    input.truncate(INPUT_BYTES_MAX);
    input
}

/// Marsaglia's xorshift: the same numbers on every machine.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).unwrap()
    }
}

/// Makes a function of a target's body, where libFuzzer would make a program.
#[macro_export]
macro_rules! fuzz_target {
    (|$input:ident: &[u8]| $body:block) => {
        pub(super) fn run($input: &[u8]) $body
    };
    (|$input:ident: &str| $body:block) => {
        pub(super) fn run(input: &[u8]) {
            let Ok($input) = std::str::from_utf8(input) else { return };
            $body
        }
    };
}
