//! The rows of the table of settings.

use super::{Field, Kind, Place, Setting};

/// What a token's name leaves no room for.
const PASSWORDS: &[&str] = &[
    "password",
    "password_file",
    "password_command",
    "password_keyring",
    "totp_seed",
    "totp_seed_file",
    "totp_seed_command",
    "totp_seed_keyring",
];
/// What a token's secret leaves no room for.
const TOKEN_VALUES: &[&str] = &[
    "token_value",
    "token_value_file",
    "token_value_command",
    "token_value_keyring",
    "password",
    "password_file",
    "password_command",
    "password_keyring",
    "totp_seed",
    "totp_seed_file",
    "totp_seed_command",
    "totp_seed_keyring",
];
/// What a password leaves no room for.
const NO_TOKEN: &[&str] = &[
    "token_name",
    "token_value",
    "token_value_file",
    "token_value_command",
    "token_value_keyring",
    "password",
    "password_file",
    "password_command",
    "password_keyring",
];
/// The places where a seed may be.
const SEEDS: &[&str] = &["totp_seed", "totp_seed_file", "totp_seed_command", "totp_seed_keyring"];
/// The ways to trust a server.
const TRUST: &[&str] = &["ca_file", "fingerprint", "insecure"];

/// Does this key say where a cluster is, who we are there, or why it is believed?
pub fn connects(key: &str) -> bool {
    let login = ["host", "port", "user", "token_name"];
    [&login[..], TOKEN_VALUES, TRUST].iter().any(|keys| keys.contains(&key))
}

/// A setting of a cluster without anything special, to be completed.
const PLAIN: Setting = Setting {
    key: "",
    variable: "",
    flag: "",
    kind: Kind::Text,
    default: "",
    place: Place::Cluster,
    field: Field::Key,
    hides: &[],
    says: "",
};

/// Every setting, in the order in which people look for them.
pub static TABLE: &[Setting] = &[
    Setting {
        key: "config",
        variable: "PROXMOX_CONFIG",
        flag: "--config",
        kind: Kind::Path,
        default: "~/.config/proxmox-mcp/config.toml",
        place: Place::Nowhere,
        field: Field::One(|flags| &mut flags.config),
        says: "The config file; `none` = no file. `XDG_CONFIG_HOME` counts",
        ..PLAIN
    },
    Setting {
        key: "cluster",
        variable: "PROXMOX_CLUSTER",
        flag: "--cluster",
        kind: Kind::List,
        default: "all of the file",
        place: Place::Nowhere,
        field: Field::Many(|flags| &mut flags.cluster),
        says: "Which of the file's clusters are used, separated by commas",
        ..PLAIN
    },
    Setting {
        key: "default_cluster",
        place: Place::Server,
        says: "The cluster that is meant when a call names none. Without it each call has to name one",
        ..PLAIN
    },
    Setting { key: "description", says: "What the cluster is, in a few words; assistants read it", ..PLAIN },
    Setting {
        key: "host",
        variable: "PROXMOX_HOST",
        flag: "--host",
        kind: Kind::Texts,
        default: "required",
        field: Field::One(|flags| &mut flags.host),
        hides: &["port"],
        says: "Name, address, `host:port`, `https://host:port` or `[2001:db8::1]:8006`; several nodes of one cluster are tried in their order",
        ..PLAIN
    },
    Setting {
        key: "port",
        variable: "PROXMOX_PORT",
        flag: "--port",
        kind: Kind::Number { least: 1, most: 65_535 },
        default: "8006",
        field: Field::One(|flags| &mut flags.port),
        says: "Port of the API",
        ..PLAIN
    },
    Setting {
        key: "user",
        variable: "PROXMOX_USER",
        flag: "--user",
        field: Field::One(|flags| &mut flags.user),
        says: "Owner of the token, or who logs in, such as `mcp@pve`; not needed with a full token name",
        ..PLAIN
    },
    Setting {
        key: "token_name",
        variable: "PROXMOX_TOKEN_NAME",
        flag: "--token-name",
        field: Field::One(|flags| &mut flags.token_name),
        hides: PASSWORDS,
        says: "Name of the API token: `mcp`, or all of it: `mcp@pve!mcp`",
        ..PLAIN
    },
    Setting {
        key: "token_value",
        variable: "PROXMOX_TOKEN_VALUE",
        place: Place::Secret,
        field: Field::Variable,
        hides: TOKEN_VALUES,
        says: "The token's secret",
        ..PLAIN
    },
    Setting {
        key: "token_value_file",
        variable: "PROXMOX_TOKEN_VALUE_FILE",
        kind: Kind::Path,
        field: Field::Variable,
        hides: TOKEN_VALUES,
        says: "File that holds the token's secret; nobody else may read it",
        ..PLAIN
    },
    Setting {
        key: "token_value_command",
        variable: "PROXMOX_TOKEN_VALUE_COMMAND",
        kind: Kind::Command,
        field: Field::Variable,
        hides: TOKEN_VALUES,
        says: "Program that prints the token's secret, such as `pass show proxmox`",
        ..PLAIN
    },
    Setting {
        key: "token_value_keyring",
        variable: "PROXMOX_TOKEN_VALUE_KEYRING",
        field: Field::Variable,
        hides: TOKEN_VALUES,
        says: "Entry of the desktop's keyring that holds the token's secret: `service/account`",
        ..PLAIN
    },
    Setting {
        key: "password",
        variable: "PROXMOX_PASSWORD",
        place: Place::Secret,
        field: Field::Variable,
        hides: NO_TOKEN,
        says: "Password of the user, instead of a token",
        ..PLAIN
    },
    Setting {
        key: "password_file",
        variable: "PROXMOX_PASSWORD_FILE",
        kind: Kind::Path,
        field: Field::Variable,
        hides: NO_TOKEN,
        says: "File that holds the password",
        ..PLAIN
    },
    Setting {
        key: "password_command",
        variable: "PROXMOX_PASSWORD_COMMAND",
        kind: Kind::Command,
        field: Field::Variable,
        hides: NO_TOKEN,
        says: "Program that prints the password",
        ..PLAIN
    },
    Setting {
        key: "password_keyring",
        variable: "PROXMOX_PASSWORD_KEYRING",
        field: Field::Variable,
        hides: NO_TOKEN,
        says: "Entry of the desktop's keyring that holds the password",
        ..PLAIN
    },
    Setting {
        key: "totp_seed",
        variable: "PROXMOX_TOTP_SEED",
        place: Place::Secret,
        field: Field::Variable,
        hides: SEEDS,
        says: "Seed of the user's one-time codes, in base32",
        ..PLAIN
    },
    Setting {
        key: "totp_seed_file",
        variable: "PROXMOX_TOTP_SEED_FILE",
        kind: Kind::Path,
        field: Field::Variable,
        hides: SEEDS,
        says: "File that holds the seed",
        ..PLAIN
    },
    Setting {
        key: "totp_seed_command",
        variable: "PROXMOX_TOTP_SEED_COMMAND",
        kind: Kind::Command,
        field: Field::Variable,
        hides: SEEDS,
        says: "Program that prints the seed",
        ..PLAIN
    },
    Setting {
        key: "totp_seed_keyring",
        variable: "PROXMOX_TOTP_SEED_KEYRING",
        field: Field::Variable,
        hides: SEEDS,
        says: "Entry of the desktop's keyring that holds the seed",
        ..PLAIN
    },
    Setting {
        key: "ca_file",
        variable: "PROXMOX_CA_FILE",
        flag: "--ca-file",
        kind: Kind::Path,
        default: "system roots",
        field: Field::One(|flags| &mut flags.ca_file),
        hides: TRUST,
        says: "PEM file of the authority that signed the server's certificate",
        ..PLAIN
    },
    Setting {
        key: "fingerprint",
        variable: "PROXMOX_FINGERPRINT",
        flag: "--fingerprint",
        kind: Kind::Texts,
        field: Field::One(|flags| &mut flags.fingerprint),
        hides: TRUST,
        says: "SHA-256 of the one certificate to trust; one for each node where `host` names several",
        ..PLAIN
    },
    Setting {
        key: "insecure",
        variable: "PROXMOX_INSECURE",
        flag: "--insecure",
        kind: Kind::Boolean,
        default: "false",
        field: Field::One(|flags| &mut flags.insecure),
        hides: TRUST,
        says: "Check no certificate. Warns at every start. Excludes the two above, as they do each other",
        ..PLAIN
    },
    Setting {
        key: "timeout",
        variable: "PROXMOX_TIMEOUT",
        flag: "--timeout",
        kind: Kind::Number { least: 100, most: 3_600_000 },
        default: "30000",
        field: Field::One(|flags| &mut flags.timeout),
        says: "Milliseconds until a request is given up",
        ..PLAIN
    },
    Setting {
        key: "connect_timeout",
        variable: "PROXMOX_CONNECT_TIMEOUT",
        flag: "--connect-timeout",
        kind: Kind::Number { least: 50, most: 3_600_000 },
        default: "10000, and no more than half of `timeout`",
        field: Field::One(|flags| &mut flags.connect_timeout),
        says: "Milliseconds until a connection is given up that is not made; another endpoint is asked then",
        ..PLAIN
    },
    Setting {
        key: "retry_attempts",
        variable: "PROXMOX_RETRY_ATTEMPTS",
        flag: "--retry-attempts",
        kind: Kind::Number { least: 0, most: 20 },
        default: "3",
        field: Field::One(|flags| &mut flags.retry_attempts),
        says: "Tries of a read in all. A write is repeated only when it is sure that nothing happened",
        ..PLAIN
    },
    Setting {
        key: "retry_delay",
        variable: "PROXMOX_RETRY_DELAY",
        flag: "--retry-delay",
        kind: Kind::Number { least: 0, most: 60_000 },
        default: "1000",
        field: Field::One(|flags| &mut flags.retry_delay),
        says: "Milliseconds before the first repetition",
        ..PLAIN
    },
    Setting {
        key: "tier",
        variable: "PROXMOX_TIER",
        flag: "--tier",
        kind: Kind::Choice(&["read", "operate", "configure", "admin"]),
        default: "read",
        field: Field::One(|flags| &mut flags.tier),
        says: "How much may be done",
        ..PLAIN
    },
    Setting {
        key: "allow",
        variable: "PROXMOX_ALLOW",
        flag: "--allow",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.allow),
        says: "Tools above the tier that may be called",
        ..PLAIN
    },
    Setting {
        key: "deny",
        variable: "PROXMOX_DENY",
        flag: "--deny",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.deny),
        says: "Tools and toolsets that may not be called, nor done by another way. Wins over everything",
        ..PLAIN
    },
    Setting {
        key: "allow_nodes",
        variable: "PROXMOX_ALLOW_NODES",
        flag: "--allow-nodes",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_nodes),
        says: "Only these nodes, and guests on them, may be changed",
        ..PLAIN
    },
    Setting {
        key: "deny_nodes",
        variable: "PROXMOX_DENY_NODES",
        flag: "--deny-nodes",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.deny_nodes),
        says: "These nodes, and guests on them, may not be changed",
        ..PLAIN
    },
    Setting {
        key: "allow_guests",
        variable: "PROXMOX_ALLOW_GUESTS",
        flag: "--allow-guests",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_guests),
        says: "Only guests with these ids may be changed or made: ids and ranges, `100-199,300`",
        ..PLAIN
    },
    Setting {
        key: "deny_guests",
        variable: "PROXMOX_DENY_GUESTS",
        flag: "--deny-guests",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.deny_guests),
        says: "Guests with these ids may not be changed or made",
        ..PLAIN
    },
    Setting {
        key: "allow_pools",
        variable: "PROXMOX_ALLOW_POOLS",
        flag: "--allow-pools",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_pools),
        says: "Only these pools, and guests in them, may be changed; a pool includes those inside it",
        ..PLAIN
    },
    Setting {
        key: "deny_pools",
        variable: "PROXMOX_DENY_POOLS",
        flag: "--deny-pools",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.deny_pools),
        says: "These pools, and guests in them, may not be changed",
        ..PLAIN
    },
    Setting {
        key: "allow_tags",
        variable: "PROXMOX_ALLOW_TAGS",
        flag: "--allow-tags",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_tags),
        says: "Only guests that bear one of these tags may be changed",
        ..PLAIN
    },
    Setting {
        key: "deny_tags",
        variable: "PROXMOX_DENY_TAGS",
        flag: "--deny-tags",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.deny_tags),
        says: "Guests that bear one of these tags may not be changed",
        ..PLAIN
    },
    Setting {
        key: "allow_storages",
        variable: "PROXMOX_ALLOW_STORAGES",
        flag: "--allow-storages",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_storages),
        says: "Only these storages may be used by what changes something",
        ..PLAIN
    },
    Setting {
        key: "deny_storages",
        variable: "PROXMOX_DENY_STORAGES",
        flag: "--deny-storages",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.deny_storages),
        says: "These storages may not be used by what changes something",
        ..PLAIN
    },
    Setting {
        key: "allow_tools",
        variable: "PROXMOX_ALLOW_TOOLS",
        flag: "--allow-tools",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.allow_tools),
        says: "Only these tools and toolsets may change anything",
        ..PLAIN
    },
    Setting {
        key: "protected_tags",
        variable: "PROXMOX_PROTECTED_TAGS",
        flag: "--protected-tags",
        kind: Kind::List,
        field: Field::Many(|flags| &mut flags.fences.protected_tags),
        says: "Guests with one of these tags are never destroyed",
        ..PLAIN
    },
    Setting {
        key: "audit",
        variable: "PROXMOX_AUDIT",
        flag: "--audit",
        kind: Kind::PathOr("stderr"),
        place: Place::Server,
        field: Field::One(|flags| &mut flags.audit),
        says: "File of the audit log, or `stderr`",
        ..PLAIN
    },
    Setting {
        key: "confirm",
        variable: "PROXMOX_CONFIRM",
        flag: "--confirm",
        kind: Kind::Choice(&["ask", "seal", "elicit-only", "off"]),
        default: "ask",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.confirm),
        says: "How calls that delete, overwrite or interrupt are confirmed",
        ..PLAIN
    },
    Setting {
        key: "confirm_ttl",
        variable: "PROXMOX_CONFIRM_TTL",
        flag: "--confirm-ttl",
        kind: Kind::Number { least: 1, most: 86_400 },
        default: "600",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.confirm_ttl),
        says: "Seconds for which a confirmation is good, and for which a person is asked",
        ..PLAIN
    },
    Setting {
        key: "state_dir",
        variable: "PROXMOX_STATE_DIR",
        flag: "--state-dir",
        kind: Kind::Path,
        default: "~/.local/state/proxmox-mcp",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.state_dir),
        says: "Folder for calls that wait for `proxmox-mcp approve`. `XDG_STATE_HOME` counts",
        ..PLAIN
    },
    Setting {
        key: "upload_dir",
        variable: "PROXMOX_UPLOAD_DIR",
        flag: "--upload-dir",
        kind: Kind::Path,
        field: Field::One(|flags| &mut flags.upload_dir),
        says: "Folder below which `upload_file` may read. Unset: no local files",
        ..PLAIN
    },
    Setting {
        key: "toolsets",
        variable: "PROXMOX_TOOLSETS",
        flag: "--toolsets",
        kind: Kind::List,
        default: "core",
        field: Field::Many(|flags| &mut flags.toolsets),
        says: "Which tools are listed",
        ..PLAIN
    },
    Setting {
        key: "budget",
        variable: "PROXMOX_BUDGET",
        flag: "--budget",
        kind: Kind::Number { least: 1_000, most: 1_000_000 },
        default: "8000",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.budget),
        says: "Tokens that one answer may have, estimated",
        ..PLAIN
    },
    Setting {
        key: "dialect",
        variable: "PROXMOX_DIALECT",
        flag: "--dialect",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.dialect),
        says: "List the tools under the names of another server",
        ..PLAIN
    },
    Setting {
        key: "wait",
        variable: "PROXMOX_WAIT",
        flag: "--wait",
        kind: Kind::Number { least: 0, most: 86_400 },
        default: "30",
        field: Field::One(|flags| &mut flags.wait),
        says: "Seconds a call waits for the task that it started; 0 = not at all",
        ..PLAIN
    },
    Setting {
        key: "cancel_stops_tasks",
        variable: "PROXMOX_CANCEL_STOPS_TASKS",
        flag: "--cancel-stops-tasks",
        kind: Kind::Boolean,
        default: "false",
        field: Field::One(|flags| &mut flags.cancel_stops_tasks),
        says: "A call that is cancelled while it waits stops its task as well",
        ..PLAIN
    },
    Setting {
        key: "hide_forbidden",
        variable: "PROXMOX_HIDE_FORBIDDEN",
        flag: "--hide-forbidden",
        kind: Kind::Boolean,
        default: "false",
        field: Field::One(|flags| &mut flags.hide_forbidden),
        says: "Tools that we can never use with the privileges that we have there are not listed",
        ..PLAIN
    },
    Setting {
        key: "log_level",
        variable: "LOG_LEVEL",
        flag: "--log-level",
        kind: Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
        default: "info",
        place: Place::Server,
        field: Field::One(|flags| &mut flags.log_level),
        says: "What is logged on standard error",
        ..PLAIN
    },
    Setting {
        key: "sandbox",
        flag: "--sandbox",
        kind: Kind::Boolean,
        place: Place::Nowhere,
        says: "Use the built-in make-believe cluster",
        ..PLAIN
    },
    Setting {
        key: "allow_elevated",
        variable: "PROXMOX_ALLOW_ELEVATED",
        kind: Kind::Boolean,
        place: Place::Nowhere,
        field: Field::Variable,
        says: "From older servers: where no tier is set anywhere, true = `admin`, false = `configure`",
        ..PLAIN
    },
];
