//! Requests of the person who runs this program, beside all tools: looks for `doctor` and `setup`, and the writes of
//! `setup`, each with that person's word.
//!
//! Knows the client and the words for troubles. No call of an assistant comes this way, and no tool.

use super::explain;
use super::{Engine, Failure, FailureKind};
use crate::access::Permit;
use crate::cli::Word;
use crate::client::{PreparedRequest, Repeat, Reply, Trouble};
use crate::tool::Tool;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a list waits for the look at the privileges.
const PATIENCE: Duration = Duration::from_secs(3);

impl Engine {
    /// Sends a GET, and says its trouble in words.
    ///
    /// # Errors
    /// It brought no usable answer; it is no GET.
    pub async fn look(&self, request: &PreparedRequest) -> Result<Reply, Failure> {
        let client = self.client().await?;
        let answer = client.get(request, Repeat::Freely, &CancellationToken::new()).await;
        answer.map_err(|trouble| self.in_words(request, &trouble))
    }

    /// Sends what the person at the terminal asked for. Nothing of it is repeated unless no byte left.
    ///
    /// # Errors
    /// The API refused it, or nobody can say whether it was carried out: the text says which.
    pub async fn act(&self, request: &PreparedRequest, word: &Word) -> Result<Reply, Failure> {
        let client = self.client().await?;
        let permit = Permit::of_operator(request.verb, word);
        let answer = client.send(request, &permit, None, &CancellationToken::new()).await;
        answer.map_err(|trouble| {
            let failure = self.in_words(request, &trouble);
            match trouble.may_have_happened() {
                true => Failure::new(failure.kind(), format!("{failure}\nWhether it was carried out is not known.")),
                false => failure,
            }
        })
    }

    /// Looks up what we hold at the cluster, if what can never be used is to be hidden; once, and for a short time.
    pub async fn learn_rights(&self) {
        if !self.settings.hide_forbidden {
            return;
        }
        let cluster = self.settings.name.as_str();
        let learn = || async {
            match tokio::time::timeout(PATIENCE, crate::checkup::report::held(self)).await {
                Ok(Ok(held)) => Some(held),
                Ok(Err(says)) => {
                    tracing::warn!(cluster, "nothing is hidden, as the privileges could not be read: {says}");
                    None
                }
                Err(_) => {
                    let seconds = PATIENCE.as_secs();
                    tracing::warn!(
                        cluster,
                        "nothing is hidden, as the privileges could not be read within {seconds} s"
                    );
                    None
                }
            }
        };
        self.shared.held.get_or_init(learn).await;
    }

    /// Would every call of this tool be refused, by what is known of our privileges?
    pub fn hides(&self, tool: &Tool) -> bool {
        let held = self.shared.held.get().and_then(Option::as_ref);
        self.settings.hide_forbidden && held.is_some_and(|held| crate::checkup::verdict::never(tool, held))
    }

    fn in_words(&self, request: &PreparedRequest, trouble: &Trouble) -> Failure {
        let failure = match trouble.rejection() {
            Some(rejection) => {
                let says = explain::whole(rejection);
                let kind = match rejection.status {
                    401 => FailureKind::Unauthenticated,
                    403 => FailureKind::Forbidden,
                    595..=599 => FailureKind::NodeOffline,
                    _ if says.to_lowercase().contains("no quorum") => FailureKind::NoQuorum,
                    _ => FailureKind::Api,
                };
                Failure::new(kind, format!("{} (HTTP {}, {request})", says.trim(), rejection.status))
            }
            None => explain::connection(&self.settings, request, trouble),
        };
        failure.without(&self.own_secrets())
    }
}
