//! A cluster in a process of its own, as a person's cluster is, and a home folder with nothing in it.

use crate::common::{self, Piped, binary};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Child;

/// The sandbox as a separate process, on a free port.
pub struct Apart {
    child: Child,
    pub port: u16,
    /// `AB:CD:…`.
    pub fingerprint: String,
    pub password: String,
    /// `user@realm!name=secret`.
    pub auditor: String,
    told: Value,
}

impl Apart {
    pub fn start(further: &[&str]) -> Apart {
        let mut arguments = vec!["sandbox", "--listen", "127.0.0.1:0", "--json", "--task-time", "0", "--real-time"];
        arguments.extend_from_slice(further);
        let Piped { child, lines, .. } = Piped::start(&mut binary(&arguments, &[]));
        let mut text = String::new();
        let told = loop {
            text += &lines.recv_timeout(common::PATIENCE).expect("it says where it listens");
            text.push('\n');
            if let Ok(told) = serde_json::from_str::<Value>(&text) {
                break told;
            }
        };
        let word = |name: &str| told[name].as_str().unwrap_or_else(|| panic!("no {name} in {told}")).to_owned();
        let port = u16::try_from(told["port"].as_u64().expect("a port")).expect("a port");
        let (fingerprint, password, auditor) = (word("fingerprint"), word("password"), word("auditor_token"));
        Apart { child, port, fingerprint, password, auditor, told: told.clone() }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The token that may do everything.
    pub fn token(&self) -> String {
        self.told["token"].as_str().expect("a token").to_owned()
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home folder.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Home {
        Home { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn text(&self, below: &str) -> String {
        std::fs::read_to_string(self.path(below)).unwrap_or_else(|error| panic!("{below}: {error}"))
    }

    pub fn write(&self, below: &str, text: &str) -> String {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, text).expect("writable");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("ours");
        }
        path.display().to_string()
    }

    /// The environment of somebody who lives here, with the config file in its usual place.
    pub fn environment(&self) -> Vec<(String, String)> {
        let home = self.folder.path().display().to_string();
        vec![("HOME".to_owned(), home.clone()), ("XDG_CONFIG_HOME".to_owned(), format!("{home}/.config"))]
    }
}

/// What a run of the program said, and how it ended.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the program as somebody who lives in `home`, without a terminal.
pub fn run(home: &Home, arguments: &[&str]) -> Ran {
    run_with(home, arguments, &[])
}

pub fn run_with(home: &Home, arguments: &[&str], more: &[(&str, &str)]) -> Ran {
    let own = home.environment();
    let mut environment: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
    environment.extend_from_slice(more);
    let output = common::run(arguments, &environment);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().expect("a code"), out: text(&output.stdout), err: text(&output.stderr) }
}

#[track_caller]
pub fn has(text: &str, parts: &[&str]) {
    // A table breaks its lines where the width ends.
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in parts {
        assert!(text.contains(part) || flat.contains(part), "`{part}` is missing in:\n{text}");
    }
}
