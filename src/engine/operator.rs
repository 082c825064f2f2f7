//! Requests of the person who runs this program, beside all tools: looks for `doctor` and `setup`, and the writes of
//! `setup`, each with that person's word.
//!
//! Knows the client and the words for troubles. No call of an assistant comes this way, and no tool.

use super::explain;
use super::{Engine, Failure, FailureKind};
use crate::access::Permit;
use crate::cli::Word;
use crate::client::{PreparedRequest, Repeat, Reply, Trouble};
use tokio_util::sync::CancellationToken;

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

    fn in_words(&self, request: &PreparedRequest, trouble: &Trouble) -> Failure {
        let failure = match trouble {
            Trouble::Rejected(rejection) => {
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
            other => explain::connection(&self.settings, request, other),
        };
        failure.without(self.own_secrets())
    }
}
