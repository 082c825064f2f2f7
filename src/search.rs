//! Finding a method of the API by what people call it.
//!
//! Pure: an index that the build made, a request, and the methods that fit. Knows the facts; must not know tools, nor
//! what may be called.

mod index;
mod query;
mod rank;
mod shapes;
mod speech;

pub use rank::Hit;

use proxmox_spec::Method;
use query::Query;

#[allow(clippy::all, clippy::pedantic)]
mod table {
    use super::index::{Index, Page, Term};

    include!(concat!(env!("OUT_DIR"), "/search.rs"));
}

/// A method that fits a request.
#[derive(Debug)]
pub struct Found {
    pub method: &'static Method,
    /// The same for the other kind of guest, or in another way; in the order of how well they fit.
    pub also: Vec<&'static Method>,
    /// Comparable within one request only.
    pub score: f32,
}

/// A find that fits worse than this share of the best one is left out, beyond the first few.
const POOR: f32 = 0.4;
const FEW: usize = 3;

/// The methods that fit a request best, at most `limit`, best first. Methods that do the same are one.
pub fn search(request: &str, limit: usize) -> Vec<Found> {
    let methods = proxmox_spec::methods();
    let query = Query::new(&table::INDEX, request);
    let mut found: Vec<Found> = Vec::new();
    for hit in rank::rank(&table::INDEX, methods, &query) {
        let Some(method) = methods.get(hit.row) else { continue };
        let same = |one: &Found| one.method.same.iter().any(|row| usize::from(*row) == hit.row);
        if let Some(known) = found.iter_mut().find(|one| same(one)) {
            known.also.push(method);
        } else if found.len() < limit && (found.len() < FEW || hit.score > POOR * best(&found)) {
            found.push(Found { method, also: Vec::new(), score: hit.score });
        }
    }
    found
}

fn best(found: &[Found]) -> f32 {
    found.first().map_or(0.0, |first| first.score)
}
