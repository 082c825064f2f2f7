//! The binary: everything it does is in the library, where tests can reach it.

use std::process::ExitCode;

fn main() -> ExitCode {
    proxmox_mcp::cli::main()
}
