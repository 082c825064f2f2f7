//! Something that does not exist: which ones there are, and which of them was probably meant.
//!
//! Knows where the API lists what its messages name. Sends one GET, and says nothing if that brings nothing.

use super::super::call::Call;
use super::super::clean;
use super::look;
use crate::client::PreparedRequest;
use crate::tool::Verb;

/// So many names are shown.
const SHOWN: usize = 10;
/// The longest name that is shown, in characters.
const NAME: usize = 120;

/// A sort of thing: the word before its quoted name, what people call it, where it is listed, and under which field.
struct Sort {
    word: &'static str,
    noun: &'static str,
    /// Segments; `{node}` and the like stand for values of the request.
    list: &'static str,
    field: &'static str,
}

const fn sort(word: &'static str, noun: &'static str, list: &'static str, field: &'static str) -> Sort {
    Sort { word, noun, list, field }
}

/// Longer words first: `security group` is no `group`. Texts as a real server gave them.
const SORTS: [Sort; 16] = [
    sort("security group", "security group", "/cluster/firewall/groups", "group"),
    sort("replication job", "replication job", "/cluster/replication", "id"),
    sort("cluster node", "node", "/nodes", "node"),
    sort("node", "node", "/nodes", "node"),
    sort("storage", "storage", "/nodes/{node}/storage", "storage"),
    sort("storage", "storage", "/storage", "storage"),
    sort("snapshot", "snapshot", "/nodes/{node}/{kind}/{vmid}/snapshot", "name"),
    sort("pool", "pool", "/pools", "poolid"),
    sort("bridge", "bridge", "/nodes/{node}/network", "iface"),
    sort("user", "user", "/access/users", "userid"),
    sort("group", "group", "/access/groups", "groupid"),
    sort("role", "role", "/access/roles", "roleid"),
    sort("domain", "realm", "/access/domains", "realm"),
    sort("resource", "resource of high availability", "/cluster/ha/resources", "sid"),
    sort("sdn", "zone", "/cluster/sdn/zones", "zone"),
    sort("job", "backup job", "/cluster/backup", "id"),
];

/// What is said of the thing that does not exist by this message of the API or of a task.
pub async fn missing(call: &Call<'_>, request: &PreparedRequest, message: &str) -> Option<String> {
    let lower = message.to_lowercase();
    if !["not exist", "no such", "not found"].iter().any(|words| lower.contains(words)) {
        return None;
    }
    // The one message that names nothing.
    if lower.contains("no such storage") {
        let name = look::value(request, "storage")?;
        return of_word(call, request, "storage", &name).await;
    }
    let (before, name) = quoted(message)?;
    if before.ends_with("volume") {
        return volume(call, request, name).await;
    }
    if before.ends_with("disk") {
        return disk(call, request, name).await;
    }
    let known = SORTS.iter().find(|sort| before.ends_with(sort.word));
    // What the path itself names is listed one level above.
    if let Some(says) = above(call, request, name, known.map(|sort| sort.noun)).await {
        return Some(says);
    }
    of_word(call, request, known?.word, name).await
}

/// The first name in quotes, and the text before it in small letters: `storage`, `no such user`.
fn quoted(message: &str) -> Option<(String, &str)> {
    let (before, rest) = message.split_once('\'')?;
    let name = rest.split_once('\'')?.0;
    let before = before.trim_end().trim_end_matches('(').trim_end().to_lowercase();
    (!name.is_empty() && name.len() <= 256).then_some((before, name))
}

async fn of_word(call: &Call<'_>, request: &PreparedRequest, word: &str, name: &str) -> Option<String> {
    for sort in SORTS.iter().filter(|sort| sort.word == word) {
        let Some(list) = filled(request, sort.list) else { continue };
        let Some(rows) = look::rows(call, &list).await else { continue };
        let bridges = |row: &serde_json::Map<String, serde_json::Value>| {
            sort.word != "bridge" || look::text(row, "type").is_some_and(|kind| kind.to_lowercase().contains("bridge"))
        };
        let names = rows.iter().filter(|row| bridges(row)).filter_map(|row| look::text(row, sort.field));
        let names = names.filter(|name| sort.word != "snapshot" || name != "current").collect();
        return Some(there_are(sort.noun, name, &whose(&list, sort.list), names));
    }
    None
}

/// The rows of the path above, if its last part is the name and they say their names under the same field.
async fn above(call: &Call<'_>, request: &PreparedRequest, name: &str, noun: Option<&str>) -> Option<String> {
    let route = proxmox_spec::route(request.verb, request.path())?;
    let (param, value) = route.params.last()?;
    let (parent, last) = route.method.path.rsplit_once('/')?;
    if value != name || last.strip_prefix('{').and_then(|last| last.strip_suffix('}')) != Some(*param) {
        return None;
    }
    let row = proxmox_spec::find(Verb::Get, parent)?.returns.items?;
    let field = [*param, "name", "id"].into_iter().find(|field| row.field(field).is_some())?;
    let (above, _) = request.path().strip_suffix(value.as_str())?.rsplit_once('/')?;
    let list = look::get(&above.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>())?;
    let rows = look::rows(call, &list).await?;
    let names = rows.iter().filter_map(|row| look::text(row, field)).filter(|name| name != "current").collect();
    Some(there_are(noun.unwrap_or("such entry"), name, &whose(&list, parent), names))
}

/// A volume: others of its sort on its storage.
async fn volume(call: &Call<'_>, request: &PreparedRequest, volid: &str) -> Option<String> {
    let (storage, rest) = volid.split_once(':')?;
    let node = look::value(request, "node")?;
    let list = look::get(&["nodes", &node, "storage", storage, "content"])?;
    let rows = look::rows(call, &list).await?;
    let same = |other: &String| match rest.split_once('/') {
        Some((sort, _)) => other.starts_with(&format!("{storage}:{sort}/")),
        None => true,
    };
    let names = rows.iter().filter_map(|row| look::text(row, "volid")).filter(same).collect();
    Some(there_are("volume", volid, &format!(" of its sort on `{storage}`"), names))
}

/// A disk of a guest: those in its configuration.
async fn disk(call: &Call<'_>, request: &PreparedRequest, name: &str) -> Option<String> {
    let (node, kind, vmid) = look::guest(request)?;
    let config = look::read(call, &look::get(&["nodes", &node, kind, &vmid, "config"])?).await?;
    let method = proxmox_spec::find(Verb::Put, &format!("/nodes/{{node}}/{kind}/{{vmid}}/config"))?;
    let is_disk = |name: &String| {
        let keys = method.param(name).map(|param| param.keys).unwrap_or_default();
        keys.iter().any(|key| key.names == Some(proxmox_spec::Names::Volume))
    };
    let mut names: Vec<String> = config.as_object()?.keys().filter(|name| is_disk(name)).cloned().collect();
    names.sort();
    Some(there_are("disk", name, &format!(" on guest {vmid}"), names))
}

/// `There is no storage `x` on pve1. Did you mean `y`? There are: …`
fn there_are(noun: &str, name: &str, whose: &str, names: Vec<String>) -> String {
    let shown = clean::line(name, NAME);
    let mut names: Vec<String> = names.into_iter().map(|name| clean::line(&name, NAME)).collect();
    names.sort();
    names.dedup();
    // It exists by now, or for somebody else.
    if names.contains(&shown) {
        return format!("There is a {noun} `{shown}`{whose} now: look again.");
    }
    let mut says = format!("There is no {noun} `{shown}`{whose} that this token can see.");
    let near = proxmox_spec::nearest(&shown, names.iter().map(String::as_str));
    if let Some(near) = near {
        says.push_str(&format!(" Did you mean `{near}`?"));
    }
    if names.is_empty() {
        says.push_str(" It sees none at all.");
    } else {
        says.push_str(&format!(" There are: {}.", look::some(&names, SHOWN)));
    }
    says
}

/// The list's path with the values of the request.
fn filled(request: &PreparedRequest, list: &str) -> Option<PreparedRequest> {
    let kind = || look::guest(request).map(|(_, kind, _)| kind.to_owned());
    let segments = list.split('/').filter(|part| !part.is_empty()).map(|part| {
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            None => Some(part.to_owned()),
            Some("kind") => kind(),
            Some(name) => look::value(request, name),
        }
    });
    let segments: Vec<String> = segments.collect::<Option<_>>()?;
    look::get(&segments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Where it was looked for: ` on node pve1`, ` of guest 100`.
fn whose(list: &PreparedRequest, template: &str) -> String {
    let part = |index: usize| list.path().split('/').filter(|part| !part.is_empty()).nth(index).unwrap_or_default();
    if template.contains("{vmid}") {
        format!(" of guest {}", part(3))
    } else if template.contains("{node}") {
        format!(" on node {}", part(1))
    } else {
        String::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_and_the_word_before_it_are_found() {
        for (message, before, name) in [
            ("storage 'x' does not exist", "storage", "x"),
            ("no such user ('a@pve')", "no such user", "a@pve"),
            ("Permission check failed (pool 'web' does not exist)", "permission check failed (pool", "web"),
        ] {
            assert_eq!(quoted(message), Some((before.to_owned(), name)), "{message}");
        }
        assert_eq!(quoted("can't do it"), None);
    }

    #[test]
    fn a_near_name_is_offered_and_many_are_cut() {
        let names = |count: usize| (0..count).map(|number| format!("local-{number:02}")).collect::<Vec<_>>();
        let says = there_are("storage", "local-0l", " on node a", names(12));
        assert!(
            says.starts_with("There is no storage `local-0l` on node a") && says.contains("Did you mean"),
            "{says}"
        );
        assert!(says.ends_with("local-09 and 2 more."), "{says}");
        assert!(there_are("pool", "a", "", Vec::new()).contains("none at all"));
    }
}
