//! The person at the terminal that this process was started in.
//!
//! Speaks to the controlling terminal, never to standard input or output: those may carry the protocol. Asks only where
//! a person sees the question: a program that starts this one and shows a screen of its own takes standard error for
//! itself, and is left alone.

use secrecy::SecretString;

/// What came of a question.
pub enum Typed {
    Text(SecretString),
    /// An empty line, the end of the input, or nothing for a long time.
    Nothing,
    NoTerminal,
}

/// Asks for something that is not shown while it is typed. Whoever drops this takes the question back.
pub async fn ask(question: &str) -> Typed {
    imp::ask(question).await
}

#[cfg(unix)]
mod imp {
    use super::Typed;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::process::getpgrp;
    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetpgrp, tcsetattr};
    use secrecy::SecretString;
    use std::fs::File;
    use std::io::{self, BufRead, BufReader, IsTerminal, Write};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    /// How long somebody may take.
    const PATIENCE: Duration = Duration::from_secs(300);
    /// How often the one who waits looks whether the question was taken back.
    const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

    /// A terminal that shows nothing of what is typed, until this is dropped.
    struct Hidden {
        terminal: File,
        before: Termios,
        over: Arc<AtomicBool>,
    }

    impl Hidden {
        fn begin(terminal: File) -> io::Result<Hidden> {
            let before = tcgetattr(&terminal)?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            hidden.local_modes.insert(LocalModes::ECHONL);
            tcsetattr(&terminal, OptionalActions::Drain, &hidden)?;
            Ok(Hidden { terminal, before, over: Arc::default() })
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            self.over.store(true, Ordering::Relaxed);
            // A terminal that is gone needs nothing.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }

    /// The controlling terminal, if a person looks at it: it shows our standard error, and we are in its foreground.
    fn terminal() -> Option<File> {
        if !io::stderr().is_terminal() {
            return None;
        }
        let terminal = File::options().read(true).write(true).open("/dev/tty").ok()?;
        (tcgetpgrp(&terminal).ok()? == getpgrp()).then_some(terminal)
    }

    pub async fn ask(question: &str) -> Typed {
        let Some(terminal) = terminal() else { return Typed::NoTerminal };
        let Ok(input) = terminal.try_clone() else { return Typed::NoTerminal };
        let Ok(mut hidden) = Hidden::begin(terminal) else { return Typed::NoTerminal };
        if hidden.terminal.write_all(format!("\r\x1b[2K{question}").as_bytes()).is_err() {
            return Typed::NoTerminal;
        }
        let over = hidden.over.clone();
        // A thread of its own, as it blocks.
        match tokio::task::spawn_blocking(move || line(input, &over)).await {
            Ok(Ok(Some(text))) => Typed::Text(text),
            _ => Typed::Nothing,
        }
    }

    fn line(input: File, over: &AtomicBool) -> io::Result<Option<SecretString>> {
        let begun = Instant::now();
        loop {
            if over.load(Ordering::Relaxed) || begun.elapsed() > PATIENCE {
                return Ok(None);
            }
            match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => break,
                Err(error) => return Err(error.into()),
            }
        }
        let mut text = String::new();
        BufReader::new(input).read_line(&mut text)?;
        let text = SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned());
        Ok(Some(text).filter(|text| !secrecy::ExposeSecret::expose_secret(text).trim().is_empty()))
    }
}

#[cfg(not(unix))]
mod imp {
    use super::Typed;

    /// What is typed cannot be hidden here, so nothing is asked.
    pub async fn ask(_question: &str) -> Typed {
        Typed::NoTerminal
    }
}
