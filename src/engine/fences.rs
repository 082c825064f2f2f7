//! The fences: is everything that a finished request affects inside of what may be changed?
//!
//! Decides on the request and on what was looked at, never on the name of the tool that was called. Sends nothing. A
//! refusal says which fence, what lies outside, and who can change it.

use super::clean;
use super::failure::{Failure, FailureKind};
use super::objects::look::within;
use super::objects::{After, Objects, Subject};
use crate::access::{Access, means};
use crate::client::PreparedRequest;
use crate::settings::{Fence, Fences};
use crate::tool::{Effect, Route, Surface, Tool, Verb};
use proxmox_spec::format::split_list;
use proxmox_spec::{Extent, Method};

/// So many things outside are told of at once.
const TOLD: usize = 5;

/// Is the call denied because of what it would send? Comes before anything is looked at.
///
/// # Errors
/// Its request is that of a tool that was denied, or of none that may change something.
pub fn check_tools(
    fences: &[Fences],
    access: &Access,
    surface: &Surface,
    request: &PreparedRequest,
) -> Result<(), Failure> {
    let Some(method) = proxmox_spec::route(request.verb, request.path()).map(|route| route.method) else {
        return Ok(());
    };
    let denied = access.without().find(|(tool, ..)| does(tool, method, request, surface));
    if let Some((tool, by, set)) = denied {
        let name = if by == tool.name { String::new() } else { format!(", and with it `{}`", tool.name) };
        let says = format!(
            "{} {} is what `{}` does, and that is switched off on this server: {} names `{by}`{name}. It \
             cannot be had by another way. Only whoever runs the server can change that; nothing was sent.",
            method.verb,
            method.path,
            tool.name,
            set.named("deny")
        );
        return Err(Failure::new(FailureKind::Fenced, says));
    }
    if request.verb == Verb::Get {
        return Ok(());
    }
    fences
        .iter()
        .filter(|fences| !fences.tools.is_empty())
        .try_for_each(|fences| allowed(fences, surface, method, request))
}

/// Is this the request of a tool that may change something?
fn allowed(fences: &Fences, surface: &Surface, method: &Method, request: &PreparedRequest) -> Result<(), Failure> {
    let listed = |tool: &Tool| fences.tools.iter().any(|name| means(name, tool));
    let stands_for = |tool: &&'static Tool| listed(tool) && carries(tool, method, request);
    let allowed = listed(surface.tool)
        || fences.tools.iter().any(|name| name == surface.name)
        || (surface.tool.handled && crate::catalogue::TOOLS.iter().any(|tool| stands_for(&tool)));
    if allowed {
        return Ok(());
    }
    let says = format!(
        "`{}` may not change anything on this server: {}, and nothing else may. Only whoever runs the server can change \
         that; nothing was sent.",
        surface.name,
        fences.told(|key| key == "allow_tools")
    );
    Err(Failure::new(FailureKind::Fenced, says))
}

/// Is this the request of that tool? A call without a tool of its own needs to say no more than method and path.
fn does(tool: &Tool, method: &Method, request: &PreparedRequest, surface: &Surface) -> bool {
    if surface.tool.handled {
        return tool.routes.iter().any(|route| is(route, method));
    }
    request.verb != Verb::Get && tool.name != surface.tool.name && carries(tool, method, request)
}

/// Does the request carry everything that the tool always sends?
fn carries(tool: &Tool, method: &Method, request: &PreparedRequest) -> bool {
    let sent = |(name, value): &(&str, Option<&str>)| {
        let values = request.params.iter().filter(|param| param.name == *name).flat_map(|param| &param.values);
        let mut values = values.peekable();
        values.peek().is_some() && value.is_none_or(|value| values.any(|sent| sent == value))
    };
    tool.routes.iter().any(|route| is(route, method) && route.always.iter().all(sent))
}

fn is(route: &Route, method: &Method) -> bool {
    route.verb == method.verb && route.path == method.path
}

/// The same request, leaving the protection of the guest as it is: to take that away is for a person to decide, and is
/// asked about; what else is destroyed with it is not.
pub fn leaving_protection(request: &PreparedRequest) -> PreparedRequest {
    let mut left = request.clone();
    left.params.retain(|param| param.name != "protection");
    for param in left.params.iter_mut().filter(|param| param.name == "delete") {
        for value in &mut param.values {
            let kept = split_list(value).into_iter().filter(|name| *name != "protection");
            *value = kept.collect::<Vec<_>>().join(",");
        }
    }
    left
}

/// Is everything that the request affects inside of the fences, before and after it, and not protected from it?
///
/// # Errors
/// What lies outside, of which fence; or that it cannot be told.
///
/// `effect` is that of the call without what it takes away of the protection itself.
pub fn check(fences: &[Fences], request: &PreparedRequest, effect: Effect, objects: &Objects) -> Result<(), Failure> {
    if request.verb == Verb::Get {
        return Ok(());
    }
    fences.iter().try_for_each(|fences| inside(fences, request, objects))?;
    // Protection by the cluster's own mark needs no setting.
    protected(fences, request, effect, objects)
}

/// The tags that protect a guest, by any of these.
pub fn protected_tags(fences: &[Fences]) -> Vec<String> {
    fences.iter().flat_map(|fences| fences.protected_tags.iter().cloned()).collect()
}

/// Does everything that is affected lie inside?
fn inside(fences: &Fences, request: &PreparedRequest, objects: &Objects) -> Result<(), Failure> {
    if let Some(why) = objects.unlisted.as_ref().filter(|_| fences.any()) {
        let says = format!(
            "Fences are set on this server ({}), and what this call would change cannot be listed: {}. So it cannot be told \
             to lie inside. Only whoever runs the server can change the fences; nothing was sent.",
            fences.told(|_| true),
            clean::line(why, 300).trim_end_matches('.')
        );
        return Err(Failure::new(FailureKind::Fenced, says));
    }
    let chosen = |route: &proxmox_spec::Route| {
        let said = request.params.iter().any(|param| param.name == "storage");
        request.verb == Verb::Post && !said && route.method.param("storage").is_some_and(|param| !param.in_path)
    };
    let open = proxmox_spec::route(request.verb, request.path()).filter(chosen);
    if fences.storages.is_set() && objects.storages.is_empty() && open.is_some() {
        let says = format!(
            "Fences are set on this server ({}), and this call leaves it to the API which storage is used. Say `storage`; \
             nothing was sent.",
            fences.told(|_| true)
        );
        return Err(Failure::new(FailureKind::Fenced, says));
    }
    let mut outside = Outside { fences, said: Vec::new() };
    outside.plain("nodes", "node", &fences.nodes, &objects.nodes, |name, listed| name == listed);
    outside.plain("storages", "storage", &fences.storages, &objects.storages, |name, listed| name == listed);
    outside.plain("pools", "pool", &fences.pools, &objects.pools, within);
    for guest in &objects.guests {
        outside.guest(guest);
    }
    match outside.said.is_empty() {
        true => Ok(()),
        false => Err(outside.failure()),
    }
}

/// What is protected is not destroyed, and the mark that protects it is not taken away.
fn protected(fences: &[Fences], request: &PreparedRequest, effect: Effect, objects: &Objects) -> Result<(), Failure> {
    let tags = &protected_tags(fences);
    let named = |tag: &String| {
        let by = fences.iter().find(|fences| fences.protected_tags.contains(tag));
        by.map(|fences| format!(" ({})", fences.named("protected_tags"))).unwrap_or_default()
    };
    let by_hand = "Whoever is responsible for it can do that in the Proxmox web interface; nothing was sent.";
    let refuse = |says: String| Err(Failure::new(FailureKind::Fenced, format!("{says} {by_hand}")));
    for guest in &objects.guests {
        let Some(After { tags: after, .. }) = &guest.after else { continue };
        let kept = |tag: &&String| after.as_ref().is_some_and(|after| after.contains(tag));
        let lost = guest.tags.iter().filter(|tag| tags.contains(tag)).find(|tag| !kept(tag));
        if let Some(tag) = lost.filter(|_| !guest.new) {
            return refuse(format!(
                "Guest {} bears the protected tag `{tag}`{}, and this call would take it away.",
                guest.shown(),
                named(tag)
            ));
        }
    }
    if effect != Effect::Destroys {
        return Ok(());
    }
    // Guests that merely run on a host whose own things are destroyed are not destroyed with them.
    let method = proxmox_spec::route(request.verb, request.path()).map(|route| route.method);
    if method.and_then(|method| method.reach).is_some_and(|reach| reach.extent == Extent::Host) {
        return Ok(());
    }
    let touched = || objects.guests.iter().filter(|guest| !guest.source);
    if let Some((why, guest)) = touched().find_map(|guest| Some((guest.guard(tags)?, guest))) {
        let tag = guest.tags.iter().find(|tag| !guest.protection && tags.contains(tag));
        let mark = tag.map(named).unwrap_or_default();
        let mut letters = why.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        let why: String = first.into_iter().chain(letters).collect();
        return refuse(format!("{why}{mark}, so nothing of it is destroyed from here, whoever confirms it."));
    }
    if let Some(guest) = touched().find(|guest| guest.unread.is_some() && !guest.gone()) {
        let why = clean::line(guest.unread.as_deref().unwrap_or_default(), 300);
        return refuse(format!("Whether guest {} is protected cannot be told: {why}", guest.shown()));
    }
    Ok(())
}

/// What lies outside, in words.
struct Outside<'f> {
    fences: &'f Fences,
    said: Vec<String>,
}

impl Outside<'_> {
    /// `sort` as in the keys: `nodes`.
    fn plain(
        &mut self,
        sort: &str,
        noun: &str,
        fence: &Fence<String>,
        names: &[String],
        same: impl Fn(&str, &str) -> bool,
    ) {
        for name in names {
            self.one(sort, fence, |listed| same(name, listed), &|| format!("the {noun} {}", clean::line(name, 64)));
        }
    }

    fn one(&mut self, sort: &str, fence: &Fence<String>, is: impl Fn(&str) -> bool, what: &dyn Fn() -> String) {
        if let Some(by) = fence.deny.iter().find(|listed| is(listed)) {
            self.say(format!("{} ({} names `{by}`)", what(), self.fences.named(&format!("deny_{sort}"))));
        } else if !fence.allow.is_empty() && !fence.allow.iter().any(|listed| is(listed)) {
            self.say(format!("{} ({})", what(), self.fences.told(|key| key == format!("allow_{sort}"))));
        }
    }

    fn guest(&mut self, guest: &Subject) {
        let fences = self.fences;
        let shown = || format!("guest {}", guest.shown());
        if !fences.guests.holds(guest.vmid) {
            let denied = fences.guests.deny.iter().any(|ids| ids.0.contains(&guest.vmid));
            let key = if denied { "deny_guests" } else { "allow_guests" };
            self.say(format!("{} ({})", shown(), fences.told(|one| one == key)));
        }
        if !guest.node.is_empty() {
            self.one("nodes", &fences.nodes, |listed| listed == guest.node, &shown);
        } else if guest.unseen() && fences.nodes.is_set() {
            self.say(format!("{}, which this token cannot see, so nobody can tell its node", shown()));
        }
        let marked = fences.pools.is_set() || fences.tags.is_set();
        if guest.unseen() && marked {
            self.say(format!("{}, which this token cannot see, so nobody can tell its pool and tags", shown()));
            return;
        }
        if !guest.new {
            self.marks(guest.pool.as_deref(), Some(&guest.tags), &shown);
        }
        if let Some(after) = &guest.after {
            let then = || format!("guest {} as it would be afterwards", guest.shown());
            self.marks(after.pool.as_deref(), after.tags.as_deref(), &then);
        }
    }

    /// Pool and tags of a guest, as they are or as they will be.
    fn marks(&mut self, pool: Option<&str>, tags: Option<&[String]>, what: &dyn Fn() -> String) {
        let fences = self.fences;
        let of = || match pool {
            Some(pool) => format!("{}, in the pool {}", what(), clean::line(pool, 64)),
            None => format!("{}, in no pool", what()),
        };
        self.one("pools", &fences.pools, |listed| pool.is_some_and(|pool| within(pool, listed)), &of);
        if !fences.tags.is_set() {
            return;
        }
        let Some(tags) = tags else {
            self.say(format!("{}, whose tags would come out of a backup or snapshot; give them in the call", what()));
            return;
        };
        let of = || match tags {
            [] => format!("{}, without a tag", what()),
            tags => format!("{}, with the tags {}", what(), clean::line(&tags.join(","), 200)),
        };
        self.one("tags", &fences.tags, |listed| tags.iter().any(|tag| tag == listed), &of);
    }

    fn say(&mut self, text: String) {
        if !self.said.contains(&text) {
            self.said.push(text);
        }
    }

    fn failure(self) -> Failure {
        let more = match self.said.len().saturating_sub(TOLD) {
            0 => String::new(),
            more => format!("\n- and {more} more"),
        };
        let lines: Vec<String> = self.said.iter().take(TOLD).map(|line| format!("- {line}")).collect();
        let says = format!(
            "This call reaches outside of the fences of this server:\n{}{more}\nOnly whoever runs the server can change the \
             fences. Nothing was sent.",
            lines.join("\n")
        );
        Failure::new(FailureKind::Fenced, says)
    }
}
