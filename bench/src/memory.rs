//! Resident memory of the server, after calls and after long lists.

use crate::backend::Backend;
use crate::report::Report;
use crate::server::{Server, call};
use serde_json::json;
use std::io;
use std::path::Path;

pub fn measure(program: &Path, report: &mut Report) -> io::Result<()> {
    let backend = Backend::start(10_000, 0)?;
    let mut server = Server::start(program, &backend)?;
    let (at_start, _) = server.memory()?;
    for _ in 0..1_000 {
        server.ask(&call(7, "list_nodes", &json!({})))?;
    }
    let (after_calls, _) = server.memory()?;
    for _ in 0..10 {
        server.call("list_guests", json!({}))?;
    }
    let (after_lists, most) = server.memory()?;
    for _ in 0..3 {
        server.call("list_guests", json!({"limit": 10_000, "form": "table"}))?;
    }
    let (after_tables, most_of_tables) = server.memory()?;
    report.row("Resident after `initialize`", format!("{at_start:.1} MB"), "", "");
    report.row("Resident after 1,000 calls", format!("{after_calls:.1} MB"), "", "≤ 12 MB");
    report.row(
        "Resident after ten lists of 10,000 guests",
        format!("{after_lists:.1} MB (most {most:.1})"),
        "",
        "≤ 30 MB",
    );
    report.row(
        "Resident after three complete tables of 10,000 guests",
        format!("{after_tables:.1} MB (most {most_of_tables:.1})"),
        "",
        "≤ 30 MB",
    );
    Ok(())
}
