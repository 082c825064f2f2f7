//! A call that was forbidden: which privilege is missing on which path, and the commands that give it.
//!
//! What the API names is completed by what the facts demand of the call with its own values, less what the token has
//! on these paths, which the API tells it. Sends GETs of `/access` only.

use super::super::call::Call;
use super::super::clean;
use super::super::failure::FailureKind;
use super::grant::{self, Privileges, Role, Who};
use super::look;
use super::near;
use crate::client::PreparedRequest;
use crate::tool::Verb;
use proxmox_spec::Demand;
use std::collections::BTreeMap;

/// What is said of a 403.
pub async fn forbidden(call: &Call<'_>, request: &PreparedRequest, message: &str) -> (FailureKind, String) {
    let settings = &call.engine.settings;
    let token = settings.auth.id();
    let is_token = settings.auth.token_name().is_some();
    let who = if is_token { format!("The token `{token}`") } else { format!("The user `{token}`") };
    if message.contains("root@pam") && !is_token {
        let says = format!("Only root@pam itself may do this, and the login is `{token}`. A person does it.");
        return (FailureKind::Forbidden, says);
    }
    if message.contains("root@pam") {
        let says = format!(
            "Only root@pam with a password may do this; no API token ever can, also not `{token}`. A person does it in \
             the web interface or on the node."
        );
        return (FailureKind::Forbidden, says);
    }
    if message.contains("not available with API token") {
        let says = "The API refuses every token for this call; a person does it in the web interface.";
        return (FailureKind::Forbidden, says.to_owned());
    }
    // An unknown pool is told as a missing permission.
    if message.contains("' does not exist)")
        && let Some(says) = near::missing(call, request, message).await
    {
        return (FailureKind::NotFound, says);
    }
    let known = |name: &str| look::value(request, name);
    let route = proxmox_spec::route(request.verb, request.path());
    let permissions = route.as_ref().map(|route| route.method.permissions);
    let told = told(message);
    let ways = permissions.map(|permissions| permissions.ways(&known)).unwrap_or_default();
    let asked = route.as_ref().map(|route| asked(request, route)).unwrap_or_default();
    let demanded = ways.iter().flatten().chain(&told).chain(&asked);
    let held = held(call, demanded.map(|demand| demand.path.as_str()), None).await;
    let missing = missing(told.as_ref(), &ways, &asked, &held);
    if missing.is_empty() {
        let needed = permissions.map(|permissions| permissions.words_for(&known));
        let needed = needed.filter(|needed| !needed.is_empty()).unwrap_or_else(|| "more privileges".to_owned());
        let more = match is_token {
            true => format!(
                " --tokens '{token}' --roles ROLE`; with privilege separation its user `{}` needs them as well.",
                settings.auth.user()
            ),
            false => format!(" --users '{token}' --roles ROLE`."),
        };
        let says = format!(
            "{who} may not do this. The call needs: {needed}. Somebody with Permissions.Modify gives them to it with \
             `pveum acl modify PATH{more}"
        );
        return (FailureKind::Forbidden, says);
    }
    let on = |demand: &Demand| format!("{} on {}", list(demand), demand.path);
    let mut says = format!("{who} lacks {}.", look::and(&missing.iter().map(on).collect::<Vec<_>>()));
    if told.is_none() && held.values().all(Option::is_none) {
        says = format!("{who} lacks something of this: {}.", look::and(&missing.iter().map(on).collect::<Vec<_>>()));
    }
    if let Some(permissions) = permissions {
        let named = |name: &&&str| missing.iter().any(|demand| demand.privileges.iter().any(|one| one == **name));
        let more: Vec<&str> = permissions.privileges_in_code.iter().filter(|name| !named(name)).copied().collect();
        if !more.is_empty() {
            says.push_str(&format!(" The call may ask for more, case by case: {}.", look::some(&more, 8)));
        }
    }
    let unseen = |demand: &&Demand| {
        let seen = held.get(&demand.path).and_then(Option::as_ref).is_none_or(|held| !held.is_empty());
        !seen && ["/vms/", "/storage/"].iter().any(|root| demand.path.starts_with(root))
    };
    if let Some(demand) = missing.iter().find(unseen) {
        says.push_str(&format!(
            " It has no privilege on {} at all, and then the API says the same of what does not exist.",
            demand.path
        ));
    }
    says.push_str(&commands(call, &token, &missing, &held).await);
    (FailureKind::Forbidden, says)
}

/// What is said of who gives the privileges, and how.
async fn commands(call: &Call<'_>, token: &str, missing: &[Demand], held: &Held) -> String {
    let (user, is_token) = (call.engine.settings.auth.user(), call.engine.settings.auth.token_name().is_some());
    // A path with an open place cannot be written.
    let by_path = by_path(missing);
    if by_path.is_empty() {
        return String::new();
    }
    let paths: Vec<&str> = by_path.keys().map(String::as_str).collect();
    let known = roles(call).await;
    let (mut lines, mut kept, mut wider) = (Vec::new(), false, None);
    let mut add = |who: Who<'_>, path: &str, missing: &Privileges, held: &Privileges| {
        let given = grant::lines(who, path, missing, held, &known);
        lines.extend(given.lines);
        kept |= !given.kept.is_empty();
        wider = wider.take().or(given.wider);
    };
    let none = Privileges::new();
    for (path, privileges) in &by_path {
        let has = held.get(path).and_then(Option::as_ref).unwrap_or(&none);
        add(if is_token { Who::Token(token) } else { Who::User(user) }, path, privileges, has);
    }
    // What a user has is asked about for a token alone.
    let root = user == "root@pam" || !is_token;
    let of_user = if root { Held::new() } else { self::held(call, paths.iter().copied(), Some(user)).await };
    let mut lacks = Vec::new();
    for (path, privileges) in &by_path {
        if let Some(Some(has)) = of_user.get(path) {
            let less: Privileges = privileges.difference(has).cloned().collect();
            if !less.is_empty() {
                add(Who::User(user), path, &less, has);
                lacks.push(path.as_str());
            }
        }
    }
    let readable = of_user.values().any(Option::is_some);
    let mut says =
        format!("\nSomebody with Permissions.Modify there gives it, in a shell on a node:\n  {}", lines.join("\n  "));
    let mut more = Vec::new();
    if kept {
        more.push(
            "A role on a path takes the place of what is inherited from above, so what is there now is in it too."
                .to_owned(),
        );
    }
    if let Some((role, count)) = wider {
        more.push(format!("The smallest built-in role that has it is {role}, with {count} privileges."));
    }
    if !lacks.is_empty() {
        more.push(format!(
            "The user `{user}` lacks it as well, and a token with privilege separation has only what both have; \
             without privilege separation the lines for the user are enough."
        ));
    } else if !root && !readable {
        more.push(format!(
            "With privilege separation the user `{user}` needs it as well (whether it has it could not be read): the \
             same with `--users {user}`."
        ));
    }
    if !more.is_empty() {
        says.push('\n');
        says.push_str(&more.join(" "));
    }
    says
}

/// `A`, `A and B`, or `A or B` where one is enough.
fn list(demand: &Demand) -> String {
    if demand.any { demand.privileges.join(" or ") } else { look::and(&demand.privileges) }
}

/// The path and the privileges in the API's words: `Permission check failed (/vms/100, VM.Audit|VM.Monitor)`.
fn told(message: &str) -> Option<Demand> {
    let (_, rest) = message.split_once('(')?;
    let (path, privileges) = rest.rsplit_once(')')?.0.split_once(", ").filter(|(path, _)| path.starts_with('/'))?;
    let words = privileges.split('|').map(|word| clean::line(word, 60)).collect::<Vec<_>>();
    let good =
        |word: &String| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let any = words.len() > 1;
    words.iter().all(good).then(|| Demand { path: clean::line(path, 200), privileges: words, any })
}

/// Privileges by path; `None` = could not be read.
type Held = BTreeMap<String, Option<Privileges>>;

/// What the token has on these paths, or its user.
async fn held<'a>(call: &Call<'_>, paths: impl Iterator<Item = &'a str>, user: Option<&str>) -> Held {
    let mut held = Held::new();
    for path in paths.filter(|path| !path.contains('{')) {
        if held.contains_key(path) {
            continue;
        }
        let mut request = PreparedRequest::plain(Verb::Get, "/access/permissions").with("path", path);
        if let Some(user) = user {
            request = request.with("userid", user);
        }
        let answer = look::read(call, &request).await;
        let of_path = |answer: &serde_json::Value| {
            let paths = answer.as_object()?;
            let on = paths.get(path).or_else(|| paths.values().next().filter(|_| paths.len() == 1));
            Some(on.and_then(|on| on.as_object()).map(|on| on.keys().cloned().collect()).unwrap_or_default())
        };
        held.insert(path.to_owned(), answer.as_ref().and_then(of_path));
    }
    held
}

/// What the code of the method asks for by the request's parameters.
fn asked(request: &PreparedRequest, route: &proxmox_spec::Route) -> Vec<Demand> {
    let pairs = request.params.iter().flat_map(|param| param.values.iter().map(|value| (&*param.name, value.as_str())));
    let vmid = look::value(request, "vmid").unwrap_or_default();
    proxmox_spec::asked(route.method, &pairs.collect::<Vec<_>>(), &vmid)
}

/// What is missing: what the API said, what the nearest way of the facts needs besides, and what is asked for in code.
fn missing(told: Option<&Demand>, ways: &[Vec<Demand>], asked: &[Demand], held: &Held) -> Vec<Demand> {
    let lacks = |demand: &Demand| {
        let on = held.get(&demand.path).and_then(Option::as_ref);
        let lacks = |name: &&String| on.is_none_or(|on| !on.contains(*name));
        if demand.any {
            return demand.privileges.iter().all(|name| lacks(&name)).then(|| demand.clone());
        }
        let privileges: Vec<String> = demand.privileges.iter().filter(lacks).cloned().collect();
        (!privileges.is_empty()).then(|| Demand { privileges, ..demand.clone() })
    };
    let readable = held.values().any(Option::is_some);
    let of_way = |way: &Vec<Demand>| way.iter().filter_map(lacks).collect::<Vec<_>>();
    let fewest = |way: &Vec<Demand>| {
        let deepest = way.iter().map(|demand| demand.path.len()).min().unwrap_or_default();
        (way.len(), std::cmp::Reverse(deepest))
    };
    // What the API said is enough where nobody can tell what the token has.
    let way = ways.iter().map(of_way).min_by_key(fewest).filter(|_| readable || told.is_none()).unwrap_or_default();
    let mut missing = way;
    if let Some(told) = told {
        let covers = |demand: &Demand| {
            demand.path == told.path && told.privileges.iter().any(|name| demand.privileges.contains(name))
        };
        if !missing.iter().any(covers) {
            missing.insert(0, told.clone());
        }
    }
    if readable {
        missing.extend(asked.iter().filter_map(lacks));
    }
    // One of several is given by what is needed anyway.
    let sure: Vec<Demand> = missing.iter().filter(|demand| !demand.any).cloned().collect();
    let given = |demand: &Demand| {
        let has = |name: &String| sure.iter().any(|one| one.path == demand.path && one.privileges.contains(name));
        demand.any && demand.privileges.iter().any(has)
    };
    let mut joined: Vec<Demand> = Vec::new();
    for demand in missing.into_iter().filter(|demand| !given(demand)) {
        let same =
            joined.iter_mut().find(|one| **one == demand || (one.path == demand.path && !one.any && !demand.any));
        let Some(one) = same else {
            joined.push(demand);
            continue;
        };
        let more: Vec<String> = demand.privileges.into_iter().filter(|name| !one.privileges.contains(name)).collect();
        one.privileges.extend(more);
    }
    joined
}

/// By path what has to be given: of several privileges of which one is enough, the one that allows least.
fn by_path(missing: &[Demand]) -> BTreeMap<String, Privileges> {
    let mut by_path = BTreeMap::<String, Privileges>::new();
    for demand in missing.iter().filter(|demand| !demand.path.contains('{')) {
        let privileges = by_path.entry(demand.path.clone()).or_default();
        if demand.any {
            let least = demand.privileges.iter().find(|name| name.ends_with(".Audit")).or(demand.privileges.first());
            privileges.extend(least.cloned());
        } else {
            privileges.extend(demand.privileges.iter().cloned());
        }
    }
    by_path
}

/// The roles of the cluster; empty if they cannot be read.
async fn roles(call: &Call<'_>) -> Vec<Role> {
    let rows = look::rows(call, &PreparedRequest::plain(Verb::Get, "/access/roles")).await.unwrap_or_default();
    let role = |row: &serde_json::Map<String, serde_json::Value>| {
        let privileges = look::text(row, "privs").unwrap_or_default();
        let names = privileges.split([',', ' ', ';']).filter(|name| !name.is_empty());
        let built_in = look::text(row, "special").is_some_and(|special| special == "1");
        Some(Role { id: look::text(row, "roleid")?, built_in, privileges: names.map(str::to_owned).collect() })
    };
    rows.iter().filter_map(role).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(path: &str, privileges: &[&str], any: bool) -> Demand {
        Demand { path: path.to_owned(), privileges: privileges.iter().map(|one| (*one).to_owned()).collect(), any }
    }

    fn on(path: &str, names: &[&str]) -> Held {
        Held::from([(path.to_owned(), Some(names.iter().map(|name| (*name).to_owned()).collect()))])
    }

    #[test]
    fn the_api_names_path_and_privilege() {
        assert_eq!(
            told("Permission check failed (/vms/100, VM.PowerMgmt)"),
            Some(demand("/vms/100", &["VM.PowerMgmt"], false))
        );
        assert_eq!(told("Permission check failed (/, A.B|C.D)"), Some(demand("/", &["A.B", "C.D"], true)));
        for other in ["Permission check failed", "", "Permission check failed (user != root@pam)", "x (, VM.Audit)"] {
            assert_eq!(told(other), None, "{other}");
        }
        assert_eq!(told("failed (/vms/1, VM.Audit; rm -rf /)"), None, "no command is made of what is no privilege");
    }

    #[test]
    fn the_way_with_the_least_missing_is_told_and_what_the_api_said_first() {
        let ways = [
            vec![demand("/vms/100", &["VM.Clone"], false), demand("/vms/200", &["VM.Allocate"], false)],
            vec![demand("/vms/100", &["VM.Clone"], false), demand("/pool/web", &["VM.Allocate"], false)],
        ];
        let held = on("/pool/web", &["VM.Allocate"]);
        let said = demand("/vms/100", &["VM.Clone"], false);
        assert_eq!(missing(Some(&said), &ways, &[], &held), std::slice::from_ref(&said));
        let other = demand("/storage/a", &["Datastore.AllocateSpace"], false);
        assert_eq!(missing(Some(&other), &ways, &[], &held), [other.clone(), said]);
        assert_eq!(missing(Some(&other), &ways, &[], &Held::from([("/vms/100".to_owned(), None)])), [other]);
    }

    #[test]
    fn what_the_parameters_take_is_told_in_the_place_of_a_choice() {
        let names = ["VM.Config.Disk", "VM.Config.CPU", "VM.Config.Memory"];
        let choice = demand("/vms/100", &names, true);
        let asked = [demand("/vms/100", &["VM.Config.CPU"], false), demand("/vms/100", &["VM.Config.Memory"], false)];
        let ways = [vec![choice.clone()]];
        let both = demand("/vms/100", &["VM.Config.CPU", "VM.Config.Memory"], false);
        assert_eq!(missing(Some(&choice), &ways, &asked, &on("/vms/100", &["VM.Audit"])), [both]);
    }

    #[test]
    fn of_several_the_one_that_allows_least_is_given() {
        let given =
            by_path(&[demand("/vms/100", &["VM.Config.Disk", "VM.Audit"], true), demand("/a/{b}", &["C.D"], false)]);
        assert_eq!(given, BTreeMap::from([("/vms/100".to_owned(), Privileges::from(["VM.Audit".to_owned()]))]));
    }
}
