//! Asking the issuer: its metadata, and from there its keys.
//!
//! Knows RFC 8414 and OpenID Connect Discovery as addresses. Asks the issuer and whom the issuer names, follows no
//! redirect, and reads no more than it must.

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// For a whole answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer, in bytes.
const LONGEST: usize = 1 << 20;

/// Why an issuer cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadIssuer(String);

/// An issuer that can be asked.
#[derive(Debug)]
pub(super) struct Issuer {
    http: reqwest::Client,
    /// As it was given: it has to be the same, letter for letter, in metadata and tokens.
    name: String,
    url: Url,
}

#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Issuer {
    pub(super) fn new(name: &str) -> Result<Issuer, BadIssuer> {
        let bad = |says: &str| BadIssuer(format!("`{}`: {says}", name.escape_debug()));
        let url =
            Url::parse(name).map_err(|_| bad("give the issuer's URL, e.g. https://login.example.org/realms/main"))?;
        safe(&url).map_err(bad)?;
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(bad("an issuer's URL has no user, no `?` and no `#`"));
        }
        let failed = |error: &dyn std::fmt::Display| BadIssuer(format!("no connection can be prepared: {error}"));
        let roots = rustls_native_certs::load_native_certs();
        let mut store = rustls::RootCertStore::empty();
        store.add_parsable_certificates(roots.certs);
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| failed(&error))?
            .with_root_certificates(store)
            .with_no_client_auth();
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .user_agent(concat!("proxmox-mcp/", env!("CARGO_PKG_VERSION")));
        if url.scheme() == "http" {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(|error| failed(&error))?;
        Ok(Issuer { http, name: name.to_owned(), url })
    }

    /// The keys with which the issuer signs right now, as it lists them.
    ///
    /// # Errors
    /// Why they cannot be had, for the log.
    pub(super) async fn keys(&self) -> Result<Vec<Value>, String> {
        let mut last = String::new();
        for address in self.addresses() {
            let metadata: Metadata = match self.json(address.clone()).await {
                Ok(metadata) => metadata,
                Err(error) => {
                    last = format!("{address}: {error}");
                    continue;
                }
            };
            if metadata.issuer != self.name {
                return Err(format!("{address} is the metadata of another issuer"));
            }
            let keys = Url::parse(&metadata.jwks_uri).map_err(|_| format!("{address}: jwks_uri is no URL"))?;
            // An issuer of this machine may name keys on this machine, and no other issuer may.
            if keys.scheme() != "https" && (self.url.scheme() == "https" || safe(&keys).is_err()) {
                return Err(format!("{address}: jwks_uri is no https URL"));
            }
            let set: KeySet = self.json(keys.clone()).await.map_err(|error| format!("{keys}: {error}"))?;
            return Ok(set.keys);
        }
        Err(last)
    }

    /// Where metadata may be, in the order in which it is looked for.
    fn addresses(&self) -> Vec<Url> {
        let path = self.url.path().trim_end_matches('/');
        let inserted = |kind: &str| format!("/.well-known/{kind}{path}");
        let appended = format!("{path}/.well-known/openid-configuration");
        let mut paths = vec![inserted("oauth-authorization-server"), inserted("openid-configuration"), appended];
        paths.dedup();
        let at = |path: String| {
            let mut url = self.url.clone();
            url.set_path(&path);
            url
        };
        paths.into_iter().map(at).collect()
    }

    async fn json<T: for<'a> Deserialize<'a>>(&self, url: Url) -> Result<T, String> {
        let request = self.http.get(url).header("accept", "application/json");
        let mut response = request.send().await.map_err(|error| told(&error))?;
        if !response.status().is_success() {
            return Err(format!("the answer is {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
            if body.len() + chunk.len() > LONGEST {
                return Err("the answer is too long".to_owned());
            }
            body.extend_from_slice(&chunk);
        }
        serde_json::from_slice(&body).map_err(|_| "the answer is not the JSON that belongs there".to_owned())
    }
}

/// With what lies below it: the outermost one says only that there was an error.
fn told(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": ")
}

/// Whoever could change the answer on the way could let himself in.
fn safe(url: &Url) -> Result<(), &'static str> {
    let here = url.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "[::1]" | "localhost"));
    match url.scheme() {
        "https" => Ok(()),
        "http" if here => Ok(()),
        _ => Err("only https is safe (http is for this machine alone)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_looked_for_where_the_standards_put_it() {
        let at = |name: &str| {
            let all = Issuer::new(name).expect("good").addresses();
            all.iter().map(Url::to_string).collect::<Vec<_>>()
        };
        assert_eq!(
            at("https://a.example"),
            [
                "https://a.example/.well-known/oauth-authorization-server",
                "https://a.example/.well-known/openid-configuration"
            ]
        );
        assert_eq!(
            at("https://a.example/realms/b"),
            [
                "https://a.example/.well-known/oauth-authorization-server/realms/b",
                "https://a.example/.well-known/openid-configuration/realms/b",
                "https://a.example/realms/b/.well-known/openid-configuration"
            ]
        );
    }

    #[test]
    fn an_issuer_is_reached_safely_or_not_at_all() {
        for bad in
            ["", "a.example", "http://a.example", "ftp://127.0.0.1", "https://a.example?x=1", "https://u:p@a.example"]
        {
            assert!(Issuer::new(bad).is_err(), "{bad}");
        }
        for good in ["https://a.example/", "http://127.0.0.1:8080", "http://localhost:1/x"] {
            assert!(Issuer::new(good).is_ok(), "{good}");
        }
    }
}
