//! What holds for one cluster, and whether it is right.
//!
//! Knows how values become flags again, and flags settings; all mistakes are found before anything is told. What a value
//! may be is the settings' own business.

use super::{Layers, Value, several};
use crate::access::Places;
use crate::settings::file::Raw;
use crate::settings::table::{Field, Setting, by_variable};
use crate::settings::{BadSettings, Flags, Settings};

/// What holds for one cluster.
pub struct Values<'l> {
    pub(super) layers: &'l Layers<'l>,
    /// The cluster's name in the file; `None` for one that has no table.
    pub cluster: Option<String>,
    pub(super) set: Vec<(&'static Setting, Value)>,
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
