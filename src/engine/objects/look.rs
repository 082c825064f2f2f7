//! Looks at what a request names: the state of every guest right now, stored jobs, snapshots, the volume.
//!
//! Sends GETs only, and never takes an answer from before. Knows how many reads are reasonable; must not know what is
//! allowed.

use super::named::{Every, Named};
use super::values;
use super::{After, Objects, Subject};
use crate::arguments::Segment;
use crate::client::{PreparedRequest, Repeat};
use crate::engine::call::Call;
use crate::engine::explain;
use crate::engine::failure::{Failure, FailureKind};
use crate::engine::guards::plain;
use crate::tool::{Kind, Verb};
use proxmox_spec::{Names, Route, format};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Of so many guests the configuration is read; of the rest only what the listing of the cluster says.
const CONFIGURATIONS: usize = 50;
/// Of so many guests it is asked whether they run; the listing may be ten seconds old.
const STATES: usize = 10;

/// What the request affects, as it is now.
///
/// # Errors
/// The listing of guests or a stored job could not be read. A guest whose configuration cannot be read says so itself.
pub async fn look(call: &Call<'_>, request: &PreparedRequest, protected: &[String]) -> Result<Objects, Failure> {
    let mut named = Named::of(request);
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return Ok(Objects::unseen(&named)) };
    let given = request.clone().as_read();
    if named.pending.is_some() {
        match call.read(&given, Repeat::Freely).await?.data {
            Value::Object(stored) => named.stored(request, &stored),
            _ => named.cannot("what is stored there could not be read"),
        }
    }
    if named.guests.is_empty() && named.every.is_empty() {
        let mut objects = Objects::unseen(&named);
        objects.volume = volume(call, &route, &given).await;
        return Ok(objects);
    }
    let listed = listing(call).await?;
    let subject = in_path(&route);
    let mut configurations: BTreeMap<u32, Configuration> = BTreeMap::new();
    let disks = route.method.reach.is_some_and(|reach| reach.disks);
    if let Some(row) = subject.and_then(|vmid| listed.get(&vmid)) {
        let read = configuration(call, row).await;
        if let Ok(config) = &read {
            let touched = config.iter().filter(|(name, _)| disks || taken_away(request, name));
            named.disks(row.kind, touched);
        }
        configurations.insert(row.vmid, read);
    }
    let mut ids: BTreeSet<u32> = named.guests.clone();
    for every in &named.every {
        let meant = listed.values().filter(|row| match every {
            Every::Cluster => true,
            Every::Node(node) => row.node == *node,
            Every::Pool(pool) => row.pool.as_deref().is_some_and(|of| within(of, pool)),
        });
        ids.extend(meant.map(|row| row.vmid).filter(|vmid| !named.excluded.contains(vmid)));
    }
    if route.method.reach.is_some_and(|reach| reach.moves) {
        match together(call).await {
            Ok(groups) => {
                let moved = ids.clone();
                ids.extend(groups.into_iter().filter(|group| !group.is_disjoint(&moved)).flatten());
            }
            Err(why) => named.cannot(format!("which guests have to stay together cannot be read: {why}")),
        }
    }
    let few = ids.len() <= STATES;
    let mut objects = Objects { guests: Vec::new(), ..Objects::unseen(&named) };
    for vmid in ids {
        let mut guest = listed.get(&vmid).cloned().unwrap_or(Subject { vmid, ..Subject::default() });
        guest.named = named.guests.contains(&vmid);
        guest.source = named.sources.contains(&vmid);
        guest.new = guest.kind.is_none() && named.fresh.contains(&vmid);
        if guest.kind.is_some() {
            let read = match configurations.remove(&vmid) {
                Some(read) => read,
                None if objects.guests.len() < CONFIGURATIONS => configuration(call, &guest).await,
                None => Err("there are too many of them".to_owned()),
            };
            match read {
                Ok(config) => guest.take(&config),
                Err(why) => guest.unread = Some(why),
            }
            if few && let Some(status) = state(call, &guest).await {
                guest.status = status;
            }
        }
        if subject == Some(vmid) && route.method.path.contains("/snapshot") {
            guest.snapshots = snapshots(call, &guest).await;
        }
        objects.guests.push(guest);
    }
    let becomes = becomes(call, &route).await;
    after(&mut objects, &named, request, &route, becomes);
    objects.volume = volume(call, &route, &given).await;
    objects.guarded = objects.guests.iter().filter(|guest| !guest.source).find_map(|guest| guest.guard(protected));
    Ok(objects)
}

type Configuration = Result<Map<String, Value>, String>;

impl Subject {
    fn take(&mut self, config: &Map<String, Value>) {
        let text = |name: &str| config.get(name).map(plain).filter(|text| !text.is_empty());
        let name = text("name").or_else(|| text("hostname"));
        self.name = name.unwrap_or_else(|| std::mem::take(&mut self.name));
        self.lock = text("lock");
        self.tags = text("tags").map(|tags| split_tags(&tags)).unwrap_or_default();
        self.digest = text("digest");
        self.protection = text("protection").is_some_and(|text| values::truth(&text));
        self.template = self.template || text("template").is_some_and(|text| values::truth(&text));
    }

    /// Why this guest must not be destroyed, if so.
    pub fn guard(&self, protected: &[String]) -> Option<String> {
        if self.protection {
            return Some(format!("guest {} has protection switched on", self.shown()));
        }
        let tag = self.tags.iter().find(|tag| protected.contains(tag))?;
        Some(format!("guest {} bears the protected tag `{tag}`", self.shown()))
    }
}

impl Named {
    /// Adds the disks of a guest: where they are, and whose they are.
    fn disks<'a>(&mut self, kind: Option<Kind>, config: impl Iterator<Item = (&'a String, &'a Value)>) {
        let Some(kind) = kind else { return };
        let path = match kind {
            Kind::Qemu => "/nodes/{node}/qemu/{vmid}/config",
            Kind::Lxc => "/nodes/{node}/lxc/{vmid}/config",
        };
        let Some(method) = proxmox_spec::find(Verb::Put, path) else { return };
        let disks = config.filter_map(|(name, value)| Some((method.param(name)?, value.as_str()?)));
        for (param, text) in disks {
            let parts = text.split(',').map(|part| part.split_once('=').unwrap_or(("", part)));
            for (name, part) in parts {
                let key = if name.is_empty() {
                    param.keys.iter().copied().find(|key| key.default_key)
                } else {
                    param.key(name)
                };
                if key.and_then(|key| key.names) != Some(Names::Volume) {
                    continue;
                }
                if let values::Disk::Volume(volume) = values::volume(part, None)
                    && !volume.shared
                {
                    self.storages.insert(volume.storage);
                    volume.owners.iter().for_each(|vmid| self.guest(*vmid));
                }
            }
        }
    }
}

/// The guest that the path is about.
fn in_path(route: &Route) -> Option<u32> {
    route.params.iter().find(|(name, _)| *name == "vmid").and_then(|(_, value)| value.parse().ok())
}

/// Is this pool the other one, or inside it?
pub fn within(pool: &str, outer: &str) -> bool {
    pool == outer || pool.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// Tags as they are compared.
pub fn split_tags(text: &str) -> Vec<String> {
    format::split_list(text).into_iter().map(str::to_lowercase).collect()
}

/// Every guest that the token can see, by id.
async fn listing(call: &Call<'_>) -> Result<BTreeMap<u32, Subject>, Failure> {
    let request = PreparedRequest::plain(Verb::Get, "/cluster/resources").with("type", "vm");
    let Value::Array(rows) = call.read(&request, Repeat::Freely).await?.data else {
        let says = format!("{request} did not answer with a list. Nothing was changed.");
        return Err(Failure::new(FailureKind::Unreadable, says));
    };
    let subjects = rows.iter().filter_map(|row| {
        let text = |name: &str| row.get(name).map(plain).filter(|text| !text.is_empty());
        Some(Subject {
            vmid: text("vmid")?.parse().ok()?,
            kind: Some(Kind::parse(&text("type")?)?),
            node: text("node")?,
            name: text("name").unwrap_or_default(),
            status: text("status").unwrap_or_default(),
            lock: text("lock"),
            tags: text("tags").map(|tags| split_tags(&tags)).unwrap_or_default(),
            pool: text("pool"),
            template: text("template").is_some_and(|text| values::truth(&text)),
            ..Subject::default()
        })
    });
    Ok(subjects.map(|subject| (subject.vmid, subject)).collect())
}

/// The path of something of a guest's; `None` if its node or kind is not known.
fn of_guest(guest: &Subject, tail: &[&str]) -> Option<PreparedRequest> {
    let mut request = PreparedRequest::new(Verb::Get);
    request.literal("nodes");
    request.segment(&Segment::new(guest.node.as_str()).ok()?);
    request.literal(guest.kind?.as_str());
    request.literal(&guest.vmid.to_string());
    tail.iter().for_each(|part| request.literal(part));
    Some(request)
}

async fn configuration(call: &Call<'_>, guest: &Subject) -> Configuration {
    let request = of_guest(guest, &["config"]).ok_or("nobody tells where it is")?;
    match call.try_read(&request, Repeat::Freely).await {
        Ok(reply) => match reply.data {
            Value::Object(config) => Ok(config),
            _ => Err(format!("{request} did not answer with an object")),
        },
        Err(trouble) => Err(explain::brief(&request, &trouble)),
    }
}

async fn state(call: &Call<'_>, guest: &Subject) -> Option<String> {
    let request = of_guest(guest, &["status", "current"])?;
    let reply = call.try_read(&request, Repeat::Freely).await.ok()?;
    reply.data.get("status").and_then(Value::as_str).map(str::to_owned)
}

async fn snapshots(call: &Call<'_>, guest: &Subject) -> Option<Vec<String>> {
    let request = of_guest(guest, &["snapshot"])?;
    let reply = call.try_read(&request, Repeat::Freely).await.ok()?;
    let names = reply.data.as_array()?.iter().filter_map(|row| row.get("name").and_then(Value::as_str));
    let mut names: Vec<String> = names.filter(|name| *name != "current").map(str::to_owned).collect();
    names.sort();
    Some(names)
}

/// The guests that high availability keeps on one node: where one goes, the others follow.
async fn together(call: &Call<'_>) -> Result<Vec<BTreeSet<u32>>, String> {
    let request = PreparedRequest::plain(Verb::Get, "/cluster/ha/rules").with("type", "resource-affinity");
    let reply = match call.try_read(&request, Repeat::Freely).await {
        Ok(reply) => reply,
        // Versions before 9.0 have no such rules.
        Err(trouble) if trouble.rejection().is_some_and(|rejection| rejection.status == 501) => return Ok(Vec::new()),
        Err(trouble) => return Err(explain::brief(&request, &trouble)),
    };
    let Value::Array(rules) = reply.data else { return Err(format!("{request} did not answer with a list")) };
    let is = |rule: &Value, name: &str, value: &str| rule.get(name).map(plain).as_deref() == Some(value);
    let kept = rules.iter().filter(|rule| is(rule, "affinity", "positive") && !is(rule, "disable", "1"));
    let resources = kept.filter_map(|rule| rule.get("resources").and_then(Value::as_str));
    Ok(resources.map(|list| format::split_list(list).into_iter().filter_map(values::guest).collect()).collect())
}

/// The volume that the path is about. How much of it is in use changes all the time and is left out.
async fn volume(call: &Call<'_>, route: &Route, read: &PreparedRequest) -> Option<Map<String, Value>> {
    let about = route.params.iter().any(|(name, _)| *name == "volume");
    let shape = proxmox_spec::find(Verb::Get, route.method.path).filter(|_| about)?.returns;
    match call.try_read(read, Repeat::Freely).await.ok()?.data {
        Value::Object(mut volume) => {
            volume.remove("used");
            volume.retain(|name, _| !shape.hides(name));
            Some(volume)
        }
        _ => None,
    }
}

/// The configuration that the guest in the path gets.
async fn becomes(call: &Call<'_>, route: &Route) -> Option<Configuration> {
    let template = route.method.reach?.becomes?;
    let segments: Vec<&str> = route.method.path.split('/').collect();
    let kind = segments.iter().find_map(|part| Kind::parse(part))?;
    let mut request = PreparedRequest::new(Verb::Get);
    for part in template.split('/').filter(|part| !part.is_empty()) {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) => {
                let value = route.params.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())?;
                request.segment(&Segment::new(value).ok()?);
            }
            None if part == "*" => request.literal(kind.as_str()),
            None => request.literal(part),
        }
    }
    Some(match call.try_read(&request, Repeat::Freely).await {
        Ok(reply) => reply.data.as_object().cloned().ok_or_else(|| format!("{request} did not answer with an object")),
        Err(trouble) => Err(explain::brief(&request, &trouble)),
    })
}

/// Does the request delete or revert this setting?
fn taken_away(request: &PreparedRequest, name: &str) -> bool {
    let lists = request.params.iter().filter(|param| matches!(&*param.name, "delete" | "revert"));
    lists.flat_map(|param| &param.values).any(|list| format::split_list(list).contains(&name))
}

/// What the call makes of tags, pool and protection, by what it gives and takes.
fn after(
    objects: &mut Objects,
    named: &Named,
    request: &PreparedRequest,
    route: &Route,
    becomes: Option<Configuration>,
) {
    let deleted = |name: &str| taken_away(request, name);
    let about = |name: &str| route.method.param(name).is_some();
    let subject = in_path(route);
    let source = subject.and_then(|vmid| objects.guests.iter().find(|guest| guest.vmid == vmid)).cloned();
    let restored = objects.volumes.iter().any(|volume| volume.backup);
    let given_tags = request.value("tags").map(split_tags);
    let given_pool = request.value("pool").map(str::to_owned);
    let pool = route.params.iter().find(|(name, _)| *name == "poolid").map(|(_, value)| value.clone());
    let pool = pool.or_else(|| request.value("poolid").map(str::to_owned));
    let leaves = request.value("delete").is_some_and(values::truth);
    let moved = |vmid: u32| {
        let listed = request.params.iter().filter(|param| param.name == "vms").flat_map(|param| &param.values);
        listed.flat_map(|list| format::split_list(list)).any(|element| values::guest(element) == Some(vmid))
    };
    for guest in &mut objects.guests {
        let same = After { tags: Some(guest.tags.clone()), pool: guest.pool.clone(), protection: guest.protection };
        guest.after = if named.fresh.contains(&guest.vmid) {
            let copied = source.as_ref().map(|source| source.tags.clone());
            let tags = match (given_tags.clone(), copied) {
                (Some(tags), _) => Some(tags),
                (None, Some(copied)) => Some(copied),
                // The backup brings its own.
                (None, None) if restored => None,
                (None, None) => Some(Vec::new()),
            };
            let pool = given_pool.clone().or(guest.pool.clone());
            let protection = request.value("protection").map_or(same.protection, values::truth);
            Some(After { tags, pool, protection })
        } else if Some(guest.vmid) == subject && becomes.is_some() {
            match &becomes {
                Some(Ok(config)) => {
                    let mut then = Subject::default();
                    then.take(config);
                    Some(After { tags: Some(then.tags), pool: same.pool, protection: then.protection })
                }
                _ => Some(After { tags: None, pool: same.pool, protection: false }),
            }
        } else if Some(guest.vmid) == subject && (about("tags") || about("protection")) {
            let tags = match given_tags.clone() {
                Some(tags) => Some(tags),
                None if deleted("tags") => Some(Vec::new()),
                None => same.tags.clone(),
            };
            let protection = match request.value("protection") {
                Some(text) => values::truth(text),
                None => same.protection && !deleted("protection"),
            };
            let after = After { tags, pool: same.pool.clone(), protection };
            (after != same).then_some(after)
        } else if pool.is_some() && moved(guest.vmid) {
            Some(After { pool: if leaves { None } else { pool.clone() }, ..same })
        } else {
            None
        };
    }
}
