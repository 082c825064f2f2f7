//! The table at the end.

/// What was measured, in order.
#[derive(Default)]
pub struct Report(Vec<[String; 4]>);

impl Report {
    /// `floor` is the least that any program could take, from the same run; `goal` is what is aimed at.
    pub fn row(&mut self, what: &str, measured: impl Into<String>, floor: impl Into<String>, goal: &str) {
        let row = [what.to_owned(), measured.into(), floor.into(), goal.to_owned()];
        eprintln!("{}: {} (floor: {})", row[0], row[1], row[2]);
        self.0.push(row);
    }

    pub fn print(&self) {
        println!("| What | Measured | Floor, same run | Goal |\n| --- | --- | --- | --- |");
        for [what, measured, floor, goal] in &self.0 {
            println!("| {what} | {measured} | {floor} | {goal} |");
        }
    }
}

/// The value below which this share of the samples lies. Sorts them.
pub fn quantile(samples: &mut [f64], share: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    let at = ((samples.len() as f64 - 1.0) * share).round() as usize;
    samples.get(at).copied().unwrap_or(f64::NAN)
}

pub fn median(samples: &mut [f64]) -> f64 {
    quantile(samples, 0.5)
}
