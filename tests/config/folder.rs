//! The file `.env` of the folder in which the program was started, and who may have written it.

use crate::common::binary;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use tempfile::{TempDir, tempdir};

/// A home with this config file, and a folder in it with this `.env`.
fn world(config: Option<&str>, dotenv: &str) -> TempDir {
    let home = tempdir().expect("a folder");
    if let Some(text) = config {
        let folder = home.path().join(".config/proxmox-mcp");
        fs::create_dir_all(&folder).expect("writable");
        fs::write(folder.join("config.toml"), text).expect("writable");
    }
    fs::create_dir(home.path().join("work")).expect("writable");
    fs::write(home.path().join("work/.env"), dotenv).expect("writable");
    home
}

/// Runs it in the folder; gives the code and all that was said.
fn run(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = binary(arguments, variables);
    command.env_remove("PROXMOX_CONFIRM").env("HOME", home).current_dir(home.join("work")).stdin(Stdio::null());
    let output = command.output().expect("runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

const HOME: &str = "[clusters.home]\nhost = \"127.0.0.1:1\"\ntoken_name = \"mcp@pve!mcp\"\n\
                    token_value_file = \"~/no-such-file\"\nretry_attempts = 1\n";

const MORE: &str = "PROXMOX_TIER=admin\nPROXMOX_CONFIRM=off\nPROXMOX_INSECURE=true\n";

#[test]
fn a_file_of_the_folder_changes_nothing_that_was_set_elsewhere() {
    let home = world(Some(HOME), MORE);
    let (code, said) = run(home.path(), &["config", "show"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("admin") && !said.contains("PROXMOX_CONFIRM"), "{said}");
    assert!(said.contains("the file .env in this folder is not used") && said.contains("give --config none"), "{said}");

    let bare = world(None, MORE);
    let host =
        [("PROXMOX_HOST", "127.0.0.1:1"), ("PROXMOX_TOKEN_NAME", "mcp@pve!mcp"), ("PROXMOX_TOKEN_VALUE", "a-secret")];
    let (code, said) = run(bare.path(), &["config", "show"], &host);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains("admin") && said.contains("PROXMOX_HOST in the environment says which"), "{said}");
    let (_, said) = run(bare.path(), &["--host", "127.0.0.1:1", "config", "show"], &host[1..]);
    assert!(!said.contains("admin") && said.contains("because --host says which"), "{said}");
}

#[test]
fn a_file_of_the_folder_starts_no_program_and_reaches_no_other_file() {
    let ran =
        "PROXMOX_HOST=127.0.0.1:1\nPROXMOX_TOKEN_NAME=a@pve!b\nPROXMOX_TOKEN_VALUE_COMMAND='/usr/bin/touch ran'\n";
    for (config, text, code, name) in [
        (None, ran.to_owned(), 2, "PROXMOX_TOKEN_VALUE_COMMAND"),
        (Some(HOME), ran.to_owned(), 4, "not used"),
        (None, "PROXMOX_CONFIG=other.toml\n".to_owned(), 2, "PROXMOX_CONFIG"),
        (None, format!("{MORE}PROXMOX_PASSWORD_FILE=~/secret\n"), 2, "PROXMOX_PASSWORD_FILE"),
        (None, format!("{MORE}PROXMOX_TOKEN_VALUE_KEYRING=a/b\n"), 2, "PROXMOX_TOKEN_VALUE_KEYRING"),
        (None, format!("{MORE}PROXMOX_AUDIT=/tmp/log\n"), 2, "PROXMOX_AUDIT"),
    ] {
        let home = world(config, &text);
        fs::write(home.path().join("work/other.toml"), "tier = \"admin\"\n").expect("writable");
        let (ended, said) = run(home.path(), &["call", "get_version"], &[]);
        assert!(said.contains(name), "{said}");
        assert!(!home.path().join("work/ran").exists(), "{text}");
        if config.is_none() {
            assert_eq!(ended, Some(code), "{said}");
            assert!(said.contains("config path"), "{said}");
        }
    }
}

#[test]
fn a_file_that_belongs_to_something_else_is_in_nobodys_way() {
    let odd = "services: { web: { image: x } }\n\t- \"\n";
    let home = world(Some(HOME), odd);
    let (code, said) = run(home.path(), &["config", "show"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(!said.contains(".env"), "{said}");
}

#[test]
fn a_file_of_the_folder_names_a_cluster_where_nothing_else_does() {
    let text = "# mine\nexport PROXMOX_HOST='127.0.0.1:1'\nPROXMOX_TOKEN_NAME=\"a@pve!b\"\nPROXMOX_TOKEN_VALUE=a\\$b\n\
                PROXMOX_TIER=operate\nHTTPS_PROXY=http://127.0.0.1:2\n";
    let home = world(None, text);
    let (code, said) = run(home.path(), &["config", "show"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("127.0.0.1:1") && said.contains("operate") && !said.contains("a$b"), "{said}");
    // What is no setting of this program stays where it is.
    let (_, said) = run(home.path(), &["call", "get_version", "--retry-attempts", "1"], &[]);
    assert!(!said.contains("127.0.0.1:2") && !said.contains("HTTPS_PROXY"), "{said}");
    let home = world(Some(HOME), text);
    let (code, said) = run(home.path(), &["config", "show", "--config", "none"], &[]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("operate") && !said.contains("clusters.home"), "{said}");
}
