//! The program in a terminal, with somebody who types.

// Every test file uses a part of it.
#![allow(dead_code)]

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

pub struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<String>,
    shown: String,
    /// How much of it was waited for already, by `answers`.
    seen: usize,
}

impl Terminal {
    /// Starts the program with a terminal for input, output and errors.
    pub fn start(mut command: Command) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let open = || -> Stdio {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(name.as_c_str(), flags, Mode::empty()).expect("it opens").into()
        };
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().expect("starts");
        drop(command);
        let keys = File::from(master);
        let mut reader = keys.try_clone().expect("a second hand on it");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // Ends with an error when nobody holds the other side any more.
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keys, screen, shown: String::new(), seen: 0 }
    }

    /// Waits until this is on the screen.
    pub fn sees(&mut self, text: &str) {
        while !self.shown.contains(text) {
            match self.screen.recv_timeout(crate::common::PATIENCE) {
                Ok(more) => self.shown.push_str(&more),
                Err(_) => {
                    let _ = self.child.kill();
                    panic!("`{text}` does not come; there is: {}", self.shown);
                }
            }
        }
    }

    /// Waits until this is on the screen, after what was waited for before, and types a line.
    pub fn answers(&mut self, question: &str, line: &str) {
        self.is_asked(question);
        self.types(line);
    }

    /// As [`Terminal::answers`], where what is typed is not shown: keys that come before the terminal hides them are lost.
    pub fn answers_hidden(&mut self, question: &str, line: &str) {
        self.is_asked(question);
        let begin = Instant::now();
        while tcgetattr(&self.keys).expect("a terminal").local_modes.contains(LocalModes::ECHO) {
            assert!(begin.elapsed() < crate::common::PATIENCE, "what is typed is shown: {}", self.shown);
            std::thread::yield_now();
        }
        self.types(line);
    }

    fn is_asked(&mut self, question: &str) {
        while !self.shown[self.seen..].contains(question) {
            match self.screen.recv_timeout(crate::common::PATIENCE) {
                Ok(more) => self.shown.push_str(&more),
                Err(_) => {
                    let _ = self.child.kill();
                    panic!("`{question}` does not come; there is: {}", self.shown);
                }
            }
        }
        self.seen += self.shown[self.seen..].find(question).unwrap_or_default() + question.len();
    }

    pub fn types(&mut self, line: &str) {
        writeln!(self.keys, "{line}").expect("typed");
    }

    /// Exit code, and everything that was on the screen.
    pub fn end(mut self) -> (i32, String) {
        while let Ok(more) = self.screen.recv_timeout(crate::common::PATIENCE) {
            self.shown.push_str(&more);
        }
        let status = self.child.wait().expect("ends");
        (status.code().expect("a code"), self.shown)
    }
}
