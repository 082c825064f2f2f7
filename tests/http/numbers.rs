//! What Prometheus reads.

use crate::common::Era;
use crate::served::{Served, get, plain, sent};
use crate::tokens::Tokens;
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn calls_are_counted_by_tool_tier_and_end() {
    let server = Served::sandbox(&[]);
    let client = server.client(Era::Stateless);
    for _ in 0..3 {
        client.call("get_version", json!({})).await;
    }
    client.call("start_guest", json!({"vmid": 101})).await;
    client.call("get_guest_config", json!({"vmid": 4711})).await;
    let mut session = server.client(Era::Handshake);
    session.open().await;
    let page = get(&server.at("/metrics")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.headers["content-type"].starts_with("application/openmetrics-text"), "{page:?}");
    for line in [
        "proxmox_mcp_calls_total{tool=\"get_version\",tier=\"read\",outcome=\"ok\"} 3",
        "proxmox_mcp_calls_total{tool=\"start_guest\",tier=\"operate\",outcome=\"refused\"} 1",
        "outcome=\"not_found\"} 1",
        "proxmox_mcp_call_duration_seconds_count{tier=\"read\"} 4",
        "proxmox_mcp_calls_running 0",
        "proxmox_mcp_sessions 1",
        "proxmox_mcp_http_requests_total{status=\"200\"}",
    ] {
        assert!(page.body.contains(line), "{line} is not in:\n{}", page.body);
    }
    assert!(page.body.ends_with("# EOF\n") && !page.body.contains("4711"), "{}", page.body);
}

#[tokio::test]
async fn trouble_with_the_cluster_is_counted_by_kind() {
    let settings = [
        ("PROXMOX_HOST", "127.0.0.1:1"),
        ("PROXMOX_USER", "root@pam"),
        ("PROXMOX_TOKEN_NAME", "t"),
        ("PROXMOX_TOKEN_VALUE", "12345678-1234-1234-1234-123456789abc"),
        ("PROXMOX_RETRY_ATTEMPTS", "1"),
    ];
    let server = Served::start(&[], &settings);
    server.client(Era::Stateless).call("get_version", json!({})).await;
    let page = get(&server.at("/metrics")).await;
    assert!(page.body.contains("proxmox_mcp_upstream_troubles_total{kind=\"connection\"} 1"), "{}", page.body);
}

#[tokio::test]
async fn a_page_with_a_name_of_its_own_does_not_read_them() {
    let server = Served::sandbox(&["--allowed-host", "metrics.example.org"]);
    let asked = |host: &str| plain().get(server.at("/metrics")).header("host", host);
    for (host, status) in [
        ("evil.example:8808", StatusCode::FORBIDDEN),
        ("localhost.evil.example", StatusCode::FORBIDDEN),
        ("localhost:8808", StatusCode::OK),
        ("[::1]:8808", StatusCode::OK),
        ("Metrics.example.org", StatusCode::OK),
    ] {
        let page = sent(asked(host)).await;
        assert_eq!(page.status, status, "{host}: {page:?}");
    }
}

#[tokio::test]
async fn others_do_not_get_to_the_numbers() {
    let tokens = Tokens::new();
    tokens.made("alice", &[]);
    for arguments in [&["--behind-proxy"][..], &["--http", "0.0.0.0:0", "--behind-proxy"]] {
        let server = tokens.served(arguments);
        let page = get(&server.at("/metrics").replace("0.0.0.0", "127.0.0.1")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{arguments:?}");
    }
}
