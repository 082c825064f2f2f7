//! While one call hangs, everything else goes on.

use super::*;

#[test]
fn while_one_call_hangs_others_are_answered() {
    for era in Era::BOTH {
        for (tool, arguments, struck) in [
            ("get_node_status", json!({"node": "pve2"}), "GET /nodes/pve2/status"),
            ("start_guest", json!({"vmid": 102}), "POST /nodes/*/qemu/102/status/start"),
            ("start_guest", json!({"vmid": 110}), "GET /nodes/*/tasks/*/status"),
        ] {
            let world = World::start();
            let mut client = world.client(era, "60000");
            let rule: Rule = format!("hang@{struck}").parse().expect("a rule");
            world.sandbox.set_faults(vec![rule]);
            let id = client.send("tools/call", json!({"name": tool, "arguments": arguments}));
            let stuck = |seen: &Received| match struck.split(' ').next() {
                Some("POST") => seen.verb == "POST",
                _ => seen.target.ends_with("/status") && seen.verb == "GET",
            };
            while !world.sandbox.requests().iter().any(stuck) {
                std::thread::yield_now();
            }
            assert!(client.knock().get("result").is_some());
            assert_ne!(client.call("get_version", json!({}))["isError"], true);
            assert!(client.call("list_nodes", json!({}))["structuredContent"]["total"].is_u64());
            // Another write, to another guest, is carried out.
            let other = client.call("update_guest_config", json!({"vmid": 200, "config": {"cores": 4}}));
            assert_eq!(other["structuredContent"]["outcome"], "ok", "{other}");
            assert!(!client.is_answered(id), "{tool}");
        }
    }
}

#[test]
fn many_hanging_calls_leave_the_protocol_alive() {
    let world = World::start();
    let mut client = world.client(Era::Stateless, "2000");
    world.sandbox.set_faults(vec!["hang@GET /version".parse().expect("a rule")]);
    let call = json!({"name": "get_version", "arguments": {}});
    let ids: Vec<u64> = (0..60).map(|_| client.send("tools/call", call.clone())).collect();
    assert!(client.knock().get("result").is_some());
    assert!(client.request("tools/list", json!({}))["result"]["tools"].is_array());
    for id in ids {
        let answer = client.answer(id);
        assert_eq!(answer["result"]["isError"], true, "{answer}");
    }
    world.sandbox.clear_faults();
    assert_ne!(client.call("get_version", json!({}))["isError"], true);
}

#[test]
fn an_answer_without_end_is_given_up() {
    let world = World::start();
    let mut client = world.client(Era::Handshake, "120000");
    world.sandbox.set_faults(vec!["huge=65@GET /version".parse().expect("a rule")]);
    let result = client.call("get_version", json!({}));
    assert_eq!(result["isError"], true);
    assert!(text(&result).contains("longer than 64 MiB"), "{}", text(&result));
    world.sandbox.clear_faults();
    assert_ne!(client.call("get_version", json!({}))["isError"], true);
}
