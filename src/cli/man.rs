//! `proxmox-mcp man [DIR]`: the manual pages, made from the definition of the command line.
//!
//! Writes files only where it is told to; reads no setting and connects to nothing.

use super::{Exit, exit};
use clap::{Args, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;
use std::path::{Path, PathBuf};

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Pages {
    /// Folder for the pages of all subcommands, made if it is not there; without it the main page is printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the main page, or writes all of them and prints where they are.
pub fn run(pages: &Pages, command: Command) -> Exit {
    let mut command = command;
    command.build();
    let Some(folder) = &pages.folder else {
        return match page(&command, None) {
            Ok((_, text)) => exit::output(&text, Exit::Done),
            Err(error) => failed("the page", &error),
        };
    };
    match write(&command, folder) {
        Ok(written) => {
            let lines: Vec<String> = written.iter().map(|path| format!("{}\n", path.display())).collect();
            exit::output(&lines.concat(), Exit::Done)
        }
        Err(error) => failed(&folder.display().to_string(), &error),
    }
}

fn failed(what: &str, error: &io::Error) -> Exit {
    eprintln!("proxmox-mcp: {what} cannot be written: {error}. Name a folder that you may write to.");
    Exit::Usage
}

fn write(command: &Command, folder: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut written = Vec::new();
    let main = command.get_name();
    let mut left: Vec<(&Command, Option<&str>)> = vec![(command, None)];
    while let Some((command, of)) = left.pop() {
        let (name, text) = page(command, of)?;
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        written.push(path);
        left.extend(command.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| (one, Some(main))));
    }
    written.sort();
    Ok(written)
}

/// File name and text of one page. A subcommand's page leaves the flags that all of them take to the page of `main`.
fn page(command: &Command, main: Option<&str>) -> io::Result<(String, String)> {
    let after = command.get_after_help().map(ToString::to_string);
    let shown = command.clone().mut_args(|argument| {
        let elsewhere = main.is_some() && argument.is_global_set();
        if elsewhere { argument.hide(true) } else { argument }
    });
    let subcommands = shown.get_subcommands().next().is_some();
    let version = env!("CARGO_PKG_VERSION");
    let man = Man::new(shown).manual("Proxmox VE for assistants").source(format!("proxmox-mcp {version}"));
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if subcommands {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(after) = after {
        let mut roff = Roff::default();
        roff.control("SH", ["EXAMPLES AND EXIT CODES"]);
        // The text is laid out already.
        roff.control("nf", []);
        for line in after.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
        roff.to_writer(&mut text)?;
    }
    if let Some(main) = main {
        let mut roff = Roff::default();
        roff.control("SH", ["SEE ALSO"]);
        roff.text([bold(main), roman("(1) has the flags that every subcommand takes.")]);
        roff.to_writer(&mut text)?;
    }
    Ok((man.get_filename(), escaped(&String::from_utf8_lossy(&text))))
}

/// The text in ASCII: not every formatter takes more, all know the escape.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut text, letter| {
        match letter.is_ascii() {
            true => text.push(letter),
            false => text.push_str(&format!("\\[u{:04X}]", u32::from(letter))),
        }
        text
    })
}
