//! Pruning: which archives a retention keeps, and taking the others away.

use std::collections::BTreeMap;

use proxmox_spec::{Verb, find, property};
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    guest::Kind,
    request::Call,
    tasks::{Plan, Spawn},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/storage/{storage}/prunebackups", prune_preview),
    (Verb::Delete, "/nodes/{node}/storage/{storage}/prunebackups", prune),
];

/// How many archives to keep by the last, hour, day, week, month, year.
pub(super) type Retention = BTreeMap<&'static str, i64>;

/// Reads a retention; one that keeps everything is empty.
pub(super) fn parse_retention(text: &str) -> Retention {
    let keys = find(Verb::Post, "/nodes/{node}/vzdump")
        .and_then(|method| method.param("prune-backups"))
        .map(|param| param.keys)
        .unwrap_or_default();
    let pairs = property::parse(keys, text).unwrap_or_default();
    if pairs.iter().any(|(name, value)| *name == "keep-all" && value == "1") {
        return Retention::new();
    }
    pairs.into_iter().filter_map(|(name, value)| Some((name, value.parse().ok()?))).collect()
}

/// The archives of a storage, newest first per guest, each with its mark.
pub(super) fn marked(
    cluster: &Cluster,
    node: &str,
    storage: &str,
    keep: &Retention,
    kind: Option<Kind>,
    vmid: Option<u32>,
) -> Vec<(Volume, &'static str)> {
    let mut archives: Vec<Volume> = cluster
        .volumes_on(node, storage)
        .filter(|volume| volume.content == "backup")
        .filter(|volume| vmid.is_none() || volume.vmid == vmid)
        .filter(|volume| kind.is_none() || volume.backup_of.as_ref().map(|(kind, _)| *kind) == kind)
        .cloned()
        .collect();
    archives.sort_by_key(|volume| (volume.vmid, std::cmp::Reverse(volume.created)));
    let mut marks = Vec::new();
    let mut seen: BTreeMap<(Option<u32>, &'static str), Vec<i64>> = BTreeMap::new();
    for volume in archives {
        let mark = if volume.protected {
            "protected"
        } else if keep.is_empty() {
            "keep"
        } else {
            let mut kept = false;
            for (rule, count) in keep {
                let period = match *rule {
                    "keep-hourly" => volume.created / 3_600,
                    "keep-daily" => volume.created / 86_400,
                    "keep-weekly" => (volume.created / 86_400 + 3) / 7,
                    "keep-monthly" => volume.created / 2_629_746,
                    "keep-yearly" => volume.created / 31_556_952,
                    _ => volume.created,
                };
                let periods = seen.entry((volume.vmid, rule)).or_default();
                if !periods.contains(&period) && i64::try_from(periods.len()).unwrap_or(i64::MAX) < *count {
                    periods.push(period);
                    kept = true;
                }
            }
            if kept { "keep" } else { "remove" }
        };
        marks.push((volume, mark));
    }
    marks
}

/// The marks that a prune call asks for.
fn marks_of(cluster: &Cluster, call: &Call) -> Result<Vec<(Volume, &'static str)>, Failure> {
    let (node, storage) = (call.args.need("node"), call.args.need("storage"));
    let definition = cluster.usable_storage(storage, node)?;
    let given = call.args.text("prune-backups").or_else(|| definition.options.get("prune-backups").map(String::as_str));
    let Some(given) = given else {
        return Err(Failure::die("prune-backups option is not set on the storage"));
    };
    let kind = call.args.text("type").map(|kind| if kind == "lxc" { Kind::Lxc } else { Kind::Qemu });
    let vmid = call.args.number("vmid").and_then(|vmid| u32::try_from(vmid).ok());
    Ok(marked(cluster, node, storage, &parse_retention(given), kind, vmid))
}

fn prune_preview(cluster: &mut Cluster, call: &Call) -> Reply {
    let rows = marks_of(cluster, call)?.into_iter().map(|(volume, mark)| {
        let kind = volume.backup_of.as_ref().map_or("unknown", |(kind, _)| kind.as_str());
        json!({ "volid": volume.volid, "ctime": volume.created, "mark": mark, "type": kind, "vmid": volume.vmid })
    });
    ok(rows.collect::<Value>())
}

fn prune(cluster: &mut Cluster, call: &Call) -> Reply {
    let doomed: Vec<String> = marks_of(cluster, call)?
        .into_iter()
        .filter(|(_, mark)| *mark == "remove")
        .map(|(volume, _)| volume.volid)
        .collect();
    let (node, storage) = (call.args.need("node").to_owned(), call.args.need("storage"));
    let id = call.args.text("vmid").map_or_else(|| storage.to_owned(), |vmid| format!("{vmid}@{storage}"));
    let home = node.clone();
    let begin = Box::new(move |_: &mut Cluster| {
        let lines = doomed.iter().map(|volid| format!("removing backup '{volid}'")).collect();
        Ok(Plan::new(2.0, lines, move |cluster, _| {
            doomed.iter().for_each(|volid| {
                cluster.remove_volume(&home, volid);
            });
            Ok(())
        }))
    });
    ok(cluster.spawn(Spawn { node, kind: "prunebackups", id, user: call.user.clone(), holds: None, begin }))
}
