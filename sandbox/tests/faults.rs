//! Scripted faults, as a client on the wire sees them.

mod common;

use std::{io, sync::Arc, time::Duration};

use common::{Bench, send};
use proxmox_sandbox::{Fault, Options, Power, Received, Rule, Trouble};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream, rustls};

/// How long is waited for an answer that must not come. Nothing depends on it but the length of the test.
const A_WHILE: Duration = Duration::from_millis(150);

/// Against hangs only.
const PATIENCE: Duration = Duration::from_secs(60);

async fn bench() -> Bench {
    Bench::with(Options { task_time: 0.0, ..Options::default() }).await
}

impl Bench {
    fn rule(&self, text: &str) {
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        self.sandbox.set_faults(vec![rule]);
    }

    fn last(&self) -> Received {
        self.sandbox.requests().pop().expect("a request")
    }

    /// Starts guest 102, whatever comes back; true = the answer was read to its end.
    async fn start_guest(&self) -> bool {
        let request = self.request(Method::POST, "/nodes/pve1/qemu/102/status/start");
        match request.send().await {
            Ok(answer) => answer.bytes().await.is_ok(),
            Err(_) => false,
        }
    }

    fn runs(&self, vmid: u32) -> bool {
        self.sandbox.with_cluster(|cluster| cluster.power(vmid)) == Some(Power::Running)
    }

    /// A connection of its own, to read bytes as they come.
    async fn stream(&self) -> io::Result<TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        let pem = self.sandbox.certificate_pem();
        for certificate in rustls_pem(pem) {
            roots.add(certificate).expect("a certificate");
        }
        let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        let tcp = TcpStream::connect(self.sandbox.address()).await?;
        let name = "localhost".try_into().expect("a name");
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    }

    /// Head and body of the answer to `GET path`, read until the server closes.
    async fn raw(&self, path: &str) -> String {
        let mut stream = self.stream().await.expect("connects");
        let request = format!(
            "GET /api2/json{path} HTTP/1.1\r\nHost: pve1\r\nConnection: close\r\nAuthorization: PVEAPIToken={}\r\n\r\n",
            self.sandbox.token()
        );
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut bytes = Vec::new();
        // A connection that is cut ends in an error, and what came before it counts.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the server closes");
        String::from_utf8(bytes).expect("text")
    }
}

fn rustls_pem(pem: &str) -> Vec<rustls::pki_types::CertificateDer<'static>> {
    use rustls::pki_types::pem::PemObject;
    rustls::pki_types::CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().expect("PEM")
}

#[tokio::test]
async fn a_status_comes_in_the_form_that_the_real_server_gives_it() {
    let bench = bench().await;
    for (text, status, reason, body) in [
        ("status=401", 401, "Authentication failed!", ""),
        ("status=401:No ticket", 401, "No ticket", ""),
        ("status=595", 595, "No route to host", ""),
        ("status=596", 596, "Connection timed out", ""),
        ("status=403:Permission check failed (/, Sys.Audit)", 403, "Permission check failed (/, Sys.Audit)", "json"),
        ("status=500:got timeout", 500, "got timeout", "json"),
        ("status=501:Method 'GET /nope' not implemented", 501, "Method 'GET /nope' not implemented", "json"),
    ] {
        bench.rule(text);
        let answer = bench.get("/version").await;
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason), "{text}");
        let expected =
            if body.is_empty() { Value::Null } else { json!({ "data": null, "message": format!("{reason}\n") }) };
        assert_eq!(answer.body, expected, "{text}");
        assert_eq!((bench.last().status, bench.last().handled), (status, false), "{text}");
    }
}

#[tokio::test]
async fn what_strikes_before_changes_nothing_and_what_strikes_after_has_changed_it() {
    for (text, status, handled) in [
        ("status=596", 596, false),
        ("status-after=596", 596, true),
        ("close-before", 0, false),
        ("close-after", 0, true),
        ("hang", 0, false),
        ("hang-after", 0, true),
        ("html=502", 502, false),
        ("redirect", 302, false),
        ("truncated", 200, true),
        ("too-short", 200, true),
        ("empty", 200, true),
        ("not-json", 200, true),
        ("null-data", 200, true),
        ("wrong-type", 200, true),
        ("content-type=text/html", 200, true),
        ("trickle=0", 200, true),
    ] {
        let bench = bench().await;
        bench.rule(&format!("{text}@POST"));
        {
            let mut asked = Box::pin(timeout(PATIENCE, bench.start_guest()));
            if text.starts_with("hang") {
                // Polled until the request has arrived; then it is still without an answer.
                while bench.sandbox.requests().is_empty() {
                    assert!(timeout(Duration::from_millis(1), &mut asked).await.is_err(), "{text}: an answer came");
                }
                assert!(timeout(A_WHILE, &mut asked).await.is_err(), "{text}: an answer came");
            } else {
                let read = asked.await.unwrap_or_else(|_| panic!("{text} hangs"));
                assert_eq!(read, status != 0 && text != "too-short" && text != "redirect", "{text}");
            }
        }
        assert_eq!(bench.runs(102), handled, "{text}");
        let seen = bench.sandbox.requests();
        let seen: Vec<_> = seen.iter().map(|one| (one.verb.as_str(), one.status, one.handled)).collect();
        assert_eq!(seen[0], ("POST", status, handled), "{text}");
        assert_eq!(bench.get("/version").await.status, 200, "{text}: the rule is for POST");
    }
}

#[tokio::test]
async fn a_connection_can_be_closed_before_a_byte_is_read() {
    let bench = bench().await;
    bench.rule("close-on-accept#1-2");
    assert!(bench.stream().await.is_err());
    assert!(bench.stream().await.is_err());
    assert_eq!(bench.get("/version").await.status, 200);
    assert_eq!(bench.sandbox.connections(), 3);
    assert_eq!(bench.sandbox.requests().len(), 1);
}

#[tokio::test]
async fn another_certificate_is_shown_to_new_connections_only() {
    let bench = bench().await;
    assert_eq!(bench.get("/version").await.status, 200);
    bench.rule("certificate#1");
    assert_eq!(bench.get("/version").await.status, 200, "the connection that is open stays good");
    let error = bench.stream().await.expect_err("another certificate");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(bench.stream().await.is_ok(), "only once");
}

#[tokio::test]
async fn a_body_can_be_cut_with_and_without_telling() {
    let bench = bench().await;
    let good = bench.raw("/version").await;
    let (_, whole) = good.split_once("\r\n\r\n").expect("a body");
    let length = |text: &str| {
        let head = text.to_lowercase();
        let (_, rest) = head.split_once("content-length: ").unwrap_or_else(|| panic!("no length: {head}"));
        rest.split("\r\n").next().unwrap().parse::<usize>().unwrap()
    };
    bench.rule("truncated");
    let cut = bench.raw("/version").await;
    let (_, body) = cut.split_once("\r\n\r\n").expect("a body");
    assert_eq!((length(&cut), body), (whole.len() / 2, &whole[..whole.len() / 2]));
    bench.rule("too-short");
    let cut = bench.raw("/version").await;
    let (_, body) = cut.split_once("\r\n\r\n").expect("a body");
    assert_eq!((length(&cut), body), (whole.len(), &whole[..whole.len() / 2]));
}

#[tokio::test]
async fn bytes_can_drip() {
    let bench = bench().await;
    let good = bench.raw("/version").await;
    bench.rule("trickle=0");
    let (_, whole) = good.split_once("\r\n\r\n").expect("a body");
    assert!(bench.raw("/version").await.ends_with(whole));
    // The head comes at once, the body never in a lifetime.
    bench.rule("trickle=4000000000");
    let mut answer = bench.request(Method::GET, "/version").send().await.expect("a head");
    assert_eq!(answer.status(), 200);
    assert!(timeout(A_WHILE, answer.chunk()).await.is_err());
}

#[tokio::test]
async fn a_body_can_be_larger_than_anybody_wants() {
    let bench = bench().await;
    bench.rule("huge");
    let mut answer = bench.request(Method::GET, "/version").send().await.expect("a head");
    assert_eq!((answer.status().as_u16(), answer.content_length()), (200, None));
    let mut length = 0;
    while let Some(chunk) = answer.chunk().await.expect("a chunk") {
        length += chunk.len();
    }
    assert_eq!(length, (65 << 20) + r#"{"data":""}"#.len());
    bench.rule("huge=0");
    assert_eq!(bench.get("/version").await.data(), &json!(""));
}

#[tokio::test]
async fn somebody_else_can_answer() {
    let bench = bench().await;
    let kind = |answer: &reqwest::Response| {
        answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned())
    };
    for (text, status, expected) in [
        ("html", 200, Some("text/html; charset=utf-8")),
        ("html=502", 502, Some("text/html; charset=utf-8")),
        ("content-type=text/html", 200, Some("text/html")),
        ("content-type", 200, None),
        ("not-json", 200, Some("application/json;charset=UTF-8")),
        ("empty", 200, Some("application/json;charset=UTF-8")),
    ] {
        bench.rule(text);
        let answer = bench.request(Method::GET, "/version").send().await.expect("an answer");
        assert_eq!((answer.status().as_u16(), kind(&answer).as_deref()), (status, expected), "{text}");
        let body = answer.text().await.expect("a body");
        assert_eq!(body.contains("<html>"), text.starts_with("html"), "{text}: {body}");
        let json = text.starts_with("content-type");
        assert_eq!(serde_json::from_str::<Value>(&body).is_ok(), json, "{text}: {body}");
        assert_eq!(body.is_empty(), text == "empty", "{text}: {body}");
    }
    bench.rule("redirect=https://elsewhere.invalid/x");
    let raw = bench.raw("/version").await.to_lowercase();
    assert!(raw.starts_with("http/1.1 302") && raw.contains("location: https://elsewhere.invalid/x\r\n"), "{raw}");
}

#[tokio::test]
async fn data_can_be_null_or_of_another_type() {
    let bench = bench().await;
    for path in ["/version", "/nodes", "/cluster/nextid"] {
        let right = bench.get(path).await.data().clone();
        bench.rule("null-data#1");
        assert_eq!(bench.get(path).await.data(), &Value::Null, "{path}");
        bench.rule("wrong-type#1");
        let wrong = bench.get(path).await.data().clone();
        assert_ne!(std::mem::discriminant(&wrong), std::mem::discriminant(&right), "{path}: {wrong}");
        assert!(!wrong.is_null(), "{path}");
        let again = bench.get(path).await.data().clone();
        assert_eq!(std::mem::discriminant(&again), std::mem::discriminant(&right), "{path}: only once");
    }
}

#[tokio::test]
async fn a_damaged_answer_is_not_compressed_first() {
    let bench = bench().await;
    bench.rule("wrong-type@/cluster/resources");
    let request = bench.request(Method::GET, "/cluster/resources").header("Accept-Encoding", "gzip");
    let answer = send(request).await;
    assert!(answer.data().is_object(), "{answer:?}");
}

#[tokio::test]
async fn the_hook_can_strike_the_present_request() {
    let bench = bench().await;
    bench.sandbox.on_request(|request, cluster| {
        if request.target.ends_with("/nodes") {
            cluster.add_fault(Fault::Status(500, "got timeout".to_owned()).once());
        }
    });
    assert_eq!(bench.get("/version").await.status, 200);
    assert_eq!(bench.get("/nodes").await.failure(), (500, "got timeout"));
    assert_eq!(bench.get("/version").await.status, 200);
}

#[tokio::test]
async fn a_request_without_a_good_token_meets_faults_too() {
    let bench = bench().await;
    bench.rule("html=502");
    let answer = send(bench.http.get(bench.url("/version"))).await;
    assert_eq!(answer.status, 502);
    assert_eq!((bench.last().status, bench.last().handled), (502, false));
}

#[tokio::test]
async fn rules_are_listed_with_their_counts_and_can_be_taken_back() {
    let bench = bench().await;
    bench.sandbox.apply("status=500@GET /nodes#2-".parse().unwrap()).unwrap();
    bench.sandbox.apply("empty@/version".parse().unwrap()).unwrap();
    for expected in [200, 500, 500] {
        assert_eq!(bench.get("/nodes").await.status, expected);
    }
    let listed = bench.sandbox.with_cluster(|cluster| cluster.faults());
    let listed: Vec<_> = listed.iter().map(|(rule, count)| (rule.to_string(), *count)).collect();
    let expected =
        [("status=500:Internal Server Error@GET /nodes#2-".to_owned(), 2), ("empty@* /version".to_owned(), 0)];
    assert_eq!(listed, expected);
    bench.sandbox.clear_faults();
    assert_eq!(bench.get("/nodes").await.status, 200);
}

#[test]
fn every_rule_says_itself() {
    for (text, said) in [
        ("hang", "hang@* **"),
        ("hang@GET /nodes/*/status", "hang@GET /nodes/*/status"),
        ("hang@/nodes", "hang@* /nodes"),
        ("hang@PUT", "hang@PUT **"),
        ("hang@WRITE", "hang@WRITE **"),
        ("hang#3", "hang@* **#3"),
        ("truncated@* /cluster/resources#1", "truncated@* /cluster/resources#1"),
        ("empty@* *#2-4", "empty@* **#2-4"),
        (
            "status=500:got timeout@POST /nodes/*/qemu/*/status/start",
            "status=500:got timeout@POST /nodes/*/qemu/*/status/start",
        ),
        ("status=500:no such user ('x@pve')@*", "status=500:no such user ('x@pve')@* **"),
        ("status=500:number #1 failed", "status=500:number #1 failed@* **"),
        ("close-before@DELETE /access/users/alice@pve#1", "close-before@DELETE /access/users/alice@pve#1"),
        ("content-type=text/html", "content-type=text/html@* **"),
        ("close-on-accept#2", "close-on-accept#2"),
        ("certificate", "certificate"),
        ("certificate at 2", "certificate at 2"),
        ("hang-on-accept#1 at 3", "hang-on-accept#1 at 3"),
        ("hang@GET /nodes#2- at 2", "hang@GET /nodes#2- at 2"),
        ("status=500:look at 2@*", "status=500:look at 2@* **"),
        ("time-passes=2h", "time-passes=7200s"),
        ("huge", "huge=65@* **"),
        ("trickle", "trickle=1000@* **"),
        ("redirect", "redirect=https://elsewhere.invalid/@* **"),
        ("node-offline=pve3", "node-offline=pve3"),
        ("lock=100:backup", "lock=100:backup"),
        ("task-fails=vzdump:job errors", "task-fails=vzdump:job errors"),
        ("task-warns=vzdump", "task-warns=vzdump:1"),
        ("storage-full=local", "storage-full=local"),
        ("no-quorum", "no-quorum"),
        ("task-time=0.5", "task-time=0.5"),
    ] {
        let trouble: Trouble = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(trouble.to_string(), said, "{text}");
        assert_eq!(said.parse::<Trouble>().as_ref(), Ok(&trouble), "{said}");
    }
}

#[test]
fn a_mistake_is_named_with_what_could_stand_there() {
    for (text, parts) in [
        ("", &["there is no fault ''", "close-before", "node-offline"][..]),
        ("hamg", &["'hamg'", "did you mean 'hang'?"]),
        ("node-ofline=pve1", &["did you mean 'node-offline'?"]),
        ("hang=3", &["'hang' takes no '=3'"]),
        ("hang@GTE /nodes", &["no verb 'GTE'", "did you mean 'GET'?", "WRITE"]),
        ("hang@get", &["no verb 'get'", "did you mean 'GET'?"]),
        ("hang@GET nodes", &["'nodes'", "begins with '/'"]),
        ("hang@GET /api2/json/nodes", &["leave out", "'/nodes'"]),
        ("hang@GET#0", &["'#0'", "'#1'"]),
        ("hang@GET#4-2", &["'#4-2'"]),
        ("hang@GET#one", &["'#one'"]),
        ("status", &["needs a status", "status=500:got timeout"]),
        ("status=200", &["'status=200'", "400 to 599"]),
        ("status=abc:x", &["'status=abc'"]),
        ("status=500:lost @home", &["end with '@*'"]),
        ("html=9", &["'html=9'", "200 to 599"]),
        ("trickle=fast", &["'trickle=fast'", "a number"]),
        ("close-on-accept@GET", &["connections"]),
        ("hang at two", &["'hang at two'", "'hang at 2'"]),
        ("hang@GET /nodes at 0", &["the number of an endpoint"]),
        ("lock=100", &["'lock=100'", "lock=100:backup"]),
        ("lock=web:backup", &["'lock=web'", "id of a guest"]),
        ("task-fails=vzdump", &["two parts"]),
        ("task-time=-1", &["a factor"]),
        ("node-offline", &["needs more", "node-offline=pve3"]),
        ("no-quorum=1", &["takes no '=1'"]),
    ] {
        let error = text.parse::<Trouble>().expect_err(text).to_string();
        for part in parts {
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}

impl Bench {
    fn state(&self, text: &str) {
        let trouble: Trouble = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        self.sandbox.apply(trouble).unwrap_or_else(|error| panic!("{text}: {error}"));
    }

    /// How the task that this starts ends.
    async fn end(&self, path: &str, form: &[(&str, &str)]) -> String {
        let answer = self.post(path, form).await;
        self.wait(&answer).await.0
    }
}

#[tokio::test]
async fn a_node_can_go_and_come_back() {
    let bench = bench().await;
    for (state, status, reason) in [
        ("node-offline=pve3", 595, "No route to host"),
        ("node-timeout=pve3", 596, "Connection timed out"),
        ("node-offline=pve3", 595, "No route to host"),
        ("node-online=pve3", 200, "OK"),
    ] {
        bench.state(state);
        let answer = bench.get("/nodes/pve3/qemu").await;
        assert_eq!((answer.status, answer.reason.as_str()), (status, reason), "{state}");
        assert_eq!(bench.get("/nodes/pve1/qemu").await.status, 200, "{state}");
    }
}

#[tokio::test]
async fn a_guest_can_be_locked_by_somebody_else() {
    let bench = bench().await;
    bench.state("lock=102:backup");
    assert_eq!(bench.end("/nodes/pve1/qemu/102/status/start", &[]).await, "VM is locked (backup)");
    bench.state("unlock=102");
    assert_eq!(bench.end("/nodes/pve1/qemu/102/status/start", &[]).await, "OK");
}

#[tokio::test]
async fn the_next_task_of_a_type_can_fail_or_warn() {
    let bench = bench().await;
    bench.state("task-fails=qmstart:start failed: QEMU exited with code 1");
    bench.state("task-warns=qmstop:2");
    let path = "/nodes/pve1/qemu/102/status";
    assert_eq!(bench.end(&format!("{path}/start"), &[]).await, "start failed: QEMU exited with code 1");
    assert_eq!(bench.end(&format!("{path}/start"), &[]).await, "OK");
    let stop = bench.post(&format!("{path}/stop"), &[]).await;
    let (status, log) = bench.wait(&stop).await;
    assert_eq!((status.as_str(), log.last().map(String::as_str)), ("WARNINGS: 2", Some("TASK WARNINGS: 2")));
    assert!(!bench.runs(102), "a warning is no failure");
}

#[tokio::test]
async fn without_quorum_there_are_no_writes() {
    let bench = bench().await;
    bench.state("no-quorum");
    let refused = bench.post("/pools", &[("poolid", "new")]).await;
    assert_eq!(refused.failure(), (500, "cluster not ready - no quorum?"));
    assert_eq!(bench.get("/pools").await.status, 200);
    bench.state("quorum");
    assert_eq!(bench.post("/pools", &[("poolid", "new")]).await.status, 200);
}

#[tokio::test]
async fn nothing_can_be_put_on_a_full_storage() {
    let bench = bench().await;
    for storage in ["local", "local-lvm", "backup-nas"] {
        bench.state(&format!("storage-full={storage}"));
    }
    let thin = "free space in thin pool pve/data reached threshold.";
    for (path, form, part) in [
        ("/nodes/pve1/qemu", &[("vmid", "300"), ("scsi0", "local-lvm:8")][..], thin),
        ("/nodes/pve1/qemu/102/clone", &[("newid", "301"), ("full", "1")], thin),
        ("/nodes/pve1/qemu/102/move_disk", &[("disk", "scsi0"), ("storage", "backup-nas")], "No space left on device"),
    ] {
        let end = bench.end(path, form).await;
        assert!(end.contains(part), "{path}: {end}");
    }
    assert!(bench.get("/nodes/pve1/qemu/300/config").await.status == 500, "nothing is left of it");
    let backup = bench.post("/nodes/pve1/vzdump", &[("vmid", "102"), ("storage", "local")]).await;
    let (status, log) = bench.wait(&backup).await;
    assert_eq!(status, "job errors");
    assert!(log.iter().any(|line| line.contains("ERROR: Backup of VM 102 failed - ")), "{log:?}");
    assert!(log.iter().any(|line| line.contains("No space left on device")), "{log:?}");
    assert!(bench.get("/nodes/pve1/qemu/102/config").await.data().get("lock").is_none());
    let download = [("content", "iso"), ("filename", "x.iso"), ("url", "https://example.org/x.iso")];
    let end = bench.end("/nodes/pve1/storage/local/download-url", &download).await;
    assert!(end.contains("No space left on device"), "{end}");
    let status = bench.get("/nodes/pve1/storage/local/status").await;
    assert_eq!(status.data()["avail"], 0);
    bench.state("storage-free=local-lvm");
    assert_eq!(bench.end("/nodes/pve1/qemu", &[("vmid", "300"), ("scsi0", "local-lvm:8")]).await, "OK");
}

#[tokio::test]
async fn a_state_of_something_unknown_is_refused_with_what_there_is() {
    let bench = bench().await;
    for (text, parts) in [
        ("node-offline=pve9", &["no node 'pve9'", "pve1, pve2, pve3"][..]),
        ("storage-full=locl", &["did you mean 'local'?"]),
        ("lock=999:backup", &["no guest 999", "100, 101"]),
    ] {
        let error = bench.sandbox.apply(text.parse().unwrap()).expect_err(text).to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{text}: {error}");
    }
}
