//! Setup with a person at a terminal who answers its questions.

use crate::cluster::{Apart, Home, has, run};
use crate::terminal::Terminal;

fn started(home: &Home, arguments: &[&str]) -> Terminal {
    let own = home.environment();
    let environment: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut command = crate::common::binary(arguments, &environment);
    // No keyring of who runs the tests is asked.
    command.env("TERM", "dumb").env("PATH", home.path("no-programs"));
    Terminal::start(command)
}

#[test]
fn a_person_is_led_from_the_host_to_a_client_that_works() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let mut terminal = started(&home, &["setup", "--client", "claude-desktop"]);
    terminal.answers("Host of the cluster", &cluster.host());
    terminal.answers("Is it the same?", "y");
    terminal.answers("at most", "operate");
    terminal.answers("Which tools are listed", "");
    terminal.answers("Who makes the user", "root@pam");
    terminal.answers_hidden("Password of root@pam", &cluster.password);
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
    let mut terminal = started(&home, &["setup", "--host", &host, "--yes"]);
    terminal.answers("Is it the same?", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 3, "{screen}");
    assert!(!home.path(".config").exists());
}

#[test]
fn a_secret_for_a_command_is_shown_as_soon_as_it_is_made() {
    let (cluster, home) = (Apart::start(&[]), Home::new());
    let (host, vault) = (cluster.host(), home.path("vault"));
    let command = format!("/bin/cat {}", vault.display());
    let password = home.write("password", &cluster.password);
    let flags = ["--trust-first", "--tier", "read", "--toolsets", "core", "--user", "root@pam", "--yes"];
    let own = ["setup", "--host", &host, "--password-file", &password, "--secret-command", &command, "--name", "home"];
    let mut terminal = started(&home, &[&own[..], &flags].concat());
    // Not before: what is typed shows up wherever the terminal is.
    terminal.answers("Is it there?", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 3, "{screen}");
    has(&screen, &["it is shown above", "made the token mcp@pve!mcp"]);
    let (_, rest) = screen.split_once("shown this once: ").expect("it is");
    let secret = rest.split_whitespace().next().expect("a word");
    // What was shown is the secret: put away, it is all that another run needs.
    home.write("vault", &format!("{secret}\n"));
    let again = run(&home, &[&own[..], &flags].concat());
    assert_eq!(again.code, 0, "{}", again.err);
    has(&again.err, &["is there, and its secret as well"]);
    assert_eq!(run(&home, &["call", "get_version"]).code, 0);
}
