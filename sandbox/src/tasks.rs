//! Tasks: they begin, hold locks, take time on the cluster's clock, write logs, have effects, and end.
//!
//! Knows when things happen, and nothing of what the single tasks do: that is in the plans they bring.

use serde_json::{Value, json};

use crate::{answer::Failure, clock, cluster::Cluster, guest::Kind, upid::Upid};

/// How long a second write waits for the file lock of a guest, in milliseconds.
const LOCK_WAIT: i64 = 10_000;

/// Checks when a task begins, and makes the plan; the error text ends the task.
pub(crate) type Begin = Box<dyn FnOnce(&mut Cluster) -> Result<Plan, String> + Send>;

/// The effect at the end of a task; may add lines to the log.
pub(crate) type Finish = Box<dyn FnOnce(&mut Cluster, &mut Vec<String>) -> Result<(), String> + Send>;

/// Cleans up when a task fails or is interrupted.
pub(crate) type Undo = Box<dyn FnOnce(&mut Cluster) + Send>;

/// What a task that has begun will do.
pub(crate) struct Plan {
    /// Seconds on the cluster's clock, before scaling.
    pub seconds: f64,
    /// Appear one by one while the task runs.
    pub lines: Vec<String>,
    /// A lock in the configuration of this guest while the task runs.
    pub lock: Option<(u32, &'static str)>,
    pub finish: Finish,
    pub undo: Option<Undo>,
}

/// A task to start.
pub(crate) struct Spawn {
    pub node: String,
    /// The worker's type: `qmstart`, `vzdump`, …
    pub kind: &'static str,
    pub id: String,
    pub user: String,
    /// The guest whose file lock the task holds from its beginning to its end.
    pub holds: Option<u32>,
    pub begin: Begin,
}

pub(crate) struct Task {
    pub upid: Upid,
    holds: Option<u32>,
    log: Vec<String>,
    state: State,
}

enum State {
    /// Waits for the file lock since then (milliseconds).
    Waiting {
        since: i64,
        begin: Begin,
    },
    Running {
        from: i64,
        to: i64,
        plan: Box<Plan>,
    },
    /// At that second, with that exit status.
    Ended {
        at: i64,
        status: String,
    },
}

impl Plan {
    /// A plan without locks and clean-up.
    pub(crate) fn new(
        seconds: f64,
        lines: Vec<String>,
        finish: impl FnOnce(&mut Cluster, &mut Vec<String>) -> Result<(), String> + Send + 'static,
    ) -> Plan {
        Plan { seconds, lines, lock: None, finish: Box::new(finish), undo: None }
    }

    pub(crate) fn locked(self, vmid: u32, lock: &'static str) -> Plan {
        Plan { lock: Some((vmid, lock)), ..self }
    }

    pub(crate) fn undo(self, undo: impl FnOnce(&mut Cluster) + Send + 'static) -> Plan {
        Plan { undo: Some(Box::new(undo)), ..self }
    }

    /// Nothing to do: ends at once.
    pub(crate) fn nothing() -> Plan {
        Plan::new(0.0, Vec::new(), |_, _| Ok(()))
    }
}

impl Task {
    /// A task of the history, already over.
    pub(crate) fn past(upid: Upid, seconds: i64, log: Vec<String>, status: &str) -> Task {
        let at = upid.start + seconds;
        Task { upid, holds: None, log, state: State::Ended { at, status: status.to_owned() } }
    }

    /// The exit status, once there is one.
    pub(crate) fn status(&self) -> Option<&str> {
        match &self.state {
            State::Ended { status, .. } => Some(status),
            _ => None,
        }
    }

    /// Ended at that second.
    pub(crate) fn ended(&self) -> Option<i64> {
        match self.state {
            State::Ended { at, .. } => Some(at),
            _ => None,
        }
    }

    pub(crate) fn failed(&self) -> bool {
        self.status().is_some_and(|status| status != "OK" && !status.starts_with("WARNINGS:"))
    }

    /// The lines written up to `now` (milliseconds).
    pub(crate) fn lines(&self, now: i64) -> Vec<String> {
        let mut lines = self.log.clone();
        if let State::Running { from, to, plan } = &self.state {
            let (passed, whole) = (now - from, (to - from).max(1));
            let count = plan.lines.len() as i64 * passed / whole;
            lines.extend(plan.lines.iter().take(usize::try_from(count).unwrap_or(0)).cloned());
        }
        lines
    }

    /// The fields that every report of a task has.
    pub(crate) fn describe(&self) -> Value {
        let (user, token) = self.upid.user_and_token();
        let mut task = json!({
            "upid": self.upid.to_string(), "node": self.upid.node, "pid": self.upid.pid, "pstart": self.upid.pstart,
            "starttime": self.upid.start, "type": self.upid.kind, "id": self.upid.id, "user": user,
        });
        if let Some(token) = token {
            task["tokenid"] = json!(token);
        }
        task
    }

    fn next_event(&self) -> Option<i64> {
        match &self.state {
            State::Waiting { since, .. } => Some(since + LOCK_WAIT),
            State::Running { to, .. } => Some(*to),
            State::Ended { .. } => None,
        }
    }

    fn runs_and_holds(&self, vmid: u32) -> Option<i64> {
        match self.state {
            State::Running { to, .. } if self.holds == Some(vmid) => Some(to),
            _ => None,
        }
    }
}

impl Cluster {
    /// Starts a task and answers its id. It waits when another task holds the guest's file lock.
    pub(crate) fn spawn(&mut self, spawn: Spawn) -> String {
        let serial = u32::try_from(self.tasks.len()).unwrap_or(u32::MAX);
        let upid = Upid {
            node: spawn.node,
            pid: 0x0000_2000_u32.wrapping_add(serial.wrapping_mul(7)),
            pstart: u64::try_from((self.clock.now - clock::BOOT) / 10).unwrap_or_default(),
            start: self.clock.seconds(),
            kind: spawn.kind.to_owned(),
            id: spawn.id,
            user: spawn.user,
        };
        let text = upid.to_string();
        let state = State::Waiting { since: self.clock.now, begin: spawn.begin };
        self.tasks.push(Task { upid, holds: spawn.holds, log: Vec::new(), state });
        let index = self.tasks.len() - 1;
        if spawn.holds.is_none_or(|vmid| self.lock_free_at(vmid).is_none()) {
            self.begin(index);
        } else {
            self.tasks[index].log.push("trying to acquire lock...".to_owned());
        }
        text
    }

    /// Lets everything happen that is due.
    pub(crate) fn settle(&mut self) {
        let target = self.clock.now;
        loop {
            let due = self.tasks.iter().enumerate().filter_map(|(index, task)| Some((task.next_event()?, index))).min();
            let Some((at, index)) = due.filter(|(at, _)| *at <= target) else { break };
            self.clock.now = at;
            match self.tasks[index].state {
                State::Running { .. } => self.finish(index),
                _ => {
                    let text = self.lock_timeout(self.tasks[index].holds.unwrap_or_default());
                    self.end(index, Err(text));
                }
            }
            self.begin_waiting();
        }
        self.clock.now = target;
    }

    /// What a synchronous write does: waits for the guest's file lock, at most ten seconds.
    pub(crate) fn wait_for_lock(&mut self, vmid: u32) -> Result<(), Failure> {
        let deadline = self.clock.now + LOCK_WAIT;
        while let Some(free) = self.lock_free_at(vmid) {
            self.clock.now = free.min(deadline);
            self.settle();
            if free > deadline {
                return Err(Failure::die(self.lock_timeout(vmid)));
            }
        }
        Ok(())
    }

    /// Ends a running or waiting task as an operator's stop does.
    pub(crate) fn interrupt(&mut self, index: usize, text: &str) {
        if self.tasks[index].status().is_none() {
            self.end(index, Err(text.to_owned()));
            self.begin_waiting();
        }
    }

    /// The running tasks of that type for that guest.
    pub(crate) fn running_tasks(&self, kind: &str, vmid: u32) -> Vec<usize> {
        let id = vmid.to_string();
        let of_it = |task: &Task| task.status().is_none() && task.upid.kind == kind && task.upid.id == id;
        self.tasks.iter().enumerate().filter(|(_, task)| of_it(task)).map(|(index, _)| index).collect()
    }

    fn lock_free_at(&self, vmid: u32) -> Option<i64> {
        self.tasks.iter().filter_map(|task| task.runs_and_holds(vmid)).max()
    }

    fn lock_timeout(&self, vmid: u32) -> String {
        let file = match self.guests.get(&vmid).map(|guest| guest.kind) {
            Some(Kind::Lxc) => format!("/run/lock/lxc/pve-config-{vmid}.lock"),
            _ => format!("/var/lock/qemu-server/lock-{vmid}.conf"),
        };
        format!("can't lock file '{file}' - got timeout")
    }

    fn begin_waiting(&mut self) {
        for index in 0..self.tasks.len() {
            let task = &self.tasks[index];
            if let (State::Waiting { .. }, Some(vmid)) = (&task.state, task.holds)
                && self.lock_free_at(vmid).is_none()
            {
                self.tasks[index].log.push(" OK".to_owned());
                self.begin(index);
            }
        }
    }

    fn begin(&mut self, index: usize) {
        let now = self.clock.now;
        let over = State::Ended { at: now / 1_000, status: String::new() };
        let State::Waiting { begin, .. } = std::mem::replace(&mut self.tasks[index].state, over) else { return };
        match begin(self) {
            Err(text) => self.end(index, Err(text)),
            Ok(mut plan) => {
                let kind = &self.tasks[index].upid.kind;
                if let Some(place) = self.failures.iter().position(|(of, _)| of == kind) {
                    let (_, text) = self.failures.remove(place);
                    plan.finish = Box::new(move |_, _| Err(text));
                }
                if let Some(place) = self.warnings.iter().position(|(of, _)| of == kind) {
                    let (_, count) = self.warnings.remove(place);
                    plan.lines
                        .extend((1..=count).map(|number| format!("WARN: something is not quite right ({number})")));
                }
                if let Some((vmid, lock)) = plan.lock
                    && let Some(guest) = self.guests.get_mut(&vmid)
                {
                    guest.lock = Some(lock.to_owned());
                }
                let length = (plan.seconds * 1_000.0 * self.task_time) as i64;
                self.tasks[index].state = State::Running { from: now, to: now + length, plan: Box::new(plan) };
                if length == 0 {
                    self.finish(index);
                }
            }
        }
    }

    fn finish(&mut self, index: usize) {
        let State::Running { plan, .. } = &mut self.tasks[index].state else { return };
        let lines = std::mem::take(&mut plan.lines);
        let finish = std::mem::replace(&mut plan.finish, Box::new(|_, _| Ok(())));
        if let Some((vmid, lock)) = plan.lock.take() {
            self.unlock(vmid, lock);
        }
        self.tasks[index].log.extend(lines);
        let mut more = Vec::new();
        let result = finish(self, &mut more);
        self.tasks[index].log.extend(more);
        self.end(index, result);
    }

    fn end(&mut self, index: usize, result: Result<(), String>) {
        let now = self.clock.now;
        let shown = self.tasks[index].lines(now);
        let over = State::Ended { at: now / 1_000, status: String::new() };
        let before = std::mem::replace(&mut self.tasks[index].state, over);
        if let State::Running { plan, .. } = before {
            if let Some((vmid, lock)) = plan.lock {
                self.unlock(vmid, lock);
            }
            if result.is_err()
                && let Some(undo) = plan.undo
            {
                undo(self);
            }
        }
        let task = &mut self.tasks[index];
        task.log = shown;
        let warnings = task.log.iter().filter(|line| line.starts_with("WARN: ")).count();
        let (last, status) = match result {
            Err(text) => (format!("TASK ERROR: {text}"), text),
            Ok(()) if warnings > 0 => (format!("TASK WARNINGS: {warnings}"), format!("WARNINGS: {warnings}")),
            Ok(()) => ("TASK OK".to_owned(), "OK".to_owned()),
        };
        task.log.push(last);
        task.state = State::Ended { at: now / 1_000, status };
    }

    fn unlock(&mut self, vmid: u32, lock: &str) {
        if let Some(guest) = self.guests.get_mut(&vmid)
            && guest.lock.as_deref() == Some(lock)
        {
            guest.lock = None;
        }
    }
}

/// The lines of a copy: a first one, one per fifth, as the API's copy jobs write them.
pub(crate) fn copy_progress(bytes: u64) -> Vec<String> {
    (0..=5)
        .map(|fifth| {
            let part = bytes * fifth / 5;
            format!(
                "transferred {} of {} ({:.2}%)",
                human(part),
                human(bytes),
                if bytes == 0 { 100.0 } else { part as f64 * 100.0 / bytes as f64 }
            )
        })
        .collect()
}

/// `1.5 GiB`, as task logs write sizes.
pub(crate) fn human(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    format!("{value:.1} {unit}")
}
