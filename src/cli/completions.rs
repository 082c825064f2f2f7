//! `proxmox-mcp completions SHELL`: a script that completes this command line, made from its definition.
//!
//! Knows which words a flag or argument takes where they are fixed; reads no setting and connects to nothing.

use super::{Exit, exit};
use crate::catalogue;
use clap::builder::PossibleValuesParser;
use clap::{Arg, Args, Command, ValueHint};
use clap_complete::{Shell, generate};

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell that the script is for
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Flags whose values are words of a fixed list. Their parsers take any text, so that a variable and a flag get the same
/// message; a completion needs the list.
const WORDS: &[(&str, &[&str])] = &[
    ("tier", &["read", "operate", "configure", "admin"]),
    ("confirm", &["ask", "seal", "elicit-only", "off"]),
    ("log_level", &["off", "error", "warn", "info", "debug", "trace"]),
];

/// Prints the script for `command`.
pub fn run(completions: &Completions, command: Command) -> Exit {
    let mut script = Vec::new();
    let name = command.get_name().to_owned();
    generate(completions.shell, &mut taught(command), &name, &mut script);
    // In bash a name with a hyphen is spelled in two ways, so that no subcommand is ever found (clap-rs/clap#6421).
    let (wrong, right) = (name.replace('-', "__subcmd__"), name.replace('-', "__"));
    exit::output(&String::from_utf8_lossy(&script).replace(&wrong, &right), Exit::Done)
}

/// The command with the words that its flags and arguments take.
fn taught(command: Command) -> Command {
    let dialects = || catalogue::DIALECTS.iter().map(|dialect| dialect.name);
    // The names of the other dialects can be called as well, and would be most of the list.
    let tools = || catalogue::SURFACES.iter().filter(|surface| surface.dialect.is_none()).map(|surface| surface.name);
    let command = command.mut_args(|argument| {
        let argument = hinted(argument);
        let id = argument.get_id().as_str();
        if let Some((_, words)) = WORDS.iter().find(|(flag, _)| *flag == id) {
            return argument.value_parser(PossibleValuesParser::new(*words));
        }
        if id == "dialect" { argument.value_parser(PossibleValuesParser::new(dialects())) } else { argument }
    });
    command.mut_subcommands(|subcommand| {
        subcommand.mut_args(|argument| {
            let argument = hinted(argument);
            let tool = argument.get_id() == "tool" && argument.is_positional();
            if tool { argument.value_parser(PossibleValuesParser::new(tools())) } else { argument }
        })
    })
}

/// Files and folders are offered where the value is one, and nowhere else.
fn hinted(argument: Arg) -> Arg {
    let names = argument.get_value_names().filter(|_| argument.get_action().takes_values());
    let Some(name) = names.and_then(|names| names.first()) else { return argument };
    let hint = match name.as_str() {
        "FILE" => ValueHint::FilePath,
        "DIR" | "FOLDER" => ValueHint::DirPath,
        "HOST" => ValueHint::Hostname,
        _ => ValueHint::Other,
    };
    argument.value_hint(hint)
}
