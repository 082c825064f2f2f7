//! What is offered around the tools: resources, prompts, completions, instructions, and what a cancelled call leaves
//! behind. The built binary over pipes, in both eras.

#![cfg(feature = "sandbox")]

#[path = "../common/mod.rs"]
mod common;

mod cancelling;
mod completion;
mod instructions;
mod prompts;
mod resources;
#[path = "../common/world.rs"]
mod world;

use common::{Client, Era};
use serde_json::{Value, json};

/// What the eras call a resource that is not there.
fn not_found(era: Era) -> i64 {
    match era {
        Era::Handshake => -32002,
        Era::Stateless => -32602,
    }
}

/// A result, or the test ends.
fn ok(client: &mut Client, method: &str, params: Value) -> Value {
    let answer = client.request(method, params);
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

/// Code and message of an error.
fn refused(client: &mut Client, method: &str, params: Value) -> (i64, String) {
    let answer = client.request(method, params);
    let error = &answer["error"];
    assert!(error.is_object(), "{method}: {answer}");
    (error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a message").to_owned())
}

/// The values of a field of every row.
fn each<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    rows.as_array().expect("rows").iter().filter_map(|row| row[field].as_str()).collect()
}

#[test]
fn the_server_says_that_it_has_them() {
    for era in Era::BOTH {
        let mut client = Client::start(era, &["--sandbox"], &[]);
        let hello = client.open();
        for offer in ["tools", "resources", "prompts", "completions"] {
            assert!(hello["capabilities"][offer].is_object(), "{offer}: {hello}");
        }
    }
}

#[test]
fn every_list_has_one_page() {
    for era in Era::BOTH {
        let mut client = Client::sandbox(era, &[]);
        for method in ["resources/list", "resources/templates/list", "prompts/list"] {
            let first = ok(&mut client, method, json!({}));
            assert_eq!(first, ok(&mut client, method, json!({})), "always the same");
            if era == Era::Stateless {
                assert_eq!(first["cacheScope"], "private", "{first}");
                assert!(first["ttlMs"].is_u64(), "{first}");
            }
            let (code, says) = refused(&mut client, method, json!({"cursor": "x"}));
            assert_eq!(code, -32602);
            assert!(says.contains("cursor"), "{says}");
        }
    }
}
