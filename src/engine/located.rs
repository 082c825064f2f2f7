//! From a request with open places to a finished one. Pure: what the cluster said is given.
//!
//! Knows plans and their open places; sends nothing.

use super::failure::{Failure, FailureKind};
use crate::arguments::{GuestId, Segment};
use crate::client::{PreparedParam, PreparedRequest};
use crate::plan::{Guard, Locate, Open, PathPart, Plan, PlannedRoute, Request, Value};
use crate::tool::Kind;
use serde_json::{Map, Value as Json, json};

/// What the look-ups found.
#[derive(Debug, Clone, Default)]
pub struct Located {
    pub node: Option<Segment>,
    pub vmid: Option<u32>,
    pub kind: Option<Kind>,
    /// Does the guest run? `None` = not looked up.
    pub running: Option<bool>,
}

impl Located {
    /// The guest that an answer is about: `vmid`, `kind` and `node`, as far as they were looked for.
    pub fn subject(&self) -> Map<String, Json> {
        let mut fields = Map::new();
        if let Some(vmid) = self.vmid {
            fields.insert("vmid".to_owned(), json!(vmid));
        }
        if let Some(kind) = self.kind {
            fields.insert("kind".to_owned(), json!(kind.as_str()));
        }
        if let Some(node) = &self.node {
            fields.insert("node".to_owned(), json!(node.as_str()));
        }
        fields
    }
}

/// Answers to the reads that a request's values wait for.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// (path, answer).
    pub values: Vec<(&'static str, String)>,
    pub digest: Option<String>,
}

impl PlannedRoute {
    /// Every request of the route: itself, then what is read besides.
    fn requests(&self) -> impl Iterator<Item = &Request> {
        std::iter::once(&self.request).chain(self.also.iter().map(|also| &also.request))
    }

    /// The open values of all its requests.
    pub fn open(&self) -> impl Iterator<Item = &Open> {
        self.requests().flat_map(|request| &request.params).filter_map(|param| match &param.value {
            Value::Open(open) => Some(open),
            _ => None,
        })
    }
}

impl Plan {
    /// The route for a kind of guest; one without a kind fits all.
    pub fn route_for(&self, kind: Option<Kind>) -> Option<&PlannedRoute> {
        self.routes.iter().find(|route| route.kind.is_none() || route.kind == kind)
    }

    /// The kind, if all routes are of the same.
    pub fn only_kind(&self) -> Option<Kind> {
        let first = self.routes.first()?.kind?;
        self.routes.iter().all(|route| route.kind == Some(first)).then_some(first)
    }
}

/// Fills the open places.
///
/// # Errors
/// A place has no value: the plan asks for a guest's node or id where no guest was looked up.
pub fn fill(request: &Request, located: &Located, reads: &Reads) -> Result<PreparedRequest, Failure> {
    let missing = |what: &str| Failure::new(FailureKind::Api, format!("the plan needs {what}, and nothing tells it"));
    let mut filled = PreparedRequest::new(request.verb);
    for part in &request.path {
        match part {
            PathPart::Literal(text) => filled.literal(text),
            PathPart::Value(segment) => filled.segment(segment),
            PathPart::Node => filled.segment(located.node.as_ref().ok_or_else(|| missing("the guest's node"))?),
            PathPart::Kind => filled.literal(located.kind.ok_or_else(|| missing("the guest's kind"))?.as_str()),
            PathPart::Vmid => filled.literal(&located.vmid.ok_or_else(|| missing("the guest's id"))?.to_string()),
        }
    }
    for param in &request.params {
        let values = match &param.value {
            Value::Text(text) => vec![text.clone()],
            Value::List(values) => values.clone(),
            Value::Open(Open::GuestRunning) if located.running == Some(true) => vec!["1".to_owned()],
            Value::Open(Open::GuestRunning) => continue,
            Value::Open(Open::GuestVmid) => vec![located.vmid.ok_or_else(|| missing("the guest's id"))?.to_string()],
            Value::Open(Open::Digest) => match &reads.digest {
                Some(digest) => vec![digest.clone()],
                None => continue,
            },
            Value::Open(Open::Read(path)) => {
                let read = reads.values.iter().find(|(of, _)| of == path);
                vec![
                    read.map(|(_, value)| value.clone())
                        .ok_or_else(|| missing(&format!("the answer of GET {path}")))?,
                ]
            }
        };
        let (name, argument) = (param.name.clone(), param.argument);
        filled.params.push(PreparedParam { name, values, argument, secret: param.secret });
    }
    // What a `rest` argument brings is known to be secret by the facts alone.
    if let Some(route) = proxmox_spec::route(filled.verb, filled.path()) {
        for param in &mut filled.params {
            param.secret |= route.method.param(&param.name).is_some_and(|fact| fact.secret);
        }
    }
    Ok(filled)
}

/// What the cluster would say, for [`prepare_with`].
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub node: Option<String>,
    pub kind: Option<Kind>,
    pub vmid: Option<u32>,
    /// The answer of every read that a value comes from.
    pub nextid: Option<String>,
    pub running: Option<bool>,
    pub digest: Option<String>,
}

/// The requests of a plan in sending order, with `given` in the place of what would be looked up: the reads of the
/// guards, the request itself, and what is read besides. Look-ups of a guest or a free id are not among them, as
/// `given` holds their answers. Pure.
///
/// # Errors
/// `given` lacks something, or the plan has no route for the kind.
pub fn prepare_with(plan: &Plan, given: &Given) -> Result<Vec<PreparedRequest>, Failure> {
    let mut located = Located { vmid: given.vmid, kind: given.kind, running: given.running, node: None };
    if let Some(node) = &given.node {
        let node = Segment::new(node.as_str());
        located.node = Some(node.map_err(|bad| Failure::new(FailureKind::BadArguments, format!("given node: {bad}")))?);
    }
    match &plan.locate {
        Locate::Nothing => {}
        Locate::Guest(guest) => {
            if let GuestId::Id(vmid) = guest.guest {
                located.vmid = located.vmid.or(Some(vmid));
            }
            located.kind = located.kind.or(guest.kind).or_else(|| plan.only_kind());
            located.node = located.node.or_else(|| guest.node.clone());
        }
        Locate::Archive(archive, _) => located.kind = archive.volid.kind().or(archive.kind).or(located.kind),
    }
    if plan.instead.is_some() {
        return Ok(Vec::new());
    }
    let route = plan.route_for(located.kind).ok_or_else(|| {
        Failure::new(FailureKind::BadArguments, "the call has no request for this kind of guest: say `given.kind`")
    })?;
    let mut reads = Reads { values: Vec::new(), digest: given.digest.clone() };
    for open in route.open() {
        if let (Open::Read(path), Some(value)) = (open, &given.nextid) {
            reads.values.push((path, value.clone()));
        }
    }
    let mut requests = Vec::new();
    for guard in &plan.guards {
        match guard {
            Guard::Digest { request, .. } | Guard::Absent { request, .. } => {
                requests.push(fill(request, &located, &reads)?);
            }
            Guard::Vacant { .. } => {}
        }
    }
    for request in route.requests() {
        requests.push(fill(request, &located, &reads)?);
    }
    Ok(requests)
}
