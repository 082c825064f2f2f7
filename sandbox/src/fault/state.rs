//! Troubles of the cluster itself: an offline node, a locked guest, a task that fails, a full storage.
//!
//! Knows their text form and which part of the cluster they change. What follows from them is the cluster's business.

use std::{fmt, str::FromStr, time::Duration};

use super::{
    Rule,
    text::{BadText, bad, unknown},
};
use crate::cluster::Cluster;

/// A change of the cluster's state. It stays until another one takes it back, if it does not say otherwise.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum State {
    /// Requests for the node end in 595 "No route to host".
    NodeOffline(String),
    /// Requests for the node end in 596 "Connection timed out".
    NodeTimeout(String),
    NodeOnline(String),
    /// A lock in the guest's configuration, as `backup` or `migrate`.
    Lock(u32, String),
    Unlock(u32),
    /// The next task of that type ends with this error.
    TaskFails(String, String),
    /// The next task of that type ends in `WARNINGS: n`, unless it fails.
    TaskWarns(String, u32),
    /// The factor on the duration of tasks that begin from now on; 0 = they end at once.
    TaskTime(f64),
    /// Every write is refused.
    NoQuorum,
    Quorum,
    /// Disks, backups and files can no longer be put there.
    StorageFull(String),
    StorageFree(String),
    /// The guest agent of a virtual machine does not answer.
    AgentSilent(u32),
    AgentAnswers(u32),
    /// The guest ignores requests to shut down.
    Deaf(u32),
    Obeys(u32),
    /// Nothing listens at the endpoint of that number any more, and its connections have ended.
    EndpointClosed(u16),
    EndpointOpen(u16),
    /// So much time has passed: tasks have ended, tickets have expired.
    TimePasses(Duration),
    /// The node's clock is ahead by so many seconds; 0 = right again.
    ClockOff(String, i64),
    /// Tickets given out so far are refused.
    NewKey,
    /// Codes from the user's app that were used are good once more.
    CodesAgain(String),
}

pub(crate) const NAMES: [&str; 22] = [
    "node-offline",
    "node-timeout",
    "node-online",
    "lock",
    "unlock",
    "task-fails",
    "task-warns",
    "task-time",
    "no-quorum",
    "quorum",
    "storage-full",
    "storage-free",
    "agent-silent",
    "agent-answers",
    "deaf",
    "obeys",
    "endpoint-closed",
    "endpoint-open",
    "time-passes",
    "clock-off",
    "new-key",
    "codes-again",
];

impl FromStr for State {
    type Err = BadText;

    fn from_str(text: &str) -> Result<State, BadText> {
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name.trim(), argument.trim()),
            None => (text.trim(), ""),
        };
        let some = |example: &str| match argument {
            "" => bad(format!("'{name}' needs more: '{name}={example}'")),
            argument => Ok(argument.to_owned()),
        };
        let guest = |text: &str| match text.parse::<u32>() {
            Ok(vmid) => Ok(vmid),
            Err(_) => bad(format!("'{name}={text}': the id of a guest is needed, as in '{name}=100'")),
        };
        let pair = |example: &str| match argument.split_once(':') {
            Some((first, second)) if !first.is_empty() && !second.is_empty() => {
                Ok((first.trim().to_owned(), second.trim().to_owned()))
            }
            _ => bad(format!("'{text}': two parts are needed, as in '{name}={example}'")),
        };
        match name {
            "node-offline" => some("pve3").map(State::NodeOffline),
            "node-timeout" => some("pve3").map(State::NodeTimeout),
            "node-online" => some("pve3").map(State::NodeOnline),
            "lock" => match argument.split_once(':') {
                Some((vmid, lock)) if !lock.trim().is_empty() => Ok(State::Lock(guest(vmid)?, lock.trim().to_owned())),
                _ => bad(format!("'{text}': two parts are needed, as in 'lock=100:backup'")),
            },
            "unlock" => guest(argument).map(State::Unlock),
            "task-fails" => pair("qmstart:start failed").map(|(kind, error)| State::TaskFails(kind, error)),
            "task-warns" => {
                let (kind, count) = match argument.split_once(':') {
                    Some((kind, count)) => (kind.trim(), count.trim()),
                    None => (argument, "1"),
                };
                match count.parse::<u32>() {
                    Ok(count @ 1..=1_000) if !kind.is_empty() => Ok(State::TaskWarns(kind.to_owned(), count)),
                    _ => bad(format!("'{text}': a type of task and 1 to 1000 warnings, as in 'task-warns=vzdump:2'")),
                }
            }
            "task-time" => match argument.parse::<f64>() {
                Ok(factor) if (0.0..=1e6).contains(&factor) => Ok(State::TaskTime(factor)),
                _ => bad(format!("'{text}': a factor from 0 to 1000000 is needed, as in 'task-time=0.5'")),
            },
            "storage-full" => some("local").map(State::StorageFull),
            "storage-free" => some("local").map(State::StorageFree),
            "agent-silent" => guest(argument).map(State::AgentSilent),
            "agent-answers" => guest(argument).map(State::AgentAnswers),
            "deaf" => guest(argument).map(State::Deaf),
            "obeys" => guest(argument).map(State::Obeys),
            "endpoint-closed" => endpoint(name, argument).map(State::EndpointClosed),
            "endpoint-open" => endpoint(name, argument).map(State::EndpointOpen),
            "time-passes" => match span(argument) {
                Some(time) => Ok(State::TimePasses(time)),
                None => bad(format!("'{text}': a number with s, m, h or d is needed, as in 'time-passes=2h'")),
            },
            "clock-off" => {
                match argument.split_once(':').map(|(node, seconds)| (node.trim(), seconds.trim().parse())) {
                    Some((node, Ok(seconds))) if !node.is_empty() => Ok(State::ClockOff(node.to_owned(), seconds)),
                    _ => bad(format!("'{text}': a node and seconds are needed, as in 'clock-off=pve2:-300'")),
                }
            }
            "codes-again" => some("admin@pve").map(State::CodesAgain),
            "no-quorum" | "quorum" | "new-key" if !argument.is_empty() => {
                bad(format!("'{name}' takes no '={argument}'"))
            }
            "no-quorum" => Ok(State::NoQuorum),
            "quorum" => Ok(State::Quorum),
            "new-key" => Ok(State::NewKey),
            _ => Err(unknown("state", name, &NAMES)),
        }
    }
}

fn endpoint(name: &str, argument: &str) -> Result<u16, BadText> {
    match argument.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => bad(format!("'{name}={argument}': the number of an endpoint is needed, from 1, as in '{name}=2'")),
    }
}

/// `90s`, `30m`, `2h`, `1d`, or seconds; at most ten years.
fn span(text: &str) -> Option<Duration> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let (number, factor) = units
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(*unit).map(|number| (number, *factor)))
        .unwrap_or((text, 1));
    let seconds = number.trim().parse::<u64>().ok()?.checked_mul(factor)?;
    (seconds <= 3_650 * 86_400).then(|| Duration::from_secs(seconds))
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            State::NodeOffline(node) => write!(f, "node-offline={node}"),
            State::NodeTimeout(node) => write!(f, "node-timeout={node}"),
            State::NodeOnline(node) => write!(f, "node-online={node}"),
            State::Lock(vmid, lock) => write!(f, "lock={vmid}:{lock}"),
            State::Unlock(vmid) => write!(f, "unlock={vmid}"),
            State::TaskFails(kind, error) => write!(f, "task-fails={kind}:{error}"),
            State::TaskWarns(kind, count) => write!(f, "task-warns={kind}:{count}"),
            State::TaskTime(factor) => write!(f, "task-time={factor}"),
            State::NoQuorum => f.write_str("no-quorum"),
            State::Quorum => f.write_str("quorum"),
            State::StorageFull(id) => write!(f, "storage-full={id}"),
            State::StorageFree(id) => write!(f, "storage-free={id}"),
            State::AgentSilent(vmid) => write!(f, "agent-silent={vmid}"),
            State::AgentAnswers(vmid) => write!(f, "agent-answers={vmid}"),
            State::Deaf(vmid) => write!(f, "deaf={vmid}"),
            State::Obeys(vmid) => write!(f, "obeys={vmid}"),
            State::EndpointClosed(number) => write!(f, "endpoint-closed={number}"),
            State::EndpointOpen(number) => write!(f, "endpoint-open={number}"),
            State::TimePasses(time) => write!(f, "time-passes={}s", time.as_secs()),
            State::ClockOff(node, seconds) => write!(f, "clock-off={node}:{seconds}"),
            State::NewKey => f.write_str("new-key"),
            State::CodesAgain(user) => write!(f, "codes-again={user}"),
        }
    }
}

impl Cluster {
    /// Whether there is the endpoint that a rule is for.
    ///
    /// # Errors
    ///
    /// When there is none; the text tells how many there are.
    pub fn check_rule(&self, rule: &Rule) -> Result<(), BadText> {
        rule.endpoint.map_or(Ok(()), |number| self.doors.check(number))
    }

    /// Whether everything that a state names is there.
    ///
    /// # Errors
    ///
    /// When there is no such node, guest or storage; the text names those that there are.
    pub fn check(&self, state: &State) -> Result<(), BadText> {
        match state {
            State::NodeOffline(node)
            | State::NodeTimeout(node)
            | State::NodeOnline(node)
            | State::ClockOff(node, _) => {
                if !self.nodes.contains_key(node) {
                    return Err(unknown("node", node, &names(&self.nodes)));
                }
            }
            State::StorageFull(id) | State::StorageFree(id) => {
                if !self.storages.contains_key(id) {
                    return Err(unknown("storage", id, &names(&self.storages)));
                }
            }
            State::Lock(vmid, _)
            | State::Unlock(vmid)
            | State::AgentSilent(vmid)
            | State::AgentAnswers(vmid)
            | State::Deaf(vmid)
            | State::Obeys(vmid) => {
                if !self.guests.contains_key(vmid) {
                    // A large cluster has too many to name.
                    let some: Vec<String> = self.guests.keys().take(20).map(u32::to_string).collect();
                    let more = if self.guests.len() > some.len() { ", …" } else { "" };
                    return bad(format!("there is no guest {vmid}. There are: {}{more}", some.join(", ")));
                }
            }
            State::EndpointClosed(number) | State::EndpointOpen(number) => self.doors.check(*number)?,
            State::CodesAgain(user) => {
                if !self.factors.contains_key(user) {
                    return Err(unknown("user with a second factor", user, &names(&self.factors)));
                }
            }
            State::TaskFails(..)
            | State::TaskWarns(..)
            | State::TaskTime(_)
            | State::NoQuorum
            | State::Quorum
            | State::TimePasses(_)
            | State::NewKey => {}
        }
        Ok(())
    }

    /// Makes a state so.
    ///
    /// # Errors
    ///
    /// As [`Cluster::check`]; nothing has changed then.
    pub fn apply(&mut self, state: &State) -> Result<(), BadText> {
        self.check(state)?;
        match state {
            State::NodeOffline(node) => self.set_node_online(node, false),
            State::NodeTimeout(node) => {
                self.set_node_online(node, false);
                self.silent.insert(node.clone());
            }
            State::NodeOnline(node) => self.set_node_online(node, true),
            State::Lock(vmid, lock) => self.set_lock(*vmid, Some(lock)),
            State::Unlock(vmid) => self.set_lock(*vmid, None),
            State::TaskFails(kind, error) => self.fail_next_task(kind, error),
            State::TaskWarns(kind, count) => self.warn_next_task(kind, *count),
            State::TaskTime(factor) => self.set_task_time(*factor),
            State::NoQuorum => self.set_quorate(false),
            State::Quorum => self.set_quorate(true),
            State::StorageFull(id) => self.set_storage_full(id, true),
            State::StorageFree(id) => self.set_storage_full(id, false),
            State::AgentSilent(vmid) => self.set_agent(*vmid, false),
            State::AgentAnswers(vmid) => self.set_agent(*vmid, true),
            State::Deaf(vmid) => self.set_deaf(*vmid, true),
            State::Obeys(vmid) => self.set_deaf(*vmid, false),
            State::EndpointClosed(number) => self.doors.set_open(*number, false),
            State::EndpointOpen(number) => self.doors.set_open(*number, true),
            State::TimePasses(time) => self.pass(*time),
            State::ClockOff(node, seconds) => self.set_clock_off(node, *seconds),
            State::NewKey => self.change_key(),
            State::CodesAgain(user) => self.forget_used_codes(user),
        }
        Ok(())
    }
}

fn names<T>(map: &std::collections::BTreeMap<String, T>) -> Vec<&str> {
    map.keys().map(String::as_str).collect()
}
