//! The rules in force, and which of them strikes.
//!
//! Knows patterns and counts, and nothing of what a fault does.

use wildmatch::WildMatch;

use super::{Fault, Rule};
use crate::request::decode;

/// The rules in the order in which they were given; the first one that fits and is not used up strikes.
#[derive(Debug, Default)]
pub(crate) struct Rules(Vec<Counted>);

#[derive(Debug)]
struct Counted {
    rule: Rule,
    /// How many requests or connections have fitted so far.
    met: u32,
}

impl Rules {
    pub(crate) fn set(&mut self, rules: Vec<Rule>) {
        self.0 = rules.into_iter().map(|rule| Counted { rule, met: 0 }).collect();
    }

    pub(crate) fn add(&mut self, rule: Rule) {
        self.0.push(Counted { rule, met: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Every rule, with how many requests or connections it has struck.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&Rule, u32)> {
        self.0.iter().map(|counted| (&counted.rule, counted.struck()))
    }

    /// What a request meets, by its method, its target as sent, and the number of the endpoint.
    pub(crate) fn request(&mut self, verb: &str, target: &str, endpoint: u16) -> Option<Fault> {
        if self.0.is_empty() {
            return None;
        }
        let path = below_the_format(target);
        let path: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        self.strike(endpoint, |rule| {
            !rule.fault.strikes_connections() && rule.verbs.holds(verb) && fits(&rule.path, &path)
        })
    }

    /// What a new connection meets at the endpoint of that number.
    pub(crate) fn connection(&mut self, endpoint: u16) -> Option<Fault> {
        self.strike(endpoint, |rule| rule.fault.strikes_connections())
    }

    fn strike(&mut self, endpoint: u16, fits: impl Fn(&Rule) -> bool) -> Option<Fault> {
        let here = |rule: &Rule| rule.endpoint.is_none_or(|wanted| wanted == endpoint);
        let fitting = self.0.iter_mut().filter(|counted| here(&counted.rule) && fits(&counted.rule));
        for counted in fitting {
            if counted.meet() {
                return Some(counted.rule.fault.clone());
            }
        }
        None
    }
}

impl Counted {
    /// One more has come; whether it is struck.
    fn meet(&mut self) -> bool {
        let before = self.struck();
        self.met = self.met.saturating_add(1);
        self.struck() > before
    }

    fn struck(&self) -> u32 {
        let after = self.met.saturating_sub(self.rule.skip);
        self.rule.times.map_or(after, |times| after.min(times))
    }
}

/// The decoded path behind `/api2/json`, or all of it where there is no such beginning.
fn below_the_format(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let below = path.strip_prefix("/api2/").and_then(|rest| rest.split_once('/')).map_or(path, |(_, path)| path);
    decode(below)
}

fn fits(pattern: &str, path: &[&str]) -> bool {
    let pattern: Vec<&str> = pattern.split('/').filter(|segment| !segment.is_empty()).collect();
    segments_fit(&pattern, path)
}

fn segments_fit(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (None, None) => true,
        (Some((&"**", rest)), _) => (0..=path.len()).any(|gone| segments_fit(rest, &path[gone..])),
        (Some((wanted, pattern)), Some((segment, path))) => {
            WildMatch::new(wanted).matches(segment) && segments_fit(pattern, path)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(rules: &mut Rules, verb: &str, target: &str) -> bool {
        rules.request(verb, target, 1).is_some()
    }

    #[test]
    fn a_star_stays_within_a_segment_and_two_do_not() {
        let fits = |pattern: &str, target: &str| {
            let path = below_the_format(target);
            fits(pattern, &path.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>())
        };
        assert!(fits("/nodes/*/status", "/api2/json/nodes/pve1/status"));
        assert!(fits("/nodes/*/status", "/api2/extjs//nodes/pve1/status/?x=1"));
        assert!(!fits("/nodes/*/status", "/api2/json/nodes/pve1/qemu/100/status"));
        assert!(fits("/nodes/**/status", "/api2/json/nodes/pve1/qemu/100/status"));
        assert!(fits("/nodes/**", "/api2/json/nodes"));
        assert!(fits("**", "/api2/json"));
        assert!(fits("/nodes/pve?/tasks/*:vzdump:*/log", "/api2/json/nodes/pve1/tasks/UPID%3Apve1%3Avzdump%3A1/log"));
        assert!(!fits("/nodes", "/api2/json/nodes/pve1"));
    }

    #[test]
    fn a_rule_spares_some_and_strikes_some() {
        let mut rules = Rules::default();
        rules.add(Rule { skip: 1, times: Some(2), ..Fault::Empty.always() });
        let struck: Vec<bool> = (0..5).map(|_| met(&mut rules, "GET", "/api2/json/version")).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert_eq!(rules.list().next().map(|(_, count)| count), Some(2));
    }

    #[test]
    fn a_rule_of_one_endpoint_spares_the_others() {
        let mut rules = Rules::default();
        rules.set(vec![Fault::Empty.once().at(2), Fault::HangOnAccept.always().at(3)]);
        assert_eq!(rules.request("GET", "/api2/json/version", 1), None);
        assert_eq!(rules.request("GET", "/api2/json/version", 2), Some(Fault::Empty));
        assert_eq!((rules.connection(2), rules.connection(3)), (None, Some(Fault::HangOnAccept)));
    }

    #[test]
    fn a_rule_that_is_used_up_leaves_the_request_to_the_next() {
        let mut rules = Rules::default();
        rules.set(vec![Fault::Empty.once(), Fault::NotJson.always()]);
        assert_eq!(rules.request("GET", "/api2/json/version", 1), Some(Fault::Empty));
        assert_eq!(rules.request("GET", "/api2/json/version", 1), Some(Fault::NotJson));
        assert_eq!(rules.connection(1), None);
    }
}
