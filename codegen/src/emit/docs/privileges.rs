//! What the API demands of a caller, in words: the permission expressions of the facts.

use super::since;
use crate::catalogue::{Catalogue, Guard, Locate, Tool};
use proxmox_spec::{Method, Verb};
use std::collections::BTreeSet;

/// Every privilege that some call of a tool can need, sorted.
pub fn all(catalogue: &Catalogue, tool: &Tool) -> BTreeSet<&'static str> {
    methods(catalogue, tool).into_iter().flat_map(names).collect()
}

/// The privileges that a method names, in its check or in its body.
pub fn names(method: &'static Method) -> impl Iterator<Item = &'static str> {
    let permissions = method.permissions;
    permissions.privileges.iter().chain(permissions.privileges_in_code).copied()
}

/// Every method that a call of a tool can send: its own, the reads around it, and what is polled.
fn methods(catalogue: &Catalogue, tool: &Tool) -> Vec<&'static Method> {
    let mut list: Vec<&'static Method> = Vec::new();
    for route in &tool.routes {
        list.push(route.request.method);
        list.extend(route.also.iter().map(|also| also.request.method));
    }
    list.extend(around(tool).into_iter().map(|(method, _)| method));
    for waiter in catalogue.waiters.iter().filter(|waiter| Some(&waiter.name) == tool.waiter.as_ref()) {
        list.push(waiter.poll);
        list.extend(waiter.log);
    }
    list
}

/// The reads before a tool's own request, each with why it is made.
pub fn around(tool: &Tool) -> Vec<(&'static Method, String)> {
    let mut list = Vec::new();
    if matches!(tool.locate, Locate::Guest) {
        list.extend(find("/cluster/resources").map(|method| (method, "finds the guest's node and kind".to_owned())));
    }
    if let Locate::Archive(ask) = &tool.locate {
        list.push((ask.request.method, format!("tells the kind when `{}` does not", ask.volid)));
    }
    for argument in &tool.arguments {
        if let Some(crate::catalogue::DefaultFrom::Read(path)) = &argument.default_from {
            list.extend(find(path).map(|method| (method, format!("`{}`, when left out", argument.name))));
        }
    }
    for guard in &tool.guards {
        match guard {
            Guard::Digest { request, .. } => list.push((request.method, "what is there, and its digest".to_owned())),
            Guard::Absent { request, .. } => list.push((request.method, "whether it is there already".to_owned())),
            Guard::Vacant { id, .. } => {
                let why = format!("whether `{id}` is taken");
                list.extend(find("/cluster/resources").map(|method| (method, why)));
            }
        }
    }
    list
}

fn find(path: &str) -> Option<&'static Method> {
    proxmox_spec::find(Verb::Get, path)
}

/// (since, privileges) of a method, in words.
pub fn facts(method: &Method) -> (String, String) {
    (since(method.since), method.permissions.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(verb: Verb, path: &str) -> String {
        proxmox_spec::find(verb, path).expect("in the facts").permissions.words()
    }

    #[test]
    fn a_check_is_said_with_its_paths() {
        assert_eq!(of(Verb::Get, "/cluster/status"), "`Sys.Audit` on `/`");
        assert_eq!(
            of(Verb::Post, "/nodes/{node}/qemu/{vmid}/clone"),
            "`VM.Clone` on `/vms/{vmid}` and (`VM.Allocate` on `/vms/{newid}` or `VM.Allocate` on `/pool/{pool}` when \
             `pool` is given); more, case by case"
        );
    }

    #[test]
    fn one_of_several_is_said_as_such() {
        let text = of(Verb::Get, "/nodes/{node}/storage/{storage}/content");
        assert_eq!(text, "`Datastore.Audit` or `Datastore.AllocateSpace` on `/storage/{storage}`");
    }

    #[test]
    fn what_the_body_asks_is_said_too() {
        assert_eq!(of(Verb::Get, "/version"), "any user");
        assert_eq!(of(Verb::Delete, "/nodes/{node}/tasks/{upid}"), "case by case: `Sys.Modify`");
    }
}
