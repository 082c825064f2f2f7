//! Setup with a person at a terminal who answers its questions.

use crate::cluster::{Apart, Home, has, run};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};

struct Terminal {
    child: Child,
    keys: File,
    screen: Receiver<String>,
    shown: String,
    /// What was looked at already.
    seen: usize,
}

impl Terminal {
    fn start(home: &Home, arguments: &[&str]) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&master).and_then(|()| unlockpt(&master)).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name");
        let open = || -> Stdio {
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(name.as_c_str(), flags, Mode::empty()).expect("it opens").into()
        };
        let own = home.environment();
        let environment: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
        let mut command = crate::common::binary(arguments, &environment);
        command.env("TERM", "dumb");
        let child = command.stdin(open()).stdout(open()).stderr(open()).spawn().expect("starts");
        drop(command);
        let keys = File::from(master);
        let mut reader = keys.try_clone().expect("a second hand on it");
        let (sender, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Terminal { child, keys, screen, shown: String::new(), seen: 0 }
    }

    /// Waits until this is on the screen, after what was waited for before, and types a line.
    fn answers(&mut self, question: &str, line: &str) {
        loop {
            if let Some(at) = self.shown[self.seen..].find(question) {
                self.seen += at + question.len();
                break;
            }
            match self.screen.recv_timeout(crate::common::PATIENCE) {
                Ok(more) => self.shown.push_str(&more),
                Err(_) => {
                    let _ = self.child.kill();
                    panic!("`{question}` does not come; there is: {}", self.shown);
                }
            }
        }
        writeln!(self.keys, "{line}").expect("typed");
    }

    fn end(mut self) -> (i32, String) {
        while let Ok(more) = self.screen.recv_timeout(crate::common::PATIENCE) {
            self.shown.push_str(&more);
        }
        (self.child.wait().expect("ends").code().expect("a code"), self.shown)
    }
}

#[test]
fn a_person_is_led_from_the_host_to_a_client_that_works() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let mut terminal = Terminal::start(&home, &["setup", "--client", "claude-desktop"]);
    terminal.answers("Host of the cluster", &cluster.host());
    terminal.answers("Is it the same?", "y");
    terminal.answers("at most", "operate");
    terminal.answers("Which tools are listed", "");
    terminal.answers("Who makes the user", "root@pam");
    terminal.answers("Password of root@pam", &cluster.password);
    terminal.answers("Do that?", "y");
    let (code, screen) = terminal.end();
    assert_eq!(code, 0, "{screen}");
    has(&screen, &[&cluster.fingerprint, "make the token mcp@pve!mcp", "mcpServers"]);
    assert!(!screen.contains(&cluster.password), "what is typed for a password is not shown");
    let called = run(&home, &["call", "list_guests", "--json"]);
    assert_eq!(called.code, 0, "{}", called.err);
}

#[test]
fn a_certificate_that_is_not_trusted_ends_it() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let host = cluster.host();
    let mut terminal = Terminal::start(&home, &["setup", "--host", &host, "--yes"]);
    terminal.answers("Is it the same?", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 3, "{screen}");
    assert!(!home.path(".config").exists());
}
