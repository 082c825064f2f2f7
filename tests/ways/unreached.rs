//! Addresses that take no connection, or take it and say nothing: each is given up after `--connect-timeout`, apart from
//! the time that an answer may take.

use super::*;
use crate::world::World;
use calls::has;
use common::run;
use rustix::net::listen;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

/// An address of this machine where nothing listens in earnest. Lives as long as its connections are held.
struct Dead {
    listener: TcpListener,
    _held: Vec<TcpStream>,
}

impl Dead {
    /// Takes a connection, and never says a word of TLS.
    fn silent() -> Dead {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
        Dead { listener, _held: Vec::new() }
    }

    /// Its queue is full: the system drops whoever knocks.
    fn full() -> Dead {
        let dead = Dead::silent();
        listen(&dead.listener, 0).expect("a shorter queue");
        let address = dead.address();
        let mut held = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
            held.push(stream);
            assert!(held.len() < 1_000, "the queue has an end");
        }
        Dead { _held: held, ..dead }
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("bound")
    }
}

/// Exit code and standard error of this call, with `host` in the place of the cluster's own.
fn called(world: &World, host: &str, call: &[&str]) -> (i32, String) {
    let (name, secret) = world.sandbox.token().split_once('=').expect("whole");
    let mut set = variables(&world.sandbox, "");
    set.retain(|(name, _)| *name != "PROXMOX_USER" && *name != "PROXMOX_HOST");
    let mut set: Vec<(&str, &str)> = set.iter().map(|(name, text)| (*name, text.as_str())).collect();
    set.extend([("PROXMOX_TOKEN_NAME", name), ("PROXMOX_TOKEN_VALUE", secret), ("PROXMOX_HOST", host)]);
    // An answer may take far longer than this test.
    let mut arguments = vec!["--timeout", "3600000", "--connect-timeout", "200", "--tier", "operate"];
    arguments.extend(call);
    let output = run(&arguments, &set);
    (output.status.code().expect("a code"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn an_address_that_takes_no_connection_is_given_up_and_named() {
    let world = World::start();
    for dead in [Dead::full(), Dead::silent()] {
        let host = dead.address().to_string();
        let (code, said) = called(&world, &host, &["call", "get_version"]);
        assert_eq!(code, 4, "{said}");
        has(&said, &[&host, "200 ms", "--connect-timeout"]);
    }
}

#[test]
fn the_next_address_is_asked_in_its_place_also_for_a_change() {
    for dead in [Dead::full(), Dead::silent()] {
        let world = World::start();
        let host = format!("{},{}", dead.address(), world.sandbox.address());
        let (code, said) = called(&world, &host, &["call", "start_guest", "vmid=102"]);
        assert_eq!(code, 0, "{said}");
        let writes = world.sandbox.requests().iter().filter(|seen| seen.verb != "GET").count();
        assert_eq!(writes, 1, "{said}");
    }
}
