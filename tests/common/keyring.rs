//! A keyring of the test's own: a program `secret-tool` with the command line of the real one, that keeps files.

// Every test file uses a part of it.
#![allow(dead_code)]

use std::path::PathBuf;
use std::process::Command;

/// As the real one behaves: nothing found is exit code 1 without a word, and so is looking into a locked one when nobody
/// can be asked.
const SCRIPT: &str = r#"#!/bin/sh
PATH=/usr/bin:/bin
echo "$*" >> "$0.said"
what=$1; shift
if [ "$what" = store ]; then
    case $1 in --label=*) shift ;; *) exit 2 ;; esac
fi
[ "$1" = -- ] && shift
[ $# = 4 ] && [ "$1" = service ] && [ "$3" = username ] || { echo "usage: secret-tool" >&2; exit 2; }
entry="$0.$(printf %s "$2 $4" | tr / _)"
case $what in
    store)
        [ -e "$0.locked" ] && { echo "secret-tool: Cannot create an item in a locked collection" >&2; exit 1; }
        cat > "$entry" ;;
    lookup)
        [ -e "$0.away" ] && { echo "secret-tool: Cannot autolaunch D-Bus without X11 \$DISPLAY" >&2; exit 1; }
        [ -e "$0.locked" ] && exit 1
        [ -e "$entry" ] && cat "$entry" || exit 1 ;;
    *) exit 2 ;;
esac
"#;

pub struct Keyring {
    folder: tempfile::TempDir,
}

impl Keyring {
    pub fn new() -> Keyring {
        let keyring = Keyring::none();
        // By another process: while this one has a program open to write it, a test beside this one may start a child
        // that has it open, too, and then nobody can run it.
        let write = ["-c", "printf %s \"$1\" > \"$0\" && chmod 700 \"$0\""];
        let written = Command::new("/bin/sh").args(write).arg(keyring.at("")).arg(SCRIPT).status();
        assert!(written.expect("a shell").success());
        keyring
    }

    /// A `PATH` in which there is no such program.
    pub fn none() -> Keyring {
        Keyring { folder: tempfile::tempdir().expect("a folder") }
    }

    /// What `PATH` has to be.
    pub fn path(&self) -> String {
        self.folder.path().display().to_string()
    }

    /// Everything is locked from now on, and nobody can unlock it.
    pub fn lock(&self) {
        std::fs::write(self.at(".locked"), "").expect("written");
    }

    /// There is no session that has a keyring.
    pub fn go_away(&self) {
        std::fs::write(self.at(".away"), "").expect("written");
    }

    pub fn keep(&self, service: &str, account: &str, secret: &str) {
        std::fs::write(self.entry(service, account), secret).expect("written");
    }

    pub fn kept(&self, service: &str, account: &str) -> Option<String> {
        std::fs::read_to_string(self.entry(service, account)).ok()
    }

    /// Every command line that it was called with.
    pub fn said(&self) -> String {
        std::fs::read_to_string(self.at(".said")).unwrap_or_default()
    }

    fn entry(&self, service: &str, account: &str) -> PathBuf {
        self.at(&format!(".{}", format!("{service} {account}").replace('/', "_")))
    }

    fn at(&self, suffix: &str) -> PathBuf {
        self.folder.path().join(format!("secret-tool{suffix}"))
    }
}
