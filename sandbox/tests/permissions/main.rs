//! Who may come in and who may do what: tokens, tickets, roles, propagation, pools, and the refusals word for word.

#[path = "../common/mod.rs"]
mod common;

mod entry;
mod every;
mod objects;
mod reach;
mod roles;
mod words;

use reqwest::Method;

use common::{Answer, Bench, send};

/// A request of somebody else than the sandbox's own token; parameters go where the method wants them.
async fn ask(bench: &Bench, token: &str, verb: &str, path: &str, params: &[(&str, &str)]) -> Answer {
    let method = Method::from_bytes(verb.as_bytes()).expect("a method");
    let request = bench.http.request(method, bench.url(path)).header("Authorization", format!("PVEAPIToken={token}"));
    send(match verb {
        "GET" | "DELETE" => request.query(params),
        _ => request.form(params),
    })
    .await
}

/// A token of a user of its own, with these roles.
fn token(bench: &Bench, user: &str, entries: &[(&str, &str, bool)]) -> String {
    let userid = format!("{user}@pve");
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token(&userid, "test", false, entries));
    format!("{userid}!test={secret}")
}

/// A token that nobody gave anything: separate from its user, who may look at everything.
fn bare_token(bench: &Bench) -> String {
    let secret = bench.sandbox.with_cluster(|cluster| cluster.add_token("auditor@pve", "bare", true, &[]));
    format!("auditor@pve!bare={secret}")
}

fn refused(text: &str) -> (u16, &str) {
    (403, text)
}

fn names<'a>(answer: &'a Answer, field: &str) -> Vec<&'a str> {
    answer.data().as_array().expect("a list").iter().filter_map(|row| row[field].as_str()).collect()
}

fn ids(answer: &Answer) -> Vec<u64> {
    answer.data().as_array().expect("a list").iter().filter_map(|row| row["vmid"].as_u64()).collect()
}
