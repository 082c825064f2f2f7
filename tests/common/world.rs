//! A cluster for a binary in a process of its own, from tests that do not run on a runtime themselves.

use proxmox_sandbox::{Options, Sandbox};

/// A cluster, and the runtime that it lives in.
pub struct World {
    pub sandbox: Sandbox,
    _runtime: tokio::runtime::Runtime,
}

// Every test file uses a part of it.
#[allow(dead_code)]
impl World {
    /// A cluster whose tasks end at once.
    pub fn start() -> World {
        World::with(Options { task_time: 0.0, ..Options::default() })
    }

    pub fn with(options: Options) -> World {
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let sandbox = runtime.block_on(Sandbox::start(options)).expect("loopback is there");
        World { sandbox, _runtime: runtime }
    }
}
