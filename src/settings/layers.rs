//! Which value holds, and where it was said: flag, variable, the cluster's table in the file, the file's top level, default.
//!
//! Knows the order and the sources, and which clusters are used. The values of one cluster ([`values`]) go to the same
//! checks as flags and variables alone do; what those find wrong is told with the place where it stands ([`places`]).

mod places;
mod values;

use super::file::{self, Entry, File, Raw, Table};
use super::table::{Field, Place, Setting, TABLE};
use super::{BadSettings, Flags, Settings};
pub use values::Values;

/// Everything that was said, layer by layer.
#[derive(Clone)]
pub struct Layers<'e> {
    flags: Flags,
    environment: &'e (dyn Fn(&str) -> Option<String> + 'e),
    pub file: Option<File>,
}

/// Where a value was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Flag,
    Variable,
    /// In the table of this cluster, on this line of the file.
    Cluster(String, usize),
    /// At the top level, on this line of the file.
    Top(usize),
}

/// A value that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    pub raw: Raw,
    pub source: Source,
}

/// The settings of all clusters that are used, in the order of the file; at least one.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub clusters: Vec<Settings>,
    /// The one that is meant when a call names none.
    pub default: Option<String>,
    /// About the file: (is a warning, text).
    pub notices: Vec<(bool, String)>,
}

/// Reads and checks everything: flags, variables, file.
///
/// # Errors
/// All that is missing or wrong, at once.
pub fn load(flags: &Flags) -> Result<Loaded, BadSettings> {
    Layers::read(flags, &process)?.load()
}

/// The variables of this process.
pub fn process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl<'e> Layers<'e> {
    /// Flags and variables as given, and the file that they name.
    ///
    /// # Errors
    /// The file cannot be read, or is wrong.
    pub fn read(flags: &Flags, environment: &'e dyn Fn(&str) -> Option<String>) -> Result<Layers<'e>, BadSettings> {
        let given = flags.config.as_deref().map(str::trim).filter(|text| !text.is_empty());
        Ok(Layers { flags: flags.clone(), environment, file: file::find(given, environment)? })
    }

    /// Flags and variables, and this file.
    pub fn with(flags: &Flags, environment: &'e dyn Fn(&str) -> Option<String>, file: Option<File>) -> Layers<'e> {
        Layers { flags: flags.clone(), environment, file }
    }

    /// What holds where no cluster has a table: for what belongs to the process, and for a cluster of flags and variables.
    pub fn top(&self) -> Values<'_> {
        self.values(None)
    }

    /// What holds for each cluster that is used, by its own table if it has one.
    ///
    /// # Errors
    /// A cluster was chosen that is not there.
    pub fn clusters(&self) -> Result<Vec<Values<'_>>, BadSettings> {
        let tables = self.file.as_ref().map(|file| file.clusters.as_slice()).unwrap_or_default();
        let chosen: Vec<&str> =
            self.flags.cluster.iter().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let typed = self.flags.typed.contains(&"cluster");
        let chooser = if typed { "--cluster" } else { "PROXMOX_CLUSTER" };
        if self.own_host() && !chosen.is_empty() {
            return Err(BadSettings::Contradiction(format!(
                "{} chooses clusters of the config file, and PROXMOX_HOST (--host) makes one without it: leave one of them out",
                chooser
            )));
        }
        if self.own_host() || (tables.is_empty() && chosen.is_empty()) {
            return Ok(vec![self.values(None)]);
        }
        if tables.is_empty() {
            let file = match &self.file {
                Some(file) => format!("{} has no [clusters.NAME]", file.path.display()),
                None => "there is no config file (--config)".to_owned(),
            };
            return Err(BadSettings::Contradiction(format!(
                "{} chooses clusters of the config file, and {file}",
                chooser
            )));
        }
        for one in &chosen {
            if !tables.iter().any(|table| table.name.eq_ignore_ascii_case(one)) {
                let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
                let near = proxmox_spec::nearest(one, names.iter().copied());
                let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
                let says = format!("the config file has no such cluster; give one of {}.{near}", names.join(", "));
                return Err(super::checks::bad("PROXMOX_CLUSTER", "--cluster", one, says));
            }
        }
        let used = |table: &&Table| chosen.is_empty() || chosen.iter().any(|one| table.name.eq_ignore_ascii_case(one));
        Ok(tables.iter().filter(used).map(|table| self.values(Some(table))).collect())
    }

    /// Everything, checked.
    ///
    /// # Errors
    /// All that is missing or wrong, at once.
    pub fn load(&self) -> Result<Loaded, BadSettings> {
        let clusters = self.clusters()?;
        self.check_secrets(&clusters)?;
        let (mut all, mut wrong): (Vec<Settings>, Vec<BadSettings>) = (Vec::new(), Vec::new());
        for values in &clusters {
            match values.settings() {
                Ok(settings) => all.push(settings),
                // What is wrong for all is said once.
                Err(errors) => errors.into_iter().for_each(|error| {
                    if !wrong.contains(&error) {
                        wrong.push(error);
                    }
                }),
            }
        }
        if let Some(error) = several(wrong) {
            return Err(error);
        }
        let many = all.len() > 1;
        all.iter_mut().for_each(|settings| settings.among_several = many);
        let top = self.file.iter().flat_map(|file| &file.top);
        let default =
            top.into_iter().find(|entry| entry.setting.key == "default_cluster").map(|entry| entry.raw.text());
        let default = default
            .and_then(|name| all.iter().map(|one| &one.name).find(|one| one.eq_ignore_ascii_case(&name)).cloned());
        Ok(Loaded { clusters: all, default, notices: self.notices() })
    }

    /// What has to be said about the file.
    pub fn notices(&self) -> Vec<(bool, String)> {
        let Some(file) = &self.file else { return Vec::new() };
        let mut notices = file.notices.clone();
        if self.own_host() && !file.clusters.is_empty() {
            let names: Vec<&str> = file.clusters.iter().map(|table| table.name.as_str()).collect();
            notices.push((
                false,
                format!(
                    "PROXMOX_HOST (--host) makes a cluster of its own: the clusters of {} ({}) are not used.",
                    file.path.display(),
                    names.join(", ")
                ),
            ));
        }
        notices
    }

    /// A host of flags or variables makes one cluster, whatever the file has.
    fn own_host(&self) -> bool {
        self.flags.sandbox || self.flags.host.as_deref().is_some_and(|host| !host.trim().is_empty())
    }

    /// One secret would be shown to several clusters, and it opens one.
    fn check_secrets(&self, clusters: &[Values<'_>]) -> Result<(), BadSettings> {
        let [one, _, ..] = clusters else { return Ok(()) };
        // The secret itself, or the place of one.
        let secret = |setting: &Setting| matches!(setting.field, Field::Variable) && setting.place != Place::Nowhere;
        let of_variable =
            |(setting, value): &&(&'static Setting, Value)| secret(setting) && value.source == Source::Variable;
        let Some((setting, _)) = one.set.iter().find(of_variable) else { return Ok(()) };
        let names: Vec<&str> = clusters.iter().filter_map(|values| values.cluster.as_deref()).collect();
        let base = ["_file", "_command", "_keyring"].iter().find_map(|end| setting.key.strip_suffix(end));
        let base = base.unwrap_or(setting.key);
        Err(BadSettings::Contradiction(format!(
            "{} is set, and there are {} clusters ({}): a secret opens one of them, and should not be shown to the others. \
             Choose one with --cluster (PROXMOX_CLUSTER), or say in each cluster's table where its secret is: {base}_file, \
             {base}_command or {base}_keyring",
            setting.variable,
            names.len(),
            names.join(", ")
        )))
    }

    fn values(&self, cluster: Option<&Table>) -> Values<'_> {
        let mut set: Vec<(&'static Setting, Value)> = Vec::new();
        let mut hidden: Vec<&str> = Vec::new();
        let none: &[Entry] = &[];
        let top = self.file.as_ref().map(|file| file.top.as_slice()).unwrap_or(none);
        let tables = [
            self.said(),
            in_file(cluster.map(|table| table.entries.as_slice()).unwrap_or(none), |line| {
                Source::Cluster(cluster.map(|table| table.name.clone()).unwrap_or_default(), line)
            }),
            in_file(top, Source::Top),
        ];
        for layer in tables {
            let before = set.len();
            for (setting, value) in layer {
                let known = set[..before].iter().any(|(one, _)| one.key == setting.key);
                if !known && !hidden.contains(&setting.key) {
                    set.push((setting, value));
                }
            }
            hidden.extend(set[before..].iter().flat_map(|(setting, _)| setting.hides));
        }
        Values { layers: self, cluster: cluster.map(|table| table.name.clone()), set }
    }

    /// What flags and variables say. An empty variable says nothing.
    fn said(&self) -> Vec<(&'static Setting, Value)> {
        let mut flags = self.flags.clone();
        let mut said = Vec::new();
        for setting in TABLE {
            let raw = match setting.field {
                Field::One(field) => field(&mut flags).take().map(Raw::Text),
                Field::Many(field) => Some(Raw::List(std::mem::take(field(&mut flags)))),
                Field::Variable => (self.environment)(setting.variable).map(Raw::Text),
                Field::Key => None,
            };
            let typed = self.flags.typed.contains(&setting.key);
            let source = if typed { Source::Flag } else { Source::Variable };
            let says = |raw: &Raw| match raw {
                Raw::Text(text) => !text.trim().is_empty(),
                Raw::List(list) => list.iter().any(|one| !one.trim().is_empty()),
            };
            said.extend(raw.filter(says).map(|raw| (setting, Value { raw, source })));
        }
        said
    }
}

fn in_file(entries: &[Entry], source: impl Fn(usize) -> Source) -> Vec<(&'static Setting, Value)> {
    entries.iter().map(|entry| (entry.setting, Value { raw: entry.raw.clone(), source: source(entry.line) })).collect()
}

/// One mistake as it is, several as one.
fn several(mut wrong: Vec<BadSettings>) -> Option<BadSettings> {
    match wrong.len() {
        0 => None,
        1 => wrong.pop(),
        _ => Some(BadSettings::Several(wrong)),
    }
}
