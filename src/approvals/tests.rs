//! Calls that wait, in a folder of their own.

use super::*;
use std::fs;
use std::path::PathBuf;

fn place(name: &str) -> (PathBuf, Approvals) {
    let folder = std::env::temp_dir().join(format!("proxmox-mcp-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    let approvals = Approvals::below(&folder);
    (folder, approvals)
}

const WORDS: [String; 0] = [];

fn draft<'a>(call: &'a str, state: &'a str, person: bool) -> Draft<'a> {
    let (call, state) = (call.as_bytes(), state.as_bytes());
    Draft {
        title: "delete_guest",
        caller: None,
        plan: "deletes 104\nand its disks",
        words: &WORDS,
        person,
        call,
        state,
        end: 1_000,
    }
}

#[test]
fn an_approved_call_is_taken_once() {
    let (folder, approvals) = place("once");
    let one = approvals.put(&draft("delete 104", "stopped", true), 1).expect("a folder");
    let take =
        |code: &str, call: &str, state: &str, now| approvals.take(code, call.as_bytes(), state.as_bytes(), false, now);
    assert_eq!(take(&one.code, "delete 104", "stopped", 400), Err(NotTaken::Pending(600)));
    let found = approvals.find(&one.code.to_lowercase(), 1).expect("a folder").expect("it waits");
    assert_eq!((found.plan.as_str(), found.approved), ("deletes 104\nand its disks", false));
    assert!(approvals.approve(&found).expect("a folder"));
    assert_eq!(take(&one.code, "delete 105", "stopped", 1), Err(NotTaken::OtherCall));
    assert_eq!(take(&one.code, "delete 104", "running", 1), Err(NotTaken::Moved));
    assert!(take(&one.code, "delete 104", "stopped", 1).is_ok());
    assert_eq!(take(&one.code, "delete 104", "stopped", 1), Err(NotTaken::Unknown));
    assert!(!approvals.approve(&found).expect("a folder"), "a second terminal brings it back");
    let left: Vec<_> = fs::read_dir(folder.join("approvals")).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn one_caller_leaves_room_for_the_others() {
    let (folder, approvals) = place("callers");
    let put = |caller: &str, call: usize| {
        let call = call.to_string();
        approvals.put(&Draft { caller: Some(caller), ..draft(&call, "stopped", true) }, 1)
    };
    for call in 0..MOST_EACH {
        assert!(put("alice", call).is_ok());
    }
    let says = put("alice", MOST_EACH).expect_err("too many").to_string();
    assert!(says.contains("16 calls of this caller wait"), "{says}");
    assert!(put("alice", 0).is_ok(), "the same call has its code");
    assert!(put("bob", 0).is_ok() && approvals.put(&draft("x", "stopped", true), 1).is_ok());
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn of_several_takers_one_takes() {
    let (folder, approvals) = place("several");
    let one = approvals.put(&draft("delete 104", "stopped", false), 1).expect("a folder");
    let taken = std::thread::scope(|scope| {
        let take = || approvals.take(&one.code, b"delete 104", b"stopped", true, 1).is_ok();
        let takers: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
        takers.into_iter().filter_map(|taker| taker.join().ok()).filter(|taken| *taken).count()
    });
    assert_eq!(taken, 1);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn the_same_call_has_one_code_and_another_state_another() {
    let (folder, approvals) = place("same");
    let one = approvals.put(&draft("delete 104", "stopped", true), 1).expect("a folder");
    assert_eq!(approvals.put(&draft("delete 104", "stopped", true), 2).expect("a folder").code, one.code);
    let other = approvals.put(&draft("delete 104", "running", true), 3).expect("a folder");
    assert_ne!(other.code, one.code);
    assert_eq!(approvals.list(999).expect("a folder").len(), 2);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn what_has_expired_is_removed() {
    let (folder, approvals) = place("expired");
    let one = approvals.put(&draft("delete 104", "stopped", false), 1).expect("a folder");
    assert_eq!(approvals.take(&one.code, b"delete 104", b"stopped", true, 1_000), Err(NotTaken::Unknown));
    assert_eq!(approvals.list(1).expect("a folder"), []);
    let _ = fs::remove_dir_all(folder);
}

#[test]
fn a_folder_that_is_not_there_holds_nothing() {
    let (folder, approvals) = place("none");
    assert_eq!(approvals.list(1).expect("no trouble"), []);
    assert!(!folder.exists(), "looking makes nothing");
}

#[test]
fn what_was_not_written_here_is_no_call() {
    let (folder, approvals) = place("strange");
    let one = approvals.put(&draft("delete 104", "stopped", true), 1).expect("a folder");
    let inside = folder.join("approvals");
    fs::write(inside.join("AAAA-AAAA.json"), "{\"half\": ").expect("written");
    fs::write(inside.join("notes.txt"), "mine").expect("written");
    fs::write(inside.join("..-.json"), "{}").expect("written");
    let codes: Vec<String> = approvals.list(1).expect("a folder").into_iter().map(|one| one.code).collect();
    assert_eq!(codes, [one.code]);
    assert!(!inside.join("AAAA-AAAA.json").exists() && inside.join("notes.txt").exists());
    let _ = fs::remove_dir_all(folder);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_look_or_write() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, approvals) = place("closed");
    let inside = folder.join("approvals");
    fs::create_dir_all(&inside).expect("a folder");
    fs::set_permissions(&inside, fs::Permissions::from_mode(0o755)).expect("its owner may");
    let one = approvals.put(&draft("delete 104", "stopped", true), 1).expect("a folder");
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&inside), 0o700);
    assert_eq!(mode(&inside.join(format!("{}.json", one.code))), 0o600);
    let _ = fs::remove_dir_all(folder);
}
