//! What the items of a collection have beyond what was written: constants, defaults, a digest.
//!
//! Knows collections by their path template. What needs code is a handler's business, not a trait.

use serde_json::{Map, Value, json};

/// The peculiarities of a collection's items.
#[derive(Default)]
pub(super) struct Traits {
    /// Every answer has the file's digest, declared or not.
    pub digest: bool,
    /// An item read by its path tells its key, declared or not.
    pub keyed: bool,
    /// An item read by its path does not tell its key, declared or not.
    pub nameless: bool,
    /// Fields that are declared as required and are not there all the same.
    pub bare: bool,
    /// Fields that every item has, unless it was written otherwise.
    pub constants: &'static [(&'static str, &'static str)],
    /// Numbers and truth values that the list tells of every item.
    pub listed: &'static [(&'static str, i64)],
}

/// The traits of the collection at this path template.
pub(super) fn of(path: &str) -> Traits {
    let none = Traits::default();
    match path {
        "/cluster/mapping/dir" => {
            Traits { digest: true, bare: true, nameless: true, constants: &[("type", "dir")], ..none }
        }
        "/cluster/mapping/pci" => {
            Traits { digest: true, bare: true, nameless: true, constants: &[("type", "pci")], ..none }
        }
        "/cluster/mapping/usb" => {
            Traits { digest: true, bare: true, nameless: true, constants: &[("type", "usb")], ..none }
        }
        "/cluster/sdn/vnets" => Traits { constants: &[("type", "vnet")], ..none },
        "/cluster/sdn/dns" | "/cluster/sdn/ipams" | "/cluster/sdn/prefix-lists" => {
            Traits { digest: true, keyed: true, ..none }
        }
        "/cluster/sdn/vnets/{vnet}/subnets" => Traits { digest: true, keyed: true, ..none },
        "/cluster/notifications/matchers" => Traits { constants: &[("origin", "user-created")], ..none },
        "/cluster/notifications/endpoints/gotify"
        | "/cluster/notifications/endpoints/sendmail"
        | "/cluster/notifications/endpoints/smtp"
        | "/cluster/notifications/endpoints/webhook" => Traits { constants: &[("origin", "user-created")], ..none },
        "/cluster/jobs/realm-sync" => Traits { listed: &[("enabled", 1)], ..none },
        _ => none,
    }
}

/// Adds the constants to an item that is shown.
pub(super) fn tell(traits: &Traits, fields: &mut Map<String, Value>) {
    for (name, text) in traits.constants {
        fields.entry((*name).to_owned()).or_insert(json!(text));
    }
}

/// Adds what only the list tells.
pub(super) fn tell_in_list(traits: &Traits, fields: &mut Map<String, Value>) {
    tell(traits, fields);
    for (name, number) in traits.listed {
        fields.entry((*name).to_owned()).or_insert(json!(number));
    }
}
