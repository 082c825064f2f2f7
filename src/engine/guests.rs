//! Which guests there are, from one read of the whole cluster, kept for some seconds.
//!
//! Knows the rows of `/cluster/resources`. An offline node's guests are listed as well, so it never breaks a look-up.

use super::clean;
use crate::client::{Client, PreparedRequest, Repeat, Row, Trouble};
use crate::tool::{Kind, Verb};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How long a listing is good enough for a read.
const GOOD_FOR: Duration = Duration::from_secs(10);

/// One guest, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    pub vmid: u32,
    pub kind: Kind,
    pub node: String,
    pub name: String,
    /// `running`, `stopped`, `unknown` (its node is offline), …
    pub status: String,
}

impl Guest {
    /// For a person: `100 (web-server, virtual machine, running on pve1)`.
    pub fn shown(&self) -> String {
        let Guest { vmid, name, status, node, kind } = self;
        let name = clean::line(name, 64);
        format!("{vmid} ({name}, {}, {status} on {node})", kind.noun())
    }
}

/// The last listing.
#[derive(Debug, Default)]
pub struct Guests {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// How often everything was forgotten: a listing that was begun before that is not kept.
    generation: u64,
    /// When it was asked for, and what it said.
    last: Option<(Instant, Arc<[Guest]>)>,
}

impl Guests {
    /// All guests that the token may see, asked right now.
    ///
    /// # Errors
    /// As [`Client::get`]; the answer is unreadable if it is no list of guests.
    pub async fn all(&self, client: &Client, stop: &CancellationToken) -> Result<Arc<[Guest]>, Trouble> {
        let (begun, generation) = (Instant::now(), self.kept().generation);
        let request = PreparedRequest::plain(Verb::Get, "/cluster/resources").with("type", "vm");
        let listing = client.list(&request, Repeat::Freely, stop).await?;
        let guests: Arc<[Guest]> = listing.rows().filter_map(guest).collect();
        let mut kept = self.kept();
        // Asked before a write and answered after it, it may tell what was before.
        if kept.generation == generation {
            kept.last = Some((begun, guests.clone()));
        }
        Ok(guests)
    }

    /// After a write nothing that was known is sure.
    pub fn forget(&self) {
        let mut kept = self.kept();
        kept.generation = kept.generation.wrapping_add(1);
        kept.last = None;
    }

    /// The last listing, while it is good enough for a read that finds what it looks for.
    pub fn known(&self) -> Option<Arc<[Guest]>> {
        let kept = self.kept();
        kept.last.as_ref().filter(|(at, _)| at.elapsed() < GOOD_FOR).map(|(_, guests)| guests.clone())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing is left half done under the lock.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A row; `None` if it is no guest (or of a kind that is not known yet).
fn guest(row: Row<'_>) -> Option<Guest> {
    let mut fields = row.pick(&["vmid", "type", "node", "name", "status"]).into_iter();
    let (vmid, kind) = (fields.next()??, fields.next()??);
    let mut text = || match fields.next() {
        Some(Some(Value::String(text))) => Some(text),
        _ => None,
    };
    let vmid = vmid.as_u64().or_else(|| vmid.as_str()?.parse().ok())?;
    Some(Guest {
        vmid: u32::try_from(vmid).ok()?,
        kind: Kind::parse(kind.as_str()?)?,
        node: text()?,
        name: text().unwrap_or_default(),
        status: text().unwrap_or_default(),
    })
}
