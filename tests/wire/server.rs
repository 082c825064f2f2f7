//! A server whose every answer a test writes itself: TLS, one thread per connection, and bytes as told.
//!
//! Knows nothing of the API: what is right to answer is the test's business.

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// One request as it stood on the wire.
#[derive(Debug, Clone)]
pub struct Seen {
    pub verb: String,
    /// Path and query, not decoded.
    pub target: String,
    /// Names in lower case.
    pub head: Vec<(String, String)>,
    pub body: String,
    /// The number of the connection it came on, from 0.
    pub connection: usize,
}

impl Seen {
    /// The path below `/api2/json`, not decoded.
    pub fn path(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.strip_prefix("/api2/json").unwrap_or(path)
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Every value of this header.
    pub fn header(&self, name: &str) -> Vec<&str> {
        self.head.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn writes(&self) -> bool {
        self.verb != "GET"
    }
}

/// What is answered.
pub enum Say {
    /// 200 with this as `data`.
    Data(Value),
    /// Status and reason, content type, body.
    Status(&'static str, &'static str, String),
    /// These bytes, and the end of the connection.
    Raw(String),
    /// The end of the connection, without a word.
    Close,
    /// This, but not before [`Server::release`].
    Later(Box<Say>),
}

impl Say {
    /// The API's refusal, with texts per parameter.
    pub fn refuse(status: &'static str, message: &str, errors: Value) -> Say {
        let body = json!({"data": null, "message": format!("{message}\n"), "errors": errors});
        Say::Status(status, "application/json;charset=UTF-8", body.to_string())
    }

    /// An answer without a body.
    pub fn bare(status: &'static str) -> Say {
        Say::Status(status, "text/plain", String::new())
    }
}

/// How a connection is received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greet {
    Serve,
    /// Closed before a byte of TLS.
    Drop,
    /// Nothing is ever said.
    Silence,
    /// Somebody who speaks no TLS.
    Plain,
}

type Script = Box<dyn Fn(&Seen) -> Say + Send + Sync>;

struct Shared {
    script: Script,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: Mutex<bool>,
    opened: Condvar,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

pub struct Server {
    pub address: SocketAddr,
    pub pem: String,
    der: Vec<u8>,
    shared: Arc<Shared>,
}

impl Server {
    pub fn start(script: impl Fn(&Seen) -> Say + Send + Sync + 'static) -> Server {
        Server::greeting("127.0.0.1:0", |_| Greet::Serve, script).expect("loopback is there")
    }

    /// As [`Server::start`], at an address and with a say in how each connection is received.
    ///
    /// # Errors
    /// This machine has no such address.
    pub fn greeting(
        address: &str,
        greet: impl Fn(usize) -> Greet + Send + 'static,
        script: impl Fn(&Seen) -> Say + Send + Sync + 'static,
    ) -> std::io::Result<Server> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).to_vec();
        let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .expect("a certificate and its key");
        let tls = Arc::new(tls);
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            script: Box::new(script),
            seen: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: Mutex::new(false),
            opened: Condvar::new(),
            waiting: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        });
        let server = Server { address, pem: made.cert.pem(), der: made.cert.der().to_vec(), shared: shared.clone() };
        std::thread::spawn(move || {
            let mut silent = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                let number = shared.connections.fetch_add(1, Ordering::SeqCst);
                match greet(number) {
                    Greet::Drop => {}
                    Greet::Silence => silent.push(stream),
                    Greet::Plain => {
                        let mut stream = stream;
                        let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
                        silent.push(stream);
                    }
                    Greet::Serve => {
                        let (shared, tls) = (shared.clone(), tls.clone());
                        std::thread::spawn(move || serve(&shared, tls, stream, number));
                    }
                }
            }
        });
        Ok(server)
    }

    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    pub fn forget(&self) {
        lock(&self.shared.seen).clear();
    }

    /// `GET /path` of every request, not decoded.
    pub fn lines(&self) -> Vec<String> {
        self.seen().iter().map(|seen| format!("{} {}", seen.verb, seen.path())).collect()
    }

    /// As [`Server::lines`], but for the reads.
    pub fn writes(&self) -> Vec<String> {
        self.lines().into_iter().filter(|line| !line.starts_with("GET ")).collect()
    }

    /// How many requests have this path.
    pub fn count(&self, line: &str) -> usize {
        self.lines().iter().filter(|known| *known == line).count()
    }

    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Lets everything be answered that was put off, now and from now on.
    pub fn release(&self) {
        *lock(&self.shared.open) = true;
        self.shared.opened.notify_all();
    }

    /// How many answers are put off now.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::SeqCst)
    }

    /// How many answers were put off at the same time, at most.
    pub fn most(&self) -> usize {
        self.shared.most.load(Ordering::SeqCst)
    }

    pub fn fingerprint(&self) -> String {
        let digest: [u8; 32] = Sha256::digest(&self.der).into();
        digest.map(|byte| format!("{byte:02X}")).join(":")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Answers until one side ends the connection; how it ends does not matter.
fn serve(shared: &Shared, tls: Arc<ServerConfig>, stream: TcpStream, number: usize) {
    let Ok(connection) = ServerConnection::new(tls) else { return };
    let mut stream = BufReader::new(StreamOwned::new(connection, stream));
    while let Some(seen) = request(&mut stream, number) {
        lock(&shared.seen).push(seen.clone());
        let mut say = (shared.script)(&seen);
        while let Say::Later(inner) = say {
            wait(shared);
            say = *inner;
        }
        let (text, ends) = match say {
            Say::Data(data) => {
                (response("200 OK", "application/json;charset=UTF-8", &json!({"data": data}).to_string()), false)
            }
            Say::Status(status, kind, body) => (response(status, kind, &body), false),
            Say::Raw(text) => (text, true),
            Say::Close | Say::Later(_) => return,
        };
        let out = stream.get_mut();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
        if ends {
            out.conn.send_close_notify();
            let _ = out.flush();
            return;
        }
    }
}

fn wait(shared: &Shared) {
    let now = shared.waiting.fetch_add(1, Ordering::SeqCst) + 1;
    shared.most.fetch_max(now, Ordering::SeqCst);
    let mut open = lock(&shared.open);
    while !*open {
        open = shared.opened.wait(open).unwrap_or_else(PoisonError::into_inner);
    }
    drop(open);
    shared.waiting.fetch_sub(1, Ordering::SeqCst);
}

fn response(status: &str, kind: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

fn request(stream: &mut impl BufRead, connection: usize) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
    let mut words = line.split(' ');
    let (verb, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        head.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = head.iter().find(|(name, _)| name == "content-length").and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    Some(Seen { verb, target, head, body, connection })
}
