//! A cluster in this process, a folder for what waits, and a look at what was sent.

use crate::common::{Client, Era, run};
use crate::talk::Talk;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::runtime::Runtime;

pub struct Cluster {
    pub sandbox: Sandbox,
    pub state: PathBuf,
    environment: Vec<(&'static str, String)>,
    _runtime: Runtime,
}

impl Cluster {
    pub fn start() -> Cluster {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let name = format!("consent-{}-{number}", std::process::id());
        let state = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let runtime = Runtime::new().expect("a runtime");
        let options = Options { task_time: 0.0, ..Options::default() };
        let sandbox = runtime.block_on(Sandbox::start(options)).expect("loopback is there");
        let (name, secret) = sandbox.token().split_once('=').expect("a whole token");
        let environment = vec![
            ("PROXMOX_HOST", sandbox.address().to_string()),
            (
                "PROXMOX_FINGERPRINT",
                sandbox.certificate_fingerprint().iter().map(|byte| format!("{byte:02x}")).collect(),
            ),
            ("PROXMOX_TOKEN_NAME", name.to_owned()),
            ("PROXMOX_TOKEN_VALUE", secret.to_owned()),
            ("PROXMOX_TIER", "admin".to_owned()),
            ("PROXMOX_CONFIRM", "ask".to_owned()),
            ("PROXMOX_STATE_DIR", state.to_string_lossy().into_owned()),
        ];
        Cluster { sandbox, state, environment, _runtime: runtime }
    }

    pub fn environment(&self) -> Vec<(&str, &str)> {
        self.environment.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// A client that can ask a person.
    pub fn able(&self, era: Era, arguments: &[&str]) -> Talk {
        self.talk(era, json!({"elicitation": {}}), arguments)
    }

    /// A client that cannot.
    pub fn unable(&self, era: Era, arguments: &[&str]) -> Talk {
        self.talk(era, json!({}), arguments)
    }

    pub fn talk(&self, era: Era, capabilities: Value, arguments: &[&str]) -> Talk {
        let mut client = Client::able(era, capabilities, arguments, &self.environment());
        client.open();
        Talk::new(client)
    }

    /// Runs the program to its end, without a terminal.
    pub fn run(&self, arguments: &[&str]) -> Output {
        run(arguments, &self.environment())
    }

    /// Somebody else does this meanwhile, and nobody asks them.
    pub fn somebody(&self, arguments: &[&str]) {
        let mut all = vec!["call"];
        all.extend(arguments);
        all.extend(["--confirm", "off", "--wait", "60"]);
        let output = self.run(&all);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// What was sent beside GET, since the last time this was asked.
    pub fn sent(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        self.sandbox.forget_requests();
        let writes = requests.into_iter().filter(|request| request.verb != "GET");
        writes.map(|request| format!("{} {}", request.verb, request.target)).collect()
    }

    /// The files of calls that wait.
    pub fn waiting(&self) -> Vec<PathBuf> {
        let Ok(files) = std::fs::read_dir(self.state.join("approvals")) else { return Vec::new() };
        files.map(|file| file.expect("a file").path()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.state);
    }
}
