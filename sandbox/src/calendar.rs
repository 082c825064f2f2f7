//! Calendar events: when a schedule such as `mon..fri 02:30` comes due.
//!
//! Knows days of the week and times of the day; a date in front of the time is accepted and means every day.

use time::{OffsetDateTime, Weekday};

const DAY: i64 = 86_400;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A schedule, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// From Monday; all false = every day.
    days: [bool; 7],
    /// Only on this day of the month.
    first_of_month: bool,
    /// Seconds of the day, sorted.
    times: Vec<i64>,
}

impl Event {
    /// Reads a schedule; the error is the API's text behind the name of the parameter.
    pub(crate) fn parse(text: &str) -> Result<Event, String> {
        let every = |times: Vec<i64>| Event { days: [false; 7], first_of_month: false, times };
        match text {
            "minutely" => return Ok(every((0..DAY).step_by(60).collect())),
            "hourly" => return Ok(every((0..DAY).step_by(3_600).collect())),
            "daily" => return Ok(every(vec![0])),
            "weekly" => return Ok(Event { days: [true, false, false, false, false, false, false], ..every(vec![0]) }),
            "monthly" | "quarterly" | "semiannually" | "semi-annually" | "yearly" | "annually" => {
                return Ok(Event { first_of_month: true, ..every(vec![0]) });
            }
            _ => {}
        }
        let refused = |at: &str, context: &str| {
            format!(
                "invalid calendar event '{text}' - unable to parse calendar event at '{at}' - Context(\"{context}\")\n"
            )
        };
        let mut event = every(Vec::new());
        for (place, word) in text.split_whitespace().enumerate() {
            if word.starts_with(|c: char| c.is_ascii_alphabetic()) {
                if place > 0 {
                    return Err(refused(word, "time"));
                }
                event.days = days(word).ok_or_else(|| refused(word, "weekday"))?;
            } else if word.contains('-') {
                event.first_of_month = word.ends_with("-1") || word.ends_with("-01");
            } else {
                event.times = times(word).ok_or_else(|| refused(word, "time"))?;
            }
        }
        if text.trim().is_empty() {
            return Err(format!(
                "invalid calendar event '{text}' - unable to parse calendar event - unexpected end of input\n"
            ));
        }
        if event.times.is_empty() {
            event.times.push(0);
        }
        Ok(event)
    }

    /// The first time after `after`, both in seconds since 1970.
    pub(crate) fn next(&self, after: i64) -> Option<i64> {
        let midnight = after.div_euclid(DAY) * DAY;
        (0..400).map(|day| midnight + day * DAY).filter(|day| self.fits(*day)).find_map(|day| {
            let mut times = self.times.iter().map(|time| day + time);
            times.find(|time| *time > after)
        })
    }

    fn fits(&self, day: i64) -> bool {
        let Ok(date) = OffsetDateTime::from_unix_timestamp(day) else { return false };
        let weekday = usize::from(date.weekday().number_days_from_monday());
        (self.days == [false; 7] || self.days[weekday]) && (!self.first_of_month || date.day() == 1)
    }
}

/// `Wed Nov 15 00:00:00 2023`.
pub(crate) fn text(seconds: i64) -> String {
    let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) else { return String::new() };
    let day = match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    let month = &date.month().to_string()[..3];
    let (hour, minute, second) = (date.hour(), date.minute(), date.second());
    format!("{day} {month} {:2} {hour:02}:{minute:02}:{second:02} {}", date.day(), date.year())
}

/// `mon..fri` or `sat,sun`.
fn days(word: &str) -> Option<[bool; 7]> {
    let number = |name: &str| {
        let short = name.get(..3)?.to_ascii_lowercase();
        let place = DAYS.iter().position(|day| *day == short)?;
        let long = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"][place];
        (name.len() == 3 || name.eq_ignore_ascii_case(long)).then_some(place)
    };
    let mut days = [false; 7];
    for part in word.split(',').filter(|part| !part.is_empty()) {
        let (from, to) = part.split_once("..").unwrap_or((part, part));
        let (from, to) = (number(from)?, number(to)?);
        (0..7).filter(|day| if from <= to { (from..=to).contains(day) } else { *day >= from || *day <= to }).for_each(
            |day| {
                days[day] = true;
            },
        );
    }
    Some(days)
}

/// `02:30`, `*:0/15`, `*/5` (minutes), `8..17:00`.
fn times(word: &str) -> Option<Vec<i64>> {
    let mut parts: Vec<&str> = word.split(':').collect();
    if parts.len() == 1 {
        parts.insert(0, "*");
    }
    let hours = numbers(parts.first()?, 24)?;
    let minutes = numbers(parts.get(1)?, 60)?;
    let seconds = numbers(parts.get(2).unwrap_or(&"0"), 60)?;
    let mut times: Vec<i64> = hours
        .iter()
        .flat_map(|hour| minutes.iter().map(move |minute| hour * 3_600 + minute * 60))
        .flat_map(|time| seconds.iter().map(move |second| time + second))
        .collect();
    times.sort_unstable();
    times.dedup();
    Some(times)
}

/// The numbers below `most` that a field such as `0/15` or `8..17` or `1,2` stands for.
fn numbers(field: &str, most: i64) -> Option<Vec<i64>> {
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: Option<usize> = step.map(str::parse).transpose().ok()?;
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| (0..most).contains(number));
        let (from, to) = match range.split_once("..") {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" => (0, most - 1),
            None => (number(range)?, if step.is_some() { most - 1 } else { number(range)? }),
        };
        all.extend((from..=to).step_by(step.unwrap_or(1).max(1)));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_come_due() {
        let next = |text: &str| Event::parse(text).unwrap().next(1_700_000_000).map(super::text).unwrap_or_default();
        assert_eq!(next("daily"), "Wed Nov 15 00:00:00 2023");
        assert_eq!(next("mon..fri 02:30"), "Wed Nov 15 02:30:00 2023");
        assert_eq!(next("sat 03:00"), "Sat Nov 18 03:00:00 2023");
        assert_eq!(next("*/15"), "Tue Nov 14 22:15:00 2023");
        assert_eq!(next("monthly"), "Fri Dec  1 00:00:00 2023");
        assert_eq!(next("21:00"), "Wed Nov 15 21:00:00 2023");
    }

    #[test]
    fn what_is_no_schedule_is_refused_at_its_place() {
        assert_eq!(
            Event::parse("foo bar").unwrap_err(),
            "invalid calendar event 'foo bar' - unable to parse calendar event at 'foo' - Context(\"weekday\")\n"
        );
        assert!(Event::parse("25:00").is_err());
        assert!(Event::parse("").is_err());
    }
}
