//! The entry of this server in the settings of an MCP client: printed, or put into the client's own file.
//!
//! Knows where the clients keep their files and how an entry looks there. Other entries and their order stay; a file
//! that is no plain JSON is not touched.

use crate::settings::table::{by_variable, connects};
use crate::whole;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// A client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Client {
    ClaudeDesktop,
    ClaudeCode,
    Vscode,
    Cursor,
    None,
}

/// Our name in a client's settings.
const NAME: &str = "proxmox";

/// How the server is started.
#[derive(Debug, Clone)]
pub struct Launch {
    pub program: String,
    pub arguments: Vec<String>,
}

impl Client {
    pub fn title(self) -> &'static str {
        match self {
            Client::ClaudeDesktop => "Claude Desktop",
            Client::ClaudeCode => "Claude Code",
            Client::Vscode => "VS Code",
            Client::Cursor => "Cursor",
            Client::None => "no client",
        }
    }

    /// The object that holds the servers.
    fn key(self) -> &'static str {
        if self == Client::Vscode { "servers" } else { "mcpServers" }
    }

    fn entry(self, launch: &Launch) -> Value {
        let mut entry = Map::new();
        if matches!(self, Client::Vscode | Client::ClaudeCode) {
            entry.insert("type".to_owned(), json!("stdio"));
        }
        entry.insert("command".to_owned(), json!(launch.program));
        entry.insert("args".to_owned(), json!(launch.arguments));
        Value::Object(entry)
    }

    /// What a person puts in by hand.
    pub fn printed(self, launch: &Launch) -> String {
        if self == Client::ClaudeCode {
            let words = std::iter::once(&launch.program).chain(&launch.arguments);
            let words = words.map(|word| shell_words::quote(word).into_owned()).collect::<Vec<_>>().join(" ");
            return format!("claude mcp add --scope user --transport stdio {NAME} -- {words}\n");
        }
        format!("{:#}\n", json!({ self.key(): { NAME: self.entry(launch) } }))
    }

    /// The client's own file; `None` = it has none here, or no home is known.
    pub fn file(self, environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
        let home = || environment("HOME").or_else(|| environment("USERPROFILE")).map(PathBuf::from);
        // Where programs of the desktop keep their settings.
        let settings = || {
            if cfg!(target_os = "macos") {
                Some(home()?.join("Library/Application Support"))
            } else if cfg!(windows) {
                environment("APPDATA").map(PathBuf::from)
            } else {
                let config = environment("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
                config.or_else(|| Some(home()?.join(".config")))
            }
        };
        match self {
            Client::ClaudeDesktop => Some(settings()?.join("Claude/claude_desktop_config.json")),
            Client::Vscode => Some(settings()?.join("Code/User/mcp.json")),
            Client::ClaudeCode => Some(home()?.join(".claude.json")),
            Client::Cursor => Some(home()?.join(".cursor/mcp.json")),
            Client::None => None,
        }
    }

    /// Puts the entry into the client's file, and says what was done.
    ///
    /// # Errors
    /// The file is no plain JSON object, or cannot be written; it is as it was.
    pub fn install(self, file: &Path, launch: &Launch) -> Result<String, String> {
        let at = file.display();
        let old = match std::fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(format!("{at} cannot be read: {error}")),
        };
        let merged = self.merged(old.as_deref().unwrap_or_default(), launch).map_err(|says| format!("{at} {says}"))?;
        let text = merged.text;
        let mut more = String::new();
        if !merged.gone.is_empty() {
            more += &format!(". Its `env` named another connection, which is gone: {}", merged.gone.join(", "));
        }
        if !merged.left.is_empty() {
            more += &format!(". Its `env` wins over the config file: {}", merged.left.join(", "));
        }
        if old.as_deref() == Some(text.as_str()) {
            return Ok(format!("{at} has the entry `{NAME}` already{more}"));
        }
        let failed = |error: std::io::Error| format!("{at} cannot be written: {error}");
        let copy = match &old {
            Some(_) => format!(", the old file is {}", back_up(file).map_err(failed)?.display()),
            None => String::new(),
        };
        whole::replace(file, &text, false).map_err(failed)?;
        Ok(format!("put the entry `{NAME}` into {at}{copy}{more}"))
    }

    /// The client's file with our entry in it.
    fn merged(self, old: &str, launch: &Launch) -> Result<Merged, String> {
        let mut whole: Map<String, Value> = match old.trim() {
            "" => Map::new(),
            old => serde_json::from_str(old)
                .map_err(|error| format!("is no plain JSON object (comments?), so it is not touched: {error}"))?,
        };
        let servers = whole.entry(self.key()).or_insert_with(|| json!({}));
        let Value::Object(servers) = servers else {
            return Err(format!("has something else than an object under `{}`, so it is not touched", self.key()));
        };
        let (mut gone, mut left) = (Vec::new(), Vec::new());
        // What was added to our own entry by hand stays, but for variables that name another connection: they would win
        // over the config file.
        match servers.get_mut(NAME).and_then(Value::as_object_mut) {
            Some(known) => {
                if let Value::Object(entry) = self.entry(launch) {
                    known.extend(entry);
                }
                if let Some(variables) = known.get_mut("env").and_then(Value::as_object_mut) {
                    (gone, left) = variables
                        .keys()
                        .filter(|name| name.starts_with("PROXMOX_"))
                        .cloned()
                        .partition(|name| by_variable(name).is_some_and(|setting| connects(setting.key)));
                    gone.iter().for_each(|name| _ = variables.shift_remove(name));
                }
            }
            None => _ = servers.insert(NAME.to_owned(), self.entry(launch)),
        }
        Ok(Merged { text: format!("{:#}\n", Value::Object(whole)), gone, left })
    }
}

/// A client's file as it will be.
#[derive(Debug, PartialEq, Eq)]
struct Merged {
    text: String,
    /// Variables of our entry that are there no more.
    gone: Vec<String>,
    /// Those of ours that still are.
    left: Vec<String>,
}

/// Copies a file beside itself under a name that is free, and gives the copy's name.
///
/// # Errors
/// As the system says.
fn back_up(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = |number: u32| {
        let suffix = if number == 0 { String::new() } else { format!(".{number}") };
        path.with_file_name(format!("{name}.bak{suffix}"))
    };
    let copy = (0..).map(free).find(|copy| !copy.exists()).unwrap_or_else(|| path.with_extension("bak"));
    std::fs::copy(path, &copy)?;
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch() -> Launch {
        Launch { program: "/usr/local/bin/proxmox-mcp".to_owned(), arguments: Vec::new() }
    }

    #[test]
    fn other_entries_and_their_order_stay() {
        let old = r#"{"theme":"dark","mcpServers":{"zeta":{"command":"z"},"alpha":{"command":"a","env":{"B":"1","A":"2"}}},"last":1}"#;
        let new = Client::Cursor.merged(old, &launch()).expect("merged").text;
        let value: Value = serde_json::from_str(&new).expect("JSON");
        let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["theme", "mcpServers", "last"]);
        let servers: Vec<&String> = value["mcpServers"].as_object().expect("an object").keys().collect();
        assert_eq!(servers, ["zeta", "alpha", "proxmox"]);
        assert_eq!(value["mcpServers"]["alpha"], json!({"command": "a", "env": {"B": "1", "A": "2"}}));
        assert_eq!(Client::Cursor.merged(&new, &launch()).expect("merged").text, new, "once is enough");
    }

    #[test]
    fn variables_of_another_connection_go_and_others_are_told() {
        let old = r#"{"mcpServers":{"proxmox":{"command":"x","env":{"PROXMOX_HOST":"pve9","A":"1","PROXMOX_TIER":"read",
            "PROXMOX_TOKEN_VALUE":"s3cret"}}}}"#;
        let merged = Client::Cursor.merged(old, &launch()).expect("merged");
        let value: Value = serde_json::from_str(&merged.text).expect("JSON");
        assert_eq!(value["mcpServers"]["proxmox"]["env"], json!({"A": "1", "PROXMOX_TIER": "read"}));
        assert_eq!(merged.gone, ["PROXMOX_HOST", "PROXMOX_TOKEN_VALUE"]);
        assert_eq!(merged.left, ["PROXMOX_TIER"]);
    }

    #[test]
    fn what_is_no_plain_json_is_not_touched() {
        for old in ["{\n  // my servers\n  \"servers\": {}\n}", "[]", "{\"servers\": []}", "{\"servers\": {},}"] {
            let says = Client::Vscode.merged(old, &launch()).expect_err(old);
            assert!(says.contains("not touched"), "{says}");
        }
    }

    #[test]
    fn each_client_has_its_own_form() {
        let of = |client: Client| client.printed(&launch());
        assert!(of(Client::ClaudeDesktop).contains("\"mcpServers\""));
        assert!(of(Client::Vscode).contains("\"servers\"") && of(Client::Vscode).contains("\"stdio\""));
        assert!(of(Client::ClaudeCode).starts_with("claude mcp add") && of(Client::ClaudeCode).contains(" -- /usr"));
    }
}
