//! All methods of the API, one by one: each answers, in the form that the facts declare, about things that are there.

#[path = "../common/mod.rs"]
mod common;
mod judge;
mod lives;
mod values;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use common::{Answer, Bench, send};
use judge::{Known, judge};
use proxmox_sandbox::{Options, played_by_hand};
use proxmox_spec::{Kind, Method, Upid, Verb, methods};
use reqwest::multipart::{Form, Part};
use serde_json::Value;

/// Methods that answer with an error, with its status, and why that is right. `*` stands for anything.
const REFUSED: &[(&str, u16, &str)] = &[
    ("* /cluster/ceph/*", 500, "Ceph is not installed"),
    ("* /nodes/{node}/ceph/*", 500, "Ceph is not installed"),
    ("* /cluster/ha/groups*", 500, "groups have become rules"),
    ("GET /nodes/{node}/qemu/{vmid}/vncwebsocket", 401, "a stream; there is nothing behind a ticket"),
    ("GET /nodes/{node}/lxc/{vmid}/vncwebsocket", 401, "a stream; there is nothing behind a ticket"),
    ("GET /nodes/{node}/vncwebsocket", 401, "a stream; there is nothing behind a ticket"),
    ("GET /nodes/{node}/qemu/{vmid}/mtunnelwebsocket", 401, "a stream; there is nothing behind a ticket"),
    ("GET /nodes/{node}/lxc/{vmid}/mtunnelwebsocket", 401, "a stream; there is nothing behind a ticket"),
    ("POST /nodes/{node}/qemu/{vmid}/spiceproxy", 500, "the guest has no such display"),
    ("GET /access/tfa/{userid}/{id}", 404, "there is no second factor"),
    ("PUT /access/tfa/{userid}/{id}", 500, "there is no second factor"),
    ("DELETE /access/tfa/{userid}/{id}", 500, "there is no second factor"),
    ("POST /cluster/config", 500, "there is a cluster already"),
    ("POST /cluster/config/join", 500, "there is a cluster already"),
];

/// Tasks that end with an error, and why that is right.
const FAILING: &[(&str, &str)] = &[
    ("POST /nodes/{node}/qemu/{vmid}/remote_migrate", "there is no other cluster"),
    ("POST /nodes/{node}/lxc/{vmid}/remote_migrate", "there is no other cluster"),
    ("POST /nodes/{node}/lxc/{vmid}/status/suspend", "containers cannot be frozen to disk"),
];

fn like(pattern: &str, name: &str) -> bool {
    let mut rest = name;
    let parts: Vec<&str> = pattern.split('*').collect();
    for (place, part) in parts.iter().enumerate() {
        match rest.find(part) {
            Some(at) if place > 0 || at == 0 => rest = &rest[at + part.len()..],
            _ => return false,
        }
    }
    rest.is_empty() || pattern.ends_with('*')
}

/// The status with which a method is refused, if it is.
fn refusal(method: &Method) -> Option<u16> {
    let name = world::name(method);
    REFUSED.iter().find(|(pattern, ..)| like(pattern, &name)).map(|(_, status, _)| *status)
}

/// No token may, whoever's it is.
fn for_root(method: &Method) -> bool {
    !method.allow_token || method.permissions.root_only
}

/// A cluster, its token, and root's own ticket.
pub struct Walk {
    bench: Bench,
    /// The ticket and the token against forged requests.
    root: (String, String),
}

impl std::ops::Deref for Walk {
    type Target = Bench;

    fn deref(&self) -> &Bench {
        &self.bench
    }
}

async fn walk() -> Walk {
    let bench = Bench::with(Options { task_time: 0.0, ..Options::default() }).await;
    bench.sandbox.with_cluster(|cluster| cluster.set_password("root@pam", "of-the-test"));
    let login = bench.http.post(bench.url("/access/ticket"));
    let login = send(login.form(&[("username", "root@pam"), ("password", "of-the-test")])).await;
    let text = |name: &str| login.data()[name].as_str().expect("a ticket").to_owned();
    let root = (text("ticket"), text("CSRFPreventionToken"));
    Walk { bench, root }
}

/// A cluster with something behind every path that concerns these methods.
pub async fn furnished(concerns: impl Fn(&str) -> bool) -> Walk {
    let walk = walk().await;
    for (path, form) in world::SETUP.iter().filter(|(path, _)| concerns(path)) {
        step(&walk, Verb::Post, path, form).await;
    }
    walk
}

/// A call that has to go well.
async fn step(walk: &Walk, verb: Verb, path: &str, form: &[(&str, &str)]) {
    let method = proxmox_spec::route(verb, path).expect("a method").method;
    let form: Vec<(String, String)> =
        form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let answer = call(walk, method, path, &form).await;
    assert_eq!(answer.status, 200, "{verb} {path} {form:?}: {answer:?}");
}

async fn known(bench: &Bench) -> Known {
    let names = |answer: &Answer, field: &str| -> BTreeSet<String> {
        let rows = answer.data().as_array().expect("rows").iter();
        rows.map(|row| row[field].as_str().map_or_else(|| row[field].to_string(), str::to_owned)).collect()
    };
    Known {
        nodes: names(&bench.get("/nodes").await, "node"),
        guests: names(&bench.get("/cluster/resources?type=vm").await, "vmid"),
        storages: names(&bench.get("/storage").await, "storage"),
    }
}

async fn upid(bench: &Bench) -> String {
    let tasks = bench.get("/nodes/pve1/tasks").await;
    tasks.data()[0]["upid"].as_str().expect("a task").to_owned()
}

/// Calls a method as whoever may: the token, or root.
pub async fn call(walk: &Walk, method: &Method, path: &str, form: &[(String, String)]) -> Answer {
    let verb = reqwest::Method::from_bytes(method.verb.as_str().as_bytes()).expect("a verb");
    let request = if for_root(method) {
        let (ticket, csrf) = &walk.root;
        let request = walk.http.request(verb, walk.url(path)).header("CSRFPreventionToken", csrf);
        request.header("Cookie", format!("PVEAuthCookie={}", ticket.replace('=', "%3D").replace('+', "%2B")))
    } else {
        walk.request(verb, path)
    };
    let request = match (method.verb, method.kind) {
        (_, Kind::Upload) => {
            let mut body = Form::new();
            for (name, value) in form.iter().filter(|(name, _)| name != "filename") {
                body = body.text(name.clone(), value.clone());
            }
            request.multipart(body.part("filename", Part::bytes(vec![0_u8; 64]).file_name("walk.iso")))
        }
        (Verb::Get | Verb::Delete, _) => request.query(form),
        _ => request.form(form),
    };
    send(request).await
}

/// What is wrong with the answer of a method.
async fn faults(bench: &Bench, known: &Known, method: &Method, answer: &Answer) -> Vec<String> {
    let name = world::name(method);
    if let Some(status) = refusal(method) {
        if answer.status == status {
            return Vec::new();
        }
        // An index below a path that is refused is none of the things that are.
        if answer.status != 200 || method.verb != Verb::Get {
            return vec![format!("{name}: {} instead of {status}: {}", answer.status, answer.text)];
        }
    }
    if answer.status != 200 {
        return vec![format!("{name}: {} {} {}", answer.status, answer.reason, answer.text)];
    }
    if method.kind == Kind::Download {
        return Vec::new();
    }
    let data = &answer.body["data"];
    let mut faults = judge(known, method, data);
    let upid = match method.upid {
        Upid::Always => Some(data),
        Upid::Field => Some(&data["upid"]),
        _ => None,
    };
    if let Some(upid) = upid {
        faults.extend(ending(bench, &name, upid).await);
    }
    faults
}

async fn ending(bench: &Bench, name: &str, upid: &Value) -> Option<String> {
    let Some(upid) = upid.as_str().filter(|upid| upid.starts_with("UPID:")) else {
        return Some(format!("{name}: no task: {upid}"));
    };
    let node = upid.split(':').nth(1).unwrap_or_default();
    let status = bench.get(&format!("/nodes/{node}/tasks/{upid}/status")).await;
    let exit = status.data()["exitstatus"].as_str().unwrap_or("still runs").to_owned();
    let expected = FAILING.iter().any(|(of, _)| *of == name);
    let good = exit == "OK" || exit.starts_with("WARNINGS");
    (good == expected).then(|| format!("{name}: the task ends with '{exit}'"))
}

#[tokio::test]
async fn every_read_answers_in_its_declared_form() {
    let bench = furnished(|_| true).await;
    bench.put("/cluster/sdn", &[]).await.upid();
    let run = bench.post("/nodes/pve1/qemu/100/agent/exec", &[("command", "true")]).await;
    let (known, upid) = (known(&bench).await, upid(&bench).await);
    let mut wrong = Vec::new();
    for method in methods().iter().filter(|method| method.verb == Verb::Get) {
        let mut form = values::form(method);
        if let Some((_, pid)) = form.iter_mut().find(|(name, _)| name == "pid") {
            *pid = run.data()["pid"].to_string();
        }
        let answer = call(&bench, method, &world::path(method, &upid), &form).await;
        wrong.extend(faults(&bench, &known, method, &answer).await);
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn every_write_answers_in_its_declared_form() {
    let mut wrong = Vec::new();
    for method in methods().iter().filter(|method| method.verb != Verb::Get) {
        let bench = furnished(|path| world::concerns(path, method)).await;
        prepare(&bench, method).await;
        let upid = upid(&bench).await;
        let path = world::path(method, &upid);
        if for_root(method) {
            let verb = reqwest::Method::from_bytes(method.verb.as_str().as_bytes()).expect("a verb");
            let by_token = send(bench.request(verb, &path).form(&values::form(method))).await;
            if by_token.status != 403 {
                wrong.push(format!("{}: {} for a token", world::name(method), by_token.status));
            }
        }
        let answer = call(&bench, method, &path, &values::form(method)).await;
        let known = known(&bench).await;
        wrong.extend(faults(&bench, &known, method, &answer).await);
        bench.bench.sandbox.shutdown().await;
    }
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

/// Brings the cluster into the state that a call needs.
async fn prepare(walk: &Walk, method: &Method) {
    for (verb, path, form) in world::before(method) {
        step(walk, *verb, path, form).await;
    }
}

#[test]
fn how_much_is_played_by_hand() {
    let mut generic: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut by_hand = 0;
    for method in methods() {
        if played_by_hand(method) {
            by_hand += 1;
        } else {
            let area = method.path.split('/').nth(1).unwrap_or_default();
            generic.entry(area).or_default().push(world::name(method));
        }
    }
    println!("{by_hand} of {} methods are played by hand; by the facts alone:", methods().len());
    for (area, names) in generic {
        println!("{area} ({}):\n  {}", names.len(), names.join("\n  "));
    }
}
