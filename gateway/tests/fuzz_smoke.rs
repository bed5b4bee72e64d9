//! The bounded run of every fuzz target (`fuzz/README.md`), with what `cargo test` has: each seed that is kept, then a fixed
//! number of inputs made of the seeds, the same ones each time. No coverage leads the way, so it finds less than `fuzz/run`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the targets panic where a property does not hold"
)]

// The targets say `libfuzzer_sys::fuzz_target!`: here that is this file's, at its end.
extern crate self as libfuzzer_sys;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};

/// Takes in the targets' own files, and runs each as a test of its name.
macro_rules! smoke_runs {
    ($($file:literal $target:ident $inputs:literal $test:ident;)*) => {
        $(
            #[path = $file]
            #[expect(unused_attributes, reason = "only a program can be without `main`")]
            mod $target;

            #[test]
            fn $test() {
                smoke_run(stringify!($target), $inputs, $target::run);
            }
        )*

        const TARGETS: &[&str] = &[$(stringify!($target)),*];
    };
}

smoke_runs! {
    "../../fuzz/targets/cookies.rs" cookies 20000 a_session_cookie_is_told_alike_however_its_headers_are_cut;
    "../../fuzz/targets/destination.rs" destination 20000 no_text_leads_off_this_origin_after_signing_in;
    "../../fuzz/targets/forwarded_for.rs" forwarded_for 20000 what_is_claimed_of_an_address_counts_only_as_far_as_it_is_vouched_for;
    "../../fuzz/targets/frames.rs" frames 20000 websocket_frames_are_counted_alike_however_they_are_cut;
    "../../fuzz/targets/host.rs" host 20000 a_host_that_is_taken_has_one_spelling;
    "../../fuzz/targets/http1.rs" http1 20000 http1_is_handed_on_as_whole_requests_or_not_at_all;
    "../../fuzz/targets/http2.rs" http2 20000 http2_is_watched_alike_however_its_frames_are_cut;
    "../../fuzz/targets/networks.rs" networks 20000 a_set_of_networks_answers_as_trying_each_of_them_does;
    "../../fuzz/targets/policy.rs" policy 1000 a_policy_that_loads_judges_alike_both_ways;
    "../../fuzz/targets/proxy_protocol.rs" proxy_protocol 20000 a_proxy_header_is_read_to_its_end_and_no_further;
    "../../fuzz/targets/target.rs" target 20000 a_target_that_is_taken_leads_nowhere_else;
}

#[test]
fn every_target_that_can_be_fuzzed_has_its_smoke_run_and_its_seeds() {
    let mut files: Vec<String> = std::fs::read_dir(fuzz().join("targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    assert_eq!(files, TARGETS);
    assert!(TARGETS.iter().all(|target| !seeds_of(target).is_empty()));
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
