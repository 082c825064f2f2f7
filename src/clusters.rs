//! The clusters of one server: which there are, and which one a call is for.
//!
//! Knows names; each cluster has an engine of its own, so that one that is down keeps nobody waiting but its own calls.

use crate::engine::{Engine, Failure, FailureKind};
use crate::settings::Limits;
use crate::tool::Surface;
use serde_json::{Map, Value};
use std::sync::Arc;

/// The argument that says which cluster a call is for. The catalogue gives it to no tool of its own.
pub const ARGUMENT: &str = "cluster";

/// One engine per cluster, in the order in which they were set up; at least one.
#[derive(Debug, Clone)]
pub struct Clusters {
    first: Arc<Engine>,
    others: Vec<Arc<Engine>>,
    /// The one that is meant when a call names none; `None` = each call has to say.
    default: Option<String>,
}

impl Clusters {
    /// One cluster, which no call needs to name.
    pub fn one(engine: Arc<Engine>) -> Clusters {
        Clusters { first: engine, others: Vec::new(), default: None }
    }

    /// Several. `default`: the one that is meant when a call names none.
    pub fn several(first: Arc<Engine>, others: Vec<Arc<Engine>>, default: Option<String>) -> Clusters {
        Clusters { first, others, default }
    }

    /// All of them, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Engine>> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The first one. What all have in common (the dialect, the answers' budget) is said there.
    pub fn first(&self) -> &Arc<Engine> {
        &self.first
    }

    /// Does a call have to say which one it is for?
    pub fn several_to_choose(&self) -> bool {
        !self.others.is_empty()
    }

    /// The one that is meant when a call names none.
    pub fn default(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// The cluster of this name, in any case.
    pub fn named(&self, name: &str) -> Option<&Arc<Engine>> {
        self.all().find(|engine| engine.settings().name.eq_ignore_ascii_case(name.trim()))
    }

    /// The names of all of them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all().map(|engine| engine.settings().name.as_str())
    }

    /// What a refusal by a tier or a list adds: other clusters may take the call.
    pub fn elsewhere(&self, surface: &'static Surface, refused: &Engine) -> Option<String> {
        refused.access().check(surface).err()?;
        let open = self.all().filter(|engine| engine.access().check(surface).is_ok());
        let open: Vec<&str> = open.map(|engine| engine.settings().name.as_str()).collect();
        (!open.is_empty()).then(|| format!("`{}` is on offer on: {}.", surface.name, open.join(", ")))
    }

    /// The cluster that a call is for. Takes the argument that says so out of `arguments`; the tools do not know it.
    ///
    /// # Errors
    /// It names none of them, or none where one has to be named.
    pub fn choose(&self, arguments: &mut Map<String, Value>) -> Result<&Arc<Engine>, Failure> {
        if !self.several_to_choose() && !arguments.contains_key(ARGUMENT) {
            return Ok(&self.first);
        }
        let named = match arguments.shift_remove(ARGUMENT) {
            None | Some(Value::Null) if !self.several_to_choose() => return Ok(&self.first),
            None | Some(Value::Null) => self.default.clone(),
            Some(Value::String(name)) => Some(name.trim().to_owned()),
            Some(other) => Some(other.to_string()),
        };
        let known = self.names().collect::<Vec<_>>();
        let Some(named) = named.filter(|name| !name.is_empty()) else {
            let says = format!("`{ARGUMENT}` is missing: give one of {}. Nothing was sent.", known.join(", "));
            return Err(Failure::new(FailureKind::BadArguments, says));
        };
        self.named(&named).ok_or_else(|| {
            let near = proxmox_spec::nearest(&named, known.iter().copied());
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            let shown = crate::engine::clean::line(&named, 80);
            let says =
                format!("there is no cluster `{shown}`: give one of {}.{near} Nothing was sent.", known.join(", "));
            Failure::new(FailureKind::BadArguments, says)
        })
    }

    /// The clusters as a caller with these limits sees them; `None` = there is none for this caller.
    pub fn narrowed(&self, limits: &Limits) -> Option<Clusters> {
        let named = |name: &str| limits.clusters.iter().any(|one| one.eq_ignore_ascii_case(name));
        let seen = |engine: &&Arc<Engine>| limits.clusters.is_empty() || named(&engine.settings().name);
        let several = self.all().filter(seen).count() > 1;
        let mut all = self.all().filter(seen).map(|engine| Arc::new(engine.narrowed(limits).among(several)));
        let first = all.next()?;
        let others: Vec<Arc<Engine>> = all.collect();
        let default = self.default.clone().filter(|name| limits.clusters.is_empty() || named(name));
        Some(Clusters { first, others, default })
    }
}
