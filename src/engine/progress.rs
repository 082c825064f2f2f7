//! Telling whoever waits how far it is: the last line of the log, and the percentage if the log has one.
//!
//! Reads logs only when somebody listens. Knows nothing of MCP.

use super::call::Call;
use super::tail;
use super::{Progress, Watch};
use crate::client::{PreparedRequest, Repeat};

/// Lines that are read at once.
const PAGE: u64 = 500;
/// What a step without a percentage adds, so that `done` always grows.
const STEP: f64 = 0.01;

/// Counts what was told.
pub struct Ticker<'a> {
    watch: &'a Watch,
    seen: u64,
    done: f64,
    percent: bool,
    message: String,
}

impl<'a> Ticker<'a> {
    pub fn new(watch: &'a Watch) -> Ticker<'a> {
        Ticker { watch, seen: 0, done: 0.0, percent: false, message: String::new() }
    }

    /// Looks at what is new in the log, and tells it.
    pub async fn tick(&mut self, call: &Call<'_>, log: Option<&PreparedRequest>) {
        let Some(listener) = &self.watch.progress else { return };
        let mut percent = None;
        if let Some(log) = log
            && let Ok(reply) =
                call.client.get(&tail::from(log, self.seen, PAGE), Repeat::Never, &self.watch.cancelled).await
        {
            let lines = tail::lines(&reply.data);
            self.seen += lines.len() as u64;
            percent = lines.iter().filter_map(|line| percentage(line)).next_back();
            if let Some(last) = lines.into_iter().rev().find(|line| !line.is_empty()) {
                self.message = call.secrets().hide(last);
            }
        }
        let progress = self.step(percent);
        // Nobody listens any more: then nobody is told.
        let _ = listener.send(progress);
    }

    fn step(&mut self, percent: Option<f64>) -> Progress {
        self.percent |= percent.is_some();
        self.done = percent.filter(|percent| *percent > self.done).unwrap_or(self.done + STEP);
        let message = if self.message.is_empty() { "running".to_owned() } else { self.message.clone() };
        Progress { done: self.done, total: self.percent.then_some(100.0_f64.max(self.done)), message }
    }
}

/// The last percentage in a line: `transferred 1.0 GiB of 8.0 GiB (12.50%)`.
fn percentage(line: &str) -> Option<f64> {
    let (before, _) = line.rsplit_once('%')?;
    let digits = before.rfind(|letter: char| !letter.is_ascii_digit() && letter != '.').map_or(before, |end| {
        let next = before.get(end..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        before.get(end + next..).unwrap_or_default()
    });
    digits.parse::<f64>().ok().filter(|percent| (0.0..=100.0).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_found_in_logs() {
        assert_eq!(percentage("INFO:  25% (2.0 GiB of 8.0 GiB) in 3s"), Some(25.0));
        assert_eq!(percentage("transferred 1.0 GiB of 8.0 GiB (12.50%)"), Some(12.5));
        assert_eq!(percentage("100%"), Some(100.0));
        assert_eq!(percentage("größe: ä7%"), Some(7.0));
        for none in ["no figure", "%", "disk is 120% full", "1.2.3%"] {
            assert_eq!(percentage(none), None, "{none}");
        }
    }

    #[test]
    fn progress_always_grows() {
        let watch = Watch::default();
        let mut ticker = Ticker::new(&watch);
        let steps: Vec<(f64, Option<f64>)> = [None, None, Some(10.0), Some(10.0), Some(5.0), Some(100.0), Some(100.0)]
            .map(|percent| ticker.step(percent))
            .map(|progress| (progress.done, progress.total))
            .to_vec();
        assert!(steps.windows(2).all(|pair| pair[0].0 < pair[1].0), "{steps:?}");
        assert!(steps.iter().all(|(done, total)| total.is_none_or(|total| *done <= total)));
        assert_eq!(steps[0].1, None);
    }
}
