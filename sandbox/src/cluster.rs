//! The whole state of the cluster, the look-ups that every handler needs, and what tests may do to it.
//!
//! Knows what exists. Requests, answers and routes are elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use sha1::{Digest, Sha1};

use crate::{
    answer::Failure,
    api::access,
    clock::Clock,
    fault::{Rule, Rules},
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

/// The state behind the API. What is public here is for tests.
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
    /// What tickets are sealed with.
    pub(crate) key: String,
    /// Tasks of that type that will fail, with their error.
    pub(crate) failures: Vec<(String, String)>,
    /// How often the next tasks of that type will warn.
    pub(crate) warnings: Vec<(String, u32)>,
    /// Nodes that are offline in such a way that requests for them run into a time-out.
    pub(crate) silent: BTreeSet<String>,
    /// Storages without space.
    pub(crate) full: BTreeSet<String>,
    pub(crate) faults: Rules,
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
            key: String::new(),
            failures: Vec::new(),
            warnings: Vec::new(),
            silent: BTreeSet::new(),
            full: BTreeSet::new(),
            faults: Rules::default(),
            seed,
            drawn: 0,
        }
    }

    /// One request has come in: the clock moves and what is due happens.
    pub(crate) fn tick(&mut self) {
        self.clock.now += self.clock.step;
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

/// For tests: what other people and bad luck do to a cluster.
impl Cluster {
    /// Gives a user a password, so that somebody can log in as them: nobody but root@pam may do everything.
    pub fn set_password(&mut self, user: &str, password: &str) {
        self.passwords.insert(user.to_owned(), password.to_owned());
    }

    /// Somebody else takes an id: an empty, stopped virtual machine.
    pub fn take_id(&mut self, vmid: u32) {
        let node = self.nodes.keys().next().cloned().unwrap_or_default();
        let guest = self.add_guest(vmid, Kind::Qemu, &node);
        guest.config.insert("name".to_owned(), json!(format!("other-{vmid}")));
    }

    /// Sets or removes the lock in a guest's configuration.
    pub fn set_lock(&mut self, vmid: u32, lock: Option<&str>) {
        if let Some(guest) = self.guests.get_mut(&vmid) {
            guest.lock = lock.map(str::to_owned);
        }
    }

    /// Takes a node out of the cluster or back: requests for it end in 595.
    pub fn set_node_online(&mut self, node: &str, online: bool) {
        self.silent.remove(node);
        if let Some(node) = self.nodes.get_mut(node) {
            node.online = online;
        }
    }

    /// Without quorum every write fails.
    pub fn set_quorate(&mut self, quorate: bool) {
        self.quorate = quorate;
    }

    /// The factor on the duration of tasks that begin from now on.
    pub fn set_task_time(&mut self, factor: f64) {
        self.task_time = factor.max(0.0);
    }

    /// From now on every request moves the clock by that many milliseconds instead of 1,000.
    pub fn set_step(&mut self, milliseconds: u32) {
        self.clock.step = i64::from(milliseconds);
    }

    /// The next task of that type (`qmstart`, `vzdump`, …) ends with this error.
    pub fn fail_next_task(&mut self, kind: &str, error: &str) {
        self.failures.push((kind.to_owned(), error.to_owned()));
    }

    /// The guest agent of a virtual machine stops or starts answering.
    pub fn set_agent(&mut self, vmid: u32, answers: bool) {
        if let Some(guest) = self.guests.get_mut(&vmid) {
            guest.agent_answers = answers;
        }
    }

    /// The guest ignores or obeys requests to shut down.
    pub fn set_deaf(&mut self, vmid: u32, deaf: bool) {
        if let Some(guest) = self.guests.get_mut(&vmid) {
            guest.deaf = deaf;
        }
    }

    /// Somebody else changes an option of a guest, so that its digest changes.
    pub fn set_option(&mut self, vmid: u32, option: &str, value: &str) {
        if let Some(guest) = self.guests.get_mut(&vmid) {
            let value = guest.kind.option_value(option, value);
            guest.config.insert(option.to_owned(), value);
        }
    }

    /// Whether a guest runs; `None` if there is no such guest.
    pub fn power(&self, vmid: u32) -> Option<Power> {
        self.guests.get(&vmid).map(|guest| guest.power)
    }

    /// The node that a guest is on.
    pub fn node_of(&self, vmid: u32) -> Option<&str> {
        self.guests.get(&vmid).map(|guest| guest.node.as_str())
    }

    /// Makes an API token and answers its secret; the user is made where there is none, and has no password. The
    /// entries are path, role, and whether it holds below the path as well. With privilege separation they are the
    /// token's own, and worth no more than what its user has too ([`Cluster::grant`]); without it they are the user's.
    pub fn add_token(&mut self, userid: &str, tokenid: &str, separate: bool, entries: &[(&str, &str, bool)]) -> String {
        access::add_token(self, userid, tokenid, separate, entries)
    }

    /// Gives a role on a path to a user, to a token (`user@realm!token`), or to a group (`@name`).
    pub fn grant(&mut self, who: &str, path: &str, role: &str, propagate: bool) {
        access::grant(self, who, path, role, propagate);
    }

    /// The next task of that type ends in `WARNINGS: n`.
    pub fn warn_next_task(&mut self, kind: &str, count: u32) {
        self.warnings.push((kind.to_owned(), count));
    }

    /// A storage without space: nothing can be put there.
    pub fn set_storage_full(&mut self, storage: &str, full: bool) {
        if full {
            self.full.insert(storage.to_owned());
        } else {
            self.full.remove(storage);
        }
    }

    /// Replaces all fault rules. The first rule that fits a request and is not used up strikes.
    pub fn set_faults(&mut self, rules: Vec<Rule>) {
        self.faults.set(rules);
    }

    /// Adds a fault rule behind the others. From the request hook it can strike the present request.
    pub fn add_fault(&mut self, rule: Rule) {
        self.faults.add(rule);
    }

    /// Removes all fault rules.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Every fault rule, with how many requests or connections it has struck.
    pub fn faults(&self) -> Vec<(Rule, u32)> {
        self.faults.list().map(|(rule, struck)| (rule.clone(), struck)).collect()
    }
}
