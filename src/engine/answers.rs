//! Does the cluster answer? One small read, for those who want to know that and nothing else.

use super::Engine;
use crate::client::{PreparedRequest, Repeat};
use crate::tool::Verb;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Whoever asks does not wait longer.
const PATIENCE: Duration = Duration::from_secs(4);

impl Engine {
    /// Does the cluster answer, and accept who we are? Ends by itself within a few seconds.
    pub async fn answers(&self) -> bool {
        let stop = CancellationToken::new();
        let asked = async {
            let request = PreparedRequest::plain(Verb::Get, "/version");
            match self.client().await {
                Ok(client) => client.get(&request, Repeat::Never, &stop).await.is_ok(),
                Err(_) => false,
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.unwrap_or(false)
    }
}
