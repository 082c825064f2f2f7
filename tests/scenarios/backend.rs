//! Who answers: the embedded sandbox, or the simulator `fakepve` in a process of its own.
//!
//! Knows how each is started and how a server finds it; nothing of the scenarios.

use crate::script::World;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

/// The variable that names the simulator's program.
pub const PROGRAM: &str = "FAKEPVE";

/// A cluster that a server can be pointed at. Dropping it ends it.
pub trait Backend {
    /// As the list of differences calls it.
    fn name(&self) -> &'static str;
    /// The variables that point the server here.
    fn environment(&self) -> Vec<(&'static str, String)>;
}

fn environment(port: u16, fingerprint: &[u8], token: &str) -> Vec<(&'static str, String)> {
    let (name, secret) = token.split_once('=').expect("a whole token");
    vec![
        ("PROXMOX_HOST", "127.0.0.1".to_owned()),
        ("PROXMOX_PORT", port.to_string()),
        ("PROXMOX_FINGERPRINT", fingerprint.iter().map(|byte| format!("{byte:02x}")).collect()),
        ("PROXMOX_TOKEN_NAME", name.to_owned()),
        ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
        ("PROXMOX_TIER", "admin".to_owned()),
        ("PROXMOX_RETRY_DELAY", "1".to_owned()),
    ]
}

/// The embedded sandbox, in this process.
pub struct Embedded {
    sandbox: Sandbox,
    auditor: bool,
    _runtime: Runtime,
}

impl Embedded {
    pub fn start(world: &World) -> Embedded {
        let runtime = Runtime::new().expect("a runtime");
        let task_time = if world.slow { 0.5 } else { 0.0 };
        let options = Options { task_time, ..Options::default() };
        let sandbox = runtime.block_on(Sandbox::start(options)).expect("loopback is there");
        sandbox.with_cluster(|cluster| {
            for (vmid, lock) in world.locked {
                cluster.set_lock(*vmid, Some(lock));
            }
            for (vmid, error) in world.failing {
                let kind = if *vmid < 200 { "qmstart" } else { "vzstart" };
                cluster.fail_next_task(kind, error);
            }
        });
        Embedded { sandbox, auditor: world.auditor, _runtime: runtime }
    }
}

impl Backend for Embedded {
    fn name(&self) -> &'static str {
        "sandbox"
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let (port, fingerprint) = (self.sandbox.address().port(), self.sandbox.certificate_fingerprint());
        let token = if self.auditor { self.sandbox.auditor_token() } else { self.sandbox.token() };
        environment(port, &fingerprint, token)
    }
}

/// `fakepve`, started by `simulator.py` with the Python that it is installed for.
pub struct Simulator {
    child: Child,
    port: u16,
    fingerprint: Vec<u8>,
    token: String,
    folder: PathBuf,
}

impl Simulator {
    /// `None` when no simulator is named: then there is nothing to compare with.
    pub fn start(world: &World) -> Option<Simulator> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let program = std::env::var_os(PROGRAM)?;
        let python = Path::new(&program).with_file_name("python");
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("simulator-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
        let (certificate, key, file) = (folder.join("cert.pem"), folder.join("key.pem"), folder.join("world.json"));
        std::fs::write(&certificate, own.cert.pem()).expect("written");
        std::fs::write(&key, own.signing_key.serialize_pem()).expect("written");
        let secret = "5f6c1f7e-0000-4000-8000-3d1f6a2b9c4d";
        let description = json!({
            "slow": world.slow, "locked": world.locked, "failing": world.failing, "auditor": world.auditor,
            "secret": secret, "brief": world.brief, "factor": world.factor,
        });
        std::fs::write(&file, description.to_string()).expect("written");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/simulator.py");
        let mut command = Command::new(&python);
        command.arg(script).args([&file, &certificate, &key]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let mut line = String::new();
        let output = child.stdout.take().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("a line");
        let port = line.trim().strip_prefix("listening on ").and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("the simulator says: {line}"));
        let user = if world.auditor { "auditor@pve" } else { "root@pam" };
        let fingerprint = Sha256::digest(own.cert.der()).to_vec();
        Some(Simulator { child, port, fingerprint, token: format!("{user}!tests={secret}"), folder })
    }
}

impl Backend for Simulator {
    fn name(&self) -> &'static str {
        "simulator"
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        environment(self.port, &self.fingerprint, &self.token)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
