//! What may stand in the file, and what is said of what may not.

use super::{TWO, parsed};
use crate::common::run;
use proxmox_mcp::settings::file::{Raw, write_cluster};
use std::fs;
use tempfile::tempdir;

fn wrong(text: &str) -> String {
    parsed(text).expect_err("a mistake")
}

#[test]
fn tables_and_values_are_read_with_their_lines() {
    let file = parsed(TWO).expect("good");
    let names: Vec<(&str, usize)> = file.clusters.iter().map(|table| (table.name.as_str(), table.line)).collect();
    assert_eq!(names, [("home", 8), ("lab", 15)]);
    let value = |cluster: usize, key: &str| {
        let entry = file.clusters[cluster].entries.iter().find(|entry| entry.setting.key == key).expect(key);
        (entry.raw.clone(), entry.line)
    };
    assert_eq!(value(0, "host"), (Raw::Text("pve1.example.org,pve2.example.org:8007".to_owned()), 9));
    assert_eq!(value(0, "token_value_file").0, Raw::Text("/etc/secrets/home".to_owned()));
    assert_eq!(value(0, "allow_guests").0, Raw::List(vec!["100-199".to_owned(), "300".to_owned()]));
    assert_eq!(value(1, "token_value_command").0, Raw::Text("pass show 'the lab'".to_owned()));
    assert_eq!(value(1, "deny").0, Raw::List(Vec::new()));
    assert_eq!(value(1, "insecure").0, Raw::Text("true".to_owned()));
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_near_one() {
    let text = wrong("\n[clusters.home]\nhost = \"a\"\nteir = \"read\"\n");
    assert!(text.contains("/etc/config.toml, line 4, [clusters.home]"), "{text}");
    assert!(text.contains("`teir`") && text.contains("Did you mean `tier`?"), "{text}");
    for (given, meant) in [("allow-nodes = []", "`allow_nodes`"), ("[cluster.home]\nhost = \"a\"", "[clusters.NAME]")] {
        assert!(wrong(given).contains(meant), "{}", wrong(given));
    }
    assert!(wrong("[clusters.home.fences]\nallow_nodes = []").contains("side by side"));
    assert!(wrong("config = \"/a\"").contains("no setting `config`"));
}

#[test]
fn a_wrong_type_is_told_with_what_would_be_right() {
    for (given, right) in [
        ("timeout = \"30\"", "without quotes: timeout = 30000"),
        ("insecure = \"yes\"", "insecure = true"),
        ("tier = 1", "tier = \"read\""),
        ("deny = true", "deny = [\"…\", \"…\"]"),
        ("host = 1.5", "give text in quotes, or a list"),
        ("deny = [[1]]", "holds something that is no text"),
        ("audit = 2026-01-01", "is a time"),
    ] {
        let text = wrong(&format!("# a comment\n{given}\n"));
        assert!(text.starts_with("/etc/config.toml, line 2: ") && text.contains(right), "{text}");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let text = wrong("teir = \"x\"\ntimeout = \"a\"\n[clusters.a]\nconfirm = \"ask\"\nuser = 1\n");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    for (line, number) in lines.iter().zip([1, 2, 4, 5]) {
        assert!(line.contains(&format!("line {number}")), "{line}");
    }
}

#[test]
fn a_plain_secret_is_refused_and_not_repeated() {
    for key in ["token_value", "password", "totp_seed"] {
        let text = wrong(&format!("[clusters.a]\n{key} = \"s3cret-of-mine\"\n"));
        let ways = [format!("{key}_file"), format!("{key}_command"), format!("{key}_keyring"), "PROXMOX_".to_owned()];
        assert!(ways.iter().all(|way| text.contains(way.as_str())), "{text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
    // A text that does not end is shown by many programs.
    let text = wrong("[clusters.a]\ntoken_value = \"s3cret-of-mine\nuser = \"a\"\n");
    assert!(text.contains("line 2") && text.contains("no TOML") && !text.contains("s3cret"), "{text}");
}

#[test]
fn what_holds_for_all_stands_at_the_top() {
    for key in [
        "confirm = \"ask\"",
        "dialect = \"x\"",
        "budget = 2000",
        "log_level = \"info\"",
        "audit = \"a\"",
        "default_cluster = \"a\"",
    ] {
        let text = wrong(&format!("[clusters.a]\n{key}\n"));
        assert!(text.contains("belongs to the top level") && text.contains("[clusters.a]"), "{text}");
    }
}

#[test]
fn names_of_clusters_are_plain_and_apart() {
    assert!(wrong("[clusters.\"a b\"]\n").contains("letters, digits"));
    assert!(wrong("[clusters.-a]\n").contains("begins with"));
    assert!(wrong("[clusters.Home]\n[clusters.home]\n").contains("already, on line 1"));
    assert!(wrong("[clusters]\nhost = \"a\"\n").contains("stands where a cluster's name belongs"));
    assert!(wrong("default_cluster = \"hoem\"\n[clusters.home]\n").contains("Did you mean `home`?"));
    assert!(wrong("default_cluster = \"home\"\n").contains("no [clusters.NAME]"));
    assert!(wrong("clusters = 1").contains("table of tables"));
}

#[test]
fn a_file_that_was_named_has_to_be_there() {
    let folder = tempdir().expect("a folder");
    let missing = folder.path().join("missing.toml");
    for (path, says) in [(missing.as_path(), "missing.toml cannot be read"), (folder.path(), "it is a folder")] {
        let output = run(&["--config", path.to_str().expect("text"), "tools"], &[]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn the_users_own_file_is_found_and_can_be_left_out() {
    let home = tempdir().expect("a folder");
    let folder = home.path().join(".config/proxmox-mcp");
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("config.toml"), "tier = \"operate\"\n").expect("written");
    let tier = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = run(arguments, variables);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let all: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        all["listed"].as_bool()
    };
    let at = home.path().to_str().expect("text");
    let xdg = home.path().join(".config");
    let xdg = xdg.to_str().expect("text");
    let tool = ["tools", "start_guest", "--json"];
    assert_eq!(tier(&tool, &[("HOME", at)]), Some(true));
    assert_eq!(tier(&tool, &[("XDG_CONFIG_HOME", xdg)]), Some(true));
    assert_eq!(tier(&tool, &[("HOME", at), ("XDG_CONFIG_HOME", "/nowhere")]), Some(false));
    assert_eq!(tier(&tool, &[("HOME", at), ("PROXMOX_CONFIG", "none")]), Some(false));
    assert_eq!(tier(&["tools", "start_guest", "--json", "--config", "none"], &[("HOME", at)]), Some(false));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_is_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, "tier = \"read\"\n").expect("written");
    let said = |mode: u32| {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        let file = proxmox_mcp::settings::file::find(path.to_str(), &|_| None).expect("good").expect("there");
        file.notices.into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(0o644), "");
    let text = said(0o664);
    assert!(text.contains("mode 664") && text.contains("chmod 600"), "{text}");
}

fn table(text: &str) -> toml_edit::Table {
    text.parse::<toml_edit::DocumentMut>().expect("TOML").as_table().clone()
}

#[test]
fn a_cluster_is_written_and_everything_else_stays() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("below/config.toml");
    write_cluster(&path, "home", &table("host = \"pve1\"\ntier = \"read\"\n"), &[]).expect("made");
    assert_eq!(fs::read_to_string(&path).expect("there"), "[clusters.home]\nhost = \"pve1\"\ntier = \"read\"\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
    let mine = "# mine\ntier = \"read\" # careful\n\n[clusters.home] # the old one\nhost = \"pve1\" # the first\nuser = \"a@pam\"\nwait = 5 # mine\n\n# the other\n[clusters.lab]\nhost = \"lab\"\n";
    fs::write(&path, mine).expect("written");
    write_cluster(&path, "home", &table("host = \"pve2\"\ntoken_name = \"a@pam!b\"\n"), &["user", "port"])
        .expect("changed");
    write_cluster(&path, "new", &table("host = \"pve3\"\n"), &["user"]).expect("added");
    let text = fs::read_to_string(&path).expect("there");
    let expected = "# mine\ntier = \"read\" # careful\n\n[clusters.home] # the old one\nhost = \"pve2\" # the first\nwait = 5 # mine\ntoken_name = \"a@pam!b\"\n\n# the other\n[clusters.lab]\nhost = \"lab\"\n\n[clusters.new]\nhost = \"pve3\"\n";
    assert_eq!(text, expected);
    let left: Vec<_> = fs::read_dir(path.parent().expect("below")).expect("there").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_file_with_mistakes_is_not_written() {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, "teir = 1\n").expect("written");
    let error = write_cluster(&path, "home", &table("host = \"pve1\"\n"), &[]).expect_err("a mistake").to_string();
    assert!(error.contains("line 1") && error.contains("`teir`"), "{error}");
    fs::write(&path, "tier = \"read\"\n").expect("written");
    let error =
        write_cluster(&path, "home", &table("token_value = \"s3cret\"\n"), &[]).expect_err("a secret").to_string();
    assert!(error.contains("may not stand") && !error.contains("s3cret"), "{error}");
    assert_eq!(fs::read_to_string(&path).expect("there"), "tier = \"read\"\n");
}
