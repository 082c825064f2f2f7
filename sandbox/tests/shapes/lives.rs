//! The life of everything that can be made: it is not there, it is made, read back, listed, changed, and gone.

use proxmox_spec::{Method, Segment, Type, Verb, find, methods};
use serde_json::Value;

use super::{call, common::Answer, furnished, prepare, refusal, values, world};

/// What has a life of its own that is told elsewhere, by the beginning or end of its path.
const ELSEWHERE: &[(&str, &str)] = &[
    ("/nodes/{node}/qemu/{vmid}", "guests"),
    ("/nodes/{node}/lxc/{vmid}", "guests"),
    ("/snapshot/{snapname}", "snapshots"),
    ("/content/{volume}", "volumes"),
    ("/{pos}", "rules move"),
    ("/cluster/firewall/groups/{group}", "its path holds rules"),
    ("/firewall/ipset/{name}", "its path holds addresses"),
];

/// Ids that follow from what is given.
const IDS: &[(&str, &str)] = &[("/subnets/{subnet}", "walkz-203.0.113.0-24"), ("/entries/{url_seq}", "15")];

/// Parameters that are not told again, by method or for all.
const UNTOLD: &[(&str, &str)] = &[
    // They do something and are over.
    ("*", "force"),
    ("*", "privs"),
    ("POST /nodes/{node}/disks/zfs", "devices"),
    ("POST /nodes/{node}/disks/zfs", "raidlevel"),
    // An account is kept as the authority answers it.
    ("POST /cluster/acme/account", "contact"),
    ("POST /cluster/acme/account", "name"),
    // It is told in parts.
    ("POST /cluster/sdn/vnets/{vnet}/subnets", "subnet"),
    // Mappings, pools and metrics servers do not tell their own name.
    ("POST /cluster/acme/plugins", "id"),
    ("POST /cluster/mapping/dir", "id"),
    ("POST /cluster/mapping/pci", "id"),
    ("POST /cluster/mapping/usb", "id"),
    ("POST /nodes/{node}/network", "iface"),
    ("POST /access/users", "userid"),
    ("POST /access/groups", "groupid"),
    ("POST /access/roles", "roleid"),
    ("POST /access/domains", "realm"),
    ("POST /access/users", "password"),
];

struct Life {
    create: &'static Method,
    read: &'static Method,
    update: Option<&'static Method>,
    delete: &'static Method,
}

/// Everything that can be made, read and deleted under a name.
fn lives() -> Vec<Life> {
    let mut all = Vec::new();
    for read in methods().iter().filter(|method| method.verb == Verb::Get) {
        if !matches!(read.segments.last(), Some(Segment::Param(_) | Segment::Remainder(_))) {
            continue;
        }
        if ELSEWHERE.iter().any(|(part, _)| read.path.ends_with(part)) || read.path.contains("/ceph/") {
            continue;
        }
        let parent = read.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let create = find(Verb::Post, read.path).or_else(|| find(Verb::Post, parent));
        if let (Some(create), Some(delete)) = (create, find(Verb::Delete, read.path)) {
            all.push(Life { create, read, update: find(Verb::Put, read.path), delete });
        }
    }
    all
}

impl Life {
    /// The path of the new item.
    fn path(&self, form: &[(String, String)]) -> String {
        if self.create.path == self.read.path {
            return world::path(self.create, "");
        }
        let key = match self.read.segments.last() {
            Some(Segment::Param(name) | Segment::Remainder(name)) => *name,
            _ => "",
        };
        let known = IDS.iter().find(|(end, _)| self.read.path.ends_with(end)).map(|(_, id)| (*id).to_owned());
        let given = form.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        format!(
            "{}/{}",
            world::path(self.create, ""),
            known.or(given).unwrap_or_else(|| panic!("{} has no id", self.read.path))
        )
    }
}

/// A value as it was given: numbers as texts, a list by its only element.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim_end().to_owned(),
        Value::Array(items) if items.len() == 1 => shown(&items[0]),
        other => other.to_string(),
    }
}

fn given(method: &Method) -> Vec<(String, String)> {
    let mut form = values::form(method);
    // A comment shows that what is optional is kept as well.
    if method.params.iter().any(|param| param.name == "comment") && !form.iter().any(|(name, _)| name == "comment") {
        form.push(("comment".to_owned(), "first words".to_owned()));
    }
    form
}

fn bad(what: &str, life: &Life, answer: &Answer) -> Option<String> {
    (answer.status != 200).then(|| format!("{}: {what}: {} {}", life.read.path, answer.status, answer.text))
}

async fn live(life: &Life) -> Vec<String> {
    let bench = furnished(|path| world::concerns(path, life.create)).await;
    prepare(&bench, life.create).await;
    let mut faults = Vec::new();
    let form = given(life.create);
    let path = life.path(&form);
    let read = async || call(&bench, life.read, &path, &[]).await;
    if read().await.status == 200 {
        faults.push(format!("{}: is there before it is made", life.read.path));
    }
    let made = call(&bench, life.create, &world::path(life.create, ""), &form).await;
    faults.extend(bad("is not made", life, &made));
    let again = call(&bench, life.create, &world::path(life.create, ""), &form).await;
    let numbered = life.read.path.ends_with("/{url_seq}");
    if again.status == 200 && !numbered {
        faults.push(format!("{}: is made twice", life.read.path));
    }
    let item = read().await;
    faults.extend(bad("cannot be read", life, &item));
    let name = world::name(life.create);
    for (field, value) in &form {
        let param = life.create.param(field).expect("a parameter");
        let untold = UNTOLD.iter().any(|(of, untold)| untold == field && (*of == "*" || *of == name));
        if !param.secret && !param.in_path && !untold && shown(&item.body["data"][field]) != *value {
            faults.push(format!(
                "{}: {field} was '{value}', is {}: {}",
                life.read.path, item.body["data"][field], item.text
            ));
        }
        if param.secret && item.text.contains(value) && value.len() > 2 {
            faults.push(format!("{}: shows its {field}: {}", life.read.path, item.text));
        }
    }
    let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
    let id = path.rsplit('/').next().unwrap_or_default();
    if let Some(list) = proxmox_spec::route(Verb::Get, parent).filter(|route| route.method.path != life.read.path) {
        let rows = call(&bench, list.method, parent, &[]).await;
        if rows.status != 200 || !rows.text.contains(id) {
            faults.push(format!("{}: is not in the list: {} {}", life.read.path, rows.status, rows.text));
        }
    }
    if let Some(update) = life.update {
        faults.extend(changes(&bench, life, update, &path).await);
    }
    let gone = call(&bench, life.delete, &path, &values::form(life.delete)).await;
    faults.extend(bad("is not deleted", life, &gone));
    if read().await.status == 200 {
        faults.push(format!("{}: is there after it is deleted", life.read.path));
    }
    bench.bench.sandbox.shutdown().await;
    faults
}

async fn changes(bench: &super::Walk, life: &Life, update: &'static Method, path: &str) -> Vec<String> {
    let mut faults = Vec::new();
    // Lists of what to delete are required here and there; the comment alone is of interest.
    let mut needed: Vec<(String, String)> =
        values::form(update).into_iter().filter(|(name, _)| name != "delete").collect();
    let has = |name: &str| update.params.iter().any(|param| param.name == name);
    let must_delete = update.params.iter().any(|param| param.name == "delete" && !param.optional);
    if must_delete {
        needed
            .push(("delete".to_owned(), values::value(&world::name(update), update.param("delete").expect("it has"))));
    }
    let with = |more: &[(&str, &str)]| {
        let mut form = needed.clone();
        form.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        form
    };
    let option = ["comment", "comments", "description"].into_iter().find(|name| has(name));
    if let Some(option) = option {
        let changed = call(bench, update, path, &with(&[(option, "other words")])).await;
        faults.extend(bad("is not changed", life, &changed));
        let item = call(bench, life.read, path, &[]).await;
        if shown(&item.body["data"][option]) != "other words" {
            faults.push(format!("{}: the {option} is not the new one: {}", life.read.path, item.text));
        }
        let takes_names = update.param("delete").is_some_and(|param| param.ty != Type::Boolean);
        if takes_names && !must_delete {
            let deleted = call(bench, update, path, &with(&[("delete", option)])).await;
            faults.extend(bad("loses no option", life, &deleted));
            let item = call(bench, life.read, path, &[]).await;
            if !item.body["data"][option].is_null() {
                faults.push(format!("{}: the {option} is still there: {}", life.read.path, item.text));
            }
        }
    } else {
        let changed = call(bench, update, path, &needed).await;
        faults.extend(bad("is not changed", life, &changed));
    }
    let item = call(bench, life.read, path, &[]).await;
    if let Some(digest) = item.body["data"]["digest"].as_str().filter(|_| has("digest")) {
        let right = call(bench, update, path, &with(&[("digest", digest)])).await;
        faults.extend(bad("is not changed with its digest", life, &right));
        let wrong = call(bench, update, path, &with(&[("digest", &"0".repeat(digest.len()))])).await;
        if wrong.status != 500 || !wrong.text.contains("detected modified configuration") {
            faults.push(format!("{}: any digest will do: {} {}", life.read.path, wrong.status, wrong.text));
        }
    }
    faults
}

#[tokio::test]
async fn everything_that_is_made_can_be_read_changed_and_deleted() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for life in lives().iter().filter(|life| refusal(life.read).is_none()) {
        count += 1;
        wrong.extend(live(life).await);
    }
    assert!(wrong.is_empty(), "{} faults in {count} lives:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 35, "{count}");
}
