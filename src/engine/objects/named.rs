//! What a finished request names, by its path and every one of its parameters. Pure.
//!
//! Goes by the facts alone: which parameters name what, and how far a call reaches. Reads nothing, so it cannot tell
//! what a stored job names: [`Named::stored`] adds that.

use super::values::{self, Volume};
use crate::client::PreparedRequest;
use proxmox_spec::{Extent, Method, Names, Param, Reach, Route, Verb, format};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The things that a request names. Sorted, each of them once.
#[derive(Debug, Clone, Default)]
pub struct Named {
    /// Ids of guests, those in `fresh` included.
    pub guests: BTreeSet<u32>,
    /// Those of `guests` whose volumes are only read.
    pub sources: BTreeSet<u32>,
    /// Ids that the request makes a guest of, or overwrites.
    pub fresh: BTreeSet<u32>,
    /// Sets of guests that cannot be counted without a look at the cluster.
    pub every: Vec<Every>,
    /// Left out of those sets.
    pub excluded: BTreeSet<u32>,
    pub nodes: BTreeSet<String>,
    pub storages: BTreeSet<String>,
    /// By volume id.
    pub volumes: BTreeMap<String, Volume>,
    pub pools: BTreeSet<String>,
    /// Why the things that the request touches cannot be listed.
    pub unlisted: Option<String>,
    /// What is stored at the request's path counts as well, and has to be read.
    pub pending: Option<&'static Method>,
}

/// A set of guests.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Every {
    Cluster,
    Node(String),
    Pool(String),
}

impl Named {
    /// What the request names.
    pub fn of(request: &PreparedRequest) -> Named {
        let mut named = Named::default();
        let Some(route) = proxmox_spec::route(request.verb, request.path()) else {
            named.cannot("the facts about the API do not know this call");
            return named;
        };
        let Some(reach) = route.method.reach else { return named };
        let in_path = route.params.iter().map(|(name, value)| (*name, vec![value.clone()])).collect();
        let given: Values<'_> = request.params.iter().map(|param| (&*param.name, param.values.clone())).collect();
        let storage = route.params.iter().find(|(name, _)| *name == "storage").map(|(_, value)| value.as_str());
        named.take(route.method, &in_path, storage);
        named.take(route.method, &given, storage);
        match reach.stored {
            Some((verb, path)) => named.pending = proxmox_spec::find(verb, path),
            None => named.extend(reach, node(&route, &given), route.method, &given),
        }
        if reach.extent == Extent::Unlisted {
            named.cannot(reach.because);
        } else if named.is_empty() && named.pending.is_none() {
            named.cannot("nothing in it says what it touches");
        }
        named
    }

    /// Adds what the thing stored at the request's path names, as it is and as the request leaves it.
    pub fn stored(&mut self, request: &PreparedRequest, stored: &Map<String, Value>) {
        let Some(method) = self.pending.take() else { return };
        let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return };
        let Some(reach) = route.method.reach else { return };
        let now: Vec<(String, Vec<String>)> = stored
            .iter()
            .map(|(name, value)| (name.clone(), texts(value)))
            .filter(|(_, texts)| !texts.is_empty())
            .collect();
        let now: Values<'_> = now.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
        let mut after = now.clone();
        let deleted: Vec<&str> = request.value("delete").map(format::split_list).unwrap_or_default();
        after.retain(|(name, _)| !deleted.contains(name) && !request.params.iter().any(|param| param.name == *name));
        after.extend(request.params.iter().map(|param| (&*param.name, param.values.clone())));
        let states = if request.verb == Verb::Delete { vec![now] } else { vec![now, after] };
        for state in &states {
            // Fields of the answer that are no parameters say nothing of other things.
            let state: Values<'_> = state.iter().filter(|(name, _)| method.param(name).is_some()).cloned().collect();
            self.take(method, &state, None);
            self.extend(reach, node(&route, &state), method, &state);
        }
    }

    /// True if nothing at all is named.
    pub fn is_empty(&self) -> bool {
        self.guests.is_empty()
            && self.every.is_empty()
            && self.nodes.is_empty()
            && self.storages.is_empty()
            && self.volumes.is_empty()
            && self.pools.is_empty()
    }

    /// Notes why the things cannot be listed; the first reason stays.
    pub fn cannot(&mut self, why: impl Into<String>) {
        self.unlisted.get_or_insert_with(|| why.into());
    }

    /// The sets of guests that the call means without naming them.
    fn extend(&mut self, reach: &Reach, node: Option<&str>, method: &'static Method, given: &Values<'_>) {
        let here = |node: Option<&str>| node.map_or(Every::Cluster, |node| Every::Node(node.to_owned()));
        let unlisted = match reach.extent {
            Extent::Named | Extent::Unlisted => return,
            Extent::Host => return self.every(here(node)),
            Extent::ListOfNode | Extent::ListOfCluster => None,
            Extent::ListOnly => Some(reach.because),
        };
        let said = |wanted: Names| {
            given.iter().any(|(name, values)| {
                let names =
                    method.param(name).and_then(|param| param.names.or(param.items.and_then(|item| item.names)));
                names == Some(wanted) && values.iter().any(|value| !format::split_list(value).is_empty())
            })
        };
        let all = given.iter().any(|(name, values)| *name == "all" && values.iter().any(|value| values::truth(value)));
        if all || !(said(Names::Guest) || said(Names::Members)) {
            match unlisted {
                Some(why) => self.cannot(why),
                None => self.every(here(node)),
            }
        }
    }

    fn every(&mut self, set: Every) {
        if !self.every.contains(&set) {
            self.every.push(set);
        }
    }

    fn take(&mut self, method: &'static Method, values: &Values<'_>, storage: Option<&str>) {
        for (name, values) in values {
            let Some(param) = method.param(name) else {
                self.cannot(format!("the facts about the API do not know its parameter `{name}`"));
                continue;
            };
            for value in values {
                self.value(param, name, value, storage);
            }
        }
    }

    /// One value of a parameter or sub-key, with whatever is inside it.
    fn value(&mut self, param: &'static Param, name: &str, text: &str, storage: Option<&str>) {
        if let Some(names) = param.names {
            self.thing(names, name, text, storage);
        }
        if let Some(item) = param.items {
            self.value(item, name, text, storage);
        }
        if param.keys.is_empty() {
            return;
        }
        // More forgiving than the server's own reading, so that nothing it would accept is missed.
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let known = part.split_once('=').and_then(|(key, value)| Some((param.key(key.trim())?, value.trim())));
            match known.or_else(|| Some((param.keys.iter().find(|key| key.default_key)?, part))) {
                Some((key, value)) => self.value(key, &format!("{name}.{}", key.name), value, storage),
                None => self.cannot(format!("the part `{part}` of its parameter `{name}` is not known")),
            }
        }
    }

    /// One name, or a list of them.
    fn thing(&mut self, names: Names, name: &str, text: &str, storage: Option<&str>) {
        match names {
            Names::Nothing => {}
            Names::Anything => self.cannot(format!("its parameter `{name}` reaches further than can be told")),
            Names::Device => {
                if !matches!(text.trim(), "socket" | "spice" | "") {
                    self.cannot(format!("its parameter `{name}` names a device of the host, which others may use"));
                }
            }
            Names::Guest | Names::New | Names::Excluded => {
                for element in format::split_list(text) {
                    let Some(vmid) = values::guest(element) else {
                        self.cannot(format!("its parameter `{name}` is no guest's id: `{element}`"));
                        continue;
                    };
                    match names {
                        Names::Excluded => drop(self.excluded.insert(vmid)),
                        _ => self.guest(vmid),
                    }
                    if names == Names::New {
                        self.fresh.insert(vmid);
                    }
                }
            }
            Names::Node => {
                for element in format::split_list(text) {
                    // `pve1:2` has a priority behind it.
                    let node = element.split(':').next().unwrap_or(element);
                    if node == "localhost" {
                        self.cannot("`localhost` is whichever node answers; name the node");
                    }
                    self.nodes.insert(node.to_owned());
                }
            }
            Names::Storage => {
                // Pairs are `from:to`; `1` stands for "where it is now".
                let each = format::split_list(text).into_iter().flat_map(|element| element.split(':'));
                self.storages.extend(each.filter(|storage| !storage.is_empty() && *storage != "1").map(str::to_owned));
            }
            Names::Pool => {
                self.pools.insert(text.trim().to_owned());
            }
            Names::Members => {
                if !text.trim().is_empty() {
                    self.pools.insert(text.trim().to_owned());
                    self.every(Every::Pool(text.trim().to_owned()));
                }
            }
            Names::Volume | Names::Source => {
                // A drive may be written as a whole, options and all.
                let parts = text.split(',').map(|part| part.split_once('=').unwrap_or(("", part)));
                for (_, part) in parts.filter(|(key, _)| matches!(*key, "" | "file" | "volume")) {
                    self.volume(name, part, storage, names == Names::Source);
                }
            }
            Names::Task => match values::task(text) {
                Some((node, vmid)) => {
                    self.nodes.insert(node);
                    match vmid {
                        Some(vmid) => self.guest(vmid),
                        None => self.cannot("the task names no guest, so it may be about many"),
                    }
                }
                None => self.cannot("its task id cannot be read"),
            },
        }
    }

    /// A guest that is more than read.
    pub fn guest(&mut self, vmid: u32) {
        self.guests.insert(vmid);
        self.sources.remove(&vmid);
    }

    fn volume(&mut self, name: &str, text: &str, storage: Option<&str>, source: bool) {
        match values::volume(text, storage) {
            values::Disk::Nothing => {}
            values::Disk::Path => self.cannot(format!("its parameter `{name}` is a path of the host")),
            values::Disk::New(storage) => drop(self.storages.insert(storage)),
            values::Disk::Volume(volume) => {
                if volume.owners.is_empty() && !volume.shared {
                    self.cannot(format!("the name of the volume `{}` does not tell whose it is", volume.volid));
                }
                self.storages.insert(volume.storage.clone());
                for vmid in &volume.owners {
                    match source && !self.guests.contains(vmid) {
                        true => drop((self.sources.insert(*vmid), self.guests.insert(*vmid))),
                        false if source => {}
                        false => self.guest(*vmid),
                    }
                }
                self.volumes.insert(volume.volid.clone(), volume);
            }
        }
    }
}

/// Parameters by name, with their values.
type Values<'a> = Vec<(&'a str, Vec<String>)>;

/// The node that a call for many is limited to.
fn node<'a>(route: &'a Route, given: &'a Values<'_>) -> Option<&'a str> {
    let in_path = route.params.iter().find(|(name, _)| *name == "node").map(|(_, value)| value.as_str());
    let param = given.iter().find(|(name, _)| *name == "node").and_then(|(_, values)| values.first());
    in_path.or(param.map(String::as_str))
}

/// The values of a stored field, as the API takes them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let parts = fields.iter().map(|(name, value)| format!("{name}={}", texts(value).join(";")));
            vec![parts.collect::<Vec<_>>().join(",")]
        }
        other => vec![super::super::guards::plain(other)],
    }
}
