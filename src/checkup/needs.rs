//! Which privileges a tool needs on which paths, from the facts: the least that its calls can do with.
//!
//! Pure. Knows the facts' permission expressions and what methods ask in their own code. Must not know who has which
//! privilege. Source of the expressions' meaning: pve-access-control `RPCEnvironment.pm`, `check_api2_permissions`.

pub use super::asks::Weight;
use super::asks::{self, When};
use crate::tool::{Beside, Form, Kind, Tool, Verb};
use proxmox_spec::{Check, Demand, Method, Permissions};

/// A path that stands for every path.
pub const ANYWHERE: &str = "*";

/// Something that a call needs: one of the ways, each of which is all of its demands. A way without demands is open to
/// everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub weight: Weight,
    pub ways: Vec<Vec<Demand>>,
}

/// What one route of a tool needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteNeeds {
    pub verb: Verb,
    /// The facts' path template.
    pub path: &'static str,
    /// The kind of guest that it is for.
    pub kind: Option<Kind>,
    /// Who is refused whatever he holds.
    pub closed: Option<Closed>,
    pub needs: Vec<Need>,
}

/// Calls that no privilege opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// To everybody but root@pam with a password.
    ButRoot,
    /// To every token.
    ToTokens,
}

/// What the tool needs, route by route. Empty for a tool whose requests are known only when it is called.
pub fn of(tool: &Tool) -> Vec<RouteNeeds> {
    let route = |route: &crate::tool::Route| {
        let method = proxmox_spec::find(route.verb, route.path)?;
        let mut needs = of_method(method, route.always, tool);
        for beside in tool.beside {
            add_all(&mut needs, of_beside(beside, tool));
        }
        let closed = closed(method);
        Some(RouteNeeds { verb: route.verb, path: route.path, kind: route.kind, closed, needs })
    };
    tool.routes.iter().filter_map(route).collect()
}

/// Whom nothing helps.
pub fn closed(method: &Method) -> Option<Closed> {
    let permissions = method.permissions;
    let nobody = permissions.user.is_none() && permissions.check.is_none();
    if permissions.root_only || nobody {
        Some(Closed::ButRoot)
    } else if !method.allow_token {
        Some(Closed::ToTokens)
    } else {
        None
    }
}

fn of_beside(beside: &Beside, tool: &Tool) -> Vec<Need> {
    let Some(method) = proxmox_spec::find(Verb::Get, beside.path) else { return Vec::new() };
    let mut needs = of_method(method, beside.always, tool);
    if !beside.needed {
        for need in &mut needs {
            need.weight = need.weight.max(Weight::Some);
        }
    }
    needs
}

/// `always` are the parameters that are sent whatever the arguments are.
fn of_method(method: &'static Method, always: &[(&str, Option<&str>)], tool: &Tool) -> Vec<Need> {
    let mut needs = Vec::new();
    let ways = declared(method.permissions);
    if !ways.iter().any(Vec::is_empty) && !ways.is_empty() {
        needs.push(Need { weight: Weight::Must, ways });
    }
    for ask in asks::of(method.verb, method.path) {
        let Some(weight) = weight(ask, always, tool) else { continue };
        let demand = |(path, privileges): &asks::On| demand(path, privileges, false);
        let ways = ask.ways.iter().map(|way| way.iter().map(demand).collect()).collect();
        add_all(&mut needs, vec![Need { weight, ways }]);
    }
    add_all(&mut needs, by_options(method, always, tool));
    needs
}

/// How much a row counts for a tool that sends these parameters; `None` = it never applies.
fn weight(ask: &asks::Ask, always: &[(&str, Option<&str>)], tool: &Tool) -> Option<Weight> {
    let sent = |name: &str| always.iter().find(|(one, _)| *one == name);
    match ask.when {
        When::Always => Some(ask.weight),
        When::Given(name) if sent(name).is_some() => Some(ask.weight),
        // A parameter that has an argument of its own is of the usual sort.
        When::Given(name) if takes(tool, name) => Some(Weight::Some),
        When::Given(_) if ask.weight == Weight::Rare && takes_rest(tool) => Some(Weight::Rare),
        When::Given(_) => None,
        When::Absent(name) => sent(name).is_none().then_some(ask.weight),
        When::Is(name, value) => match sent(name) {
            Some((_, Some(other))) if *other != value => None,
            _ => Some(ask.weight),
        },
        When::Only(name, value) => matches!(sent(name), Some((_, Some(one))) if *one == value).then_some(ask.weight),
    }
}

fn takes(tool: &Tool, param: &str) -> bool {
    tool.arguments.iter().any(|one| one.form != Form::Rest && one.rule.fact.is_some_and(|fact| fact.param == param))
}

fn takes_rest(tool: &Tool) -> bool {
    tool.arguments.iter().any(|argument| argument.form == Form::Rest)
}

/// What the options of a guest take that the tool can send. Each of them is for some calls.
fn by_options(method: &'static Method, always: &[(&str, Option<&str>)], tool: &Tool) -> Vec<Need> {
    // A value for each sort of drive and card: new volume, installer, cloud-init, plain bridge.
    const VALUES: [&str; 5] = ["", "{storage}:1", "none,media=cdrom", "{storage}:cloudinit", "virtio,bridge=vmbr0"];
    let restores = always.iter().any(|(name, _)| ["archive", "restore"].contains(name));
    let rest = takes_rest(tool);
    let mut needs = Vec::new();
    for param in method.params.iter().filter(|_| !restores) {
        if !(rest || takes(tool, param.name) || always.iter().any(|(name, _)| *name == param.name)) {
            continue;
        }
        let name = param.name.replace("[n]", "0");
        for value in VALUES {
            for demand in proxmox_spec::asked(method, &[(name.as_str(), value)], "{vmid}") {
                let one = |privilege: &String| {
                    vec![Demand { privileges: vec![privilege.clone()], any: false, ..demand.clone() }]
                };
                let ways = demand.privileges.iter().map(one).collect();
                add_all(&mut needs, vec![Need { weight: Weight::Some, ways }]);
            }
        }
    }
    needs
}

/// Joins needs: the same one once, with the greater weight of the two.
fn add_all(needs: &mut Vec<Need>, more: Vec<Need>) {
    for need in more {
        match needs.iter_mut().find(|known| known.ways == need.ways) {
            Some(known) => known.weight = known.weight.min(need.weight),
            None => needs.push(need),
        }
    }
}

/// The ways of the facts' expression. One without demands is open to everybody; none at all = open to nobody but root.
pub fn declared(permissions: &Permissions) -> Vec<Vec<Demand>> {
    match (permissions.user, permissions.check) {
        (Some("world" | "all"), _) => vec![Vec::new()],
        (_, Some(check)) => ways(check),
        (_, None) => Vec::new(),
    }
}

fn ways(check: &Check) -> Vec<Vec<Demand>> {
    match check {
        Check::Or(parts) => parts.iter().flat_map(ways).collect(),
        Check::And(parts) => parts.iter().fold(vec![Vec::new()], |all, part| {
            let also = ways(part);
            all.iter().flat_map(|one| also.iter().map(|more| [one.as_slice(), more].concat())).collect()
        }),
        Check::Perm { path, privileges, any, .. } => vec![vec![demand(path, privileges, *any)]],
        Check::Other { name, arguments } => others(name, arguments),
    }
}

/// The forms of their own. One that is not known counts as open: nothing is hidden by a guess.
fn others(name: &str, arguments: &[&str]) -> Vec<Vec<Demand>> {
    let first = arguments.first().copied().unwrap_or_default();
    let list: Vec<&str> = first.split(',').collect();
    match name {
        // About oneself. A token is nobody's self, and no call is refused for that alone: its user is asked for instead.
        "userid-param" if first == "self" => vec![vec![demand(SELF, &[], false)]],
        "userid-param" => vec![vec![demand("/access/realm/{realm}", &list, false)]],
        "userid-group" => {
            vec![vec![demand("/access/groups", &list, true)], vec![demand("/access/groups/{group}", &list, true)]]
        }
        "perm-modify" => {
            let path = if first.contains('{') { ANYWHERE } else { first };
            let on = |root: &str, own: &str, privilege: &str| {
                (path == ANYWHERE || path.starts_with(root)).then(|| {
                    let path = if path == ANYWHERE { own } else { path };
                    vec![demand(path, &[privilege], false)]
                })
            };
            let other = [
                on("/storage/", "/storage/{storage}", "Datastore.Allocate"),
                on("/vms/", "/vms/{vmid}", "VM.Allocate"),
                on("/pool/", "/pool/{pool}", "Pool.Allocate"),
            ];
            let modify = vec![demand(path, &["Permissions.Modify"], false)];
            std::iter::once(modify).chain(other.into_iter().flatten()).collect()
        }
        _ => vec![Vec::new()],
    }
}

/// The path of a demand that somebody meets who is the user that the call is about.
pub const SELF: &str = "self";

fn demand(path: &str, privileges: &[&str], any: bool) -> Demand {
    let privileges: Vec<String> = privileges.iter().map(|one| (*one).to_owned()).collect();
    Demand { path: path.to_owned(), any: any && privileges.len() > 1, privileges }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn needs(tool: &str) -> Vec<RouteNeeds> {
        of(catalogue::surface(tool).expect("a tool").tool)
    }

    fn said(need: &Need) -> String {
        let demand = |one: &Demand| format!("{}@{}", one.privileges.join(if one.any { "|" } else { "+" }), one.path);
        let way = |way: &Vec<Demand>| way.iter().map(demand).collect::<Vec<_>>().join(" & ");
        need.ways.iter().map(way).collect::<Vec<_>>().join(" or ")
    }

    fn of_weight(tool: &str, weight: Weight) -> Vec<String> {
        let mut all: Vec<String> =
            needs(tool).iter().flat_map(|route| &route.needs).filter(|need| need.weight == weight).map(said).collect();
        all.sort();
        all.dedup();
        all
    }

    #[test]
    fn an_expression_of_the_facts_is_needed_by_every_call() {
        assert_eq!(of_weight("start_guest", Weight::Must), ["VM.PowerMgmt@/vms/{vmid}"]);
        assert_eq!(of_weight("get_cluster_status", Weight::Must), ["Sys.Audit@/"]);
        assert_eq!(
            of_weight("clone_guest", Weight::Must),
            ["VM.Clone@/vms/{vmid} & VM.Allocate@/vms/{newid} or VM.Clone@/vms/{vmid} & VM.Allocate@/pool/{pool}",]
        );
        assert!(of_weight("get_version", Weight::Must).is_empty());
    }

    #[test]
    fn lists_need_what_shows_their_rows() {
        assert_eq!(of_weight("list_guests", Weight::Shows), ["VM.Audit@/vms/{vmid}"]);
        assert_eq!(
            of_weight("list_backups", Weight::Shows),
            [
                "Datastore.AllocateSpace@/storage/{storage} & VM.Backup@/vms/{vmid} or Datastore.Allocate@/storage/{storage}"
            ]
        );
        assert!(of_weight("get_storage_content", Weight::Shows).is_empty());
        // Who says node and kind of a guest needs no list of guests.
        assert_eq!(of_weight("start_guest", Weight::Some), ["VM.Audit@/vms/{vmid}"]);
    }

    #[test]
    fn what_stands_in_the_code_is_needed_by_the_calls_that_it_is_about() {
        assert_eq!(
            of_weight("create_backup", Weight::Must),
            ["Datastore.AllocateSpace@/storage/{storage}", "VM.Backup@/vms/{vmid}"]
        );
        assert!(!of_weight("create_backup", Weight::Some).iter().any(|need| need.contains("Sys.Modify")));
        assert_eq!(of_weight("stop_task", Weight::Rare), ["Sys.Modify@/nodes/{node}"]);
        let options = of_weight("update_guest_config", Weight::Some).join("\n");
        for privilege in ["VM.Config.CPU", "VM.Config.Memory", "VM.Config.Disk", "VM.Config.Options"] {
            assert!(options.contains(privilege), "{privilege} in {options}");
        }
        let restore = of_weight("restore_backup", Weight::Must).join("\n");
        assert!(restore.contains("VM.Allocate") && restore.contains("Datastore.AllocateSpace"), "{restore}");
    }

    #[test]
    fn every_form_of_the_facts_has_a_meaning() {
        fn walk(check: &Check) {
            match check {
                Check::And(parts) | Check::Or(parts) => parts.iter().for_each(walk),
                Check::Other { name, .. } => {
                    assert!(["perm-modify", "userid-param", "userid-group"].contains(name), "{name}");
                }
                Check::Perm { .. } => {}
            }
        }
        proxmox_spec::methods().iter().filter_map(|method| method.permissions.check).for_each(walk);
        let of = |verb, path| declared(proxmox_spec::find(verb, path).expect("a method").permissions);
        let acl = proxmox_spec::find(Verb::Put, "/access/acl").expect("a method");
        let said: Vec<String> = declared(acl.permissions)
            .into_iter()
            .map(|way| said(&Need { weight: Weight::Must, ways: vec![way] }))
            .collect();
        assert_eq!(said[0], "Permissions.Modify@*");
        assert!(said.contains(&"VM.Allocate@/vms/{vmid}".to_owned()), "{said:?}");
        assert_eq!(of(Verb::Get, "/version"), [Vec::<Demand>::new()]);
        assert_eq!(closed(proxmox_spec::find(Verb::Get, "/version").expect("a method")), None);
    }
}
