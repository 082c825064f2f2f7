//! Setup that is run again: what somebody wrote into the config file holds, a pin is not put aside, no cluster takes the
//! place of another, and the token has what is said now and nothing of what was said before.

use crate::cluster::{Apart, Home, Ran, has, run};
#[cfg(unix)]
use crate::terminal::Terminal;

const CONFIG: &str = ".config/proxmox-mcp/config.toml";

fn setup(home: &Home, cluster: &Apart, more: &[&str]) -> Ran {
    let password = home.write("password", &format!("{}\n", cluster.password));
    let host = cluster.host();
    let usual =
        ["setup", "--host", &host, "--user", "root@pam", "--password-file", &password, "--name", "home", "--yes"];
    run(home, &[&usual[..], more].concat())
}

#[test]
fn limits_that_were_written_by_hand_hold_until_others_are_given() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &["--trust-first", "--tier", "configure", "--toolsets", "all"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let mine = "# mine\nallow_guests = [\"100-101\"]\ndeny = [\"clone_guest\"]\nwait = 5\n";
    home.write(CONFIG, &(home.text(CONFIG) + mine));
    let again = setup(&home, &cluster, &["--trust-first"]);
    assert_eq!(again.code, 0, "{}", again.err);
    has(&again.err, &["config.toml, line 1, [clusters.home] says: tier, toolsets, allow_guests, deny"]);
    // The roles are made for these limits too.
    has(&again.err, &["ProxmoxMCP-configure-guests", "/vms/100, /vms/101"]);
    let text = home.text(CONFIG);
    has(&text, &["# mine", "allow_guests = [\"100-101\"]", "deny = [\"clone_guest\"]", "wait = 5"]);
    has(&text, &["tier = \"configure\"", "toolsets = [\"all\"]"]);

    let other = setup(&home, &cluster, &["--trust-first", "--tier", "read", "--allow-guests", "102"]);
    assert_eq!(other.code, 0, "{}", other.err);
    let text = home.text(CONFIG);
    has(&text, &["tier = \"read\"", "allow_guests = [\"102\"]", "deny = [\"clone_guest\"]"]);
}

#[test]
fn a_token_for_less_has_no_more_than_that() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &["--trust-first", "--tier", "operate"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let less = setup(&home, &cluster, &["--tier", "read"]);
    assert_eq!(less.code, 0, "{}", less.err);
    has(&less.err, &["take ProxmoxMCP-operate from the token on /", "3 privileges"]);
    // Whatever this program thinks it may do: the cluster refuses.
    let started = run(&home, &["--tier", "operate", "call", "start_guest", "vmid=102"]);
    assert_eq!(started.code, 1, "{}", started.err);
    has(&started.err, &["VM.PowerMgmt"]);
    let more = setup(&home, &cluster, &["--tier", "operate"]);
    assert_eq!(more.code, 0, "{}", more.err);
    has(&more.err, &["take ProxmoxMCP-read from the token on /", "8 privileges"]);
    let same = setup(&home, &cluster, &[]);
    assert_eq!(same.code, 0, "{}", same.err);
    assert!(!same.err.contains("take "), "{}", same.err);
}

#[test]
fn another_certificate_is_not_the_first_one() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &["--trust-first", "--tier", "read"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let config = home.text(CONFIG);
    let old = "AB:".repeat(31) + "AB";
    home.write(CONFIG, &config.replace(&cluster.fingerprint, &old));
    let changed = setup(&home, &cluster, &["--trust-first"]);
    assert_eq!(changed.code, 4, "{}", changed.err);
    has(&changed.err, &[&old, &cluster.fingerprint, "config.toml", "Nothing was sent", "pvenode cert info"]);
    has(&home.text(CONFIG), &[&old]);
    // A word about this very certificate is one.
    let fingerprint = cluster.fingerprint.clone();
    let said = setup(&home, &cluster, &["--fingerprint", &fingerprint]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(home.text(CONFIG), config);
    // The pinned one is not asked about again.
    let same = setup(&home, &cluster, &[]);
    assert_eq!(same.code, 0, "{}", same.err);
    has(&same.err, &["the one that the config file pins"]);
}

#[cfg(unix)]
#[test]
fn a_person_is_told_that_it_is_another_certificate() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let old = "AB:".repeat(31) + "AB";
    let host = cluster.host();
    home.write(CONFIG, &format!("[clusters.home]\nhost = \"{host}\"\nfingerprint = \"{old}\"\n"));
    let own = home.environment();
    let environment: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
    let arguments = ["setup", "--host", &host, "--name", "home", "--trust-first", "--yes"];
    let mut command = crate::common::binary(&arguments, &environment);
    command.env("TERM", "dumb").env("PATH", home.path("no-programs"));
    let mut terminal = Terminal::start(command);
    terminal.answers("in the place of the old one", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 3, "{screen}");
    has(&screen, &["ANOTHER", &old, &cluster.fingerprint]);
}

#[test]
fn no_cluster_takes_the_place_of_another() {
    let (one, two, home) = (Apart::start(&[]), Apart::start(&[]), Home::new());
    let first = setup(&home, &one, &["--trust-first", "--tier", "read"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let (config, secret) = (home.text(CONFIG), home.text(".config/proxmox-mcp/home.token"));
    let second = setup(&home, &two, &["--trust-first", "--tier", "read"]);
    assert_eq!(second.code, 2, "{}", second.err);
    has(&second.err, &["[clusters.home]", &one.host(), "--name", "Nothing was done"]);
    assert_eq!((home.text(CONFIG), home.text(".config/proxmox-mcp/home.token")), (config, secret));

    // One cluster without a name would not be used any more.
    let home = Home::new();
    home.write(CONFIG, "host = \"pve1.example.org\"\ntoken_name = \"a@pve!b\"\n");
    let beside = setup(&home, &two, &["--trust-first", "--tier", "read"]);
    assert_eq!(beside.code, 2, "{}", beside.err);
    has(&beside.err, &["config.toml, line 1", "top level", "[clusters.NAME]", "--config"]);
}

#[test]
fn the_name_of_the_token_is_that_of_the_file() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let flags = ["--trust-first", "--tier", "read", "--token-name", "laptop"];
    let first = setup(&home, &cluster, &flags);
    assert_eq!(first.code, 0, "{}", first.err);
    let again = setup(&home, &cluster, &[]);
    assert_eq!(again.code, 0, "{}", again.err);
    has(&again.err, &["The token mcp@pve!laptop is there, and its secret as well"]);
}

#[test]
fn a_token_that_is_not_accepted_is_told_with_the_place_of_its_secret() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &["--trust-first", "--tier", "read"]);
    assert_eq!(first.code, 0, "{}", first.err);
    home.write(".config/proxmox-mcp/home.token", "12345678-1234-1234-1234-123456789abc\n");
    let called = run(&home, &["call", "get_version"]);
    assert_eq!(called.code, 4, "{}", called.err);
    has(&called.err, &["does not accept the API token", "config.toml, line 5, [clusters.home]: `token_value_file`"]);
    assert!(!called.err.contains("PROXMOX_TOKEN"), "{}", called.err);
}

#[test]
fn a_password_that_is_still_in_the_environment_is_told() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let first = setup(&home, &cluster, &["--trust-first", "--tier", "read"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let password = [("PROXMOX_PASSWORD", cluster.password.as_str())];
    for command in [&["call", "get_version"][..], &["doctor"], &["config", "show"]] {
        let ran = crate::cluster::run_with(&home, command, &password);
        assert_eq!(ran.code, 2, "{}", ran.err);
        has(&ran.err, &["PROXMOX_PASSWORD is set", "config.toml, line 4, [clusters.home]", "Unset PROXMOX_PASSWORD"]);
        assert!(!ran.err.contains(&cluster.password), "{}", ran.err);
    }
}
