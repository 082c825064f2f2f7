//! Files that come to a storage: uploads and downloads.

use proxmox_spec::Verb;

use super::Route;
use crate::{
    answer::{Failure, Reply, ok},
    cluster::Cluster,
    request::Call,
    tasks::{Plan, Spawn, copy_progress},
    volumes::Volume,
};

pub(super) const ROUTES: &[Route] = &[
    (Verb::Post, "/nodes/{node}/storage/{storage}/upload", upload),
    (Verb::Post, "/nodes/{node}/storage/{storage}/download-url", download),
    (Verb::Get, "/nodes/{node}/query-url-metadata", metadata),
];

/// The size that a download has where nothing is really loaded.
const DOWNLOAD_SIZE: u64 = 512 << 20;

/// The file's name as the storage keeps it: the last part, odd letters replaced.
fn normal_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_+=".contains(c) { c } else { '_' }).collect()
}

/// Folder and format by kind and name.
fn format_of(content: &str, name: &str) -> Result<&'static str, Failure> {
    let ends = |endings: &[&'static str]| endings.iter().copied().find(|end| name.to_lowercase().ends_with(end));
    let found = match content {
        "iso" => ends(&[".iso", ".img"]).map(|_| "iso"),
        "vztmpl" => ends(&[".tar.gz", ".tar.xz", ".tar.zst", ".tar.bz2"]).map(|end| match end {
            ".tar.gz" => "tgz",
            ".tar.xz" => "txz",
            ".tar.zst" => "tzst",
            _ => "tbz2",
        }),
        "import" => ends(&[".ova", ".ovf", ".qcow2", ".raw", ".vmdk"]).map(|end| &end[1..]),
        _ => None,
    };
    found.ok_or_else(|| Failure::param("filename", "wrong file extension"))
}

/// Checks the target, and answers the volume that the file will be.
fn volume(cluster: &Cluster, call: &Call, size: u64) -> Result<Volume, Failure> {
    let (node, storage) = (call.args.need("node"), call.args.need("storage"));
    let content = call.args.need("content").to_owned();
    let definition = cluster.usable_storage(storage, node)?;
    let name = normal_name(call.args.need("filename"));
    let format = format_of(&content, &name)?;
    if !definition.holds(&content) {
        return Err(Failure::die(format!("storage '{storage}' does not support '{content}' content")));
    }
    Ok(Volume {
        volid: format!("{storage}:{content}/{name}"),
        node: None,
        content,
        format: format.to_owned(),
        size,
        vmid: None,
        created: cluster.clock.seconds(),
        notes: None,
        protected: false,
        backup_of: None,
    })
}

/// The file is there, if there is room for it.
fn put(cluster: &mut Cluster, volume: Volume, node: &str) -> Result<(), String> {
    match cluster.no_space(&volume.volid) {
        Some(text) => Err(format!("import failed: {text}")),
        None => {
            cluster.add_volume(volume, node);
            Ok(())
        }
    }
}

fn upload(cluster: &mut Cluster, call: &Call) -> Reply {
    if call.args.has("tmpfilename") && call.upload.is_none() {
        return Err(Failure::die("missing or wrong upload"));
    }
    let Some(file) = call.upload.clone() else {
        return Err(Failure::plain(500, "upload failed at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 1370.\n"));
    };
    let volume = volume(cluster, call, file.size)?;
    let node = call.args.need("node").to_owned();
    let expected = call.args.text("checksum").map(str::to_lowercase);
    let path = cluster.volume_path(&volume.volid);
    let home = node.clone();
    let begin = Box::new(move |_: &mut Cluster| {
        let mut lines = vec!["starting file import from: /var/tmp/pveupload".to_owned()];
        if let (Some(expected), Some(got)) = (&expected, &file.digest) {
            if expected != got {
                return Err(format!("checksum mismatch: got '{got}' != expect '{expected}'"));
            }
            lines.push("calculating checksum...OK, checksum verified".to_owned());
        }
        lines.push(format!("target node: {home}"));
        lines.push(format!("target file: {path}"));
        lines.push(format!("file size is: {}", file.size));
        lines.push("finished file import successfully".to_owned());
        Ok(Plan::new(2.0, lines, move |cluster, _| put(cluster, volume, &home)))
    });
    let user = call.user.clone();
    ok(cluster.spawn(Spawn { node, kind: "imgcopy", id: String::new(), user, holds: None, begin }))
}

/// True for the addresses that cannot be reached.
fn unreachable(host: &str) -> bool {
    host.starts_with("127.") || host.starts_with("localhost") || host.ends_with(".invalid")
}

fn metadata(_: &mut Cluster, call: &Call) -> Reply {
    let url = call.args.need("url");
    let host = url.split('/').nth(2).unwrap_or_default();
    if unreachable(host) {
        return Err(Failure::die(format!(
            "invalid server response: '500 Can't connect to {host} (Connection refused)'"
        )));
    }
    let name = url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    ok(serde_json::json!({ "filename": name, "size": DOWNLOAD_SIZE, "mimetype": "application/octet-stream" }))
}

/// Nothing leaves the machine: the file appears with a fixed size. Addresses that cannot work fail in the task.
fn download(cluster: &mut Cluster, call: &Call) -> Reply {
    let volume = volume(cluster, call, DOWNLOAD_SIZE)?;
    let node = call.args.need("node").to_owned();
    let url = call.args.need("url").to_owned();
    let id = normal_name(call.args.need("filename"));
    let path = cluster.volume_path(&volume.volid);
    let home = node.clone();
    let host = url.split('/').nth(2).unwrap_or_default().to_owned();
    let begin = Box::new(move |_: &mut Cluster| {
        let mut lines = vec![format!("downloading {url} to {path}")];
        let local = unreachable(&host);
        if !local {
            lines.extend(copy_progress(DOWNLOAD_SIZE));
            lines.push(format!("download of '{url}' to '{path}' finished"));
        }
        Ok(Plan::new(8.0, lines, move |cluster, _| {
            if local {
                return Err(format!("download failed: Connecting to {host}... failed: Connection refused."));
            }
            put(cluster, volume, &home)
        }))
    });
    ok(cluster.spawn(Spawn { node, kind: "download", id, user: call.user.clone(), holds: None, begin }))
}
