//! The cluster's clock: it starts at a fixed instant and moves by requests, never by itself, unless it was told to
//! follow the real one.
//!
//! Knows instants and how the API writes them. The same requests give the same instants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// 2026-11-01T08:00:00Z in milliseconds since 1970.
pub(crate) const START: i64 = 1_793_520_000_000;

/// How far one request moves the clock unless a test says otherwise, in milliseconds.
const STEP: i64 = 1_000;

/// When the nodes were booted, in milliseconds since 1970 (ten days before the start).
pub(crate) const BOOT: i64 = START - 10 * 86_400_000;

/// The present instant, and the pace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    /// Milliseconds since 1970.
    pub now: i64,
    /// How far one request moves the clock, in milliseconds.
    pub step: i64,
    /// It follows the real clock, and is so many milliseconds ahead of it.
    ahead: Option<i64>,
}

impl Clock {
    pub(crate) const fn new() -> Clock {
        Clock { now: START, step: STEP, ahead: None }
    }

    /// From now on it shows the real time.
    pub(crate) fn follow(&mut self) {
        self.ahead = Some(0);
        self.now = real();
    }

    /// A request has come in.
    pub(crate) fn tick(&mut self) {
        match self.ahead {
            None => self.now += self.step,
            Some(ahead) => self.now = self.now.max(real() + ahead),
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let time = i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4);
        self.now = self.now.saturating_add(time);
        self.ahead = self.ahead.map(|ahead| ahead.saturating_add(time));
    }

    /// Seconds since 1970, as the API reports times.
    pub(crate) const fn seconds(self) -> i64 {
        self.now / 1_000
    }
}

/// Milliseconds since 1970.
fn real() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// `2026-11-01 08:00:00`, as in task logs.
pub(crate) fn stamp(seconds: i64) -> String {
    fields(seconds).map_or_else(String::new, |t| {
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
            t.year(),
            u8::from(t.month()),
            t.day(),
            t.hour(),
            t.minute(),
            t.second()
        )
    })
}

/// `2026_11_01-08_00_00`, as in the names of backup files.
pub(crate) fn file_stamp(seconds: i64) -> String {
    stamp(seconds).replace('-', "_").replace(' ', "-").replace(':', "_")
}

/// `2026-11-01T08:00:00Z`, as in the names of snapshots on a backup server.
pub(crate) fn iso_stamp(seconds: i64) -> String {
    format!("{}Z", stamp(seconds).replace(' ', "T"))
}

/// `00:01:05`, as in task logs.
pub(crate) fn span(seconds: i64) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

fn fields(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_starts_on_the_first_of_november() {
        assert_eq!(iso_stamp(Clock::new().seconds()), "2026-11-01T08:00:00Z");
    }

    #[test]
    fn instants_are_written_as_the_api_writes_them() {
        assert_eq!(stamp(1_795_228_858), "2026-11-21 02:40:58");
        assert_eq!(file_stamp(1_795_228_858), "2026_11_21-02_40_58");
        assert_eq!(span(3_725), "01:02:05");
    }
}
