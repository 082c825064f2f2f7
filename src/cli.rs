//! The command line: what the flags say, what is started, and with which code the process ends.
//!
//! Knows flags, the terminal and exit codes. What a flag's value means is the settings' business, what a call does is
//! the engine's: `proxmox-mcp call` passes the same gates as a call of an assistant.

mod approve;
mod ask;
mod audit;
mod call;
mod completions;
mod config;
mod doctor;
mod end;
mod exit;
mod man;
mod pairs;
#[cfg(feature = "sandbox")]
mod sandbox;
mod serve;
mod setup;
mod start;
mod table;
mod token;
mod tools;
mod units;

use crate::settings::{self, Flags};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

pub use exit::Exit;
pub use setup::Word;

/// What `--help` says after the flags.
const TEACHES: &str = "\
Try it without a cluster:
  proxmox-mcp --sandbox tools                                what an assistant may do
  proxmox-mcp --sandbox call list_guests                     a tool, called by hand
  proxmox-mcp --sandbox --tier operate call start_guest vmid=102
  proxmox-mcp sandbox                                        the same cluster, for your own programs

Use it with a cluster:
  export PROXMOX_HOST=pve1.example.org PROXMOX_TOKEN_NAME='mcp@pve!mcp'
  export PROXMOX_TOKEN_VALUE=12345678-1234-1234-1234-123456789abc
  proxmox-mcp call get_version                               is everything set?
  proxmox-mcp                                                serve MCP on stdin and stdout
  proxmox-mcp serve --http 127.0.0.1:8808                    serve MCP over HTTP

Every flag has the variable that is shown with it; the flag wins. The variables may stand in a file .env in
the working directory. These flags may stand before or after the subcommand. Standard output carries the
protocol or the answer and nothing else; whatever else is said goes to standard error.

Exit codes:
  0  done
  1  the tool failed: the API refused it, or its task ended in an error
  2  the command line, a setting or an argument is wrong; nothing was sent that changes anything
  3  refused by --tier, --allow or --deny, or not confirmed
  4  no connection: unreachable, untrusted certificate, or the token is not accepted
  5  not settled: still running when the wait ended, or sent and no answer came";

/// A Model Context Protocol server for Proxmox VE. Without a subcommand it serves MCP on standard input and output.
#[derive(Debug, Parser)]
#[command(name = "proxmox-mcp", version, after_help = TEACHES, disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve MCP on standard input and output, as without a subcommand; or over HTTP with --http
    Serve(serve::Serve),
    /// Make, list and revoke the bearer tokens of those who call over HTTP
    Token(token::Token),
    /// Set a cluster up: trust, user, role, token, config file and the entry of a client
    Setup(setup::Setup),
    /// Is everything in order, and what can each tool do? Sends nothing but reads
    Doctor(doctor::Doctor),
    /// Call one tool, with the same checks as a call of an assistant
    Call(call::Call),
    /// Show a call of an assistant that waits for you, and approve it; without a code, list all that wait
    Approve(approve::Approve),
    /// Check an audit log
    Audit(audit::Audit),
    /// List the tools on offer with these limits, and why the others are not; or show one tool
    Tools(tools::Tools),
    /// Show the settings as they hold, and where each was said
    Config(config::Config),
    /// Print a script that completes this command line in a shell
    Completions(completions::Completions),
    /// Print the manual page, or write the pages of all subcommands to a folder
    Man(man::Pages),
    /// Serve a make-believe cluster over HTTPS, for tests and programs in any language; ends at Ctrl-C
    #[cfg(feature = "sandbox")]
    Sandbox(sandbox::Serve),
}

/// Runs the process: parses the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    // Before any thread and before clap, which reads the environment.
    match settings::dotenv::read(std::env::args_os(), &settings::layers::process) {
        Ok(None) => {}
        Ok(Some(notice)) => eprintln!("proxmox-mcp: {notice}"),
        Err(error) => {
            eprintln!("proxmox-mcp: {error}");
            return Exit::Usage.into();
        }
    }
    let parsed = matches().and_then(|matches| {
        let mut cli = Cli::from_arg_matches(&matches)?;
        cli.flags.note_typed(&matches);
        Ok(cli)
    });
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => {
            // Also `--help` and `--version`, which are no errors. Nothing can be done when the terminal is gone.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    run(cli).into()
}

fn run(cli: Cli) -> Exit {
    let Cli { flags, command } = cli;
    let task = match command {
        Some(Command::Tools(tools)) => return tools::run(&tools, &flags),
        Some(Command::Token(token)) => return token::run(&token, &flags),
        Some(Command::Audit(audit)) => return audit::run(&audit),
        Some(Command::Config(config)) => return config::run(&config, &flags),
        Some(Command::Completions(completions)) => return completions::run(&completions, self::command()),
        Some(Command::Man(pages)) => return man::run(&pages, self::command()),
        Some(Command::Doctor(doctor)) => return on_runtime(async move { doctor::run(&doctor, &flags).await }),
        Some(Command::Setup(setup)) => return on_runtime(async move { setup::run(setup, &flags).await }),
        Some(Command::Approve(approve)) => return approve::run(&approve, &flags),
        #[cfg(feature = "sandbox")]
        Some(Command::Sandbox(serve)) => return on_runtime(sandbox::run(serve, &flags)),
        Some(Command::Serve(serve)) if serve.over_http() => return on_runtime(serve::run(serve, &flags)),
        Some(Command::Serve(_)) => None,
        Some(Command::Call(call)) => Some(call),
        None => None,
    };
    on_runtime(async {
        let started = match start::start(&flags, task.is_some()).await {
            Ok(started) => started,
            Err(error) => {
                eprintln!("proxmox-mcp: {error}");
                return Exit::Usage;
            }
        };
        match task {
            Some(call) => call::run(call, &started.clusters).await,
            None => serve(started).await,
        }
    })
}

/// One thread: calls wait for the network nearly all of their time, and a start with workers takes twice as long. What
/// talks to many clients starts its own.
fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("proxmox-mcp: the system gives no timer or input: {error}");
            return Exit::Failed;
        }
    };
    let exit = runtime.block_on(work);
    crate::traces::flush();
    // A read of standard input that blocks must not keep the process.
    runtime.shutdown_background();
    exit
}

async fn serve(started: start::Started) -> Exit {
    use std::io::IsTerminal;
    if std::io::stdin().is_terminal() {
        eprintln!(
            "proxmox-mcp: waiting for an MCP client on standard input (Ctrl-D ends it). `proxmox-mcp --help` shows \
             what can be done by hand."
        );
    }
    match crate::server::Server::new(started.clusters.clone()).serve_stdio().await {
        Ok(()) => Exit::Done,
        Err(error) => {
            tracing::error!("{error}");
            Exit::Failed
        }
    }
}

/// The command line and the variables behind it. What a token may do is said on the command line alone: the variables
/// say what this process may.
fn matches() -> clap::error::Result<clap::ArgMatches> {
    let matches = command().try_get_matches()?;
    if matches.subcommand_name() != Some(token::NAME) {
        return Ok(matches);
    }
    command().mut_args(|argument| argument.env(None::<&str>)).try_get_matches()
}

/// The values of variables stay out of the help: it gets pasted into bug reports.
fn command() -> clap::Command {
    Cli::command().mut_args(|argument| argument.hide_env_values(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Cli {
        let matches = command().try_get_matches_from(words).expect("valid");
        Cli::from_arg_matches(&matches).expect("valid")
    }

    #[test]
    fn the_command_line_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn flags_may_stand_before_or_after_the_subcommand() {
        for words in [
            ["proxmox-mcp", "--tier", "admin", "--sandbox", "call", "x"],
            ["proxmox-mcp", "call", "x", "--tier", "admin", "--sandbox"],
        ] {
            let cli = parse(&words);
            assert_eq!(cli.flags.tier.as_deref(), Some("admin"));
            assert!(cli.flags.sandbox);
        }
    }

    #[test]
    fn help_teaches_the_sandbox_first_and_documents_the_exit_codes() {
        let help = command().render_long_help().to_string();
        let (sandbox, cluster) = (help.find("--sandbox tools"), help.find("PROXMOX_TOKEN_VALUE="));
        assert!(sandbox.is_some() && sandbox < cluster, "{help}");
        for code in 0..=5 {
            assert!(help.contains(&format!("\n  {code}  ")), "{code} is not explained");
        }
    }

    #[test]
    fn the_secret_has_no_flag() {
        assert!(command().get_arguments().all(|argument| argument.get_long() != Some("token-value")));
    }
}
