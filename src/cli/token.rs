//! `proxmox-mcp token`: the bearer tokens of those who call over HTTP.
//!
//! Knows flags and the terminal. What a token is, and how it is kept, is said in [`crate::tokens`]. Connects to nothing;
//! a running server notices the change by itself.

use super::{Exit, exit};
use crate::settings::{Flags, Given, Limits};
use crate::tokens::{self, BadEntry, Bearer, Entry};
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use secrecy::ExposeSecret;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// The subcommand's name.
pub const NAME: &str = "token";

/// What the subcommand takes.
#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token, and print it: this once, and never again. Its limits are --tier (`read` if not given), --allow,
    /// --deny, --toolsets and the fences of this command line; the server's own hold beside them
    New(New),
    /// List the tokens: names and limits, not the tokens themselves
    List {
        #[command(flatten)]
        file: Place,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token. A running server refuses it from now on
    Revoke {
        /// The token's name
        #[arg(value_name = "NAME")]
        name: String,
        #[command(flatten)]
        file: Place,
    },
}

#[derive(Debug, Args)]
struct New {
    /// Whose it is; stands in the logs
    #[arg(long, value_name = "NAME")]
    name: String,
    /// Clusters that may be reached, separated by commas [default: all of the server's]
    #[arg(long, value_name = "CLUSTER,…", value_delimiter = ',')]
    clusters: Vec<String>,
    /// How long it is good: `90d`, `12h`, `1y`, or `never`
    #[arg(long, value_name = "TIME", default_value = "90d")]
    expires: String,
    #[command(flatten)]
    file: Place,
}

/// Where the tokens are.
#[derive(Debug, Args)]
pub struct Place {
    /// File of the bearer tokens [default: $XDG_CONFIG_HOME/proxmox-mcp/tokens.toml or ~/.config/proxmox-mcp/tokens.toml]
    #[arg(long, env = "PROXMOX_TOKENS", value_name = "FILE")]
    tokens: Option<PathBuf>,
}

impl Place {
    /// The file, and whether somebody asked for it.
    pub fn path(&self) -> Option<(PathBuf, bool)> {
        let given = self.tokens.clone().filter(|path| !path.as_os_str().is_empty());
        match given {
            Some(path) => Some((path, true)),
            None => Some((tokens::default_path(&|name| std::env::var(name).ok())?, false)),
        }
    }
}

/// Runs the subcommand.
pub fn run(token: &Token, flags: &Flags) -> Exit {
    let ended = match &token.what {
        What::New(new) => made(new, flags),
        What::List { file, json } => listed(file, *json),
        What::Revoke { name, file } => found(file).and_then(|path| {
            tokens::revoke(&path, name).map_err(|error| error.to_string())?;
            eprintln!("The token `{name}` is refused from now on, by a running server too.");
            Ok(Exit::Done)
        }),
    };
    ended.unwrap_or_else(|says| {
        eprintln!("proxmox-mcp: {says}");
        Exit::Usage
    })
}

fn found(file: &Place) -> Result<PathBuf, String> {
    let none = "there is no home folder to keep tokens in: set PROXMOX_TOKENS (--tokens)";
    Ok(file.path().ok_or(none)?.0)
}

fn made(new: &New, flags: &Flags) -> Result<Exit, String> {
    Entry::check_name(&new.name).map_err(|says| format!("--name is `{}`: {says}", new.name.escape_debug()))?;
    let given = Given {
        tier: Some(flags.tier.clone().unwrap_or_else(|| "read".to_owned()).to_lowercase()),
        allow: flags.allow.clone(),
        deny: flags.deny.clone(),
        toolsets: flags.toolsets.clone(),
        clusters: new.clusters.clone(),
        fences: flags.fences.clone(),
    };
    // What the server could not read is not written.
    Limits::of(&given).map_err(|bad| bad.to_string())?;
    let (path, created) = (found(&new.file)?, Timestamp::now());
    let expires = end(&new.expires, created)?;
    let bearer = Bearer::random().map_err(|error| format!("the system gives no randomness: {error}"))?;
    let (id, hash) = (bearer.id().to_owned(), bearer.hash());
    let entry = Entry { name: new.name.clone(), id, hash, created, expires, given };
    tokens::add(&path, &entry).map_err(|error| error.to_string())?;
    eprintln!("The token `{}` may do this, and never more than the server itself: {}.", entry.name, limits(&entry));
    match expires {
        Some(expires) => eprintln!("It is good until {expires:.0}."),
        None => eprintln!("It is good until it is revoked."),
    }
    eprintln!("It is shown this once; {} keeps a hash of it:", path.display());
    Ok(exit::output(&format!("{}\n", bearer.text().expose_secret()), Exit::Done))
}

/// When it ends; `None` = never.
fn end(text: &str, now: Timestamp) -> Result<Option<Timestamp>, String> {
    if text.trim().eq_ignore_ascii_case("never") {
        return Ok(None);
    }
    let bad = || format!("--expires is `{text}`: give how long the token is good, e.g. 90d, 12h, 1y, or `never`");
    let span: Span = text.trim().parse().map_err(|_| bad())?;
    // A day has 24 hours, everywhere and always.
    let end = now.to_zoned(TimeZone::UTC).checked_add(span).map_err(|_| bad())?.timestamp();
    if end > now { Ok(Some(end)) } else { Err(bad()) }
}

/// The limits of a token in a line, as on a command line.
fn limits(entry: &Entry) -> String {
    let mut text = format!("--tier {}", entry.given.tier.as_deref().unwrap_or("read"));
    for (key, list) in entry.given.clone().lists() {
        if !list.is_empty() {
            text.push_str(&format!(" --{} {}", key.replace('_', "-"), list.join(",")));
        }
    }
    text
}

fn listed(file: &Place, json: bool) -> Result<Exit, String> {
    let path = found(file)?;
    let entries = tokens::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let now = Timestamp::now();
    let (good, bad): (Vec<_>, Vec<_>) = entries.into_iter().map(usable).partition(Result::is_ok);
    let text = if json {
        let rows: Vec<Value> = good.iter().flatten().map(|entry| as_json(entry, now)).collect();
        format!("{:#}\n", Value::Array(rows))
    } else if good.is_empty() {
        "There are no tokens. `proxmox-mcp token new --name NAME` makes one.\n".to_owned()
    } else {
        let rows: Vec<Value> = good.iter().flatten().map(|entry| as_row(entry, now)).collect();
        super::table::answer(&Map::from_iter([("tokens".to_owned(), Value::Array(rows))]))
    };
    for error in bad.iter().filter_map(|one| one.as_ref().err()) {
        eprintln!("proxmox-mcp: {}: {error}. The server refuses this token", path.display());
    }
    Ok(exit::output(&text, if bad.is_empty() { Exit::Done } else { Exit::Usage }))
}

fn usable(entry: Result<Entry, BadEntry>) -> Result<Entry, BadEntry> {
    entry.and_then(|entry| entry.limits().map(|_| entry))
}

fn expired(entry: &Entry, now: Timestamp) -> bool {
    entry.expires.is_some_and(|end| end <= now)
}

fn as_row(entry: &Entry, now: Timestamp) -> Value {
    let expires = match entry.expires {
        Some(end) if expired(entry, now) => format!("{end:.0} (over)"),
        Some(end) => format!("{end:.0}"),
        None => "never".to_owned(),
    };
    json!({"name": entry.name, "limits": limits(entry), "created": format!("{:.0}", entry.created), "expires": expires})
}

fn as_json(entry: &Entry, now: Timestamp) -> Value {
    let mut row = json!({
        "name": entry.name,
        "id": entry.id,
        "created": entry.created.to_string(),
        "expires": entry.expires.map(|end| end.to_string()),
        "expired": expired(entry, now),
        "tier": entry.given.tier.as_deref().unwrap_or("read"),
    });
    for (key, list) in entry.given.clone().lists() {
        row[key] = json!(list);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_from_now_or_never() {
        let now: Timestamp = "2026-01-31T12:00:00Z".parse().expect("a time");
        let at = |text: &str| end(text, now).map(|end| end.map(|end| end.to_string()));
        assert_eq!(at("never"), Ok(None));
        assert_eq!(at("90d").expect("good").as_deref(), Some("2026-05-01T12:00:00Z"));
        assert_eq!(at("12h").expect("good").as_deref(), Some("2026-02-01T00:00:00Z"));
        assert_eq!(at("1y").expect("good").as_deref(), Some("2027-01-31T12:00:00Z"));
        for bad in ["", "0d", "-1d", "90", "soon", "99999y"] {
            assert!(at(bad).is_err_and(|says| says.contains("90d")), "{bad}");
        }
    }
}
