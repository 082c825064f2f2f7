//! Secrets that come back: from a server that repeats everything it was sent, in every place of an answer and in every
//! usual encoding. None of them is in what the binary writes, on either of its outputs, at the most talkative level.

use super::server::{Say, Seen, Server};
use super::texts::scripted;
use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proxmox_spec::Param;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Characters that every encoding changes, and enough plain ones to be recognised by.
const TOKEN: &str = "tok%2F;\"v&l\\e=+/0123456789abcdef";
const PASSWORD: &str = "pass w%rd;\"é&<\\>=+/fedcba9876543210";

/// The parameters of a tool's calls that the facts call secret.
fn secret_params(surface: &Surface) -> Vec<&'static Param> {
    let methods = surface.tool.routes.iter().filter_map(|route| proxmox_spec::find(route.verb, route.path));
    let params = methods.flat_map(|method| method.params).copied();
    let mut params: Vec<_> = params.filter(|param| param.secret && !param.root_only && !param.in_path).collect();
    params.sort_by_key(|param| param.name);
    params.dedup_by_key(|param| param.name);
    params
}

/// Every way to hand a secret over: the surface, and the arguments with the secret in its place.
fn ways() -> Vec<(&'static Surface, Value, String)> {
    let mut ways = Vec::new();
    for surface in canonical() {
        for argument in surface.tool.arguments {
            let mut given = Value::Object(arguments(surface));
            if argument.secret {
                given[argument.name] = json!(PASSWORD);
                ways.push((surface, given.clone(), argument.name.to_owned()));
            }
            if argument.form == Form::Rest {
                for param in secret_params(surface) {
                    let mut given = Value::Object(arguments(surface));
                    let name = param.name.replace("[n]", "0");
                    given[argument.name] = json!({ name.clone(): PASSWORD });
                    ways.push((surface, given, format!("{}.{name}", argument.name)));
                }
            }
        }
    }
    ways
}

/// The forms in which a secret could still be read.
fn forms(secret: &str) -> Vec<String> {
    let percent = percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string();
    let json = Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        percent.clone(),
        percent.replace("%20", "+"),
        percent_encode(percent.as_bytes(), NON_ALPHANUMERIC).to_string(),
        json.trim_matches('"').to_owned(),
        secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;"),
        STANDARD.encode(secret),
        STANDARD_NO_PAD.encode(secret),
        URL_SAFE.encode(secret),
        URL_SAFE_NO_PAD.encode(secret),
        // As the end of something that was encoded whole, and with something behind it.
        STANDARD.encode(format!("root@pam!mcp:{secret}")),
        STANDARD.encode(format!("PVEAPIToken=root@pam!mcp={secret}")),
        STANDARD.encode(format!("x{secret}")),
        URL_SAFE.encode(format!("xy{secret}\nz")),
    ];
    let lower: String = percent.split_inclusive('%').map(lowered).collect();
    forms.push(lower);
    forms
}

/// The two digits at the beginning in lower case.
fn lowered(part: &str) -> String {
    let (digits, rest) = part.split_at(part.len().min(2));
    format!("{}{rest}", digits.to_lowercase())
}

/// Recognisable parts: nobody could have written them by chance.
fn traces() -> Vec<String> {
    let mut traces: Vec<String> = vec!["0123456789abcdef".to_owned(), "fedcba9876543210".to_owned()];
    for part in ["0123456789abcdef", "fedcba9876543210"] {
        for offset in 0..3 {
            let coded = STANDARD_NO_PAD.encode(format!("{}{part}", "~".repeat(offset)));
            // Without the letters that hold bits of their neighbours.
            traces.push(coded[offset + 1..coded.len() - 2].to_owned());
        }
    }
    // Half of it is too much.
    traces.extend(["0123456789", "fedcba9876"].map(str::to_owned));
    traces
}

#[track_caller]
fn assert_silent(said: &str, what: &str) {
    for trace in traces() {
        let found = said.find(&trace).map(|place| {
            let before: String = said[..place].chars().rev().take(60).collect();
            let before: String = before.chars().rev().collect();
            before + &said[place..].chars().take(trace.len() + 20).collect::<String>()
        });
        assert!(found.is_none(), "{what}: {trace} in …{}…", found.unwrap_or_default());
    }
}

/// What was secret of a request. Nobody can know a password of another call.
fn sent(seen: &Seen) -> Vec<&'static str> {
    let with_password = seen.body.contains("fedcba9876543210") || seen.target.contains("fedcba9876543210");
    if with_password { vec![TOKEN, PASSWORD] } else { vec![TOKEN] }
}

/// Everything that was sent, and what was secret of it in all its forms.
fn echo(seen: &Seen) -> String {
    let mut text = format!("{} {} {} ", seen.target, seen.header("authorization").join(" "), seen.body);
    for secret in sent(seen) {
        text += &forms(secret).join(" ");
        text.push(' ');
    }
    text
}

/// How the server repeats it, one after the other.
fn answer(seen: &Seen, turn: usize) -> Say {
    let text = echo(seen);
    let line = text.replace(['\n', '\r'], " ");
    match turn {
        0 => Say::refuse("400 x", &text, json!({"password": text.clone(), text.clone(): "x"})),
        1 => Say::Raw(format!("HTTP/1.1 500 {line}\r\nContent-Length: 0\r\n\r\n")),
        2 => Say::Raw(format!("HTTP/1.1 401 {line}\r\nContent-Length: 0\r\n\r\n")),
        3 => Say::refuse("596 x", &text, json!({})),
        4 => Say::Raw(format!("HTTP/1.1 307 x\r\nLocation: https://{line}/\r\nContent-Length: 0\r\n\r\n")),
        5 => Say::Status("200 OK", "text/html", format!("<html>{text}</html>")),
        6 => Say::Status("403 Forbidden", "text/plain", text),
        7 => Say::Data(json!(text)),
        8 => Say::Data(json!({"pid": text, "status": text, text.clone(): [text.clone()]})),
        // Cut in the middle, at every place where something is cut.
        9 => Say::refuse(
            "400 x",
            &cut_at(seen, 1_990),
            json!({"password": cut_at(seen, 1_990), "x": {"y": cut_at(seen, 490)}}),
        ),
        10 => Say::Raw(format!("HTTP/1.1 500 {}\r\nContent-Length: 0\r\n\r\n", cut_at(seen, 490))),
        _ => Say::Status("502 Bad Gateway", "text/plain", cut_at(seen, 290)),
    }
}

const TURNS: usize = 12;

/// Texts whose cut goes through a secret.
fn cut_at(seen: &Seen, place: usize) -> String {
    let secret = sent(seen).into_iter().next_back().unwrap_or_default();
    format!("{}{secret}{}", "x".repeat(place - 20), "y".repeat(4_000))
}

#[test]
fn no_secret_comes_back_from_a_server_that_repeats_everything() {
    let turn = std::sync::Arc::new(AtomicUsize::new(0));
    let now = turn.clone();
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" => Say::Data(
            json!([{"vmid": 100, "type": "qemu", "node": "pve1", "name": "web", "status": "running"}, {"vmid": 200, "type": "lxc", "node": "pve1", "name": "c", "status": "running"}]),
        ),
        "/cluster/nextid" => Say::Data(json!("105")),
        path if path.ends_with("/config") && !seen.writes() => Say::Data(json!({"digest": "ab"})),
        path if path.ends_with("/time") => Say::Data(json!({"time": 1_795_000_000})),
        _ => answer(seen, now.load(Ordering::SeqCst)),
    });
    let more = [("LOG_LEVEL", "trace"), ("PROXMOX_TOKEN_VALUE", TOKEN)];
    let mut client = scripted(&server, Era::Handshake, &more);
    let ways = ways();
    assert!(ways.len() > 3, "{} ways", ways.len());
    for round in 0..TURNS {
        turn.store(round, Ordering::SeqCst);
        for (surface, given, what) in &ways {
            let said = outcome(&mut client, surface, given).to_string();
            assert_silent(&said, &format!("round {round}, {} {what}", surface.name));
        }
        for (tool, given) in [
            ("get_version", json!({})),
            ("get_guest_status", json!({"vmid": 100})),
            ("get_guest_config", json!({"vmid": 100})),
            ("list_nodes", json!({})),
            ("start_guest", json!({"vmid": 100})),
        ] {
            let surface = catalogue::surface(tool).expect("it is there");
            let said = outcome(&mut client, surface, &given).to_string();
            assert_silent(&said, &format!("round {round}, {tool}"));
        }
    }
    let sent = server.seen().iter().filter(|seen| seen.body.contains("fedcba9876543210")).count();
    assert!(sent >= ways.len(), "{sent}");
    let ended = client.end();
    assert!(ended.log.contains("sending"), "{}", ended.log);
    assert_silent(&ended.log, "the log");
}

#[test]
fn progress_repeats_no_secret() {
    let polls = AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        let path = seen.path();
        if path == "/nodes/pve1/lxc" {
            return Say::Data(json!("UPID:pve1:000003E8:00001B58:6B011FBD:vzcreate:105:root@pam!mcp:"));
        }
        if path.ends_with("/status") {
            let over = polls.fetch_add(1, Ordering::SeqCst) > 2;
            let status = if over { "stopped" } else { "running" };
            return Say::Data(json!({"status": status, "exitstatus": format!("failed: {PASSWORD}")}));
        }
        if path.ends_with("/log") {
            let line = |number: usize, text: String| json!({"n": number, "t": text});
            let mut rows: Vec<Value> = forms(PASSWORD).into_iter().enumerate().map(|(n, t)| line(n, t)).collect();
            rows.rotate_left(polls.load(Ordering::SeqCst) % 14);
            return Say::Data(json!(rows));
        }
        Say::Data(json!([]))
    });
    let mut client = scripted(&server, Era::Handshake, &[("LOG_LEVEL", "trace"), ("PROXMOX_TOKEN_VALUE", TOKEN)]);
    let given = json!({
        "node": "pve1", "vmid": 105, "storage": "local", "ostemplate": "local:vztmpl/a.tar.zst", "hostname": "a",
        "password": PASSWORD, "wait": 60,
    });
    let id = client.begin("create_container", given, "steps");
    let answer = client.answer(id);
    assert_eq!(answer["result"]["structuredContent"]["outcome"], "failed", "{answer}");
    assert_silent(&answer.to_string(), "the answer");
    let steps = client.notified("notifications/progress");
    assert!(!steps.is_empty());
    for step in steps {
        assert_silent(&step.to_string(), "progress");
    }
    assert_silent(&client.end().log, "the log");
}

#[test]
fn a_secret_that_is_not_taken_is_not_repeated_either() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, &[]);
    let mut tried = 0;
    for (surface, given, what) in ways() {
        let (argument, key) = what.split_once('.').unwrap_or((&what, ""));
        let wrong =
            [json!([PASSWORD]), json!({ "a": PASSWORD }), json!(format!("{PASSWORD}\u{0}")), json!([[PASSWORD]])];
        for value in wrong {
            let mut given = given.clone();
            if key.is_empty() {
                given[argument] = value
            } else {
                given[argument][key] = value
            }
            given["no_such_argument"] = json!(1);
            assert_silent(&outcome(&mut client, surface, &given).to_string(), &what);
            tried += 1;
        }
        if !key.is_empty() {
            // As text instead of an object, misspelled, or next to what is wrong.
            for value in [
                json!(format!("{key}={PASSWORD}")),
                json!([format!("{key}={PASSWORD}")]),
                json!([{ key: PASSWORD }]),
                json!({ format!("{key}x"): PASSWORD }),
                json!({ key: PASSWORD, "no-such-parameter": 1 }),
                json!({ key: PASSWORD }).to_string().into(),
                Value::from(format!("{{\"{key}\": \"{}\"", &PASSWORD[PASSWORD.len() - 16..])),
            ] {
                let mut given = given.clone();
                given[argument] = value;
                given["no_such_argument"] = json!(1);
                assert_silent(&outcome(&mut client, surface, &given).to_string(), &what);
            }
        }
        // Under a wrong name.
        let mut given = given.clone();
        given[format!("{argument}x")] = json!(PASSWORD);
        assert_silent(&outcome(&mut client, surface, &given).to_string(), &what);
    }
    assert!(tried > 12, "{tried}");
    let secret = world.secret().to_owned();
    let ended = client.end();
    assert_silent(&ended.log, "the log");
    assert!(!ended.log.contains(&secret), "{}", ended.log);
}

#[test]
fn a_wrong_setting_repeats_no_token() {
    let world = World::start();
    for (name, value) in [
        ("PROXMOX_TOKEN_VALUE", format!("{TOKEN}\u{7}")),
        ("PROXMOX_TOKEN_NAME", format!("root@pam!mcp={TOKEN}")),
        ("PROXMOX_HOST", format!("https://root@pam!mcp:{TOKEN}@127.0.0.1:8006")),
        ("PROXMOX_HOST", format!("127.0.0.1?token={TOKEN}")),
        ("PROXMOX_USER", format!("root@pam!mcp={TOKEN}")),
    ] {
        let mut variables = world.variables();
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
        let output = common::run(&["call", "get_version"], &borrowed(&variables));
        assert!(!output.status.success(), "{name}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert_silent(&said, name);
    }
}
