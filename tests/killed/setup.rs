//! `setup`: the config file is the old one or the new one, what was made on the cluster is found again, and nothing is
//! left lying about.

use crate::common::{Piped, binary, run};
use crate::world::World;
use crate::{shown, until};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// What stood in the config file before.
const OLD: &str = "# mine\n[clusters.lab]\nhost = \"lab.example.org\"\ntoken_name = \"mcp@pve!lab\"\n\
                   token_value_file = \"lab.token\"\n";

/// Somebody who sets up a cluster, again and again.
struct Home {
    world: World,
    folder: tempfile::TempDir,
}

impl Home {
    fn new() -> Home {
        let home = Home { world: World::start(), folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir_all(home.own()).expect("made");
        home.write("password", home.world.sandbox.password());
        home
    }

    fn own(&self) -> PathBuf {
        self.folder.path().join("proxmox-mcp")
    }

    fn config(&self) -> PathBuf {
        self.own().join("config.toml")
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("ours");
    }

    fn arguments(&self, more: &[&str]) -> Vec<String> {
        let host = self.world.sandbox.address().to_string();
        let password = shown(&self.folder.path().join("password")).to_owned();
        let all = ["setup", "--host", &host, "--trust-first", "--user", "root@pam", "--password-file", &password];
        let rest = ["--name", "home", "--tier", "read", "--toolsets", "core", "--yes"];
        all.iter().chain(&rest).chain(more).map(|one| (*one).to_owned()).collect()
    }

    fn environment(&self) -> [(&str, &str); 2] {
        let home = shown(self.folder.path());
        [("HOME", home), ("XDG_CONFIG_HOME", home)]
    }

    /// Runs to its end: the exit code, and what was said.
    fn setup(&self, more: &[&str]) -> (Option<i32>, String) {
        let arguments = self.arguments(more);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = run(&arguments, &self.environment());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Kills it as soon as this holds, or at its end.
    fn killed(&self, holds: impl FnMut(&Home) -> bool) {
        self.killed_with(&[], holds);
    }

    fn killed_with(&self, more: &[&str], mut holds: impl FnMut(&Home) -> bool) {
        let arguments = self.arguments(&[&["--replace-token"], more].concat());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut setup = Piped::start(&mut binary(&arguments, &self.environment()));
        until("it gets there, or ends", || holds(self) || setup.child.try_wait().expect("a process").is_some());
        let _ = setup.child.kill();
        setup.child.wait().expect("ends");
    }

    fn writes(&self) -> usize {
        self.world.sandbox.requests().iter().filter(|one| one.verb != "GET").count()
    }

    /// Old or new, and nothing between.
    fn whole(&self) {
        let text = fs::read_to_string(self.config()).expect("there is always a file");
        assert!(text.starts_with(OLD), "{text}");
        let printed = run(&["config", "show", "--config", shown(&self.config())], &[]);
        let said = String::from_utf8_lossy(&printed.stderr).into_owned();
        assert!(text == OLD || printed.status.success(), "{text}: {said}");
        if let Ok(secret) = fs::read_to_string(self.own().join("home.token")) {
            assert!(secret.len() == 37 && secret.ends_with('\n'), "half a secret: {} letters", secret.len());
        }
    }
}

#[test]
fn whenever_setup_is_killed_its_files_are_whole_and_the_next_run_goes_on() {
    for point in 0..12_usize {
        let home = Home::new();
        home.write("proxmox-mcp/config.toml", OLD);
        let before = home.writes();
        let mut seen = crate::entries(&home.own());
        let mut changes = 0;
        home.killed(|home| match point {
            // After so many requests that change the cluster.
            0..6 => home.writes() > before + point,
            // After so many changes in the folder.
            _ => {
                let now = crate::entries(&home.own());
                changes += usize::from(now != seen);
                seen = now;
                changes > point - 6
            }
        });
        home.whole();
        // Without a word about tokens: it goes on, or says which token is in the way and what to do.
        let (code, said) = home.setup(&[]);
        if code != Some(0) {
            assert!(code == Some(2) && said.contains("the token mcp@pve!mcp is there"), "{point}: {code:?} {said}");
            assert!(said.contains("--replace-token"), "{said}");
            let (code, said) = home.setup(&["--replace-token"]);
            assert_eq!(code, Some(0), "{point}: {said}");
        }
        home.whole();
        let called = run(&["--cluster", "home", "call", "get_version"], &home.environment());
        assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
    }
}

#[test]
fn what_killed_runs_left_beside_the_files_does_not_pile_up() {
    let home = Home::new();
    home.write("proxmox-mcp/config.toml", OLD);
    let mut drafts = Vec::new();
    for _ in 0..8 {
        home.killed(|home| crate::entries(&home.own()).iter().any(|(name, _)| name.ends_with(".tmp")));
        // A while later: nobody writes them any more.
        let left = crate::entries(&home.own()).into_iter().map(|(name, _)| name).filter(|name| name.ends_with(".tmp"));
        for name in left {
            let draft = fs::File::options().write(true).open(home.own().join(&name)).expect("there");
            draft.set_modified(SystemTime::now() - Duration::from_secs(2 * 3_600)).expect("ours");
            drafts.push(name);
        }
    }
    // Of another program: it is not ours to remove.
    home.write("proxmox-mcp/notes.tmp", "mine");
    let (code, said) = home.setup(&["--replace-token"]);
    assert_eq!(code, Some(0), "{said}");
    home.whole();
    let left: Vec<String> = crate::entries(&home.own()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["config.toml", "home.token", "notes.tmp"], "after {drafts:?}");
}

#[test]
fn a_secret_in_a_folder_of_its_own_leaves_no_drafts_there_either() {
    let home = Home::new();
    let folder = home.folder.path().join("secrets");
    fs::create_dir(&folder).expect("made");
    let secret = folder.join("home.token");
    let place = ["--secret-file", shown(&secret)];
    for _ in 0..8 {
        home.killed_with(&place, |_| crate::entries(&folder).iter().any(|(name, _)| name.ends_with(".tmp")));
    }
    let old = |name: &str| {
        let file = fs::File::options().create(true).truncate(false).write(true).open(folder.join(name)).expect("made");
        file.set_modified(SystemTime::now() - Duration::from_secs(2 * 3_600)).expect("ours");
    };
    // A while later: nobody writes them any more. A kill may come too late to leave one.
    old(".proxmox-mcp.0123456789abcdef.tmp");
    for (name, _) in crate::entries(&folder).iter().filter(|(name, _)| name.ends_with(".tmp")) {
        old(name);
    }
    // What has another name is somebody else's, and what is new may be in use.
    let others = [".config.0123456789abcdef.tmp", ".proxmox-mcp.notes.tmp", ".proxmox-mcp.0123456789abcdef.tmp.old"];
    others.into_iter().for_each(old);
    fs::write(folder.join(".proxmox-mcp.fedcba9876543210.tmp"), "").expect("written");
    let (code, said) = home.setup(&["--replace-token", "--secret-file", shown(&secret)]);
    assert_eq!(code, Some(0), "{said}");
    let left: Vec<String> = crate::entries(&folder).into_iter().map(|(name, _)| name).collect();
    let young = ".proxmox-mcp.fedcba9876543210.tmp";
    assert_eq!(left, [others[0], others[2], young, others[1], "home.token"].map(str::to_owned));
    let called = run(&["--cluster", "home", "call", "get_version"], &home.environment());
    assert!(called.status.success(), "{}", String::from_utf8_lossy(&called.stderr));
}
