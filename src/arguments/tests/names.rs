//! Names, presets, translations, defaults, notes, and how problems are told.

use super::statics::*;
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn a_name_may_be_spelled_in_any_way() {
    for spelled in ["force_stop", "forceStop", "force-stop", "FORCE_STOP", "ForceStop"] {
        assert_eq!(read(json!({ spelled: true }), |f| f.boolean(argument("force_stop"))), Ok(Some(true)), "{spelled}");
    }
}

proptest! {
    #[test]
    fn any_mix_of_case_and_separators_is_the_same_name(upper in proptest::collection::vec(any::<bool>(), 9), separator in "[-_]?") {
        let mut spelled = String::new();
        for (letter, upper) in "forcestop".chars().zip(upper) {
            if spelled.len() == 5 {
                spelled.push_str(&separator);
            }
            spelled.push(if upper { letter.to_ascii_uppercase() } else { letter });
        }
        prop_assert_eq!(read(json!({ spelled: "no" }), |f| f.boolean(argument("force_stop"))), Ok(Some(false)));
    }

    #[test]
    fn no_text_as_a_name_does_any_harm(name in ".*", value in ".*") {
        let _ = read(json!({ name: value }), |f| f.text(argument("name")));
    }
}

#[test]
fn two_spellings_of_one_argument_are_refused() {
    let bad = read(json!({ "force_stop": true, "forceStop": true }), |f| {
        f.boolean(argument("force_stop"));
        None::<()>
    });
    assert_eq!(
        bad.unwrap_err(),
        "shape_guest: a problem with the arguments; nothing was sent.\n\
         - `forceStop`: is the same argument as `force_stop`; give it once."
    );
}

#[test]
fn an_unknown_name_is_told_with_the_near_one_and_all_valid_ones() {
    let bad = read(json!({ "tiemout": 5 }), |_| None::<()>).unwrap_err();
    assert!(bad.contains("- `tiemout`: is not an argument of shape_guest. Did you mean `timeout`?"), "{bad}");
    assert!(bad.contains("\nArguments of shape_guest: vmid (required), node, kind, force_stop,"), "{bad}");
}

#[test]
fn null_is_absent() {
    assert_eq!(read(json!({ "timeout": null, "nonsense": null }), |f| f.integer(argument("timeout"))), Ok(None));
}

#[test]
fn all_problems_come_at_once() {
    let given = json!({ "timeout": 0, "forceStop": "maybe", "compress": "lzma", "name": "a b", "zzz": 1 });
    let bad = read(given, |f| {
        f.guest(argument("vmid"), argument("node"), argument("kind"));
        f.boolean(argument("force_stop"));
        f.integer(argument("timeout"));
        f.choice(argument("compress"));
        f.text(argument("name"));
        None::<()>
    })
    .unwrap_err();
    let lines: Vec<&str> = bad.lines().collect();
    assert_eq!(lines[0], "shape_guest: 6 problems with the arguments; nothing was sent.");
    assert_eq!(lines[1], "- `vmid`: is missing and required. Expected a guest's id (a number from 100) or its name.");
    assert_eq!(lines[2], "- `forceStop`: is neither true nor false (got \"maybe\"). Expected true or false.");
    assert_eq!(lines[3], "- `timeout`: is too small (got 0). Expected a whole number from 1 to 3600.");
    assert_eq!(lines[4], "- `compress`: was never supported by the API; use zstd (got \"lzma\").");
    assert!(lines[5].starts_with("- `name`: value does not look like a valid DNS name (got \"a b\")."), "{}", lines[5]);
    assert_eq!(lines[6], "- `zzz`: is not an argument of shape_guest.");
    assert_eq!(lines.len(), 8);
}

#[test]
fn a_dialect_has_its_own_names_and_the_canonical_ones() {
    let volume = |given: Value| read_on(&DIALECT, given, |f| (f.text(argument("volume")), f.text(argument("storage"))));
    // Here `storage` is what the dialect calls the volume, not the canonical `storage`.
    let (read, bad) = volume(json!({ "storage": "a", "pool-name": "pool" }));
    assert_eq!((read, bad), ((Some("a".into()), Some("pool".into())), None));
    let (read, bad) = volume(json!({ "volume": "a" }));
    assert_eq!((read, bad), ((Some("a".into()), None), None));
    let (_, bad) = volume(json!({ "pool_name": "-" }));
    assert!(bad.unwrap().to_string().contains("- `pool_name`:"));
}

#[test]
fn a_dialect_translates_values_and_changes_defaults() {
    let (read, bad) = read_on(&DIALECT, json!({ "compress": "None", "modes": ["read-only", "rw"] }), |f| {
        (
            f.choice(argument("compress")),
            f.list(argument("modes")),
            f.integer(argument("limit")),
            f.integer(argument("timeout")),
        )
    });
    assert_eq!(bad, None);
    assert_eq!(read, (Some("0".into()), Some(vec!["ro".into(), "rw".into()]), None, Some(60)));
}

#[test]
fn a_default_is_used_when_nothing_is_written() {
    assert_eq!(read(json!({}), |f| f.integer(argument("limit"))), Ok(Some(50)));
    assert_eq!(read(json!({ "limit": 7 }), |f| f.integer(argument("limit"))), Ok(Some(7)));
}

#[test]
fn an_ignored_argument_leaves_a_note() {
    let (notes, bad) = read_on(&DIALECT, json!({ "Colour": "red" }), |f| f.take_notes());
    assert_eq!((notes, bad), (vec!["colour has no meaning here.".to_owned()], None));
}

#[test]
fn what_the_name_fixes_can_be_repeated_but_not_contradicted() {
    for given in [json!({}), json!({ "type": "QEMU", "forceStop": "yes" })] {
        let (read, bad) = read_on(&DIALECT, given, |f| {
            (f.choice(argument("kind")), f.boolean(argument("force_stop")), f.given(argument("kind")))
        });
        assert_eq!((read, bad), ((Some("qemu".into()), Some(true), false), None));
    }
    let (_, bad) = read_on(&DIALECT, json!({ "type": "lxc" }), |_| ());
    assert_eq!(
        bad.unwrap().to_string(),
        "other_shape_vm: a problem with the arguments; nothing was sent.\n\
         - `type`: the name `other_shape_vm` fixes it to \"qemu\" (got \"lxc\"). \
         Expected this value or none; `shape_guest` takes any."
    );
}

#[test]
fn what_is_needed_is_a_problem_when_written_and_a_note_when_defaulted() {
    let size = argument("disk_size");
    let (notes, bad) = read_on(&SURFACE, json!({}), |f| {
        f.need(size, false);
        f.take_notes()
    });
    assert_eq!((notes, bad), (vec!["No disk was made, as no storage was named.".to_owned()], None));
    let (notes, bad) = read_on(&SURFACE, json!({ "diskSize": "5G" }), |f| {
        f.need(size, false);
        f.take_notes()
    });
    assert!(notes.is_empty());
    assert!(bad.unwrap().to_string().contains("`diskSize`: means nothing without `storage`"));
    let (_, bad) = read_on(&SURFACE, json!({ "diskSize": "5G", "storage": "-" }), |f| {
        let storage = f.text(argument("storage"));
        f.need(size, storage.is_some());
    });
    assert_eq!(bad.unwrap().problems.len(), 1, "a bad storage is one problem, not two");
    let (notes, bad) = read_on(&SURFACE, json!({}), |f| {
        f.need(argument("format"), false);
        f.need(size, true);
        f.take_notes()
    });
    assert_eq!((notes, bad), (vec![], None));
}

#[test]
fn a_problem_of_another_check_is_listed_with_the_rest() {
    let (_, bad) = read_on(&SURFACE, json!({ "Limit": 3 }), |f| f.refuse(argument("limit"), "is odd".to_owned()));
    assert!(bad.unwrap().to_string().ends_with("- `Limit`: is odd."));
}

#[test]
fn a_secret_is_never_repeated() {
    for value in [json!("hunter2"), json!(["hunter2"]), json!({ "a": "hunter2" })] {
        let bad = read(json!({ "password": value }), |f| f.text(argument("password"))).unwrap_err();
        assert!(bad.contains("`password`") && !bad.contains("hunter2"), "{bad}");
    }
}

#[test]
fn what_a_caller_wrote_is_shown_short_and_visible() {
    let bad =
        read(json!({ "timeout": format!("\u{202e}\u{7}\n{}", "x".repeat(500)) }), |f| f.integer(argument("timeout")))
            .unwrap_err();
    assert_eq!(bad.lines().count(), 2, "{bad}");
    assert!(bad.contains("\\u{202e}") && bad.contains('…') && bad.len() < 400, "{bad}");
}
