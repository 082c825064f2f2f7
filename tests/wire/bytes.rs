//! What a request looks like on the wire.

use super::*;

fn write(server: &Server) -> Seen {
    server.seen().into_iter().find(Seen::writes).expect("something was written")
}

#[tokio::test]
async fn a_body_has_its_length_once_and_no_chunks() {
    let server = Server::start(usual);
    ok(&engine(&server), "start_guest", json!({"vmid": 100})).await;
    let seen = write(&server);
    assert_eq!((seen.header("content-length"), seen.body.as_str()), (vec!["0"], ""));
    assert!(seen.header("transfer-encoding").is_empty());
    assert_eq!(seen.header("authorization"), [format!("PVEAPIToken=root@pam!mcp={SECRET}")]);
    for seen in server.seen().iter().filter(|seen| !seen.writes()) {
        assert!(seen.header("content-length").is_empty() && seen.header("content-type").is_empty(), "{seen:?}");
    }
}

#[tokio::test]
async fn booleans_are_digits_and_separators_are_encoded() {
    let server = Server::start(usual);
    let engine = engine(&server);
    let arguments = json!({"vmid": 100, "snapname": "before", "vmstate": true, "description": "a;b+c d&e=ä"});
    ok(&engine, "create_snapshot", arguments).await;
    let seen = write(&server);
    assert_eq!(seen.header("content-type"), ["application/x-www-form-urlencoded"]);
    let mut pairs: Vec<&str> = seen.body.split('&').collect();
    pairs.sort_unstable();
    assert_eq!(pairs, ["description=a%3Bb%2Bc%20d%26e%3D%C3%A4", "snapname=before", "vmstate=1"]);
    assert_eq!(seen.header("content-length"), [seen.body.len().to_string()]);
}

#[tokio::test]
async fn parameters_of_a_delete_stand_in_the_query() {
    let server = Server::start(usual);
    ok(&engine(&server), "delete_guest", json!({"vmid": 200, "purge": true, "destroy_unreferenced_disks": false}))
        .await;
    let seen = write(&server);
    assert_eq!((seen.verb.as_str(), seen.path()), ("DELETE", "/nodes/pve2/lxc/200"));
    assert!(
        seen.query().split('&').any(|pair| pair == "purge=1") && seen.query().contains("destroy-unreferenced-disks=0"),
        "{seen:?}"
    );
    assert!(seen.body.is_empty() && seen.header("content-length").iter().all(|length| *length == "0"), "{seen:?}");
}

#[tokio::test]
async fn lists_are_one_text_and_arrays_repeat_the_key() {
    let server = Server::start(|seen| match seen.path() {
        path if path.ends_with("/agent/exec") => Say::Data(json!({"pid": 7})),
        path if path.ends_with("/agent/exec-status") => Say::Data(json!({"exited": 1, "exitcode": 0})),
        _ => usual(seen),
    });
    let engine = engine(&server);
    ok(&engine, "exec_guest", json!({"vmid": 100, "command": ["echo", "a b", ";"]})).await;
    assert_eq!(write(&server).body, "command=echo&command=a%20b&command=%3B");
    server.forget();
    ok(&engine, "update_guest_config", json!({"vmid": 200, "delete": ["description", "tags"]})).await;
    let body = write(&server).body;
    assert!(body.contains("delete=description%2Ctags") && body.contains("digest=0123456789"), "{body}");
}

#[tokio::test]
async fn a_connection_is_used_again() {
    let server = Server::start(usual);
    let engine = engine(&server);
    for _ in 0..5 {
        ok(&engine, "get_version", json!({})).await;
    }
    assert_eq!((server.seen().len(), server.connections()), (5, 1));
    assert!(server.seen().iter().all(|seen| seen.connection == 0));
}

#[tokio::test]
async fn an_upload_is_a_form_in_the_order_that_the_api_reads() {
    let server = Server::start(usual);
    let arguments =
        json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "a.iso", "content": "aGVsbG8="});
    ok(&engine(&server), "upload_file", arguments).await;
    let seen = write(&server);
    assert_eq!(seen.path(), "/nodes/pve1/storage/local/upload");
    assert!(seen.header("transfer-encoding").is_empty());
    assert_eq!(seen.header("content-length"), [seen.body.len().to_string()]);
    let boundary = seen.header("content-type")[0].split("boundary=").nth(1).expect("a boundary").to_owned();
    let parts: Vec<&str> = seen.body.split(&format!("--{boundary}")).collect();
    let names: Vec<&str> = parts.iter().filter_map(|part| part.split("name=\"").nth(1)?.split('"').next()).collect();
    assert_eq!(names, ["content", "filename"]);
    let file = parts[2].trim_start().lines().next().expect("a head");
    assert_eq!(file.to_lowercase(), "content-disposition: form-data; name=\"filename\"; filename=\"a.iso\"");
    assert!(parts[2].ends_with("\r\n\r\nhello\r\n"), "{:?}", parts[2]);
    assert_eq!(parts.last(), Some(&"--\r\n"));
}

#[tokio::test]
async fn an_upload_reads_nothing_but_what_it_may() {
    let server = Server::start(usual);
    let folder = std::env::temp_dir().join(format!("proxmox-mcp-wire-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("in")).expect("a folder");
    std::fs::write(folder.join("outside.iso"), "no").expect("a file");
    std::fs::write(folder.join("in/fine.iso"), "yes").expect("a file");
    let inside = folder.join("in").to_string_lossy().into_owned();
    let outside = folder.join("outside.iso").to_string_lossy().into_owned();
    let engine = Engine::new(settings(&Flags { upload_dir: Some(inside), ..flags(&server) }));
    let upload = |path: &str| json!({"node": "pve1", "storage": "local", "content_type": "iso", "filename": "a.iso", "path": path});
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.join("outside.iso"), folder.join("in/link.iso")).expect("a link");
    for path in ["../outside.iso", "x/../../outside.iso", &outside, "link.iso", ".", "", "none.iso", "a\u{0}b"] {
        let (kind, text) = fails(&engine, "upload_file", upload(path)).await;
        assert!(matches!(kind, FailureKind::Local | FailureKind::BadArguments), "{path}: {text}");
        assert_eq!(server.writes(), Vec::<String>::new(), "{path}");
    }
    ok(&engine, "upload_file", upload("fine.iso")).await;
    assert_eq!(server.writes().len(), 1);
    std::fs::remove_dir_all(&folder).expect("it is ours");
    // 8 MiB and one byte.
    let content = format!("{}AA==", "AAAA".repeat((8 << 20) / 3));
    let mut arguments = upload("");
    arguments.as_object_mut().expect("an object").remove("path");
    arguments["content"] = json!(content + "AAAA");
    let (kind, text) = fails(&engine, "upload_file", arguments).await;
    assert_eq!(kind, FailureKind::BadArguments, "{text}");
    assert_eq!(server.writes().len(), 1);
}
