//! From a request's head to its answer: format, authentication, route, permission, check, handler.
//!
//! Knows the order of the server's checks, because the order decides which refusal a client sees.

use std::{net::SocketAddr, sync::Arc};

use proxmox_spec::{Kind as Exchange, Method, Verb};

use crate::{
    Received, Shared,
    answer::{Data, Failure, Form, Reply},
    api,
    auth::{self, Rights},
    cluster::Cluster,
    fault::Fault,
    generic, lock,
    request::{Arg, Args, Call, decode, parse_form},
    server::Content,
    validate,
};

/// The parts of a request that are known before its body.
pub(crate) struct Head {
    /// The HTTP method.
    pub verb: String,
    /// Path and query as sent.
    pub target: String,
    pub authorization: Option<String>,
    pub cookie: Option<String>,
    /// The header `CSRFPreventionToken`.
    pub csrf: Option<String>,
    /// The number and the address of the endpoint that it came to.
    pub endpoint: u16,
    pub at: SocketAddr,
}

/// A request that may be received.
pub(crate) struct Entry {
    verb: Verb,
    /// The decoded path without the format.
    path: String,
    query: Args,
    route: Option<(&'static Method, Args)>,
    /// Empty for the few calls that need no authentication.
    user: String,
}

/// How a request ends.
pub(crate) struct Outcome {
    /// What the API answers; `None` = the request was not handled.
    pub reply: Option<Reply>,
    /// What becomes of that answer.
    pub fault: Option<Fault>,
}

impl Entry {
    /// The method receives files.
    pub(crate) fn takes_upload(&self) -> bool {
        self.route.as_ref().is_some_and(|(method, _)| method.kind == Exchange::Upload)
    }
}

/// Checks everything that comes before the body.
pub(crate) fn admit(shared: &Shared, head: &Head) -> Result<Entry, Failure> {
    let Some(verb) = Verb::parse(&head.verb) else {
        return Err(Failure::empty(501, format!("method '{}' not available", head.verb)));
    };
    let (raw, query) = head.target.split_once('?').unwrap_or((&head.target, ""));
    if raw != "/api2" && !raw.starts_with("/api2/") {
        return Err(Failure::plain(500, format!("no such file '{raw}'\n")));
    }
    let rest = raw.strip_prefix("/api2/").ok_or_else(|| Failure::plain(501, "no such uri"))?;
    let (format, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !matches!(format, "json" | "extjs" | "html") {
        return Err(Failure::plain(501, format!("no formatter for uri /{path}, {format}")));
    }
    let decoded = decode(path);
    let path = format!("/{}", decoded.trim_end_matches('\n'));
    let spaced = |path: &str| path.split('/').nth(2).is_some_and(|node| node.contains(char::is_whitespace));
    let route =
        proxmox_spec::route(verb, &path).filter(|_| !(path.starts_with("/nodes/") && spaced(&path))).map(|route| {
            let mut args = Args::default();
            args.0.extend(route.params.into_iter().map(|(name, value)| (name.to_owned(), Arg::Text(value))));
            (route.method, args)
        });
    let user = {
        let cluster = lock(&shared.cluster);
        let user = auth::identify(&cluster, head, verb, route.as_ref().map(|(method, _)| *method))?;
        if let Some((method, args)) = route.as_ref().filter(|(method, _)| method.kind == Exchange::Upload) {
            // A file that nobody wants is refused before it is sent, and before there is a format for the answer.
            auth::permit(&cluster, method, &Rights::of(&cluster, &user), &path, args)
                .map_err(|failure| Failure { form: Form::Empty, ..failure })?;
        }
        user
    };
    let mut query = parse_form(query);
    query.0.remove("_dc");
    Ok(Entry { verb, path, query, route, user })
}

/// Handles an admitted request.
pub(crate) fn run(shared: &Shared, head: &Head, entry: Entry, content: Content) -> Outcome {
    let mut given = content.args;
    given.merge(entry.query);
    let mut shown = entry.route.as_ref().map(|(_, args)| args.clone()).unwrap_or_default();
    for (name, arg) in &given.0 {
        shown.0.entry(name.clone()).or_insert_with(|| arg.clone());
    }
    let hook = lock(&shared.hook).clone();
    let mut cluster = lock(&shared.cluster);
    let mut received = Received {
        verb: head.verb.clone(),
        target: head.target.clone(),
        at: head.at,
        params: pairs(&shown),
        status: 0,
        handled: false,
    };
    if let Some(hook) = hook {
        hook(&received, &mut cluster);
    }
    let fault = cluster.faults.request(&head.verb, &head.target, head.endpoint);
    received.handled = fault.as_ref().is_none_or(Fault::handles);
    let reply = received.handled.then(|| {
        cluster.tick();
        match entry.route {
            None if entry.verb == Verb::Get && clean(&entry.path) == "/" => Ok(root().into()),
            None => Err(not_implemented(entry.verb, &entry.path)),
            Some((method, path_args)) => {
                answer(&mut cluster, method, entry.path, path_args, given, entry.user, content.file)
            }
        }
    });
    let outcome = Outcome { reply, fault };
    received.status = outcome.status();
    shared.record(received);
    outcome
}

/// Records a request that gets no answer, or one that is no answer of the API.
pub(crate) fn note(shared: &Shared, head: &Head, status: u16) -> Outcome {
    shared.record(Received {
        verb: head.verb.clone(),
        target: head.target.clone(),
        at: head.at,
        params: Vec::new(),
        status,
        handled: false,
    });
    Outcome { reply: None, fault: None }
}

/// Records and answers a request that was refused before its parameters were known.
pub(crate) fn refuse(shared: &Shared, head: &Head, failure: Failure) -> Outcome {
    let fault = lock(&shared.cluster).faults.request(&head.verb, &head.target, head.endpoint);
    let outcome = Outcome { reply: Some(Err(failure)), fault };
    shared.record(Received {
        verb: head.verb.clone(),
        target: head.target.clone(),
        at: head.at,
        params: Vec::new(),
        status: outcome.status(),
        handled: false,
    });
    outcome
}

/// Checks and answers a request whose user is known.
pub(crate) fn answer(
    cluster: &mut Cluster,
    method: &'static Method,
    path: String,
    path_args: Args,
    given: Args,
    user: String,
    upload: Option<crate::request::UploadedFile>,
) -> Reply {
    let rights = Arc::new(Rights::of(cluster, &user));
    let mut params = given.clone();
    params.merge(path_args.clone());
    auth::permit(cluster, method, &rights, &path, &params)?;
    if let Some(node) = path_args.text("node").filter(|_| method.proxy_to_node) {
        check_node(cluster, node)?;
    }
    let mut args = validate::check(method, path_args, given, rights.of_root())?;
    if let Some("localhost") = args.text("node") {
        args.0.insert("node".to_owned(), Arg::Text("pve1".to_owned()));
    }
    // A login writes nothing that the cluster has to agree on.
    if !cluster.quorate && method.verb != Verb::Get && method.permissions.user != Some("world") {
        return Err(Failure::die("cluster not ready - no quorum?"));
    }
    let call = Call { method, path: clean(&path), args, user, rights, upload };
    auth::examine(cluster, &call)?;
    api::check_area(cluster, &call)?;
    let data = match api::handler(method) {
        Some(handler) => handler(cluster, &call)?,
        None => generic::handle(cluster, &call)?,
    };
    Ok(auth::shorten(cluster, &call, data))
}

/// What the hop to another node meets.
fn check_node(cluster: &Cluster, name: &str) -> Result<(), Failure> {
    if name == "localhost" {
        return Ok(());
    }
    match cluster.nodes.get(name) {
        Some(node) if node.online => Ok(()),
        Some(_) if cluster.silent.contains(name) => Err(Failure::empty(596, "Connection timed out")),
        Some(_) => Err(Failure::empty(595, "No route to host")),
        None if name.contains([' ', '/']) => Ok(()),
        // Members of a cluster are looked up in the cluster, everything else by its name.
        None if !cluster.standalone => Err(Failure::die(format!("unable to get remote IP address for node '{name}'"))),
        None => Err(Failure::die(format!(
            "hostname lookup '{name}' failed - failed to get address info for: {name}: Name or service not known"
        ))),
    }
}

/// The index of the whole API.
fn root() -> serde_json::Value {
    let parts = ["version", "cluster", "nodes", "storage", "access", "pools"];
    parts.iter().map(|part| serde_json::json!({ "subdir": part })).collect()
}

fn not_implemented(verb: Verb, path: &str) -> Failure {
    Failure::json(501, format!("Method '{verb} {path}' not implemented"))
}

/// The path without empty segments.
fn clean(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

fn pairs(args: &Args) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    for (name, arg) in &args.0 {
        match arg {
            Arg::Text(text) => pairs.push((name.clone(), text.clone())),
            Arg::List(list) => pairs.extend(list.iter().map(|text| (name.clone(), text.clone()))),
            Arg::Hash => pairs.push((name.clone(), "{}".to_owned())),
        }
    }
    pairs
}

impl Outcome {
    /// The status that the client sees; 0 = no answer.
    fn status(&self) -> u16 {
        let usual = match &self.reply {
            Some(Ok(Data { .. })) => 200,
            Some(Err(failure)) => failure.status,
            None => 0,
        };
        self.fault.as_ref().and_then(Fault::status).unwrap_or(usual)
    }
}
