//! What a version lacks: the facts know since when a method or a parameter is there, and the host tells its own.
//!
//! Knows versions such as `9.2.11`. Sends one GET, of the version of the node that answered.

use super::super::call::Call;
use super::super::clean;
use super::look;
use crate::client::{PreparedRequest, Rejection};
use crate::tool::Verb;
use proxmox_spec::{Method, Param};

/// A call that the host does not know.
pub async fn unknown_call(call: &Call<'_>, request: &PreparedRequest) -> String {
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else {
        return "The API has no such call.".to_owned();
    };
    let there = format!("This Proxmox VE does not have the call; it is there since version {}", route.method.since);
    match host(call, request).await {
        Some(host) if older(&host, route.method.since) => {
            format!("{there}, and {} runs {}. Only an upgrade brings it.", place(request), host)
        }
        Some(host) => format!(
            "{there}. {} runs {host}, which should have it: does something else answer in its place, such as a proxy?",
            capital(&place(request))
        ),
        None => format!("{there}."),
    }
}

/// What is said of parameters that the host does not know; `None` if there are none.
pub async fn unknown_parameters(call: &Call<'_>, request: &PreparedRequest, rejection: &Rejection) -> Option<String> {
    let method = proxmox_spec::route(request.verb, request.path())?.method;
    let names: Vec<String> = rejection.errors.iter().flat_map(|(param, says)| unknown(param, says)).collect();
    if names.is_empty() {
        return None;
    }
    let host = host(call, request).await;
    let says: Vec<String> =
        names.iter().map(|name| parameter(method, name, host.as_deref(), &place(request))).collect();
    Some(says.join(" "))
}

/// The names that an error says are not known: the parameter, or keys of its value (`scsi0.foo`).
fn unknown(param: &str, says: &str) -> Vec<String> {
    const WORDS: &str = "property is not defined in schema";
    let mut pieces: Vec<&str> = says.split(WORDS).collect();
    pieces.pop();
    let name = |before: &&str| match before.split_whitespace().next_back() {
        None => Some(param.to_owned()),
        Some(last) => last.strip_suffix(':').map(str::to_owned),
    };
    pieces.iter().filter_map(name).collect()
}

fn parameter(method: &'static Method, name: &str, host: Option<&str>, place: &str) -> String {
    let (base, key) = name.split_once('.').map_or((name, None), |(base, key)| (base, Some(key)));
    let param = method.param(base);
    let found: Option<&Param> = match (param, key) {
        (Some(param), Some(key)) => param.key(key),
        (found, None) => found,
        (None, Some(_)) => None,
    };
    let shown = clean::line(name, 80);
    let Some(found) = found else {
        let known = param.filter(|_| key.is_some()).map_or(method.params, |param| param.keys);
        let near = proxmox_spec::nearest(key.unwrap_or(base), known.iter().map(|param| param.name));
        let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
        return format!("`{shown}` does not exist in any version that is known here.{near}");
    };
    // What has no version of its own is as old as what it belongs to.
    let since = found.since.or(param.and_then(|param| param.since)).unwrap_or(method.since);
    match host {
        Some(host) if older(host, since) => {
            format!("`{shown}` is there since version {since}, and {place} runs {host}: leave it out.")
        }
        Some(host) => {
            format!("`{shown}` is there since version {since}, and {place} runs {host}, which should know it.")
        }
        None => format!("`{shown}` is there since version {since}, so this Proxmox VE may be older."),
    }
}

/// Is the host of a lower version than that? A version that cannot be read is not.
fn older(host: &str, since: &str) -> bool {
    let numbers = |text: &str| -> Option<Vec<u32>> {
        let digits = |part: &str| part.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok();
        text.split(['.', '-', '~']).take(2).map(digits).collect()
    };
    matches!((numbers(host), numbers(since)), (Some(host), Some(since)) if host < since)
}

/// The version of the node that the path names, or of the one that is asked.
async fn host(call: &Call<'_>, request: &PreparedRequest) -> Option<String> {
    let of_node = node(request).and_then(|node| look::get(&["nodes", &node, "version"]));
    let of_node = match of_node {
        Some(of_node) => look::read(call, &of_node).await,
        None => None,
    };
    let answer = match of_node {
        Some(answer) => answer,
        None => look::read(call, &PreparedRequest::plain(Verb::Get, "/version")).await?,
    };
    let version = answer.as_object().and_then(|answer| look::text(answer, "version"))?;
    Some(clean::line(&version, 20))
}

fn node(request: &PreparedRequest) -> Option<String> {
    let route = proxmox_spec::route(request.verb, request.path())?;
    route.params.into_iter().find(|(name, _)| *name == "node").map(|(_, node)| node)
}

fn place(request: &PreparedRequest) -> String {
    node(request).map_or_else(|| "the host".to_owned(), |node| format!("the node `{}`", clean::line(&node, 64)))
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (host, since, is) in [
            ("8.1.4", "8.2", true),
            ("8.10.1", "8.2", false),
            ("8.2.0", "8.2", false),
            ("7.4-3", "8.0", true),
            ("9.0.0~1", "9.1", true),
            ("next", "9.1", false),
        ] {
            assert_eq!(older(host, since), is, "{host} {since}");
        }
    }

    #[test]
    fn names_are_found_in_the_parameter_and_in_its_value() {
        let plain = "property is not defined in schema and the schema does not allow additional properties";
        assert_eq!(unknown("foo", plain), ["foo"]);
        let nested = format!("invalid format - format error\nscsi0.foo: {plain} scsi0.bar: {plain}");
        assert_eq!(unknown("scsi0", &nested), ["scsi0.foo", "scsi0.bar"]);
        assert!(unknown("foo", "type check ('integer') failed").is_empty());
    }

    #[test]
    fn a_parameter_is_told_by_the_version_that_brought_it() {
        let method = proxmox_spec::find(Verb::Put, "/nodes/{node}/qemu/{vmid}/config").expect("a method");
        let young =
            method.params.iter().filter_map(|param| Some((param.name, param.since?))).next().expect("a young one");
        let says = parameter(method, young.0, Some("6.4.1"), "the node `a`");
        assert!(says.contains(young.1) && says.contains("runs 6.4.1: leave it out"), "{says}");
        let says = parameter(method, "scsi0.discardd", Some("9.2.1"), "the node `a`");
        assert!(says.contains("`discard`?"), "{says}");
        let says = parameter(method, "memry", None, "the node `a`");
        assert!(says.contains("`memory`?"), "{says}");
    }
}
