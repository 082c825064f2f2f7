//! For tests: what other people, time and bad luck do to a cluster.
//!
//! Knows what of the state may be changed from outside. What follows from a change is elsewhere.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::{
    BadText,
    api::access,
    cluster::Cluster,
    factors::Totp,
    fault::Rule,
    guest::{Kind, Power},
};

/// Who comes in, and when.
impl Cluster {
    /// Gives a user a password, so that somebody can log in as them: nobody but root@pam may do everything.
    pub fn set_password(&mut self, user: &str, password: &str) {
        self.passwords.insert(user.to_owned(), password.to_owned());
    }

    /// A login of this user takes a code from an app, too.
    ///
    /// # Errors
    ///
    /// When the seed is no base32.
    pub fn add_totp(&mut self, user: &str, seed: &str) -> Result<(), BadText> {
        let totp =
            Totp::of_seed(seed).ok_or_else(|| BadText("the seed must be base32: A to Z and 2 to 7".to_owned()))?;
        let (id, created) = (self.draw_uuid(), self.clock.seconds());
        self.factors.entry(user.to_owned()).or_default().add_app(id, "app", created, totp);
        self.mark_factors(user);
        Ok(())
    }

    /// A login of this user takes a code on paper, too, or instead of one from an app; each is good once. Replaces
    /// earlier ones.
    pub fn set_recovery_codes(&mut self, user: &str, codes: &[String]) {
        let created = self.clock.seconds();
        self.factors.entry(user.to_owned()).or_default().set_paper(codes, created);
        self.mark_factors(user);
    }

    /// A code of the user's app that would be taken now. There are two within half a minute, because each is good once.
    pub fn totp_code(&self, user: &str) -> Option<String> {
        self.factors.get(user)?.next_code(SystemTime::now())
    }

    /// Codes from the user's app are good a second time.
    pub fn forget_used_codes(&mut self, user: &str) {
        if let Some(factors) = self.factors.get_mut(user) {
            factors.forget_used();
        }
    }

    /// Tickets and tokens against forged requests that were given out so far are no longer taken.
    pub fn change_key(&mut self) {
        let drawn = self.draw();
        self.key = format!("{}{}", self.key, crate::guest::hex(&drawn));
    }

    /// Time passes: tasks end, tickets and users expire.
    pub fn pass(&mut self, time: Duration) {
        self.clock.pass(time);
        self.settle();
    }

    /// A node's clock is ahead by so many seconds, or behind; 0 = right again. Told by the node itself only.
    pub fn set_clock_off(&mut self, node: &str, seconds: i64) {
        if seconds == 0 {
            self.clocks_off.remove(node);
        } else {
            self.clocks_off.insert(node.to_owned(), seconds);
        }
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
}

/// What happens to guests, nodes and storages, and which faults are in force.
impl Cluster {
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
