//! The way through a proxy, as HTTPS_PROXY, ALL_PROXY and NO_PROXY say.

use super::*;
use crate::world::World;
use base64::Engine as _;
use calls::has;
use common::run;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;

/// A proxy that knows CONNECT, and what it was asked.
struct Proxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(wants: Option<&'static str>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = listener.local_addr().expect("bound");
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let record = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let record = record.clone();
                std::thread::spawn(move || serve(stream, wants, &record));
            }
        });
        Proxy { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("no panic"))
    }
}

fn serve(stream: TcpStream, wants: Option<&str>, record: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut writer = stream;
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.first()?.clone();
    record.lock().ok()?.push(first.clone());
    let proof = wants.map(|wants| format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(wants)));
    let given = lines.iter().any(|line| proof.as_ref().is_some_and(|proof| line.ends_with(proof.as_str())));
    if proof.is_some() && !given {
        writer.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").ok()?;
        return None;
    }
    let there = TcpStream::connect(first.strip_prefix("CONNECT ")?.split(' ').next()?).ok()?;
    writer.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").ok()?;
    let (mut from, mut to) = (there.try_clone().ok()?, writer.try_clone().ok()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let mut there = there;
    let _ = std::io::copy(&mut reader, &mut there);
    let _ = there.shutdown(std::net::Shutdown::Both);
    Some(())
}

/// Exit code and standard error of `call get_version` with these variables besides.
fn asked(world: &World, more: &[(&str, &str)]) -> (i32, String) {
    let (name, secret) = world.sandbox.token().split_once('=').expect("whole");
    let set = variables(&world.sandbox, "");
    let mut set: Vec<(&str, &str)> =
        set.iter().filter(|(name, _)| *name != "PROXMOX_USER").map(|(name, text)| (*name, text.as_str())).collect();
    set.extend([("PROXMOX_TOKEN_NAME", name), ("PROXMOX_TOKEN_VALUE", secret), ("PROXMOX_RETRY_ATTEMPTS", "1")]);
    set.extend(more);
    let output = run(&["call", "get_version"], &set);
    (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn connections_go_through_the_proxy_that_is_set() {
    let world = World::start();
    let proxy = Proxy::start(None);
    let through = format!("http://{}", proxy.address);
    let connect = format!("CONNECT {} HTTP/1.1", world.sandbox.address());
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let (code, text) = asked(&world, &[(variable, &through)]);
        assert_eq!((code, proxy.asked()), (0, vec![connect.clone()]), "{variable}: {text}");
    }
}

#[test]
fn hosts_and_networks_can_be_left_out() {
    let world = World::start();
    let proxy = Proxy::start(None);
    let through = format!("http://{}", proxy.address);
    for around in ["127.0.0.1", "127.0.0.0/8", "*", "example.org,127.0.0.1"] {
        let (code, text) = asked(&world, &[("HTTPS_PROXY", &through), ("NO_PROXY", around)]);
        assert_eq!((code, proxy.asked().len()), (0, 0), "{around}: {text}");
    }
    let (code, _) = asked(&world, &[("HTTPS_PROXY", &through), ("NO_PROXY", "10.0.0.0/8,example.org,.localhost")]);
    assert_eq!((code, proxy.asked().len()), (0, 1));
    // A suffix holds for every name below it.
    let port = world.sandbox.address().port();
    for (around, ways) in [("localhost", 0), ("other.host", 1)] {
        let host = format!("localhost:{port}");
        let (code, text) = asked(&world, &[("HTTPS_PROXY", &through), ("NO_PROXY", around), ("PROXMOX_HOST", &host)]);
        assert_eq!((code, proxy.asked().len()), (0, ways), "{around}: {text}");
    }
}

#[test]
fn what_a_proxy_wants_to_know_is_given_and_never_shown() {
    let world = World::start();
    let proxy = Proxy::start(Some("alice:sesame"));
    let (code, text) = asked(&world, &[("HTTPS_PROXY", &format!("http://alice:sesame@{}", proxy.address))]);
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("sesame"), "{text}");
    let wrong = format!("http://alice:opensesame@{}", proxy.address);
    let closed = TcpListener::bind("127.0.0.1:0").expect("loopback").local_addr().expect("bound");
    let dead = format!("http://alice:opensesame@{closed}");
    for through in [&wrong, &dead] {
        for level in ["info", "trace"] {
            let (code, text) = asked(&world, &[("HTTPS_PROXY", through), ("LOG_LEVEL", level)]);
            assert_eq!(code, 4, "{text}");
            has(&text, &["HTTPS_PROXY is set", "NO_PROXY=127.0.0.1"]);
            assert!(!text.contains("sesame"), "{text}");
        }
    }
}
