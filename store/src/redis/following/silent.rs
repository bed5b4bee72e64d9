//! For whom a change is not waited: who has heard it, and who has been silent for a whole lease. Silence is measured by the
//! clock of whoever waits and on one connection. What the store writes down of a beat is only compared with what it wrote
//! before: its clock may be set, and a server that takes over may have another one and not know the last beats.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::answer::{Answer, Damage};

/// Of each node in an answer: its id, up to which change it has heard, what changes with each beat.
const FIELDS: usize = 3;

/// See the module.
#[derive(Default)]
pub(in super::super) struct Silent(Mutex<Watched>);

#[derive(Default)]
struct Watched {
    /// Of which connection all this is.
    generation: u64,
    /// By node: its last beat, and when that was seen first.
    beats: HashMap<String, (String, Instant)>,
}

impl Silent {
    /// Whether nobody can judge from memory without that change. Told at `now`, on a connection of that generation and age.
    pub(super) fn need_not_wait(
        &self,
        said: &Answer,
        number: u64,
        (generation, made): (u64, Instant),
        now: Instant,
        lease: Duration,
    ) -> Result<bool, Damage> {
        let mut watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if watched.generation != generation {
            watched.generation = generation;
            watched.beats.clear();
        }
        let mut beats = HashMap::new();
        // Somebody may hold a lease from a former server, and this one not know of it.
        let mut nobody = now.saturating_duration_since(made) >= lease;
        for node in said.texts(1)?.chunks(FIELDS) {
            let [id, heard, beat] = node else {
                return Err("a node that is not whole".to_owned());
            };
            let heard: u64 = heard
                .parse()
                .map_err(|_no_number| "the number of a change".to_owned())?;
            let since = match watched.beats.get(*id) {
                Some((before, since)) if before == beat => *since,
                _ => now,
            };
            nobody &= heard >= number || now.saturating_duration_since(since) >= lease;
            beats.insert((*id).to_owned(), ((*beat).to_owned(), since));
        }
        watched.beats = beats;
        Ok(nobody)
    }
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    const LEASE: Duration = Duration::from_millis(250);

    fn said(nodes: &[(&str, u64, u64)]) -> Answer {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let fields = nodes
            .iter()
            .flat_map(|(id, heard, beat)| [text(id), text(&heard.to_string()), text(&beat.to_string())]);
        Answer::new(Value::Array(vec![text("ok"), Value::Array(fields.collect())])).unwrap()
    }

    #[test]
    fn who_has_not_heard_is_waited_for_until_it_was_silent_for_a_lease() {
        let (silent, made) = (Silent::default(), Instant::now());
        let ask = |nodes: &[(&str, u64, u64)], generation, millis| {
            let now = made + LEASE + Duration::from_millis(millis);
            silent
                .need_not_wait(&said(nodes), 7, (generation, made), now, LEASE)
                .unwrap()
        };
        assert!(ask(&[], 1, 0), "nobody is there");
        assert!(ask(&[("one", 7, 100), ("two", 8, 100)], 1, 0));
        assert!(!ask(&[("one", 7, 100), ("two", 6, 1)], 1, 10));
        assert!(!ask(&[("one", 7, 100), ("two", 6, 2)], 1, 250), "it has beaten since");
        assert!(!ask(&[("one", 7, 100), ("two", 6, 2)], 1, 499));
        assert!(ask(&[("one", 7, 100), ("two", 6, 2)], 1, 500));
        assert!(!ask(&[("one", 7, 100), ("two", 6, 2)], 2, 501), "another connection");
        assert!(
            !ask(&[("one", 7, 100), ("two", 6, 1)], 2, 751),
            "a server that knows less"
        );
    }

    #[test]
    fn on_a_young_connection_whoever_may_be_there_is_waited_for() {
        let (silent, made) = (Silent::default(), Instant::now());
        let ask = |millis| {
            let now = made + Duration::from_millis(millis);
            silent.need_not_wait(&said(&[]), 7, (1, made), now, LEASE).unwrap()
        };
        assert!(!ask(249));
        assert!(ask(250));
    }
}
