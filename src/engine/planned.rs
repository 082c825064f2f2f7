//! A judged call, shown instead of run: the requests, what they affect and change, and the same call for a shell.
//!
//! Shows what the next step would send, from the same value. Reads what is there now, where the API can tell it; sends
//! nothing else. Values that are secret are left out.

use super::Answer;
use super::call::Call;
use super::clean;
use super::guards::plain;
use super::judge::Judged;
use super::objects;
use crate::client::{PreparedRequest, Repeat};
use crate::settings::Auth;
use crate::tool::Verb;
use proxmox_spec::Type;
use serde_json::{Map, Value, json};

/// Longest value that is shown whole, in characters.
const SHOWN: usize = 400;
/// In the place of a secret.
const HIDDEN: &str = "***";

/// The answer to a caller who wants to see what a call would do.
pub async fn answer(call: &Call<'_>, judged: &Judged<'_>, mut notes: Vec<String>) -> Answer {
    notes.extend(judged.resolved.notes.iter().cloned());
    notes.push("Nothing was sent but reads.".to_owned());
    let mut content = shown(call, judged).await;
    content.insert("notes".to_owned(), json!(notes));
    Answer { content, failed: false, text: None }
}

/// What the call would do, as fields.
pub async fn shown(call: &Call<'_>, judged: &Judged<'_>) -> Map<String, Value> {
    let request = &judged.resolved.request;
    let mut content = Map::new();
    let mut put = |field: &str, value: Value| content.insert(field.to_owned(), value);
    put("tool", json!(call.surface.name));
    put("tier", json!(judged.need.tier.as_str()));
    put("effect", json!(judged.need.effect.as_str()));
    if !judged.need.because.is_empty() {
        put("because", json!(judged.need.because));
    }
    put("request", self::request(request));
    if request.verb != Verb::Get {
        put("affects", judged.objects.json());
    }
    let changes = changes(call, judged).await;
    if !changes.is_empty() {
        put("changes", Value::Array(changes));
    }
    if let Some(route) = proxmox_spec::route(request.verb, request.path()) {
        let in_path = |name: &str| route.params.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone());
        let known = |name: &str| in_path(name).or_else(|| request.value(name).map(str::to_owned));
        put("privileges", json!(route.method.permissions.words_for(&known)));
    }
    put("pvesh", json!(pvesh(request)));
    put("curl", json!(curl(call, request)));
    content
}

/// The same for a person, line by line. No value can make a line of its own.
pub fn lines(shown: &Map<String, Value>) -> Vec<String> {
    let mut lines = Vec::new();
    let text = |value: &Value| clean::line(&plain(value), SHOWN);
    if let Some(Value::Object(request)) = shown.get("request") {
        let mut line = format!("{} {}", text(&request["method"]), text(&request["path"]));
        for (name, value) in request.get("params").and_then(Value::as_object).into_iter().flatten() {
            line.push_str(&format!(" {name}={}", text(value)));
        }
        lines.push(format!("Request: {line}"));
    }
    if let Some(Value::Object(affects)) = shown.get("affects") {
        lines.extend(objects::lines(affects));
    }
    for change in shown.get("changes").and_then(Value::as_array).into_iter().flatten() {
        let value = |key: &str| match change.get(key) {
            None | Some(Value::Null) => "not set".to_owned(),
            Some(value) => format!("`{}`", text(value)),
        };
        lines.push(format!("Changes: {} from {} to {}", text(&change["field"]), value("now"), value("after")));
    }
    for (field, label) in [("effect", "Effect"), ("because", "Because"), ("tier", "Tier"), ("privileges", "Needs")] {
        if let Some(value) = shown.get(field) {
            lines.push(format!("{label}: {}", text(value)));
        }
    }
    lines
}

/// The request itself.
pub fn request(request: &PreparedRequest) -> Value {
    json!({ "method": request.verb.as_str(), "path": request.path(), "params": params(request) })
}

/// Name → value, or values where a key is repeated.
fn params(request: &PreparedRequest) -> Map<String, Value> {
    let shown = |param: &crate::client::PreparedParam| match (param.secret, param.values.as_slice()) {
        (true, _) => json!(HIDDEN),
        (false, [one]) => json!(clean::capped(one, SHOWN).0),
        (false, many) => json!(many.iter().map(|value| clean::capped(value, SHOWN).0).collect::<Vec<_>>()),
    };
    request.params.iter().map(|param| (param.name.clone().into_owned(), shown(param))).collect()
}

/// What is there now beside what would be there, for every value that the call sets or deletes.
async fn changes(call: &Call<'_>, judged: &Judged<'_>) -> Vec<Value> {
    let request = &judged.resolved.request;
    let now = match &judged.resolved.previous {
        Some((_, previous)) => Some(previous.clone()),
        None => now(call, request).await,
    };
    let Some(now) = now else { return Vec::new() };
    let mut rows = Vec::new();
    for param in &request.params {
        match &*param.name {
            "digest" => {}
            "delete" => {
                let names = param.values.iter().flat_map(|value| value.split([',', ';', ' '])).map(str::trim);
                for name in names.filter(|name| !name.is_empty()) {
                    rows.push(json!({ "field": name, "now": now.get(name), "after": null }));
                }
            }
            name if param.secret => rows.push(json!({ "field": name, "now": HIDDEN, "after": HIDDEN })),
            name => {
                let after = param.values.join(",");
                if now.get(name).map(plain).as_deref() != Some(after.as_str()) {
                    rows.push(json!({ "field": name, "now": now.get(name), "after": clean::capped(&after, SHOWN).0 }));
                }
            }
        }
    }
    rows
}

/// The object that the request changes, where the API shows it at the same place.
async fn now(call: &Call<'_>, request: &PreparedRequest) -> Option<Map<String, Value>> {
    let method = proxmox_spec::route(request.verb, request.path())?.method;
    if request.verb == Verb::Get || request.verb == Verb::Delete {
        return None;
    }
    let read = proxmox_spec::find(Verb::Get, method.path).filter(|read| read.returns.ty == Type::Object)?;
    let reply = call.try_read(&request.as_read(), Repeat::Freely).await.ok()?;
    let Value::Object(now) = reply.data else { return None };
    let shown = now.into_iter().map(|(name, value)| {
        let value = match value {
            _ if read.returns.hides(&name) => json!(HIDDEN),
            Value::String(text) => json!(clean::capped(&text, SHOWN).0),
            other => other,
        };
        (name, value)
    });
    Some(shown.collect())
}

/// The call for a shell on a node.
fn pvesh(request: &PreparedRequest) -> String {
    let verb = match request.verb {
        Verb::Get => "get",
        Verb::Post => "create",
        Verb::Put => "set",
        Verb::Delete => "delete",
    };
    let mut words = vec!["pvesh".to_owned(), verb.to_owned(), request.path().to_owned()];
    for param in &request.params {
        for value in &param.values {
            words.push(format!("--{}", param.name));
            words.push(if param.secret { HIDDEN.to_owned() } else { value.clone() });
        }
    }
    shell_words::join(words)
}

/// The call over the network, with the token in a variable.
fn curl(call: &Call<'_>, request: &PreparedRequest) -> String {
    let settings = call.engine.settings();
    let mut words = vec!["curl".to_owned()];
    if matches!(request.verb, Verb::Get | Verb::Delete) && !request.params.is_empty() {
        words.push("-G".to_owned());
    }
    if request.verb != Verb::Get {
        words.extend(["-X".to_owned(), request.verb.as_str().to_owned()]);
    }
    for param in &request.params {
        for value in &param.values {
            let value = if param.secret { HIDDEN } else { value };
            words.extend(["--data-urlencode".to_owned(), format!("{}={value}", param.name)]);
        }
    }
    // The sandbox listens somewhere else at every start.
    let origin = if settings.sandbox { "https://sandbox:8006".to_owned() } else { call.client.origin().to_owned() };
    words.push(format!("{origin}/api2/json{}", request.encoded_path()));
    // The shell fills the variables in, so these are not in single quotes.
    let proof = match &settings.auth {
        Auth::Token { user, name, .. } => {
            format!("-H \"Authorization: PVEAPIToken={user}!{name}=$PROXMOX_TOKEN_VALUE\"")
        }
        Auth::Password { .. } if request.verb == Verb::Get => "-b \"PVEAuthCookie=$TICKET\"".to_owned(),
        Auth::Password { .. } => "-b \"PVEAuthCookie=$TICKET\" -H \"CSRFPreventionToken: $CSRF\"".to_owned(),
    };
    shell_words::join(words).replacen("curl", &format!("curl {proof}"), 1)
}
