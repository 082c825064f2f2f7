//! Several addresses of one cluster: each with its certificate, and one of them closed, silent or faulty.

use proxmox_sandbox::{Endpoint, Fault, Identity, Options, Trouble};
use reqwest::{Certificate, Client};
use serde_json::json;

use super::*;

const ANY: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

async fn two() -> (Bench, Endpoint) {
    let bench = Bench::with(Options { control: true, ..Options::default() }).await;
    let second = bench.sandbox.also_at(ANY.into(), None).await.expect("a free port");
    (bench, second)
}

/// Asks an endpoint for a path, on a connection of its own.
async fn ask(bench: &Bench, endpoint: &Endpoint, path: &str) -> Result<u16, reqwest::Error> {
    let certificate = Certificate::from_pem(endpoint.certificate_pem().as_bytes()).expect("a certificate");
    let http = Client::builder().tls_certs_only([certificate]).build().expect("a client");
    let token = format!("PVEAPIToken={}", bench.sandbox.token());
    let url = format!("https://{}/api2/json{path}", endpoint.address());
    http.get(url).header("Authorization", token).send().await.map(|answer| answer.status().as_u16())
}

fn apply(bench: &Bench, text: &str) {
    let trouble: Trouble = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    bench.sandbox.apply(trouble).expect("it fits");
}

#[tokio::test]
async fn one_cluster_answers_at_every_address_and_the_record_tells_at_which() {
    let (bench, second) = two().await;
    let endpoints = bench.sandbox.endpoints();
    assert_eq!(endpoints.iter().map(Endpoint::number).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(endpoints[0].certificate_fingerprint(), endpoints[1].certificate_fingerprint());
    bench.post("/pools", &[("poolid", "new")]).await.data();
    assert_eq!(ask(&bench, &second, "/pools/new").await.expect("an answer"), 200);
    let at: Vec<_> = bench.sandbox.requests().iter().map(|request| request.at).collect();
    assert_eq!(at, [bench.sandbox.address(), second.address()]);
}

#[tokio::test]
async fn all_may_show_the_same_certificate() {
    let identity = Identity::generate(&[]).expect("randomness");
    let bench = Bench::with(Options { identity: Some(identity.clone()), ..Options::default() }).await;
    let second = bench.sandbox.also_at(ANY.into(), Some(identity)).await.expect("a free port");
    assert_eq!(second.certificate_fingerprint(), bench.sandbox.certificate_fingerprint());
    assert_eq!(ask(&bench, &second, "/version").await.expect("an answer"), 200);
}

#[tokio::test]
async fn a_closed_one_refuses_connections_until_it_is_opened_again() {
    let (bench, second) = two().await;
    let url = format!("https://{}/api2/json/access/domains", second.address());
    let pem = Certificate::from_pem(second.certificate_pem().as_bytes()).expect("a certificate");
    let kept = Client::builder().tls_certs_only([pem]).build().expect("a client");
    kept.get(&url).send().await.expect("an answer");
    apply(&bench, "endpoint-closed=2");
    bench.sandbox.settled().await;
    assert!(ask(&bench, &second, "/version").await.expect_err("closed").is_connect());
    kept.get(&url).send().await.expect_err("its connection has ended, and there is no new one");
    assert_eq!(bench.get("/version").await.status, 200, "the other one is as before");
    apply(&bench, "endpoint-open=2");
    bench.sandbox.settled().await;
    assert_eq!(ask(&bench, &second, "/version").await.expect("an answer"), 200);
}

#[tokio::test]
async fn the_control_endpoint_closes_any_but_its_own() {
    let (bench, second) = two().await;
    let url = format!("https://{}/sandbox", bench.sandbox.address());
    let state = async |text: &str| send(bench.http.post(format!("{url}/state")).body(json!(text).to_string())).await;
    let about = send(bench.http.get(&url)).await.body;
    assert_eq!(about["endpoints"][1], second.address().to_string());
    let own = state("endpoint-closed=1").await;
    assert_eq!(own.status, 400);
    assert!(own.body["error"].as_str().unwrap_or_default().contains("ask another endpoint"), "{own:?}");
    let unknown = state("endpoint-closed=3").await;
    assert!(unknown.body["error"].as_str().unwrap_or_default().contains("no endpoint 3"), "{unknown:?}");
    assert_eq!(state("endpoint-closed=2").await.status, 200);
    assert!(ask(&bench, &second, "/version").await.expect_err("closed").is_connect());
}

#[tokio::test]
async fn faults_can_be_those_of_one_address() {
    let (bench, second) = two().await;
    for text in ["close-on-accept at 2", "close-before@GET /version at 2", "status=503@GET /version#1 at 2"] {
        bench.sandbox.clear_faults();
        apply(&bench, text);
        assert!(!matches!(ask(&bench, &second, "/version").await, Ok(200)), "{text}");
        assert_eq!(bench.get("/version").await.status, 200, "{text}");
    }
    let nowhere = bench.sandbox.apply("hang at 3".parse().expect("a rule")).expect_err("there is none");
    assert_eq!(nowhere.to_string(), "there is no endpoint 3: they are numbered from 1 to 2");
    bench.sandbox.set_faults(vec![Fault::Status(500, "broken".to_owned()).once().at(1)]);
    assert_eq!(ask(&bench, &second, "/version").await.expect("an answer"), 200);
    assert_eq!(bench.get("/version").await.failure(), (500, "broken"));
}

#[tokio::test]
async fn a_silent_one_takes_connections_and_says_nothing() {
    let (bench, second) = two().await;
    apply(&bench, "hang-on-accept at 2");
    let before = bench.sandbox.connections();
    let waits = tokio::spawn({
        let http = bench.http.clone();
        let url = format!("https://{}/api2/json/version", second.address());
        async move { http.get(url).send().await.map(|_| ()) }
    });
    while bench.sandbox.connections() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.get("/version").await.status, 200);
    assert!(!waits.is_finished());
    waits.abort();
}
