//! The control endpoint: what a test in another process may ask of the sandbox and do to it, below `/sandbox`.
//!
//! Knows faults, states and the record of requests. It is no part of the API: it needs no token, its requests are not
//! recorded and do not move the clock, and it is there only when [`crate::Options::control`] says so.

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    BadText, Received, Shared, Trouble,
    fault::{Payload, Rule, STATES, State, fault_names},
    lock,
};

/// Where it begins.
const ROOT: &str = "/sandbox";

/// What there is, as `GET /sandbox` tells it.
const OFFERS: [(&str, &str); 8] = [
    ("GET /sandbox/faults", "the fault rules, with how often each has struck"),
    ("PUT /sandbox/faults", "replace all fault rules: a list of texts"),
    ("POST /sandbox/faults", "add fault rules: a text or a list of texts"),
    ("DELETE /sandbox/faults", "remove all fault rules"),
    ("GET /sandbox/requests", "every request so far"),
    ("DELETE /sandbox/requests", "forget the requests so far"),
    ("POST /sandbox/state", "change the cluster's state: a text or a list of texts"),
    ("GET /sandbox", "this"),
];

/// The path of a request to the endpoint, below its root; `None` = it is meant for the API.
pub(crate) fn path(target: &str) -> Option<&str> {
    let path = target.split('?').next().unwrap_or_default();
    let rest = path.strip_prefix(ROOT)?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_matches('/'))
}

/// Why nothing was done.
struct Refusal(StatusCode, String);

impl From<BadText> for Refusal {
    fn from(error: BadText) -> Refusal {
        Refusal(StatusCode::BAD_REQUEST, error.to_string())
    }
}

/// Answers a request to that path.
///
/// `endpoint` is the number of the one that the request came to.
pub(crate) fn answer(shared: &Shared, method: &Method, path: &str, body: &[u8], endpoint: u16) -> Response<Payload> {
    let done = match (path, method.as_str()) {
        ("", "GET") => Ok(about(shared)),
        ("faults", "GET") => Ok(faults(shared)),
        ("faults", "PUT" | "POST") => rules(shared, body).map(|rules| {
            let mut cluster = lock(&shared.cluster);
            if *method == Method::PUT {
                cluster.set_faults(rules);
            } else {
                rules.into_iter().for_each(|rule| cluster.add_fault(rule));
            }
            drop(cluster);
            faults(shared)
        }),
        ("faults", "DELETE") => {
            lock(&shared.cluster).clear_faults();
            Ok(faults(shared))
        }
        ("requests", "GET") => {
            let requests = lock(&shared.requests);
            Ok(json!({ "requests": requests.iter().map(received).collect::<Value>() }))
        }
        ("requests", "DELETE") => {
            lock(&shared.requests).clear();
            Ok(json!({ "requests": [] }))
        }
        ("state", "POST") => change(shared, body, endpoint),
        ("" | "faults" | "requests" | "state", _) => {
            let text = format!("{method} is not possible here. GET {ROOT} tells what is");
            Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, text))
        }
        _ => Err(Refusal(StatusCode::NOT_FOUND, format!("there is no {ROOT}/{path}. GET {ROOT} tells what there is"))),
    };
    match done {
        Ok(body) => response(StatusCode::OK, &body),
        Err(Refusal(status, text)) => response(status, &json!({ "error": text })),
    }
}

fn response(status: StatusCode, body: &Value) -> Response<Payload> {
    let mut answer = Response::new(Payload::Whole(Bytes::from(format!("{body}\n"))));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

fn about(shared: &Shared) -> Value {
    let cluster = lock(&shared.cluster);
    json!({
        "name": "proxmox-sandbox",
        "version": env!("CARGO_PKG_VERSION"),
        "nodes": cluster.nodes.keys().collect::<Vec<_>>(),
        "guests": cluster.guests.len(),
        "endpoints": lock(&shared.endpoints).iter().map(|one| one.address().to_string()).collect::<Vec<_>>(),
        "connections": shared.connections.load(std::sync::atomic::Ordering::Relaxed),
        "requests": lock(&shared.requests).len(),
        "faults": fault_names().collect::<Vec<_>>(),
        "states": STATES,
        "offers": OFFERS.iter().map(|(what, text)| json!({ "request": what, "does": text })).collect::<Value>(),
    })
}

fn faults(shared: &Shared) -> Value {
    let faults = lock(&shared.cluster).faults();
    let rows = faults.iter().map(|(rule, struck)| json!({ "fault": rule.to_string(), "struck": struck }));
    json!({ "faults": rows.collect::<Value>() })
}

fn received(request: &Received) -> Value {
    let params = request.params.iter().map(|(name, value)| json!([name, value]));
    json!({
        "verb": request.verb, "target": request.target, "at": request.at.to_string(), "params": params.collect::<Value>(),
        "status": request.status, "handled": request.handled,
    })
}

/// A text, a list of texts, or either below one key.
fn texts(body: &[u8]) -> Result<Vec<String>, Refusal> {
    let wrong = || {
        let text = "the body must be JSON: a text or a list of texts, as in [\"hang@GET /nodes\"]";
        Refusal(StatusCode::BAD_REQUEST, text.to_owned())
    };
    let value: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(list) => list.into_iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong)).collect(),
        _ => Err(wrong()),
    }
}

fn rules(shared: &Shared, body: &[u8]) -> Result<Vec<Rule>, Refusal> {
    let read = |text: &String| match text.parse()? {
        Trouble::Rule(rule) => {
            lock(&shared.cluster).check_rule(&rule)?;
            Ok(rule)
        }
        Trouble::State(state) => {
            Err(Refusal(StatusCode::BAD_REQUEST, format!("'{state}' is a state of the cluster: POST {ROOT}/state")))
        }
    };
    texts(body)?.iter().map(read).collect()
}

/// All of the states, or none when one of them is wrong.
fn change(shared: &Shared, body: &[u8], endpoint: u16) -> Result<Value, Refusal> {
    let read = |text: &String| match text.parse()? {
        Trouble::State(state) => Ok(state),
        Trouble::Rule(rule) => {
            Err(Refusal(StatusCode::BAD_REQUEST, format!("'{rule}' is a rule for requests: POST {ROOT}/faults")))
        }
    };
    let states: Vec<State> = texts(body)?.iter().map(read).collect::<Result<_, _>>()?;
    if states.contains(&State::EndpointClosed(endpoint)) {
        let text =
            format!("this request came to endpoint {endpoint}, which cannot close under it: ask another endpoint");
        return Err(Refusal(StatusCode::BAD_REQUEST, text));
    }
    let mut cluster = lock(&shared.cluster);
    for state in &states {
        cluster.check(state)?;
    }
    for state in &states {
        cluster.apply(state)?;
    }
    Ok(json!({ "state": states.iter().map(State::to_string).collect::<Vec<_>>() }))
}
