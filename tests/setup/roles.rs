//! The roles that setup makes, against the cluster's own permission checks: what a tier offers can be done with them.

use crate::engine::ok;
use proxmox_mcp::catalogue;
use proxmox_mcp::checkup::grants::{grants, listed, privileges};
use proxmox_mcp::checkup::needs::{self, Weight};
use proxmox_mcp::checkup::report::held;
use proxmox_mcp::checkup::verdict::{self, State};
use proxmox_mcp::engine::{Engine, FailureKind, Watch};
use proxmox_mcp::settings::{Confirm, Flags, Settings};
use proxmox_mcp::tool::Tier;
use proxmox_sandbox::{Options, Sandbox};
use serde_json::{Map, Value, json};
use std::time::Duration;

// What it sends is checked elsewhere.
#[allow(dead_code)]
mod examples {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));
}
use examples::EXAMPLES;

fn engine(sandbox: &Sandbox, token: &str, tier: Tier) -> Engine {
    let pin = sandbox.certificate_fingerprint();
    let flags = Flags { toolsets: vec!["all".to_owned()], ..Flags::default() };
    let settings = Settings::sandbox(sandbox.address(), token, pin, &flags).expect("complete");
    Engine::new(Settings { tier, retry_delay: Duration::ZERO, confirm: Confirm::Off, ..settings })
}

/// A cluster where a token has exactly the roles of this tier, with all toolsets.
async fn with_role(tier: Tier) -> (Sandbox, Engine) {
    let sandbox = Sandbox::start(Options { task_time: 0.0, ..Options::default() }).await.expect("loopback is there");
    let root = engine(&sandbox, sandbox.token(), Tier::Admin);
    let wanted = engine(&sandbox, sandbox.token(), tier);
    let all = privileges(listed(wanted.settings()), None);
    let mut entries = Vec::new();
    for grant in grants(tier, &all, wanted.settings()) {
        let list = grant.privileges.iter().cloned().collect::<Vec<_>>().join(",");
        let params = json!({"roleid": grant.role, "privs": list});
        ok(&root, "call_api", json!({"method": "POST", "path": "/access/roles", "params": params})).await;
        entries.extend(grant.paths.iter().map(|path| (path.clone(), grant.role.clone())));
    }
    let secret = sandbox.with_cluster(|cluster| {
        let secret = cluster.add_token("mcp@pve", "mcp", true, &[]);
        for (path, role) in &entries {
            cluster.grant("mcp@pve", path, role, true);
            cluster.grant("mcp@pve!mcp", path, role, true);
        }
        secret
    });
    let own = engine(&sandbox, &format!("mcp@pve!mcp={secret}"), tier);
    (sandbox, own)
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).expect("an object")
}

/// Does the tool need what is missing in rare cases only?
fn is_rare(tool: &str, told: &str) -> bool {
    let tool = catalogue::surface(tool).expect("a tool").tool;
    let routes = needs::of(tool);
    let rare = routes.iter().flat_map(|route| &route.needs).filter(|need| need.weight == Weight::Rare);
    let mut privileges = rare.flat_map(|need| need.ways.iter().flatten()).flat_map(|demand| &demand.privileges);
    privileges.any(|privilege| told.contains(&format!("lacks {privilege} ")))
}

/// Every example of a tool that the tier offers, with what has to be there before.
async fn every_example(tier: Tier) {
    let surface = |tool: &str| catalogue::surface(tool).expect("a tool");
    let offered = |tool: &str| surface(tool).tool.tier <= tier && !surface(tool).tool.handled;
    let mut refused = Vec::new();
    let mut tried = 0;
    for example in EXAMPLES.iter().filter(|example| offered(example.tool)) {
        if !example.before.iter().all(|(tool, _)| offered(tool)) {
            continue;
        }
        let (sandbox, engine) = with_role(tier).await;
        let calls = example.before.iter().map(|(tool, arguments)| (*tool, *arguments));
        for (tool, arguments) in calls.chain([(example.tool, example.args)]) {
            tried += 1;
            let ended = engine.call(surface(tool), Some(&object(arguments)), Watch::default()).await;
            match ended {
                Err(failure) if failure.kind() == FailureKind::Refused => {}
                // What a tool needs in rare cases only stands in no role.
                Err(failure) if failure.kind() == FailureKind::Forbidden && is_rare(tool, &failure.to_string()) => {}
                Err(failure) => refused.push(format!("{tool} {arguments}: {failure}")),
                Ok(answer) if answer.failed => refused.push(format!("{tool} {arguments}: {:?}", answer.text)),
                Ok(_) => {}
            }
        }
        sandbox.shutdown().await;
    }
    assert!(tried > 10, "{tried} calls");
    assert!(refused.is_empty(), "at tier {tier}:\n{}", refused.join("\n"));
}

#[tokio::test]
async fn the_role_of_read_does_what_read_offers() {
    every_example(Tier::Read).await;
}

#[tokio::test]
async fn the_role_of_operate_does_what_operate_offers() {
    every_example(Tier::Operate).await;
}

#[tokio::test]
async fn the_role_of_configure_does_what_configure_offers() {
    every_example(Tier::Configure).await;
}

#[tokio::test]
async fn the_role_of_admin_does_what_admin_offers() {
    every_example(Tier::Admin).await;
}

/// Neither more nor less: every listed tool is usable, and with one privilege less some tool is not.
#[tokio::test]
async fn no_privilege_of_a_role_is_there_for_nothing() {
    for tier in Tier::ALL {
        let (sandbox, engine) = with_role(tier).await;
        let has = held(&engine).await.expect("readable");
        let all: Vec<_> = listed(engine.settings()).collect();
        for tool in &all {
            let found = verdict::of(tool, &has);
            assert!(matches!(found.state, State::Usable | State::ByCall), "{tier}: {found:?}");
        }
        let whole = privileges(all.iter().copied(), None);
        for privilege in &whole {
            let mut less = Map::new();
            less.extend(whole.iter().filter(|one| *one != privilege).map(|one| (one.clone(), json!(1))));
            let paths = ["/", "/access", "/nodes", "/pool", "/sdn", "/storage", "/vms"];
            let answer: Map<String, Value> =
                paths.iter().map(|path| ((*path).to_owned(), Value::Object(less.clone()))).collect();
            let has = proxmox_mcp::checkup::Held::read(&Value::Object(answer), "a@pve!t").expect("its form");
            let lacks = |tool: &'static proxmox_mcp::tool::Tool| verdict::of(tool, &has).state < State::Usable;
            // What only looks may be there beside something stronger that shows the same.
            assert!(all.iter().any(|tool| lacks(tool)) || privilege.ends_with(".Audit"), "{tier}: {privilege}");
        }
        sandbox.shutdown().await;
    }
}
