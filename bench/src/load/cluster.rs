//! The two processes of a load run: the make-believe cluster, with its control endpoint, and the server over HTTP.

use super::truth::Write as Written;
use crate::floor::tls;
use serde_json::{Deserializer, Value, json};
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Tokens that the clients share.
const TOKENS: usize = 8;

pub struct Cluster {
    child: Child,
    told: Value,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Cluster {
    /// With at least so many guests.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: &Path, guests: usize) -> io::Result<Cluster> {
        let guests = (guests + 16).to_string();
        let mut child = Command::new(program)
            .args(["sandbox", "--listen", "127.0.0.1:0", "--control", "--json", "--task-time", "0"])
            .args(["--guests", &guests, "--log-level", "error"])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let told = Deserializer::from_reader(output).into_iter().next();
        let told: Value = told.ok_or_else(|| io::Error::other("the cluster does not start"))??;
        let client = reqwest::Client::builder().tls_backend_preconfigured(tls()?).no_proxy().build();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Cluster { child, told, runtime, client: client.map_err(io::Error::other)? })
    }

    fn word(&self, key: &str) -> &str {
        self.told[key].as_str().unwrap_or_default()
    }

    fn ask(&self, request: reqwest::RequestBuilder) -> io::Result<Value> {
        let request = request.timeout(Duration::from_secs(60));
        let text = self.runtime.block_on(async { request.send().await?.error_for_status()?.text().await });
        Ok(serde_json::from_str(&text.map_err(io::Error::other)?)?)
    }

    fn control(&self, path: &str) -> String {
        format!("{}/sandbox/{path}", self.word("url"))
    }

    /// These instead of all that were.
    ///
    /// # Errors
    /// The cluster is gone, or knows no such fault.
    pub fn faults(&self, faults: &[&str]) -> io::Result<()> {
        self.ask(self.client.put(self.control("faults")).body(json!(faults).to_string())).map(drop)
    }

    /// The ids of all virtual machines and containers.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn guests(&self) -> io::Result<Vec<u64>> {
        let url = format!("{}/api2/json/cluster/resources?type=vm", self.word("url"));
        let listed =
            self.ask(self.client.get(url).header("authorization", format!("PVEAPIToken={}", self.word("token"))))?;
        let guests = listed["data"].as_array().cloned().unwrap_or_default();
        let own = |guest: &&Value| guest["template"] != 1;
        Ok(guests.iter().filter(own).filter_map(|guest| guest["vmid"].as_u64()).collect())
    }

    /// The marked writes since this was last asked.
    ///
    /// # Errors
    /// The cluster is gone.
    pub fn received(&self) -> io::Result<Vec<Written>> {
        let all = self.ask(self.client.get(self.control("requests")))?;
        self.ask(self.client.delete(self.control("requests")))?;
        let writes = all["requests"].as_array().into_iter().flatten().filter(|one| one["verb"] != "GET");
        Ok(writes.filter_map(written).collect())
    }
}

fn written(request: &Value) -> Option<Written> {
    let params = request["params"].as_array()?.iter();
    let mark = params.filter(|pair| pair[0] == "description").find_map(|pair| pair[1].as_str())?;
    // 596 comes from the proxy between two nodes, whatever happened behind it; 0 is no answer.
    let refused = matches!(request["status"].as_u64(), Some(400..=595));
    Some(Written { mark: mark.to_owned(), happened: request["handled"] == true && !refused })
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Served {
    child: Child,
    folder: PathBuf,
    pub url: String,
    pub tokens: Vec<String>,
}

impl Served {
    /// With bearer tokens, and without a limit to their rate.
    ///
    /// # Errors
    /// It does not start.
    pub fn start(program: &Path, cluster: &Cluster, clients: usize) -> io::Result<Served> {
        let folder = std::env::temp_dir().join(format!("proxmox-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let file = folder.join("tokens.toml");
        let mut tokens = Vec::new();
        for number in 0..TOKENS {
            let made = Command::new(program)
                .args(["token", "new", "--tier", "configure", "--name", &format!("load-{number}"), "--tokens"])
                .arg(&file)
                .stderr(Stdio::null())
                .output()?;
            tokens.push(String::from_utf8_lossy(&made.stdout).trim().to_owned());
        }
        let (name, secret) = cluster.word("token").split_once('=').unwrap_or_default();
        let mut child = Command::new(program)
            .args(["serve", "--http", "127.0.0.1:0", "--rate", "0", "--tier", "configure", "--log-level", "error"])
            .args(["--max-calls", &(clients * 2).to_string(), "--tokens"])
            .arg(&file)
            .env_clear()
            .envs([("PROXMOX_TOKEN_NAME", name), ("PROXMOX_TOKEN_VALUE", secret), ("PROXMOX_CONFIRM", "off")])
            .envs([("PROXMOX_TIMEOUT", "2000"), ("PROXMOX_FINGERPRINT", cluster.word("fingerprint"))])
            .env("PROXMOX_HOST", format!("127.0.0.1:{}", cluster.told["port"]))
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let output = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        BufReader::new(output).read_line(&mut url)?;
        Ok(Served { child, folder, url: url.trim().to_owned(), tokens })
    }

    /// Resident memory now, in MB (10^6 bytes).
    ///
    /// # Errors
    /// The server has ended.
    pub fn memory(&self) -> io::Result<f64> {
        crate::server::resident(self.child.id())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
