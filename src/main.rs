//! The binary: everything it does is in the library, where tests can reach it.

use std::process::ExitCode;

/// musl's own allocator lets threads wait for each other.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    proxmox_mcp::cli::main()
}
