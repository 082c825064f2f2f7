//! A backend that costs as little as possible: one thread per connection, prepared answers, nothing is parsed but the
//! path. Knows three paths; everything else is an empty list.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// A backend in a process of its own, which ends with this value.
pub struct Backend {
    child: Child,
    pub port: u16,
    pub fingerprint: String,
}

impl Backend {
    /// # Errors
    /// This program cannot be started again.
    pub fn start(guests: u32, delay: u64) -> io::Result<Backend> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["backend", "--guests", &guests.to_string(), "--delay", &delay.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        BufReader::new(output).read_line(&mut line)?;
        let (port, fingerprint) = line.trim().split_once(' ').ok_or_else(|| io::Error::other("no address"))?;
        let (port, fingerprint) = (port.parse().map_err(io::Error::other)?, fingerprint.to_owned());
        Ok(Backend { child, port, fingerprint })
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The prepared answers, head and body.
struct Answers {
    nodes: Vec<u8>,
    guests: Vec<u8>,
    empty: Vec<u8>,
    delay: Duration,
}

/// Serves until the process is killed.
pub fn serve(guests: u32, delay: u64) -> io::Result<()> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
        .map_err(io::Error::other)?;
    let fingerprint: [u8; 32] = Sha256::digest(made.cert.der()).into();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    let tls = Arc::new(tls);
    let answers = Arc::new(Answers {
        nodes: whole(&nodes()),
        guests: whole(&resources(guests)),
        empty: whole(&json!([])),
        delay: Duration::from_millis(delay),
    });
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let shown: Vec<String> = fingerprint.iter().map(|byte| format!("{byte:02X}")).collect();
    println!("{} {}", listener.local_addr()?.port(), shown.join(":"));
    for stream in listener.incoming() {
        let (stream, tls, answers) = (stream?, Arc::clone(&tls), Arc::clone(&answers));
        std::thread::spawn(move || answer(stream, tls, &answers));
    }
    Ok(())
}

/// Answers until the client ends the connection; how it ends does not matter.
fn answer(stream: TcpStream, tls: Arc<ServerConfig>, answers: &Answers) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let connection = ServerConnection::new(tls).map_err(io::Error::other)?;
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or_default();
        let bytes = match target.strip_prefix("/api2/json").unwrap_or(target).split('?').next() {
            Some("/nodes") => &answers.nodes,
            Some("/cluster/resources") => &answers.guests,
            _ => &answers.empty,
        };
        while stream.read_line(&mut line)? > 2 {}
        if !answers.delay.is_zero() {
            std::thread::sleep(answers.delay);
        }
        let out = stream.get_mut();
        out.write_all(bytes)?;
        out.flush()?;
    }
}

fn whole(data: &Value) -> Vec<u8> {
    let body = json!({ "data": data }).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json;charset=UTF-8\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}

fn nodes() -> Value {
    let node = |number: u32| {
        json!({
            "node": format!("pve{number}"), "id": format!("node/pve{number}"), "type": "node", "status": "online",
            "cpu": 0.031_25, "maxcpu": 32, "mem": 41_875_931_136_u64, "maxmem": 137_438_953_472_u64,
            "disk": 12_884_901_888_u64, "maxdisk": 103_079_215_104_u64, "uptime": 438_000 + number, "level": "",
            "ssl_fingerprint": "AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99",
        })
    };
    (1..=3).map(node).collect()
}

/// Three quarters virtual machines, one quarter containers, over sixteen nodes.
fn resources(guests: u32) -> Value {
    let guest = |number: u32| {
        let vmid = 100 + number;
        let kind = if number % 4 == 3 { "lxc" } else { "qemu" };
        let runs = !number.is_multiple_of(3);
        json!({
            "cpu": if runs { 0.004_13 * f64::from(number % 97) } else { 0.0 }, "disk": 0, "diskread": u64::from(number) * 91_237, "diskwrite": u64::from(number) * 1_239_871,
            "id": format!("{kind}/{vmid}"), "maxcpu": 1 + number % 8, "maxdisk": 34_359_738_368_u64, "maxmem": 4_294_967_296_u64,
            "mem": if runs { 1_073_741_824_u64 + u64::from(number) * 4_321 } else { 0 }, "name": format!("{}-{vmid}", if kind == "lxc" { "ct" } else { "vm" }),
            "netin": u64::from(number) * 7_771, "netout": u64::from(number) * 3_137, "node": format!("pve{}", 1 + number % 16),
            "status": if runs { "running" } else { "stopped" }, "template": 0, "type": kind, "uptime": if runs { 86_400 + number } else { 0 }, "vmid": vmid,
        })
    };
    (0..guests).map(guest).collect()
}
