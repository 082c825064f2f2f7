//! The check of a request's parameters against the facts, with every refusal in the API's words.
//!
//! Knows parameters as such; what a handler thinks of a value that is well formed is the handler's business.

use std::collections::BTreeMap;

use proxmox_spec::{
    Method, Param, Problem, Type,
    check::{self, MISSING, UNKNOWN, type_name},
};

use crate::{
    answer::Failure,
    request::{Arg, Args},
};

/// Parameters that fail as a configuration option, not as a parameter, when not root sets them.
const ROOT_ONLY_OPTIONS: [&str; 4] = ["args", "lock", "parallel", "vmgenid"];

/// Checks the parameters and joins those of the path with the given ones; `by_root` = for root@pam with a password.
pub(crate) fn check(method: &'static Method, path: Args, given: Args, by_root: bool) -> Result<Args, Failure> {
    let mut errors = BTreeMap::new();
    let mut args = Args::default();
    for (name, arg) in given.0 {
        if let Some(of_path) = path.0.get(&name) {
            if *of_path != arg {
                errors.insert(name, "duplicate parameter (already defined in URI) with conflicting values!".to_owned());
            }
            continue;
        }
        args.0.insert(name, arg);
    }
    if !errors.is_empty() {
        return Err(Failure::params(errors));
    }
    args.merge(path);
    let mut checked = Args::default();
    for (name, arg) in args.0 {
        let Some(param) = method.param(&name).filter(|param| !param.name.contains("[n]") || !name.contains('[')) else {
            if method.extra_params {
                checked.0.insert(name, arg);
            } else {
                errors.insert(name, UNKNOWN.to_owned());
            }
            continue;
        };
        match normalize(param, &name, arg) {
            Ok(arg) => {
                checked.0.insert(name, arg);
            }
            Err((name, text)) => {
                errors.insert(name, text);
            }
        }
    }
    for param in method.params {
        let given = checked.has(param.name) || errors.contains_key(param.name);
        if !given && !param.optional && param.index_max.is_none() {
            errors.insert(param.name.to_owned(), MISSING.to_owned());
        }
    }
    for name in checked.0.keys() {
        if let Some(other) = method.param(name).and_then(|param| param.requires)
            && !checked.has(other)
            && !errors.contains_key(other)
        {
            errors.insert(other.to_owned(), requires_text(method, name));
        }
    }
    if !errors.is_empty() {
        return Err(Failure::params(errors));
    }
    if !by_root {
        root_only(method, &checked)?;
    }
    Ok(checked)
}

/// Parameters that nobody but root@pam with a password may give.
fn root_only(method: &'static Method, args: &Args) -> Result<(), Failure> {
    let of_backup = method.path.ends_with("/vzdump") || method.path.starts_with("/cluster/backup");
    for name in args.0.keys() {
        if !method.param(name).is_some_and(|param| param.root_only) {
            continue;
        }
        if name == "hookscript" {
            // That the script exists is checked before who names it.
            continue;
        }
        let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
        return Err(if of_backup {
            Failure::param(name, "Only root may set this option.")
        } else if ROOT_ONLY_OPTIONS.contains(&base) {
            Failure::die(format!("only root can set '{name}' config"))
        } else {
            Failure::param(name, "Only root may use this option.")
        });
    }
    Ok(())
}

/// Creating calls demand the other parameter, firewall rules say which one needs it.
fn requires_text(method: &Method, name: &str) -> String {
    if method.path.contains("/firewall/") {
        format!("missing property - '{name}' requires this property")
    } else {
        format!("missing property required by '{name}'")
    }
}

fn normalize(param: &'static Param, name: &str, arg: Arg) -> Result<Arg, (String, String)> {
    let wrong_kind =
        |got: &str| Err((name.to_owned(), format!("type check ('{}') failed - got {got}", type_name(param.ty))));
    let list_format = param.format.is_some_and(|format| format.ends_with("-list"));
    match (param.ty, arg) {
        (Type::Any, arg) => Ok(arg),
        (_, Arg::Hash) => wrong_kind("HASH"),
        (Type::Array, Arg::List(list)) => array(param, name, list),
        (Type::Array, Arg::Text(text)) => array(param, name, vec![text]),
        (_, Arg::List(list)) if list_format => text(param, name, list.join(",")),
        (_, Arg::List(_)) => wrong_kind("ARRAY"),
        (_, Arg::Text(value)) => text(param, name, value),
    }
}

fn text(param: &'static Param, name: &str, value: String) -> Result<Arg, (String, String)> {
    match check::named(param, name, &value) {
        Ok(()) => Ok(Arg::Text(value)),
        Err(problem) => Err((name.to_owned(), problem.to_string())),
    }
}

fn array(param: &'static Param, name: &str, list: Vec<String>) -> Result<Arg, (String, String)> {
    let texts: Vec<&str> = list.iter().map(String::as_str).collect();
    match check::value_list(param, name, &texts) {
        Ok(()) => Ok(Arg::List(list)),
        Err(problem) => {
            let place = match &problem {
                Problem::Item { index, .. } => format!("{name}[{index}]"),
                _ => name.to_owned(),
            };
            Err((place, problem.to_string()))
        }
    }
}
