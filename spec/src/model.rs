//! The vocabulary of the facts: what a method of the Proxmox VE API is, and what its parameters are.
//!
//! Every value lives in one static table that the build writes (`OUT_DIR/table.rs`), so nothing is parsed
//! at start-up. This module knows nothing of tools, of MCP, or of the wire beyond what the facts say.

use std::fmt;

/// An HTTP method. The API answers every other one with 501.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// One method on one path.
#[derive(Debug)]
pub struct Method {
    pub verb: Verb,
    /// The template, e.g. `/nodes/{node}/qemu/{vmid}/config`.
    pub path: &'static str,
    pub segments: &'static [Segment],
    /// The API's own handler name.
    pub name: &'static str,
    /// What it does, in a few words of ours.
    pub title: &'static str,
    /// Rows of the methods that do the same, for the other kind of guest or in an older way.
    pub same: &'static [u16],
    /// Seldom what is wanted: the index of a part of the API, an older way, one half of an exchange.
    pub seldom: bool,
    /// The first version that has it; `6.4` = that one or an earlier one.
    pub since: &'static str,
    /// Sorted by name.
    pub params: &'static [&'static Param],
    /// Takes parameters beyond those listed.
    pub extra_params: bool,
    pub returns: &'static Shape,
    pub upid: Upid,
    pub permissions: &'static Permissions,
    /// False: refuses API tokens.
    pub allow_token: bool,
    /// Served by the root daemon.
    pub protected: bool,
    /// Runs on the node that the path names.
    pub proxy_to_node: bool,
    pub exposes_credentials: bool,
    pub kind: Kind,
    /// Why this method is more dangerous than its HTTP method looks.
    pub danger: Option<&'static Danger>,
    /// What a call that is not a GET can touch; `None` for a GET.
    pub reach: Option<&'static Reach>,
}

/// One segment of a path template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Segment {
    Literal(&'static str),
    Param(&'static str),
    /// Takes the rest of the path, slashes included (`storage/{storage}/content/{volume}`, ipset members).
    Remainder(&'static str),
}

/// How a method reports the task it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upid {
    /// No task.
    Never,
    /// The answer is the UPID.
    Always,
    /// The answer is the UPID or null.
    Optional,
    /// A UPID stands in a field of the answer.
    Field,
    /// A worker runs, null is returned.
    Hidden,
}

/// What kind of exchange a method is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Plain,
    Upload,
    Download,
    Websocket,
    ConsoleTicket,
}

/// A parameter of a method, or a sub-key of a property string.
#[derive(Debug)]
pub struct Param {
    /// The wire name; for indexed parameters the base with `[n]`: `net[n]` stands for `net0`, `net1`, ….
    pub name: &'static str,
    pub ty: Type,
    /// The API's name of the text format (`pve-node`, `dns-name`, `pve-vmid-list`, …).
    pub format: Option<&'static str>,
    /// The enumeration; empty = none.
    pub values: &'static [&'static str],
    /// Perl syntax; the server anchors it on both ends.
    pub pattern: Option<&'static str>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    pub min_length: Option<u32>,
    pub max_length: Option<u32>,
    /// The server's own default, as text.
    pub default: Option<&'static str>,
    pub optional: bool,
    pub in_path: bool,
    /// The highest index of an indexed parameter.
    pub index_max: Option<u32>,
    /// Sub-keys of a property string; empty = the value has no parts.
    pub keys: &'static [&'static Param],
    /// This sub-key may be given without its name.
    pub default_key: bool,
    /// This sub-key is another name of that one.
    pub alias: Option<&'static str>,
    /// `virtio=MAC` means `<key_alias>=virtio,<alias>=MAC`: the sub-key that receives this key's *name*.
    pub key_alias: Option<&'static str>,
    /// The element of an array.
    pub items: Option<&'static Param>,
    /// Must come together with that parameter.
    pub requires: Option<&'static str>,
    /// Which object types have this parameter (`type-property`); empty = all.
    pub instance_types: &'static [&'static str],
    /// Refused to everybody but root@pam with a password: out of reach of every token.
    pub root_only: bool,
    pub since: Option<&'static str>,
    /// Never to be shown or logged (passwords, keys, token values).
    pub secret: bool,
    /// What giving this parameter does beyond what its method says; empty = nothing.
    pub danger: &'static [Danger],
    /// The sort of thing that a value names.
    pub names: Option<Names>,
}

/// The type of a value as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
    Null,
    Any,
}

/// The declared form of an answer (the value of `data`).
#[derive(Debug)]
pub struct Shape {
    pub ty: Type,
    pub format: Option<&'static str>,
    pub values: &'static [&'static str],
    pub optional: bool,
    /// Fields of an object, sorted by name.
    pub fields: &'static [(&'static str, &'static Shape)],
    /// Has no fields beyond those listed.
    pub closed: bool,
    pub items: Option<&'static Shape>,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    /// Holds a password, key or ticket.
    pub secret: bool,
    /// Free text of guests or of other people: whatever it says, it is data.
    pub foreign: bool,
}

/// Who may call a method.
#[derive(Debug)]
pub struct Permissions {
    pub check: Option<&'static Check>,
    /// Every privilege that the check names.
    pub privileges: &'static [&'static str],
    /// More is checked in the method's body.
    pub in_code: bool,
    pub privileges_in_code: &'static [&'static str],
    /// `all` = any authenticated user, `world` = anybody.
    pub user: Option<&'static str>,
    pub root_only: bool,
}

/// The API's own permission expression.
#[derive(Debug)]
pub enum Check {
    And(&'static [Check]),
    Or(&'static [Check]),
    /// `path` is a template such as `/vms/{vmid}`; `any` = one of the privileges is enough.
    Perm {
        path: &'static str,
        privileges: &'static [&'static str],
        any: bool,
        require_param: Option<&'static str>,
    },
    /// Anything else, by its name: `perm-modify`, `userid-group`, `userid-param`, …, with its arguments as text.
    Other {
        name: &'static str,
        arguments: &'static [&'static str],
    },
}

/// One line of the reviewed danger list.
#[derive(Debug)]
pub struct Danger {
    /// Applies only to these values (see [`Danger::applies`]); empty = any value.
    pub values: &'static [&'static str],
    /// The least tier that may use it.
    pub tier: Tier,
    /// The least effect it has.
    pub effect: Effect,
    /// Why, as one sentence for a person.
    pub because: &'static str,
}

/// One line of the reviewed list of what calls reach.
#[derive(Debug)]
pub struct Reach {
    pub extent: Extent,
    /// Touches every disk of the guest in the path.
    pub disks: bool,
    /// Moves guests to another node; those that high availability keeps together with them go as well.
    pub moves: bool,
    /// The call whose parameters describe what is stored at this call's own path.
    pub stored: Option<(Verb, &'static str)>,
    /// The path of the configuration that the guest in the path has afterwards; `*` = as in the request.
    pub becomes: Option<&'static str>,
    /// Why, for a person.
    pub because: &'static str,
}

/// How far a call reaches beyond what its path and parameters name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Not at all.
    Named,
    /// The node in the path as such, with every guest on it.
    Host,
    /// Without a list of guests, every guest of the node.
    ListOfNode,
    /// Without a list of guests, every guest of the cluster.
    ListOfCluster,
    /// Without a guest's id nobody can tell.
    ListOnly,
    /// Nobody can tell.
    Unlisted,
}

/// What a value is the name of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Guests: ids, and ids inside those of high availability (`vm:100`) and replication (`100-0`).
    Guest,
    /// A guest that is made, or overwritten if there is one.
    New,
    /// Guests that a call for many leaves out.
    Excluded,
    Node,
    Storage,
    /// A volume: its storage, and the guest that it belongs to.
    Volume,
    /// As [`Names::Volume`]; it is only read.
    Source,
    Pool,
    /// A pool that stands for its guests.
    Members,
    /// A task: its node, and the guest that it is about.
    Task,
    /// A device of the host, unless it is one of the emulator's own.
    Device,
    /// Something that reaches further than can be told.
    Anything,
    Nothing,
}

/// How much a caller must have been allowed. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Looks, changes nothing, hands out nothing that grants more.
    Read,
    /// Power, snapshot, backup, migrate.
    Operate,
    /// Create and change.
    Configure,
    /// Delete, overwrite, roll back, run commands in guests, users, permissions, hosts.
    Admin,
}

/// What a call does to what exists. Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    None,
    Changes,
    /// Somebody who uses the guest or host notices.
    Interrupts,
    /// What is gone cannot be had back.
    Destroys,
}

impl Verb {
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "GET",
            Verb::Post => "POST",
            Verb::Put => "PUT",
            Verb::Delete => "DELETE",
        }
    }

    pub fn parse(text: &str) -> Option<Verb> {
        [Verb::Get, Verb::Post, Verb::Put, Verb::Delete].into_iter().find(|verb| verb.as_str() == text)
    }
}

impl Tier {
    pub const ALL: [Tier; 4] = [Tier::Read, Tier::Operate, Tier::Configure, Tier::Admin];

    pub const fn as_str(self) -> &'static str {
        match self {
            Tier::Read => "read",
            Tier::Operate => "operate",
            Tier::Configure => "configure",
            Tier::Admin => "admin",
        }
    }

    pub fn parse(text: &str) -> Option<Tier> {
        Tier::ALL.into_iter().find(|tier| tier.as_str() == text)
    }
}

impl Effect {
    pub const ALL: [Effect; 4] = [Effect::None, Effect::Changes, Effect::Interrupts, Effect::Destroys];

    pub const fn as_str(self) -> &'static str {
        match self {
            Effect::None => "none",
            Effect::Changes => "changes",
            Effect::Interrupts => "interrupts",
            Effect::Destroys => "destroys",
        }
    }

    pub fn parse(text: &str) -> Option<Effect> {
        Effect::ALL.into_iter().find(|effect| effect.as_str() == text)
    }
}

impl Danger {
    /// True if giving this value, in a call about this guest, is what the line warns of.
    ///
    /// A value that is a list counts by its elements. `scsi*` stands for `scsi` with digits or nothing behind it. If
    /// the values are written with `!`, every value but those is meant. `@foreign` is an existing volume that is not
    /// the guest's own. `@absent` is for a parameter that is not given, see [`Danger::applies_when_absent`].
    pub fn applies(&self, value: &str, vmid: Option<&str>) -> bool {
        if self.values == ["@foreign"] {
            return foreign(value, vmid);
        }
        let (except, only): (Vec<&str>, Vec<&str>) = self.values.iter().partition(|pattern| pattern.starts_with('!'));
        if !only.is_empty() {
            let elements = crate::format::split_list(value);
            return elements.iter().any(|element| only.iter().any(|pattern| like(pattern, element)));
        }
        !except
            .iter()
            .filter_map(|pattern| pattern.strip_prefix('!'))
            .any(|pattern| pattern.eq_ignore_ascii_case(value))
    }
}

/// `local-lvm:vm-101-disk-0` for guest 100; not `local-lvm:32`, which makes a new volume, nor an image in a CD drive.
fn foreign(value: &str, vmid: Option<&str>) -> bool {
    let mut parts = value.split(',').map(str::trim);
    let volume = parts.clone().find_map(|part| match part.split_once('=') {
        None => Some(part),
        Some(("file" | "volume", volume)) => Some(volume),
        Some(_) => None,
    });
    let Some((_, path)) = volume.and_then(|volume| volume.split_once(':')) else { return false };
    if path.parse::<f64>().is_ok() || path == "cloudinit" || parts.any(|part| part == "media=cdrom") {
        return false;
    }
    // `vm-100-disk-0`, `base-100-disk-0.qcow2`, `subvol-100-disk-0`: the owner's id is the first number of the name.
    let name = path.rsplit('/').next().unwrap_or(path);
    let owner = name.split('-').nth(1);
    owner.is_none() || owner != vmid
}

fn like(pattern: &str, value: &str) -> bool {
    match pattern.strip_suffix('*') {
        None => pattern == value,
        Some(base) => value.strip_prefix(base).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
