//! The names that there are of one kind: what completion offers.
//!
//! One read by a [`Completion`], kept for some seconds, since a person types letter by letter. What cannot be read, or
//! may not be, has no names; that is no failure. Sends nothing but GETs that the tier `read` permits.

use super::{Engine, clean};
use crate::arguments::Segment;
use crate::catalogue;
use crate::client::{Client, PreparedRequest, Repeat, Row};
use crate::engine::guards::plain;
use crate::engine::guests::Guest;
use crate::offers::{Completion, Place};
use crate::tool::{Tier, Verb};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long names are good enough.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// Most lists that are kept.
const KEPT: usize = 32;
/// Longest name, in characters.
const LONGEST: usize = 300;

/// Names that were read lately, by the completion and the request that brought them.
#[derive(Debug, Default)]
pub struct Names(Mutex<Vec<Kept>>);

#[derive(Debug)]
struct Kept {
    of: String,
    at: Instant,
    names: Arc<[String]>,
}

impl Names {
    fn known(&self, of: &str) -> Option<Arc<[String]>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|one| one.at.elapsed() < GOOD_FOR);
        kept.iter().find(|one| one.of == of).map(|one| one.names.clone())
    }

    fn keep(&self, of: String, at: Instant, names: Arc<[String]>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push(Kept { of, at, names });
    }
}

impl Engine {
    /// All names of this kind, in the order of the API's answer. `given` says what is known under other kinds.
    pub async fn names(
        &self,
        completion: &'static Completion,
        given: &(dyn Fn(&str) -> Option<String> + Sync),
        stop: &CancellationToken,
    ) -> Arc<[String]> {
        self.try_names(completion, given, stop).await.unwrap_or_default()
    }

    async fn try_names(
        &self,
        completion: &'static Completion,
        given: &(dyn Fn(&str) -> Option<String> + Sync),
        stop: &CancellationToken,
    ) -> Option<Arc<[String]>> {
        let client = self.client().await.ok()?;
        let mut request = PreparedRequest::new(Verb::Get);
        for place in completion.path {
            match place {
                Place::Literal(text) => request.literal(text),
                Place::Given(kind) => request.segment(&Segment::new(given(kind)?).ok()?),
                Place::Guest(kind) => {
                    let guest = self.guest(client, &given(kind)?, stop).await?;
                    request.literal("nodes");
                    request.segment(&Segment::new(guest.node).ok()?);
                    request.literal(guest.kind.as_str());
                    request.literal(&guest.vmid.to_string());
                }
            }
        }
        for (name, value) in completion.fixed {
            request = request.with(name, *value);
        }
        if !self.may_look(&request) {
            return None;
        }
        let only: Vec<(&str, String)> =
            completion.only.iter().filter_map(|(field, kind)| Some((*field, given(kind)?))).collect();
        let of = format!("{} {request} {only:?}", completion.name);
        if let Some(names) = self.shared.names.known(&of) {
            return Some(names);
        }
        let begun = Instant::now();
        let listing = match client.list(&request, Repeat::Never, stop).await {
            Ok(listing) => listing,
            Err(trouble) => {
                tracing::debug!(%request, %trouble, "no names for completion");
                return None;
            }
        };
        let rows = listing.rows().flat_map(|row| values(completion, &only, row));
        let own = self.own_secrets();
        let shown = rows.map(|name| own.hide(clean::line(&name, LONGEST)));
        let names: Arc<[String]> = shown.filter(|name| !name.is_empty()).collect();
        self.shared.names.keep(of, begun, names.clone());
        Some(names)
    }

    /// The same gate as for a tool that reads this: by the API's own routing, what the facts say of the method, and no
    /// tool for it may have been removed.
    fn may_look(&self, request: &PreparedRequest) -> bool {
        let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return false };
        let denied = |surface: &&'static crate::tool::Surface| {
            let same = |one: &crate::tool::Route| one.verb == Verb::Get && one.path == route.method.path;
            surface.tool.routes.iter().any(same) && self.access.check(surface).is_err()
        };
        let read = |surface: &&'static crate::tool::Surface| surface.tool.tier == Tier::Read;
        route.method.verdict().tier == Tier::Read && !catalogue::SURFACES.iter().filter(read).any(|one| denied(&one))
    }

    /// The one guest of this id or name.
    async fn guest(&self, client: &Client, text: &str, stop: &CancellationToken) -> Option<Guest> {
        let guests = match self.shared.guests.known() {
            Some(guests) => guests,
            None => self.shared.guests.all(client, stop).await.ok()?,
        };
        let id = text.parse::<u32>().ok();
        let mut fitting = guests.iter().filter(|one| id.map_or(one.name == text, |id| one.vmid == id));
        let guest = fitting.next()?;
        fitting.next().is_none().then(|| guest.clone())
    }
}

/// The values of a row, or none if the row is of something else.
fn values(completion: &Completion, only: &[(&str, String)], row: Row<'_>) -> Vec<String> {
    let text = |field: &str| row.pick(&[field]).pop().flatten().map(|value| plain(&value));
    let other = only.iter().any(|(field, wanted)| text(field).is_none_or(|value| value != *wanted));
    let dropped = |(field, values): &(&str, &[&str])| text(field).is_some_and(|value| values.contains(&value.as_str()));
    if other || completion.drop.iter().any(dropped) {
        return Vec::new();
    }
    completion.values.iter().filter_map(|field| text(field)).collect()
}
