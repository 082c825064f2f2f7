//! Which guest is meant: by id or by name, perhaps with the node and the kind.
//!
//! Knows how callers name guests; must not know which guests there are.

use super::describe;
use super::fields::{Fields, Source};
use super::problem::Problem;
use super::scalar::integer;
use super::segment::Segment;
use crate::tool::{Argument, Kind};
use serde_json::Value;

/// A guest as the caller named it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuestRef {
    pub guest: GuestId,
    /// The node that the caller said it is on.
    pub node: Option<Segment>,
    /// The kind that the caller said or the called name fixes; a kind from a default is not kept, as the looked-up
    /// one wins over it anyway.
    pub kind: Option<Kind>,
    /// The name of the tool fixes the kind.
    pub preset: bool,
}

/// By what a guest is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuestId {
    Id(u32),
    /// Has to be unique in the cluster.
    Name(String),
}

/// Guest ids of the API (format `pve-vmid`).
const IDS: std::ops::RangeInclusive<i64> = 100..=999_999_999;

impl Fields<'_> {
    /// A guest by id or name, with the node and kind if they were said.
    pub fn guest(
        &mut self,
        vmid: &'static Argument,
        node: &'static Argument,
        kind: &'static Argument,
    ) -> Option<GuestRef> {
        let guest = self.take(vmid).and_then(|taken| self.guest_id(vmid, &taken.value));
        // All three are read before any of them ends it, so that all their problems come at once. The outer `None` is
        // bad, the inner one absent.
        let node = match self.take(node) {
            Some(_) => self.segment(node).map(Some),
            None if node.required => None,
            None => Some(None),
        };
        let kind = match self.take(kind) {
            Some(taken) => self.kind(kind, &taken.value).map(|kind| Some((kind, taken.source))),
            None if kind.required => None,
            None => Some(None),
        };
        let (guest, node, kind) = (guest?, node?, kind?.filter(|(_, source)| *source != Source::Default));
        let preset = kind.is_some_and(|(_, source)| source == Source::Preset);
        Some(GuestRef { guest, node, kind: kind.map(|(kind, _)| kind), preset })
    }

    /// The kind of guest that an argument names, if it was given; `vm` and `ct` are understood too.
    pub(super) fn kind(&mut self, argument: &'static Argument, value: &Value) -> Option<Kind> {
        let said = value.as_str().unwrap_or_default().trim().to_ascii_lowercase();
        if self.turned_down(argument, &said) {
            return None;
        }
        let kind = match said.as_str() {
            "qemu" | "vm" | "kvm" => Some(Kind::Qemu),
            "lxc" | "ct" | "container" => Some(Kind::Lxc),
            _ => None,
        };
        if kind.is_none() {
            let near = proxmox_spec::nearest(&said, ["qemu", "lxc"]);
            let problem = Problem::new(self.spelled(argument), "is not a kind of guest").came(value).meant(near);
            self.record(problem.expected(describe::one_of(&["qemu", "lxc"])));
        }
        kind
    }

    fn guest_id(&mut self, argument: &'static Argument, value: &Value) -> Option<GuestId> {
        let wrong = match (integer(value), value) {
            (Some(id), _) => match u32::try_from(id).ok().filter(|_| IDS.contains(&id)) {
                Some(id) => return Some(GuestId::Id(id)),
                None => "is outside of the range of guest ids",
            },
            (None, Value::String(name)) => match name.trim() {
                "" => "is empty",
                name if name.chars().any(|letter| letter.is_control() || letter == '/') => {
                    "holds characters that no guest's name has"
                }
                name if name.chars().count() > 255 => "is longer than any guest's name",
                name => return Some(GuestId::Name(name.to_owned())),
            },
            _ => "is neither an id nor a name",
        };
        self.bad(argument, value, wrong);
        None
    }
}
