//! Points in time as they are typed: `-15m`, `+90d`, `2026-11-22`, `2026-11-22T15:00:00Z`.

use std::time::Duration;

use stagedoor_policy::time::Timestamp;

/// The moment that was typed, in the API's shape (RFC 3339, UTC).
///
/// # Errors
/// A sentence that says how moments are written.
pub(crate) fn parse(typed: &str, now: Timestamp) -> Result<String, String> {
    let unknown = || {
        format!(
            "`{typed}` is no time: write how long ago (`-15m`, `-2h`, `-7d`) or how soon (`+90d`), a day (`2026-11-22`) or a time in UTC \
             (`2026-11-22T15:00:00Z`)"
        )
    };
    let moment = match (typed.strip_prefix('-'), typed.strip_prefix('+')) {
        (Some(ago), _) => before(now, span(ago).ok_or_else(unknown)?),
        (_, Some(soon)) => written(now.after(span(soon).ok_or_else(unknown)?)),
        _ => absolute(typed),
    };
    Ok(moment.ok_or_else(unknown)?.to_string())
}

fn before(now: Timestamp, ago: Duration) -> Option<jiff::Timestamp> {
    let ago_micros = i64::try_from(ago.as_micros()).ok()?;
    written(Timestamp::from_micros(now.as_micros().checked_sub(ago_micros)?))
}

fn written(moment: Timestamp) -> Option<jiff::Timestamp> {
    jiff::Timestamp::from_microsecond(moment.as_micros()).ok()
}

fn absolute(typed: &str) -> Option<jiff::Timestamp> {
    if let Ok(time) = typed.parse::<jiff::Timestamp>() {
        return Some(time);
    }
    let local: jiff::civil::DateTime = typed.parse().ok()?;
    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// `90s`, `15m`, `2h`, `7d`.
fn span(typed: &str) -> Option<Duration> {
    let unit = typed.chars().last()?;
    let number: u64 = typed.strip_suffix(unit)?.parse().ok()?;
    let unit_seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    Some(Duration::from_secs(number.checked_mul(unit_seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T15:00:00Z.
    const NOW: Timestamp = Timestamp::from_micros(1_795_359_600_000_000);

    #[test]
    fn how_long_ago_is_counted_from_now() {
        assert_eq!(parse("-15m", NOW).unwrap(), "2026-11-22T14:45:00Z");
        assert_eq!(parse("-2h", NOW).unwrap(), "2026-11-22T13:00:00Z");
        assert_eq!(parse("-7d", NOW).unwrap(), "2026-11-15T15:00:00Z");
    }

    #[test]
    fn how_soon_is_counted_from_now_too() {
        assert_eq!(parse("+90d", NOW).unwrap(), "2027-02-20T15:00:00Z");
        assert!(parse("+99999999999999d", NOW).is_err());
    }

    #[test]
    fn days_and_times_are_utc() {
        assert_eq!(parse("2026-11-22", NOW).unwrap(), "2026-11-22T00:00:00Z");
        assert_eq!(parse("2026-11-22T10:30", NOW).unwrap(), "2026-11-22T10:30:00Z");
        assert_eq!(parse("2026-11-22T10:30:00+01:00", NOW).unwrap(), "2026-11-22T09:30:00Z");
    }

    #[test]
    fn anything_else_is_refused_with_how_to_write_it() {
        for typed in [
            "",
            "-",
            "-m",
            "-5y",
            "15m",
            "yesterday",
            "-99999999999999999999d",
            "-9999999999d",
        ] {
            let told = parse(typed, NOW).unwrap_err();
            assert!(told.contains("`-15m`"), "{typed}: {told}");
        }
    }
}
