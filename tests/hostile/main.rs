//! Hostile input against the built binary, over pipes and with a cluster behind it: paths that try to lead elsewhere,
//! values of every wrong kind, text that hides or commands, lines that are no messages, and secrets that are echoed.
//!
//! What a call made of its arguments is judged by what the cluster received, not by what the server says of itself.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../wire/server.rs"]
#[allow(dead_code)]
mod server;

mod flood;
mod paths;
mod protocol;
mod raw;
mod secrets;
mod texts;
mod values;
#[path = "../common/world.rs"]
mod world;

use common::{Client, Era};
use proxmox_mcp::catalogue;
use proxmox_mcp::tool::{Form, Surface, Verb, Waiter};
use proxmox_sandbox::Received;
use proxmox_spec::Segment;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use world::World;

include!(concat!(env!("OUT_DIR"), "/examples.rs"));

impl World {
    /// The secret of the token.
    fn secret(&self) -> &str {
        self.sandbox.token().split_once('=').expect("a secret").1
    }

    /// The variables that point the binary at this cluster.
    fn variables(&self) -> Vec<(&'static str, String)> {
        let (name, secret) = self.sandbox.token().split_once('=').expect("a secret");
        vec![
            ("PROXMOX_HOST", self.sandbox.address().to_string()),
            ("PROXMOX_TOKEN_NAME", name.to_owned()),
            ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
            ("PROXMOX_FINGERPRINT", hex(&self.sandbox.certificate_fingerprint())),
            ("PROXMOX_TIER", "admin".to_owned()),
            ("PROXMOX_RETRY_DELAY", "0".to_owned()),
        ]
    }

    /// The binary, connected to this cluster, and the conversation opened.
    fn client(&self, era: Era, arguments: &[&str]) -> Client {
        let mut client = Client::start(era, arguments, &borrowed(&self.variables()));
        client.open();
        client
    }
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A name for as long as the tests run.
fn leaked(name: &str) -> &'static str {
    Box::leak(name.to_owned().into_boxed_str())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tools under their canonical names.
fn canonical() -> impl Iterator<Item = &'static Surface> {
    catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_none())
}

/// Arguments that the tool takes, from its first example, in the words of the surface.
fn arguments(surface: &Surface) -> Map<String, Value> {
    let example = EXAMPLES.iter().find(|example| example.tool == surface.tool.name).expect("every tool has an example");
    let Ok(Value::Object(given)) = serde_json::from_str(example.args) else { panic!("{}", example.args) };
    let fixed = |name: &str| surface.preset.iter().any(|(preset, _)| *preset == name);
    given.into_iter().filter(|(name, _)| !fixed(name)).map(|(name, value)| (spelled(surface, &name), value)).collect()
}

/// The name of an argument on this surface.
fn spelled(surface: &Surface, canonical: &str) -> String {
    let renamed = surface.rename.iter().find(|(_, ours)| *ours == canonical);
    renamed.map_or(canonical, |(theirs, _)| theirs).to_owned()
}

/// The request itself may not lead anywhere but here: methods and path templates that the tool is made of, by name of
/// the example, the route, the waiter and the look-ups that every tool has.
fn own(surface: &Surface) -> &'static [(Verb, &'static str)] {
    static KNOWN: Mutex<BTreeMap<&str, &[(Verb, &str)]>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(surface.tool.name).or_insert_with(|| every_own(surface).leak())
}

fn every_own(surface: &Surface) -> Vec<(Verb, &'static str)> {
    let tool = surface.tool;
    let mut own: Vec<(Verb, &'static str)> = tool.routes.iter().map(|route| (route.verb, route.path)).collect();
    let sent = EXAMPLES.iter().filter(|example| example.tool == tool.name).flat_map(|example| example.sends);
    for line in sent {
        let mut words = line.split(' ');
        let verb = words.next().and_then(Verb::parse).expect("a verb");
        let path = words.next().expect("a path");
        own.push((verb, proxmox_spec::route(verb, path).expect("a path of the API").method.path));
    }
    let kinds = |path: &'static str| {
        ["qemu", "lxc"].into_iter().filter_map(move |kind| {
            proxmox_spec::find(Verb::Get, &path.replace("{kind}", kind)).map(|method| (Verb::Get, method.path))
        })
    };
    let polls = |waiter: &'static Waiter| kinds(waiter.poll).chain(kinds(waiter.log));
    own.extend(tool.waiter.into_iter().chain([&catalogue::WAIT_TASK]).flat_map(polls));
    own.extend(LOOK_UPS.iter().map(|path| (Verb::Get, *path)));
    // Guards read the object itself before it is written.
    let mut read = Vec::new();
    for (_, path) in &own {
        read.extend(proxmox_spec::find(Verb::Get, path).map(|method| (Verb::Get, method.path)));
        let around = path.rsplit_once('/').map_or("", |(around, _)| around);
        read.extend(proxmox_spec::find(Verb::Get, around).map(|method| (Verb::Get, method.path)));
    }
    own.extend(read);
    own.sort();
    own.dedup();
    own
}

/// What any call may read to find its place or to explain an error.
const LOOK_UPS: &[&str] = &[
    "/cluster/resources",
    "/cluster/nextid",
    "/nodes",
    "/nodes/{node}/time",
    "/nodes/{node}/tasks",
    // What kind of guest an archive holds.
    "/nodes/{node}/storage/{storage}/content",
    "/nodes/{node}/qemu/{vmid}/status/current",
    "/nodes/{node}/lxc/{vmid}/status/current",
    "/nodes/{node}/qemu/{vmid}/config",
    "/nodes/{node}/lxc/{vmid}/config",
    // What there is beside a name that is not there, and what a token may.
    "/pools",
    "/storage",
    "/nodes/{node}/storage",
    "/nodes/{node}/network",
    "/nodes/{node}/version",
    "/access/permissions",
    "/access/roles",
    // Guests that high availability keeps together.
    "/cluster/ha/rules",
    "/cluster/ha/resources",
    // What a call about snapshots affects.
    "/nodes/{node}/qemu/{vmid}/snapshot",
    "/nodes/{node}/lxc/{vmid}/snapshot",
    "/nodes/{node}/qemu/{vmid}/snapshot/{snapname}/config",
    "/nodes/{node}/lxc/{vmid}/snapshot/{snapname}/config",
];

/// Look-ups in whose target nothing of the caller's stands.
fn constant(received: &Received) -> bool {
    let path = path(received);
    received.verb == "GET" && ["/cluster/resources", "/cluster/nextid", "/nodes", "/version"].contains(&path)
}

/// The path below `/api2/json` as sent.
fn path(received: &Received) -> &str {
    let path = received.target.split('?').next().unwrap_or_default();
    path.strip_prefix("/api2/json").expect("every request goes to the API")
}

/// Checks that a request as it stood on the wire is one of the tool's own: segment by segment, with nothing decoded, so
/// that a value can neither add a segment nor leave its own.
#[track_caller]
fn assert_own(surface: &Surface, received: &Received, given: &Value) {
    let target = &received.target;
    let printable = target.bytes().all(|byte| byte.is_ascii_graphic());
    assert!(printable && !target.contains('#'), "{} sent {target:?} for {given}", surface.name);
    assert!(target.matches('?').count() < 2, "{} sent {target:?} for {given}", surface.name);
    // What a plan made by hand sends, its arguments say; its own tests look at it.
    if surface.tool.handled {
        return;
    }
    let verb = Verb::parse(&received.verb).expect("a verb");
    let parts: Vec<&str> = path(received).split('/').skip(1).collect();
    let fits = |template: &str| {
        let Some(method) = proxmox_spec::find(verb, template) else { return false };
        method.segments.len() == parts.len()
            && method.segments.iter().zip(&parts).all(|(segment, part)| match segment {
                Segment::Literal(text) => text == part,
                Segment::Param(_) | Segment::Remainder(_) => !part.is_empty() && !dots(part),
            })
    };
    let own = own(surface);
    let known = own.iter().find(|(known, template)| *known == verb && fits(template));
    let Some((_, template)) = known else {
        panic!("{} sent {verb} {target} for {given}, which is none of its own: {own:?}", surface.name)
    };
    let method = proxmox_spec::find(verb, template).expect("it was found before");
    for (name, _) in &received.params {
        let known = method.param(name).is_some() || method.extra_params;
        assert!(known && !name.contains("injected"), "{} sent the parameter {name:?} for {given}", surface.name);
    }
}

/// Does a segment mean "here" or "above", in whatever encoding?
fn dots(part: &str) -> bool {
    let mut seen = part.to_owned();
    loop {
        let decoded = percent_encoding::percent_decode_str(&seen).decode_utf8_lossy().into_owned();
        if decoded == seen {
            return matches!(&*seen, "" | "." | "..") || seen.split('/').any(|part| matches!(part, "." | ".."));
        }
        seen = decoded;
    }
}

/// Calls a tool and gives its result, or the error of the protocol as one.
fn outcome(client: &mut Client, surface: &Surface, given: &Value) -> Value {
    let answer = client.request("tools/call", json!({"name": surface.name, "arguments": given}));
    assert!(answer.get("error").is_none(), "{} {given}: {answer}", surface.name);
    let result = answer["result"].clone();
    assert_clean(&result);
    let said = common::text(&result);
    assert!(!said.contains("broke off inside this server"), "{} {given}: {said}", surface.name);
    result
}

/// Checks every text in a message, and in texts that are JSON themselves: nothing in it is invisible, moves the cursor
/// or turns the direction of writing.
#[track_caller]
fn assert_clean(value: &Value) {
    let clean = |text: &str| {
        let strange = text.chars().find(|letter| !matches!(letter, '\n' | '\t') && hidden(*letter));
        assert!(strange.is_none(), "{strange:?} in {text:?}");
    };
    match value {
        Value::String(text) => {
            clean(text);
            if let Ok(inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text) {
                assert_clean(&inner);
            }
        }
        Value::Array(items) => items.iter().for_each(assert_clean),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            clean(name);
            assert_clean(value);
        }),
        _ => {}
    }
}

/// By the general categories of Unicode: control, format, line and paragraph separators, tags; and the fillers that are
/// letters by category and blank to the eye.
fn hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}' | '\u{8e2}'
            | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Is this argument read as text, so that its text could go astray?
fn textual(form: Form) -> bool {
    !matches!(form, Form::Boolean | Form::Rest | Form::Expect)
}
