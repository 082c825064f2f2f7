//! Who has which privilege on which path: the answer of `GET /access/permissions`, read.
//!
//! Pure. Knows which paths the answer lists and that a privilege holds below its path only where it says so. Source:
//! pve-access-control `RPCEnvironment.pm`, `get_effective_permissions` and `permissions`.

use super::needs::{ANYWHERE, SELF};
use proxmox_spec::Demand;
use serde_json::Value;
use std::collections::BTreeMap;

/// Paths that the answer always has, if there is a privilege on them; every other one only where the access control list
/// or a pool names it.
const TOP: [&str; 8] = ["/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms"];

/// The privileges of one caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// By path: privilege → whether it holds below the path as well.
    paths: BTreeMap<String, BTreeMap<String, bool>>,
    /// Everything may be done: root@pam with a password.
    all: bool,
    /// A user who logged in, and no token.
    user: bool,
}

/// Where a demand is met.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Places {
    Nowhere,
    /// On these paths only.
    Only(Vec<String>),
    /// On all but these paths.
    But(Vec<String>),
    Everywhere,
}

impl Held {
    /// From the answer of `GET /access/permissions` without parameters, for a token or (`user`) for who logged in.
    /// `None` if it is not of that form.
    pub fn read(answer: &Value, who: &str) -> Option<Held> {
        let of_path = |(path, on): (&String, &Value)| {
            // A path without privileges is an empty list or object.
            let privileges =
                on.as_object().map(|on| on.iter().map(|(name, below)| (name.clone(), is_set(below))).collect());
            (path.clone(), privileges.unwrap_or_default())
        };
        let paths = match answer {
            Value::Object(paths) => paths.iter().map(of_path).collect(),
            Value::Array(none) if none.is_empty() => BTreeMap::new(),
            _ => return None,
        };
        Some(Held { paths, all: who == "root@pam", user: !who.contains('!') })
    }

    /// Nothing is held anywhere.
    pub fn is_nothing(&self) -> bool {
        !self.all && self.paths.values().all(BTreeMap::is_empty)
    }

    /// Everything may be done, also what no token may.
    pub fn is_root(&self) -> bool {
        self.all
    }

    /// A user who logged in, and no token.
    pub fn is_user(&self) -> bool {
        self.user
    }

    /// Every privilege that is held somewhere.
    pub fn privileges(&self) -> impl Iterator<Item = &str> {
        self.paths.values().flat_map(BTreeMap::keys).map(String::as_str)
    }

    /// The privileges that are held on a path.
    pub fn on(&self, path: &str) -> Vec<&str> {
        self.above(path).map(|(on, below)| names(on, below)).unwrap_or_default()
    }

    /// Where a demand is met whose path may have open places: `/vms/{vmid}`.
    pub fn places(&self, demand: &Demand) -> Places {
        if self.all {
            return Places::Everywhere;
        }
        if demand.path == SELF {
            return if self.user { Places::Everywhere } else { Places::Nowhere };
        }
        let met = |has: &dyn Fn(&str) -> bool| {
            let mut each = demand.privileges.iter().map(|name| has(name));
            if demand.any { each.any(|has| has) } else { each.all(|has| has) }
        };
        let here = |path: &String| self.paths.get(path).is_some_and(|on| met(&|name| on.contains_key(name)));
        if demand.path == ANYWHERE {
            let only: Vec<String> = self.paths.keys().filter(|path| here(path)).cloned().collect();
            return if here(&"/".to_owned()) { Places::Everywhere } else { only_or_none(only) };
        }
        if !demand.path.contains('{') {
            let above = self.above(&demand.path);
            let has = |name: &str| above.is_some_and(|(on, below)| on.get(name).is_some_and(|deep| *deep || !below));
            return if met(&has) { Places::Everywhere } else { Places::Nowhere };
        }
        let root = demand.path.split_once("/{").map_or("", |(root, _)| root);
        let root = if root.is_empty() { "/" } else { root };
        let from_above = self.above(root);
        let inherited = met(&|name| from_above.is_some_and(|(on, _)| on.get(name).copied().unwrap_or(false)));
        let (with, without): (Vec<String>, Vec<String>) =
            self.paths.keys().filter(|path| fits(&demand.path, path)).cloned().partition(here);
        match (inherited, without.is_empty()) {
            (true, true) => Places::Everywhere,
            (true, false) => Places::But(without),
            (false, _) => only_or_none(with),
        }
    }

    /// Where all demands of one way are met.
    pub fn places_of(&self, way: &[Demand]) -> Places {
        way.iter().map(|demand| self.places(demand)).min().unwrap_or(Places::Everywhere)
    }

    /// What is said of the nearest path: the path itself, or the one that it inherits from (true).
    fn above(&self, path: &str) -> Option<(&BTreeMap<String, bool>, bool)> {
        let mut at = path;
        loop {
            let below = at != path;
            if let Some(on) = self.paths.get(at) {
                return Some((on, below));
            }
            // It would be there if there were a privilege on it.
            if TOP.contains(&at) {
                return None;
            }
            at = match at.rsplit_once('/') {
                Some(("", _)) | None => "/",
                Some((parent, _)) => parent,
            };
        }
    }
}

fn names(on: &BTreeMap<String, bool>, below: bool) -> Vec<&str> {
    on.iter().filter(|(_, deep)| **deep || !below).map(|(name, _)| name.as_str()).collect()
}

fn only_or_none(paths: Vec<String>) -> Places {
    if paths.is_empty() { Places::Nowhere } else { Places::Only(paths) }
}

fn is_set(value: &Value) -> bool {
    match value {
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => text != "0" && !text.is_empty(),
        _ => false,
    }
}

/// Is this one of the template's paths?
fn fits(template: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let each = template.split('/').all(|part| parts.next().is_some_and(|own| part.starts_with('{') || part == own));
    each && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn held(answer: &Value) -> Held {
        Held::read(answer, "mcp@pve!t").expect("its form")
    }

    fn places(held: &Held, path: &str, privileges: &[&str]) -> Places {
        let privileges = privileges.iter().map(|one| (*one).to_owned()).collect();
        held.places(&Demand { path: path.to_owned(), privileges, any: false })
    }

    #[test]
    fn what_propagates_holds_below_and_what_is_named_deeper_takes_its_place() {
        let held = held(&json!({
            "/": {"Sys.Audit": 1, "VM.Audit": 0},
            "/vms": {"VM.Audit": 1, "VM.PowerMgmt": 1},
            "/vms/100": {"VM.Audit": 1},
            "/storage/local": {"Datastore.Audit": 1},
        }));
        assert_eq!(places(&held, "/vms/{vmid}", &["VM.Audit"]), Places::Everywhere);
        assert_eq!(places(&held, "/vms/{vmid}", &["VM.PowerMgmt"]), Places::But(vec!["/vms/100".to_owned()]));
        assert_eq!(
            places(&held, "/storage/{s}", &["Datastore.Audit"]),
            Places::Only(vec!["/storage/local".to_owned()])
        );
        assert_eq!(places(&held, "/storage/{s}", &["Datastore.Allocate"]), Places::Nowhere);
        assert_eq!(places(&held, "/", &["VM.Audit"]), Places::Everywhere);
        // `/nodes` would be listed if there were anything on it.
        assert_eq!(places(&held, "/nodes/{node}", &["Sys.Audit"]), Places::Nowhere);
        assert_eq!(places(&held, "/mapping/pci/{id}", &["Sys.Audit"]), Places::Everywhere);
        assert_eq!(places(&held, "/mapping/pci/{id}", &["VM.Audit"]), Places::Nowhere);
    }

    #[test]
    fn an_answer_without_anything_is_read_and_another_form_is_not() {
        assert!(held(&json!({})).is_nothing());
        assert!(held(&json!([])).is_nothing());
        assert!(held(&json!({"/": []})).is_nothing());
        assert_eq!(Held::read(&json!("x"), "a@pve"), None);
        assert_eq!(
            places(&Held::read(&json!({}), "root@pam").expect("its form"), "/", &["Sys.Modify"]),
            Places::Everywhere
        );
    }

    #[test]
    fn anywhere_and_oneself() {
        let pool = held(&json!({"/pool/lab": {"Permissions.Modify": 1}}));
        assert_eq!(places(&pool, ANYWHERE, &["Permissions.Modify"]), Places::Only(vec!["/pool/lab".to_owned()]));
        assert_eq!(places(&pool, SELF, &[]), Places::Nowhere);
        let user = Held::read(&json!({}), "a@pve").expect("its form");
        assert_eq!(places(&user, SELF, &[]), Places::Everywhere);
    }
}
