//! What the API demands of a caller, in words: the permission expressions of the facts.
//!
//! Knows the expressions, how to say them and what they come to for one call; must not know who has which privilege.

use crate::model::{Check, Permissions};

/// The value of a parameter of the call, if it is known.
type Known<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Privileges that a call needs on a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// `/vms/100`; a parameter whose value is not known stands as `{vmid}`.
    pub path: String,
    pub privileges: Vec<String>,
    /// One of them is enough.
    pub any: bool,
}

/// The most ways that are told apart; the facts know expressions with three.
const WAYS: usize = 16;

impl Permissions {
    /// What the expression demands of a token in a call whose parameters have these values: each element is a way to
    /// be allowed, and all its demands have to be met. Empty if there is no expression, or none that a token can meet.
    pub fn ways(&self, known: Known<'_>) -> Vec<Vec<Demand>> {
        self.check.map(|check| ways(check, known)).unwrap_or_default()
    }

    /// `VM.Clone` on `/vms/{vmid}`, and what the method's body asks besides.
    pub fn words(&self) -> String {
        self.words_for(&|_| None)
    }

    /// As [`Permissions::words`], for a call whose parameters have these values: `VM.Clone` on `/vms/100`. What is
    /// asked only beside a parameter that the call does not have is left out.
    pub fn words_for(&self, known: Known<'_>) -> String {
        let mut said = Vec::new();
        if self.root_only {
            said.push("root@pam only".to_owned());
        }
        match self.check {
            Some(check) => said.push(expression(check, known)),
            None if self.in_code || self.root_only => {}
            None => said.push(user(self.user)),
        }
        if !self.privileges_in_code.is_empty() {
            let list: Vec<String> = self.privileges_in_code.iter().map(|one| code(one)).collect();
            said.push(format!("case by case: {}", list.join(", ")));
        } else if self.in_code {
            said.push("more, case by case".to_owned());
        }
        said.join("; ")
    }
}

fn ways(check: &Check, known: Known<'_>) -> Vec<Vec<Demand>> {
    match check {
        Check::Or(parts) => parts.iter().flat_map(|part| ways(part, known)).take(WAYS).collect(),
        Check::And(parts) => parts.iter().fold(vec![Vec::new()], |all, part| {
            let also = ways(part, known);
            let both = all.iter().flat_map(|one| also.iter().map(|more| [one.as_slice(), more.as_slice()].concat()));
            both.take(WAYS).collect()
        }),
        Check::Perm { require_param: Some(name), .. } if known(name).is_none() => Vec::new(),
        Check::Perm { path, privileges, any, .. } => {
            let privileges = privileges.iter().map(|one| (*one).to_owned()).collect();
            vec![vec![Demand { path: filled(path, known), privileges, any: *any }]]
        }
        Check::Other { name, arguments } => other(name, arguments, known).map(|one| vec![one]).into_iter().collect(),
    }
}

/// The forms of their own. Source: pve-access-control `RPCEnvironment.pm`, `check_api2_permissions`.
fn other(name: &str, arguments: &[&str], known: Known<'_>) -> Option<Demand> {
    let first = arguments.first().copied().unwrap_or_default();
    let list = |text: &str| text.split(',').map(str::to_owned).collect();
    match name {
        // A token is never the user whom the call is about.
        "userid-param" if first == "self" => None,
        "userid-param" => {
            let realm = known("userid").and_then(|userid| Some(userid.rsplit_once('@')?.1.to_owned()));
            let path = format!("/access/realm/{}", realm.as_deref().unwrap_or("{realm}"));
            Some(Demand { path, privileges: list(first), any: false })
        }
        "userid-group" => Some(Demand { path: "/access/groups".to_owned(), privileges: list(first), any: true }),
        "perm-modify" => {
            let privileges = vec!["Permissions.Modify".to_owned()];
            Some(Demand { path: filled(first, known), privileges, any: false })
        }
        _ => None,
    }
}

fn user(user: Option<&str>) -> String {
    match user {
        Some("world") => "anybody".to_owned(),
        Some("all") => "any user".to_owned(),
        _ => "not said".to_owned(),
    }
}

fn expression(check: &Check, known: Known<'_>) -> String {
    match check {
        Check::And(parts) => and(&parts.iter().map(|part| inner(part, known)).collect::<Vec<_>>()),
        Check::Or(parts) => parts.iter().map(|part| inner(part, known)).collect::<Vec<_>>().join(" or "),
        Check::Perm { path, privileges, any, require_param } => {
            let list: Vec<String> = privileges.iter().map(|one| code(one)).collect();
            let list = if *any { list.join(" or ") } else { and(&list) };
            let when = require_param.map(|name| format!(" when `{name}` is given")).unwrap_or_default();
            format!("{list} on `{}`{when}", filled(path, known))
        }
        Check::Other { name, arguments } => format!("`{name}` ({})", arguments.join(", ")),
    }
}

/// A path of permissions with the values that are known in the place of their placeholders.
pub fn filled(path: &str, known: Known<'_>) -> String {
    let segment = |segment: &str| {
        let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        name.and_then(known).unwrap_or_else(|| segment.to_owned())
    };
    path.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// A part of a larger expression: in brackets if it is one itself.
fn inner(check: &Check, known: Known<'_>) -> String {
    match check {
        Check::And(_) | Check::Or(_) => format!("({})", expression(check, known)),
        _ => expression(check, known),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

/// `a`, `a and b`, `a, b and c`.
fn and(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Verb, find, methods};

    fn demand(path: &str, privileges: &[&str], any: bool) -> Demand {
        Demand { path: path.to_owned(), privileges: privileges.iter().map(|one| (*one).to_owned()).collect(), any }
    }

    fn of(verb: Verb, path: &str, values: &[(&str, &str)]) -> Vec<Vec<Demand>> {
        let known = |name: &str| values.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
        find(verb, path).expect("a method").permissions.ways(&known)
    }

    #[test]
    fn every_way_to_be_allowed_is_told_with_the_values_of_the_call() {
        let clone = "/nodes/{node}/qemu/{vmid}/clone";
        let source = demand("/vms/100", &["VM.Clone"], false);
        let new = demand("/vms/200", &["VM.Allocate"], false);
        let values = [("vmid", "100"), ("newid", "200")];
        assert_eq!(of(Verb::Post, clone, &values), [vec![source.clone(), new.clone()]]);
        let values = [("vmid", "100"), ("newid", "200"), ("pool", "web")];
        let pool = demand("/pool/web", &["VM.Allocate"], false);
        assert_eq!(of(Verb::Post, clone, &values), [vec![source.clone(), new], vec![source, pool]]);
    }

    #[test]
    fn a_token_is_nobodys_self() {
        let tfa = of(Verb::Get, "/access/users/{userid}/token", &[("userid", "a@pve")]);
        assert_eq!(tfa, [vec![demand("/access/groups", &["User.Modify"], true)]]);
        let made = of(Verb::Post, "/access/users", &[("userid", "a@pve")]);
        let realm = demand("/access/realm/pve", &["Realm.AllocateUser"], false);
        assert_eq!(made, [vec![realm, demand("/access/groups", &["User.Modify"], true)]]);
    }

    #[test]
    fn every_expression_of_the_facts_has_a_way() {
        for method in methods() {
            let every = |name: &str| Some(format!("{name}-1"));
            let has = method.permissions.check.is_some();
            assert_eq!(has, !method.permissions.ways(&every).is_empty(), "{} {}", method.verb, method.path);
        }
    }
}
