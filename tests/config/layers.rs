//! Which of several values holds, and what is said of one that is wrong.

use super::{TWO, parsed};
use proxmox_mcp::settings::layers::{Layers, Source};
use proxmox_mcp::settings::table::{Field, Kind, TABLE};
use proxmox_mcp::settings::{Confirm, Flags, Loaded, Settings};
use proxmox_mcp::tool::Tier;
use std::time::Duration;

/// Everything, from a file, variables, and what a test changes in the flags. The flags that are named were typed.
fn loaded(
    text: &str,
    variables: &[(&str, &str)],
    typed: &[&'static str],
    change: impl FnOnce(&mut Flags),
) -> Result<Loaded, String> {
    let mut flags = Flags { typed: typed.to_vec(), ..Flags::default() };
    change(&mut flags);
    let environment = |name: &str| variables.iter().find(|(one, _)| *one == name).map(|(_, value)| (*value).to_owned());
    let file = parsed(text)?;
    Layers::with(&flags, &environment, Some(file)).load().map_err(|error| error.to_string())
}

/// As [`loaded`], with one cluster whose secret is in the environment.
fn one(text: &str, change: impl FnOnce(&mut Flags)) -> Result<Settings, String> {
    loaded(text, &[("PROXMOX_TOKEN_VALUE", "s3cret")], &[], change).map(|mut loaded| {
        assert_eq!(loaded.clusters.len(), 1);
        loaded.clusters.remove(0)
    })
}

const ONE: &str = "host = \"pve1\"\ntoken_name = \"mcp@pve!ci\"\n";

#[test]
fn the_order_is_flag_or_variable_then_cluster_then_top_then_default() {
    let text = "timeout = 1000\n[clusters.a]\nhost = \"pve1\"\ntoken_name = \"mcp@pve!ci\"\ntimeout = 2000\n";
    let timeout = |text: &str, flag: Option<&str>| {
        one(text, |flags| flags.timeout = flag.map(str::to_owned)).map(|one| one.timeout)
    };
    let ms = |count| Ok(Duration::from_millis(count));
    assert_eq!(timeout(text, Some("3000")), ms(3000));
    assert_eq!(timeout(text, Some("")), ms(2000));
    assert_eq!(timeout(&text.replace("timeout = 2000\n", ""), None), ms(1000));
    assert_eq!(timeout(&text.replace("timeout = 2000\n", "").replace("timeout = 1000\n", ""), None), ms(30_000));
}

#[test]
fn each_value_has_its_source() {
    let variables = |_: &str| None;
    let flags =
        Flags { typed: vec!["tier"], tier: Some("read".to_owned()), wait: Some("7".to_owned()), ..Flags::default() };
    let layers = Layers::with(&flags, &variables, Some(parsed(TWO).expect("good")));
    let clusters = layers.clusters().expect("two");
    let source = |cluster: usize, key: &str| clusters[cluster].get(key).map(|value| value.source.clone());
    assert_eq!(source(0, "tier"), Some(Source::Flag));
    assert_eq!(source(0, "wait"), Some(Source::Variable));
    assert_eq!(source(1, "description"), Some(Source::Cluster("lab".to_owned(), 16)));
    assert_eq!(source(0, "confirm"), Some(Source::Top(4)));
    assert_eq!(source(0, "retry_delay"), None);
}

#[test]
fn each_cluster_has_its_own_settings() {
    let TwoSettings { home, lab } = two(TWO);
    assert_eq!((home.name.as_str(), lab.name.as_str()), ("home", "lab"));
    assert_eq!(home.endpoints.len(), 2);
    assert_eq!((home.tier, lab.tier), (Tier::Operate, Tier::Admin));
    assert_eq!((home.confirm, lab.confirm), (Confirm::Seal, Confirm::Seal));
    assert_eq!((home.deny.len(), lab.deny.len()), (1, 0));
    assert_eq!(lab.description.as_deref(), Some("for tests"));
    assert!(home.among_several && lab.among_several);
    assert_eq!(home.fences_shown(), "--allow-guests 100-199,300");
    // What is wrong with one is said of it, under the name it has there.
    assert!(lab.notices.iter().any(|(_, text)| text.contains("`insecure` is on")), "{:?}", lab.notices);
    assert!(!home.notices.iter().any(|(_, text)| text.contains("insecure")), "{:?}", home.notices);
}

struct TwoSettings {
    home: Settings,
    lab: Settings,
}

fn two(text: &str) -> TwoSettings {
    let mut loaded = loaded(text, &[], &[], |_| {}).expect("good");
    assert_eq!(loaded.default.as_deref(), Some("home"));
    let (lab, home) = (loaded.clusters.pop().expect("two"), loaded.clusters.pop().expect("two"));
    TwoSettings { home, lab }
}

#[test]
fn clusters_are_chosen_by_name() {
    let names = |given: &[&str]| {
        loaded(TWO, &[], &[], |flags| flags.cluster = given.iter().map(|name| (*name).to_owned()).collect())
            .map(|loaded| (loaded.clusters.iter().map(|one| one.name.clone()).collect::<Vec<_>>(), loaded.default))
    };
    let home = || "home".to_owned();
    assert_eq!(names(&[]), Ok((vec![home(), "lab".to_owned()], Some(home()))));
    assert_eq!(names(&["LAB"]), Ok((vec!["lab".to_owned()], None)));
    let text = names(&["lap"]).expect_err("no such cluster");
    assert!(text.contains("PROXMOX_CLUSTER (--cluster) is `lap`") && text.contains("Did you mean `lab`?"), "{text}");
}

#[test]
fn a_host_outside_the_file_makes_a_cluster_of_its_own() {
    let variables = [("PROXMOX_TOKEN_VALUE", "s3cret")];
    let loaded = loaded(TWO, &variables, &[], |flags| {
        flags.host = Some("other".to_owned());
        flags.token_name = Some("a@pve!b".to_owned());
    })
    .expect("good");
    assert_eq!(loaded.clusters.len(), 1);
    assert_eq!(loaded.clusters[0].origin(), "https://other:8006");
    assert_eq!(loaded.clusters[0].deny, ["exec_guest"], "the top level still holds");
    assert_eq!(loaded.default, None);
    assert!(loaded.notices.iter().any(|(_, text)| text.contains("(home, lab) are not used")), "{:?}", loaded.notices);
    let both = super::layers::loaded(TWO, &variables, &[], |flags| {
        flags.host = Some("other".to_owned());
        flags.cluster = vec!["lab".to_owned()];
    });
    assert!(both.is_err_and(|text| text.contains("leave one of them out")));
}

#[test]
fn a_file_without_tables_is_one_cluster() {
    let settings = one(ONE, |_| {}).expect("good");
    assert_eq!((settings.name.as_str(), settings.among_several), ("pve1", false));
}

#[test]
fn a_secret_of_the_environment_is_not_shown_to_several_clusters() {
    let text = loaded(TWO, &[("PROXMOX_TOKEN_VALUE", "s3cret")], &[], |_| {}).expect_err("two clusters");
    assert!(text.contains("home, lab") && text.contains("token_value_file") && !text.contains("s3cret"), "{text}");
    let place = loaded(TWO, &[("PROXMOX_TOKEN_VALUE_FILE", "/run/secret")], &[], |_| {}).expect_err("two clusters");
    assert!(place.contains("PROXMOX_TOKEN_VALUE_FILE is set") && place.contains(": token_value_file, "), "{place}");
    let chosen = loaded(TWO, &[("PROXMOX_TOKEN_VALUE", "s3cret")], &[], |flags| flags.cluster = vec!["lab".to_owned()]);
    let chosen = chosen.expect("one cluster").clusters.remove(0);
    assert!(chosen.auth.known_secrets().eq(["s3cret".to_owned()]), "the variable wins over the file's command");
}

#[test]
fn a_nearer_answer_hides_what_contradicts_it() {
    let text = "ca_file = \"ca.pem\"\nport = 8007\n[clusters.a]\nhost = \"pve1:443\"\ntoken_name = \"a@pve!b\"\ninsecure = true\n";
    let settings = one(text, |_| {}).expect("no contradiction");
    assert_eq!(settings.trust, proxmox_mcp::settings::Trust::Anything);
    assert_eq!(settings.origin(), "https://pve1:443");
    let text = "host = \"pve1\"\ntoken_name = \"a@pve!b\"\nca_file = \"ca.pem\"\ninsecure = true\n";
    let text = one(text, |_| {}).expect_err("both in one place");
    assert!(text.contains("`ca_file`") && text.contains("`insecure`") && text.contains("exclude each other"), "{text}");
}

#[test]
fn a_wrong_value_is_told_with_its_place_and_all_at_once() {
    let text = "wait = 100000\n[clusters.a]\nhost = \"pve1\"\ntoken_name = \"a@pve!b\"\ntier = \"admn\"\nallow_guests = [\"5\", \"100\", \"9\"]\nport = 99999\n";
    let told = one(text, |flags| flags.toolsets = vec!["fierwall".to_owned()]).expect_err("five mistakes");
    for part in [
        "/etc/config.toml, line 5, [clusters.a]: `tier` is `admn`",
        "Did you mean `admin`?",
        "/etc/config.toml, line 6, [clusters.a]: `allow_guests` is `5`",
        "/etc/config.toml, line 6, [clusters.a]: `allow_guests` is `9`",
        "/etc/config.toml, line 7, [clusters.a]: `port` is `99999`",
        "/etc/config.toml, line 1: `wait` is `100000`",
        "PROXMOX_TOOLSETS (--toolsets) is `fierwall`",
    ] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert_eq!(told.lines().count(), 6, "{told}");
}

#[test]
fn what_is_missing_is_told_with_the_cluster() {
    let text = loaded("[clusters.a]\ntoken_name = \"a@pve!b\"\n[clusters.b]\nhost = \"pve1\"\n", &[], &[], |_| {});
    let text = text.expect_err("incomplete");
    assert!(text.contains("line 1, [clusters.a]: `host` is missing"), "{text}");
    assert!(text.contains("line 3, [clusters.b]: `token_name` is missing"), "{text}");
    let text =
        loaded("[clusters.a]\nhost = \"pve1\"\ntoken_name = \"a@pve!b\"\n", &[], &[], |_| {}).expect_err("no secret");
    assert!(text.contains("token_value_file, token_value_command or token_value_keyring"), "{text}");
}

#[test]
fn every_flag_stands_in_the_table_and_reads_its_own_field() {
    let mut flags = Flags::default();
    let (mut keys, mut fields) = (Vec::new(), Vec::new());
    for setting in TABLE {
        assert!(!keys.contains(&setting.key), "{} stands twice", setting.key);
        keys.push(setting.key);
        if !setting.flag.is_empty() {
            assert_eq!(setting.flag, format!("--{}", setting.key.replace('_', "-")));
        }
        let address = match setting.field {
            Field::One(field) => std::ptr::from_mut(field(&mut flags)).addr(),
            Field::Many(field) => std::ptr::from_mut(field(&mut flags)).addr(),
            Field::Variable | Field::Key => continue,
        };
        assert!(!fields.contains(&address), "{} reads the field of another one", setting.key);
        fields.push(address);
        if let Kind::Choice(words) = setting.kind {
            assert!(words.contains(&setting.default), "{}", setting.key);
        }
    }
    let command = <Flags as clap::Args>::augment_args(clap::Command::new("x"));
    for argument in command.get_arguments() {
        let (id, variable) = (argument.get_id().as_str(), argument.get_env().and_then(|name| name.to_str()));
        let setting = TABLE.iter().find(|one| one.key == id).unwrap_or_else(|| panic!("`{id}` is not in the table"));
        assert_eq!(setting.flag, format!("--{}", argument.get_long().unwrap_or_default()));
        assert_eq!(setting.variable, variable.unwrap_or_default(), "{id}");
    }
}
