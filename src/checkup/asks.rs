//! What methods check in their own code: privileges that stand in no expression of the facts.
//!
//! A reviewed table, row by row from the sources named below; the facts list the privileges of such methods, and this
//! says on which path and for which calls. Knows methods and parameters, never tools. What options of guests take is in
//! `proxmox_spec::asked`. Must not know who has which privilege.

use proxmox_spec::Verb::{self, Delete, Get, Post};

/// How much of a method stands or falls with a privilege.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// No call succeeds without it.
    Must,
    /// Without it the answer holds nothing, or hardly anything: rows are left out in silence.
    Shows,
    /// Calls of the usual sort need it.
    Some,
    /// Calls with a seldom parameter, or about what belongs to others.
    Rare,
}

/// For which calls of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Always,
    /// The parameter is given, whatever its value.
    Given(&'static str),
    /// It is not.
    Absent(&'static str),
    /// The parameter is not given, or has this value.
    Is(&'static str, &'static str),
    /// The parameter has this value by the tool's own making.
    Only(&'static str, &'static str),
}

/// Privileges, all of which are needed on this path.
pub type On = (&'static str, &'static [&'static str]);

/// One row: any of the `ways` is enough, and each of them needs all that it lists.
#[derive(Debug)]
pub struct Ask {
    pub verb: Verb,
    pub path: &'static str,
    pub weight: Weight,
    pub when: When,
    pub ways: &'static [&'static [On]],
}

const fn ask(verb: Verb, path: &'static str, weight: Weight, when: When, ways: &'static [&'static [On]]) -> Ask {
    Ask { verb, path, weight, when, ways }
}

const VM_AUDIT: &[&[On]] = &[&[("/vms/{vmid}", &["VM.Audit"])]];
const STORAGE: &[&[On]] =
    &[&[("/storage/{storage}", &["Datastore.Audit"])], &[("/storage/{storage}", &["Datastore.AllocateSpace"])]];
const SPACE: &[&[On]] = &[&[("/storage/{storage}", &["Datastore.AllocateSpace"])]];
const CONFIG_DISK: &[&[On]] = &[&[("/vms/{vmid}", &["VM.Config.Disk"])]];
const NODE_AUDIT: &[&[On]] = &[&[("/nodes/{node}", &["Sys.Audit"])]];
const NODE_MODIFY: &[&[On]] = &[&[("/nodes/{node}", &["Sys.Modify"])]];
const SYS_MODIFY: &[&[On]] = &[&[("/", &["Sys.Modify"])]];
const POOLS: &[&[On]] = &[&[("/pool/{poolid}", &["Pool.Audit"])]];
const ALLOCATE: &[&[On]] = &[&[("/vms/{vmid}", &["VM.Allocate"])], &[("/pool/{pool}", &["VM.Allocate"])]];
const BACKUP: &[&[On]] = &[&[("/vms/{vmid}", &["VM.Backup"])]];
/// The volume of a backup: by who administers its storage, or by who may make such backups.
const ARCHIVE: &[&[On]] = &[
    &[("/storage/{storage}", &["Datastore.AllocateSpace"]), ("/vms/{vmid}", &["VM.Backup"])],
    &[("/storage/{storage}", &["Datastore.Allocate"])],
];
const ADMIN: &[&[On]] = &[&[("/storage/{storage}", &["Datastore.Allocate"])]];
const BRIDGES: &[&[On]] = &[&[("/sdn/zones/{zone}/{vnet}", &["SDN.Use"])]];

const RESOURCES: &str = "/cluster/resources";
const CONTENT: &str = "/nodes/{node}/storage/{storage}/content";
const VOLUME: &str = "/nodes/{node}/storage/{storage}/content/{volume}";
const VZDUMP: &str = "/nodes/{node}/vzdump";
const QEMU: &str = "/nodes/{node}/qemu";
const LXC: &str = "/nodes/{node}/lxc";

use Weight::{Must, Rare, Shows};
use When::{Absent, Always, Given, Is, Only};

/// Sources: pve-manager `API2/Cluster.pm`, `API2/Nodes.pm`, `API2/Tasks.pm`, `API2/VZDump.pm`; pve-storage `Storage.pm`
/// (`check_volume_access`) and `API2/Storage/`; qemu-server `API2/Qemu.pm`; pve-container `API2/LXC.pm`. The answers of
/// a token without privileges were recorded from a running server: lists are 200 and empty.
const ASKS: &[Ask] = &[
    ask(Get, RESOURCES, Shows, Is("type", "vm"), VM_AUDIT),
    ask(Get, RESOURCES, Shows, Is("type", "storage"), STORAGE),
    ask(Get, RESOURCES, Shows, Is("type", "node"), NODE_AUDIT),
    ask(Get, "/nodes", Shows, Always, NODE_AUDIT),
    ask(Get, QEMU, Shows, Always, VM_AUDIT),
    ask(Get, LXC, Shows, Always, VM_AUDIT),
    ask(Get, "/storage", Shows, Always, STORAGE),
    ask(Get, "/nodes/{node}/storage", Shows, Always, STORAGE),
    ask(Get, "/pools", Shows, Always, POOLS),
    ask(Get, "/cluster/tasks", Weight::Some, Always, &[&[("/", &["Sys.Audit"])]]),
    ask(Get, "/nodes/{node}/tasks", Weight::Some, Always, NODE_AUDIT),
    ask(Get, "/nodes/{node}/tasks/{upid}/status", Weight::Some, Always, NODE_AUDIT),
    ask(Get, "/nodes/{node}/tasks/{upid}/log", Weight::Some, Always, NODE_AUDIT),
    ask(Delete, "/nodes/{node}/tasks/{upid}", Rare, Always, NODE_MODIFY),
    // Backups show to those alone who could make them.
    ask(Get, CONTENT, Shows, Only("content", "backup"), ARCHIVE),
    ask(Delete, VOLUME, Must, Always, ARCHIVE),
    ask(Post, VZDUMP, Must, Always, SPACE),
    ask(Post, VZDUMP, Must, Always, BACKUP),
    ask(Post, VZDUMP, Rare, Given("prune-backups"), ADMIN),
    ask(Post, VZDUMP, Rare, Given("bwlimit"), SYS_MODIFY),
    ask(Post, QEMU, Must, Always, ALLOCATE),
    ask(Post, QEMU, Must, Given("archive"), SPACE),
    ask(Post, QEMU, Weight::Some, Given("archive"), ARCHIVE),
    ask(Post, LXC, Must, Always, ALLOCATE),
    ask(Post, LXC, Must, Always, SPACE),
    ask(Post, LXC, Weight::Some, Given("restore"), ARCHIVE),
    // The template, which whoever sees its storage may use.
    ask(Post, LXC, Must, Absent("restore"), STORAGE),
    ask(Post, "/nodes/{node}/qemu/{vmid}/clone", Weight::Some, Always, SPACE),
    ask(Post, "/nodes/{node}/qemu/{vmid}/clone", Weight::Some, Always, BRIDGES),
    ask(Post, "/nodes/{node}/lxc/{vmid}/clone", Weight::Some, Always, SPACE),
    ask(Post, "/nodes/{node}/lxc/{vmid}/clone", Weight::Some, Always, BRIDGES),
    ask(Post, "/nodes/{node}/qemu/{vmid}/status/suspend", Rare, Given("todisk"), SPACE),
    ask(Post, "/nodes/{node}/qemu/{vmid}/status/suspend", Rare, Given("todisk"), CONFIG_DISK),
];

/// The rows of a method.
pub fn of(verb: Verb, path: &str) -> impl Iterator<Item = &'static Ask> {
    ASKS.iter().filter(move |ask| (ask.verb, ask.path) == (verb, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::TOOLS;

    #[test]
    fn every_row_belongs_to_a_method_and_names_its_privileges() {
        for ask in ASKS {
            let method = proxmox_spec::find(ask.verb, ask.path);
            let method = method.unwrap_or_else(|| panic!("{} {}", ask.verb, ask.path));
            if let Given(name) | Absent(name) | Is(name, _) | Only(name, _) = ask.when {
                assert!(method.param(name).is_some(), "`{name}` of {} {}", ask.verb, ask.path);
            }
        }
    }

    #[test]
    fn what_the_tools_methods_ask_in_their_code_is_known() {
        let unknown: Vec<String> = TOOLS
            .iter()
            .flat_map(|tool| tool.routes)
            .filter_map(|route| proxmox_spec::find(route.verb, route.path))
            .filter(|method| !method.permissions.privileges_in_code.is_empty())
            .filter(|method| of(method.verb, method.path).next().is_none())
            .map(|method| format!("{} {}", method.verb, method.path))
            .collect();
        assert!(unknown.is_empty(), "add a row for each of {unknown:?}");
    }
}
