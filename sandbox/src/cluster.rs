//! The whole state of the cluster, and the look-ups that every handler needs.
//!
//! Knows what exists. Requests, answers and routes are elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sha1::{Digest, Sha1};

use crate::{
    answer::Failure,
    clock::Clock,
    endpoints::Doors,
    factors::Factors,
    fault::Rules,
    firewall::Firewall,
    generic::Store,
    guest::{Guest, Kind, Power, hex},
    programs::Runs,
    tasks::Task,
    volumes::{Storage, Volumes},
};

/// A node of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub online: bool,
    /// The number in the cluster, from 1.
    pub number: u32,
    pub processors: u64,
    /// Bytes.
    pub memory: u64,
}

/// A group of guests and storages.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    pub comment: Option<String>,
    pub guests: Vec<u32>,
    pub storages: Vec<String>,
}

/// The state behind the API. What tests may do to it is in `outside`.
pub struct Cluster {
    pub(crate) clock: Clock,
    /// The factor on the duration of every task.
    pub(crate) task_time: f64,
    pub(crate) quorate: bool,
    /// The node is in no cluster; several answers differ then.
    pub(crate) standalone: bool,
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) guests: BTreeMap<u32, Guest>,
    pub(crate) storages: BTreeMap<String, Storage>,
    pub(crate) volumes: Volumes,
    pub(crate) tasks: Vec<Task>,
    pub(crate) pools: BTreeMap<String, Pool>,
    /// By the path before `/firewall`, or by the path of a security group.
    pub(crate) firewalls: BTreeMap<String, Firewall>,
    pub(crate) store: Store,
    pub(crate) runs: Runs,
    /// Token secrets by `user@realm!name`.
    pub(crate) secrets: BTreeMap<String, String>,
    /// Passwords by `user@realm`.
    pub(crate) passwords: BTreeMap<String, String>,
    /// Second factors by `user@realm`.
    pub(crate) factors: BTreeMap<String, Factors>,
    /// What tickets are sealed with.
    pub(crate) key: String,
    /// Tasks of that type that will fail, with their error.
    pub(crate) failures: Vec<(String, String)>,
    /// How often the next tasks of that type will warn.
    pub(crate) warnings: Vec<(String, u32)>,
    /// Nodes that are offline in such a way that requests for them run into a time-out.
    pub(crate) silent: BTreeSet<String>,
    /// Nodes whose clock is wrong, with the seconds that it is ahead.
    pub(crate) clocks_off: BTreeMap<String, i64>,
    /// Storages without space.
    pub(crate) full: BTreeSet<String>,
    pub(crate) faults: Rules,
    /// The addresses at which it is served.
    pub(crate) doors: Doors,
    seed: u64,
    drawn: u64,
}

impl Cluster {
    /// An empty cluster.
    pub(crate) fn empty(seed: u64, task_time: f64) -> Cluster {
        Cluster {
            clock: Clock::new(),
            task_time,
            quorate: true,
            standalone: false,
            nodes: BTreeMap::new(),
            guests: BTreeMap::new(),
            storages: BTreeMap::new(),
            volumes: Volumes::new(),
            tasks: Vec::new(),
            pools: BTreeMap::new(),
            firewalls: BTreeMap::new(),
            store: Store::default(),
            runs: Runs::default(),
            secrets: BTreeMap::new(),
            passwords: BTreeMap::new(),
            factors: BTreeMap::new(),
            key: String::new(),
            failures: Vec::new(),
            warnings: Vec::new(),
            silent: BTreeSet::new(),
            clocks_off: BTreeMap::new(),
            full: BTreeSet::new(),
            faults: Rules::default(),
            doors: Doors::default(),
            seed,
            drawn: 0,
        }
    }

    /// One request has come in: the clock moves and what is due happens.
    pub(crate) fn tick(&mut self) {
        self.clock.tick();
        self.settle();
    }

    /// Twenty bytes that look random and are the same in every run.
    pub(crate) fn draw(&mut self) -> [u8; 20] {
        self.drawn += 1;
        Sha1::digest(format!("{}/{}", self.seed, self.drawn)).into()
    }

    pub(crate) fn draw_mac(&mut self) -> String {
        let drawn = self.draw();
        format!("BC:24:11:{:02X}:{:02X}:{:02X}", drawn[0], drawn[1], drawn[2])
    }

    pub(crate) fn draw_uuid(&mut self) -> String {
        let text = hex(&self.draw());
        format!("{}-{}-4{}-8{}-{}", &text[0..8], &text[8..12], &text[13..16], &text[17..20], &text[20..32])
    }

    /// The guest of that kind on that node, or the API's error.
    pub(crate) fn guest(&self, node: &str, kind: Kind, vmid: u32) -> Result<&Guest, String> {
        let missing = || format!("Configuration file '{}' does not exist", kind.file(node, vmid));
        self.guests.get(&vmid).filter(|guest| guest.kind == kind && guest.node == node).ok_or_else(missing)
    }

    pub(crate) fn guest_mut(&mut self, node: &str, kind: Kind, vmid: u32) -> Result<&mut Guest, String> {
        self.guest(node, kind, vmid)?;
        self.guests.get_mut(&vmid).ok_or_else(String::new)
    }

    /// The lowest free id from 100 on.
    pub(crate) fn next_id(&self) -> u32 {
        (100..).find(|vmid| !self.guests.contains_key(vmid)).unwrap_or(100)
    }

    /// `VM 100 already exists on node 'pve1'`, if the id is taken.
    pub(crate) fn id_taken(&self, vmid: u32) -> Option<String> {
        let guest = self.guests.get(&vmid)?;
        Some(format!("{} {vmid} already exists on node '{}'", guest.kind.label(), guest.node))
    }

    /// 403, as the API refuses an unknown pool at create and clone.
    pub(crate) fn check_pool(&self, pool: Option<&str>) -> Result<(), Failure> {
        match pool {
            Some(pool) if !self.pools.contains_key(pool) => {
                Err(Failure::forbidden(&format!("pool '{pool}' does not exist")))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn pool_of(&self, vmid: u32) -> Option<&str> {
        self.pools.iter().find(|(_, pool)| pool.guests.contains(&vmid)).map(|(id, _)| id.as_str())
    }

    /// A new, empty guest of that id.
    pub(crate) fn add_guest(&mut self, vmid: u32, kind: Kind, node: &str) -> &mut Guest {
        let guest = Guest {
            vmid,
            kind,
            node: node.to_owned(),
            config: BTreeMap::new(),
            pending: BTreeMap::new(),
            snapshots: Vec::new(),
            parent: None,
            power: Power::Stopped,
            started: 0,
            pid: 0,
            lock: None,
            agent_answers: true,
            deaf: false,
        };
        self.guests.remove(&vmid);
        self.guests.entry(vmid).or_insert(guest)
    }

    /// Whether a user has second factors also stands with the user, and a user without any is forgotten here.
    pub(crate) fn mark_factors(&mut self, userid: &str) {
        let some = self.factors.get(userid).is_some_and(|factors| !factors.is_empty());
        if !some {
            self.factors.remove(userid);
        }
        if let Some(user) = self.store.get_mut(&format!("/access/users/{userid}")) {
            if some {
                user.insert("keys".to_owned(), json!("x"));
            } else {
                user.remove("keys");
            }
        }
    }

    pub(crate) fn set_power(&mut self, vmid: u32, power: Power) {
        let now = self.clock.now;
        let Some(guest) = self.guests.get_mut(&vmid) else { return };
        if power == Power::Stopped {
            guest.apply_pending();
            (guest.started, guest.pid) = (0, 0);
        } else if guest.power == Power::Stopped {
            guest.apply_pending();
            guest.started = now;
            guest.pid = 0x1_0000 + vmid % 0x8000;
        }
        guest.power = power;
    }
}
