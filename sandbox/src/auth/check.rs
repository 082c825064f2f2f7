//! The permission expressions of the facts, evaluated for one request, and the refusals in the server's words.
//!
//! Knows the forms of expressions. It sees parameters before they are checked, as the server does. What a method
//! checks in its own code is in `inside`.
//! Source: pve-access-control `RPCEnvironment.pm`; the texts as recorded.

use proxmox_spec::{Check, Method};

use super::rights::{Rights, groups_of};
use crate::{answer::Failure, cluster::Cluster, request::Args};

/// Whether this user may call the method with these parameters, as far as the facts' expression says.
pub(crate) fn permit(
    cluster: &Cluster,
    method: &Method,
    rights: &Rights,
    path: &str,
    params: &Args,
) -> Result<(), Failure> {
    if !method.allow_token && rights.who().contains('!') {
        return Err(Failure::forbidden(&format!("URI '{path}' not available with API token, need proper ticket.\n")));
    }
    let permissions = method.permissions;
    if permissions.user == Some("world") || rights.of_root() {
        return Ok(());
    }
    if permissions.root_only {
        return Err(Failure::forbidden("user != root@pam"));
    }
    match permissions.check {
        _ if permissions.user == Some("all") => Ok(()),
        Some(check) => Request { cluster, rights, params }.meets(check),
        None => Err(bare()),
    }
}

/// `Permission check failed`, without saying which.
pub(crate) fn bare() -> Failure {
    Failure::json(403, "Permission check failed\n".to_owned())
}

struct Request<'a> {
    cluster: &'a Cluster,
    rights: &'a Rights,
    params: &'a Args,
}

impl Request<'_> {
    fn meets(&self, check: &Check) -> Result<(), Failure> {
        match check {
            Check::And(parts) => parts.iter().try_for_each(|part| self.meets(part)),
            Check::Or(parts) => {
                let mut refusals = parts.iter().map(|part| self.meets(part));
                if refusals.any(|refusal| refusal.is_ok()) {
                    return Ok(());
                }
                Err(bare())
            }
            Check::Perm { path, privileges, any, require_param } => {
                if require_param.is_some_and(|name| !self.params.has(name)) {
                    return Err(bare());
                }
                self.perm(path, privileges, *any)
            }
            Check::Other { name: "perm-modify", arguments } => {
                let Some(path) = arguments.first().and_then(|template| self.fill(template)) else { return Ok(()) };
                self.rights.check_modify(&path)
            }
            Check::Other { name: "userid-param", arguments } => self.userid_param(arguments),
            Check::Other { name: "userid-group", arguments } => self.userid_group(arguments),
            // A form that is not known cannot be met.
            Check::Other { .. } => Err(bare()),
        }
    }

    fn perm(&self, template: &str, privileges: &[&str], any: bool) -> Result<(), Failure> {
        let Some(path) = self.fill(template) else {
            // Nobody has anything on a path that cannot be; the text then names none.
            let missing =
                if any { privileges.join("|") } else { privileges.first().copied().unwrap_or_default().into() };
            return Err(Failure::forbidden(&format!(", {missing}")));
        };
        if any { self.rights.check_any(&path, privileges) } else { self.rights.check(&path, privileges) }
    }

    /// The path of a template: a parameter that is not given is written `-`. None if it holds what no path can hold.
    fn fill(&self, template: &str) -> Option<String> {
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}')?;
            filled.push_str(before);
            filled.push_str(self.params.text(name).unwrap_or("-"));
            rest = after;
        }
        filled.push_str(rest);
        normal(&filled)
    }

    /// The user whom the call is about. A missing or malformed name is an error of its own.
    fn userid(&self) -> Result<&str, Failure> {
        let userid = self.params.need("userid");
        match proxmox_spec::format::check("pve-userid", userid) {
            Ok(()) => Ok(userid),
            Err(problem) => Err(Failure::die(problem.to_string().trim_start_matches("invalid format - ").trim_end())),
        }
    }

    fn known_user(&self) -> Result<(), Failure> {
        let userid = self.userid()?;
        if self.cluster.store.has(&format!("/access/users/{userid}")) {
            return Ok(());
        }
        self.userid()?;
        Err(Failure::die(format!("no such user ('{userid}')")))
    }

    fn userid_param(&self, arguments: &[&str]) -> Result<(), Failure> {
        let userid = self.userid()?;
        if arguments.first() == Some(&"self") {
            self.known_user()?;
            return if self.rights.who() == userid { Ok(()) } else { Err(bare()) };
        }
        let realm = userid.rsplit('@').next().unwrap_or_default();
        self.rights.check(&format!("/access/realm/{realm}"), arguments)
    }

    /// One of the privileges on all groups; or on the groups that the call names and on one that the user is in.
    fn userid_group(&self, arguments: &[&str]) -> Result<(), Failure> {
        const GROUPS: &str = "/access/groups";
        let (privileges, options) = arguments.split_first().unwrap_or((&"", &[]));
        let privileges: Vec<&str> = privileges.split(',').collect();
        let names_groups = options.contains(&"groups_param");
        let creates = names_groups && options.contains(&"create");
        let userid = self.params.need("userid");
        if !creates {
            self.known_user()?;
        }
        if self.rights.any(GROUPS, &privileges) {
            return Ok(());
        }
        let on_group = |group: &String| self.rights.check_any(&format!("{GROUPS}/{group}"), &privileges);
        if names_groups {
            let groups = self.params.list("groups");
            if groups.is_empty() {
                return self.rights.check_any(GROUPS, &privileges);
            }
            groups.iter().try_for_each(on_group)?;
        }
        if creates || groups_of(self.cluster, userid).iter().any(|group| on_group(group).is_ok()) {
            return Ok(());
        }
        Err(bare())
    }
}

/// One slash between the names and none at the end; None for a path that no entry can have.
fn normal(path: &str) -> Option<String> {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if path.is_empty() || !path.chars().all(good) {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    Some(format!("/{}", parts.join("/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal() {
        assert_eq!(normal("//pool//a/").as_deref(), Some("/pool/a"));
        assert_eq!(normal("vms").as_deref(), Some("/vms"));
        assert_eq!(normal("/").as_deref(), Some("/"));
        assert_eq!(normal(""), None);
        assert_eq!(normal("/pool/a b"), None);
    }

    #[test]
    fn every_form_of_the_facts_is_known() {
        fn walk(check: &Check) {
            match check {
                Check::And(parts) | Check::Or(parts) => parts.iter().for_each(walk),
                Check::Perm { .. } => {}
                Check::Other { name, .. } => {
                    assert!(["perm-modify", "userid-param", "userid-group"].contains(name), "{name}");
                }
            }
        }
        proxmox_spec::methods().iter().filter_map(|method| method.permissions.check).for_each(walk);
    }
}
