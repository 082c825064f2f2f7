//! The end: a look with the new token, and the client's entry.
//!
//! Knows what `doctor` says, and how the server is started.

use super::clients::{Client, Launch};
use super::{Setup, Stop, store::Store};
use crate::checkup::report::examine;
use crate::cli::{Exit, doctor, exit};
use crate::settings::{Settings, Toolsets};

/// Looks at what was set up, and tells the client.
///
/// # Errors
/// Nothing is known of where this program or the client's file is.
pub async fn finish(
    setup: &Setup,
    settings: &Settings,
    store: &Store,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Exit, Stop> {
    let report = examine(settings).await;
    eprint!("\n{}", doctor::findings(&report.findings));
    let code = doctor::code(&report);
    let usable = report.tools.iter().filter(|tool| tool.listed).count() - report.useless().count();
    eprintln!("\n{usable} tools can be used. `proxmox-mcp doctor` shows them, with this again.");
    let client = setup.client.unwrap_or(Client::None);
    let toolsets: &Toolsets = &settings.toolsets;
    eprintln!(
        "Tier `{}`, toolsets `{toolsets}`; both stand in {} and can be changed there.",
        settings.tier,
        store.config.display()
    );
    if client == Client::None {
        return Ok(code);
    }
    let program = std::env::current_exe()
        .map_err(|error| Stop::new(Exit::Failed, format!("where this program is cannot be told: {error}")))?;
    let launch = Launch { program: program.display().to_string(), arguments: store.arguments() };
    if !setup.install {
        eprintln!("\nThe entry for {}:", client.title());
        return Ok(exit::output(&client.printed(&launch), code));
    }
    let file = client.file(environment);
    let Some(file) = file else {
        return Err(Stop::new(Exit::Failed, "no home folder is known, so no file of a client"));
    };
    match client.install(&file, &launch) {
        Ok(done) => {
            eprintln!("{}: {done}. Restart it.", client.title());
            Ok(code)
        }
        Err(says) => {
            eprintln!("{says}. The entry to put in by hand:");
            Ok(exit::output(&client.printed(&launch), Exit::Failed))
        }
    }
}
