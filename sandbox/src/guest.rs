//! Virtual machines and containers as state: configuration, pending changes, snapshots, power.
//!
//! Knows what a guest is; which request changes it how is the handlers' business.

use std::collections::BTreeMap;

use proxmox_spec::{Type, Verb, find};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// An option's value as the API shows it: a number for integers and booleans, else a text.
pub(crate) type Config = BTreeMap<String, Value>;

/// The two kinds of guests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A virtual machine.
    Qemu,
    /// A container.
    Lxc,
}

/// Whether a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Power {
    /// Off.
    Stopped,
    /// On.
    Running,
    /// A virtual machine whose processors stand still.
    Paused,
}

#[derive(Debug, Clone)]
pub(crate) struct Guest {
    pub vmid: u32,
    pub kind: Kind,
    pub node: String,
    pub config: Config,
    /// Changes that wait for a stop; `None` = the option goes away.
    pub pending: BTreeMap<String, Option<Value>>,
    pub snapshots: Vec<Snapshot>,
    /// The snapshot that the present state comes from.
    pub parent: Option<String>,
    pub power: Power,
    /// When it was started, in milliseconds since 1970.
    pub started: i64,
    /// The process id of a running guest.
    pub pid: u32,
    pub lock: Option<String>,
    /// An agent answers inside the virtual machine.
    pub agent_answers: bool,
    /// The operating system does not react to a request to shut down.
    pub deaf: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub name: String,
    pub description: String,
    pub parent: Option<String>,
    /// Seconds since 1970.
    pub time: i64,
    /// Holds the memory of a running virtual machine.
    pub memory: bool,
    pub config: Config,
}

impl Kind {
    /// `qemu` or `lxc`, as in paths.
    pub const fn as_str(self) -> &'static str {
        match self {
            Kind::Qemu => "qemu",
            Kind::Lxc => "lxc",
        }
    }

    /// `VM` or `CT`, as in messages.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Kind::Qemu => "VM",
            Kind::Lxc => "CT",
        }
    }

    /// The kind that a path of the API names.
    pub(crate) fn of_path(path: &str) -> Kind {
        if path.split('/').nth(3) == Some("lxc") { Kind::Lxc } else { Kind::Qemu }
    }

    /// The configuration file, as error messages name it.
    pub(crate) fn file(self, node: &str, vmid: u32) -> String {
        let folder = match self {
            Kind::Qemu => "qemu-server",
            Kind::Lxc => "lxc",
        };
        format!("nodes/{node}/{folder}/{vmid}.conf")
    }

    /// The template of the method that reads or writes the configuration.
    fn config_path(self) -> &'static str {
        match self {
            Kind::Qemu => "/nodes/{node}/qemu/{vmid}/config",
            Kind::Lxc => "/nodes/{node}/lxc/{vmid}/config",
        }
    }

    /// Whether the configuration has an option of that name.
    pub(crate) fn has_option(self, name: &str) -> bool {
        const NOT_OPTIONS: [&str; 9] = [
            "delete",
            "digest",
            "revert",
            "force",
            "skiplock",
            "background_delay",
            "node",
            "vmid",
            "import-working-storage",
        ];
        !NOT_OPTIONS.contains(&name) && find(Verb::Put, self.config_path()).is_some_and(|m| m.param(name).is_some())
    }

    /// An option's value as the API stores and shows it.
    pub(crate) fn option_value(self, name: &str, text: &str) -> Value {
        let ty = find(Verb::Put, self.config_path()).and_then(|m| m.param(name)).map(|param| param.ty);
        match (ty, text.parse::<i64>()) {
            (Some(Type::Integer | Type::Boolean), Ok(number)) => json!(number),
            _ => json!(text),
        }
    }
}

impl Guest {
    pub(crate) fn running(&self) -> bool {
        self.power != Power::Stopped
    }

    pub(crate) fn is_template(&self) -> bool {
        self.config.get("template") == Some(&json!(1))
    }

    pub(crate) fn text(&self, option: &str) -> Option<&str> {
        self.config.get(option).and_then(Value::as_str)
    }

    /// The name as lists show it.
    pub(crate) fn name(&self) -> String {
        let (option, default) = match self.kind {
            Kind::Qemu => ("name", format!("VM {}", self.vmid)),
            Kind::Lxc => ("hostname", format!("CT{}", self.vmid)),
        };
        self.text(option).map_or(default, str::to_owned)
    }

    pub(crate) fn number(&self, option: &str, default: u64) -> u64 {
        match self.config.get(option) {
            Some(Value::Number(number)) => number.as_u64().unwrap_or(default),
            Some(Value::String(text)) => text.parse().unwrap_or(default),
            _ => default,
        }
    }

    /// Bytes.
    pub(crate) fn memory(&self) -> u64 {
        self.number("memory", 512) * 1024 * 1024
    }

    pub(crate) fn processors(&self) -> u64 {
        match self.kind {
            Kind::Qemu => self.number("cores", 1) * self.number("sockets", 1),
            Kind::Lxc => self.number("cores", 2),
        }
    }

    pub(crate) fn digest(&self) -> String {
        let mut hash = Sha1::new();
        hash.update(format!("{:?}{:?}{:?}{:?}", self.config, self.pending, self.lock, self.parent));
        for snapshot in &self.snapshots {
            hash.update(format!("{:?}{:?}{:?}", snapshot.name, snapshot.description, snapshot.config));
        }
        hex(&hash.finalize())
    }

    pub(crate) fn snapshot(&self, name: &str) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.name == name)
    }

    /// The configuration with everything that waits for a stop applied.
    pub(crate) fn future_config(&self) -> Config {
        let mut config = self.config.clone();
        for (option, change) in &self.pending {
            match change {
                Some(value) => config.insert(option.clone(), value.clone()),
                None => config.remove(option),
            };
        }
        config
    }

    /// Applies what waited for a stop.
    pub(crate) fn apply_pending(&mut self) {
        self.config = self.future_config();
        self.pending.clear();
    }

    /// Every option that holds a volume: name and volume id, in the order of names.
    pub(crate) fn volumes(&self) -> Vec<(String, String)> {
        volumes_of(&self.config)
    }

    /// The lock that the configuration shows, as an error.
    pub(crate) fn check_lock(&self) -> Result<(), String> {
        match &self.lock {
            Some(lock) => Err(format!("{} is locked ({lock})", self.kind.label())),
            None => Ok(()),
        }
    }
}

/// Every option of a configuration that holds a volume: name and volume id.
pub(crate) fn volumes_of(config: &Config) -> Vec<(String, String)> {
    config
        .iter()
        .filter(|(option, _)| is_volume_option(option))
        .filter_map(|(option, value)| Some((option.clone(), file_of(value.as_str()?).to_owned())))
        .filter(|(_, volid)| volid.contains(':'))
        .collect()
}

/// The volume id at the front of a disk option (`file=` and `volume=` may stand before it).
pub(crate) fn file_of(value: &str) -> &str {
    let first = value.split(',').next().unwrap_or_default();
    first.strip_prefix("file=").or_else(|| first.strip_prefix("volume=")).unwrap_or(first)
}

/// True for the option names that hold volumes, unused ones included.
pub(crate) fn is_volume_option(option: &str) -> bool {
    option == "rootfs" || is_disk(option) || indexed(option, "unused") || indexed(option, "mp")
}

/// True for the drives of a virtual machine.
pub(crate) fn is_disk(option: &str) -> bool {
    ["scsi", "virtio", "sata", "ide", "efidisk", "tpmstate"].iter().any(|base| indexed(option, base))
}

/// True for `base` followed by digits.
pub(crate) fn indexed(option: &str, base: &str) -> bool {
    option.strip_prefix(base).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// True when the drive is a CD-ROM (no disk of its own).
pub(crate) fn is_cdrom(value: &str) -> bool {
    value.split(',').any(|part| part == "media=cdrom") || value.starts_with("none") || value.starts_with("cdrom")
}

/// The size that a disk option names, in bytes.
pub(crate) fn size_of(value: &str) -> Option<u64> {
    value.split(',').find_map(|part| part.strip_prefix("size=")).and_then(parse_size)
}

/// `1G`, `512M`, `104858K`, `1048576`: bytes.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let (number, factor) = match text.chars().last()? {
        'K' => (&text[..text.len() - 1], 1_u64 << 10),
        'M' => (&text[..text.len() - 1], 1 << 20),
        'G' => (&text[..text.len() - 1], 1 << 30),
        'T' => (&text[..text.len() - 1], 1 << 40),
        _ => (text, 1),
    };
    let value: f64 = number.parse().ok().filter(|value: &f64| *value >= 0.0)?;
    Some((value * factor as f64) as u64)
}

/// The largest unit that holds the size without a rest, as the API writes sizes.
pub(crate) fn print_size(bytes: u64) -> String {
    for (unit, factor) in [("T", 1_u64 << 40), ("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)] {
        if bytes >= factor && bytes.is_multiple_of(factor) {
            return format!("{}{unit}", bytes / factor);
        }
    }
    bytes.to_string()
}

/// The disk option with another size.
pub(crate) fn with_size(value: &str, bytes: u64) -> String {
    let mut parts: Vec<String> =
        value.split(',').filter(|part| !part.starts_with("size=")).map(str::to_owned).collect();
    parts.push(format!("size={}", print_size(bytes)));
    parts.join(",")
}

/// The disk option with another volume.
pub(crate) fn with_volume(value: &str, volid: &str) -> String {
    match value.split_once(',') {
        Some((_, rest)) => format!("{volid},{rest}"),
        None => volid.to_owned(),
    }
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_in_the_largest_whole_unit() {
        assert_eq!(print_size(3073 << 20), "3073M");
        assert_eq!(print_size(104_858 << 10), "104858K");
        assert_eq!(parse_size("1.5G"), Some(1_610_612_736));
        assert_eq!(with_size("a:b,iothread=1,size=1G", 2 << 30), "a:b,iothread=1,size=2G");
    }
}
