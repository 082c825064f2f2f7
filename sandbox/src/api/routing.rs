//! What software-defined networks route by: fabrics, prefix lists, route maps.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    generic,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/cluster/sdn/fabrics/all", everything),
    (Verb::Get, "/cluster/sdn/fabrics/node", all_nodes),
    (Verb::Post, "/cluster/sdn/fabrics/node/{fabric_id}", create_node),
    (Verb::Delete, "/cluster/sdn/fabrics/fabric/{id}", delete_fabric),
    (Verb::Post, "/cluster/sdn/prefix-lists", create_list),
    (Verb::Get, "/cluster/sdn/prefix-lists/{id}", read_list),
    (Verb::Get, "/cluster/sdn/prefix-lists/{id}/entries", entries),
    (Verb::Post, "/cluster/sdn/prefix-lists/{id}/entries", create_entry),
    (Verb::Get, "/cluster/sdn/prefix-lists/{id}/entries/{url_seq}", read_entry),
    (Verb::Put, "/cluster/sdn/prefix-lists/{id}/entries/{url_seq}", update_entry),
    (Verb::Delete, "/cluster/sdn/prefix-lists/{id}/entries/{url_seq}", delete_entry),
    (Verb::Get, "/cluster/sdn/route-maps", maps),
    (Verb::Get, "/cluster/sdn/route-maps/entries", all_rules),
    (Verb::Post, "/cluster/sdn/route-maps/entries", create_rule),
    (Verb::Get, "/cluster/sdn/route-maps/entries/{route-map-id}", rules_of_map),
    (Verb::Get, "/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order}", read_rule),
    (Verb::Put, "/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order}", update_rule),
    (Verb::Delete, "/cluster/sdn/route-maps/entries/{route-map-id}/entry/{order}", delete_rule),
];

const FABRICS: &str = "/cluster/sdn/fabrics/fabric";
const NODES: &str = "/cluster/sdn/fabrics/node";
const LISTS: &str = "/cluster/sdn/prefix-lists";
const MAPS: &str = "/cluster/sdn/route-maps/entries";

fn fabrics(cluster: &Cluster) -> Vec<Value> {
    cluster.store.list(FABRICS).into_iter().map(Value::Object).collect()
}

fn nodes(cluster: &Cluster) -> Vec<Value> {
    let places = cluster.store.rows(FABRICS).map(|(path, _)| path.replacen(FABRICS, NODES, 1));
    places.flat_map(|place| cluster.store.list(&place)).map(Value::Object).collect()
}

fn everything(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(json!({ "fabrics": fabrics(cluster), "nodes": nodes(cluster) }))
}

fn all_nodes(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(Value::Array(nodes(cluster)))
}

fn create_node(cluster: &mut Cluster, call: &Call) -> Reply {
    let fabric = call.args.need("fabric_id");
    if !cluster.store.has(&format!("{FABRICS}/{fabric}")) {
        return Err(Failure::die(format!("fabric '{fabric}' does not exist")));
    }
    let node = call.args.need("node_id");
    if !cluster.nodes.contains_key(node) {
        return Err(Failure::die(format!("node '{node}' does not exist")));
    }
    generic::create(cluster, call)?;
    if let Some(fields) = cluster.store.get_mut(&format!("{}/{node}", call.path)) {
        fields.insert("fabric_id".to_owned(), json!(fabric));
    }
    done()
}

/// The nodes of a fabric go with it.
fn delete_fabric(cluster: &mut Cluster, call: &Call) -> Reply {
    generic::remove(cluster, call)?;
    cluster.store.remove(&format!("{NODES}/{}", call.args.need("id")));
    done()
}

/// Entries that come with a new list are kept as entries of their own.
fn create_list(cluster: &mut Cluster, call: &Call) -> Reply {
    generic::create(cluster, call)?;
    let path = format!("{LISTS}/{}", call.args.need("id"));
    if let Some(fields) = cluster.store.get_mut(&path) {
        fields.remove("entries");
    }
    for (place, entry) in call.args.array("entries").iter().enumerate() {
        let pairs = entry.split(',').filter_map(|part| part.split_once('='));
        let mut fields: Value =
            pairs.map(|(name, text)| (name.to_owned(), json!(text))).collect::<serde_json::Map<_, _>>().into();
        let seq = fields["seq"].as_str().and_then(|text| text.parse().ok()).unwrap_or((place as i64 + 1) * 5);
        fields["seq"] = json!(seq);
        cluster.store.put(&entry_path(&path, seq), &format!("{path}/entries"), "", "", fields);
    }
    done()
}

/// Numbers of one width, so that entries stand in their order.
fn entry_path(list: &str, seq: i64) -> String {
    format!("{list}/entries/{seq:010}")
}

fn read_list(cluster: &mut Cluster, call: &Call) -> Reply {
    let mut answer = generic::read(cluster, call)?;
    answer.data["entries"] =
        cluster.store.list(&format!("{}/entries", call.path)).into_iter().map(Value::Object).collect();
    Ok(answer)
}

fn list_path(cluster: &Cluster, call: &Call) -> Result<String, Failure> {
    let id = call.args.need("id");
    let path = format!("{LISTS}/{id}");
    if cluster.store.has(&path) { Ok(path) } else { Err(Failure::die(format!("sdn '{id}' does not exist"))) }
}

fn entries(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = list_path(cluster, call)?;
    ok(cluster.store.list(&format!("{path}/entries")).into_iter().map(Value::Object).collect::<Value>())
}

fn create_entry(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = list_path(cluster, call)?;
    let all = cluster.store.list(&format!("{path}/entries"));
    let last = all.iter().filter_map(|entry| entry["seq"].as_i64()).max().unwrap_or(0);
    let seq = call.args.number("seq").unwrap_or(last + 5);
    let at = entry_path(&path, seq);
    if cluster.store.has(&at) {
        return Err(Failure::die(format!("entry {seq} already exists")));
    }
    let mut fields = generic::fields_of(call);
    fields.insert("seq".to_owned(), json!(seq));
    cluster.store.put(&at, &format!("{path}/entries"), "", "", Value::Object(fields));
    done()
}

/// The path of the entry that a call names.
fn existing(cluster: &Cluster, call: &Call) -> Result<String, Failure> {
    let list = list_path(cluster, call)?;
    let seq = call.args.need("url_seq");
    let path = entry_path(&list, seq.parse().unwrap_or(-1));
    if cluster.store.has(&path) { Ok(path) } else { Err(Failure::die(format!("entry {seq} does not exist"))) }
}

fn read_entry(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    let mut fields = cluster.store.get(&path).cloned().unwrap_or_default();
    fields.insert("digest".to_owned(), json!(cluster.store.digest_at(&path)));
    ok(Value::Object(fields))
}

fn update_entry(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    change(cluster, call, &path)
}

fn delete_entry(cluster: &mut Cluster, call: &Call) -> Reply {
    let path = existing(cluster, call)?;
    cluster.store.remove(&path);
    done()
}

/// Replaces options of what is kept at a path that is not the call's own.
fn change(cluster: &mut Cluster, call: &Call, path: &str) -> Reply {
    generic::check_digest(cluster, call, path)?;
    let (gone, fields) = (generic::deletions(call)?, generic::fields_of(call));
    if let Some(stored) = cluster.store.get_mut(path) {
        gone.iter().for_each(|name| {
            stored.remove(name);
        });
        stored.extend(fields);
    }
    done()
}

fn maps(cluster: &mut Cluster, _: &Call) -> Reply {
    let mut ids: Vec<Value> = rules(cluster).into_iter().map(|rule| rule["route-map-id"].clone()).collect();
    ids.dedup();
    ok(ids.into_iter().map(|id| json!({ "id": id })).collect::<Value>())
}

/// Every entry of every map: they are kept by map, and the maps are known by a mark of their own.
fn rules(cluster: &Cluster) -> Vec<Value> {
    let maps = cluster.store.rows(MAPS).map(|(path, _)| path.to_owned());
    maps.flat_map(|map| cluster.store.list(&map)).map(Value::Object).collect()
}

fn all_rules(cluster: &mut Cluster, _: &Call) -> Reply {
    ok(Value::Array(rules(cluster)))
}

fn rules_of_map(cluster: &mut Cluster, call: &Call) -> Reply {
    let rows = cluster.store.list(&format!("{MAPS}/{}", call.args.need("route-map-id")));
    ok(rows.into_iter().map(Value::Object).collect::<Value>())
}

fn rule_path(call: &Call) -> (String, String) {
    let map = format!("{MAPS}/{}", call.args.need("route-map-id"));
    let order = call.args.number("order").unwrap_or_default();
    (format!("{map}/entry/{order:05}"), map)
}

fn create_rule(cluster: &mut Cluster, call: &Call) -> Reply {
    let (path, map) = rule_path(call);
    if cluster.store.has(&path) {
        let text = format!(
            "entry {} of route map '{}' already exists",
            call.args.need("order"),
            call.args.need("route-map-id")
        );
        return Err(Failure::die(text));
    }
    if !cluster.store.has(&map) {
        cluster.store.put(&map, MAPS, "", "", json!({}));
    }
    let fields = generic::fields_of(call);
    cluster.store.put(&path, &map, "", "", Value::Object(fields));
    done()
}

fn existing_rule(cluster: &Cluster, call: &Call) -> Result<(String, String), Failure> {
    let (path, map) = rule_path(call);
    if cluster.store.has(&path) {
        return Ok((path, map));
    }
    let text =
        format!("entry {} of route map '{}' does not exist", call.args.need("order"), call.args.need("route-map-id"));
    Err(Failure::die(text))
}

fn read_rule(cluster: &mut Cluster, call: &Call) -> Reply {
    let (path, _) = existing_rule(cluster, call)?;
    let mut fields = cluster.store.get(&path).cloned().unwrap_or_default();
    fields.insert("digest".to_owned(), json!(cluster.store.digest_at(&path)));
    ok(Value::Object(fields))
}

fn update_rule(cluster: &mut Cluster, call: &Call) -> Reply {
    let (path, _) = existing_rule(cluster, call)?;
    change(cluster, call, &path)
}

/// A map without entries is none.
fn delete_rule(cluster: &mut Cluster, call: &Call) -> Reply {
    let (path, map) = existing_rule(cluster, call)?;
    cluster.store.remove(&path);
    if cluster.store.rows(&map).next().is_none() {
        cluster.store.remove(&map);
    }
    done()
}
