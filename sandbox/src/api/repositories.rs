//! The package repositories of a node: which there are, and which are switched on.

use proxmox_spec::Verb;
use serde_json::{Value, json};

use super::Route;
use crate::{
    answer::{Failure, Reply, done, ok},
    cluster::Cluster,
    request::Call,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Get, "/nodes/{node}/apt/repositories", list),
    (Verb::Post, "/nodes/{node}/apt/repositories", switch),
    (Verb::Put, "/nodes/{node}/apt/repositories", add),
];

/// Handle, name, file, address, component, and whether it is on at the start.
const STANDARD: [(&str, &str, &str, &str, &str, bool); 5] = [
    (
        "enterprise",
        "Enterprise",
        "pve-enterprise",
        "https://enterprise.proxmox.com/debian/pve",
        "pve-enterprise",
        false,
    ),
    (
        "no-subscription",
        "No-Subscription",
        "proxmox",
        "http://download.proxmox.com/debian/pve",
        "pve-no-subscription",
        true,
    ),
    ("test", "Test", "pve-test", "http://download.proxmox.com/debian/pve", "pve-test", false),
    (
        "ceph-squid-enterprise",
        "Ceph Squid Enterprise",
        "ceph",
        "https://enterprise.proxmox.com/debian/ceph-squid",
        "enterprise",
        false,
    ),
    (
        "ceph-squid-no-subscription",
        "Ceph Squid No-Subscription",
        "ceph",
        "http://download.proxmox.com/debian/ceph-squid",
        "no-subscription",
        false,
    ),
];

/// Those that have a file at the start: the one that is on, and the one that an installation brings.
const WRITTEN: [&str; 2] = ["enterprise", "no-subscription"];

fn file(name: &str) -> String {
    format!("/etc/apt/sources.list.d/{name}.sources")
}

/// Whether a repository is on; `None` if it stands in no file.
fn state(cluster: &Cluster, call: &Call, handle: &str) -> Option<bool> {
    let written = cluster.store.get(&call.path).and_then(|all| all.get(handle)).map(|on| on == 1);
    let start = STANDARD.iter().find(|line| line.0 == handle).filter(|_| WRITTEN.contains(&handle)).map(|line| line.5);
    written.or(start)
}

fn digest(cluster: &Cluster, call: &Call) -> String {
    cluster.store.digest_at(&call.path)
}

fn list(cluster: &mut Cluster, call: &Call) -> Reply {
    let mut files: Vec<Value> = vec![json!({
        "path": "/etc/apt/sources.list.d/debian.sources", "file-type": "sources", "digest": [1, 2, 3, 4],
        "repositories": [{
            "Enabled": 1, "FileType": "sources", "Types": ["deb"], "URIs": ["http://deb.debian.org/debian"],
            "Suites": ["trixie", "trixie-updates"], "Components": ["main", "contrib"],
        }],
    })];
    let mut infos = Vec::new();
    for (handle, _, name, address, component, _) in STANDARD {
        let Some(on) = state(cluster, call, handle) else { continue };
        let repository = json!({
            "Enabled": u8::from(on), "FileType": "sources", "Types": ["deb"], "URIs": [address], "Suites": ["trixie"],
            "Components": [component],
        });
        let path = file(name);
        infos.push(json!({ "path": path, "index": "0", "kind": "origin", "message": "Proxmox" }));
        files.push(
            json!({ "path": path, "file-type": "sources", "digest": [5, 6, 7, 8], "repositories": [repository] }),
        );
    }
    let standard = STANDARD.iter().map(|(handle, name, ..)| {
        let mut row = json!({ "handle": handle, "name": name });
        if let Some(on) = state(cluster, call, handle) {
            row["status"] = json!(u8::from(on));
        }
        row
    });
    let standard: Value = standard.collect();
    ok(json!({
        "digest": digest(cluster, call), "errors": [], "files": files, "infos": infos, "standard-repos": standard,
    }))
}

fn check_digest(cluster: &Cluster, call: &Call) -> Result<(), Failure> {
    match call.args.text("digest") {
        Some(given) if given != digest(cluster, call) => {
            Err(Failure::die("detected modified configuration - file changed by other user? Try again."))
        }
        _ => Ok(()),
    }
}

fn write(cluster: &mut Cluster, call: &Call, handle: &str, on: bool) {
    let mut all = cluster.store.get(&call.path).cloned().unwrap_or_default();
    all.insert(handle.to_owned(), json!(u8::from(on)));
    cluster.store.set(&call.path, Value::Object(all));
}

fn switch(cluster: &mut Cluster, call: &Call) -> Reply {
    check_digest(cluster, call)?;
    let path = call.args.need("path");
    let known = STANDARD.iter().find(|line| file(line.2) == path && state(cluster, call, line.0).is_some());
    let Some(line) = known.filter(|_| call.args.number("index") == Some(0)) else {
        return Err(Failure::die(format!("invalid index {} for path {path}", call.args.need("index"))));
    };
    if let Some(enabled) = call.args.text("enabled") {
        write(cluster, call, line.0, enabled == "1");
    }
    done()
}

fn add(cluster: &mut Cluster, call: &Call) -> Reply {
    check_digest(cluster, call)?;
    let handle = call.args.need("handle");
    if !STANDARD.iter().any(|line| line.0 == handle) {
        return Err(Failure::die(format!("unknown repository handle '{handle}'")));
    }
    write(cluster, call, handle, true);
    done()
}
