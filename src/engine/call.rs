//! One running call: what it was asked, and how it reads. Every read goes through the plan gate here.

use super::explain;
use super::failure::Failure;
use super::gate;
use super::guests::Guest;
use super::secrets::Secrets;
use super::{Engine, Watch};
use crate::client::{Client, PreparedRequest, Repeat, Reply, Trouble};
use crate::plan::Intent;
use crate::tool::{Surface, Verb};
use serde_json::{Map, Value};
use std::sync::{Arc, Mutex, PoisonError};

/// What every step of a call needs.
pub struct Call<'a> {
    pub engine: &'a Engine,
    pub client: &'a Client,
    pub surface: &'static Surface,
    /// The arguments, as they were written.
    pub given: Option<&'a Map<String, Value>>,
    pub intent: Intent,
    pub watch: &'a Watch,
    /// What is secret of the request, and all that is secret, as of a version of who we are.
    pub secrets: Mutex<Kept>,
}

/// The secrets of one call.
#[derive(Default)]
pub struct Kept {
    /// Of its request.
    own: Vec<String>,
    all: Option<(u64, Arc<Secrets>)>,
}

impl Call<'_> {
    /// What no text of this call may hold.
    pub fn secrets(&self) -> Arc<Secrets> {
        let mut kept = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.own.is_empty() {
            return self.engine.own_secrets();
        }
        // A login may have come in between.
        let version = self.client.secrets_version();
        match &kept.all {
            Some((of, all)) if *of == version => all.clone(),
            _ => {
                let all = Arc::new(Secrets::new(kept.own.iter().cloned().chain(self.engine.known_secrets())));
                kept.all = Some((version, all.clone()));
                all
            }
        }
    }

    /// From now on none of these may leave, beside what proves who we are.
    pub fn keep_secret(&self, more: Vec<String>) {
        let mut kept = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.own.is_empty() && !more.is_empty() {
            *kept = Kept { own: more, all: None };
        }
    }

    /// The guests of the cluster, asked right now.
    ///
    /// # Errors
    /// The listing could not be read.
    pub async fn guests(&self) -> Result<Arc<[Guest]>, Failure> {
        let stop = &self.watch.cancelled;
        match self.engine.shared.guests.all(self.client, stop).await {
            Ok(guests) => Ok(guests),
            Err(trouble) => {
                let request = PreparedRequest::plain(Verb::Get, "/cluster/resources").with("type", "vm");
                Err(explain::failure(self, &request, &trouble).await)
            }
        }
    }

    /// A read, with its trouble put in words.
    ///
    /// # Errors
    /// The plan gate refused it, or it brought no usable answer.
    pub async fn read(&self, request: &PreparedRequest, repeat: Repeat) -> Result<Reply, Failure> {
        match self.try_read(request, repeat).await {
            Ok(reply) => Ok(reply),
            Err(trouble) => Err(explain::failure(self, request, &trouble).await),
        }
    }

    /// A read whose failure is looked at by the caller.
    ///
    /// # Errors
    /// As [`Client::get`]; [`Trouble::Fenced`] if the plan gate refused it.
    pub async fn try_read(&self, request: &PreparedRequest, repeat: Repeat) -> Result<Reply, Trouble> {
        let need = gate::need(self.surface, &[], &[request], "");
        gate::pass(&self.engine.access, self.surface, &need, Verb::Get)
            .map_err(|refusal| Trouble::Fenced(refusal.to_string()))?;
        self.client.get(request, repeat, &self.watch.cancelled).await
    }

    /// An argument's name in the words of the dialect that the tool was called in.
    pub fn spelled<'b>(&self, argument: &'b str) -> &'b str {
        let renamed = self.surface.rename.iter().find(|(_, canonical)| *canonical == argument);
        renamed.map_or(argument, |(dialect, _)| dialect)
    }
}
