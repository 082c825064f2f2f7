//! The text form of faults and rules, which the command line and the control endpoint share.
//!
//! ```text
//! FAULT[=ARGUMENT][@[VERB] [PATH]][#WHICH][ at ENDPOINT]
//! hang@GET /nodes/*/status        status=500:got timeout@POST /nodes/*/qemu/*/status/start#1
//! ```
//!
//! Knows words and their order, and nothing of what they do. A state of the cluster (`node-offline=pve3`) has a form
//! of its own, in `state`; [`Trouble`] takes both.

use std::{fmt, str::FromStr};

use http::{HeaderValue, StatusCode};
use proxmox_spec::{Verb, nearest};

use super::{Fault, Rule, State, Trouble, Verbs, state};

/// The faults that take nothing, with their names.
const PLAIN: [(&str, Fault); 12] = [
    ("close-before", Fault::CloseBefore),
    ("close-after", Fault::CloseAfter),
    ("close-on-accept", Fault::CloseOnAccept),
    ("hang-on-accept", Fault::HangOnAccept),
    ("hang", Fault::Hang),
    ("hang-after", Fault::HangAfter),
    ("truncated", Fault::Truncated),
    ("too-short", Fault::TooShort),
    ("empty", Fault::Empty),
    ("not-json", Fault::NotJson),
    ("null-data", Fault::NullData),
    ("wrong-type", Fault::WrongType),
];

/// The names of all other faults.
const OTHERS: [&str; 8] =
    ["status", "status-after", "trickle", "html", "content-type", "redirect", "huge", "certificate"];

/// Milliseconds between two bytes of `trickle`.
const PAUSE: u32 = 1_000;
/// MiB of `huge`.
const HUGE: u32 = 65;
/// Where `redirect` sends a client.
const ELSEWHERE: &str = "https://elsewhere.invalid/";

/// Why a text is no fault, no rule or no state. Names the part that is wrong, and what could stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadText(pub(crate) String);

impl fmt::Display for BadText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadText {}

pub(super) fn bad<T>(text: impl Into<String>) -> Result<T, BadText> {
    Err(BadText(text.into()))
}

/// The names of all faults.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().map(|(name, _)| *name).chain(OTHERS)
}

/// `there is no …`, with the nearest name and all of them.
pub(super) fn unknown(what: &str, word: &str, names: &[&str]) -> BadText {
    let end = match nearest(word, names.iter().copied()) {
        Some(near) => format!("; did you mean '{near}'?"),
        None => ".".to_owned(),
    };
    BadText(format!("there is no {what} '{word}'{end} There are: {}", names.join(", ")))
}

impl FromStr for Fault {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Fault, BadText> {
        let (name, argument) = match text.split_once('=') {
            Some((name, argument)) => (name.trim(), Some(argument)),
            None => (text.trim(), None),
        };
        if let Some((_, fault)) = PLAIN.iter().find(|(known, _)| *known == name) {
            return match argument {
                None => Ok(fault.clone()),
                Some(argument) => bad(format!("'{name}' takes no '={argument}'")),
            };
        }
        let number = |default: u32| match argument.map(str::parse::<u32>) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => bad(format!("'{name}={}': a number is needed", argument.unwrap_or_default())),
        };
        match name {
            "status" | "status-after" => {
                let (status, reason) = status(name, argument)?;
                Ok(if name == "status" { Fault::Status(status, reason) } else { Fault::StatusAfter(status, reason) })
            }
            "trickle" => number(PAUSE).map(Fault::Trickle),
            "huge" => number(HUGE).map(Fault::Huge),
            "html" => match argument {
                None => Ok(Fault::Html(200)),
                Some(code) => match code.parse().ok().filter(|code| (200..=599).contains(code)) {
                    Some(code) => Ok(Fault::Html(code)),
                    None => bad(format!("'html={code}': a status from 200 to 599 is needed")),
                },
            },
            "content-type" => match argument {
                Some(kind) if HeaderValue::from_str(kind).is_err() => {
                    bad(format!("'content-type={kind}': this cannot stand in a header"))
                }
                kind => Ok(Fault::ContentType(kind.map(str::to_owned))),
            },
            "redirect" => match argument.unwrap_or(ELSEWHERE) {
                address if HeaderValue::from_str(address).is_ok() => Ok(Fault::Redirect(address.to_owned())),
                address => bad(format!("'redirect={address}': this cannot stand in a header")),
            },
            "certificate" if argument.is_none() => Ok(Fault::Certificate),
            "certificate" => bad("'certificate' takes nothing behind '='"),
            _ => Err(unknown("fault", name, &names().collect::<Vec<_>>())),
        }
    }
}

/// `500:got timeout`
fn status(name: &str, argument: Option<&str>) -> Result<(u16, String), BadText> {
    let Some(argument) = argument else {
        return bad(format!("'{name}' needs a status: '{name}=500:got timeout'"));
    };
    let (code, reason) = match argument.split_once(':') {
        Some((code, reason)) => (code, Some(reason)),
        None => (argument, None),
    };
    let Some(code) = code.trim().parse().ok().filter(|code| (400..=599).contains(code)) else {
        return bad(format!("'{name}={code}': a status from 400 to 599 is needed"));
    };
    if reason.is_some_and(|reason| reason.contains(['\r', '\n'])) {
        return bad(format!("'{name}={code}': the reason is one line"));
    }
    let reason = reason.map_or_else(|| usual_reason(code), str::to_owned);
    Ok((code, reason))
}

/// The reason of a status where none is given.
fn usual_reason(code: u16) -> String {
    match code {
        401 => "Authentication failed!",
        403 => "Permission check failed",
        595 => "No route to host",
        596 => "Connection timed out",
        _ => StatusCode::from_u16(code).ok().and_then(|code| code.canonical_reason()).unwrap_or("Error"),
    }
    .to_owned()
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = PLAIN.iter().find(|(_, fault)| fault == self) {
            return f.write_str(name);
        }
        match self {
            Fault::Status(status, reason) => write!(f, "status={status}:{reason}"),
            Fault::StatusAfter(status, reason) => write!(f, "status-after={status}:{reason}"),
            Fault::Trickle(pause) => write!(f, "trickle={pause}"),
            Fault::Html(status) => write!(f, "html={status}"),
            Fault::ContentType(Some(kind)) => write!(f, "content-type={kind}"),
            Fault::ContentType(None) => f.write_str("content-type"),
            Fault::Redirect(address) => write!(f, "redirect={address}"),
            Fault::Huge(mebibytes) => write!(f, "huge={mebibytes}"),
            _ => f.write_str("certificate"),
        }
    }
}

impl FromStr for Rule {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Rule, BadText> {
        let (text, endpoint) = place(text);
        let (fault, selector, which) = split(text)?;
        let here = fault.split_once(" at ").filter(|(name, _)| names().any(|known| known == name.trim()));
        if here.is_some() || selector.is_some_and(|selector| selector.contains(" at ")) {
            return bad(format!(
                "'{text}': behind ' at ' the number of an endpoint is needed, from 1, as in 'hang at 2'"
            ));
        }
        let fault: Fault = fault.parse()?;
        let (verbs, path) = match selector {
            Some(_) if fault.strikes_connections() => {
                return bad(format!("'{fault}' strikes connections, so there is nothing to say behind '@'"));
            }
            Some(selector) => select(selector)?,
            None => (Verbs::Any, "**".to_owned()),
        };
        let (skip, times) = which.map_or(Ok((0, None)), ordinals)?;
        Ok(Rule { fault, verbs, path, skip, times, endpoint })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if !self.fault.strikes_connections() {
            let verb = match self.verbs {
                Verbs::Any => "*",
                Verbs::Writes => "WRITE",
                Verbs::Only(verb) => verb.as_str(),
            };
            write!(f, "@{verb} {}", self.path)?;
        }
        let first = u64::from(self.skip) + 1;
        match self.times {
            None if self.skip == 0 => {}
            None => write!(f, "#{first}-")?,
            Some(1) => write!(f, "#{first}")?,
            Some(times) => write!(f, "#{first}-{}", u64::from(self.skip) + u64::from(times))?,
        }
        self.endpoint.map_or(Ok(()), |endpoint| write!(f, " at {endpoint}"))
    }
}

/// The rule without ` at 2`, and that number. A reason that ends so needs a selector behind it.
fn place(text: &str) -> (&str, Option<u16>) {
    let number = |text: &str| text.trim().parse().ok().filter(|number| *number > 0);
    match text.rsplit_once(" at ").and_then(|(rest, last)| Some((rest.trim_end(), number(last)?))) {
        Some((rest, endpoint)) => (rest, Some(endpoint)),
        None => (text, None),
    }
}

/// Fault, selector and ordinals. A reason may hold an `@` of its own, so that the selector begins at the first `@`
/// that something follows which can be one.
fn split(text: &str) -> Result<(&str, Option<&str>, Option<&str>), BadText> {
    let begins = |rest: &str| {
        let word = rest.split([' ', '#']).next().unwrap_or_default();
        rest.starts_with('/') || verbs(word).is_some()
    };
    let place = text.match_indices('@').map(|(at, _)| at).find(|at| begins(&text[at + 1..]));
    let (fault, selector) = match place {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    if selector.is_none()
        && let Some((before, rest)) = text.split_once('@')
    {
        if before.contains(':') {
            return bad(format!(
                "'@{rest}': neither a verb nor a path follows; where the '@' belongs to the reason, end with '@*'"
            ));
        }
        let word = rest.split([' ', '#']).next().unwrap_or_default();
        return Err(unknown("verb", word, &VERBS));
    }
    let tail = selector.unwrap_or(fault);
    let which = tail.rsplit_once('#').filter(|(_, which)| selector.is_some() || is_ordinal(which));
    Ok(match (selector, which) {
        (Some(_), Some((selector, which))) => (fault, Some(selector), Some(which)),
        (None, Some((fault, which))) => (fault, None, Some(which)),
        (selector, None) => (fault, selector, None),
    })
}

fn is_ordinal(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_digit() || c == '-')
}

const VERBS: [&str; 6] = ["GET", "POST", "PUT", "DELETE", "WRITE", "*"];

fn verbs(word: &str) -> Option<Verbs> {
    match word {
        "*" => Some(Verbs::Any),
        "WRITE" => Some(Verbs::Writes),
        _ => Verb::parse(word).map(Verbs::Only),
    }
}

/// `GET /nodes/*`, `GET`, `/nodes/*`
fn select(selector: &str) -> Result<(Verbs, String), BadText> {
    let (word, path) = match selector.split_once(' ') {
        Some((word, path)) => (word, path.trim()),
        None if selector.starts_with('/') => ("*", selector),
        None => (selector, "**"),
    };
    let Some(verbs) = verbs(word) else { return Err(unknown("verb", word, &VERBS)) };
    if !path.starts_with('/') && path != "**" && path != "*" {
        return bad(format!("'{path}': a path begins with '/', below /api2/json"));
    }
    let path = if path == "*" { "**" } else { path };
    if let Some(rest) = path.strip_prefix("/api2/json") {
        return bad(format!("'{path}': leave out the beginning '/api2/json': '{rest}'"));
    }
    Ok((verbs, path.to_owned()))
}

/// `2` = the second, `2-4`, `2-` = from the second on.
fn ordinals(text: &str) -> Result<(u32, Option<u32>), BadText> {
    let number = |part: &str| part.parse::<u32>().ok().filter(|number| *number > 0);
    let read = match text.split_once('-') {
        None => number(text).map(|one| (one, Some(one))),
        Some((first, "")) => number(first).map(|first| (first, None)),
        Some((first, last)) => number(first).zip(number(last)).map(|(first, last)| (first, Some(last))),
    };
    match read {
        Some((first, None)) => Ok((first - 1, None)),
        Some((first, Some(last))) if first <= last => Ok((first - 1, Some(last - first + 1))),
        _ => bad(format!(
            "'#{text}': which ones? '#1' is the first only, '#2-4' the second to the fourth, '#2-' all but the first"
        )),
    }
}

impl FromStr for Trouble {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Trouble, BadText> {
        let name = text.trim_start().split(['=', '@', '#', ' ']).next().unwrap_or_default().trim();
        if state::NAMES.contains(&name) {
            return text.parse::<State>().map(Trouble::State);
        }
        if names().any(|known| known == name) {
            return text.parse::<Rule>().map(Trouble::Rule);
        }
        let all: Vec<&str> = names().chain(state::NAMES).collect();
        Err(unknown("fault", name, &all))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Rule(rule) => rule.fmt(f),
            Trouble::State(state) => state.fmt(f),
        }
    }
}
