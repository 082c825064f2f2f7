//! The config file and its layers, `config show`, and many clusters in one server.

#[path = "../common/mod.rs"]
mod common;

#[cfg(all(feature = "sandbox", unix))]
mod clusters;
mod file;
mod folder;
mod layers;
#[cfg(all(feature = "sandbox", unix))]
mod places;
mod show;
#[cfg(all(feature = "sandbox", unix))]
#[path = "../common/world.rs"]
mod world;

use proxmox_mcp::settings::file::File;
use std::path::Path;

/// A file with this text, as if it stood in /etc.
fn parsed(text: &str) -> Result<File, String> {
    proxmox_mcp::settings::file::parse(Path::new("/etc/config.toml"), text).map_err(|error| error.to_string())
}

/// Two clusters, and something for both.
const TWO: &str = r#"
default_cluster = "home"
tier = "read"
confirm = "seal"
timeout = 5000
deny = ["exec_guest"]

[clusters.home]
host = ["pve1.example.org", "pve2.example.org:8007"]
token_name = "mcp@pve!home"
token_value_file = "secrets/home"
tier = "operate"
allow_guests = ["100-199", 300]

[clusters.lab]
description = "for tests"
host = "lab.example.org"
token_name = "mcp@pve!lab"
token_value_command = ["pass", "show", "the lab"]
tier = "admin"
deny = []
insecure = true
"#;
