//! `proxmox-mcp tools`: what is on offer with these limits, why the rest is not, and how one tool is called.
//!
//! Connects to nothing, and needs no connection setting.

use super::table::{finished, plain};
use super::{Exit, exit};
use crate::access::Access;
use crate::catalogue;
use crate::settings::{BadSettings, Flags, Layers, Settings, layers};
use crate::tool::{Argument, Form, Preset, Surface};
use clap::Args;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Tools {
    /// Show this tool: what it does, its arguments, its tier
    #[arg(value_name = "TOOL")]
    tool: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Prints the list, or one tool; for each cluster where there are several.
pub fn run(tools: &Tools, flags: &Flags) -> Exit {
    let loaded = Layers::read(flags, &layers::process).and_then(|layers| {
        let clusters = layers.clusters()?;
        let limits = clusters.iter().map(|values| Ok((values.cluster.clone(), values.limits()?)));
        limits.collect::<Result<Vec<(Option<String>, Settings)>, BadSettings>>()
    });
    let clusters = match loaded {
        Ok(clusters) => clusters,
        Err(error) => {
            eprintln!("proxmox-mcp: {error}");
            return Exit::Usage;
        }
    };
    let known = tools.tool.as_ref().map(|name| catalogue::surface(name).ok_or(name)).transpose();
    let surface = match known {
        Ok(surface) => surface,
        Err(name) => {
            eprintln!("proxmox-mcp: {}", unknown(name));
            return Exit::Usage;
        }
    };
    if let [(_, settings)] = clusters.as_slice() {
        return print(tools.json, &shown_json(surface, settings), || shown(surface, settings));
    }
    let name = |name: &Option<String>| name.clone().unwrap_or_default();
    let all = clusters.iter().map(|(cluster, settings)| (name(cluster), shown_json(surface, settings)));
    let all = json!({ "clusters": Map::from_iter(all) });
    print(tools.json, &all, || {
        let each = clusters.iter();
        let each = each.map(|(cluster, settings)| format!("Cluster {}\n\n{}", name(cluster), shown(surface, settings)));
        each.collect::<Vec<_>>().join("\n")
    })
}

fn listed(settings: &Settings) -> Vec<&'static Surface> {
    catalogue::SURFACES.iter().filter(|surface| surface.dialect == settings.dialect).collect()
}

fn shown(surface: Option<&'static Surface>, settings: &Settings) -> String {
    let access = settings.access();
    match surface {
        Some(surface) => one(surface, settings, &access),
        None => list(&listed(settings), settings, &access),
    }
}

fn shown_json(surface: Option<&'static Surface>, settings: &Settings) -> Value {
    let access = settings.access();
    match surface {
        Some(surface) => one_json(surface, settings, &access),
        None => listed(settings).iter().map(|surface| row_json(surface, settings, &access)).collect(),
    }
}

fn print(json: bool, value: &Value, text: impl FnOnce() -> String) -> Exit {
    exit::output(&if json { format!("{value:#}\n") } else { text() }, Exit::Done)
}

/// What to say about a name that no tool has.
pub(super) fn unknown(name: &str) -> String {
    let near = proxmox_spec::nearest(name, catalogue::SURFACES.iter().map(|surface| surface.name));
    match near {
        Some(near) => format!("there is no tool `{name}`; did you mean `{near}`?"),
        None => format!("there is no tool `{name}`; `proxmox-mcp tools` lists them"),
    }
}

const HEADINGS: [&str; 5] = ["name", "toolset", "tier", "effect", "title"];

fn list(all: &[&'static Surface], settings: &Settings, access: &Access) -> String {
    let toolsets = &settings.toolsets;
    let row = |surface: &Surface, tier: &'static str| {
        let tool = surface.tool;
        let toolset = if tool.core { format!("{}, core", tool.toolset) } else { tool.toolset.to_owned() };
        [surface.name.to_owned(), toolset, tier.to_owned(), tool.effect.to_string(), surface.title.to_owned()]
    };
    let (mut listed, mut callable, mut refused) = (plain(&HEADINGS), plain(&HEADINGS), plain(&HEADINGS));
    let mut counts = [0; 3];
    for surface in all {
        let tier = surface.tool.tier;
        let (table, count, tier) = if toolsets.list(surface, access) {
            (&mut listed, 0, tier.as_str())
        } else if access.check(surface).is_ok() {
            (&mut callable, 1, tier.as_str())
        } else {
            (&mut refused, 2, if tier > access.tier { tier.as_str() } else { "denied" })
        };
        counts[count] += 1;
        table.add_row(row(surface, tier));
    }
    let mut text = finished(&listed);
    for (table, count, heading) in
        [(&callable, counts[1], "Not listed, and callable all the same"), (&refused, counts[2], "Not on offer")]
    {
        if count > 0 {
            let _ = write!(text, "\n{heading}:\n{}", finished(table));
        }
    }
    let _ = write!(text, "\n{} listed for the toolsets `{toolsets}` at tier `{}`", counts[0], access.tier);
    if counts[1] > 0 {
        let _ = write!(text, ", {} more callable by name: --toolsets lists them too", counts[1]);
    }
    if counts[2] > 0 {
        let _ = write!(
            text,
            ", {} not on offer: those above the tier need a higher --tier, or --allow NAME for one tool; `denied` is by \
             --deny",
            counts[2]
        );
    }
    text += ".\n`proxmox-mcp tools TOOL` shows the arguments of one.\n";
    text
}

fn row_json(surface: &Surface, settings: &Settings, access: &Access) -> Value {
    let tool = surface.tool;
    let mut row = Map::new();
    row.insert("name".into(), json!(surface.name));
    if let Some(dialect) = surface.dialect {
        row.insert("dialect".into(), json!(dialect));
        row.insert("canonical".into(), json!(tool.name));
    }
    row.insert("toolset".into(), json!(tool.toolset));
    row.insert("core".into(), json!(tool.core));
    row.insert("tier".into(), json!(tool.tier.as_str()));
    row.insert("effect".into(), json!(tool.effect.as_str()));
    row.insert("title".into(), json!(surface.title));
    let refusal = access.check(surface).err();
    row.insert("offered".into(), json!(refusal.is_none()));
    row.insert("listed".into(), json!(settings.toolsets.list(surface, access)));
    if let Some(refusal) = refusal {
        row.insert("because".into(), json!(refusal.to_string()));
    }
    Value::Object(row)
}

fn one_json(surface: &Surface, settings: &Settings, access: &Access) -> Value {
    let mut row = row_json(surface, settings, access);
    let schema = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    row["description"] = json!(surface.description);
    row["inputSchema"] = schema(surface.input_schema);
    row["outputSchema"] = schema(surface.tool.output_schema);
    row
}

fn one(surface: &Surface, settings: &Settings, access: &Access) -> String {
    let tool = surface.tool;
    let mut text = format!("{}: {}\n\n{}\n\n", surface.name, surface.title, surface.description.trim());
    let core = if tool.core { " and core" } else { "" };
    let _ = writeln!(text, "tier {}, effect {}, toolset {}{core}", tool.tier, tool.effect, tool.toolset);
    if surface.name != tool.name {
        let _ = writeln!(text, "the same as {}", tool.name);
    }
    for route in tool.routes {
        let when = if route.when.is_empty() { route.kind.map_or("", |kind| kind.noun()) } else { route.when };
        let when = if when.is_empty() { String::new() } else { format!("  ({when})") };
        let _ = writeln!(text, "sends {} {}{when}", route.verb, route.path);
    }
    let taken: Vec<&Argument> = tool
        .arguments
        .iter()
        .filter(|argument| !surface.preset.iter().any(|(name, _)| *name == argument.name))
        .collect();
    if taken.is_empty() {
        text += "\ntakes no arguments\n";
    } else {
        let mut table = plain(&["argument", "form", "default", ""]);
        for argument in taken {
            let name = surface.rename.iter().find(|(_, canonical)| *canonical == argument.name);
            let name = name.map_or(argument.name, |(name, _)| name);
            table.add_row([
                name.to_owned(),
                form(argument),
                default(surface, argument),
                argument.doc.trim().to_owned(),
            ]);
        }
        let _ = write!(text, "\n{}", finished(&table));
    }
    if let Err(refusal) = access.check(surface) {
        let _ = writeln!(text, "\n{refusal}");
    } else if !settings.toolsets.list(surface, access) {
        let _ = writeln!(text, "\nNot listed for the toolsets `{}`, and callable all the same.", settings.toolsets);
    }
    text
}

fn form(argument: &Argument) -> String {
    let rule = &argument.rule;
    match argument.form {
        Form::Choice => rule.values.join(" | "),
        Form::Integer | Form::Number => {
            let word = if argument.form == Form::Integer { "integer" } else { "number" };
            match (rule.minimum, rule.maximum) {
                (Some(least), Some(most)) => format!("{word} {least}–{most}"),
                (Some(least), None) => format!("{word} from {least}"),
                (None, Some(most)) => format!("{word} to {most}"),
                (None, None) => word.to_owned(),
            }
        }
        Form::Text => "text".to_owned(),
        Form::Boolean => "true | false".to_owned(),
        Form::List => "list: a,b,c".to_owned(),
        Form::Property => "key=value,… or JSON object".to_owned(),
        Form::Guest => "guest id or name".to_owned(),
        Form::Upid => "task id (UPID:…)".to_owned(),
        Form::Volid => "volume id".to_owned(),
        Form::Size => "size: 32G".to_owned(),
        Form::Argv => "JSON list of words".to_owned(),
        Form::File => "file".to_owned(),
        Form::Rest | Form::Expect | Form::Object => "JSON object".to_owned(),
    }
}

fn default(surface: &Surface, argument: &Argument) -> String {
    if argument.required {
        return "required".to_owned();
    }
    match surface.defaults.iter().find(|(name, _)| *name == argument.name) {
        Some((_, "null")) => return String::new(),
        Some((_, json)) => return (*json).to_owned(),
        None => {}
    }
    match argument.default {
        Preset::None => String::new(),
        Preset::Boolean(value) => value.to_string(),
        Preset::Integer(value) => value.to_string(),
        Preset::Text(value) => value.to_owned(),
    }
}
