//! What one user or token may do on a path: the server's own walk through the access control list.
//!
//! Knows identities, groups, roles, pools and propagation. What a method demands is in `check`.
//! Source of the rules: pve-access-control, `AccessControl.pm` and `RPCEnvironment.pm`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::roles::PRIVILEGES;
use crate::{answer::Failure, cluster::Cluster, request::split_list};

/// The user to whom nothing is forbidden.
pub(super) const ROOT: &str = "root@pam";

/// The role that takes everything away.
const NO_ACCESS: &str = "NoAccess";

/// Privileges by name; true = they also hold below the path.
pub(crate) type Privileges = BTreeMap<String, bool>;

/// The rights of one user or token, as of one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rights {
    /// `user@realm`, `user@realm!token`, or empty where nobody has to be known.
    who: String,
    /// Every one of them has to grant a privilege. None = everything is granted.
    layers: Vec<Layer>,
    /// Privileges by role.
    roles: BTreeMap<String, BTreeSet<String>>,
    /// The pools that a path is a member of: `/vms/100` to `/pool/production`.
    pools: BTreeMap<String, Vec<String>>,
}

/// The entries of the list that speak of one identity, by path.
type Layer = BTreeMap<String, Vec<Grant>>;

#[derive(Debug, Clone)]
struct Grant {
    role: String,
    propagate: bool,
    /// Given to a group: counts only where the identity itself has nothing at that path.
    by_group: bool,
}

impl Rights {
    /// The rights of somebody whom the server knows; of an unknown name: none.
    pub(crate) fn of(cluster: &Cluster, who: &str) -> Rights {
        let (user, token) = match who.split_once('!') {
            Some((user, token)) => (user, Some(token)),
            None => (who, None),
        };
        let separate = token.is_some_and(|token| {
            let entry = cluster.store.get(&format!("/access/users/{user}/token/{token}"));
            entry.is_none_or(|entry| entry.get("privsep").and_then(Value::as_i64) != Some(0))
        });
        let mut rights = Rights { who: who.to_owned(), ..Rights::default() };
        if user == ROOT && !separate {
            return rights;
        }
        let acl = cluster.store.list("/access/acl");
        if user != ROOT {
            let groups = groups_of(cluster, user);
            rights.layers.push(layer(&acl, |kind, id| match kind {
                "user" => (id == user).then_some(false),
                "group" => groups.iter().any(|group| group == id).then_some(true),
                _ => None,
            }));
        }
        if separate {
            rights.layers.push(layer(&acl, |kind, id| (kind == "token" && id == who).then_some(false)));
        }
        for role in cluster.store.list("/access/roles") {
            let privileges = role.get("privs").and_then(Value::as_str).map(split_list).unwrap_or_default();
            rights.roles.insert(text(&role, "roleid").to_owned(), privileges.into_iter().collect());
        }
        for (id, pool) in &cluster.pools {
            let guests = pool.guests.iter().map(|vmid| format!("/vms/{vmid}"));
            let storages = pool.storages.iter().map(|storage| format!("/storage/{storage}"));
            for member in guests.chain(storages) {
                rights.pools.entry(member).or_default().push(format!("/pool/{id}"));
            }
        }
        rights
    }

    /// `user@realm` or `user@realm!token`.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// Everything is granted; only what no token may ever do is left.
    pub(crate) fn are_all(&self) -> bool {
        self.layers.is_empty() && !self.who.is_empty()
    }

    /// The user root@pam himself, with a password.
    pub(crate) fn of_root(&self) -> bool {
        self.who == ROOT
    }

    /// The privileges on a path.
    pub(crate) fn on(&self, path: &str) -> Privileges {
        if self.are_all() {
            return PRIVILEGES.iter().map(|name| ((*name).to_owned(), true)).collect();
        }
        let mut layers = self.layers.iter().map(|layer| self.privileges(&self.roles_at(layer, path)));
        let Some(mut left) = layers.next() else { return Privileges::new() };
        for other in layers {
            left = left
                .into_iter()
                .filter_map(|(name, propagate)| other.get(&name).map(|also| (name, propagate && *also)))
                .collect();
        }
        left
    }

    /// All of the privileges, and the first that is missing otherwise.
    pub(crate) fn check(&self, path: &str, wanted: &[&str]) -> Result<(), Failure> {
        match wanted.iter().find(|name| !self.grant(path, name)) {
            Some(missing) => Err(Failure::forbidden(&format!("{path}, {missing}"))),
            None => Ok(()),
        }
    }

    /// One of the privileges.
    pub(crate) fn check_any(&self, path: &str, wanted: &[&str]) -> Result<(), Failure> {
        if self.any(path, wanted) {
            return Ok(());
        }
        Err(Failure::forbidden(&format!("{path}, {}", wanted.join("|"))))
    }

    /// Whether all of the privileges are there.
    pub(crate) fn has(&self, path: &str, wanted: &[&str]) -> bool {
        self.check(path, wanted).is_ok()
    }

    /// Whether one of the privileges is there.
    pub(crate) fn any(&self, path: &str, wanted: &[&str]) -> bool {
        wanted.iter().any(|name| self.grant(path, name))
    }

    /// As [`Rights::on`] for one privilege; lists ask this for every row.
    fn grant(&self, path: &str, privilege: &str) -> bool {
        let of_role = |role: &String| self.roles.get(role).is_some_and(|names| names.contains(privilege));
        !self.who.is_empty() && self.layers.iter().all(|layer| self.roles_at(layer, path).keys().any(of_role))
    }

    /// On the guest or on the pool that it is to become a member of.
    pub(crate) fn check_guest(&self, vmid: &str, pool: Option<&str>, wanted: &[&str]) -> Result<(), Failure> {
        if pool.is_some_and(|pool| self.has(&format!("/pool/{pool}"), wanted)) {
            return Ok(());
        }
        self.check(&format!("/vms/{vmid}"), wanted)
    }

    /// As [`Rights::check_guest`], one of the privileges.
    pub(crate) fn check_guest_any(&self, vmid: &str, pool: Option<&str>, wanted: &[&str]) -> Result<(), Failure> {
        if pool.is_some_and(|pool| self.any(&format!("/pool/{pool}"), wanted)) {
            return Ok(());
        }
        self.check_any(&format!("/vms/{vmid}"), wanted)
    }

    /// The right to change who may do what on a path.
    pub(crate) fn check_modify(&self, path: &str) -> Result<(), Failure> {
        let below = |root: &str| path.strip_prefix(root).is_some_and(|rest| !rest.is_empty());
        let other = [("/storage/", "Datastore.Allocate"), ("/vms/", "VM.Allocate"), ("/pool/", "Pool.Allocate")];
        let mut wanted = vec!["Permissions.Modify"];
        wanted.extend(other.iter().find(|(root, _)| below(root)).map(|(_, name)| *name));
        self.check_any(path, &wanted)
    }

    /// The roles that the list gives on a path, with those of the pools that it is a member of.
    fn roles_at(&self, layer: &Layer, path: &str) -> BTreeMap<String, bool> {
        let mut roles = walk(layer, path);
        if roles.contains_key(NO_ACCESS) {
            return roles;
        }
        let pools = self.pools.get(path).into_iter().flatten();
        let by_pool: BTreeSet<String> = pools.flat_map(|pool| walk(layer, pool).into_keys()).collect();
        if by_pool.contains(NO_ACCESS) {
            return BTreeMap::from([(NO_ACCESS.to_owned(), false)]);
        }
        for role in by_pool {
            roles.entry(role).or_insert(false);
        }
        roles
    }

    fn privileges(&self, roles: &BTreeMap<String, bool>) -> Privileges {
        let mut privileges = Privileges::new();
        for (role, propagate) in roles {
            for name in self.roles.get(role).into_iter().flatten() {
                *privileges.entry(name.clone()).or_default() |= *propagate;
            }
        }
        privileges
    }
}

/// From `/` down to the path: what is said deeper replaces all that was inherited, and what is said of the identity
/// itself hides what is said of its groups.
fn walk(layer: &Layer, path: &str) -> BTreeMap<String, bool> {
    let mut roles = BTreeMap::new();
    let mut here = String::new();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    for depth in 0..=parts.len() {
        if let Some(part) = depth.checked_sub(1).and_then(|index| parts.get(index)) {
            here = format!("{here}/{part}");
        }
        let last = depth == parts.len();
        let grants = layer.get(if here.is_empty() { "/" } else { here.as_str() });
        for by_group in [false, true] {
            let said: BTreeMap<String, bool> = grants
                .into_iter()
                .flatten()
                .filter(|grant| grant.by_group == by_group && (last || grant.propagate))
                .map(|grant| (grant.role.clone(), grant.propagate))
                .collect();
            if !said.is_empty() {
                roles = said;
                break;
            }
        }
    }
    match roles.get(NO_ACCESS) {
        Some(propagate) => BTreeMap::from([(NO_ACCESS.to_owned(), *propagate)]),
        None => roles,
    }
}

/// The entries for which `concerns` says something: true = through a group.
fn layer(acl: &[Map<String, Value>], concerns: impl Fn(&str, &str) -> Option<bool>) -> Layer {
    let mut layer = Layer::new();
    for entry in acl {
        let Some(by_group) = concerns(text(entry, "type"), text(entry, "ugid")) else { continue };
        let propagate = entry.get("propagate").and_then(Value::as_i64) != Some(0);
        let grant = Grant { role: text(entry, "roleid").to_owned(), propagate, by_group };
        layer.entry(text(entry, "path").to_owned()).or_default().push(grant);
    }
    layer
}

/// The groups that a user belongs to.
pub(crate) fn groups_of(cluster: &Cluster, userid: &str) -> Vec<String> {
    let user = cluster.store.get(&format!("/access/users/{userid}"));
    user.map(|user| split_list(text(user, "groups"))).unwrap_or_default()
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{auth::built_in, cluster::Pool};
    use serde_json::json;

    /// A cluster with the user `u@pve` in the group `g`, and these entries (`@g` = the group).
    fn cluster(entries: &[(&str, &str, &str, bool)]) -> Cluster {
        let mut cluster = Cluster::empty(1, 0.0);
        for (roleid, privileges) in built_in() {
            let fields = json!({ "privs": privileges.join(",") });
            cluster.store.put(&format!("/access/roles/{roleid}"), "/access/roles", "roleid", roleid, fields);
        }
        cluster.add_token("u@pve", "same", false, &[]);
        cluster.add_token("u@pve", "apart", true, &[]);
        cluster.add_token("root@pam", "same", false, &[]);
        cluster.add_token("root@pam", "apart", true, &[]);
        cluster.store.get_mut("/access/users/u@pve").expect("made").insert("groups".to_owned(), json!("g"));
        for (who, path, role, propagate) in entries {
            cluster.grant(who, path, role, *propagate);
        }
        cluster
    }

    fn on(cluster: &Cluster, who: &str, path: &str) -> Vec<String> {
        Rights::of(cluster, who).on(path).into_keys().collect()
    }

    #[test]
    fn a_role_holds_below_its_path_only_if_it_propagates() {
        let cluster = cluster(&[("u@pve", "/vms", "PVETemplateUser", true), ("u@pve", "/pool", "PVEPoolUser", false)]);
        assert_eq!(on(&cluster, "u@pve", "/vms/100"), ["VM.Audit", "VM.Clone"]);
        assert_eq!(on(&cluster, "u@pve", "/pool"), ["Pool.Audit"]);
        assert!(!Rights::of(&cluster, "u@pve").on("/pool")["Pool.Audit"]);
        assert!(on(&cluster, "u@pve", "/pool/a").is_empty());
        assert!(on(&cluster, "u@pve", "/").is_empty());
    }

    #[test]
    fn a_deeper_entry_replaces_what_is_inherited() {
        let cluster = cluster(&[
            ("u@pve", "/", "Administrator", true),
            ("u@pve", "/vms/100", "PVETemplateUser", true),
            ("u@pve", "/storage", "NoAccess", true),
            ("u@pve", "/storage/local", "PVEDatastoreUser", true),
        ]);
        assert_eq!(on(&cluster, "u@pve", "/vms/101").len(), PRIVILEGES.len());
        assert_eq!(on(&cluster, "u@pve", "/vms/100"), ["VM.Audit", "VM.Clone"]);
        assert!(on(&cluster, "u@pve", "/storage/other").is_empty());
        assert_eq!(on(&cluster, "u@pve", "/storage/local"), ["Datastore.AllocateSpace", "Datastore.Audit"]);
    }

    #[test]
    fn two_roles_at_one_path_add_up_and_no_access_beats_both() {
        let cluster = cluster(&[
            ("u@pve", "/vms/100", "PVETemplateUser", true),
            ("u@pve", "/vms/100", "PVEPoolUser", false),
            ("u@pve", "/vms/101", "PVETemplateUser", true),
            ("u@pve", "/vms/101", "NoAccess", true),
        ]);
        assert_eq!(on(&cluster, "u@pve", "/vms/100"), ["Pool.Audit", "VM.Audit", "VM.Clone"]);
        assert!(on(&cluster, "u@pve", "/vms/101").is_empty());
    }

    #[test]
    fn an_entry_of_the_user_hides_those_of_the_groups_at_that_path() {
        let cluster = cluster(&[
            ("@g", "/vms/100", "PVEVMAdmin", true),
            ("u@pve", "/vms/100", "PVETemplateUser", true),
            ("@g", "/vms/101", "PVEVMUser", true),
            ("u@pve", "/", "PVEPoolUser", true),
            ("u@pve", "/storage/a", "NoAccess", false),
            ("@g", "/storage/a", "PVEDatastoreUser", true),
            ("@other", "/nodes", "PVESysAdmin", true),
        ]);
        assert_eq!(on(&cluster, "u@pve", "/vms/100"), ["VM.Audit", "VM.Clone"]);
        assert!(on(&cluster, "u@pve", "/vms/101").contains(&"VM.PowerMgmt".to_owned()));
        // An entry of the user that does not reach the path hides nothing.
        assert_eq!(on(&cluster, "u@pve", "/storage/a/b"), ["Datastore.AllocateSpace", "Datastore.Audit"]);
        assert!(on(&cluster, "u@pve", "/storage/a").is_empty());
        assert_eq!(on(&cluster, "u@pve", "/nodes/pve1"), ["Pool.Audit"]);
    }

    #[test]
    fn a_separate_token_has_what_both_have_and_another_what_its_user_has() {
        let cluster = cluster(&[
            ("u@pve", "/vms", "PVETemplateUser", true),
            ("u@pve!apart", "/vms/100", "PVEVMUser", true),
            ("root@pam!apart", "/vms/100", "PVETemplateUser", true),
        ]);
        assert_eq!(on(&cluster, "u@pve!same", "/vms/100"), ["VM.Audit", "VM.Clone"]);
        assert_eq!(on(&cluster, "u@pve!apart", "/vms/100"), ["VM.Audit"]);
        assert!(on(&cluster, "u@pve!apart", "/vms/101").is_empty());
        assert_eq!(on(&cluster, "root@pam!apart", "/vms/100"), ["VM.Audit", "VM.Clone"]);
        assert!(on(&cluster, "root@pam!apart", "/").is_empty());
        assert_eq!(on(&cluster, "root@pam!same", "/vms/100").len(), PRIVILEGES.len());
        assert!(on(&cluster, "u@pve!unknown", "/vms/100").is_empty());
        assert!(on(&cluster, "", "/").is_empty());
    }

    #[test]
    fn a_pool_gives_its_roles_to_its_members() {
        let mut cluster = cluster(&[
            ("u@pve", "/pool/p", "PVEVMUser", true),
            ("u@pve", "/vms/100", "PVETemplateUser", true),
            ("u@pve", "/vms/101", "NoAccess", true),
            ("u@pve", "/pool/q", "NoAccess", true),
            ("u@pve", "/vms/103", "PVETemplateUser", true),
        ]);
        let pool = |guests: &[u32], storages: &[&str]| Pool {
            comment: None,
            guests: guests.to_vec(),
            storages: storages.iter().map(|name| (*name).to_owned()).collect(),
        };
        cluster.pools.insert("p".to_owned(), pool(&[100, 101, 102], &["nas"]));
        cluster.pools.insert("q".to_owned(), pool(&[103], &[]));
        let has = |path: &str, name: &str| on(&cluster, "u@pve", path).iter().any(|have| have == name);
        assert!(has("/vms/102", "VM.PowerMgmt") && has("/storage/nas", "VM.PowerMgmt"));
        assert!(has("/vms/100", "VM.Clone") && has("/vms/100", "VM.PowerMgmt"));
        assert!(!has("/vms/101", "VM.Audit"), "what the guest's own entry forbids, no pool gives back");
        assert!(!has("/vms/103", "VM.Audit"), "a pool without access takes it from its members");
        assert!(!has("/vms/104", "VM.Audit"));
    }

    #[test]
    fn refusals_name_the_path_and_what_is_missing() {
        let cluster = cluster(&[("u@pve", "/vms", "PVETemplateUser", true)]);
        let rights = Rights::of(&cluster, "u@pve");
        let text = |result: Result<(), Failure>| result.expect_err("refused").message;
        assert_eq!(
            text(rights.check("/vms/100", &["VM.Audit", "VM.Backup", "VM.Console"])),
            "Permission check failed (/vms/100, VM.Backup)\n"
        );
        assert_eq!(
            text(rights.check_any("/vms/100", &["VM.Backup", "VM.Console"])),
            "Permission check failed (/vms/100, VM.Backup|VM.Console)\n"
        );
        assert_eq!(
            text(rights.check_modify("/pool/p")),
            "Permission check failed (/pool/p, Permissions.Modify|Pool.Allocate)\n"
        );
        assert!(rights.check_any("/vms/100", &["VM.Backup", "VM.Clone"]).is_ok());
    }
}
