//! Keeps the processors from falling asleep between two messages.
//!
//! A call wakes four processes one after the other. On a virtual machine that does nothing else each of them first waits
//! for its processor, which takes longer than what is measured. So each processor gets a loop that runs only when it would
//! be idle, and gives way to everybody at once. Floors are measured in the same way.

use std::io;
use std::process::{Child, Command};

/// The loops, which end with this value.
pub struct Awake(Vec<Child>);

impl Awake {
    /// # Errors
    /// There is no program `chrt`, or this one cannot be started again.
    pub fn keep() -> io::Result<Awake> {
        let processors = std::thread::available_parallelism()?.get();
        let mut awake = Awake(Vec::new());
        for _ in 0..processors {
            awake.0.push(Command::new("chrt").args(["--idle", "0"]).arg(std::env::current_exe()?).arg("spin").spawn()?);
        }
        Ok(awake)
    }
}

impl Drop for Awake {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Does nothing, and never ends.
pub fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}
