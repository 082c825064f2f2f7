//! Numbers as a person reads them, by the unit that the catalogue gives a field.

use crate::catalogue::UNITS;
use serde_json::Number;

/// The unit of a field, in the catalogue's words.
pub fn of(field: &str) -> Option<&'static str> {
    UNITS.iter().find(|(name, _)| *name == field).map(|(_, unit)| *unit)
}

/// A number with its unit, or `None` when the field has none that is known here.
pub fn human(unit: &str, number: &Number) -> Option<String> {
    let unit = unit.to_ascii_lowercase();
    if unit.starts_with("bytes") {
        bytes(number.as_f64()?)
    } else if unit.starts_with("seconds") {
        duration(number.as_u64()?)
    } else if unit.starts_with("unix time") {
        instant(number.as_u64()?)
    } else if unit.starts_with("share") {
        Some(format!("{:.1} %", number.as_f64()? * 100.0))
    } else {
        None
    }
}

fn bytes(value: f64) -> Option<String> {
    if value < 0.0 {
        return None;
    }
    let mut value = value;
    let mut unit = "B";
    for larger in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = larger;
    }
    let decimals = usize::from(unit != "B" && value < 100.0 && value.fract() >= 0.05);
    Some(format!("{value:.decimals$} {unit}"))
}

fn duration(seconds: u64) -> Option<String> {
    let (days, hours, minutes, rest) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    Some(match (days, hours, minutes) {
        (0, 0, 0) => format!("{rest} s"),
        (0, 0, _) => format!("{minutes} min {rest} s"),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    })
}

/// Seconds since 1970 as a date in UTC.
fn instant(seconds: u64) -> Option<String> {
    let mut days = seconds / 86_400;
    // The calendar repeats every 400 years of 146,097 days; counting the years one by one is quick enough.
    let mut year = 1970;
    if days > 3_000_000 {
        return None;
    }
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    loop {
        let length = if leap(year) { 366 } else { 365 };
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    Some(format!("{year}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02} UTC", days + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(unit: &str, number: impl Into<Number>) -> Option<String> {
        human(unit, &number.into())
    }

    #[test]
    fn sizes_times_and_shares_get_units() {
        assert_eq!(shown("bytes", 4_294_967_296_u64).as_deref(), Some("4 GiB"));
        assert_eq!(shown("bytes", 1_610_612_736_u64).as_deref(), Some("1.5 GiB"));
        assert_eq!(shown("bytes", 900).as_deref(), Some("900 B"));
        assert_eq!(shown("seconds", 59).as_deref(), Some("59 s"));
        assert_eq!(shown("seconds", 93_600).as_deref(), Some("1 d 2 h"));
        let share = Number::from_f64(0.0312).and_then(|cpu| human("share of the processors, 0 to 1", &cpu));
        assert_eq!(share.as_deref(), Some("3.1 %"));
    }

    #[test]
    fn dates_follow_the_calendar() {
        let date = |seconds: u64| shown("Unix time, seconds", seconds);
        assert_eq!(date(0).as_deref(), Some("1970-01-01 00:00:00 UTC"));
        assert_eq!(date(951_782_400).as_deref(), Some("2000-02-29 00:00:00 UTC"));
        assert_eq!(date(1_793_520_000).as_deref(), Some("2026-11-01 08:00:00 UTC"));
        assert_eq!(date(1_735_689_599).as_deref(), Some("2024-12-31 23:59:59 UTC"));
    }

    #[test]
    fn what_has_no_known_unit_stays_as_it_is() {
        assert_eq!(shown("MiB", 2048), None);
        assert_eq!(shown("", 100), None);
    }
}
