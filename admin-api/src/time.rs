//! Points in time as the outside writes them.

use std::time::Duration;

use stagedoor_policy::time::Timestamp;

/// RFC 3339, UTC, microseconds: `2026-11-22T16:45:00.000000Z`.
pub(crate) fn written(at: Timestamp) -> String {
    match jiff::Timestamp::from_microsecond(at.as_micros()) {
        Ok(time) => format!("{time:.6}"),
        // Beyond the year 9999: still a time, still sortable.
        Err(_) => format!("{:.6}", jiff::Timestamp::MAX),
    }
}

/// From RFC 3339, or relative to `now`: `-90s`, `-15m`, `-2h`, `-2d`.
pub(crate) fn read(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Some(ago) = text.strip_prefix('-') {
        return ago_of(ago)
            .map(|span| Timestamp::from_micros(now.as_micros().saturating_sub(span)))
            .ok_or_else(|| format!("`{text}` is no time: a time before now looks like `-15m`, `-2h` or `-2d`"));
    }
    text.parse::<jiff::Timestamp>()
        .map(|time| Timestamp::from_micros(time.as_microsecond()))
        .map_err(|_| {
            format!("`{text}` is no time: write `2026-11-22T16:45:00Z`, or `-15m` for a quarter of an hour ago")
        })
}

fn ago_of(text: &str) -> Option<i64> {
    let unit_at = text.find(|character: char| !character.is_ascii_digit())?;
    let (count, unit) = text.split_at_checked(unit_at)?;
    let seconds: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let span = Duration::from_secs(count.parse::<u32>().ok()?.into()).checked_mul(u32::try_from(seconds).ok()?)?;
    i64::try_from(span.as_micros()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_795_000_000_000_000);

    #[test]
    fn times_are_written_in_utc_with_microseconds() {
        assert_eq!(written(Timestamp::from_micros(0)), "1970-01-01T00:00:00.000000Z");
        assert_eq!(
            written(Timestamp::from_micros(1_500_000)),
            "1970-01-01T00:00:01.500000Z"
        );
        assert_eq!(written(Timestamp::from_micros(i64::MAX)), "9999-12-30T22:00:00.999999Z");
    }

    #[test]
    fn what_is_written_can_be_read_again() {
        let at = Timestamp::from_micros(1_795_000_000_123_456);
        assert_eq!(read(&written(at), NOW), Ok(at));
        assert_eq!(read("1970-01-01T01:00:00+01:00", NOW), Ok(Timestamp::from_micros(0)));
    }

    #[test]
    fn relative_times_count_back_from_now() {
        let quarter = Timestamp::from_micros(NOW.as_micros() - 900_000_000);
        assert_eq!(read("-15m", NOW), Ok(quarter));
        assert_eq!(read("-900s", NOW), Ok(quarter));
        assert_eq!(read("-2d", NOW), read("-48h", NOW));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in [
            "",
            "-",
            "-m",
            "-15",
            "-15x",
            "-1.5h",
            "--5m",
            "yesterday",
            "-99999999999d",
            "2026-13-01T00:00:00Z",
        ] {
            assert!(read(text, NOW).is_err(), "{text}");
        }
    }
}
