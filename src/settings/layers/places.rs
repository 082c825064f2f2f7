//! Where a value stands, in words: for mistakes, and for refusals of what it limits.
//!
//! Knows lines, tables and keys of the file, and that the checks speak of variables; knows nothing of what a value means.

use super::{Source, Value, Values};
use crate::access::SetBy;
use crate::settings::BadSettings;
use crate::settings::table::{Place, Setting, by_variable};

impl Values<'_> {
    /// The same mistake, with the place where it stands.
    pub fn placed(&self, error: BadSettings) -> BadSettings {
        match &error {
            BadSettings::Bad { variable, value, says, .. } => match by_variable(variable)
                .and_then(|one| Some((one, self.place(one.key)?)))
            {
                Some((setting, place)) => {
                    BadSettings::Contradiction(format!("{place}: `{}` is `{value}`: {}", setting.key, self.keys(says)))
                }
                None => error,
            },
            BadSettings::Missing { variable: "PROXMOX_USER", .. } if self.token_put_aside().is_some() => {
                let (password, place) = self.token_put_aside().unwrap_or_default();
                BadSettings::Contradiction(format!(
                    "{password} is set, so a login with user and password is meant, and the token of {place} is put aside. \
                     Unset {password} to use the token; or say who logs in with PROXMOX_USER (--user)"
                ))
            }
            BadSettings::Missing { variable, what, example, .. } => {
                match (by_variable(variable), &self.cluster, &self.layers.file) {
                    (Some(setting), Some(name), Some(file)) => {
                        let line = file.clusters.iter().find(|table| table.name == *name).map_or(1, |table| table.line);
                        let key = setting.key;
                        let says = match setting.place {
                            Place::Secret => format!(
                                "{key}_file, {key}_command or {key}_keyring, or the variable {variable} where there is one cluster"
                            ),
                            _ => format!("{key} = \"{example}\""),
                        };
                        BadSettings::Contradiction(format!(
                            "{}: `{key}` is missing, {}: give {says}",
                            file.place(Some(name), line),
                            // What follows tells of variables.
                            what.split(';').next().unwrap_or(what)
                        ))
                    }
                    _ => error,
                }
            }
            BadSettings::Contradiction(text) => match &self.cluster {
                Some(name) if self.keys(text) != *text => {
                    let file =
                        self.layers.file.as_ref().map(|file| file.path.display().to_string()).unwrap_or_default();
                    BadSettings::Contradiction(format!("{file}, [clusters.{name}]: {}", self.keys(text)))
                }
                Some(name) => BadSettings::Contradiction(format!("[clusters.{name}]: {text}")),
                None => BadSettings::Contradiction(self.keys(text)),
            },
            BadSettings::Several(_) => error,
        }
    }

    /// The variable with a password that puts a token of the cluster's table aside, and where that token stands.
    fn token_put_aside(&self) -> Option<(&'static str, String)> {
        let file = self.layers.file.as_ref()?;
        let name = self.cluster.as_deref()?;
        let table = file.clusters.iter().find(|table| table.name == name)?;
        let token = table.entries.iter().find(|entry| entry.setting.key == "token_name")?;
        let keys = ["password", "password_file", "password_command", "password_keyring"];
        let of_variable = |(setting, value): &&(&'static Setting, Value)| {
            keys.contains(&setting.key) && value.source == Source::Variable
        };
        let (setting, _) = self.set.iter().find(of_variable)?;
        Some((setting.variable, file.place(Some(name), token.line)))
    }

    /// Where a limit was set, as whoever may call is told: without the file's name.
    pub(super) fn set_by(&self, key: &str) -> SetBy {
        match self.get(key).map(|value| &value.source) {
            Some(Source::Flag) => SetBy::Flag,
            Some(Source::Variable) => SetBy::Variable,
            Some(Source::Cluster(name, line)) => SetBy::File(format!("line {line}, [clusters.{name}]")),
            Some(Source::Top(line)) => SetBy::File(format!("line {line}")),
            None => match &self.cluster {
                Some(name) => SetBy::File(format!("[clusters.{name}]")),
                None => SetBy::Nobody,
            },
        }
    }

    /// Where a value of the file stands; `None` for one that is not of the file.
    pub(super) fn place(&self, key: &str) -> Option<String> {
        let file = self.layers.file.as_ref()?;
        match &self.get(key)?.source {
            Source::Cluster(name, line) => Some(file.place(Some(name), *line)),
            Source::Top(line) => Some(file.place(None, *line)),
            Source::Flag | Source::Variable => None,
        }
    }

    /// A text about variables, with the keys of those that came from the file.
    pub(super) fn keys(&self, text: &str) -> String {
        let mut text = text.to_owned();
        let mut of_file: Vec<&(&'static Setting, Value)> =
            self.set.iter().filter(|(_, value)| matches!(value.source, Source::Cluster(..) | Source::Top(_))).collect();
        // PROXMOX_ALLOW is the beginning of PROXMOX_ALLOW_NODES.
        of_file.sort_by_key(|(setting, _)| std::cmp::Reverse(setting.variable.len()));
        for (setting, _) in of_file.iter().filter(|(setting, _)| !setting.variable.is_empty()) {
            if !setting.flag.is_empty() {
                text = text.replace(&format!("{} ({})", setting.variable, setting.flag), &format!("`{}`", setting.key));
            }
            text = text.replace(setting.variable, &format!("`{}`", setting.key));
        }
        text
    }
}
