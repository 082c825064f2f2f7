//! The commands that give a privilege: which role, on which path, to whom.
//!
//! Pure. Knows how `pveum` is written and that a role on a path takes the place of what is inherited there. Source:
//! the methods behind it, `POST /access/roles`, `PUT /access/roles/{roleid}` and `PUT /access/acl`.

use std::collections::BTreeSet;

/// A set of privileges by name.
pub type Privileges = BTreeSet<String>;

/// A role, as the cluster lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub id: String,
    /// One of the server's own, which nobody can change.
    pub built_in: bool,
    pub privileges: Privileges,
}

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who<'a> {
    /// `user@realm!name`.
    Token(&'a str),
    /// `user@realm`.
    User(&'a str),
}

/// The commands, and what may be said beside them.
#[derive(Debug, PartialEq, Eq)]
pub struct Lines {
    pub lines: Vec<String>,
    /// What the holder has on the path by inheritance and keeps.
    pub kept: Vec<String>,
    /// A built-in role that would do as well, with the number of its privileges, if it gives more than is needed.
    pub wider: Option<(String, usize)>,
}

/// A built-in role with so many privileges too many is offered in the place of a role of its own.
const CLOSE: usize = 1;
/// One with more than so many is not even spoken of.
const FAR: usize = 30;

/// The lines that give `missing` on `path` to somebody who has `held` there.
pub fn lines(who: Who<'_>, path: &str, missing: &Privileges, held: &Privileges, roles: &[Role]) -> Lines {
    let kept: Vec<String> = held.iter().filter(|one| counts(path, one) && !missing.contains(*one)).cloned().collect();
    let wanted: Privileges = missing.iter().chain(&kept).cloned().collect();
    let fitting = roles.iter().filter(|role| role.built_in && wanted.is_subset(&role.privileges));
    let smallest = fitting.min_by_key(|role| role.privileges.len());
    let close = smallest.filter(|role| role.privileges.len() <= wanted.len() + CLOSE);
    let mut lines = Vec::new();
    let role = match close {
        Some(role) => role.id.clone(),
        None => {
            let id = name(who, path);
            let list = |wanted: &mut dyn Iterator<Item = &String>| {
                shell_words::quote(&wanted.map(String::as_str).collect::<Vec<_>>().join(" ")).into_owned()
            };
            match roles.iter().find(|role| role.id == id) {
                None => lines.push(format!("pveum role add {id} --privs {}", list(&mut wanted.iter()))),
                Some(known) if wanted.is_subset(&known.privileges) => {}
                Some(known) => {
                    let more = list(&mut wanted.difference(&known.privileges));
                    lines.push(format!("pveum role modify {id} --append 1 --privs {more}"));
                }
            }
            id
        }
    };
    let (option, id) = match who {
        Who::Token(id) => ("--tokens", id),
        Who::User(id) => ("--users", id),
    };
    lines.push(format!("pveum acl modify {} {option} {} --roles {role}", shell_words::quote(path), quoted(id)));
    let wider = smallest.filter(|role| close.is_none() && role.privileges.len() <= FAR);
    Lines { lines, kept, wider: wider.map(|role| (role.id.clone(), role.privileges.len())) }
}

/// For an interactive shell as well, which takes `!` for a word of its history.
fn quoted(id: &str) -> String {
    let quoted = shell_words::quote(id);
    if quoted == id && id.contains('!') { format!("'{id}'") } else { quoted.into_owned() }
}

/// The name of a role that is made for one path: `mcp-vms-100`.
fn name(who: Who<'_>, path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let place = if parts.is_empty() { "root".to_owned() } else { parts.join("-") };
    let place: String = place
        .chars()
        .map(|letter| if letter.is_ascii_alphanumeric() || "-_.".contains(letter) { letter } else { '-' })
        .collect();
    match who {
        Who::Token(_) => format!("mcp-{place}"),
        Who::User(_) => format!("mcp-user-{place}"),
    }
}

/// Does the API ask for this privilege on such a path? The facts' expressions know no others there. At the root
/// nothing is inherited, and roles add up.
fn counts(path: &str, privilege: &str) -> bool {
    let families: &[&str] = match path.split('/').nth(1).unwrap_or_default() {
        "" => return false,
        "vms" => &["VM.", "Sys."],
        "storage" => &["Datastore."],
        "nodes" => &["Sys."],
        "sdn" => &["SDN."],
        "mapping" => &["Mapping."],
        _ => return true,
    };
    privilege == "Permissions.Modify" || families.iter().any(|family| privilege.starts_with(family))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proxmox_spec::Check;

    fn set(names: &[&str]) -> Privileges {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn role(id: &str, built_in: bool, names: &[&str]) -> Role {
        Role { id: id.to_owned(), built_in, privileges: set(names) }
    }

    const TOKEN: Who<'static> = Who::Token("mcp@pve!t");

    #[test]
    fn a_built_in_role_that_fits_is_given_as_it_is() {
        let roles = [role("PVEDatastoreUser", true, &["Datastore.AllocateSpace", "Datastore.Audit"])];
        let given =
            lines(TOKEN, "/storage/local", &set(&["Datastore.AllocateSpace"]), &set(&["Datastore.Audit"]), &roles);
        assert_eq!(given.lines, ["pveum acl modify /storage/local --tokens 'mcp@pve!t' --roles PVEDatastoreUser"]);
        assert_eq!((given.kept, given.wider), (vec!["Datastore.Audit".to_owned()], None));
    }

    #[test]
    fn a_role_of_its_own_holds_what_is_missing_and_what_was_inherited() {
        let wide = ["VM.Audit", "VM.Backup", "VM.Console", "VM.PowerMgmt"];
        let roles = [role("PVEVMUser", true, &wide)];
        let held = set(&["VM.Audit", "Datastore.Audit", "Pool.Audit"]);
        let given = lines(TOKEN, "/vms/100", &set(&["VM.PowerMgmt"]), &held, &roles);
        assert_eq!(
            given.lines,
            [
                "pveum role add mcp-vms-100 --privs 'VM.Audit VM.PowerMgmt'",
                "pveum acl modify /vms/100 --tokens 'mcp@pve!t' --roles mcp-vms-100"
            ]
        );
        assert_eq!(given.wider, Some(("PVEVMUser".to_owned(), 4)));
    }

    #[test]
    fn a_role_that_was_made_before_grows() {
        let before = [role("mcp-vms-100", false, &["VM.Audit", "VM.PowerMgmt"])];
        let given = lines(TOKEN, "/vms/100", &set(&["VM.Snapshot"]), &set(&["VM.Audit", "VM.PowerMgmt"]), &before);
        assert_eq!(given.lines[0], "pveum role modify mcp-vms-100 --append 1 --privs VM.Snapshot");
        let given = lines(TOKEN, "/vms/100", &set(&["VM.Audit"]), &set(&[]), &before);
        assert_eq!(given.lines.len(), 1, "{:?}", given.lines);
    }

    #[test]
    fn nothing_is_inherited_at_the_root() {
        let given = lines(Who::User("mcp@pve"), "/", &set(&["Sys.Modify"]), &set(&["Sys.Audit", "VM.Audit"]), &[]);
        assert_eq!(
            given.lines,
            [
                "pveum role add mcp-user-root --privs Sys.Modify",
                "pveum acl modify / --users mcp@pve --roles mcp-user-root"
            ]
        );
    }

    #[test]
    fn what_the_facts_ask_for_on_a_path_counts_there() {
        fn walk(check: &Check) {
            match check {
                Check::And(parts) | Check::Or(parts) => parts.iter().for_each(walk),
                Check::Perm { path, privileges, .. } if *path != "/" => {
                    for privilege in *privileges {
                        assert!(counts(path, privilege), "{privilege} on {path}");
                    }
                }
                _ => {}
            }
        }
        proxmox_spec::methods().iter().filter_map(|method| method.permissions.check).for_each(walk);
    }
}
