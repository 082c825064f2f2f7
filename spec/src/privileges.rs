//! What the API demands of a caller, in words: the permission expressions of the facts.
//!
//! Knows the expressions and how to say them; must not know who has which privilege.

use crate::model::{Check, Permissions};

/// The value of a parameter of the call, if it is known.
type Known<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Permissions {
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
