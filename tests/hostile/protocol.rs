//! Lines that are no messages, messages that are wrong, and requests nobody made: the server answers as JSON-RPC
//! demands, or is silent where there is nothing to answer, and goes on in any case.

use super::raw::{HELLO, Raw, call};
use super::*;

/// What is said to one line by a server that is still alive afterwards.
fn said_to(line: &[u8]) -> Vec<Value> {
    let mut raw = Raw::opened();
    raw.say(line);
    raw.say(b"\n");
    raw.until_alive()
}

#[test]
fn what_is_no_message_is_passed_over() {
    let mut raw = Raw::opened();
    let lines: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\r".to_vec(),
        b"hello".to_vec(),
        b"{".to_vec(),
        b"}{".to_vec(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"".to_vec(),
        b"GET / HTTP/1.1".to_vec(),
        b"Content-Length: 10\r".to_vec(),
        vec![0xff, 0xfe, 0x00, 0x80],
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\xfe\"}".to_vec(),
        vec![0; 1_000],
        b"\x1b[2J\x07".to_vec(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",}".to_vec(),
        b"{\"id\":NaN}".to_vec(),
    ];
    for line in lines {
        raw.say(&line);
        raw.say(b"\n");
        for message in raw.until_alive() {
            // Whoever answers such a line cannot know whom.
            assert!(message["error"].is_object() && message["id"].is_null(), "{line:?}: {message}");
        }
    }
    let (well, said, log) = raw.end();
    assert!(well && said.is_empty(), "{said:?}\n{log}");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn wrong_messages_are_told_to_be_wrong() {
    let wrong = [
        // Batches are gone from the protocol.
        r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "[]",
        "1",
        "null",
        "\"ping\"",
        "true",
        "{}",
        r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
        r#"{"id":1,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":{"a":1},"method":"ping"}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":5}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#,
    ];
    for line in wrong {
        let said = said_to(line.as_bytes());
        assert!(said.len() < 2, "{line}: {said:?}");
        for message in &said {
            assert!(message["error"]["code"].is_i64(), "{line}: {message}");
        }
    }
}

#[test]
fn a_request_with_an_id_is_answered_under_it() {
    let many = format!("\"{}\"", "i".repeat(10_000));
    let ids = ["1", "-1", "0", "9007199254740993", "\"1\"", "\"\"", "\"\u{202e}\"", "\"a\\u0000b\"", &many];
    for id in ids {
        let line = format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"no/such/method"}}"#);
        let said = said_to(line.as_bytes());
        let [message] = said.as_slice() else { panic!("{id}: {said:?}") };
        assert_eq!(message["id"], serde_json::from_str::<Value>(id).expect("JSON"), "{id}: {message}");
        assert_eq!(message["error"]["code"], -32601, "{id}: {message}");
    }
}

#[test]
fn parameters_of_the_wrong_form_are_a_mistake_of_the_request() {
    let params = [
        "null",
        "[]",
        "\"x\"",
        "{}",
        r#"{"name":5}"#,
        r#"{"name":null}"#,
        r#"{"name":["get_version"]}"#,
        r#"{"name":"get_version","arguments":"x"}"#,
        r#"{"name":"get_version","arguments":[1]}"#,
        r#"{"name":"get_version","arguments":5}"#,
        r#"{"name":"get_version","arguments":true}"#,
        r#"{"name":"get_version","arguments":{},"_meta":5}"#,
        r#"{"name":"","arguments":{}}"#,
        r#"{"name":"../get_version","arguments":{}}"#,
        r#"{"name":"get_version\u0000","arguments":{}}"#,
        r#"{"name":"GET_VERSION","arguments":{}}"#,
    ];
    for params in params {
        let line = format!(r#"{{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{params}}}"#);
        let said = said_to(line.as_bytes());
        let [message] = said.as_slice() else { panic!("{params}: {said:?}") };
        let code = message["error"]["code"].as_i64().unwrap_or_else(|| panic!("{params}: {message}"));
        assert!([-32600, -32601, -32602].contains(&code), "{params}: {message}");
        assert!(message.to_string().len() < 1_000, "{message}");
    }
}

#[test]
fn an_unknown_tool_is_named_without_what_it_hides() {
    let name = format!("get_versoin\u{1b}[31m\u{202e}\u{200b}\u{e0041}{}", "x".repeat(100_000));
    let said = said_to(call(&json!(1), &name, &json!({})).as_bytes());
    let message = said[0]["error"]["message"].as_str().expect("a message");
    assert!(message.contains("get_versoin") && message.len() < 300, "{message}");
    for hidden in ['\u{1b}', '\u{202e}', '\u{200b}', '\u{e0041}'] {
        assert!(!message.contains(hidden), "{message:?}");
    }
}

#[test]
fn one_id_twice_at_a_time_is_one_call_and_one_refusal() {
    let mut raw = Raw::opened();
    let long = json!({"vmid": 100, "storage": "backup-nas", "wait": 600});
    let line = call(&json!(5), "create_backup", &long);
    raw.say(format!("{line}\n{line}\n").as_bytes());
    let mut said = raw.until_alive();
    while said.len() < 2 {
        said.push(raw.next());
    }
    let refused = said.iter().find(|message| message["error"].is_object()).expect("a refusal");
    assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &Value::Null), "{refused}");
    let answered = said.iter().find(|message| message["id"] == 5).expect("an answer");
    assert_eq!(answered["result"]["structuredContent"]["outcome"], "ok", "{answered}");
    // One after the other is fine.
    for _ in 0..3 {
        raw.line(&call(&json!(5), "get_version", &json!({})));
        assert!(raw.next()["result"].is_object());
    }
    raw.line(&call(
        &json!(6),
        "list_tasks",
        &json!({"node": "pve1", "typefilter": "vzdump", "vmid": 100, "limit": 50}),
    ));
    let tasks = raw.next();
    let begun = tasks["result"]["structuredContent"]["tasks"].as_array().expect("tasks").len();
    let (well, said, log) = raw.end();
    assert!(well && said.is_empty(), "{said:?}\n{log}");
    // Those of the seed, and this one.
    let mut fresh = Raw::opened();
    fresh.line(&call(
        &json!(6),
        "list_tasks",
        &json!({"node": "pve1", "typefilter": "vzdump", "vmid": 100, "limit": 50}),
    ));
    let before = fresh.next()["result"]["structuredContent"]["tasks"].as_array().expect("tasks").len();
    assert_eq!(begun, before + 1, "{tasks}");
}

#[test]
fn the_last_of_two_equal_keys_counts_and_of_two_spellings_none() {
    let line = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_guest_status","arguments":{"vmid":100,"vmid":101}}}"#;
    let mut raw = Raw::opened();
    raw.line(line);
    let said = raw.next();
    assert_eq!(said["result"]["structuredContent"]["vmid"], 101, "{said}");
    raw.line(&call(&json!(1), "get_guest_status", &json!({"vmid": 100, "vmId": 101})));
    let said = raw.next();
    assert_eq!(said["result"]["isError"], true, "{said}");
}

#[test]
fn notifications_are_never_answered() {
    let mut raw = Raw::opened();
    let lines = [
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":4711,"reason":"x"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"nobody"}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/no_such_thing","params":{"a":1}}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#,
        r#"{"jsonrpc":"2.0","method":"$/setTrace","params":{"value":"off"}}"#,
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"stop_guest","arguments":{"vmid":100}}}"#,
        r#"{"jsonrpc":"2.0","method":"ping"}"#,
    ];
    for line in lines {
        raw.line(line);
        for message in raw.until_alive() {
            assert!(message["id"].is_null() && message["error"].is_object(), "{line}: {message}");
        }
    }
    // A call without an id is no call.
    raw.line(&call(&json!(1), "get_guest_status", &json!({"vmid": 100})));
    assert_eq!(raw.next()["result"]["structuredContent"]["status"], "running");
    let (well, said, log) = raw.end();
    assert!(well && said.is_empty(), "{said:?}\n{log}");
}

#[test]
fn answers_to_what_nobody_asked_are_passed_over() {
    let mut raw = Raw::opened();
    raw.line(r#"{"jsonrpc":"2.0","id":99,"result":{}}"#);
    raw.line(r#"{"jsonrpc":"2.0","id":"x","result":{"tools":[]}}"#);
    raw.line(r#"{"jsonrpc":"2.0","id":99,"error":{"code":-1,"message":"x"}}"#);
    raw.line(r#"{"jsonrpc":"2.0","id":null,"error":{"code":-1,"message":"x"}}"#);
    assert_eq!(raw.until_alive(), Vec::<Value>::new());
}

#[test]
fn progress_tokens_of_any_kind_do_no_harm() {
    for token in ["1", "\"t\"", "1.5", "null", "[]", "{}", "true", "\"\""] {
        let mut raw = Raw::opened();
        let params = format!(
            r#"{{"name":"start_guest","arguments":{{"vmid":102,"wait":60}},"_meta":{{"progressToken":{token}}}}}"#
        );
        raw.line(&format!(r#"{{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{params}}}"#));
        let mut messages = raw.until_alive();
        while !messages.iter().any(|message| message["id"] == 3 || message["error"].is_object()) {
            messages.push(raw.next());
        }
    }
}

#[test]
fn a_conversation_that_begins_wrongly_ends_or_goes_on_but_never_hangs() {
    let beginnings: [&[u8]; 7] = [
        b"hello\n",
        b"{}\n",
        b"[]\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\"}\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"1999-01-01\"}}\n",
        b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n",
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}\n",
    ];
    for beginning in beginnings {
        let mut raw = Raw::start();
        raw.say(beginning);
        let (_, _, log) = raw.end();
        assert!(!log.contains("panicked"), "{log}");
        // What came instead is not repeated.
        assert!(log.lines().all(|line| line.len() < 600), "{log}");
    }
    // Twice the handshake.
    let mut raw = Raw::opened();
    raw.line(&HELLO.replace("\"id\":0", "\"id\":1"));
    assert_eq!(raw.until_alive().len(), 1);
}

#[test]
fn an_unfinished_last_line_is_no_message() {
    let mut raw = Raw::opened();
    raw.say(call(&json!(1), "stop_guest", &json!({"vmid": 100})).as_bytes());
    let (well, said, log) = raw.end();
    assert!(well, "{log}");
    assert!(said.is_empty(), "{said:?}");
}
