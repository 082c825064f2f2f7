//! What single values of the API say of the things that they name: guests in ids, owners in names of volumes.
//!
//! Knows the grammars of the API's names only; which parameter holds which is the facts' business.

use crate::arguments::Upid;

/// A volume that a request names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// `storage:path`.
    pub volid: String,
    pub storage: String,
    /// The guests that its name gives it to.
    pub owners: Vec<u32>,
    /// An image, a template or the like, which belongs to no guest.
    pub shared: bool,
    /// A backup.
    pub backup: bool,
}

/// What the value of a disk is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disk {
    /// An empty drive.
    Nothing,
    /// A path of the host's own file system, or something that cannot be told.
    Path,
    /// A volume that will be made on this storage.
    New(String),
    Volume(Volume),
}

/// The guest in `100`, `vm:100`, `ct:100` and `100-0`.
pub fn guest(text: &str) -> Option<u32> {
    let text = text.rsplit(':').next().unwrap_or(text);
    let digits = text.split('-').next().unwrap_or(text);
    digits.parse().ok()
}

/// The API's truth of a boolean.
pub fn truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "1" | "on" | "yes" | "true")
}

/// The node of a task, and the guest that it is about.
pub fn task(text: &str) -> Option<(String, Option<u32>)> {
    let upid = Upid::parse(text).ok()?;
    let vmid = guest(upid.id()).filter(|vmid| *vmid >= 100);
    Some((upid.node().as_str().to_owned(), vmid))
}

/// What a disk's value names; `storage` is the one that the path names, for values without their own.
pub fn volume(text: &str, storage: Option<&str>) -> Disk {
    let text = text.trim();
    if matches!(text, "" | "none" | "cdrom") {
        return Disk::Nothing;
    }
    let (storage, path) = match text.split_once(':') {
        Some((storage, path)) if !storage.contains('/') => (storage, path),
        _ if text.starts_with('/') => return Disk::Path,
        _ => match storage {
            Some(storage) => (storage, text),
            // `rootfs=8` makes a volume on the storage of another parameter.
            None if is_size(text) => return Disk::Nothing,
            None => return Disk::Path,
        },
    };
    if is_size(path) || path == "cloudinit" {
        return Disk::New(storage.to_owned());
    }
    let content = path.split_once('/').map_or("", |(content, _)| content);
    let shared = matches!(content, "iso" | "vztmpl" | "snippets" | "import");
    let backup = content == "backup";
    let owners = match (shared, backup) {
        (true, _) => Vec::new(),
        (false, true) => archived(path).into_iter().collect(),
        (false, false) => owners(path),
    };
    let (volid, storage) = (format!("{storage}:{path}"), storage.to_owned());
    Disk::Volume(Volume { volid, storage, owners, shared, backup })
}

/// `32` or `0.5`: a volume of so many GiB is made.
fn is_size(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.split_once('.') {
        None => digits(text),
        Some((whole, part)) => digits(whole) && digits(part),
    }
}

/// The guest of `backup/vzdump-qemu-100-….vma.zst` and `backup/vm/100/…`.
fn archived(path: &str) -> Option<u32> {
    let mut parts = path.split('/').skip(1);
    let name = parts.next()?;
    if matches!(name, "vm" | "ct") {
        return parts.next()?.parse().ok();
    }
    let mut words = path.rsplit('/').next()?.split('-');
    (words.next()? == "vzdump").then_some(())?;
    matches!(words.next()?, "qemu" | "lxc" | "openvz").then_some(())?;
    words.next()?.parse().ok()
}

/// The guests of `vm-100-disk-0`, `100/vm-100-disk-0.qcow2` and `base-100-disk-0/vm-101-disk-0` (101: the first part is
/// what it was cloned from).
fn owners(path: &str) -> Vec<u32> {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or(path);
    let folder = parts.next().and_then(|folder| folder.parse().ok());
    let mut words = name.split('-');
    let kind = words.next().unwrap_or_default();
    let owned = matches!(kind, "vm" | "base" | "subvol" | "basevol");
    let named = words.next().filter(|_| owned).and_then(|id| id.split('.').next()?.parse().ok());
    let mut owners: Vec<u32> = [folder, named].into_iter().flatten().collect();
    owners.dedup();
    owners
}
