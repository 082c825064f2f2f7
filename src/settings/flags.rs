//! The flags of the command line and the variables behind them, as clap sees them.
//!
//! Knows names and help texts; what the values mean is checked in [`super`], so that a variable and a flag give the
//! same messages. Secrets have no flags: a command line can be read by other users of a machine. The table of all settings
//! is in [`super::table`].

use super::fences::FenceFlags;
use super::table::{Setting, TABLE};
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};

/// Connection and limits; every flag has a variable, and the flag wins.
#[derive(Debug, Clone, Default, Args)]
pub struct Flags {
    /// Config file, in TOML; `none` = no file [default: $XDG_CONFIG_HOME/proxmox-mcp/config.toml or
    /// ~/.config/proxmox-mcp/config.toml]
    #[arg(long, env = "PROXMOX_CONFIG", value_name = "FILE", global = true, help_heading = "Connection")]
    pub config: Option<String>,
    /// Which of the config file's clusters are used, separated by commas [default: all]
    #[arg(
        long,
        env = "PROXMOX_CLUSTER",
        value_name = "NAME,…",
        value_delimiter = ',',
        global = true,
        help_heading = "Connection"
    )]
    pub cluster: Vec<String>,
    /// Proxmox VE host: `pve1.example.org`, `pve1:8006`, `https://pve1:8006`, `[2001:db8::1]:8006`; several nodes of one
    /// cluster with commas
    #[arg(long, env = "PROXMOX_HOST", value_name = "HOST", global = true, help_heading = "Connection")]
    pub host: Option<String>,
    /// Port of the API [default: 8006]
    #[arg(long, env = "PROXMOX_PORT", value_name = "PORT", global = true, help_heading = "Connection")]
    pub port: Option<String>,
    /// User that owns the API token, with its realm: `root@pam`, `mcp@pve`
    #[arg(long, env = "PROXMOX_USER", value_name = "USER@REALM", global = true, help_heading = "Connection")]
    pub user: Option<String>,
    /// Name of the API token, or all of it: `mcp` or `mcp@pve!mcp`. Its secret has no flag: PROXMOX_TOKEN_VALUE, or
    /// PROXMOX_TOKEN_VALUE_FILE, _COMMAND or _KEYRING, or the config file
    #[arg(long, env = "PROXMOX_TOKEN_NAME", value_name = "NAME", global = true, help_heading = "Connection")]
    pub token_name: Option<String>,
    /// PEM file of the authority that signed the server's certificate, e.g. a copy of /etc/pve/pve-root-ca.pem
    #[arg(long, env = "PROXMOX_CA_FILE", value_name = "FILE", global = true, help_heading = "Connection")]
    pub ca_file: Option<String>,
    /// SHA-256 fingerprint of the server's certificate, with or without colons: trust this certificate and no other
    #[arg(long, env = "PROXMOX_FINGERPRINT", value_name = "HEX", global = true, help_heading = "Connection")]
    pub fingerprint: Option<String>,
    /// Do not check the server's certificate at all: anybody on the way can read the token. Warns at every start
    #[arg(
        long, env = "PROXMOX_INSECURE", value_name = "BOOL", num_args = 0..=1, require_equals = true,
        default_missing_value = "true", global = true, help_heading = "Connection"
    )]
    pub insecure: Option<String>,
    /// Milliseconds until a request is given up [default: 30000]
    #[arg(long, env = "PROXMOX_TIMEOUT", value_name = "MS", global = true, help_heading = "Connection")]
    pub timeout: Option<String>,
    /// Milliseconds until a connection is given up that is not made [default: 10000, and no more than half of --timeout]
    #[arg(long, env = "PROXMOX_CONNECT_TIMEOUT", value_name = "MS", global = true, help_heading = "Connection")]
    pub connect_timeout: Option<String>,
    /// How often a read is tried in all when the host does not answer [default: 3]
    #[arg(long, env = "PROXMOX_RETRY_ATTEMPTS", value_name = "N", global = true, help_heading = "Connection")]
    pub retry_attempts: Option<String>,
    /// Milliseconds before the first repetition; grows with each one, with a random part [default: 1000]
    #[arg(long, env = "PROXMOX_RETRY_DELAY", value_name = "MS", global = true, help_heading = "Connection")]
    pub retry_delay: Option<String>,
    /// Use the built-in make-believe cluster; every connection setting is ignored
    #[arg(long, global = true, help_heading = "Connection")]
    pub sandbox: bool,
    /// How much may be done: `read`, `operate` (power, snapshots, backups), `configure` (create, change) or `admin`
    /// (delete, overwrite, run commands in guests) [default: read]
    #[arg(long, env = "PROXMOX_TIER", value_name = "TIER", global = true, help_heading = "Limits")]
    pub tier: Option<String>,
    /// Tools that may be called although they are above the tier, separated by commas
    #[arg(
        long,
        env = "PROXMOX_ALLOW",
        value_name = "TOOL,…",
        value_delimiter = ',',
        global = true,
        help_heading = "Limits"
    )]
    pub allow: Vec<String>,
    /// Tools and toolsets that may not be called, separated by commas; wins over everything else
    #[arg(
        long,
        env = "PROXMOX_DENY",
        value_name = "TOOL,…",
        value_delimiter = ',',
        global = true,
        help_heading = "Limits"
    )]
    pub deny: Vec<String>,
    /// What may be changed.
    #[command(flatten)]
    pub fences: FenceFlags,
    /// How calls that delete, overwrite or interrupt are confirmed: `ask` a person (through the client, or in a terminal),
    /// `seal` (a second call is enough: no person guaranteed), `elicit-only` (through the client or not at all) or `off`
    /// [default: ask]
    #[arg(long, env = "PROXMOX_CONFIRM", value_name = "MODE", global = true, help_heading = "Limits")]
    pub confirm: Option<String>,
    /// Seconds for which a confirmation is good, and for which a person is asked [default: 600]
    #[arg(long, env = "PROXMOX_CONFIRM_TTL", value_name = "SECONDS", global = true, help_heading = "Limits")]
    pub confirm_ttl: Option<String>,
    /// Folder for calls that wait for `proxmox-mcp approve` [default: $XDG_STATE_HOME/proxmox-mcp or
    /// ~/.local/state/proxmox-mcp]
    #[arg(long, env = "PROXMOX_STATE_DIR", value_name = "FOLDER", global = true, help_heading = "Limits")]
    pub state_dir: Option<String>,
    /// File to which every change is appended before and after it is sent, as JSON lines; `stderr` for standard error.
    /// What cannot be written down is not sent. Check it with `proxmox-mcp audit verify`
    #[arg(long, env = "PROXMOX_AUDIT", value_name = "FILE", global = true, help_heading = "Limits")]
    pub audit: Option<String>,
    /// Folder below which `upload_file` may read files; unset = only content given in the call
    #[arg(long, env = "PROXMOX_UPLOAD_DIR", value_name = "FOLDER", global = true, help_heading = "Limits")]
    pub upload_dir: Option<String>,
    /// Toolsets to list, separated by commas: `core` (the everyday tools), `all`, or names that `proxmox-mcp tools`
    /// shows [default: core; with --dialect all]. Says what is listed, not what may be called: that is --tier and --deny
    #[arg(
        long,
        env = "PROXMOX_TOOLSETS",
        value_name = "TOOLSET,…",
        value_delimiter = ',',
        global = true,
        help_heading = "Behaviour"
    )]
    pub toolsets: Vec<String>,
    /// List the tools under the names of another server instead of our own
    #[arg(long, env = "PROXMOX_DIALECT", value_name = "DIALECT", global = true, help_heading = "Behaviour")]
    pub dialect: Option<String>,
    /// Tokens that one answer may have, estimated: rows beyond it wait for the next page, long texts keep their end
    /// [default: 8000]
    #[arg(long, env = "PROXMOX_BUDGET", value_name = "TOKENS", global = true, help_heading = "Behaviour")]
    pub budget: Option<String>,
    /// Seconds a call waits for the task that it started; 0 = not at all [default: 30]
    #[arg(long, env = "PROXMOX_WAIT", value_name = "SECONDS", global = true, help_heading = "Behaviour")]
    pub wait: Option<String>,
    /// Cancelling a call that waits for its task stops the task as well [default: the task goes on]
    #[arg(
        long,
        env = "PROXMOX_CANCEL_STOPS_TASKS",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        global = true,
        help_heading = "Behaviour"
    )]
    pub cancel_stops_tasks: Option<String>,
    /// Do not list tools of which every call would be refused with the privileges that the token has. They are looked up
    /// once, at the first list
    #[arg(
        long,
        env = "PROXMOX_HIDE_FORBIDDEN",
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        global = true,
        help_heading = "Behaviour"
    )]
    pub hide_forbidden: Option<String>,
    /// What is logged on stderr: `off`, `error`, `warn`, `info`, `debug`, `trace` [default: info]
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", global = true, help_heading = "Behaviour")]
    pub log_level: Option<String>,
    /// Keys of the settings that stand on the command line; everything else here comes from variables.
    #[arg(skip)]
    pub typed: Vec<&'static str>,
}

impl Flags {
    /// Notes which of the values stand on the command line itself.
    pub fn note_typed(&mut self, matches: &ArgMatches) {
        let typed = |setting: &&Setting| {
            let known = matches.ids().any(|id| id.as_str() == setting.key);
            known && matches.value_source(setting.key) == Some(ValueSource::CommandLine)
        };
        self.typed = TABLE.iter().filter(typed).map(|setting| setting.key).collect();
    }
}
