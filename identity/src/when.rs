//! Times as people and programs read them. Always UTC: the door does not know where its visitors are.

use jiff::tz::TimeZone;
use stagedoor_policy::time::Timestamp;

/// `22 November 2026, 15:46 (UTC)`; a time that no calendar has reads as 1970.
pub fn for_people(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_zoned(TimeZone::UTC)
        .strftime("%-d %B %Y, %H:%M (UTC)")
        .to_string()
}

/// `2026-11-22T15:46:00.5Z`, for programs.
pub fn exact(at: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(at.as_micros())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
