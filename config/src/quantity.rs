//! Lengths of time and amounts of bytes, as they are written.

use std::time::Duration;

/// `"90s"`: a whole number and one of `ms`, `s`, `m`, `h`, `d`. Nothing of zero, nothing above a hundred years.
///
/// # Errors
/// What is wrong with it, to be put after the text itself.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = split(text).ok_or("is not a whole number with a unit")?;
    let millis_each: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 3600 * 1000,
        "d" => DAY_MILLIS,
        "" => return Err("lacks its unit: `ms`, `s`, `m`, `h` or `d`"),
        _ => return Err("has an unknown unit; there are `ms`, `s`, `m`, `h` and `d`"),
    };
    match number.checked_mul(millis_each) {
        Some(0) => Err("must be longer than nothing"),
        Some(millis) if millis <= LONGEST_MILLIS => Ok(Duration::from_millis(millis)),
        _ => Err("is longer than a hundred years"),
    }
}

/// `"100MiB"`: a whole number and one of nothing, `B`, `KiB`, `MiB`, `GiB`, `KB`, `MB`, `GB`.
///
/// # Errors
/// What is wrong with it, to be put after the text itself.
pub(crate) fn bytes(text: &str) -> Result<u64, &'static str> {
    let (number, unit) = split(text).ok_or("is not a whole number with a unit")?;
    let bytes_each: u64 = match unit {
        "" | "B" => 1,
        "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err("has an unknown unit; there are `KiB`, `MiB`, `GiB`, `KB`, `MB` and `GB`"),
    };
    number
        .checked_mul(bytes_each)
        .filter(|bytes| *bytes <= i64::MAX as u64)
        .ok_or("is too large")
}

const DAY_MILLIS: u64 = 24 * 3600 * 1000;
const LONGEST_MILLIS: u64 = 100 * 365 * DAY_MILLIS;

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_a_number_and_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("30d"), Ok(Duration::from_secs(30 * 24 * 3600)));
        for wrong in [
            "",
            "s",
            "30",
            "30 m",
            "-5s",
            "1.5h",
            "0s",
            "30y",
            "99999999999999999999s",
            "40000d",
            "5s ",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?} was taken");
        }
    }

    #[test]
    fn an_amount_of_bytes_tells_thousands_from_kibi() {
        assert_eq!(bytes("100MiB"), Ok(104_857_600));
        assert_eq!(bytes("2KB"), Ok(2000));
        assert_eq!(bytes("0"), Ok(0));
        for wrong in ["", "MiB", "1mib", "1 MiB", "-1", "99999999999GiB"] {
            assert!(bytes(wrong).is_err(), "{wrong:?} was taken");
        }
    }
}
