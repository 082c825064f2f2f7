//! Files that come and go: out of backups, out of registries, from storage to storage; and batches of calls.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use proxmox_spec::{Verb, route};
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Data, Failure, Reply, ok},
    cluster::Cluster,
    dispatch,
    request::{Arg, Args, Call},
    tasks::{Plan, Spawn},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/storage/{storage}/file-restore/list", list),
    (Verb::Get, "/nodes/{node}/storage/{storage}/file-restore/download", download),
    (Verb::Get, "/nodes/{node}/storage/{storage}/identity", identity),
    (Verb::Get, "/nodes/{node}/storage/{storage}/import-metadata", metadata),
    (Verb::Post, "/nodes/{node}/storage/{storage}/oci-registry-pull", pull),
    (Verb::Post, "/nodes/{node}/storage/{storage}/content/{volume}", copy),
    (Verb::Post, "/nodes/{node}/execute", execute),
];

/// The volume of a parameter, with or without its storage.
fn volid(call: &Call) -> String {
    let (storage, volume) = (call.args.need("storage"), call.args.need("volume"));
    if volume.contains(':') && !volume.starts_with("backup/") {
        volume.to_owned()
    } else {
        format!("{storage}:{volume}")
    }
}

fn find<'a>(cluster: &'a Cluster, call: &Call) -> Result<&'a Volume, Failure> {
    let volid = volid(call);
    let found = cluster.volume(call.args.need("node"), &volid);
    found.ok_or_else(|| Failure::die(format!("volume '{volid}' does not exist")))
}

/// Only a backup server can look into its backups.
fn check_backup(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    let storage = call.args.need("storage");
    if cluster.storage(storage)?.kind != "pbs" {
        return Err(Failure::die("only supported on PBS storages"));
    }
    find(cluster, call).map(|_| ())
}

/// A file system like any other: every backup holds the same.
const TREE: [(&str, &str, &str, u64); 5] = [
    ("/", "etc", "d", 0),
    ("/", "home", "d", 0),
    ("/etc", "hostname", "f", 11),
    ("/etc", "hosts", "f", 120),
    ("/home", "notes.txt", "f", 42),
];

fn base64(text: &str) -> String {
    STANDARD.encode(text)
}

/// The path in a backup that a call names: `/`, or base64 of a path.
fn path_of(call: &Call) -> Option<String> {
    let given = call.args.need("filepath");
    let all = TREE.iter().map(|(parent, name, ..)| format!("{}/{name}", parent.trim_end_matches('/')));
    if given.is_empty() || given == "/" {
        return Some("/".to_owned());
    }
    all.into_iter().find(|path| *path == given || base64(path) == given)
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    check_backup(cluster, call)?;
    let Some(path) = path_of(call) else {
        return Err(Failure::die(format!("unable to find path '{}'", call.args.need("filepath"))));
    };
    let time = cluster.clock.seconds();
    let rows = TREE.iter().filter(|(parent, ..)| *parent == path).map(|(parent, name, kind, size)| {
        let full = format!("{}/{name}", parent.trim_end_matches('/'));
        let mut row = json!({
            "filepath": base64(&full), "text": name, "type": kind, "leaf": u8::from(*kind == "f"), "mtime": time - 86_400,
        });
        if *kind == "f" {
            row["size"] = json!(size);
        }
        row
    });
    ok(Value::Array(rows.collect()))
}

fn download(cluster: &mut Cluster, call: &Call) -> Reply {
    check_backup(cluster, call)?;
    let path = path_of(call).ok_or_else(|| Failure::die("unable to find file"))?;
    Ok(Data { raw: Some(format!("sandbox file {path}\n")), ..Data::null() })
}

/// What the storage is, wherever it is used from.
fn identity(cluster: &mut Cluster, call: &Call) -> Reply {
    let id = call.args.need("storage");
    let storage = cluster.storage(id)?;
    let place = storage.options.get("server").map_or_else(|| call.args.need("node").to_owned(), Clone::clone);
    ok(json!({ "id": format!("{place}:{id}"), "type": storage.kind }))
}

fn metadata(cluster: &mut Cluster, call: &Call) -> Reply {
    let volume = find(cluster, call)?;
    if volume.content != "import" {
        return Err(Failure::die(format!("unable to parse directory volume name '{}'", call.args.need("volume"))));
    }
    let name = volume.volid.rsplit('/').next().unwrap_or_default().trim_end_matches(".ova");
    ok(json!({
        "type": "vm", "source": "esxi",
        "create-args": { "name": name, "memory": 2048, "cores": 2, "scsihw": "pvscsi" },
        "disks": { "scsi0": volume.volid }, "net": { "net0": { "model": "vmxnet3" } }, "warnings": [],
    }))
}

fn template(volid: String, created: i64) -> Volume {
    Volume {
        volid,
        node: None,
        content: "vztmpl".to_owned(),
        format: "tar".to_owned(),
        size: 48 << 20,
        vmid: None,
        created,
        notes: None,
        protected: false,
        backup_of: None,
    }
}

/// `docker.io/library/debian:13` becomes `debian_13.tar`.
fn pull(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, storage) = (call.args.need("node").to_owned(), call.args.need("storage"));
    if !cluster.usable_storage(storage, &node)?.holds("vztmpl") {
        return Err(Failure::die(format!("storage '{storage}' does not support templates")));
    }
    let reference = call.args.need("reference");
    let name = reference.rsplit('/').next().unwrap_or(reference).replace(':', "_");
    let name = call.args.text("filename").map_or(name, |given| given.trim_end_matches(".tar").to_owned());
    let volume = template(format!("{storage}:vztmpl/{name}.tar"), cluster.clock.seconds());
    let place = node.clone();
    let begin = Box::new(|_: &mut Cluster| {
        Ok(Plan::new(4.0, Vec::new(), move |cluster, _| {
            cluster.add_volume(volume, &place);
            Ok(())
        }))
    });
    ok(cluster.spawn(Spawn { node, kind: "download", id: String::new(), user: call.user.clone(), holds: None, begin }))
}

/// The target is a storage, or a whole volume id.
fn copy(cluster: &mut Cluster, call: &Call) -> Reply {
    let (node, target) = (call.args.need("node").to_owned(), call.args.need("target"));
    let source = volid(call);
    let mut volume = find(cluster, call)?.clone();
    let name = source.split_once(':').map_or("", |(_, name)| name);
    volume.volid = if target.contains(':') { target.to_owned() } else { format!("{target}:{name}") };
    cluster.storage(volume.storage())?;
    let to = call.args.text("target_node").unwrap_or(&node).to_owned();
    let begin = Box::new(move |cluster: &mut Cluster| {
        if cluster.volume(&to, &volume.volid).is_some() {
            return Err(format!("volume '{}' already exists", volume.volid));
        }
        Ok(Plan::new(4.0, vec![format!("copying {source} to {}", volume.volid)], move |cluster, _| {
            cluster.add_volume(volume, &to);
            Ok(())
        }))
    });
    ok(cluster.spawn(Spawn { node, kind: "imgcopy", id: String::new(), user: call.user.clone(), holds: None, begin }))
}

/// Every command is a call of its own below the node; the answers come in the same order.
fn execute(cluster: &mut Cluster, call: &Call) -> Reply {
    let commands: Vec<Value> = serde_json::from_str(call.args.need("commands")).unwrap_or_default();
    let node = call.args.need("node");
    let mut rows = Vec::new();
    for command in &commands {
        let (verb, path) =
            (command["method"].as_str().unwrap_or_default(), command["path"].as_str().unwrap_or_default());
        let path = format!("/nodes/{node}/{}", path.trim_start_matches('/'));
        rows.push(match one(cluster, call, verb, &path, &command["args"]) {
            Ok(data) => json!({ "status": 200, "data": data.data }),
            Err(failure) => json!({ "status": failure.status, "message": failure.message }),
        });
    }
    ok(Value::Array(rows))
}

fn one(cluster: &mut Cluster, call: &Call, verb: &str, path: &str, given: &Value) -> Reply {
    let found = Verb::parse(verb).and_then(|verb| route(verb, path));
    let found = found.ok_or_else(|| Failure::json(501, format!("Method '{verb} {path}' not implemented")))?;
    let mut of_path = Args::default();
    of_path.0.extend(found.params.into_iter().map(|(name, value)| (name.to_owned(), Arg::Text(value))));
    let mut args = Args::default();
    for (name, value) in given.as_object().into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        args.0.insert(name.clone(), Arg::Text(text));
    }
    dispatch::answer(cluster, found.method, path.to_owned(), of_path, args, call.user.clone(), None)
}
