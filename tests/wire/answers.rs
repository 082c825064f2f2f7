//! Answers that are wrong, odd or hostile, and what is made of them.

use super::*;

/// How one read ends when everything is answered like this.
async fn read(say: impl Fn() -> Say + Send + Sync + 'static) -> (FailureKind, String, Server) {
    let server = Server::start(move |_| say());
    let (kind, text) = fails(&engine(&server), "get_node_status", json!({"node": "pve1"})).await;
    (kind, text, server)
}

#[tokio::test]
async fn what_cannot_be_read_is_never_an_answer() {
    let json = "application/json;charset=UTF-8";
    let html = "<html><title>Sign in</title></html>";
    for (kind, body) in [
        ("text/html", html),
        (json, html),
        (json, ""),
        (json, "{\"data\":{\"uptime\":1"),
        (json, "[]"),
        (json, "{\"uptime\":1}"),
        (json, "\u{feff}{}"),
        (json, "{\"data\":[1,2]}"),
        (json, "{\"data\":\"running\"}"),
        (json, "{\"data\":null}"),
    ] {
        let (failure, text, server) = read(move || Say::Status("200 OK", kind, body.to_owned())).await;
        assert_eq!(failure, FailureKind::Unreadable, "{body}: {text}");
        assert_eq!(server.seen().len(), 1, "{body}");
    }
}

#[tokio::test]
async fn an_answer_counts_and_not_its_content_type() {
    for kind in ["text/plain", "application/octet-stream", ""] {
        let server = Server::start(move |_| Say::Status("200 OK", kind, "{\"data\":{\"version\":\"9\"}}".to_owned()));
        assert_eq!(ok(&engine(&server), "get_version", json!({})).await["version"], "9");
    }
}

#[tokio::test]
async fn odd_values_become_what_is_declared_or_are_left_out() {
    let server = Server::start(|seen| match seen.path() {
        "/cluster/resources" => Say::Data(json!([
            {"vmid": "100", "type": "qemu", "node": "pve1", "template": "0", "cpu": "0.5", "maxmem": "1024", "uptime": {}},
            {"type": "storage", "storage": "x"},
            {"vmid": 201, "type": "lxc", "node": "pve2", "status": null, "template": true},
        ])),
        _ => Say::Data(Value::Null),
    });
    let engine = engine(&server);
    let guests = ok(&engine, "list_guests", json!({})).await;
    let first = &guests["guests"][0];
    assert_eq!((&first["vmid"], &first["template"]), (&json!(100), &json!(false)), "{guests}");
    assert_eq!((&first["cpu"], &first["maxmem"]), (&json!(0.5), &json!(1024)), "{guests}");
    assert!(first.get("uptime").is_none() && guests["notes"].to_string().contains("uptime"), "{guests}");
    // Some lists are null when they are empty.
    assert_eq!(ok(&engine, "list_snapshots", json!({"vmid": 100})).await["total"], 0);
    assert_eq!(ok(&engine, "get_storage_content", json!({"node": "pve1", "storage": "local"})).await["total"], 0);
}

#[tokio::test]
async fn a_full_page_without_a_total_is_not_called_complete() {
    let row = json!({"upid": UPID, "node": "pve1", "type": "qmstart", "user": "root@pam", "starttime": 1, "pid": 1, "pstart": 1, "id": "100"});
    let server = Server::start(move |_| Say::Data(json!([row, row])));
    let tasks = ok(&engine(&server), "list_tasks", json!({"node": "pve1", "limit": 2})).await;
    assert!(tasks["notes"].to_string().contains("may be more"), "{tasks}");
    assert!(server.seen()[0].query().contains("limit=2"), "{:?}", server.seen());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_token_stays_here() {
    let other = Server::start(usual);
    for to in [format!("https://{}/api2/json/version?x=1", other.address), "/elsewhere?ticket=1".to_owned()] {
        for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
            let to = to.clone();
            let (kind, text, server) =
                read(move || Say::Raw(format!("HTTP/1.1 {status}\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n")))
                    .await;
            assert_eq!((kind, server.seen().len()), (FailureKind::Connection, 1), "{text}");
            has(&text, &["redirects", "not followed"]);
            assert!(!text.contains("ticket=1") && !text.contains("x=1"), "{text}");
        }
    }
    assert_eq!(other.connections(), 0);
}

#[tokio::test]
async fn a_401_tells_its_reason_phrase_and_the_settings() {
    for reason in ["No ticket", "Authentication failed!", "permission denied - invalid (PVE) ticket"] {
        let status: &'static str = format!("401 {reason}").leak();
        let (kind, text, server) = read(move || Say::bare(status)).await;
        assert_eq!((kind, server.seen().len()), (FailureKind::Unauthenticated, 1));
        has(&text, &[reason, "root@pam", "PROXMOX_TOKEN_VALUE"]);
        assert!(!text.contains(SECRET));
    }
}

#[tokio::test]
async fn a_403_tells_privilege_and_path() {
    let (kind, text, _) =
        read(|| Say::refuse("403 x", "Permission check failed (/nodes/pve1, Sys.Audit|Sys.Modify)", json!({}))).await;
    assert_eq!(kind, FailureKind::Forbidden);
    has(&text, &["Sys.Audit or Sys.Modify on /nodes/pve1", "pveum acl modify /nodes/pve1 --tokens 'root@pam!mcp'"]);
    let (_, text, _) = read(|| Say::refuse("403 x", "Permission check failed (user != root@pam)", json!({}))).await;
    has(&text, &["Only root@pam"]);
    let html = || Say::Status("403 Forbidden", "text/html; charset=utf-8", "<h1>Blocked</h1>".to_owned());
    has(&read(html).await.1, &["HTML page", "proxy"]);
}

#[tokio::test]
async fn refused_parameters_are_named_as_the_caller_knows_them() {
    let server = Server::start(|seen| {
        if seen.writes() {
            let errors = json!({"newid": "taken", "forceStop": "not so", "nonsense": "what\u{1b}[31m"});
            return Say::refuse("400 Parameter verification failed.", "Parameter verification failed.", errors);
        }
        usual(seen)
    });
    let engine = engine(&server);
    let (kind, text) = fails(&engine, "clone_guest", json!({"vmid": 100, "newid": 300})).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["- `newid`: taken", "`nonsense`"]);
    assert!(!text.contains('\u{1b}'));
    let arguments = json!({"vmid": 100, "node": "pve1", "force_stop": true});
    let (_, text) = fails(&engine, "shutdown_guest", arguments.clone()).await;
    has(&text, &["`force_stop` (the API's `forceStop`): not so"]);
    let (_, text) = fails(&engine, "shutdown_vm", arguments).await;
    has(&text, &["`forceStop`: not so"]);
    assert!(!text.contains("force_stop"), "{text}");
}

#[tokio::test]
async fn a_parameter_that_was_not_sent_is_named_by_the_argument_that_sets_it() {
    let server = Server::start(|seen| match seen.writes() {
        true => Say::refuse("400 x", "Parameter verification failed.", json!({"storage": "not for containers"})),
        false => usual(seen),
    });
    let arguments =
        json!({"node": "pve1", "vmid": 300, "volid": "local:backup/vzdump-lxc-200-2026_01_01-00_00_00.tar.zst"});
    let (_, text) = fails(&engine(&server), "restore_backup", arguments).await;
    // `storage` is where the backup lies, and the API means where the disks go.
    has(&text, &["`target_storage` (the API's `storage`): not for containers"]);
}

#[tokio::test]
async fn one_error_is_told_from_another() {
    let cases: [(&'static str, &str, FailureKind, &str); 9] = [
        ("500 x", "VM is locked (backup)", FailureKind::Locked, "`backup`"),
        ("500 x", "can't lock file '/x' - got timeout", FailureKind::Locked, "Another task"),
        ("500 x", "cluster not ready - no quorum?", FailureKind::NoQuorum, "quorum"),
        ("500 x", "hostname lookup 'pve1' failed - failed to get", FailureKind::NodeOffline, "`pve1` is online"),
        ("500 x", "storage 'x' does not exist", FailureKind::NotFound, "storage 'x'"),
        ("500 x", "detected modified configuration - file changed", FailureKind::Conflict, "changed by somebody"),
        ("501 x", "Method 'GET /x' not implemented", FailureKind::Api, "since version"),
        ("595 No route to host", "", FailureKind::NodeOffline, "595"),
        ("596 Connection timed out", "", FailureKind::NodeOffline, "596"),
    ];
    for (status, message, expected, part) in cases {
        let server = Server::start(move |seen| match seen.path() {
            "/nodes" => usual(seen),
            _ if message.is_empty() => Say::bare(status),
            _ => Say::refuse(status, message, json!({})),
        });
        let (kind, text) = fails(&engine(&server), "get_node_status", json!({"node": "pve1"})).await;
        assert_eq!(kind, expected, "{message}: {text}");
        has(&text, &[part, "GET /nodes/pve1/status"]);
    }
}

#[tokio::test]
async fn advice_is_about_the_closest_words() {
    let server = Server::start(|seen| match seen.writes() {
        true => Say::refuse("500 x", "QEMU guest agent is not running", json!({})),
        false => usual(seen),
    });
    let (_, text) = fails(&engine(&server), "exec_guest", json!({"vmid": 100, "command": ["true"]})).await;
    has(&text, &["qemu-guest-agent"]);
    assert!(!text.contains("The guest is stopped"), "{text}");
}

#[tokio::test]
async fn a_guest_that_is_elsewhere_is_said_to_be_there() {
    let missing = "Configuration file 'nodes/pve1/lxc/200.conf' does not exist";
    let server = Server::start(move |seen| match seen.path() {
        "/cluster/resources" => usual(seen),
        _ => Say::refuse("500 x", missing, json!({})),
    });
    let engine = engine(&server);
    let arguments = json!({"vmid": 200, "node": "pve1", "kind": "lxc"});
    let (kind, text) = fails(&engine, "get_guest_status", arguments).await;
    assert_eq!(kind, FailureKind::NotFound);
    has(&text, &["200 (dns, container, stopped on pve2)"]);
}

#[tokio::test]
async fn the_token_is_repeated_by_nobody() {
    for say in [
        || Say::Status("200 OK", "text/html", format!("<p>{SECRET}</p>")),
        || Say::refuse("500 x", &format!("sent: PVEAPIToken=root@pam!mcp={SECRET}"), json!({"x": SECRET})),
    ] {
        let (_, text, _) = read(say).await;
        assert!(!text.contains(SECRET) && text.contains("***"), "{text}");
    }
}

#[tokio::test]
async fn no_secret_is_repeated_in_any_part_of_an_answer() {
    // The password is also a word of the answer's own, which stays.
    let password = "failed";
    let server = Server::start(move |seen| match seen.path() {
        path if path.ends_with("/log") => {
            Say::Data(json!([{"n": 1, "t": format!("got {password}-1 and {SECRET}")}, {"n": 2, "t": "TASK ERROR: no"}]))
        }
        path if path.contains("/tasks/") => {
            Say::Data(json!({"status": "stopped", "exitstatus": format!("no {password}-2 with {SECRET}")}))
        }
        "/nodes/pve1/lxc" => Say::Data(json!(UPID.replace("qmstart", "vzcreate"))),
        "/version" => Say::Data(json!({"version": "9.2.11", "release": SECRET, "repoid": format!("<{SECRET}>")})),
        _ => usual(seen),
    });
    let engine = engine(&server);
    let arguments = json!({
        "node": "pve1", "storage": "local", "ostemplate": "local:vztmpl/a.tar.zst", "password": password, "vmid": 105
    });
    let answer = call(&engine, "create_container", arguments).await.expect("it was started");
    assert!(server.seen().iter().any(|seen| seen.body.contains("password=failed")), "it was sent");
    assert_eq!(answer.content["outcome"], "failed");
    assert_eq!(answer.content["log"][0], "got ***-1 and ***");
    assert_eq!(answer.content["exitstatus"], "no ***-2 with ***");
    let text = answer.text.unwrap_or_default();
    has(&text, &["got ***-1 and ***"]);
    let rest: Vec<&Value> =
        answer.content.iter().filter(|(field, _)| *field != "outcome").map(|(_, value)| value).collect();
    let rest = json!(rest).to_string();
    assert!(!text.contains(password) && !rest.contains(password), "{text}\n{rest}");
    assert!(!text.contains(SECRET) && !rest.contains(SECRET), "{text}\n{rest}");
    // A read alike.
    let version = ok(&engine, "get_version", json!({})).await.to_string();
    assert!(version.contains("<***>") && !version.contains(SECRET), "{version}");
}

#[tokio::test]
async fn what_a_version_lacks_is_told_by_the_version_that_brought_it() {
    let old = |seen: &Seen| {
        if seen.path().ends_with("/version") {
            return Say::Data(json!({"version": "7.4-3", "release": "7.4", "repoid": "aaaaaaaa"}));
        }
        if seen.writes() {
            let unknown = "property is not defined in schema and the schema does not allow additional properties";
            let errors = json!({"allow-ksm": unknown, "scsi0": format!("invalid format - format error\nscsi0.discrad: {unknown}\n")});
            return Say::refuse("400 x", "Parameter verification failed.", errors);
        }
        if seen.path().ends_with("/status") {
            return Say::refuse("501 x", "Method 'GET /nodes/pve1/status' not implemented", json!({}));
        }
        usual(seen)
    };
    let server = Server::start(old);
    let engine = engine(&server);
    let change = json!({"vmid": 100, "config": {"allow-ksm": false}});
    let (kind, text) = fails(&engine, "update_guest_config", change).await;
    assert_eq!(kind, FailureKind::BadArguments);
    has(&text, &["`allow-ksm` is there since version 9.1, and the node `pve1` runs 7.4-3: leave it out"]);
    has(&text, &["`scsi0.discrad` does not exist in any version", "Did you mean `discard`?"]);
    let (_, text) = fails(&engine, "get_node_status", json!({"node": "pve1"})).await;
    has(&text, &["since version 6.4", "runs 7.4-3, which should have it"]);
}
