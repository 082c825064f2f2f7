//! A short load run on the debug build: every write is told truly, also where the cluster has faults. Memory and speed
//! are what the long run is for.

use std::path::PathBuf;
use std::process::Command;

#[test]
fn no_write_is_lost_twice_or_told_wrongly() {
    let bench = PathBuf::from(env!("CARGO_BIN_EXE_proxmox-bench"));
    let server = bench.with_file_name("proxmox-mcp");
    assert!(server.exists(), "{} is not built: run `cargo build -p proxmox-mcp` first", server.display());
    let load = ["load", "--seconds", "10", "--clients", "8"];
    let ended = Command::new(&bench).arg("--server").arg(&server).args(load).output().expect("it starts");
    let (told, said) = (String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    assert!(ended.status.success(), "{said}");
    assert!(told.contains("none lost, none twice"), "{told}{said}");
}
