use super::*;

fn flags() -> Flags {
    Flags {
        host: Some("pve1".to_owned()),
        user: Some("mcp@pve".to_owned()),
        token_name: Some("ci".to_owned()),
        ..Flags::default()
    }
}

fn secret(name: &str) -> Option<String> {
    (name == "PROXMOX_TOKEN_VALUE").then(|| "s3cret".to_owned())
}

fn load(change: impl FnOnce(&mut Flags)) -> Result<Settings, String> {
    let mut flags = flags();
    change(&mut flags);
    Settings::from(&flags, &secret).map_err(|error| error.to_string())
}

#[test]
fn defaults_are_careful() {
    let settings = load(|_| {}).expect("complete");
    assert_eq!(settings.endpoints, [Endpoint { host: "pve1".to_owned(), port: 8006 }]);
    assert_eq!(settings.tier, Tier::Read);
    assert_eq!(settings.trust, Trust::System);
    assert_eq!(settings.timeout, Duration::from_secs(30));
    assert_eq!(settings.wait, Duration::from_secs(30));
    assert_eq!(settings.retries, 3);
    assert!(settings.auth.known_secrets().eq(["s3cret".to_owned()]));
    assert!(settings.notices.is_empty());
    assert!(!format!("{settings:?}").contains("s3cret"));
}

#[test]
fn hosts_in_every_form() {
    let parsed = |text: &str| {
        load(|flags| flags.host = Some(text.to_owned())).map(|settings| match settings.endpoints.as_slice() {
            [one] => (one.host.clone(), one.port, one.origin()),
            several => panic!("{several:?}"),
        })
    };
    let plain = |host: &str, port, origin: &str| Ok((host.to_owned(), port, origin.to_owned()));
    assert_eq!(parsed("pve1:443"), plain("pve1", 443, "https://pve1:443"));
    assert_eq!(parsed("https://pve1.example.org/"), plain("pve1.example.org", 8006, "https://pve1.example.org:8006"));
    assert_eq!(parsed("https://pve1:8443"), plain("pve1", 8443, "https://pve1:8443"));
    assert_eq!(parsed("[2001:db8::1]"), plain("2001:db8::1", 8006, "https://[2001:db8::1]:8006"));
    let foreign = parsed("münchen.example").expect_err("not as DNS has it");
    assert!(foreign.to_string().contains("xn--"), "{foreign}");
    assert_eq!(parsed("[2001:db8::1]:443"), plain("2001:db8::1", 443, "https://[2001:db8::1]:443"));
    assert_eq!(parsed("2001:db8::1"), plain("2001:db8::1", 8006, "https://[2001:db8::1]:8006"));
    for wrong in ["http://pve1", "pve1:port", "pve1/path", "user@pve1", "[nope]", "pve1:0", "https://"] {
        assert!(parsed(wrong).is_err_and(|text| text.starts_with("PROXMOX_HOST")), "{wrong}");
    }
}

#[test]
fn several_hosts_are_separated_by_commas() {
    let hosts = |text: &str| {
        let settings = load(|flags| flags.host = Some(text.to_owned()))?;
        Ok::<_, String>(settings.endpoints.iter().map(Endpoint::origin).collect::<Vec<_>>())
    };
    assert_eq!(hosts("pve1, pve2:443,,pve1"), Ok(vec!["https://pve1:8006".to_owned(), "https://pve2:443".to_owned()]));
    assert!(hosts("pve1,user@pve2").is_err_and(|text| text.contains("`…@pve2`")));
    assert!(hosts(",").is_err());
}

#[test]
fn two_ports_must_agree() {
    let two = |inner: &str, outer: &str| {
        load(|flags| {
            flags.host = Some(format!("pve1:{inner}"));
            flags.port = Some(outer.to_owned());
        })
    };
    assert_eq!(two("8007", "8007").map(|settings| settings.endpoints[0].port), Ok(8007));
    assert!(two("8007", "8006").is_err());
}

#[test]
fn a_missing_setting_names_its_variable() {
    let text = Settings::from(&Flags::default(), &secret).expect_err("nothing is set").to_string();
    for part in ["PROXMOX_HOST", "--host", "Example: PROXMOX_HOST=", "--sandbox"] {
        assert!(text.contains(part), "{text}");
    }
    let text = Settings::from(&flags(), &|_| None).expect_err("no secret").to_string();
    assert!(text.starts_with("PROXMOX_TOKEN_VALUE is not set"), "{text}");
    let text = load(|flags| flags.user = None).expect_err("no user");
    assert!(text.starts_with("PROXMOX_USER is not set"), "{text}");
}

#[test]
fn the_token_may_be_named_in_full() {
    let owner = |user: Option<&str>, name: Option<&str>| {
        load(|flags| {
            flags.user = user.map(str::to_owned);
            flags.token_name = name.map(str::to_owned);
        })
        .map(|settings| settings.auth.id())
    };
    let expected = Ok("mcp@pve!ci".to_owned());
    assert_eq!(owner(None, Some("mcp@pve!ci")), expected);
    assert_eq!(owner(Some("mcp@pve"), Some("mcp@pve!ci")), expected);
    assert_eq!(owner(Some("mcp@pve!ci"), None), expected);
    assert!(owner(Some("root@pam"), Some("mcp@pve!ci")).is_err());
    assert!(owner(Some("root"), Some("ci")).is_err());
}

#[test]
fn elevated_of_other_servers_is_honoured_only_without_a_tier() {
    let tier = |given: Option<&str>, elevated: &str| {
        let flags = Flags { tier: given.map(str::to_owned), ..flags() };
        let environment =
            |name: &str| if name == "PROXMOX_ALLOW_ELEVATED" { Some(elevated.to_owned()) } else { secret(name) };
        Settings::from(&flags, &environment).map(|settings| (settings.tier, settings.notices.len()))
    };
    assert_eq!(tier(None, "true"), Ok((Tier::Admin, 1)));
    assert_eq!(tier(None, "false"), Ok((Tier::Configure, 1)));
    assert_eq!(tier(Some("operate"), "true"), Ok((Tier::Operate, 0)));
    assert!(tier(None, "maybe").is_err());
}

#[test]
fn typing_errors_are_answered_with_the_near_word() {
    let text = load(|flags| flags.tier = Some("admn".to_owned())).expect_err("no such tier");
    assert!(text.contains("PROXMOX_TIER (--tier) is `admn`") && text.contains("Did you mean `admin`?"), "{text}");
    let text = load(|flags| flags.deny = vec!["no_such_tool".to_owned()]).expect_err("no such tool");
    assert!(text.contains("PROXMOX_DENY"), "{text}");
}

#[test]
fn one_way_to_trust_the_server() {
    let pin = "ab:".repeat(31) + "cd";
    let trusted = |pin: &str| load(|flags| flags.fingerprint = Some(pin.to_owned())).map(|settings| settings.trust);
    let mut expected = [0xab; 32];
    expected[31] = 0xcd;
    assert_eq!(trusted(&pin), Ok(Trust::Fingerprints(vec![expected])));
    assert_eq!(trusted(&pin.replace(':', "").to_uppercase()), Ok(Trust::Fingerprints(vec![expected])));
    assert!(trusted("abcd").is_err());
    let insecure = load(|flags| flags.insecure = Some("true".to_owned())).expect("allowed");
    assert_eq!(insecure.trust, Trust::Anything);
    assert!(insecure.notices.iter().any(|(warning, _)| *warning));
    assert_eq!(load(|flags| flags.insecure = Some("false".to_owned())).map(|s| s.trust), Ok(Trust::System));
    assert!(
        load(|flags| {
            flags.insecure = Some("true".into());
            flags.ca_file = Some("ca.pem".into())
        })
        .is_err()
    );
}

#[test]
fn the_sandbox_ignores_where_the_cluster_is() {
    let address = "127.0.0.1:4711".parse().expect("an address");
    let settings = Settings::sandbox(address, "root@pam!mcp=abc", [7; 32], &flags()).expect("complete");
    assert_eq!(settings.origin(), "https://127.0.0.1:4711");
    assert_eq!(settings.auth.id(), "root@pam!mcp");
    assert!(settings.sandbox);
}

#[test]
fn the_lowest_id_is_inside_every_fence() {
    let fence = |allow: &[&str], deny: &[&str]| {
        let list = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        load(|flags| {
            flags.fences.allow_guests = list(allow);
            flags.fences.deny_guests = list(deny);
        })
        .expect("ids")
        .fences
        .remove(0)
        .guests
    };
    assert_eq!(fence(&[], &["100-999"]).lowest(0), Some(1000));
    assert_eq!(fence(&["300-310", "200-205"], &["200", "203-400"]).lowest(0), Some(201));
    assert_eq!(fence(&["300-310", "200-205"], &["200", "203-305"]).lowest(203), Some(306));
    assert_eq!(fence(&["200-205"], &[]).lowest(206), None);
    assert_eq!(fence(&[], &["100-999999999"]).lowest(0), None);
    assert_eq!(fence(&["100-150"], &["100-150"]).lowest(0), None);
}

#[test]
fn a_wrong_value_is_repeated_on_one_line_and_without_what_a_terminal_obeys() {
    let said = load(|flags| flags.fingerprint = Some("AA:\u{0}\u{1b}[31mBB\r\nCC".to_owned())).expect_err("no pin");
    assert!(!said.contains(char::is_control), "{said:?}");
    assert!(said.contains("is `AA:[31mBB CC`: give the SHA-256 fingerprint"), "{said}");
    let said = load(|flags| flags.timeout = Some("9".repeat(5_000))).expect_err("no time");
    assert!(said.len() < 600, "{said}");
}
