//! `proxmox-mcp doctor`: is everything in order, and what can each tool do?
//!
//! Knows how findings are shown and which exit code they give; what is looked at is the check-up's business.

use super::table::{clean, finished, plain};
use super::{Exit, exit, start};
use crate::checkup::Places;
use crate::checkup::finding::{Finding, Level};
use crate::checkup::needs::{ANYWHERE, Closed, Weight};
use crate::checkup::report::{OfTool, Report, examine};
use crate::checkup::verdict::{Gap, State};
use crate::settings::Flags;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Looks at everything and prints what was found.
pub async fn run(doctor: &Doctor, flags: &Flags) -> Exit {
    let started = match start::start(flags, true).await {
        Ok(started) => started,
        Err(error) => {
            eprintln!("proxmox-mcp: {error}");
            return Exit::Usage;
        }
    };
    let looks = started.clusters.all().map(|engine| examine(engine.settings()));
    let reports = futures_util::future::join_all(looks).await;
    let code = reports.iter().map(code).max_by_key(|code| *code as u8).unwrap_or(Exit::Done);
    let text = match doctor.json {
        true => format!("{:#}\n", as_json(&reports, code)),
        false => reports.iter().map(shown).collect::<Vec<_>>().join("\n"),
    };
    exit::output(&text, code)
}

/// 4 when the way there is blocked, 1 when something else is wrong, 0 otherwise: warnings are no failure.
pub(super) fn code(report: &Report) -> Exit {
    if report.worst(|finding| finding.step.is_connection()) == Level::Failed {
        Exit::Unreachable
    } else if report.worst(|_| true) == Level::Failed || report.useless().next().is_some() {
        Exit::Failed
    } else {
        Exit::Done
    }
}

/// The report for a person.
pub(super) fn shown(report: &Report) -> String {
    let mut text = format!("{}, as {}\n\n{}", report.cluster, report.who, findings(&report.findings));
    if report.tools.is_empty() {
        return text;
    }
    let listed: Vec<&OfTool> = report.tools.iter().filter(|tool| tool.listed).collect();
    let mut table = plain(&["tool", "usable", "missing"]);
    for tool in &listed {
        table.add_row([tool.verdict.tool.to_owned(), tool.verdict.state.as_str().to_owned(), missing(tool)]);
    }
    let _ = write!(text, "\n{}", finished(&table));
    let count = |state: State| listed.iter().filter(|tool| tool.verdict.state == state).count();
    let _ = writeln!(
        text,
        "\n{} tools listed: {} usable, {} in part, {} never, {} by what is called. {} more can be called by name; --json \
         has them.",
        listed.len(),
        count(State::Usable),
        count(State::InPart),
        count(State::Never),
        count(State::ByCall),
        report.tools.len() - listed.len()
    );
    if count(State::Never) + count(State::InPart) > 0 {
        text += "What is missing goes into a role: `proxmox-mcp setup --print-commands` writes the lines for it, and \
                 --hide-forbidden leaves out what can never be used.\n";
    }
    text
}

/// The findings alone.
pub(super) fn findings(findings: &[Finding]) -> String {
    let mut table = plain(&["", "what", "where", "found"]);
    for finding in findings {
        let says = clean(finding.says.trim());
        table.add_row([finding.level.as_str(), finding.step.as_str(), &finding.subject, says.as_str()]);
    }
    let mut text = finished(&table);
    for finding in findings.iter().filter(|finding| !finding.next.is_empty()) {
        let subject = if finding.subject.is_empty() { String::new() } else { format!(" {}", finding.subject) };
        let _ = write!(text, "\n{}{subject}: {}\n", finding.step.as_str(), clean(&finding.next));
    }
    text
}

fn missing(tool: &OfTool) -> String {
    let mut said: Vec<String> = tool.verdict.gaps.iter().map(gap).collect();
    match tool.verdict.closed {
        Some(Closed::ButRoot) => said.push("only root@pam with a password may do it".to_owned()),
        Some(Closed::ToTokens) => said.push("tokens may not do it; log in with a password".to_owned()),
        None => {}
    }
    said.join("; ")
}

/// `VM.PowerMgmt on /vms/{vmid} (only on /vms/100)`.
fn gap(gap: &Gap) -> String {
    let privileges = gap.demand.privileges.join(if gap.demand.any { " or " } else { " and " });
    let path = if gap.demand.path == ANYWHERE { "the path" } else { &gap.demand.path };
    let some = |paths: &[String]| {
        let more = paths.len().saturating_sub(3);
        let first = paths.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        if more > 0 { format!("{first} and {more} more") } else { first }
    };
    let text = match &gap.places {
        Places::Nowhere | Places::Everywhere => format!("{privileges} on {path}"),
        Places::Only(paths) => format!("{privileges} on {path}: only on {}", some(paths)),
        Places::But(paths) => format!("{privileges} on {path}: not on {}", some(paths)),
    };
    match gap.weight {
        Weight::Must => text,
        Weight::Shows => format!("{text} (it shows nothing without)"),
        Weight::Some | Weight::Rare => format!("{text} (for some calls)"),
    }
}

fn as_json(reports: &[Report], code: Exit) -> Value {
    let cluster = |report: &Report| {
        json!({
            "cluster": report.cluster,
            "who": report.who,
            "ok": self::code(report) == Exit::Done,
            "findings": report.findings,
            "tools": report.tools.iter().map(tool).collect::<Vec<_>>(),
        })
    };
    json!({ "exit": code as u8, "clusters": reports.iter().map(cluster).collect::<Vec<_>>() })
}

fn tool(tool: &OfTool) -> Value {
    let verdict = &tool.verdict;
    let gap = |gap: &Gap| {
        let (only, but) = match &gap.places {
            Places::Only(paths) => (json!(paths), Value::Null),
            Places::But(paths) => (Value::Null, json!(paths)),
            Places::Nowhere | Places::Everywhere => (Value::Null, Value::Null),
        };
        json!({
            "privileges": gap.demand.privileges,
            "any": gap.demand.any,
            "path": gap.demand.path,
            "every_call": gap.weight == Weight::Must,
            "only_on": only,
            "not_on": but,
        })
    };
    json!({
        "name": verdict.tool,
        "listed": tool.listed,
        "usable": match verdict.state {
            State::Usable => "yes",
            State::InPart => "in part",
            State::Never => "never",
            State::ByCall => "by call",
        },
        "missing": verdict.gaps.iter().map(gap).collect::<Vec<_>>(),
        "refused_to": verdict.closed.map(|closed| match closed {
            Closed::ButRoot => "all but root@pam with a password",
            Closed::ToTokens => "tokens",
        }),
    })
}
