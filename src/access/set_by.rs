//! Where a limit was set, so that a refusal can say where it is changed.
//!
//! Knows how limits are written in flags, variables and the config file; knows nothing of what they mean. `key` is what
//! the config file calls a setting: `deny_nodes`.

/// The places of the limits of one cluster, or of one caller.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    pub tier: SetBy,
    pub allow: SetBy,
    pub deny: SetBy,
}

/// Where one limit was set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SetBy {
    /// Nowhere: the default holds.
    #[default]
    Nobody,
    Flag,
    Variable,
    /// In the config file, there: `line 5, [clusters.home]`.
    File(String),
    /// By what the token of a caller over HTTP allows.
    Token,
}

impl SetBy {
    /// The setting `key` where it was said.
    pub fn named(&self, key: &str) -> String {
        match self {
            SetBy::Nobody => format!("{} ({})", variable(key), flag(key)),
            SetBy::Flag => flag(key),
            SetBy::Variable => variable(key),
            SetBy::File(place) => format!("`{key}` in the config file ({place})"),
            SetBy::Token => format!("`{key}` of the caller's token"),
        }
    }

    /// How the setting `key` is given this value there.
    pub fn with(&self, key: &str, value: &str) -> String {
        match self {
            SetBy::Nobody => format!("{}={value} ({} {value})", variable(key), flag(key)),
            SetBy::Flag => format!("{} {value}", flag(key)),
            SetBy::Variable => format!("{}={value}", variable(key)),
            SetBy::File(place) => format!("{key} = \"{value}\" in the config file ({place})"),
            SetBy::Token => format!("a token that has {key} {value}"),
        }
    }

    /// How this value is added to the list `key` there.
    pub fn adding(&self, key: &str, value: &str) -> String {
        match self {
            SetBy::Variable => format!("`{value}` in {}", variable(key)),
            SetBy::File(place) => format!("`{value}` in the list `{key}` of the config file ({place})"),
            _ => self.with(key, value),
        }
    }
}

fn variable(key: &str) -> String {
    format!("PROXMOX_{}", key.to_uppercase())
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}
