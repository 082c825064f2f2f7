//! A toolset's page: everything about each of its tools, for a reader.

use super::arguments::{Row, json, plural, rows, unpointed};
use super::{Pages, and, code, privileges, since};
use crate::catalogue::*;
use crate::emit::schema;
use proxmox_spec::{Effect, Upid};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// More fields than this are told by type instead of one by one.
const FIELDS: usize = 24;

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    doc: &'a str,
    tools: Vec<(&'a str, &'a str)>,
    /// Rendered.
    sections: Vec<String>,
}

/// One tool, as `tool.md` lays it out.
#[derive(Serialize)]
struct Section<'a> {
    name: &'a str,
    title: &'a str,
    doc: &'a str,
    tier: &'static str,
    effect: &'static str,
    because: Option<&'a str>,
    unsupported: Vec<String>,
    arguments: Vec<Row>,
    returns: Vec<Field>,
    /// Sentences about the answer as a whole.
    answer: Vec<String>,
    calls: Vec<Call>,
    names: Vec<Named>,
    hints: Vec<Advice>,
    /// Rendered.
    examples: Vec<String>,
}

#[derive(Serialize)]
struct Field {
    name: String,
    ty: String,
    unit: String,
}

/// A request that a call of the tool can send.
#[derive(Serialize)]
struct Call {
    call: String,
    /// For whom or what; empty when it is the only one.
    purpose: String,
    since: String,
    privileges: String,
    task: bool,
}

#[derive(Serialize)]
struct Named {
    name: String,
    dialect: String,
    differences: String,
}

#[derive(Serialize)]
struct Advice {
    has: String,
    say: String,
}

#[derive(Serialize)]
struct Shown {
    /// Empty when there is only one.
    number: String,
    call: String,
    given: String,
    before: Vec<String>,
    sends: Vec<String>,
    /// Relative to the page.
    response: String,
}

/// The page of a toolset.
pub fn page(catalogue: &Catalogue, set: &Toolset, pages: &Pages<'_>) -> Result<String, String> {
    let sections: Result<Vec<String>, String> =
        set.tools.iter().map(|tool| pages.fill("tool.md", section(catalogue, tool, pages)?)).collect();
    let tools = set.tools.iter().map(|tool| (tool.name.as_str(), tool.title.as_str())).collect();
    pages.fill("toolset.md", Page { title: &set.title, doc: &set.doc, tools, sections: sections? })
}

fn section<'a>(catalogue: &Catalogue, tool: &'a Tool, pages: &Pages<'_>) -> Result<Section<'a>, String> {
    let examples = (1..).zip(&tool.examples).map(|(number, one)| pages.fill("example.md", shown(tool, number, one)));
    Ok(Section {
        name: &tool.name,
        title: &tool.title,
        doc: &tool.doc,
        tier: tool.tier.as_str(),
        effect: tool.effect.as_str(),
        because: tool.because.as_deref(),
        unsupported: tool.unsupported.iter().map(|(kind, why)| format!("Not for {}: {why}", plural(*kind))).collect(),
        arguments: rows(tool),
        returns: returns(&schema::output(catalogue, tool)),
        answer: answer(catalogue, tool),
        calls: calls(catalogue, tool),
        names: tool.names.iter().map(|name| named(catalogue, name)).collect(),
        hints: tool.hints.iter().map(advice).collect(),
        examples: examples.collect::<Result<_, _>>()?,
    })
}

/// The fields of the answer, from the schema that is served; `notes` can stand in every answer.
fn returns(schema: &Json) -> Vec<Field> {
    let mut fields = Vec::new();
    collect("", schema, &mut fields);
    fields.retain(|field| field.name != "notes");
    if fields.len() <= FIELDS {
        return fields;
    }
    let mut grouped: Vec<Field> = Vec::new();
    for field in fields {
        let name = code(&field.name);
        match grouped.iter_mut().find(|one| one.ty == field.ty && one.unit == field.unit) {
            Some(one) => one.name = format!("{}, {name}", one.name),
            None => grouped.push(Field { name, ..field }),
        }
    }
    for field in &mut grouped {
        // The layout puts a name in backticks.
        field.name = field.name.trim_matches('`').to_owned();
    }
    grouped
}

fn collect(prefix: &str, schema: &Json, fields: &mut Vec<Field>) {
    let Some(properties) = schema.get("properties").and_then(Json::as_object) else { return };
    for (name, value) in properties {
        let name = format!("{prefix}{name}");
        let (ty, items) = (type_of(value), value.get("items"));
        // A configuration has texts under the names of numbers, such as `cpu`.
        let counts = matches!(ty.as_str(), "integer" | "number");
        let unit = value.get("description").and_then(Json::as_str).filter(|_| counts).unwrap_or_default().to_owned();
        fields.push(Field { name: name.clone(), ty, unit });
        collect(&format!("{name}[]."), items.unwrap_or(&Json::Null), fields);
        collect(&format!("{name}."), value, fields);
    }
}

fn type_of(schema: &Json) -> String {
    let word = |schema: &Json| schema.get("type").and_then(Json::as_str).unwrap_or("any").to_owned();
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return values.iter().map(json).collect::<Vec<_>>().join(", ");
    }
    match schema.get("items").map(word) {
        Some(item) if item == "any" => "list".to_owned(),
        Some(item) => format!("list of {item}s"),
        None if word(schema) == "array" => "list".to_owned(),
        None => word(schema),
    }
}

fn answer(catalogue: &Catalogue, tool: &Tool) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    let mut say = |text: String| {
        if !said.contains(&text) {
            said.push(text);
        }
    };
    for Route { returns, .. } in &tool.routes {
        if returns.answer == Answer::Object && returns.fields.is_empty() {
            say("All fields that the API answers with are shown; these are the known ones.".to_owned());
        }
        if let Some(sort) = &returns.sort {
            match sort.strip_prefix('-') {
                Some(field) => say(format!("Sorted by `{field}`, highest first.")),
                None => say(format!("Sorted by `{sort}`.")),
            }
        }
        if let Some(page) = returns.page {
            say(format!("At most {page} rows, unless `limit` says otherwise."));
        }
        if let Some((_, start)) = &returns.last {
            say(format!("Without `{start}`, what is shown comes from the end."));
        }
        if !returns.filters.is_empty() {
            let list: Vec<String> = returns.filters.iter().map(|filter| code(&filter.argument)).collect();
            say(format!("The server filters by {}, since the API does not.", and(&list)));
        }
    }
    for guard in &tool.guards {
        match guard {
            Guard::Digest { show, expect, .. } => {
                if !show.is_empty() {
                    say(format!("`{show}` shows what was there before."));
                }
                if let Some(expect) = expect {
                    say(format!("Nothing is sent when a value differs from `{expect}`."));
                }
            }
            Guard::Absent { say: text, unless, .. } => {
                let unless = unless.as_ref().map(|one| format!(" unless `{one}` is true")).unwrap_or_default();
                say(format!("Refused{unless} when it is there already: {text}"));
            }
            Guard::Vacant { id, replace } => {
                let replace = replace.as_ref().map(|one| format!("; with `{one}`, unless it is of the other kind"));
                say(format!("Refused when a guest has the id `{id}`{}.", replace.unwrap_or_default()));
            }
        }
    }
    for waiter in catalogue.waiters.iter().filter(|waiter| Some(&waiter.name) == tool.waiter.as_ref()) {
        say(format!("Waits for the end; `{}` takes up a wait that was left.", waiter.resume));
        if waiter.once {
            say("The end can be read only once.".to_owned());
        }
    }
    said
}

fn calls(catalogue: &Catalogue, tool: &Tool) -> Vec<Call> {
    let mut list: Vec<Call> = Vec::new();
    let mut add = |method: &proxmox_spec::Method, purpose: String| {
        let (since, privileges) = privileges::facts(method);
        let call = format!("{} {}", method.verb, method.path);
        let task = matches!(method.upid, Upid::Always | Upid::Optional);
        if !list.iter().any(|one| one.call == call && one.purpose == purpose) {
            list.push(Call { call, purpose, since, privileges, task });
        }
    };
    for route in &tool.routes {
        add(route.request.method, purpose(route));
    }
    for also in tool.routes.iter().flat_map(|route| &route.also) {
        let when = also.when.as_ref().map(|one| format!(", when `{one}`")).unwrap_or_default();
        add(also.request.method, format!("`{}`{when}", also.field));
    }
    for (method, why) in privileges::around(tool) {
        add(method, why);
    }
    for waiter in catalogue.waiters.iter().filter(|waiter| Some(&waiter.name) == tool.waiter.as_ref()) {
        add(waiter.poll, "waiting".to_owned());
        if let Some(log) = waiter.log {
            add(log, "the log, while waiting".to_owned());
        }
    }
    list
}

/// Which kind or case a route is for.
fn purpose(route: &Route) -> String {
    let kind = route.kind.map(|kind| plural(kind).to_owned());
    let when = route.when.as_ref().map(|(argument, when)| match when {
        When::Given => format!("with `{argument}`"),
        When::Absent => format!("without `{argument}`"),
        When::Is(value) => format!("`{argument}` is `{value}`"),
    });
    kind.into_iter().chain(when).collect::<Vec<_>>().join(", ")
}

fn named(catalogue: &Catalogue, name: &Name) -> Named {
    let dialect = catalogue.dialects.iter().find(|dialect| dialect.name == name.dialect);
    Named {
        name: name.name.clone(),
        dialect: dialect.map_or(&name.dialect, |dialect| &dialect.title).clone(),
        differences: differences(name),
    }
}

/// How a name differs from the tool's own: fixed, renamed, translated, defaulted, loosened and ignored arguments.
pub fn differences(name: &Name) -> String {
    let mut said: Vec<String> = Vec::new();
    said.extend(name.preset.iter().map(|(argument, value)| format!("`{argument}` is {}", json(value))));
    // A fixed argument is not listed, so its other name helps nobody.
    let listed = name.rename.iter().filter(|(ours, _)| !name.preset.iter().any(|(fixed, _)| fixed == ours));
    said.extend(listed.map(|(ours, theirs)| format!("`{ours}` is called `{theirs}`")));
    said.extend(name.values.iter().map(|(argument, theirs, ours)| {
        let listed = name.rename.iter().find(|(one, _)| one == argument).map_or(argument, |(_, theirs)| theirs);
        match ours {
            Json::Null => format!("`{listed}` {} means none", json(theirs)),
            ours => format!("`{listed}` {} means {}", json(theirs), json(ours)),
        }
    }));
    said.extend(name.defaults.iter().map(|(argument, value)| match value {
        Json::Null => format!("`{argument}` has no default"),
        value => format!("`{argument}` defaults to {}", json(value)),
    }));
    said.extend(name.loosened.iter().map(|argument| format!("`{argument}` is not required")));
    said.extend(name.ignores.iter().map(|(argument, note)| format!("`{argument}` is ignored: {}", unpointed(note))));
    said.join("; ")
}

fn advice(hint: &Hint) -> Advice {
    let status = hint.status.map(|status| format!(" (status {status})")).unwrap_or_default();
    let again = if hint.retry { " An id that the cluster chose is asked for again, once." } else { "" };
    Advice { has: format!("{}{status}", code(&hint.has)), say: format!("{}{again}", hint.say) }
}

/// The general hints, for the index.
pub fn general_hints(catalogue: &Catalogue) -> Vec<impl Serialize> {
    catalogue.hints.iter().map(advice).collect()
}

fn shown(tool: &Tool, number: usize, example: &Example) -> Shown {
    let given = example.given.as_object().into_iter().flatten();
    Shown {
        number: if tool.examples.len() > 1 { number.to_string() } else { String::new() },
        call: call(&tool.name, &example.args),
        given: and(&given.map(|(name, value)| format!("{name} {}", json(value))).collect::<Vec<_>>()),
        before: example.before.iter().map(|(name, args)| format!("`{name}` {}", code(&args.to_string()))).collect(),
        sends: example.sends.clone(),
        response: format!("../responses/{}_{number}.json", tool.name),
    }
}

/// A call as a client makes it, over several lines.
pub fn call(tool: &str, arguments: &Json) -> String {
    format!("{:#}", json!({ "tool": tool, "arguments": arguments }))
}

/// What an effect means for whoever uses the guest or host.
pub fn meaning(effect: Effect) -> &'static str {
    match effect {
        Effect::None => "looks only",
        Effect::Changes => "makes or changes something that can be changed back",
        Effect::Interrupts => "whoever uses the guest or host notices",
        Effect::Destroys => "what is gone cannot be had back",
    }
}

/// A method's first version, where it is not the facts' first.
pub fn later(tool: &Tool) -> Option<String> {
    let versions = tool.routes.iter().map(|route| route.request.method.since);
    versions.filter(|version| *version != "6.4").max().map(since)
}
