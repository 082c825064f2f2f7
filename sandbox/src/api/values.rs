//! The values of options: how the configuration keeps them, and those that are refused although they are well formed.
//!
//! Knows single values; what a change does to a guest is in `config`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    answer::Failure,
    cluster::Cluster,
    guest::{Kind, indexed},
};

/// What the built-in processor models of QEMU begin with; models of one's own begin with `custom-`.
const MODELS: [&str; 32] = [
    "486",
    "Broadwell",
    "Cascadelake-Server",
    "Conroe",
    "Cooperlake",
    "EPYC",
    "GraniteRapids",
    "Haswell",
    "Icelake",
    "IvyBridge",
    "KnightsMill",
    "Nehalem",
    "Opteron_G",
    "Penryn",
    "SandyBridge",
    "SapphireRapids",
    "SierraForest",
    "Skylake",
    "Westmere",
    "athlon",
    "core2duo",
    "coreduo",
    "host",
    "kvm32",
    "kvm64",
    "max",
    "pentium",
    "phenom",
    "qemu32",
    "qemu64",
    "x86-64-v",
    "custom-",
];

/// An option's value as the configuration keeps it.
pub(super) fn normal(kind: Kind, option: &str, text: &str) -> Value {
    match option {
        "tags" => {
            let tags: BTreeSet<String> = crate::request::split_list(&text.to_lowercase()).into_iter().collect();
            json!(tags.into_iter().collect::<Vec<_>>().join(";"))
        }
        "description" if kind == Kind::Lxc && !text.ends_with('\n') => json!(format!("{text}\n")),
        "boot" if text.is_empty() => json!(" "),
        _ => kind.option_value(option, text),
    }
}

/// Values that nobody but root may set, where the option itself is free.
pub(super) fn check_root_only(kind: Kind, option: &str, text: &str) -> Result<(), Failure> {
    let refused = |why: &str| Err(Failure::die(format!("only root can {why}")));
    if kind == Kind::Lxc {
        return Ok(());
    }
    if option == "hookscript" {
        return refused(&format!("set '{option}' config"));
    }
    if indexed(option, "hostpci") && !text.contains("mapping=") {
        return refused(&format!("set '{option}' config for non-mapped devices"));
    }
    if indexed(option, "usb") && !text.contains("mapping=") && !text.contains("spice") {
        return refused(&format!("set '{option}' config for real devices"));
    }
    if indexed(option, "serial") && text != "socket" {
        return refused(&format!("modify '{option}' config for real devices"));
    }
    Ok(())
}

/// A script has to be there.
pub(super) fn check_script(cluster: &Cluster, node: &str, option: &str, text: &str) -> Result<(), Failure> {
    if option != "hookscript" {
        return Ok(());
    }
    if cluster.volume(node, text).is_none() {
        return Err(Failure::param(option, format!("script '{text}' does not exist\n")));
    }
    Ok(())
}

/// A processor model has to be one that there is.
pub(super) fn check_processor(kind: Kind, option: &str, text: &str) -> Result<(), Failure> {
    if kind != Kind::Qemu || option != "cpu" {
        return Ok(());
    }
    let first = text.split(',').next().unwrap_or_default();
    let model = first.strip_prefix("cputype=").unwrap_or(first);
    if model.is_empty() || model.contains('=') || MODELS.iter().any(|known| model.starts_with(known)) {
        return Ok(());
    }
    let text = format!("invalid format - Built-in cputype '{model}' is not defined (missing 'custom-' prefix?)\n");
    Err(Failure::param("cpu", text))
}
