//! Storages and the volumes on them: disks, images, templates, backups.
//!
//! Knows how volume ids are built and where a volume can be seen; nothing of requests.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    answer::Failure,
    cluster::Cluster,
    guest::{Config, Kind, file_of},
};

/// A storage definition.
#[derive(Debug, Clone)]
pub(crate) struct Storage {
    /// `dir`, `lvmthin`, `nfs`, `pbs`, …
    pub kind: String,
    pub content: Vec<String>,
    pub shared: bool,
    pub disabled: bool,
    /// Empty = all nodes.
    pub nodes: Vec<String>,
    /// Bytes, per node where it is not shared.
    pub size: u64,
    /// Every other option of the definition.
    pub options: BTreeMap<String, String>,
}

/// What lies on a storage.
#[derive(Debug, Clone)]
pub(crate) struct Volume {
    pub volid: String,
    /// The node, for storages that are not shared.
    pub node: Option<String>,
    /// `images`, `rootdir`, `iso`, `vztmpl`, `backup`, `snippets`, `import`.
    pub content: String,
    pub format: String,
    /// Bytes.
    pub size: u64,
    pub vmid: Option<u32>,
    /// Seconds since 1970.
    pub created: i64,
    pub notes: Option<String>,
    pub protected: bool,
    /// For backups: the guest's kind and configuration at that time.
    pub backup_of: Option<(Kind, Config)>,
}

/// The volumes by node (empty for shared storages) and volume id.
pub(crate) type Volumes = BTreeMap<(String, String), Volume>;

impl Storage {
    pub(crate) fn is_on(&self, node: &str) -> bool {
        self.nodes.is_empty() || self.nodes.iter().any(|name| name == node)
    }

    pub(crate) fn holds(&self, content: &str) -> bool {
        self.content.iter().any(|kind| kind == content)
    }

    /// Volumes are files below a directory.
    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.kind.as_str(), "dir" | "nfs" | "cifs" | "cephfs" | "btrfs")
    }

    pub(crate) fn path(&self, id: &str) -> String {
        self.options.get("path").cloned().unwrap_or_else(|| format!("/mnt/pve/{id}"))
    }

    /// The definition as the API shows it.
    pub(crate) fn describe(&self, id: &str) -> Value {
        let mut shown = json!({ "storage": id, "type": self.kind, "content": self.content.join(",") });
        for (name, value) in &self.options {
            shown[name] = json!(value);
        }
        if self.shared {
            shown["shared"] = json!(1);
        }
        if self.disabled {
            shown["disable"] = json!(1);
        }
        if !self.nodes.is_empty() {
            shown["nodes"] = json!(self.nodes.join(","));
        }
        shown
    }
}

impl Volume {
    pub(crate) fn storage(&self) -> &str {
        self.volid.split(':').next().unwrap_or_default()
    }

    /// The entry of a content listing.
    pub(crate) fn describe(&self) -> Value {
        let mut entry = json!({
            "volid": self.volid, "content": self.content, "format": self.format, "size": self.size, "ctime": self.created,
        });
        if let Some(vmid) = self.vmid {
            entry["vmid"] = json!(vmid);
        }
        if matches!(self.content.as_str(), "images" | "rootdir") {
            entry["parent"] = Value::Null;
            entry["used"] = json!(self.size / 4);
        }
        if let Some((kind, _)) = &self.backup_of {
            entry["subtype"] = json!(kind.as_str());
        }
        if let Some(notes) = &self.notes {
            entry["notes"] = json!(notes);
        }
        if self.protected {
            entry["protected"] = json!(1);
        }
        entry
    }
}

/// A disk to make.
pub(crate) struct Allocation<'a> {
    pub storage: &'a str,
    pub node: &'a str,
    pub vmid: u32,
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    pub format: Option<&'a str>,
    /// The part of the name before the number: `disk`, `state`.
    pub what: &'a str,
}

impl Cluster {
    /// The definition, or the API's error.
    pub(crate) fn storage(&self, id: &str) -> Result<&Storage, Failure> {
        self.storages.get(id).ok_or_else(|| Failure::die(format!("storage '{id}' does not exist")))
    }

    /// The definition of a storage that can be used on a node.
    pub(crate) fn usable_storage(&self, id: &str, node: &str) -> Result<&Storage, Failure> {
        let storage = self.storage(id)?;
        if storage.disabled {
            return Err(Failure::die(format!("storage '{id}' is disabled")));
        }
        if !storage.is_on(node) {
            return Err(Failure::die(format!("storage '{id}' is not available on node '{node}'")));
        }
        Ok(storage)
    }

    /// A volume as a node sees it.
    pub(crate) fn volume(&self, node: &str, volid: &str) -> Option<&Volume> {
        self.volumes.get(&self.volume_key(node, volid))
    }

    pub(crate) fn volume_mut(&mut self, node: &str, volid: &str) -> Option<&mut Volume> {
        let key = self.volume_key(node, volid);
        self.volumes.get_mut(&key)
    }

    pub(crate) fn remove_volume(&mut self, node: &str, volid: &str) -> Option<Volume> {
        let key = self.volume_key(node, volid);
        self.volumes.remove(&key)
    }

    pub(crate) fn add_volume(&mut self, mut volume: Volume, node: &str) {
        let key = self.volume_key(node, &volume.volid);
        volume.node = (!key.0.is_empty()).then(|| key.0.clone());
        self.volumes.insert(key, volume);
    }

    /// The volumes of a storage as a node sees them.
    pub(crate) fn volumes_on<'a>(&'a self, node: &'a str, storage: &'a str) -> impl Iterator<Item = &'a Volume> {
        // Shared ones stand under no node. The keys are ordered, so that nothing else is looked at.
        let of = move |place: &'a str| {
            self.volumes
                .range((place.to_owned(), format!("{storage}:"))..)
                .take_while(move |((at, _), volume)| at == place && volume.storage() == storage)
                .map(|(_, volume)| volume)
        };
        of("").chain(of(node))
    }

    /// Why a volume cannot be made on a full storage, in the words of the program that would make it; `None` = it can.
    pub(crate) fn no_space(&self, volid: &str) -> Option<String> {
        let (id, name) = volid.split_once(':')?;
        let storage = self.storages.get(id).filter(|_| self.full.contains(id))?;
        let option = |name: &str| storage.options.get(name).map_or("data", String::as_str);
        let group = option("vgname");
        Some(match storage.kind.as_str() {
            "lvmthin" => {
                let pool = option("thinpool");
                let text =
                    format!("Cannot create new thin volume, free space in thin pool {group}/{pool} reached threshold.");
                format!("lvcreate '{group}/{name}' error:   {text}")
            }
            "lvm" => {
                let text = format!("Volume group \"{group}\" has insufficient free space (0 extents): 1 required.");
                format!("lvcreate '{group}/{name}' error:   {text}")
            }
            "zfspool" => format!("zfs error: cannot create '{}/{name}': out of space", option("pool")),
            _ => format!("{}: No space left on device", self.volume_path(volid)),
        })
    }

    /// Bytes in use on a storage, beside what the node itself needs.
    pub(crate) fn used(&self, node: &str, storage: &str) -> u64 {
        if self.full.contains(storage) {
            return self.storages.get(storage).map_or(0, |storage| storage.size);
        }
        let base = if storage == "local" { 8_u64 << 30 } else { 1 << 30 };
        base + self.volumes_on(node, storage).map(|volume| volume.size / 2).sum::<u64>()
    }

    /// Makes a disk and answers its volume id.
    pub(crate) fn allocate(&mut self, wanted: &Allocation<'_>) -> Result<String, Failure> {
        let storage = self.usable_storage(wanted.storage, wanted.node)?;
        let (content, refusal) = match wanted.kind {
            Kind::Qemu => ("images", "vm images"),
            Kind::Lxc => ("rootdir", "container directories"),
        };
        if !storage.holds(content) {
            return Err(Failure::die(format!("storage '{}' does not support {refusal}", wanted.storage)));
        }
        let files = storage.is_directory();
        let of_files = if wanted.what == "cloudinit" { "qcow2" } else { "raw" };
        let format = if files { wanted.format.unwrap_or(of_files) } else { "raw" }.to_owned();
        let vmid = wanted.vmid;
        let place = if files { format!("{}:{vmid}/", wanted.storage) } else { format!("{}:", wanted.storage) };
        // A number is taken in every format, and as the base of a template too.
        let taken = |name: &str| {
            ["raw", "qcow2", "vmdk", "subvol"].into_iter().any(|format| {
                let end = if files { format!(".{format}") } else { String::new() };
                [name.to_owned(), name.replacen("vm-", "base-", 1)]
                    .iter()
                    .any(|name| self.volume(wanted.node, &format!("{place}{name}{end}")).is_some())
            })
        };
        // There is one drive for the first boot, and it has no number.
        let first = (wanted.what == "cloudinit").then(|| format!("vm-{vmid}-cloudinit"));
        let numbered = (0..).map(|number: u32| format!("vm-{vmid}-{}-{number}", wanted.what));
        let name = first.into_iter().chain(numbered).find(|name| !taken(name)).unwrap_or_default();
        let volid = if files { format!("{place}{name}.{format}") } else { format!("{place}{name}") };
        if let Some(text) = self.no_space(&volid) {
            return Err(Failure::die(text));
        }
        let volume = Volume {
            volid: volid.clone(),
            node: None,
            content: content.to_owned(),
            format,
            size: wanted.size,
            vmid: Some(vmid),
            created: self.clock.seconds(),
            notes: None,
            protected: false,
            backup_of: None,
        };
        self.add_volume(volume, wanted.node);
        Ok(volid)
    }

    /// Whether snapshots can be taken of everything that a configuration holds.
    pub(crate) fn can_snapshot(&self, node: &str, config: &Config) -> bool {
        config
            .iter()
            .filter(|(option, value)| {
                crate::guest::is_volume_option(option)
                    && !option.starts_with("unused")
                    && value.as_str().is_some_and(|value| !crate::guest::is_cdrom(value))
            })
            .filter_map(|(_, value)| self.volume(node, file_of(value.as_str()?)))
            .all(|volume| {
                volume.format == "qcow2" || self.storages.get(volume.storage()).is_some_and(|s| s.kind == "lvmthin")
            })
    }

    /// The path of a volume on its node, as logs and answers show it.
    pub(crate) fn volume_path(&self, volid: &str) -> String {
        let (id, name) = volid.split_once(':').unwrap_or((volid, ""));
        let root = self.storages.get(id).map_or_else(String::new, |storage| storage.path(id));
        let (folder, file) = name.split_once('/').unwrap_or(("", name));
        match (self.storages.get(id).map(|storage| storage.is_directory()), folder) {
            (Some(false), _) => format!("/dev/pve/{name}"),
            (_, "iso") => format!("{root}/template/iso/{file}"),
            (_, "vztmpl") => format!("{root}/template/cache/{file}"),
            (_, "backup") => format!("{root}/dump/{file}"),
            (_, "snippets" | "import") => format!("{root}/{name}"),
            _ => format!("{root}/images/{name}"),
        }
    }

    fn volume_key(&self, node: &str, volid: &str) -> (String, String) {
        let storage = volid.split(':').next().unwrap_or_default();
        let shared = self.storages.get(storage).is_some_and(|storage| storage.shared);
        (if shared { String::new() } else { node.to_owned() }, volid.to_owned())
    }
}
