//! Which value holds, and where it was said: flag, variable, the cluster's table in the file, the file's top level, default.
//!
//! Knows the order and the sources. The values of one cluster go to the same checks as flags and variables alone do; what
//! those find wrong is told here with the place where it stands.

use super::file::{self, Entry, File, Raw, Table};
use super::table::{Field, Place, Setting, TABLE, by_variable};
use super::{BadSettings, Flags, Settings};
use crate::access::{Places, SetBy};

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

/// What holds for one cluster.
pub struct Values<'l> {
    layers: &'l Layers<'l>,
    /// The cluster's name in the file; `None` for one that has no table.
    pub cluster: Option<String>,
    set: Vec<(&'static Setting, Value)>,
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

impl Values<'_> {
    /// The value of a setting, if anybody said one.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.set.iter().find(|(setting, _)| setting.key == key).map(|(_, value)| value)
    }

    /// Was the question of this setting answered by another one, as `insecure` answers that of `ca_file`?
    pub fn answered_by_another(&self, setting: &Setting) -> bool {
        let instead = |other: &Setting| other.key != setting.key && other.hides.contains(&setting.key);
        self.set.iter().any(|(other, _)| instead(other) && setting.hides.contains(&other.key))
    }

    /// Checked, for a cluster.
    ///
    /// # Errors
    /// All that is missing or wrong.
    pub fn settings(&self) -> Result<Settings, Vec<BadSettings>> {
        let mut wrong = Vec::new();
        // What does not need a cluster first: it is wrong whether the rest is complete or not.
        let left = self.checked(&mut wrong, self.flags(), |flags| self.limits_of(flags).map(|_| ()));
        let mut made = None;
        self.checked(&mut wrong, left, |flags| {
            made = Some(Settings::from(flags, &|name| self.variable(name))?);
            Ok(())
        });
        match made.filter(|_| wrong.is_empty()) {
            Some(settings) => Ok(self.named(settings)),
            None => Err(wrong),
        }
    }

    /// Checked, for who wants to know what may be called, and how it is named; no connection is needed.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn limits(&self) -> Result<Settings, BadSettings> {
        let mut wrong = Vec::new();
        let left = self.checked(&mut wrong, self.flags(), |flags| self.limits_of(flags).map(|_| ()));
        match several(wrong) {
            Some(error) => Err(error),
            None => self.limits_of(&left).map(|settings| self.named(settings)),
        }
    }

    /// What holds as flags, for who has a connection of another sort.
    pub fn flags(&self) -> Flags {
        let mut flags =
            Flags { sandbox: self.layers.flags.sandbox, typed: self.layers.flags.typed.clone(), ..Flags::default() };
        for (setting, value) in &self.set {
            match (setting.field, &value.raw) {
                (Field::One(field), raw) => *field(&mut flags) = Some(raw.text()),
                (Field::Many(field), Raw::List(list)) => *field(&mut flags) = list.clone(),
                (Field::Many(field), Raw::Text(text)) => *field(&mut flags) = vec![text.clone()],
                (Field::Variable | Field::Key, _) => {}
            }
        }
        flags
    }

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

    /// A variable by its name, as the layers have it.
    pub fn variable(&self, name: &str) -> Option<String> {
        match by_variable(name) {
            Some(setting) => self.get(setting.key).map(|value| value.raw.text()),
            None => (self.layers.environment)(name),
        }
    }

    fn limits_of(&self, flags: &Flags) -> Result<Settings, BadSettings> {
        Settings::limits_from(flags, &|name| self.variable(name))
    }

    /// Looks for mistakes until there are no more: what is wrong is left out, and it is looked again.
    fn checked(
        &self,
        wrong: &mut Vec<BadSettings>,
        mut flags: Flags,
        mut check: impl FnMut(&Flags) -> Result<(), BadSettings>,
    ) -> Flags {
        while let Err(error) = check(&flags) {
            let again = match &error {
                BadSettings::Bad { variable, value, .. } => {
                    by_variable(variable).is_some_and(|setting| without(&mut flags, setting, value))
                }
                _ => false,
            };
            wrong.push(self.placed(error));
            if !again {
                break;
            }
        }
        flags
    }

    /// With what the file alone can say.
    fn named(&self, mut settings: Settings) -> Settings {
        if let Some(name) = &self.cluster {
            settings.name = name.clone();
        }
        settings.description =
            self.get("description").map(|value| value.raw.text().trim().to_owned()).filter(|text| !text.is_empty());
        for (_, text) in &mut settings.notices {
            *text = self.keys(text);
        }
        let set_by = |key| self.set_by(key);
        settings.places = Places { tier: set_by("tier"), allow: set_by("allow"), deny: set_by("deny") };
        settings.fences = settings.fences.into_iter().map(|fences| fences.set_in(set_by)).collect();
        settings.auth.say_settings(&|variable| {
            let setting = by_variable(variable)?;
            Some(format!("{}: `{}`", self.place(setting.key)?, setting.key))
        });
        settings
    }

    /// Where a limit was set, as whoever may call is told: without the file's name.
    fn set_by(&self, key: &str) -> SetBy {
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
    fn place(&self, key: &str) -> Option<String> {
        let file = self.layers.file.as_ref()?;
        match &self.get(key)?.source {
            Source::Cluster(name, line) => Some(file.place(Some(name), *line)),
            Source::Top(line) => Some(file.place(None, *line)),
            Source::Flag | Source::Variable => None,
        }
    }

    /// A text about variables, with the keys of those that came from the file.
    fn keys(&self, text: &str) -> String {
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

/// Takes a wrong value out. False when it was not there.
fn without(flags: &mut Flags, setting: &Setting, value: &str) -> bool {
    match setting.field {
        Field::One(field) => field(flags).take().is_some(),
        Field::Many(field) => {
            let list = field(flags);
            let before = list.len();
            list.retain(|one| one.trim() != value);
            if list.len() == before {
                list.clear();
            }
            before > 0
        }
        Field::Variable | Field::Key => false,
    }
}
