//! The measured server: the built binary over pipes, with a client that adds as little as it can.

use crate::backend::Backend;
use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub const INITIALIZE: &str = concat!(
    r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"#,
    r#""clientInfo":{"name":"bench","version":"0"}}}"#
);
pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
pub const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

pub struct Server {
    child: Child,
    pub input: ChildStdin,
    pub output: BufReader<ChildStdout>,
    line: String,
}

/// The command that starts the server over a backend, with nothing of this process's environment.
pub fn command(program: &Path, port: u16, fingerprint: Option<&str>) -> Command {
    let mut command = Command::new(program);
    command
        .args(["--tier", "admin", "--log-level", "error"])
        .env_clear()
        .env("PROXMOX_CONFIRM", "off")
        // Complete tables are measured, too.
        .env("PROXMOX_BUDGET", "1000000")
        .current_dir(std::env::temp_dir());
    command.envs([
        ("PROXMOX_HOST", format!("127.0.0.1:{port}").as_str()),
        ("PROXMOX_USER", "bench@pve"),
        ("PROXMOX_TOKEN_NAME", "bench"),
        ("PROXMOX_TOKEN_VALUE", "00000000-0000-0000-0000-000000000000"),
    ]);
    command.envs(fingerprint.map(|value| ("PROXMOX_FINGERPRINT", value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

impl Server {
    /// Starts it and opens the conversation.
    ///
    /// # Errors
    /// It does not start, or does not answer.
    pub fn start(program: &Path, backend: &Backend) -> io::Result<Server> {
        let mut child = command(program, backend.port, Some(&backend.fingerprint)).spawn()?;
        let missing = || io::Error::other("not piped");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(child.stdout.take().ok_or_else(missing)?);
        let mut server = Server { child, input, output, line: String::new() };
        server.ask(INITIALIZE)?;
        writeln!(server.input, "{INITIALIZED}")?;
        Ok(server)
    }

    /// One message, one line back.
    ///
    /// # Errors
    /// The server has ended.
    pub fn ask(&mut self, message: &str) -> io::Result<&str> {
        self.input.write_all(message.as_bytes())?;
        self.input.write_all(b"\n")?;
        self.line.clear();
        if self.output.read_line(&mut self.line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(&self.line)
    }

    /// The result of a tool.
    ///
    /// # Errors
    /// The server has ended, or the tool has failed.
    pub fn call(&mut self, tool: &str, arguments: Value) -> io::Result<Value> {
        let answer: Value = serde_json::from_str(self.ask(&call(1, tool, &arguments))?)?;
        if answer["result"]["structuredContent"].is_object() && answer["result"]["isError"] != true {
            return Ok(answer["result"].clone());
        }
        Err(io::Error::other(answer.to_string()))
    }

    /// Resident memory now, and the most so far, in MB (10^6 bytes).
    ///
    /// # Errors
    /// The server has ended.
    pub fn memory(&self) -> io::Result<(f64, f64)> {
        Ok((of(self.child.id(), "VmRSS:")?, of(self.child.id(), "VmHWM:")?))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Resident memory of a process now, in MB (10^6 bytes).
///
/// # Errors
/// It has ended.
pub fn resident(process: u32) -> io::Result<f64> {
    of(process, "VmRSS:")
}

fn of(process: u32, key: &str) -> io::Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(key));
    let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    Ok(kilobytes.unwrap_or(f64::NAN) * 1024.0 / 1e6)
}

/// A call as one line of the protocol.
pub fn call(id: usize, tool: &str, arguments: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": tool, "arguments": arguments}})
        .to_string()
}
