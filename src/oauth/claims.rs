//! What a token of the issuer means here: a name, a tier, and clusters.
//!
//! Knows claims as they are written by several issuers. More rights are never read out of less: what cannot be
//! understood makes the token useless.

use super::NotAdmitted;
use crate::caller::Caller;
use crate::settings::Limits;
use crate::tool::Tier;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The words of `scope` that mean something here, with the tier that each gives.
pub const SCOPES: [(&str, Tier); 4] = [
    ("proxmox:read", Tier::Read),
    ("proxmox:operate", Tier::Operate),
    ("proxmox:configure", Tier::Configure),
    ("proxmox:admin", Tier::Admin),
];

/// Longest subject that is shown as it is.
const LONGEST: usize = 100;

/// The claims that are looked at, beside those that the signature's check looks at.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    sub: String,
    /// Seconds since 1970; some issuers count parts of them. Without it a token is refused before this is read.
    exp: Option<f64>,
    /// Words in one text, or a list of them.
    scope: Option<Value>,
    /// The same under another name.
    scp: Option<Value>,
    /// Names of clusters; without it all of the server's.
    proxmox_clusters: Option<Value>,
}

impl Claims {
    /// When the token ends, with so many seconds for clocks that differ.
    pub(super) fn end(&self, leeway: u64) -> Timestamp {
        // The last second counts as a whole; what is beyond the end of time ends there.
        Timestamp::from_second((self.exp.unwrap_or_default() as i64).saturating_add_unsigned(leeway + 1))
            .unwrap_or(Timestamp::MAX)
    }

    pub(super) fn caller(&self) -> Result<Caller, NotAdmitted> {
        let scopes = self.scope.as_ref().or(self.scp.as_ref()).map(words).unwrap_or(Some(Vec::new()));
        let scopes = scopes.ok_or(NotAdmitted::Scope("its scopes are neither a text nor a list of texts"))?;
        let tiers = SCOPES.iter().filter(|(word, _)| scopes.iter().any(|scope| scope == word)).map(|(_, tier)| *tier);
        let tier = tiers.max().ok_or(NotAdmitted::Scope(
            "it has none of the scopes proxmox:read, proxmox:operate, proxmox:configure and proxmox:admin",
        ))?;
        let clusters = match &self.proxmox_clusters {
            None => Vec::new(),
            Some(given) => {
                let none = "its claim proxmox_clusters names no cluster";
                words(given).filter(|names| !names.is_empty()).ok_or(NotAdmitted::Scope(none))?
            }
        };
        Ok(Caller { name: name(&self.sub), limits: Limits { clusters, ..Limits::at(tier) } })
    }
}

fn words(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(text.split_whitespace().map(str::to_owned).collect()),
        Value::Array(all) => all.iter().map(|one| one.as_str().map(str::to_owned)).collect(),
        _ => None,
    }
}

/// Fit for a line of a log, and different for different subjects. No token of the file has a colon in its name.
fn name(subject: &str) -> String {
    let plain = subject.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\'));
    if plain && (1..=LONGEST).contains(&subject.len()) {
        return format!("oauth:{subject}");
    }
    let hash = Sha256::digest(subject);
    format!("oauth:sha256:{}", hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: Value) -> Result<Caller, NotAdmitted> {
        serde_json::from_value::<Claims>(claims).expect("claims").caller()
    }

    #[test]
    fn the_highest_scope_counts_and_without_one_nothing_is_allowed() {
        let tier = |scope: Value| caller(json!({"sub": "u", "scope": scope})).map(|caller| caller.limits.tier).ok();
        assert_eq!(tier(json!("openid proxmox:read proxmox:configure")), Some(Tier::Configure));
        assert_eq!(tier(json!(["proxmox:read"])), Some(Tier::Read));
        for none in [json!("openid"), json!(""), json!("PROXMOX:ADMIN"), json!("proxmox:admins"), json!(7), json!([7])]
        {
            assert_eq!(tier(none.clone()), None, "{none}");
        }
        assert!(caller(json!({"sub": "u"})).is_err());
        assert_eq!(caller(json!({"sub": "u", "scp": ["proxmox:admin"]})).expect("good").limits.tier, Tier::Admin);
    }

    #[test]
    fn an_empty_list_of_clusters_is_none_and_not_all() {
        let with = |clusters: Value| {
            let claims = json!({"sub": "u", "scope": "proxmox:read", "proxmox_clusters": clusters});
            caller(claims).map(|caller| caller.limits.clusters).ok()
        };
        assert_eq!(with(json!(["a", "b"])), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(with(json!("a b")), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(with(Value::Null), Some(Vec::new()), "not said");
        for none in [json!([]), json!(""), json!(true), json!([1])] {
            assert_eq!(with(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn names_are_fit_for_a_log_and_differ() {
        assert_eq!(name("a|b@c"), "oauth:a|b@c");
        let odd = ["", "a b", "a\nb", "a\"b", "é", &"x".repeat(101)].map(name);
        assert!(odd.iter().all(|name| name.starts_with("oauth:sha256:") && name.len() == 77), "{odd:?}");
        assert_ne!(odd[1], odd[2]);
    }
}
