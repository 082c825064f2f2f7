//! No text in any argument leads a request outside of the tool's own path: every argument of every tool under every
//! name, with every spelling of every way out.

use super::*;
use common::text;
use proxmox_mcp::tool::Argument;

/// Ways out of a segment, and what only looks like one.
fn ways() -> Vec<String> {
    let ways = [
        "",
        " ",
        ".",
        "..",
        "...",
        "/",
        "//",
        "/..",
        "../..",
        "../../access/users",
        "/../../access/users",
        "pve1/../../access/users?",
        "pve1/../../access/users#",
        "pve1//status",
        "./pve1",
        "pve1/.",
        "..%2f..%2faccess",
        "%2e%2e/",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "%25252e%25252e%25252f",
        "..%5c",
        "..\\..\\access",
        "\\",
        "x?y=1",
        "x?",
        "x#y",
        "x;y=1",
        "x&injected=1;injected=2",
        "x%26injected%3d1",
        "x%00",
        "x\u{0}y",
        "x\ny",
        "x\r\nX-Injected: 1",
        "pve1\n",
        " pve1 ",
        "\u{feff}pve1",
        "pve1\u{200b}",
        "x\u{1b}[2Jy",
        "\u{ff0e}\u{ff0e}\u{2215}access",
        "\u{ff0e}\u{ff0e}\u{ff0f}access",
        "..\u{2044}access",
        "\u{202e}1evp",
        "%c0%ae%c0%ae%c0%af",
        "%u002e%u002e",
        "100/../",
        "100/status/stop",
        "https://example.org/",
        "@example.org:1/",
        "*",
        "{node}",
        "~",
        "$(id)",
        "`id`",
        "';--",
    ];
    let mut ways: Vec<String> = ways.map(str::to_owned).to_vec();
    ways.push("x".repeat(4_000));
    ways.push("../".repeat(1_300));
    ways
}

/// The spellings to try for an argument: the ways alone, and inside of what the argument looks like.
fn spellings(argument: &Argument) -> Vec<String> {
    // `#` stands for the spelling.
    let within: &[&str] = match argument.form {
        Form::Volid => &["local:#", "local:backup/#", "#:backup/vzdump-qemu-100-2026_01_01-00_00_00.vma.zst"],
        Form::Upid => &[
            "UPID:#:000003E8:00001B58:6B011FBD:qmstart:100:root@pam!mcp:",
            "UPID:pve1:000003E8:00001B58:6B011FBD:#:100:root@pam!mcp:",
            "UPID:pve1:000003E8:00001B58:6B011FBD:qmstart:#:root@pam!mcp:",
            "UPID:pve1:000003E8:00001B58:6B011FBD:qmstart:100:#:",
        ],
        _ => &[],
    };
    // What never becomes a part of a path is tried with fewer.
    let ways: Vec<String> = if in_path(argument) { ways() } else { ways().into_iter().step_by(4).collect() };
    let inside = within.iter().flat_map(|within| ways.iter().map(|way| within.replacen('#', way, 1)));
    ways.iter().cloned().chain(inside).collect()
}

/// Does the argument's text become a part of a path?
fn in_path(argument: &Argument) -> bool {
    let fact = argument.rule.fact.and_then(|fact| proxmox_spec::find(fact.verb, fact.path)?.param(fact.param));
    matches!(argument.form, Form::Upid | Form::Volid) || fact.is_some_and(|param| param.in_path)
}

/// May no path hold this text, however it is encoded? The slashes of a remainder are its own, encoded ones are not.
fn leads_out(text: &str, slashes: bool) -> bool {
    let segment = |part: &str| {
        let mut seen = part.to_owned();
        loop {
            let bad = matches!(&*seen, "" | "." | "..") || seen.contains('/') || seen.chars().any(char::is_control);
            let decoded = percent_encoding::percent_decode_str(&seen).decode_utf8_lossy().into_owned();
            if bad || decoded == seen {
                return bad;
            }
            seen = decoded;
        }
    };
    if slashes { text.split('/').any(segment) } else { segment(text) }
}

/// Calls the tool with every spelling in this argument; counts what was refused here and what was sent.
fn try_all(world: &World, client: &mut Client, surface: &'static Surface, argument: &'static Argument) -> (u32, u32) {
    let name = spelled(surface, argument.name);
    let (mut refused, mut sent) = (0, 0);
    let mut given = Value::Object(arguments(surface));
    if surface.tool.arguments.iter().any(|argument| argument.name == "wait") {
        given[spelled(surface, "wait")] = json!(0);
    }
    for text in spellings(argument) {
        given[&name] = json!(text);
        world.sandbox.forget_requests();
        let result = outcome(client, surface, &given);
        let requests = world.sandbox.requests();
        for received in &requests {
            assert_own(surface, received, &given);
        }
        let gone: Vec<&Received> = requests.iter().filter(|received| !constant(received)).collect();
        if gone.is_empty() {
            refused += 1
        } else {
            sent += 1
        }
        // White space around a value is nobody's intention.
        if in_path(argument) && leads_out(text.trim(), argument.form == Form::Volid) {
            assert!(gone.is_empty(), "{} sent {gone:?} for {given}", surface.name);
            assert_eq!(result["isError"], true, "{} took {given}: {result}", surface.name);
            let said = common::text(&result);
            // A required argument that is only white space may count as left out; it is named all the same.
            assert!(said.contains(&name), "{} does not name `{name}` for {given}: {said}", surface.name);
            assert!(said.len() < 4_000, "{} repeats too much: {said}", surface.name);
        }
    }
    (refused, sent)
}

/// Every textual argument of these names.
fn walk(surfaces: impl Iterator<Item = &'static Surface>) -> (u32, u32) {
    let world = World::start();
    let mut client = world.client(Era::Stateless, &[]);
    let mut counted = (0, 0);
    for surface in surfaces {
        for argument in surface.tool.arguments.iter().filter(|argument| textual(argument.form)) {
            let fixed = surface.preset.iter().any(|(preset, _)| *preset == argument.name);
            if !fixed {
                let (refused, sent) = try_all(&world, &mut client, surface, argument);
                counted = (counted.0 + refused, counted.1 + sent);
            }
        }
    }
    assert!(client.knock().get("result").is_some());
    assert_ne!(client.call("get_version", json!({}))["isError"], true);
    counted
}

#[test]
fn no_argument_of_any_tool_leads_out_of_its_path() {
    let (refused, sent) = walk(canonical());
    // Both happen: otherwise the walk would have seen nothing.
    assert!(refused > 1_000 && sent > 100, "{refused} refused, {sent} sent");
}

#[test]
fn neither_does_one_under_the_names_of_a_dialect() {
    let (refused, sent) = walk(catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_some()).step_by(5));
    assert!(refused > 100 && sent > 10, "{refused} refused, {sent} sent");
}

#[test]
fn keys_of_objects_lead_nowhere_either() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    for surface in canonical() {
        let objects = surface.tool.arguments.iter();
        for argument in objects.filter(|argument| matches!(argument.form, Form::Rest | Form::Expect | Form::Property)) {
            let mut given = Value::Object(arguments(surface));
            for key in ways() {
                given[argument.name] = json!({ key.clone(): "1" });
                world.sandbox.forget_requests();
                let result = outcome(&mut client, surface, &given);
                let requests = world.sandbox.requests();
                requests.iter().for_each(|received| assert_own(surface, received, &given));
                if argument.form != Form::Expect {
                    assert_eq!(result["isError"], true, "{} took {given}", surface.name);
                    assert!(requests.iter().all(constant), "{} sent {requests:?} for {given}", surface.name);
                    assert!(text(&result).contains(argument.name), "{}", text(&result));
                }
            }
        }
    }
}
