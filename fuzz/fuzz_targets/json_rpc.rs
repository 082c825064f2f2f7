//! Bytes from a client: whatever comes, the server ends with its input, and all that it writes is JSON-RPC.
//!
//! The input is what a client writes, line by line. It is given to the server twice: alone, and after the handshake of
//! the older protocol, without which most of it would be refused at the door. There is no cluster; a call gets as far as
//! its first request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_mcp::clusters::Clusters;
use proxmox_mcp::engine::Engine;
use proxmox_mcp::server::Server;
use proxmox_mcp::settings::{Flags, Settings};
use serde_json::Value;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::Runtime;

const HANDSHAKE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{"elicitation":{}},"clientInfo":{"name":"fuzz","version":"0"}}}"#,
    "\n",
    r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    "\n"
);

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));

/// A server that may do everything, to a cluster that nobody can reach: the port is closed.
static CLUSTERS: LazyLock<Clusters> = LazyLock::new(|| {
    let text = |text: &str| Some(text.to_owned());
    let flags = Flags {
        host: text("127.0.0.1:9"),
        token_name: text("fuzz@pve!fuzz"),
        fingerprint: Some("00".repeat(32)),
        retry_attempts: text("1"),
        tier: text("admin"),
        confirm: text("seal"),
        ..Flags::default()
    };
    let secret = |name: &str| (name == "PROXMOX_TOKEN_VALUE").then(|| "fuzz".to_owned());
    Clusters::one(Arc::new(Engine::new(Settings::from(&flags, &secret).expect("good settings"))))
});

fuzz_target!(|data: &[u8]| {
    talk(&[data]);
    talk(&[HANDSHAKE.as_bytes(), data]);
});

fn talk(parts: &[&[u8]]) {
    let written = RUNTIME.block_on(async {
        let (near, far) = tokio::io::duplex(64 * 1024);
        let (input, output) = tokio::io::split(far);
        let server = tokio::spawn(Server::new(CLUSTERS.clone()).serve_over(input, output));
        let (mut reader, mut writer) = tokio::io::split(near);
        let said = parts.concat();
        let say = async move {
            // Fails when the server hung up, which it may.
            let _ = writer.write_all(&said).await;
            let _ = writer.shutdown().await;
        };
        let mut written = Vec::new();
        let hear = reader.read_to_end(&mut written);
        let all = async { tokio::join!(say, hear) };
        tokio::time::timeout(Duration::from_secs(20), all)
            .await
            .expect("the server ends with its input")
            .1
            .expect("read");
        let _ = server.await.expect("the server does not panic");
        written
    });
    for line in written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let message: Value = serde_json::from_slice(line).expect("a line is JSON");
        assert_eq!(message.get("jsonrpc").and_then(Value::as_str), Some("2.0"), "{message}");
    }
}
