//! The roles that tools need, where they are granted, and the commands that do so.
//!
//! Pure. Knows needs, fences and how `pveum` is written. Source of the commands: the methods behind them,
//! `POST /access/roles`, `PUT /access/acl`, `POST /access/users` and `POST /access/users/{userid}/token/{tokenid}`.

use super::needs::{self, Need, Weight};
use crate::settings::{Fence, Ids, Settings};
use crate::tool::{Tier, Tool};
use std::collections::BTreeSet;

/// A set of privileges by name.
pub type Privileges = BTreeSet<String>;

/// How the names of all roles begin that setup makes.
pub const ROLES: &str = "ProxmoxMCP-";

/// More paths than these are not granted one by one.
const PATHS: usize = 64;

/// A role on paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub role: String,
    pub privileges: Privileges,
    pub paths: Vec<String>,
}

/// The least privileges that the tools can do with. `known`: those that the cluster has; older ones lack some.
pub fn privileges<'a>(tools: impl Iterator<Item = &'a Tool>, known: Option<&Privileges>) -> Privileges {
    let needs: Vec<Need> = tools.flat_map(needs::of).flat_map(|route| route.needs).filter(belongs).collect();
    let mut all = Privileges::new();
    let (one_way, several): (Vec<&Need>, Vec<&Need>) =
        needs.iter().partition(|need| need.ways.len() == 1 && need.ways.iter().flatten().all(|demand| !demand.any));
    for demand in one_way.iter().flat_map(|need| need.ways.iter().flatten()) {
        all.extend(demand.privileges.iter().cloned());
    }
    let looks = |name: &String| name.ends_with(".Audit");
    for need in several {
        let of_way = |way: &Vec<proxmox_spec::Demand>| {
            let mut more = Privileges::new();
            for demand in way {
                let audit = demand.privileges.iter().find(|name| looks(name));
                if !demand.any {
                    more.extend(demand.privileges.iter().cloned());
                } else if let Some(name) = audit {
                    more.insert(name.clone());
                } else if !demand.privileges.iter().any(|name| all.contains(name)) {
                    more.extend(demand.privileges.first().cloned());
                }
            }
            more
        };
        // What only looks is taken even where something stronger is there, which may be fenced in. Of equals the first,
        // which is the one that allows least.
        let costs = |more: &Privileges| match more.iter().all(looks) {
            true => 0,
            false => 1 + more.difference(&all).count(),
        };
        all.extend(need.ways.iter().map(of_way).min_by_key(costs).unwrap_or_default());
    }
    match known {
        Some(known) => all.into_iter().filter_map(|name| on_older(name, known)).collect(),
        None => all,
    }
}

/// What belongs in a role: not what is for seldom parameters, or for changing what belongs to others.
fn belongs(need: &Need) -> bool {
    need.weight != Weight::Rare
}

/// A privilege as an older version has it: before 9.0 the guest agent was part of the monitor.
fn on_older(name: String, known: &Privileges) -> Option<String> {
    const BEFORE: &str = "VM.Monitor";
    if known.contains(&name) {
        return Some(name);
    }
    (name.starts_with("VM.GuestAgent.") && known.contains(BEFORE)).then(|| BEFORE.to_owned())
}

/// Where which of the privileges are granted: all on the whole cluster, or, inside fences, what changes guests and
/// storages only where it may be used. What looks is granted on everything: fences do not limit looking.
pub fn grants(tier: Tier, privileges: &Privileges, settings: &Settings) -> Vec<Grant> {
    let name = role_name(tier);
    let guests = fenced_guests(settings);
    let storages = fenced_storages(settings);
    if guests.is_empty() && storages.is_empty() {
        return vec![Grant { role: name, privileges: privileges.clone(), paths: vec!["/".to_owned()] }];
    }
    let of_guests = |one: &str| !guests.is_empty() && (one.starts_with("VM.") || one.starts_with("Pool."));
    let of_storages = |one: &str| !storages.is_empty() && one.starts_with("Datastore.");
    let looks = |one: &str| one.ends_with(".Audit");
    let everywhere = |one: &&String| looks(one) || !(of_guests(one) || of_storages(one));
    let on_all: Privileges = privileges.iter().filter(everywhere).cloned().collect();
    let family =
        |fits: &dyn Fn(&str) -> bool| -> Privileges { privileges.iter().filter(|one| fits(one)).cloned().collect() };
    let mut list = vec![
        Grant { role: format!("{name}-base"), privileges: on_all, paths: vec!["/".to_owned()] },
        Grant { role: format!("{name}-guests"), privileges: family(&of_guests), paths: guests.clone() },
        Grant { role: format!("{name}-storages"), privileges: family(&of_storages), paths: storages.clone() },
    ];
    list.retain(|grant| !grant.paths.is_empty() && !grant.privileges.is_empty());
    list
}

/// `ProxmoxMCP-operate`.
pub fn role_name(tier: Tier) -> String {
    format!("{ROLES}{tier}")
}

/// The paths of the guests that may be changed; empty = all, or what no path can say.
fn fenced_guests(settings: &Settings) -> Vec<String> {
    let fences = settings.fences.first();
    let Some(fences) = fences else { return Vec::new() };
    let pools = fences.pools.allow.iter().map(|pool| format!("/pool/{pool}"));
    let ids = ids(&fences.guests);
    if fences.pools.allow.is_empty() {
        ids.into_iter().map(|id| format!("/vms/{id}")).collect()
    } else {
        pools.collect()
    }
}

/// The ids inside; none if all are, or too many to name.
fn ids(fence: &Fence<Ids>) -> Vec<u32> {
    let mut list = Vec::new();
    let mut from = 0;
    while let Some(id) = fence.lowest(from).filter(|_| !fence.allow.is_empty()) {
        if list.len() == PATHS {
            return Vec::new();
        }
        list.push(id);
        from = id + 1;
    }
    list
}

fn fenced_storages(settings: &Settings) -> Vec<String> {
    let allow = settings.fences.first().map(|fences| fences.storages.allow.as_slice()).unwrap_or_default();
    allow.iter().map(|storage| format!("/storage/{storage}")).collect()
}

/// The commands for a shell on a node that make user, roles and token, and grant the roles to both.
pub fn commands(grants: &[Grant], user: &str, token: &str) -> Vec<String> {
    let quote = |text: &str| shell_words::quote(text).into_owned();
    let full = format!("'{}!{token}'", user.replace('\'', ""));
    let mut lines = Vec::new();
    for grant in grants {
        let list = grant.privileges.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        lines.push(format!("pveum role add {} --privs {}", quote(&grant.role), quote(&list)));
    }
    lines.push(format!("pveum user add {} --comment 'AI assistant'", quote(user)));
    lines.push(format!("pveum user token add {} {} --privsep 1", quote(user), quote(token)));
    for grant in grants {
        for path in &grant.paths {
            let (path, role) = (quote(path), quote(&grant.role));
            lines.push(format!("pveum acl modify {path} --users {} --roles {role}", quote(user)));
            lines.push(format!("pveum acl modify {path} --tokens {full} --roles {role}"));
        }
    }
    lines
}

/// The tools that a server with these settings lists.
pub fn listed(settings: &Settings) -> impl Iterator<Item = &'static Tool> {
    let access = settings.access();
    let listed = move |tool: &&'static Tool| {
        let surface = crate::catalogue::surface(tool.name);
        surface.is_some_and(|surface| settings.toolsets.list(surface, &access))
    };
    crate::catalogue::TOOLS.iter().filter(listed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Flags;

    fn settings(tier: &str, toolsets: &str, change: impl FnOnce(&mut Flags)) -> Settings {
        let mut flags = Flags { tier: Some(tier.to_owned()), toolsets: vec![toolsets.to_owned()], ..Flags::default() };
        change(&mut flags);
        Settings::limits(&flags).expect("good")
    }

    fn role(tier: &str, toolsets: &str) -> String {
        let settings = settings(tier, toolsets, |_| {});
        privileges(listed(&settings), None).into_iter().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_role_holds_what_the_tools_on_offer_need_and_no_more() {
        assert_eq!(role("read", "core"), "Datastore.Audit Sys.Audit VM.Audit");
        assert_eq!(
            role("operate", "core"),
            "Datastore.AllocateSpace Datastore.Audit Sys.Audit VM.Audit VM.Backup VM.Migrate VM.PowerMgmt VM.Snapshot"
        );
        let configure = role("configure", "all");
        for privilege in
            ["SDN.Use", "VM.Allocate", "VM.Clone", "VM.Config.CPU", "VM.Config.Network", "Datastore.AllocateTemplate"]
        {
            assert!(configure.contains(privilege), "{privilege} in {configure}");
        }
        let admin = role("admin", "all");
        assert!(admin.contains("VM.GuestAgent.Unrestricted"), "{admin}");
        for privilege in ["Permissions.Modify", "Sys.Modify", "Sys.PowerMgmt", "User.Modify", "Sys.Console"] {
            assert!(!admin.contains(privilege), "{privilege} in {admin}");
        }
    }

    #[test]
    fn an_older_cluster_has_the_older_privilege() {
        let known: Privileges = ["VM.Monitor", "VM.Audit", "VM.PowerMgmt"].map(str::to_owned).into();
        let settings = settings("admin", "agent", |_| {});
        let role = privileges(listed(&settings), Some(&known));
        assert_eq!(role.into_iter().collect::<Vec<_>>(), ["VM.Audit", "VM.Monitor"]);
    }

    #[test]
    fn inside_fences_changing_is_granted_where_it_is_allowed() {
        let plain = settings("operate", "core", |_| {});
        let all = privileges(listed(&plain), None);
        let one = grants(Tier::Operate, &all, &plain);
        assert_eq!(
            (one.len(), one[0].role.as_str(), one[0].paths.as_slice()),
            (1, "ProxmoxMCP-operate", ["/".to_owned()].as_slice())
        );

        let fenced = settings("operate", "core", |flags| {
            flags.fences.allow_guests = vec!["100-101".to_owned()];
            flags.fences.allow_storages = vec!["nas".to_owned()];
        });
        let said: Vec<String> = grants(Tier::Operate, &all, &fenced)
            .iter()
            .map(|grant| {
                let list = grant.privileges.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
                format!("{} {}: {list}", grant.role, grant.paths.join(","))
            })
            .collect();
        assert_eq!(
            said,
            [
                "ProxmoxMCP-operate-base /: Datastore.Audit Sys.Audit VM.Audit",
                "ProxmoxMCP-operate-guests /vms/100,/vms/101: VM.Audit VM.Backup VM.Migrate VM.PowerMgmt VM.Snapshot",
                "ProxmoxMCP-operate-storages /storage/nas: Datastore.AllocateSpace Datastore.Audit",
            ]
        );
    }

    #[test]
    fn commands_are_written_for_a_shell() {
        let grant = Grant {
            role: "ProxmoxMCP-read".to_owned(),
            privileges: ["Sys.Audit", "VM.Audit"].map(str::to_owned).into(),
            paths: vec!["/".to_owned()],
        };
        assert_eq!(
            commands(&[grant], "mcp@pve", "laptop"),
            [
                "pveum role add ProxmoxMCP-read --privs 'Sys.Audit VM.Audit'",
                "pveum user add mcp@pve --comment 'AI assistant'",
                "pveum user token add mcp@pve laptop --privsep 1",
                "pveum acl modify / --users mcp@pve --roles ProxmoxMCP-read",
                "pveum acl modify / --tokens 'mcp@pve!laptop' --roles ProxmoxMCP-read",
            ]
        );
    }
}
