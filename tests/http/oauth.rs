//! Tokens of an issuer: an issuer of its own, keys of both kinds of curves, and everything that must not open.

use crate::common::{Era, text};
use crate::served::{Client, Served, get};
use crate::tokens::Tokens;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// An issuer that listens on this machine.
pub struct Issuer {
    pub url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    /// How often its keys were asked for.
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    pub fn start(keys: &[&Key]) -> Issuer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let keys = Arc::new(Mutex::new(keys.iter().map(|key| key.public()).collect::<Vec<Value>>()));
        let asked = Arc::new(AtomicUsize::new(0));
        let (served, counted, own) = (keys.clone(), asked.clone(), url.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { continue };
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
                    head.push(byte[0]);
                }
                let head = String::from_utf8_lossy(&head).into_owned();
                assert!(!head.to_lowercase().contains("\nauthorization:"), "no token is passed on: {head}");
                let (status, body) = match head.split(' ').nth(1) {
                    Some("/.well-known/openid-configuration") => {
                        ("200 OK", json!({"issuer": own, "jwks_uri": format!("{own}/keys")}))
                    }
                    Some("/keys") => {
                        counted.fetch_add(1, Ordering::SeqCst);
                        ("200 OK", json!({"keys": *served.lock().expect("keys")}))
                    }
                    _ => ("404 Not Found", json!({})),
                };
                let body = body.to_string();
                let _ = write!(
                    stream,
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Issuer { url, keys, asked }
    }

    pub fn claims(&self) -> Value {
        json!({"iss": self.url, "aud": AUDIENCE, "sub": "u1", "exp": now() + 300, "scope": "openid proxmox:operate"})
    }
}

const AUDIENCE: &str = "https://mcp.example.org/mcp";

pub fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs()
}

pub enum Key {
    Ed(String, Ed25519KeyPair),
    Ec(String, EcdsaKeyPair),
}

impl Key {
    pub fn ed(id: &str) -> Key {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        Key::Ed(id.to_owned(), Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("a key"))
    }

    fn ec(id: &str) -> Key {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, made.as_ref(), &random).expect("a key");
        Key::Ec(id.to_owned(), pair)
    }

    fn public(&self) -> Value {
        match self {
            Key::Ed(id, pair) => {
                let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "kid": id, "use": "sig", "alg": "EdDSA", "x": x})
            }
            Key::Ec(id, pair) => {
                let point = pair.public_key().as_ref();
                let [x, y] = [&point[1..33], &point[33..]].map(|part| URL_SAFE_NO_PAD.encode(part));
                json!({"kty": "EC", "crv": "P-256", "kid": id, "x": x, "y": y})
            }
        }
    }

    pub fn token(&self, claims: &Value) -> String {
        let (alg, id) = match self {
            Key::Ed(id, _) => ("EdDSA", id),
            Key::Ec(id, _) => ("ES256", id),
        };
        self.signed(&json!({"alg": alg, "kid": id, "typ": "at+jwt"}), claims)
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let coded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", coded(header), coded(claims));
        let signature = match self {
            Key::Ed(_, pair) => pair.sign(message.as_bytes()).as_ref().to_vec(),
            Key::Ec(_, pair) => pair.sign(&SystemRandom::new(), message.as_bytes()).expect("signed").as_ref().to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

pub fn served(issuer: &str, more: &[&str]) -> Served {
    let mut all = vec!["--oauth-issuer", issuer, "--public-url", "https://mcp.example.org", "--tier", "configure"];
    all.extend_from_slice(more);
    Served::sandbox(&all)
}

pub fn with(claims: &Value, changes: Value) -> Value {
    let mut all = claims.clone();
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => all.as_object_mut().expect("an object").shift_remove(name).map_or((), |_| ()),
            value => all[name] = value.clone(),
        }
    }
    all
}

async fn status(server: &Served, token: &str) -> (StatusCode, String, String) {
    let client = server.client(Era::Stateless).with_token(token);
    let reply = client.request("tools/list", json!({})).await;
    let says = reply.answer()["error"]["message"].as_str().unwrap_or_default().to_owned();
    (reply.status, says, reply.headers.get("www-authenticate").cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_token_of_the_issuer_opens_up_to_its_scope_and_the_servers_tier() {
    let (ed, ec) = (Key::ed("a"), Key::ec("b"));
    let issuer = Issuer::start(&[&ed, &ec]);
    let server = served(&issuer.url, &[]);
    for (key, scope, tier) in [
        (&ed, json!("proxmox:read"), "Tier read"),
        (&ec, json!("openid proxmox:operate"), "Tier operate"),
        (&ec, json!(["proxmox:admin"]), "Tier configure"),
    ] {
        let token = key.token(&with(&issuer.claims(), json!({"scope": scope})));
        for era in Era::BOTH {
            let mut client: Client = server.client(era).with_token(&token);
            let hello = client.open().await;
            assert!(hello.body.contains(tier), "{tier}: {}", hello.body);
            assert_ne!(client.call("get_version", json!({})).await["isError"], true);
        }
    }
    let reader =
        server.client(Era::Stateless).with_token(&ed.token(&with(&issuer.claims(), json!({"scope": "proxmox:read"}))));
    let refused = reader.call("start_guest", json!({"vmid": 101})).await;
    assert!(refused["isError"] == true && text(&refused).contains("tier"), "{refused}");
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1, "the keys are kept");
    let log = server.log();
    assert!(log.contains("caller=\"oauth:u1\"") && !log.contains("eyJ"), "{log}");
}

#[tokio::test]
async fn whatever_is_not_quite_right_is_refused() {
    let (key, strange) = (Key::ed("a"), Key::ed("a"));
    let issuer = Issuer::start(&[&key]);
    let server = served(&issuer.url, &[]);
    let claims = issuer.claims();
    let secret = URL_SAFE_NO_PAD.encode("x".repeat(32));
    let unsigned = key.signed(&json!({"alg": "none"}), &claims);
    for (token, says) in [
        (key.token(&with(&claims, json!({"exp": now() - 60}))), "expired"),
        (key.token(&with(&claims, json!({"nbf": now() + 3_600}))), "not good yet"),
        (key.token(&with(&claims, json!({"aud": "https://other.example.org/mcp"}))), "another server"),
        (key.token(&with(&claims, json!({"iss": "https://evil.example.org"}))), "another issuer"),
        (key.token(&with(&claims, json!({"exp": null}))), "lacks"),
        (key.token(&with(&claims, json!({"aud": null}))), "lacks"),
        (key.token(&with(&claims, json!({"iss": null}))), "lacks"),
        (strange.token(&claims), "signature"),
        (key.signed(&json!({"alg": "ES256", "kid": "a"}), &claims), "no such key"),
        (key.signed(&json!({"alg": "EdDSA", "kid": "z"}), &claims), "no such key"),
        (key.signed(&json!({"alg": "EdDSA", "kid": "a", "crit": ["exp"]}), &claims), "extension"),
        (key.signed(&json!({"alg": "HS256", "kid": "a", "k": secret}), &claims), "signed with"),
        (format!("{}.", unsigned.rsplit_once('.').expect("three parts").0), "no signed token"),
    ] {
        let (status, told, challenge) = status(&server, &token).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{says}: {told}");
        assert!(told.contains(says) && challenge.contains("invalid_token"), "{says}: {told} {challenge}");
    }
    for scope in [json!({"scope": "openid profile"}), json!({"scope": null}), json!({"proxmox_clusters": []})] {
        let (status, told, challenge) = status(&server, &key.token(&with(&claims, scope))).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{told}");
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
    }
    let (good, ..) = status(&server, &key.token(&claims)).await;
    assert_eq!(good, StatusCode::OK);
}

#[tokio::test]
async fn a_client_finds_the_issuer() {
    let issuer = Issuer::start(&[]);
    let server = served(&issuer.url, &[]);
    let reply = server.client(Era::Stateless).request("tools/list", json!({})).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    let place = "https://mcp.example.org/.well-known/oauth-protected-resource/mcp";
    assert!(reply.headers["www-authenticate"].contains(&format!("resource_metadata=\"{place}\"")), "{reply:?}");
    for path in ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"] {
        let metadata = get(&server.at(path)).await;
        let metadata: Value = serde_json::from_str(&metadata.body).expect("JSON");
        assert_eq!(metadata["resource"], AUDIENCE);
        assert_eq!(metadata["authorization_servers"], json!([issuer.url]));
        assert_eq!(metadata["scopes_supported"][0], "proxmox:read");
    }
}

#[tokio::test]
async fn unknown_keys_make_no_stream_of_requests_to_the_issuer() {
    let (old, new) = (Key::ed("old"), Key::ed("new"));
    let issuer = Issuer::start(&[&new]);
    let server = served(&issuer.url, &[]);
    for _ in 0..5 {
        assert_eq!(status(&server, &old.token(&issuer.claims())).await.0, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status(&server, &new.token(&issuer.claims())).await.0, StatusCode::OK);
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 1);
    assert_eq!(issuer.keys.lock().expect("keys").len(), 1);
}

#[tokio::test]
async fn an_issuer_that_is_away_is_not_the_callers_fault() {
    let key = Key::ed("a");
    let claims =
        json!({"iss": "http://127.0.0.1:9", "aud": AUDIENCE, "sub": "u", "exp": now() + 60, "scope": "proxmox:read"});
    let tokens = Tokens::new();
    let own = tokens.made("own", &[]);
    let file = tokens.path();
    let server = served("http://127.0.0.1:9", &["--tokens", file.to_str().expect("a path")]);
    let (away, says, _) = status(&server, &key.token(&claims)).await;
    assert!(away == StatusCode::SERVICE_UNAVAILABLE && says.contains("issuer"), "{says}");
    // Tokens of the file need no issuer.
    assert_eq!(status(&server, &own).await.0, StatusCode::OK);
}
