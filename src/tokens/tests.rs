use super::*;
use crate::settings::Given;
use crate::tool::Tier;
use secrecy::ExposeSecret;

fn now() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

fn made(path: &Path, name: &str, given: Given, expires: Option<&str>) -> String {
    let bearer = Bearer::random().expect("randomness");
    let expires = expires.map(|text| text.parse().expect("a time"));
    let entry = Entry {
        name: name.to_owned(),
        id: bearer.id().to_owned(),
        hash: bearer.hash(),
        created: now(),
        expires,
        given,
    };
    add(path, &entry).expect("added");
    bearer.text().expose_secret().to_owned()
}

fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("inside").join("tokens.toml");
    (folder, path)
}

#[test]
fn a_token_opens_until_it_is_revoked_or_expires() {
    let (_folder, path) = place();
    let tokens = Tokens::at(path.clone());
    assert_eq!(tokens.count(), Some(0));
    let given = Given { tier: Some("operate".to_owned()), deny: vec!["stop_guest".to_owned()], ..Given::default() };
    let text = made(&path, "alice", given, Some("2026-11-21T12:00:01Z"));
    let caller = tokens.admit(&text, now()).expect("admitted");
    assert_eq!((caller.name.as_str(), caller.limits.tier), ("alice", Tier::Operate));
    assert_eq!(caller.limits.deny, ["stop_guest"]);
    let other = made(&path, "bob", Given::default(), None);
    assert_eq!(tokens.admit(&other, now()).expect("admitted").limits.tier, Tier::Read);
    assert!(Arc::ptr_eq(&caller, &tokens.admit(&text, now()).expect("admitted")), "the same as long as it is the same");
    let later = "2026-11-21T12:00:01Z".parse().expect("a time");
    assert_eq!(tokens.admit(&text, later), Err(NotAdmitted::Expired));
    revoke(&path, "alice").expect("revoked");
    assert_eq!(tokens.admit(&text, now()), Err(NotAdmitted::Unknown));
    assert!(tokens.admit(&other, later).is_ok());
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(tokens.admit(&other, now()), Err(NotAdmitted::Unknown));
}

#[test]
fn nothing_but_the_whole_token_opens() {
    let (_folder, path) = place();
    let text = made(&path, "alice", Given::default(), None);
    let tokens = Tokens::at(path.clone());
    let kept = std::fs::read_to_string(&path).expect("readable");
    let (_, secret) = text.trim_start_matches(PREFIX).split_once('_').expect("two parts");
    assert!(!kept.contains(secret));
    let hash =
        kept.lines().find_map(|line| line.strip_prefix("sha256 = ")).expect("a hash").trim_matches('"').to_owned();
    let flipped = format!("{}{}", &text[..text.len() - 2], if text.ends_with("AA") { "BB" } else { "AA" });
    let cut = &text[..text.len() - 1];
    for wrong in
        ["", PREFIX, "pmcp_aaaaaaaaaa_", &text.to_uppercase(), &flipped, cut, &format!("{text}x"), secret, &hash]
    {
        assert_eq!(tokens.admit(wrong, now()), Err(NotAdmitted::Unknown), "{wrong}");
    }
    assert!(tokens.admit(&text, now()).is_ok());
}

#[test]
fn a_broken_file_lets_nobody_in_and_a_broken_entry_lets_the_others_in() {
    let (_folder, path) = place();
    let text = made(&path, "alice", Given::default(), None);
    let other = made(&path, "bob", Given::default(), None);
    let tokens = Tokens::at(path.clone());
    let whole = std::fs::read_to_string(&path).expect("readable");
    let write = |text: &str| std::fs::write(&path, text).expect("written");
    for broken in [&whole[..whole.len() / 2], "token = 3", "tokens = []", "[[token]"] {
        write(broken);
        assert_eq!(tokens.admit(&text, now()), Err(NotAdmitted::Unreadable), "{broken}");
        assert_eq!(tokens.count(), None);
        assert!(matches!(revoke(&path, "alice"), Err(NotChanged::File(..))), "what cannot be read is not overwritten");
    }
    // The first entry is alice's.
    for (good, bad) in [
        ("tier = \"read\"", "tier = \"reed\""),
        ("tier = \"read\"", "deni = [\"stop_guest\"]"),
        ("tier = \"read\"", "deny_nodes = \"pve1\""),
        ("tier = \"read\"", "allow_guests = [\"1-5\"]"),
        ("created = ", "created = \"yesterday\" #"),
        ("sha256 = \"", "sha256 = \"x"),
    ] {
        write(&whole.replacen(good, bad, 1));
        assert_eq!(tokens.admit(&text, now()), Err(NotAdmitted::Unknown), "{bad}");
        assert!(tokens.admit(&other, now()).is_ok(), "{bad}");
    }
    write(&whole);
    assert!(tokens.admit(&text, now()).is_ok());
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = place();
    let text = made(&path, "alice", Given::default(), None);
    let mode = |path: &Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    let tokens = Tokens::at(path.clone());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).expect("set");
    assert_eq!(tokens.admit(&text, now()), Err(NotAdmitted::Unreadable));
}

#[test]
fn names_are_taken_once_and_a_near_one_is_named() {
    let (_folder, path) = place();
    made(&path, "alice", Given::default(), None);
    let bearer = Bearer::random().expect("randomness");
    let (id, hash) = (bearer.id().to_owned(), bearer.hash());
    let again = Entry { name: "alice".to_owned(), id, hash, created: now(), expires: None, given: Given::default() };
    assert!(matches!(add(&path, &again), Err(NotChanged::Taken(name)) if name == "alice"));
    assert!(revoke(&path, "alic").expect_err("none").to_string().contains("did you mean `alice`?"));
    for bad in ["", "a b", "a\nb", &"x".repeat(65)] {
        assert!(Entry::check_name(bad).is_err(), "{bad:?}");
    }
}
