//! Config files: what is wrong is told without repeating a value, and what is right becomes settings or a clear refusal.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_mcp::settings::{Flags, Layers, file};
use std::path::Path;

/// Stands in values of the seeds. What is told of a file that is not understood must not hold it.
const SECRET: &str = "s3cr3t";

fuzz_target!(|text: &str| {
    let read = match file::parse(Path::new("/etc/config.toml"), text) {
        Ok(read) => read,
        Err(error) => {
            let says = error.to_string();
            shown(&says);
            assert!(!says.contains(SECRET) || !only_in_values(text), "{says}");
            return;
        }
    };
    let environment = |name: &str| (name == "PROXMOX_TOKEN_VALUE").then(|| SECRET.to_owned());
    match Layers::with(&Flags::default(), &environment, Some(read)).load() {
        Ok(loaded) => {
            assert!(!loaded.clusters.is_empty());
            for settings in &loaded.clusters {
                assert!(!format!("{settings:?}").contains(SECRET) || text.contains(SECRET), "a secret is printed");
            }
            loaded.notices.iter().for_each(|(_, text)| shown(text));
        }
        Err(error) => shown(&error.to_string()),
    }
});

/// It goes to a terminal.
fn shown(says: &str) {
    assert!(!says.is_empty());
    let odd = says.chars().find(|letter| letter.is_control() && *letter != '\n');
    assert!(odd.is_none(), "{odd:?} in {says}");
}

/// Names of keys and tables may be repeated. Texts of several lines make it hard to say which is which.
fn only_in_values(text: &str) -> bool {
    let named = |line: &str| line.contains('[') || line.split('=').next().is_some_and(|key| key.contains(SECRET));
    !text.contains("\"\"\"") && !text.contains("'''") && !text.contains('{') && !text.lines().any(named)
}
