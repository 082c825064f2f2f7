//! What a call affects: guests, nodes, storages, volumes and pools, as they are right now.
//!
//! Knows how affected things are written down, compared and shown. What a request names is [`named`]'s business, reading
//! is [`look`]'s, and whether it may be touched is the fences'.

pub mod look;
pub mod named;
pub mod values;

#[cfg(test)]
mod tests;

use crate::tool::Kind;
pub use named::Named;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
pub use values::Volume;

/// Everything that a call affects, as far as it can be told.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Objects {
    /// By id.
    pub guests: Vec<Subject>,
    /// Nodes that the request names; where the guests are, they say themselves.
    pub nodes: Vec<String>,
    /// Storages that the request names, and those of the disks that it touches.
    pub storages: Vec<String>,
    pub volumes: Vec<Volume>,
    /// What the API says of the volume that the call is about: size, notes, protected, ….
    pub volume: Option<Map<String, Value>>,
    pub pools: Vec<String>,
    /// Why there may be more than is listed here.
    pub unlisted: Option<String>,
    /// The protection that keeps what is here from being destroyed, if any.
    pub guarded: Option<String>,
}

/// A guest that a call affects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Subject {
    pub vmid: u32,
    /// `None` = there is no such guest that the token can see.
    pub kind: Option<Kind>,
    pub node: String,
    pub name: String,
    /// `running`, `stopped`, …; empty = not known.
    pub status: String,
    /// What holds it: `backup`, `migrate`, ….
    pub lock: Option<String>,
    /// As written in the configuration, in lower case.
    pub tags: Vec<String>,
    pub pool: Option<String>,
    pub template: bool,
    pub protection: bool,
    /// Of the configuration.
    pub digest: Option<String>,
    /// Names, where the call is about snapshots.
    pub snapshots: Option<Vec<String>>,
    /// The call makes it.
    pub new: bool,
    /// Named by the request, or as the owner of something that it names; not one of many.
    pub named: bool,
    /// Nothing of it is changed: a volume of it is read.
    pub source: bool,
    /// Why its configuration could not be read, if it was to be.
    pub unread: Option<String>,
    /// What the call makes of what fences look at; `None` = it stays as it is.
    pub after: Option<After>,
}

/// What fences look at, after the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    /// `None` = cannot be told.
    pub tags: Option<Vec<String>>,
    pub pool: Option<String>,
    pub protection: bool,
}

impl Objects {
    /// What a request names, without a look at the cluster.
    pub fn unseen(named: &Named) -> Objects {
        let guests = named.guests.iter().map(|vmid| Subject {
            vmid: *vmid,
            new: named.fresh.contains(vmid),
            named: true,
            source: named.sources.contains(vmid),
            ..Subject::default()
        });
        Objects {
            guests: guests.collect(),
            nodes: named.nodes.iter().cloned().collect(),
            storages: named.storages.iter().cloned().collect(),
            volumes: named.volumes.values().cloned().collect(),
            volume: None,
            pools: named.pools.iter().cloned().collect(),
            unlisted: named.unlisted.clone(),
            guarded: None,
        }
    }

    /// The protection that asks for care: why, and of which guest. `None` = nothing is protected.
    pub fn guarded(&self) -> Option<String> {
        self.guarded.clone()
    }

    /// For plans and the audit log: short, without what is empty.
    pub fn json(&self) -> Value {
        let mut all = Map::new();
        if !self.guests.is_empty() {
            all.insert("guests".to_owned(), self.guests.iter().map(Subject::json).collect());
        }
        for (name, list) in [("nodes", &self.nodes), ("storages", &self.storages), ("pools", &self.pools)] {
            if !list.is_empty() {
                all.insert(name.to_owned(), json!(list));
            }
        }
        if !self.volumes.is_empty() {
            all.insert("volumes".to_owned(), self.volumes.iter().map(|volume| json!(volume.volid)).collect());
        }
        if let Some(volume) = &self.volume {
            let short = volume.iter().map(|(name, value)| match value {
                Value::String(text) => (name.clone(), json!(super::clean::line(text, LONGEST))),
                other => (name.clone(), other.clone()),
            });
            all.insert("volume".to_owned(), Value::Object(short.collect()));
        }
        if let Some(why) = &self.unlisted {
            all.insert("unlisted".to_owned(), json!(super::clean::line(why, LONGEST)));
        }
        if let Some(why) = &self.guarded {
            all.insert("protected".to_owned(), json!(why));
        }
        Value::Object(all)
    }

    /// Changes if and only if something moved that a person was shown: existence, node, kind, name, state, lock, tags,
    /// pool, protection, configuration, snapshots, the volume. Use of processor and memory do not count.
    pub fn fingerprint(&self) -> String {
        let guests: Vec<Value> = self
            .guests
            .iter()
            .map(|guest| {
                let mut shown = guest.json();
                // Whole: what is cut off in the showing counts as well.
                shown["all"] = json!([guest.digest, guest.name, guest.tags, guest.pool, guest.lock, guest.snapshots]);
                shown
            })
            .collect();
        let mut whole = self.json();
        whole["guests"] = json!(guests);
        whole["volume"] = json!(self.volume);
        let digest = Sha256::digest(whole.to_string());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Longest text of the cluster that is shown, in characters.
const LONGEST: usize = 300;
/// So many tags or snapshots of a guest are shown.
const MOST: usize = 100;

fn short(names: &[String]) -> Value {
    names.iter().take(MOST).map(|name| json!(super::clean::line(name, 64))).collect()
}

/// So many guests are shown to a person one by one.
const SHOWN: usize = 20;

/// [`Objects::json`] for a person, line by line.
pub fn lines(all: &Map<String, Value>) -> Vec<String> {
    let text = |value: &Value| super::clean::line(&super::guards::plain(value), 200);
    let list = |value: &Value| match value {
        Value::Array(values) => values.iter().map(text).collect::<Vec<_>>().join(", "),
        other => text(other),
    };
    let mut lines = Vec::new();
    let guests = all.get("guests").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for guest in guests.iter().take(SHOWN) {
        let parts = guest.as_object().into_iter().flatten().filter(|(name, _)| *name != "vmid");
        let parts: Vec<String> = parts
            .map(|(name, value)| match value {
                Value::Bool(true) => name.clone(),
                other => format!("{name} {}", list(other)),
            })
            .collect();
        lines.push(format!("Guest: {} ({})", text(&guest["vmid"]), parts.join("; ")));
    }
    if guests.len() > SHOWN {
        lines.push(format!("Guests: {} more", guests.len() - SHOWN));
    }
    let others = [
        ("nodes", "Nodes"),
        ("storages", "Storages"),
        ("pools", "Pools"),
        ("volumes", "Volumes"),
        ("unlisted", "More than this, because"),
        ("protected", "Protected"),
    ];
    for (field, label) in others {
        if let Some(value) = all.get(field) {
            lines.push(format!("{label}: {}", list(value)));
        }
    }
    if let Some(Value::Object(volume)) = all.get("volume") {
        let parts: Vec<String> = volume.iter().map(|(name, value)| format!("{name} {}", list(value))).collect();
        lines.push(format!("Volume: {}", parts.join("; ")));
    }
    lines
}

impl Subject {
    /// One line for a person: `100 (web-server, virtual machine, running on pve1)`.
    pub fn shown(&self) -> String {
        let mut parts = Vec::new();
        if !self.name.is_empty() {
            parts.push(super::clean::line(&self.name, 64));
        }
        match self.kind {
            Some(kind) => parts.push(kind.noun().to_owned()),
            None if self.new => parts.push("new".to_owned()),
            None => {}
        }
        match (self.status.as_str(), self.node.as_str()) {
            ("", "") => {}
            ("", node) => parts.push(format!("on {node}")),
            (status, node) => parts.push(format!("{status} on {node}")),
        }
        if parts.is_empty() { self.vmid.to_string() } else { format!("{} ({})", self.vmid, parts.join(", ")) }
    }

    /// True if nothing is known of it, although it may be there.
    pub fn unseen(&self) -> bool {
        self.kind.is_none() && !self.new
    }

    /// True if its configuration is not where the listing says: it moved, or went away.
    pub fn gone(&self) -> bool {
        self.unread.as_ref().is_some_and(|why| super::explain::missing_guest(&why.to_lowercase()))
    }

    fn json(&self) -> Value {
        let mut all = Map::new();
        let mut put = |name: &str, value: Value| {
            all.insert(name.to_owned(), value);
        };
        put("vmid", json!(self.vmid));
        for (name, text) in [("name", &self.name), ("node", &self.node), ("status", &self.status)] {
            if !text.is_empty() {
                put(name, json!(super::clean::line(text, 64)));
            }
        }
        if let Some(kind) = self.kind {
            put("kind", json!(kind.as_str()));
        }
        for (name, text) in [("lock", &self.lock), ("pool", &self.pool), ("unread", &self.unread)] {
            if let Some(text) = text {
                put(name, json!(super::clean::line(text, 200)));
            }
        }
        if !self.tags.is_empty() {
            put("tags", short(&self.tags));
        }
        for (name, yes) in [("template", self.template), ("protection", self.protection), ("new", self.new)] {
            if yes {
                put(name, json!(true));
            }
        }
        if let Some(snapshots) = &self.snapshots {
            put("snapshots", short(snapshots));
        }
        Value::Object(all)
    }
}
