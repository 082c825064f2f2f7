//! The control endpoint, as another process uses it.

mod common;

use common::{Answer, Bench, send};
use proxmox_sandbox::{Identity, Options, Sandbox};
use reqwest::Method;
use serde_json::{Value, json};

impl Bench {
    /// A request to the endpoint, which knows no token.
    async fn control(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let request = self.http.request(method, format!("https://{}/sandbox{path}", self.sandbox.address()));
        send(match body {
            Some(body) => request.body(body.to_string()),
            None => request,
        })
        .await
    }
}

async fn bench() -> Bench {
    Bench::with(Options { control: true, task_time: 0.0, ..Options::default() }).await
}

#[tokio::test]
async fn it_is_there_only_when_it_was_asked_for() {
    let bench = Bench::start().await;
    for path in ["", "/faults", "/requests"] {
        assert_eq!(bench.control(Method::GET, path, None).await.status, 500, "{path}");
    }
    assert_eq!(bench.control(Method::POST, "/state", Some(json!("no-quorum"))).await.status, 500);
    assert_eq!(bench.post("/pools", &[("poolid", "new")]).await.status, 200, "nothing has happened");
}

#[tokio::test]
async fn it_tells_what_it_is() {
    let bench = bench().await;
    let about = bench.control(Method::GET, "", None).await.body;
    assert_eq!((&about["name"], &about["guests"]), (&json!("proxmox-sandbox"), &json!(9)));
    assert_eq!(about["nodes"], json!(["pve1", "pve2", "pve3"]));
    for (list, name) in [("faults", "hang"), ("faults", "certificate"), ("states", "node-offline")] {
        assert!(about[list].as_array().unwrap().contains(&json!(name)), "{about}");
    }
    for offer in about["offers"].as_array().unwrap() {
        let (method, path) = offer["request"].as_str().unwrap().split_once(' ').unwrap();
        let path = path.strip_prefix("/sandbox").unwrap();
        let body = (path == "/faults" || path == "/state").then(|| json!([]));
        assert_eq!(bench.control(method.parse().unwrap(), path, body).await.status, 200, "{offer}");
    }
}

#[tokio::test]
async fn faults_are_set_added_listed_and_removed() {
    let bench = bench().await;
    let struck = |answer: &Answer| -> Vec<(String, u64)> {
        let rows = answer.body["faults"].as_array().expect("a list").iter();
        rows.map(|row| (row["fault"].as_str().unwrap().to_owned(), row["struck"].as_u64().unwrap())).collect()
    };
    let set = bench.control(Method::PUT, "/faults", Some(json!(["status=500@GET /version#1"]))).await;
    assert_eq!((set.status, struck(&set).len()), (200, 1));
    bench.control(Method::POST, "/faults", Some(json!("empty@/nodes"))).await;
    assert_eq!(bench.get("/version").await.status, 500);
    assert_eq!(bench.get("/version").await.status, 200);
    assert_eq!(bench.get("/nodes").await.text, "");
    let listed = struck(&bench.control(Method::GET, "/faults", None).await);
    let expected =
        [("status=500:Internal Server Error@GET /version#1".to_owned(), 1), ("empty@* /nodes".to_owned(), 1)];
    assert_eq!(listed, expected);
    bench.control(Method::PUT, "/faults", Some(json!(["hang@/nothing"]))).await;
    assert_eq!(bench.get("/nodes").await.data().as_array().map(Vec::len), Some(3));
    let removed = bench.control(Method::DELETE, "/faults", None).await;
    assert_eq!(struck(&removed), []);
}

#[tokio::test]
async fn requests_are_told_and_forgotten_and_its_own_are_not_among_them() {
    let bench = bench().await;
    bench.control(Method::PUT, "/faults", Some(json!(["close-after@POST"]))).await;
    bench.get("/version?_dc=1").await;
    let lost = bench.request(Method::POST, "/pools").form(&[("poolid", "new")]).send().await;
    assert!(lost.is_err());
    let told = bench.control(Method::GET, "/requests", None).await.body;
    let at = bench.sandbox.address().to_string();
    let expected = json!([
        { "verb": "GET", "target": "/api2/json/version?_dc=1", "at": at, "params": [], "status": 200, "handled": true },
        { "verb": "POST", "target": "/api2/json/pools", "at": at, "params": [["poolid", "new"]], "status": 0, "handled": true },
    ]);
    assert_eq!(told["requests"], expected);
    bench.control(Method::DELETE, "/requests", None).await;
    assert_eq!(bench.control(Method::GET, "/requests", None).await.body["requests"], json!([]));
    assert!(bench.sandbox.requests().is_empty());
}

#[tokio::test]
async fn the_state_changes_as_a_whole_or_not_at_all() {
    let bench = bench().await;
    let state = |body: Value| bench.control(Method::POST, "/state", Some(body));
    assert_eq!(state(json!(["node-offline=pve3", "lock=102:backup"])).await.status, 200);
    assert_eq!(bench.get("/nodes/pve3/qemu").await.status, 595);
    assert_eq!(bench.get("/nodes/pve1/qemu/102/config").await.data()["lock"], "backup");
    let refused = state(json!(["node-online=pve3", "lock=999:backup"])).await;
    assert_eq!(refused.status, 400);
    assert!(refused.body["error"].as_str().unwrap().contains("no guest 999"), "{refused:?}");
    assert_eq!(bench.get("/nodes/pve3/qemu").await.status, 595, "the good half was not done either");
    assert_eq!(state(json!("node-online=pve3")).await.status, 200);
    assert_eq!(bench.get("/nodes/pve3/qemu").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let bench = bench().await;
    for (method, path, body, status, part) in [
        (Method::PUT, "/faults", Some(json!(["hamg"])), 400, "did you mean 'hang'?"),
        (Method::PUT, "/faults", Some(json!({ "fault": "hang" })), 400, "a text or a list of texts"),
        (Method::PUT, "/faults", Some(json!([1])), 400, "a text or a list of texts"),
        (Method::POST, "/faults", None, 400, "must be JSON"),
        (Method::POST, "/faults", Some(json!("no-quorum")), 400, "POST /sandbox/state"),
        (Method::POST, "/state", Some(json!("hang")), 400, "POST /sandbox/faults"),
        (Method::GET, "/state", None, 405, "GET is not possible"),
        (Method::PATCH, "/faults", None, 405, "PATCH is not possible"),
        (Method::GET, "/nothing", None, 404, "no /sandbox/nothing"),
    ] {
        let answer = bench.control(method.clone(), path, body).await;
        let error = answer.body["error"].as_str().unwrap_or_default();
        assert_eq!(answer.status, status, "{method} {path}: {error}");
        assert!(error.contains(part), "{method} {path}: {error}");
    }
    assert_eq!(bench.get("/version").await.status, 200, "no rule was added");
}

#[tokio::test]
async fn certificate_and_secret_can_be_kept_over_starts() {
    let identity = Identity::generate(&["proxmox.test".to_owned()]).expect("randomness");
    let options = || Options {
        identity: Some(identity.clone()),
        token_secret: Some("not-so-secret".to_owned()),
        ..Options::default()
    };
    let (one, two) = (Bench::with(options()).await, Bench::with(options()).await);
    assert_eq!(one.sandbox.certificate_fingerprint(), two.sandbox.certificate_fingerprint());
    assert_eq!(one.sandbox.token(), "root@pam!mcp=not-so-secret");
    assert_eq!(two.get("/version").await.status, 200);
    assert!(!format!("{identity:?}").contains("PRIVATE"));
    for secret in ["", "two words", "line\n", "semi;colon", "100%"] {
        let options = Options { token_secret: Some(secret.to_owned()), ..Options::default() };
        assert!(Sandbox::start(options).await.is_err(), "{secret:?}");
    }
}
