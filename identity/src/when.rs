//! Times as people read them. Always UTC: the door does not know where its visitors are.

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
