//! The wire: authentication, routing, checks, encodings, and that the same requests give the same bytes.

mod common;

use common::{Bench, send};
use proxmox_sandbox::{Options, USER};
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn the_version_is_told_to_the_token() {
    let bench = Bench::start().await;
    let answer = bench.get("/version").await;
    assert_eq!(answer.data(), &json!({ "version": "9.2.11", "release": "9.2", "repoid": "14a22df35955d97d" }));
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let bench = Bench::start().await;
    let bare = |value: Option<&str>| {
        let request = bench.http.get(bench.url("/nope"));
        match value {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    };
    for (header, reason) in [
        (None, "No ticket"),
        (Some("Bearer x"), "No ticket"),
        (Some("pveapitoken=root@pam!mcp=x"), "No ticket"),
        (Some("PVEAPIToken=root@pam!mcp=wrong"), "Authentication failed!"),
        (Some("PVEAPIToken=root@pam"), "Authentication failed!"),
        (Some("PVEAPIToken:root@pam!mcp=x"), "Authentication failed!"),
    ] {
        let answer = send(bare(header)).await;
        assert_eq!((answer.status, answer.reason.as_str(), answer.text.as_str()), (401, reason, ""), "{header:?}");
    }
    let spaced = format!("PVEAPIToken {}", bench.sandbox.token().replace('!', "%21"));
    assert_eq!(send(bench.http.get(bench.url("/version")).header("Authorization", spaced)).await.status, 200);
    assert_eq!(send(bench.http.get(bench.url("/access/domains"))).await.status, 200);
}

#[tokio::test]
async fn a_ticket_needs_its_csrf_token_for_writes() {
    let bench = Bench::start().await;
    let login = |password: &str| {
        let form = [("username", USER.to_owned()), ("password", password.to_owned())];
        bench.http.post(bench.url("/access/ticket")).form(&form)
    };
    let wrong = send(login("nope")).await;
    assert_eq!(wrong.failure(), (401, "authentication failure"));
    let answer = send(login(bench.sandbox.password())).await;
    let ticket = answer.data()["ticket"].as_str().unwrap().to_owned();
    let csrf = answer.data()["CSRFPreventionToken"].as_str().unwrap().to_owned();
    let write = |csrf: Option<&str>| {
        let cookie = format!("PVEAuthCookie={}", ticket.replace(':', "%3A"));
        let request = bench.http.post(bench.url("/pools")).header("Cookie", cookie).form(&[("poolid", "new")]);
        match csrf {
            Some(csrf) => request.header("CSRFPreventionToken", csrf),
            None => request,
        }
    };
    let refused = send(write(None)).await;
    assert_eq!((refused.status, refused.reason.as_str()), (401, "Permission denied - invalid csrf token"));
    assert_eq!(send(write(Some(&csrf))).await.status, 200);
}

#[tokio::test]
async fn tokens_are_kept_from_what_no_token_may() {
    let bench = Bench::start().await;
    assert_eq!(
        bench.put("/access/password", &[("userid", USER), ("password", "longenough")]).await.failure(),
        (403, "Permission check failed (URI '/access/password' not available with API token, need proper ticket.\n)")
    );
    assert_eq!(
        bench.post("/nodes/pve1/execute", &[("commands", "[]")]).await.failure(),
        (403, "Permission check failed (user != root@pam)")
    );
    let start = bench.post("/nodes/pve1/qemu/102/status/start", &[("skiplock", "1")]).await;
    assert_eq!(start.error("skiplock"), "Only root may use this option.");
    let script = bench.post("/nodes/pve1/vzdump", &[("vmid", "100"), ("script", "/bin/true")]).await;
    assert_eq!(script.error("script"), "Only root may set this option.");
    for (option, value) in [("args", "-foo"), ("lock", "backup")] {
        let answer = bench.put("/nodes/pve1/qemu/102/config", &[(option, value)]).await;
        assert_eq!(answer.failure(), (500, format!("only root can set '{option}' config").as_str()));
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_not_implemented() {
    let bench = Bench::start().await;
    for (method, path) in
        [(Method::GET, "/nope"), (Method::PUT, "/version"), (Method::POST, "/nodes/pve1/qemu/100/resize")]
    {
        let answer = send(bench.request(method.clone(), path).form(&[("a", "b")])).await;
        let answer = if method == Method::GET { bench.get(path).await } else { answer };
        assert_eq!(answer.failure(), (501, format!("Method '{method} {path}' not implemented").as_str()));
    }
    let head = send(bench.request(Method::PATCH, "/version")).await;
    assert_eq!((head.status, head.reason.as_str(), head.text.as_str()), (501, "method 'PATCH' not available", ""));
    let xml = format!("https://{}/api2/xml/version", bench.sandbox.address());
    let xml = send(bench.http.get(xml)).await;
    assert_eq!((xml.status, xml.text.as_str()), (501, "no formatter for uri /version, xml"));
}

#[tokio::test]
async fn bodies_are_checked_before_they_are_read() {
    let bench = Bench::start().await;
    let with_body = send(bench.request(Method::DELETE, "/pools").form(&[("poolid", "lab")])).await;
    assert_eq!((with_body.status, with_body.text.as_str()), (501, "Unexpected content for method 'DELETE'"));
    let plain =
        bench.request(Method::PUT, "/nodes/pve1/qemu/102/config").header("Content-Type", "text/plain").body("x");
    let plain = send(plain).await;
    assert_eq!((plain.status, plain.text.as_str()), (506, "upload 'Content-Type 'text/plain' not implemented"));
    let large = bench.put("/nodes/pve1/qemu/102/config", &[("description", &"x".repeat(600_000))]).await;
    assert_eq!((large.status, large.text.as_str()), (501, "for data too large"));
    let broken = bench.request(Method::PUT, "/nodes/pve1/qemu/102/config").header("Content-Type", "application/json");
    let broken = send(broken.body("{\"memory\":")).await;
    assert_eq!(broken.status, 500);
    assert!(broken.text.starts_with("malformed JSON string"), "{}", broken.text);
}

#[tokio::test]
async fn json_bodies_and_queries_are_taken() {
    let bench = Bench::start().await;
    let body = json!({ "onboot": true, "description": null, "cores": "3", "delete": ["agent"] });
    let put = bench
        .request(Method::PUT, "/nodes/pve1/qemu/102/config?memory=2048")
        .header("Content-Type", "application/json");
    assert_eq!(send(put.body(body.to_string())).await.data(), &json!(null));
    let config = bench.get("/nodes/pve1/qemu/102/config?_dc=1").await;
    let data = config.data();
    assert_eq!((&data["onboot"], &data["cores"], &data["memory"]), (&json!(1), &json!(3), &json!("2048")));
    assert_eq!(data.get("agent"), None);
}

#[tokio::test]
async fn parameters_are_refused_in_the_words_of_the_api() {
    let bench = Bench::start().await;
    const UNKNOWN: &str = "property is not defined in schema and the schema does not allow additional properties";
    let config = "/nodes/pve1/qemu/102/config";
    for (name, value, text) in [
        ("foo", "1", UNKNOWN),
        ("net99", "virtio,bridge=vmbr0", UNKNOWN),
        ("cores", "two", "type check ('integer') failed - got 'two'"),
        ("cores", "0", "value must have a minimum value of 1"),
        ("onboot", "true", "type check ('boolean') failed - got 'true'"),
        ("name", "a_b", "invalid format - value does not look like a valid DNS name\n"),
        (
            "net0",
            "bridge=vmbr0",
            "invalid format - format error\nnet0.model: property is missing and it is not optional\n",
        ),
        (
            "ostype",
            "ubuntu",
            "value 'ubuntu' does not have a value in the enumeration 'other, wxp, w2k, w2k3, w2k8, wvista, win7, win8, \
             win10, win11, l24, l26, solaris'",
        ),
        ("vmid", "103", "duplicate parameter (already defined in URI) with conflicting values!"),
    ] {
        assert_eq!(bench.put(config, &[(name, value)]).await.error(name), text, "{name}={value}");
    }
    assert_eq!(
        bench.put(config, &[("cores", "1"), ("cores", "2")]).await.error("cores"),
        "type check ('integer') failed - got ARRAY"
    );
    assert_eq!(
        bench.get("/nodes/pve1/qemu/abc/config").await.error("vmid"),
        "type check ('integer') failed - got 'abc'"
    );
    assert_eq!(bench.get("/version?foo=1").await.error("foo"), UNKNOWN);
    assert_eq!(
        bench.post("/nodes/pve1/qemu", &[("name", "x")]).await.error("vmid"),
        "property is missing and it is not optional"
    );
    let reason = bench.put(config, &[("foo", "1")]).await.reason;
    assert_eq!(reason, "Parameter verification failed.");
}

#[tokio::test]
async fn paths_are_decoded_once_and_empty_segments_do_not_count() {
    let bench = Bench::start().await;
    for path in [
        "//version/",
        "/nodes//pve1/version",
        "/nodes%2Fpve1%2Fversion",
        "/nodes/pv%651/version",
        "/nodes/localhost/version",
    ] {
        assert_eq!(bench.get(path).await.status, 200, "{path}");
    }
    assert_eq!(
        bench.get("/nodes/none/status").await.failure(),
        (500, "unable to get remote IP address for node 'none'")
    );
}

#[tokio::test]
async fn extjs_wraps_errors_into_200() {
    let bench = Bench::start().await;
    let url = format!("https://{}/api2/extjs/nodes/pve1/qemu/102/config?foo=1", bench.sandbox.address());
    let token = format!("PVEAPIToken={}", bench.sandbox.token());
    let answer = send(bench.http.get(url).header("Authorization", token)).await;
    assert_eq!((answer.status, &answer.body["success"], &answer.body["status"]), (200, &json!(0), &json!("400")));
}

#[tokio::test]
async fn the_same_requests_give_the_same_bytes() {
    async fn play() -> Vec<String> {
        let bench = Bench::with(Options { seed: 7, ..Options::default() }).await;
        let mut bodies = Vec::new();
        let create = [("vmid", "300"), ("scsi0", "local-lvm:4"), ("net0", "virtio,bridge=vmbr0"), ("start", "1")];
        bodies.push(bench.post("/nodes/pve1/qemu", &create).await.text);
        for path in
            ["/cluster/resources", "/nodes/pve1/tasks?source=all", "/nodes/pve1/qemu/300/config", "/cluster/tasks"]
        {
            bodies.push(bench.get(path).await.text);
        }
        bodies.push(bench.post("/nodes/pve1/vzdump", &[("vmid", "300"), ("storage", "backup-nas")]).await.text);
        for _ in 0..20 {
            bodies.push(bench.get("/nodes/pve1/tasks").await.text);
        }
        bodies.push(bench.get("/nodes/pve1/storage/backup-nas/content").await.text);
        bodies
    }
    assert_eq!(play().await, play().await);
}

#[tokio::test]
async fn every_get_without_parameters_answers() {
    let bench = Bench::start().await;
    let mut failed = Vec::new();
    for method in proxmox_spec::methods() {
        let plain = method.verb == proxmox_spec::Verb::Get && !method.path.contains('{');
        // No Ceph is installed, and groups have become rules.
        let gone = method.path.contains("/ceph") || method.path == "/cluster/ha/groups";
        if plain
            && !gone
            && method.params.iter().all(|param| param.optional)
            && method.allow_token
            && !method.permissions.root_only
        {
            let answer = bench.get(method.path).await;
            if answer.status != 200 {
                failed.push((method.path, answer.text));
            }
        }
    }
    assert_eq!(failed, []);
}
