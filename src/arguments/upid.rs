//! Task ids.
//!
//! Knows the form that the API gives them (pve-common `UPID.pm`); must not know what tasks do.

use super::fields::Fields;
use super::problem::Problem;
use super::segment::Segment;
use crate::tool::Argument;
use serde_json::Value;

/// A task id: `UPID:node:pid:pstart:start:type:id:user:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upid {
    text: Segment,
    node: Segment,
    start: u64,
    task_type: String,
    id: String,
    user: String,
}

/// Why a text is no task id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a task id: {0}")]
pub struct BadUpid(&'static str);

impl Upid {
    /// Reads a task id. White space around it and a missing last colon, both common where ids are copied, are put right.
    ///
    /// # Errors
    /// What part of it is not as the API writes it.
    pub fn parse(text: &str) -> Result<Upid, BadUpid> {
        let text = text.trim();
        let body = text.strip_prefix("UPID:").ok_or(BadUpid("it does not start with `UPID:`"))?;
        let parts: Vec<&str> = body.strip_suffix(':').unwrap_or(body).split(':').collect();
        let [node, pid, pstart, start, task_type, id, user] = parts[..] else {
            return Err(BadUpid("it has not seven parts between colons, so it was probably cut off"));
        };
        let bad = |what| Err(BadUpid(what));
        if !is_node(node) {
            return bad("its node is not a node's name");
        }
        if !is_hex(pid, 8..=8) || !is_hex(pstart, 8..=9) || !is_hex(start, 8..=8) {
            return bad("its three numbers are not eight hexadecimal digits each");
        }
        let word = |text: &str| !text.chars().any(|letter| letter.is_whitespace() || letter == '/');
        if task_type.is_empty() || user.is_empty() || ![task_type, id, user].into_iter().all(word) {
            return bad("its type, id or user is empty or has spaces or slashes");
        }
        let whole = format!("UPID:{node}:{pid}:{pstart}:{start}:{task_type}:{id}:{user}:");
        Ok(Upid {
            text: Segment::new(whole).map_err(|_| BadUpid("it has characters that no path can hold"))?,
            node: Segment::new(node).map_err(|_| BadUpid("its node is not a node's name"))?,
            start: u64::from_str_radix(start, 16).map_err(|_| BadUpid("its start is not a time"))?,
            task_type: task_type.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        })
    }

    /// The node that the task runs on; only this one can tell about it.
    pub fn node(&self) -> Segment {
        self.node.clone()
    }

    /// The whole id for a path.
    pub fn segment(&self) -> Segment {
        self.text.clone()
    }

    /// The whole id.
    pub fn text(&self) -> &str {
        self.text.as_str()
    }

    /// What kind of task it is: `qmstart`, `vzdump`, ….
    pub fn task_type(&self) -> &str {
        &self.task_type
    }

    /// What the task is about, mostly a guest's id; may be empty.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The user or API token that started it.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Seconds since the epoch.
    pub fn start(&self) -> u64 {
        self.start
    }
}

fn is_node(text: &str) -> bool {
    let inner = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner && !text.is_empty() && !text.starts_with('-') && !text.ends_with('-')
}

fn is_hex(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl Fields<'_> {
    /// A task id. A node may be said beside it and must then be the task's own.
    pub fn upid(&mut self, upid: &'static Argument, node: Option<&'static Argument>) -> Option<Upid> {
        let task = self.take(upid).and_then(|taken| {
            let read = Upid::parse(taken.value.as_str().unwrap_or_default());
            read.map_err(|bad| self.bad(upid, &taken.value, bad.to_string())).ok()
        });
        let Some(node) = node.filter(|node| self.peek(node).is_some()) else { return task };
        let said = self.segment(node)?;
        let task = task?;
        if said == task.node {
            return Some(task);
        }
        let wrong = format!("is another node than the task's, which runs on `{}`", task.node);
        let problem = Problem::new(self.spelled(node), wrong).came(&Value::from(said.as_str()));
        self.record(problem.expected(format!("`{}` or nothing", task.node)));
        None
    }
}
