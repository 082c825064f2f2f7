//! The whole examination of a cluster: the way there, who we are, how the cluster is, and what each tool can do.
//!
//! Sends GETs (and what a login takes). A step that fails hides none that can still be looked at.

use super::cluster;
use super::endpoints;
use super::finding::{Finding, Level, Step};
use super::grants;
use super::held::Held;
use super::verdict::{self, State, Verdict};
use crate::client::PreparedRequest;
use crate::engine::{Engine, FailureKind};
use crate::settings::{Auth, Settings};
use crate::tool::Verb;

/// What was found out about one cluster.
#[derive(Debug)]
pub struct Report {
    /// What the cluster is called here.
    pub cluster: String,
    /// Who we are there.
    pub who: String,
    pub findings: Vec<Finding>,
    /// The tools on offer; empty when it is not known who may do what.
    pub tools: Vec<OfTool>,
}

/// One tool on offer.
#[derive(Debug)]
pub struct OfTool {
    pub listed: bool,
    pub verdict: Verdict,
}

impl Report {
    /// The worst level among findings of this sort.
    pub fn worst(&self, of: impl Fn(&Finding) -> bool) -> Level {
        self.findings.iter().filter(|finding| of(finding)).map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// Listed tools of which every call would be refused.
    pub fn useless(&self) -> impl Iterator<Item = &OfTool> {
        self.tools.iter().filter(|tool| tool.listed && tool.verdict.state == State::Never)
    }
}

/// Looks at everything.
pub async fn examine(settings: &Settings) -> Report {
    let mut report =
        Report { cluster: settings.name.clone(), who: settings.auth.id(), findings: Vec::new(), tools: Vec::new() };
    let (found, usable) = endpoints::findings(settings).await;
    report.findings = found;
    if !usable {
        let says = "not looked at, nor anything behind it: no endpoint can be used";
        report.findings.push(Finding::new(Step::Login, "", Level::Skipped, says));
        return report;
    }
    // One try each: a person waits, and what fails now and then should be seen.
    let engine = Engine::new(Settings { retries: 1, ..settings.clone() });
    if !login(&engine, &mut report).await {
        return report;
    }
    let held = permissions(&engine, &mut report).await;
    cluster::look(&engine, held.as_ref(), &mut report.findings).await;
    if let Some(held) = held {
        report.tools = tools(settings, &held);
    }
    report.findings.sort_by_key(|finding| finding.step);
    report
}

/// The version, which every user may read: the first thing that takes a login.
async fn login(engine: &Engine, report: &mut Report) -> bool {
    let settings = engine.settings();
    let who = settings.auth.id();
    let answer = match engine.look(&PreparedRequest::plain(Verb::Get, "/version")).await {
        Ok(answer) => answer.data,
        Err(failure) => {
            let next = match (failure.kind(), &settings.auth) {
                (FailureKind::Unauthenticated, Auth::Token { user, name, .. }) => format!(
                    "Is the secret the one of `{user}!{name}`, and whole? `pveum user token list {user}` shows the tokens \
                     and when they expire; a lost secret cannot be read again: `proxmox-mcp setup --replace-token` makes \
                     another."
                ),
                (FailureKind::Unauthenticated, Auth::Password { user, .. }) => {
                    format!("Does `{user}` log in on the web page with the same password, and is the user enabled?")
                }
                _ => String::new(),
            };
            let finding = Finding::new(Step::Login, "", Level::Failed, failure.to_string());
            report.findings.push(finding.next(next));
            return false;
        }
    };
    let how = if settings.auth.token_name().is_some() { "with an API token" } else { "with a password" };
    report.findings.push(Finding::new(Step::Login, "", Level::Ok, format!("`{who}` {how}")));
    report.findings.push(version(&answer));
    true
}

/// The facts are those of 9.2; everything that the tools need is there since 8.0.
fn version(answer: &serde_json::Value) -> Finding {
    let version = answer["version"].as_str().unwrap_or_default();
    let shown = crate::engine::clean::line(version, 40);
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    match major {
        Some(8 | 9) => Finding::new(Step::Version, "", Level::Ok, format!("Proxmox VE {shown}")),
        Some(old) if old < 8 => {
            Finding::new(Step::Version, "", Level::Warning, format!("Proxmox VE {shown} is older than 8"))
                .next("Some calls and privileges are not there yet; update the cluster.")
        }
        Some(_) => {
            Finding::new(Step::Version, "", Level::Warning, format!("Proxmox VE {shown} is newer than what is known"))
                .next("Known is the API of 9.2. Look for a newer proxmox-mcp.")
        }
        None => Finding::new(Step::Version, "", Level::Warning, "the version cannot be read")
            .next("Does the host name a Proxmox VE node?"),
    }
}

/// What we hold, and the trap of privilege separation.
async fn permissions(engine: &Engine, report: &mut Report) -> Option<Held> {
    let auth = &engine.settings().auth;
    let held = match held(engine).await {
        Ok(held) => held,
        Err(says) => {
            report.findings.push(Finding::new(Step::Permissions, "", Level::Failed, says));
            return None;
        }
    };
    if !held.is_nothing() {
        let mut names: Vec<&str> = held.privileges().collect();
        names.sort_unstable();
        names.dedup();
        let says = if held.is_root() { "everything".to_owned() } else { format!("{} privileges", names.len()) };
        report.findings.push(Finding::new(Step::Permissions, "", Level::Ok, says));
        return Some(held);
    }
    let settings = engine.settings();
    let privileges = grants::privileges(grants::listed(settings), None);
    let roles = grants::grants(settings.tier, &privileges, settings);
    let finding = match auth {
        Auth::Token { user, name, .. } => {
            let user_has = of_user(engine, user).await;
            let says = match user_has {
                Some(true) => format!(
                    "the token has no privilege on any path, although its user `{user}` has some: with privilege \
                     separation it has only what both were granted"
                ),
                _ => "the token has no privilege on any path: with privilege separation it has only what both it and \
                      its user were granted"
                    .to_owned(),
            };
            let commands = grants::commands(&roles, user, name);
            let wanted = |line: &&String| {
                !line.starts_with("pveum user") && (user_has != Some(true) || !line.contains("--users"))
            };
            let lines: Vec<&str> = commands.iter().filter(wanted).map(String::as_str).collect();
            let next = format!(
                "In a shell on a node, with a role that exists or with these:\n{}\n`pveum user token permissions {user} \
                 {name}` then shows what it has.",
                lines.join("\n")
            );
            Finding::new(Step::Permissions, "", Level::Failed, says).next(next)
        }
        Auth::Password { user, .. } => {
            let next =
                format!("In a shell on a node: `pveum acl modify / --users {user} --roles PVEAuditor`, or more.");
            Finding::new(Step::Permissions, "", Level::Failed, "the user has no privilege on any path").next(next)
        }
    };
    report.findings.push(finding);
    Some(held)
}

/// What we hold.
///
/// # Errors
/// It could not be read, in words.
pub async fn held(engine: &Engine) -> Result<Held, String> {
    let answer = engine.look(&PreparedRequest::plain(Verb::Get, "/access/permissions")).await;
    let answer = answer.map_err(|failure| failure.to_string())?;
    Held::read(&answer.data, &engine.settings().auth.id())
        .ok_or_else(|| "the answer of GET /access/permissions is not of the form that is known".to_owned())
}

/// Does the token's user hold anything? `None` = the token may not ask.
async fn of_user(engine: &Engine, user: &str) -> Option<bool> {
    let request = PreparedRequest::plain(Verb::Get, "/access/permissions").with("userid", user);
    let answer = engine.look(&request).await.ok()?;
    Some(!Held::read(&answer.data, user)?.is_nothing())
}

/// What each tool on offer can do.
fn tools(settings: &Settings, held: &Held) -> Vec<OfTool> {
    let access = settings.access();
    let offered = crate::catalogue::SURFACES.iter().filter(|surface| surface.dialect == settings.dialect);
    let offered = offered.filter(|surface| access.check(surface).is_ok());
    let of = |surface: &'static crate::tool::Surface| OfTool {
        listed: settings.toolsets.list(surface, &access),
        verdict: Verdict { tool: surface.name, ..verdict::of(surface.tool, held) },
    };
    offered.map(of).collect()
}
