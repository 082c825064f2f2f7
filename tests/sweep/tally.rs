//! What the sweep went through, and what it found.
//!
//! Knows how results are counted and shown; must not know how they come about.

use crate::calls::{arguments, spelled, surfaces};
use proxmox_mcp::tool::{Argument, Form, Surface};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

type Key = (&'static str, &'static str);

#[derive(Default)]
pub struct Tally {
    wrong: Vec<String>,
    /// Surface and argument → good and bad values tried.
    tried: BTreeMap<Key, (usize, usize)>,
    categories: BTreeMap<String, usize>,
    /// Canonical tool and argument → where its values went.
    places: BTreeMap<Key, BTreeSet<String>>,
    /// Positions of switches that do nothing, by surface and argument.
    lost: BTreeMap<Key, Vec<String>>,
}

impl Tally {
    pub fn wrong(&mut self, what: String) {
        self.wrong.push(what);
    }

    pub fn category(&mut self, what: String) {
        *self.categories.entry(what).or_default() += 1;
    }

    pub fn good(&mut self, surface: &'static Surface, argument: &'static Argument) {
        self.tried.entry((surface.name, argument.name)).or_default().0 += 1;
    }

    pub fn bad(&mut self, surface: &'static Surface, argument: &'static Argument) {
        self.tried.entry((surface.name, argument.name)).or_default().1 += 1;
    }

    pub fn place(&mut self, surface: &'static Surface, argument: &'static Argument, place: String) {
        self.places.entry((surface.tool.name, argument.name)).or_default().insert(place);
    }

    pub fn lost(&mut self, surface: &'static Surface, argument: &'static Argument, value: &Value) {
        let chooses_view = argument.form == Form::Choice && argument.rule.fact.is_none();
        if argument.form == Form::Boolean || chooses_view {
            self.lost.entry((surface.name, argument.name)).or_default().push(value.to_string());
        } else {
            let name = spelled(surface, argument.name);
            self.wrong(format!("{}.{name} = {}: nothing of it is sent or used", surface.name, short(value)));
        }
    }

    /// Shows the totals, and fails for what was wrong, for what was not tried, and for a place that moved.
    pub fn end(mut self) {
        let (mut listed, mut untried) = (0, Vec::new());
        for surface in surfaces() {
            for argument in arguments(surface) {
                listed += 1;
                let (good, bad) = self.tried.get(&(surface.name, argument.name)).copied().unwrap_or_default();
                if good == 0 || bad == 0 {
                    untried.push(format!(
                        "{}.{}: {good} good, {bad} bad",
                        surface.name,
                        spelled(surface, argument.name)
                    ));
                }
            }
        }
        let sum = |get: fn(&(usize, usize)) -> usize| self.tried.values().map(get).sum::<usize>();
        println!(
            "{} names, {listed} arguments, {} good values, {} bad values",
            surfaces().count(),
            sum(|one| one.0),
            sum(|one| one.1)
        );
        self.categories.iter().for_each(|(what, count)| println!("{count:6}  {what}"));
        for ((surface, argument), values) in &self.lost {
            // A switch may do nothing in one of its positions.
            let tried = self.tried.get(&(*surface, *argument)).map_or(0, |one| one.0);
            if values.len() >= tried {
                self.wrong.push(format!("{surface}.{argument} = {}: no position does anything", values.join(" / ")));
            }
        }
        let wrong = self.wrong.len();
        let shown = few(&self.wrong);
        assert!(self.wrong.is_empty(), "{wrong} mistakes, among them:\n{}", shown.join("\n"));
        assert!(untried.is_empty(), "not tried:\n{}", untried.join("\n"));
        let lines: Vec<String> = self
            .places
            .iter()
            .map(|((tool, argument), places)| {
                let places: Vec<&str> = places.iter().map(String::as_str).collect();
                format!("{tool}.{argument} -> {}", places.join(" | "))
            })
            .collect();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!("wire", lines.join("\n")));
    }
}

/// A value on one line, cut.
pub fn short(value: &Value) -> String {
    let text = value.to_string();
    let cut: String = text.chars().take(90).collect();
    if cut.len() < text.len() { format!("{cut}… ({} characters)", text.chars().count()) } else { cut }
}

/// Two mistakes of each argument tell enough.
pub fn few(wrong: &[String]) -> Vec<String> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut few = Vec::new();
    for one in wrong {
        let of = seen.entry(one.split(" = ").next().unwrap_or_default()).or_default();
        *of += 1;
        if *of <= 2 && few.len() < 100 {
            few.push(format!("- {one}"));
        }
    }
    few
}
