//! Setup with a person at a terminal who answers its questions.

use crate::cluster::{Apart, Home, has, run};
use crate::terminal::Terminal;

fn started(home: &Home, arguments: &[&str]) -> Terminal {
    let own = home.environment();
    let environment: Vec<(&str, &str)> = own.iter().map(|(name, value)| (&**name, &**value)).collect();
    let mut command = crate::common::binary(arguments, &environment);
    command.env("TERM", "dumb");
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
    let mut terminal = started(&home, &["setup", "--host", &host, "--yes"]);
    terminal.answers("Is it the same?", "n");
    let (code, screen) = terminal.end();
    assert_eq!(code, 3, "{screen}");
    assert!(!home.path(".config").exists());
}
