//! Times as people and programs read them. Always UTC: the door does not know where its visitors are.

use stagedoor_policy::time::Timestamp;

pub(crate) use stagedoor_identity::when::for_people;

/// A point in time on a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    /// `22 November 2026, 15:46 (UTC)`.
    pub(crate) read: String,
    /// RFC 3339 with microseconds.
    pub(crate) exact: String,
}

impl When {
    pub(crate) fn of(at: Timestamp) -> Self {
        Self {
            read: for_people(at),
            exact: rfc3339(at),
        }
    }
}

/// `2026-11-22T15:46:00.000000Z`.
pub(crate) fn rfc3339(at: Timestamp) -> String {
    format!("{:.6}", instant(at))
}

/// `2026-11-22`.
pub(crate) fn date(at: Timestamp) -> String {
    instant(at).strftime("%Y-%m-%d").to_string()
}

/// `14 minutes`: rounded up, so that nobody comes too early.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    let minutes = seconds_until(from, to).div_ceil(60);
    match minutes {
        0 | 1 => "1 minute".to_owned(),
        2..=119 => format!("{minutes} minutes"),
        _ => format!("{} hours", minutes.div_ceil(60)),
    }
}

/// Whole seconds from `from` to `to`, rounded up; zero where that has passed.
pub(crate) fn seconds_until(from: Timestamp, to: Timestamp) -> u64 {
    let span = to.since(from);
    span.as_secs() + u64::from(span.subsec_nanos() > 0)
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_micros()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_micros(1_795_362_360_000_042);

    #[test]
    fn a_time_reads_well_and_exactly() {
        assert_eq!(for_people(AT), "22 November 2026, 15:46 (UTC)");
        assert_eq!(rfc3339(AT), "2026-11-22T15:46:00.000042Z");
        assert_eq!(date(AT), "2026-11-22");
    }

    #[test]
    fn a_time_no_calendar_has_does_not_panic() {
        assert_eq!(rfc3339(Timestamp::from_micros(i64::MAX)), "1970-01-01T00:00:00.000000Z");
    }

    #[test]
    fn a_wait_is_rounded_up() {
        let later = |seconds| AT.after(std::time::Duration::from_secs(seconds));
        assert_eq!(span(AT, later(0)), "1 minute");
        assert_eq!(span(AT, later(61)), "2 minutes");
        assert_eq!(span(AT, later(15 * 60)), "15 minutes");
        assert_eq!(span(AT, later(3 * 3600)), "3 hours");
        assert_eq!(seconds_until(AT, AT.after(std::time::Duration::from_millis(1))), 1);
    }
}
