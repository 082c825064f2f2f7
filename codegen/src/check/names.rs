//! The names by which other servers' users know a tool.

use super::Checker;
use super::values::mismatch;
use crate::catalogue::*;
use crate::spec::{NameSpec, Text, ToolSpec};
use proxmox_spec::Param;
use serde_json::Value as Json;

impl Checker<'_> {
    pub(super) fn alias_names(&mut self, spec: &ToolSpec, arguments: &[Argument]) -> Vec<Name> {
        let mut names = Vec::new();
        for (dialect, entries) in &spec.names {
            let known: Vec<&str> = self.spec.dialects.iter().map(|dialect| dialect.name.is.as_str()).collect();
            let Some(found) = self.spec.dialects.iter().find(|one| one.name.is == dialect.is) else {
                self.diagnostics
                    .report(dialect.at, format!("`{}` is not a dialect", dialect.is))
                    .near(&dialect.is, known);
                continue;
            };
            for entry in entries {
                self.free(spec, dialect, &entry.name);
                let mut name = self.alias(entry, dialect, arguments);
                for (canonical, theirs) in &found.rename {
                    let taken = name.rename.iter().any(|(one, _)| *one == canonical.is);
                    if !taken && arguments.iter().any(|argument| argument.name == canonical.is) {
                        name.rename.push((canonical.is.clone(), theirs.is.clone()));
                    }
                }
                self.renamed_apart(entry, &name, arguments);
                names.push(name);
            }
        }
        names
    }

    /// A name may stand once in a dialect, and may be another tool's canonical name nowhere.
    fn free(&mut self, spec: &ToolSpec, dialect: &Text, name: &Text) {
        if let Some((_, first)) = self.names.iter().find(|(one, first)| *one == dialect.is && first.is == name.is) {
            let line = first.at.line;
            self.diagnostics
                .report(name.at, format!("the name `{}` stands twice in the dialect `{}`", name.is, dialect.is))
                .note(format!("the first one is on line {line}"));
        }
        if name.is != spec.name.is && self.tool_names().any(|one| one.is == name.is) {
            self.diagnostics.report(name.at, format!("`{}` is another tool of this catalogue", name.is));
        }
        self.names.push((dialect.is.clone(), name.clone()));
    }

    fn alias(&mut self, entry: &NameSpec, dialect: &Text, arguments: &[Argument]) -> Name {
        let named = entry
            .preset
            .iter()
            .chain(&entry.defaults)
            .map(|(name, _)| name)
            .chain(entry.rename.iter().map(|(name, _)| name))
            .chain(entry.values.iter().map(|(name, _)| name))
            .chain(entry.required.iter().map(|(name, _)| name));
        for name in named {
            self.known_argument(name, arguments);
        }
        let mut loosened = Vec::new();
        for (name, required) in &entry.required {
            let Some(argument) = arguments.iter().find(|argument| argument.name == name.is) else { continue };
            if required.is && !argument.required {
                self.diagnostics
                    .report(required.at, format!("`{}` is optional, and a dialect cannot require it", name.is))
                    .help("a dialect may loosen a requirement, not tighten it");
            } else if !required.is {
                loosened.push(name.is.clone());
            }
        }
        for (name, node) in entry.preset.iter().chain(&entry.defaults) {
            let Some(argument) = arguments.iter().find(|argument| argument.name == name.is) else { continue };
            if node.value == crate::tree::Yaml::Null {
                continue;
            }
            if let Some(mismatch) = mismatch(node, argument.form, &argument.rule, &params(argument)) {
                mismatch.report(&format!("this value of `{}` is not allowed", name.is), self.diagnostics);
            }
        }
        let mut values = Vec::new();
        for (name, pairs) in &entry.values {
            let form = arguments.iter().find(|argument| argument.name == name.is);
            for (theirs, ours) in pairs {
                if let Some(argument) = form
                    && ours.value != crate::tree::Yaml::Null
                    && let Some(mismatch) = mismatch(ours, argument.form, &argument.rule, &params(argument))
                {
                    mismatch.report(&format!("this value of `{}` is not allowed", name.is), self.diagnostics);
                }
                let theirs = match theirs.is.as_str() {
                    "true" => Json::Bool(true),
                    "false" => Json::Bool(false),
                    word => Json::String(word.to_owned()),
                };
                values.push((name.is.clone(), theirs, ours.json()));
            }
        }
        let pairs = |list: &[(Text, crate::tree::Node)]| -> Vec<(String, Json)> {
            list.iter().map(|(name, node)| (name.is.clone(), node.json())).collect()
        };
        Name {
            dialect: dialect.is.clone(),
            name: entry.name.is.clone(),
            title: entry.title.clone(),
            doc: entry.doc.clone(),
            preset: pairs(&entry.preset),
            rename: entry.rename.iter().map(|(ours, theirs)| (ours.is.clone(), theirs.is.clone())).collect(),
            values,
            defaults: pairs(&entry.defaults),
            loosened,
            ignores: entry.ignores.iter().map(|(name, note)| (name.is.clone(), note.is.clone())).collect(),
        }
    }

    /// Their names must tell the arguments apart, ours included where they are not renamed.
    fn renamed_apart(&mut self, entry: &NameSpec, name: &Name, arguments: &[Argument]) {
        for (ignored, _) in &name.ignores {
            self.not_reserved(ignored, entry.name.at);
        }
        let mut listed: Vec<String> = Vec::new();
        for argument in arguments {
            let theirs = name
                .rename
                .iter()
                .find(|(ours, _)| *ours == argument.name)
                .map_or(argument.name.as_str(), |(_, theirs)| theirs.as_str());
            if theirs != argument.name {
                self.not_reserved(theirs, entry.name.at);
            }
            let theirs = super::bare(theirs);
            if listed.contains(&theirs) {
                self.diagnostics.report(
                    entry.name.at,
                    format!("two arguments of `{}` are called `{theirs}` in this dialect", entry.name.is),
                );
            }
            listed.push(theirs);
        }
    }
}

/// The parameters behind an argument.
fn params(argument: &Argument) -> Vec<&'static Param> {
    argument.facts.iter().map(|(_, param)| *param).collect()
}
