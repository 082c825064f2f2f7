//! Secrets in arguments and in answers, for every method: they are in nothing that is said, logged or written down.

use crate::calls::{answer, arguments, barred, data, impossible, method};
use crate::facts::Scalar;
use crate::server::{Say, Seen, Server};
use crate::{TOKEN, engine, flags};
use proxmox_mcp::catalogue;
use proxmox_mcp::engine::Watch;
use proxmox_spec::{Method, Param, Shape, Type, methods};
use serde_json::{Map, Value, json};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tracing_subscriber::fmt::MakeWriter;

/// Sent by the caller.
const SENT: &str = "marker-sent-0123456789abcdef";
/// Answered by the API.
const HELD: &str = "marker-held-fedcba9876543210";

/// What was logged, at the most talkative level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

/// The value of a secret parameter, or of one with a secret part.
fn marked(param: &'static Param) -> Option<Value> {
    let fits = |param: &Param| Scalar::from(param).fits(SENT);
    if param.keys.is_empty() {
        if !param.secret {
            return None;
        }
        return match (param.ty, param.items) {
            (Type::Array, Some(item)) if item.keys.is_empty() => Some(json!([SENT])),
            (Type::Array, Some(item)) => Some(json!([parts(item, true)])),
            _ => fits(param).then(|| json!(SENT)),
        };
    }
    (param.secret || param.keys.iter().any(|key| key.secret)).then(|| parts(param, param.secret))
}

fn parts(param: &'static Param, all: bool) -> Value {
    let mut parts = Map::new();
    for key in param.keys.iter().copied().filter(|key| key.alias.is_none()) {
        if (key.secret || all) && key.ty == Type::String && Scalar::from(key).fits(SENT) {
            parts.insert(key.name.to_owned(), json!(SENT));
        } else if !key.optional {
            parts.insert(key.name.to_owned(), crate::calls::sample(key));
        }
    }
    Value::Object(parts)
}

/// A good call with a marker in every secret place.
fn call(method: &'static Method) -> (Value, usize) {
    let mut call = arguments(method);
    let mut count = 0;
    for param in method.params.iter().filter(|param| !param.in_path && !param.root_only) {
        if let Some(value) = marked(param) {
            call["params"][param.name.replace("[n]", "0")] = value;
            count += 1;
        }
    }
    (call, count)
}

/// The declared answer with markers: in secret fields, in fields that nobody declared, and in rows about an option.
fn holding(method: &'static Method) -> Value {
    let own = |_: &str, shape: &Shape| shape.secret.then(|| json!(HELD));
    let mut data = data(method, &own);
    let hold = |value: &mut Value| {
        if let Value::Object(fields) = value {
            for name in ["password", "cipassword", "client-key", "keyring", "encryption-key"] {
                fields.entry(name).or_insert(json!(HELD));
            }
        }
    };
    match &mut data {
        Value::Array(rows) => {
            rows.iter_mut().for_each(hold);
            if method.path.ends_with("/pending") || method.path.ends_with("/cloudinit") {
                rows.push(json!({"key": "cipassword", "value": HELD, "pending": HELD}));
                rows.push(json!({"key": "env", "value": HELD, "pending": HELD}));
            }
        }
        Value::Object(_) => hold(&mut data),
        _ => {}
    }
    data
}

fn repeated(seen: &Seen) -> Say {
    let text =
        format!("{} {} cannot be: {} {}", seen.verb, seen.body, seen.target, seen.header("authorization").join(" "));
    Say::refuse("400 Parameter verification failed.", &text, json!({"a": text}))
}

#[tokio::test]
async fn no_secret_of_any_method_is_said_logged_or_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let audit = folder.path().join("audit.jsonl");
    let refuses = Arc::new(AtomicBool::new(false));
    let refusing = refuses.clone();
    let server = Server::start(move |seen| match method(seen) {
        // The call itself is refused, and told in full; what is looked up for it is not.
        Some(_) if refusing.load(Ordering::SeqCst) && seen.verb != "GET" => repeated(seen),
        Some(one) => match answer(seen) {
            Say::Data(_) if !["/cluster/resources", "/cluster/nextid"].contains(&one.path) => {
                Say::Data(match one.path {
                    "/nodes/{node}/tasks/{upid}/status" => json!({"status": "stopped", "exitstatus": "OK"}),
                    _ => holding(one),
                })
            }
            said => said,
        },
        None => answer(seen),
    });
    let log = Log::default();
    let lines = tracing_subscriber::fmt().with_writer(log.clone()).with_max_level(tracing::Level::TRACE).finish();
    let _guard = tracing::subscriber::set_default(lines);
    let engine = engine(&flags(&server, "admin", &audit));
    let surface = catalogue::surface("call_api").expect("the tool is there");
    let planner = catalogue::surface("plan_call").expect("the tool is there");
    let (mut sent, mut held) = (0, 0);
    for one in methods() {
        let (given, count) = call(one);
        let name = format!("{} {}", one.verb, one.path);
        held += usize::from(holding(one).to_string().contains(HELD));
        for refused in [false, true] {
            refuses.store(refused, Ordering::SeqCst);
            let plan = json!({"tool": "call_api", "arguments": given});
            for (surface, given) in [(surface, &given), (planner, &plan)] {
                let said = match engine.call(surface, given.as_object(), Watch::default()).await {
                    Ok(answer) => format!("{} {}", Value::Object(answer.content), answer.text.unwrap_or_default()),
                    Err(failure) => {
                        assert!(
                            impossible(one) || barred(one) || refused || surface.tool.name == "plan_call",
                            "{name}: {failure} {given}"
                        );
                        failure.to_string()
                    }
                };
                assert!(!said.contains("marker-") && !said.contains(TOKEN), "{name}: {said}");
            }
        }
        sent += usize::from(count > 0 && !impossible(one) && !barred(one));
    }
    for (what, text) in [("log", log.text()), ("audit", std::fs::read_to_string(&audit).expect("it is there"))] {
        for secret in ["marker-", TOKEN] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{what}");
        }
    }
    assert!(sent >= 30 && held >= 100, "{sent} methods were given secrets, {held} answered with some");
}
