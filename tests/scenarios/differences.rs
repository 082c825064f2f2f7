//! The list of differences between the two clusters, read from `differences.md`.
//!
//! A row replaces what one backend is expected to do in one step. Knows the form of the table, not what it says.

use crate::script::Expected;

const LIST: &str = include_str!("differences.md");

/// A row of the table.
#[derive(Debug)]
pub struct Difference {
    pub scenario: String,
    pub steps: Vec<String>,
    /// Which backend does otherwise than the scenario expects.
    pub who: String,
    /// What it does instead.
    pub does: Expected,
    /// Ids of the recordings that decide.
    pub recordings: Vec<String>,
}

/// Every row. Panics when the table cannot be read: it is part of the tests.
pub fn all() -> Vec<Difference> {
    let rows = LIST
        .lines()
        .filter(|line| line.starts_with("| "))
        .filter(|line| !line.starts_with("| Scenario") && !line.starts_with("| ---"));
    rows.map(read).collect()
}

fn read(line: &str) -> Difference {
    let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
    let [scenario, step, who, does, recorded, conduct] = cells[..] else { panic!("six cells: {line}") };
    assert!(["sandbox", "simulator"].contains(&who), "who: {line}");
    assert!(!recorded.is_empty() && !conduct.is_empty(), "a reason: {line}");
    let (kind, spans) = does.split_once(' ').unwrap_or_else(|| panic!("`answers` or `fails`: {line}"));
    let mut spans = spans.split('`').skip(1).step_by(2);
    let does = match kind {
        "answers" => {
            let content = spans.next().unwrap_or_else(|| panic!("content: {line}"));
            Expected::Answers(serde_json::from_str(content).unwrap_or_else(|error| panic!("{error}: {line}")))
        }
        "fails" => Expected::Fails(spans.map(str::to_owned).collect()),
        _ => panic!("`answers` or `fails`: {line}"),
    };
    // Other code spans name fields: an id has dots.
    let spans = recorded.split('`').skip(1).step_by(2).filter(|span| span.contains('.'));
    let recordings = spans.map(str::to_owned).collect();
    let steps = step.split(';').map(|step| step.trim().to_owned()).collect();
    Difference { scenario: scenario.to_owned(), steps, who: who.to_owned(), does, recordings }
}

/// What this backend is listed to do in this step instead.
pub fn listed(scenario: &str, step: &str, who: &str) -> Option<Expected> {
    let mut rows = all().into_iter();
    rows.find(|row| row.scenario == scenario && row.who == who && row.steps.iter().any(|one| one == step))
        .map(|row| row.does)
}

#[test]
fn every_row_names_a_step() {
    let scenarios = crate::scenarios();
    for row in all() {
        let scenario = scenarios.iter().find(|scenario| scenario.name == row.scenario);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario `{}`", row.scenario));
        for named in &row.steps {
            let step = scenario.steps.iter().find(|step| step.name == named);
            let step = step.unwrap_or_else(|| panic!("no step `{named}` in `{}`", row.scenario));
            assert_ne!(step.expected, row.does, "no difference: {row:?}");
        }
    }
}

#[test]
fn every_recording_is_there() {
    let recorded = include_str!("../../sandbox/tests/data/observed.jsonl");
    for id in all().into_iter().flat_map(|row| row.recordings) {
        assert!(recorded.contains(&format!("\"id\":\"{id}\"")), "no recording `{id}`");
    }
}

#[test]
fn the_table_is_read_as_it_is_written() {
    let row =
        read("| a life | grow; shrink | simulator | answers `{\"outcome\": \"ok\"}` | `vm.resize.shrink` | told |");
    assert_eq!((row.scenario.as_str(), row.who.as_str()), ("a life", "simulator"));
    assert_eq!(row.steps, ["grow", "shrink"]);
    assert_eq!(row.does, Expected::Answers(serde_json::json!({"outcome": "ok"})));
    assert_eq!(row.recordings, ["vm.resize.shrink"]);
    let other = read("| a | b | sandbox | fails `one` and `two` | none | told |");
    assert_eq!(other.does, Expected::Fails(vec!["one".to_owned(), "two".to_owned()]));
}
