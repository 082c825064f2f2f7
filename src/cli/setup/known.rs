//! What the config file said of the cluster before: a setup that is run again goes on from there.
//!
//! Knows the keys of a cluster's table. Limits that somebody wrote there hold until somebody says something else, and a
//! pin is not put aside in silence.

use super::Stop;
use crate::cli::Exit;
use crate::settings::file::{File, Table};
use crate::settings::table::{Field, by_key};
use crate::settings::{self, Endpoint, Flags, Trust};

/// The keys that limit what an assistant may do or sees, in the order in which they are written.
pub const LIMITS: [&str; 16] = [
    "tier",
    "toolsets",
    "allow",
    "deny",
    "allow_nodes",
    "deny_nodes",
    "allow_guests",
    "deny_guests",
    "allow_pools",
    "deny_pools",
    "allow_tags",
    "deny_tags",
    "allow_storages",
    "deny_storages",
    "allow_tools",
    "protected_tags",
];

/// The cluster as the config file has it.
#[derive(Debug)]
pub struct Known {
    pub table: Table,
    /// Where it stands, for messages: file and line.
    place: String,
    /// None if the table names no host.
    endpoints: Vec<Endpoint>,
    trust: Trust,
}

impl Known {
    /// The cluster of this name, if the file has it.
    ///
    /// # Errors
    /// Its connection is wrong; or the file has one cluster that has no name.
    pub fn find(file: File, name: &str) -> Result<Option<Known>, Stop> {
        if let (true, Some(host)) =
            (file.clusters.is_empty(), file.top.iter().find(|entry| entry.setting.key == "host"))
        {
            let says = format!(
                "{}: the file has one cluster, at its top level, which would not be used any more beside a table \
                 [clusters.{name}]. Nothing was done. Put what belongs to it below a line [clusters.NAME] first, or name \
                 another file with --config",
                file.place(None, host.line)
            );
            return Err(Stop::new(Exit::Usage, says));
        }
        let Some(table) = file.clusters.iter().find(|table| table.name.eq_ignore_ascii_case(name)) else {
            return Ok(None);
        };
        let place = file.place(Some(&table.name), table.line);
        let text = |key: &str| {
            let entry = table.entries.iter().find(|entry| entry.setting.key == key)?;
            Some(entry.raw.text()).filter(|text| !text.trim().is_empty())
        };
        let wrong = |bad: settings::BadSettings| Stop::new(Exit::Usage, format!("{place}: {bad}"));
        let endpoints = match text("host") {
            Some(host) => settings::endpoints(&host, text("port").as_deref()).map_err(wrong)?,
            None => Vec::new(),
        };
        let said = Flags {
            ca_file: text("ca_file"),
            fingerprint: text("fingerprint"),
            insecure: text("insecure"),
            ..Flags::default()
        };
        let trust = settings::trust(&said).map_err(wrong)?;
        Ok(Some(Known { table: table.clone(), place, endpoints, trust }))
    }

    /// Refuses to put another cluster under the name of this one, and to show the secret of the one to the other.
    ///
    /// # Errors
    /// None of these addresses is one of it.
    pub fn is_at(&self, endpoints: &[Endpoint]) -> Result<(), Stop> {
        if self.endpoints.is_empty() || endpoints.iter().any(|one| self.endpoints.contains(one)) {
            return Ok(());
        }
        let there = self.endpoints.iter().map(Endpoint::origin).collect::<Vec<_>>().join(", ");
        Err(Stop::new(
            Exit::Usage,
            format!(
                "{}: there is a cluster of this name, at {there}. Nothing was done. Give another name with --name; or, if it \
                 is the same cluster and has moved, change `host` there first",
                self.place
            ),
        ))
    }

    /// The certificates that are believed at this address, and no others.
    pub fn pins(&self, endpoint: &Endpoint) -> &[[u8; 32]] {
        match &self.trust {
            Trust::Fingerprints(pins) if self.endpoints.contains(endpoint) => pins,
            _ => &[],
        }
    }

    /// The authority that is believed, if the file names one.
    pub fn authority(&self) -> Option<Trust> {
        Some(self.trust.clone()).filter(|trust| matches!(trust, Trust::CaFile(_)))
    }

    /// Where it stands: file, line and table.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The flags with the limits of the file where they say nothing, and the keys that were taken from there.
    pub fn complete(&self, flags: &Flags) -> (Flags, Vec<&'static str>) {
        let mut flags = flags.clone();
        let mut taken = Vec::new();
        for entry in self.table.entries.iter().filter(|entry| LIMITS.contains(&entry.setting.key)) {
            let words: Vec<String> = entry.raw.text().split(',').map(|word| word.trim().to_owned()).collect();
            let empty = match entry.setting.field {
                Field::One(field) => field(&mut flags).as_deref().is_none_or(|text| text.trim().is_empty()),
                Field::Many(field) => field(&mut flags).iter().all(|word| word.trim().is_empty()),
                Field::Variable | Field::Key => false,
            };
            if !empty {
                continue;
            }
            match entry.setting.field {
                Field::One(field) => *field(&mut flags) = Some(entry.raw.text()),
                Field::Many(field) => *field(&mut flags) = words,
                Field::Variable | Field::Key => {}
            }
            taken.push(entry.setting.key);
        }
        (flags, taken)
    }

    /// The token's full name, if the file has one.
    pub fn token(&self) -> Option<String> {
        let text = |key: &str| {
            let entry = self.table.entries.iter().find(|entry| entry.setting.key == key)?;
            Some(entry.raw.text().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let name = text("token_name")?;
        let (user, name) = settings::token_owner(text("user").as_deref(), Some(&name)).ok()?;
        Some(format!("{user}!{name}"))
    }
}

/// The words of a limit that is a list.
pub fn words(flags: &Flags, key: &str) -> Vec<String> {
    let mut flags = flags.clone();
    match by_key(key).map(|setting| setting.field) {
        Some(Field::Many(field)) => std::mem::take(field(&mut flags)),
        _ => Vec::new(),
    }
}
