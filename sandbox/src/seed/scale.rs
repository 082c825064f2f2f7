//! A cluster larger than the usual one: further guests, spread over all nodes.
//!
//! Knows how such guests are named and mixed. The same seed makes the same guests, and the usual ones stay as they are.

use serde_json::{Value, json};

use super::{GIB, Start};
use crate::{
    Options,
    cluster::{Cluster, Pool},
    guest::{Kind, Power},
};

/// The id of the first further guest.
const FIRST: u32 = 1_000;

const ROLES: [&str; 12] =
    ["app", "api", "web", "db", "cache", "queue", "mail", "build", "files", "metrics", "search", "desktop"];
const SITES: [&str; 5] = ["berlin", "graz", "lyon", "oslo", "turin"];
const STAGES: [&str; 4] = ["dev", "prod", "stage", "test"];
const TEAMS: [&str; 6] = ["backoffice", "data", "platform", "sales", "support", "web"];

/// Numbers that look random and are the same for the same seed and guest.
struct Dice(u64);

impl Dice {
    /// The generator is SplitMix64, which is small and good enough to mix guests.
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let place = usize::try_from(self.roll(from.len() as u64)).unwrap_or(0);
        &from[place]
    }
}

/// Adds guests until there are as many as wanted, and room for them on nodes and storages.
pub(super) fn populate(cluster: &mut Cluster, options: &Options) {
    let missing = (options.guests as usize).saturating_sub(cluster.guests.len());
    if missing == 0 {
        return;
    }
    let nodes: Vec<String> = cluster.nodes.keys().cloned().collect();
    for team in TEAMS {
        let pool =
            Pool { comment: Some(format!("Guests of the team {team}")), guests: Vec::new(), storages: Vec::new() };
        cluster.pools.insert(team.to_owned(), pool);
    }
    let free: Vec<u32> = (FIRST..).filter(|vmid| !cluster.guests.contains_key(vmid)).take(missing).collect();
    for vmid in free {
        let mut dice = Dice(options.seed.wrapping_mul(0x1_0000_0001) ^ u64::from(vmid));
        add(cluster, &mut dice, vmid, &nodes);
    }
    make_room(cluster);
}

fn add(cluster: &mut Cluster, dice: &mut Dice, vmid: u32, nodes: &[String]) {
    let kind = if dice.roll(10) < 7 { Kind::Qemu } else { Kind::Lxc };
    let (role, site, stage) = (dice.pick(&ROLES), dice.pick(&SITES), dice.pick(&STAGES));
    let template = kind == Kind::Qemu && dice.roll(100) < 2;
    let running = !template && dice.roll(100) < 65;
    let node = dice.pick(nodes).clone();
    let name = format!("{role}-{site}-{vmid}");
    // Tags come back in alphabetical order.
    let mut tags = [*site, *stage, *role];
    tags.sort_unstable();
    let tags = tags[..usize::try_from(dice.roll(4)).unwrap_or(0)].join(";");
    let cores = 1 << dice.roll(4);
    let memory = 512_u64 << dice.roll(6);
    let gib = 4_u64 << dice.roll(5);
    let mut options = match kind {
        Kind::Qemu => json!({ "name": name, "memory": memory.to_string(), "cores": cores, "agent": "1" }),
        Kind::Lxc => json!({ "hostname": name, "memory": memory, "cores": cores, "swap": 512 }),
    };
    if !tags.is_empty() {
        options["tags"] = json!(tags);
    }
    if template {
        options["template"] = json!(1);
    }
    if dice.roll(3) == 0 {
        options["onboot"] = json!(1);
    }
    if dice.roll(5) == 0 {
        options["description"] = Value::String(format!("{stage} {role} in {site}"));
    }
    let base = if template { "base" } else { "vm" };
    let (disk, volid) = match kind {
        Kind::Qemu if dice.roll(8) == 0 && !template => ("scsi0", format!("backup-nas:{vmid}/vm-{vmid}-disk-0.qcow2")),
        Kind::Qemu => ("scsi0", format!("local-lvm:{base}-{vmid}-disk-0")),
        Kind::Lxc => ("rootfs", format!("local-lvm:vm-{vmid}-disk-0")),
    };
    Start { vmid, kind, node: &node, running, disk: (disk, &volid, gib), options }.add(cluster);
    if let Some(guest) = cluster.guests.get_mut(&vmid)
        && running
        && kind == Kind::Qemu
        && dice.roll(40) == 0
    {
        guest.power = Power::Paused;
    }
    if dice.roll(3) == 0
        && let Some(pool) = cluster.pools.get_mut(*dice.pick(&TEAMS))
    {
        pool.guests.push(vmid);
    }
}

/// Nodes and storages grow so that no more is in use than there is.
fn make_room(cluster: &mut Cluster) {
    for (name, node) in &mut cluster.nodes {
        let needed: u64 = cluster.guests.values().filter(|guest| guest.node == *name).map(|guest| guest.memory()).sum();
        node.memory = node.memory.max(needed.next_power_of_two());
        node.processors = node.processors.max(node.memory / (8 * GIB));
    }
    for id in ["local-lvm", "backup-nas"] {
        let used = cluster.nodes.keys().map(|node| cluster.used(node, id)).max().unwrap_or(0);
        if let Some(storage) = cluster.storages.get_mut(id) {
            storage.size = storage.size.max((used * 2).next_power_of_two());
        }
    }
}
