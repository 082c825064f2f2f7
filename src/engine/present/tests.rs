use super::*;
use crate::tool::Verb;
use crate::tool::{Filter, Match};

const PLAIN: Returns = Returns::NONE;

fn guests() -> (PreparedRequest, Reply) {
    let request = PreparedRequest::plain(Verb::Get, "/cluster/resources").with("type", "vm");
    let data = json!([
        {"vmid": 101, "name": "db-server", "type": "qemu", "node": "pve2", "status": "running", "template": 0, "tags": "prod;db"},
        {"vmid": "9000", "name": "template", "type": "qemu", "node": "pve1", "status": "stopped", "template": "1"},
        {"vmid": 100, "name": "web-server", "type": "qemu", "node": "pve1", "status": "running", "template": 0},
        {"id": "storage/x", "type": "storage", "node": "pve1"},
    ]);
    (request, Reply { data, total: None })
}

static LIST: Returns = Returns {
    form: Answer::List("guests"),
    fields: &[
        Field { from: "vmid", to: "vmid" },
        Field { from: "type", to: "kind" },
        Field { from: "template", to: "template" },
    ],
    only: &[("type", &["qemu", "lxc"])],
    sort: Some("vmid"),
    page: Some(2),
    filters: &[
        Filter { argument: "name", field: "name", by: Match::Pattern },
        Filter { argument: "tag", field: "tags", by: Match::Word },
        Filter { argument: "node", field: "node", by: Match::Equals },
    ],
    ..PLAIN
};

fn listed(view: &View) -> Value {
    let (request, reply) = guests();
    Value::Object(answer(&LIST, &request, &reply, view).expect("a list").content)
}

#[test]
fn rows_are_projected_sorted_and_paged() {
    assert_eq!(
        listed(&View::default()),
        json!({
            "guests": [{"vmid": 100, "kind": "qemu", "template": false}, {"vmid": 101, "kind": "qemu", "template": false}],
            "total": 3, "offset": 0, "next_offset": 2
        })
    );
    let rest = View { offset: 2, ..View::default() };
    assert_eq!(
        listed(&rest),
        json!({"guests": [{"vmid": 9000, "kind": "qemu", "template": true}], "total": 3, "offset": 2})
    );
}

#[test]
fn a_table_says_the_names_once_and_shows_the_same_rows() {
    let table = View { table: true, ..View::default() };
    assert_eq!(
        listed(&table),
        json!({
            "columns": ["vmid", "kind", "template"], "rows": [[100, "qemu", false], [101, "qemu", false]],
            "total": 3, "offset": 0, "next_offset": 2
        })
    );
    // The caller's order is kept, and what a row does not have is null in its place.
    static LOCKED: Returns =
        Returns { fields: &[Field::new("vmid", "vmid"), Field::new("lock", "lock")], columns: &["vmid"], ..LIST };
    let (request, reply) = guests();
    let fields = ["lock", "vmid"].map(str::to_owned).to_vec();
    let chosen = View { table: true, fields: fields.clone(), limit: Some(1), ..View::default() };
    let content = answer(&LOCKED, &request, &reply, &chosen).expect("a list").content;
    assert_eq!((&content["columns"], &content["rows"]), (&json!(fields), &json!([[null, 100]])));
}

#[test]
fn chosen_fields_are_the_only_ones() {
    let view = View { fields: vec!["vmid".to_owned()], ..View::default() };
    assert_eq!(listed(&view)["guests"], json!([{"vmid": 100}, {"vmid": 101}]));
    static SHORT: Returns = Returns { columns: &["vmid"], ..LIST };
    let (request, reply) = guests();
    let table = View { table: true, ..View::default() };
    let content = answer(&SHORT, &request, &reply, &table).expect("a list").content;
    assert_eq!((&content["columns"], &content["rows"]), (&json!(["vmid"]), &json!([[100], [101]])));
}

#[test]
fn filters_choose_rows_and_say_how_many_there_are() {
    let count = |argument, wanted: &str| {
        listed(&View { filters: vec![(argument, wanted.to_owned())], ..View::default() })["total"].clone()
    };
    assert_eq!(count("name", "SERVER"), 2);
    assert_eq!(count("name", "db*"), 1);
    assert_eq!(count("name", "b*"), 0);
    assert_eq!(count("tag", "db"), 1);
    assert_eq!(count("tag", "pro"), 0);
    assert_eq!(count("node", "pve1"), 2);
}

#[test]
fn a_page_made_by_the_api_tells_where_it_stands() {
    let request = PreparedRequest::plain(Verb::Get, "/nodes/pve1/tasks").with("start", "10").with("limit", "2");
    let reply = Reply { data: json!([{"upid": "a"}, {"upid": "b"}]), total: Some(340) };
    let returns = Returns { form: Answer::List("tasks"), fields: &[Field { from: "upid", to: "upid" }], ..PLAIN };
    let content = answer(&returns, &request, &reply, &View::default()).expect("a list").content;
    assert_eq!((&content["total"], &content["offset"], &content["next_offset"]), (&json!(340), &json!(10), &json!(12)));
}

#[test]
fn a_mixed_list_is_taken_apart() {
    static NODE: [Field; 2] = [Field { from: "name", to: "name" }, Field { from: "online", to: "online" }];
    static PARTS: [Part; 3] = [
        Part { to: "name", of: ("type", "cluster"), take: Take::First("name", "null") },
        Part { to: "quorum", of: ("type", "cluster"), take: Take::First("quorate", "true") },
        Part { to: "nodes", of: ("type", "node"), take: Take::Rows(&NODE) },
    ];
    let returns = Returns { form: Answer::Split, parts: &PARTS, ..PLAIN };
    let request = PreparedRequest::plain(Verb::Get, "/cluster/status");
    let came = |data| answer(&returns, &request, &Reply { data, total: None }, &View::default());
    let shown = |data| Value::Object(came(data).expect("a list").content);
    let node = json!({"type": "node", "name": "a", "online": 1});
    assert_eq!(
        shown(json!([node, {"type": "cluster", "name": "lab", "quorate": 0}])),
        json!({"name": "lab", "quorum": false, "nodes": [{"name": "a", "online": true}]})
    );
    // A node without a cluster: what it has no value for is left out.
    assert_eq!(shown(json!([node])), json!({"quorum": true, "nodes": [{"name": "a", "online": true}]}));
    // Nothing at all tells nothing.
    for nothing in [json!([]), json!(null), json!([{"type": "other"}])] {
        assert!(came(nothing).is_err());
    }
}

#[test]
fn a_list_of_single_values() {
    let returns = Returns { form: Answer::Values("lines"), fields: &[Field { from: "t", to: "t" }], ..PLAIN };
    let request = PreparedRequest::plain(Verb::Get, "/nodes/pve1/tasks/U/log");
    let reply = Reply { data: json!([{"n": 1, "t": "first"}, {"n": 2, "t": "second"}]), total: Some(2) };
    let content = answer(&returns, &request, &reply, &View::default()).expect("a list").content;
    assert_eq!(Value::Object(content), json!({"lines": ["first", "second"], "total": 2}));
}

#[test]
fn another_form_than_promised_is_an_error() {
    let (request, _) = guests();
    let came = |returns: &Returns, data| {
        answer(returns, &request, &Reply { data, total: None }, &View::default()).map(|shown| shown.content)
    };
    assert_eq!(came(&LIST, json!({})).expect_err("no list"), "a list was expected, and an object came");
    assert_eq!(came(&PLAIN, json!([])).expect_err("no object"), "an object was expected, and a list came");
    assert_eq!(came(&LIST, json!(null)).map(|content| content["total"].clone()), Ok(json!(0)));
}
