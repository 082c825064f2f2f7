//! What people call the methods: the form of the files, and what the build refuses.

// Of which this needs the form of a mistake only.
#[allow(dead_code)]
#[path = "../build/lines.rs"]
mod lines;
#[path = "../src/stem.rs"]
mod stem;
#[path = "../build/words.rs"]
mod words;

use proxmox_spec::{Verb, find, methods};
use serde_json::{Value, json};

/// A small world: a call for each kind, and one that is for neither.
fn entries() -> Vec<Value> {
    ["/nodes/{node}/lxc/{vmid}/start", "/nodes/{node}/qemu/{vmid}/start", "/nodes/{node}/x"]
        .map(|path| json!({"method": "POST", "path": path}))
        .to_vec()
}

fn read(text: &str) -> Result<Vec<Value>, String> {
    let mut entries = entries();
    let files = [("words/a.txt".to_owned(), text.to_owned())];
    let wrong = |mistakes: Vec<words::InFile>| {
        let each = mistakes.iter().map(|(file, mistake)| format!("{file}:{}: {}", mistake.line, mistake.text));
        each.collect::<Vec<_>>().join("\n")
    };
    words::apply(&mut entries, &files).map_err(wrong).map(|()| entries)
}

const WHOLE: &str = "\
# A comment.

under /nodes/{node}
    host

POST {guest}/start = Start {a guest}
    boot; turn on

POST /nodes/{node}/lxc/{vmid}/start = Wake a container
    pct start

~POST /nodes/{node}/x = Do the other thing
    other
";

#[test]
fn a_line_is_about_both_kinds_and_a_line_about_one_wins() {
    let entries = read(WHOLE).expect("all is said");
    assert_eq!(entries[0]["title"], "Wake a container");
    assert_eq!(entries[0]["words"], "boot; turn on; pct start");
    assert_eq!(entries[1]["title"], "Start a virtual machine");
    assert_eq!(entries[1]["words"], "boot; turn on");
    assert_eq!(entries[1]["same"], json!(["POST /nodes/{node}/lxc/{vmid}/start"]));
    assert_eq!((&entries[1]["seldom"], &entries[2]["seldom"]), (&json!(false), &json!(true)));
    assert_eq!(entries[2]["about"], "host");
}

#[test]
fn methods_that_do_the_same_know_each_other() {
    let text = WHOLE.replace("    other\n", "    other\n    as POST {guest}/start\n");
    let entries = read(&text).expect("all is said");
    for (at, entry) in entries.iter().enumerate() {
        assert_eq!(entry["same"].as_array().map(Vec::len), Some(2), "{at}");
    }
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    for (from, to, says) in [
        ("/nodes/{node}/x =", "/nodes/{node}/y =", "words/a.txt:12: there is no method `POST /nodes/{node}/y`"),
        ("~POST", "~PATCH", "words/a.txt:12: `PATCH` is none of GET, POST, PUT, DELETE"),
        (" = Do the other thing", "", "words/a.txt:12: not `METHOD /path = Title`"),
        ("    other\n", "", "`POST /nodes/{node}/x` has no title or words"),
        ("# A comment.\n", "    lost\n", "words/a.txt:1: words before the first method"),
        ("~POST /nodes/{node}/x", "POST /nodes/{node}/lxc/{vmid}/start", "has two titles"),
    ] {
        let mistakes = read(&WHOLE.replace(from, to)).expect_err(says);
        assert!(mistakes.contains(says), "{mistakes}");
    }
}

#[test]
fn the_thesaurus_goes_both_ways_or_one_way() {
    let meanings = words::thesaurus("# x\ngrow, enlarge\nserver -> virtual machine").expect("two meanings");
    let of = |word: &str| meanings.iter().find(|(phrase, _)| phrase == word).map(|(_, others)| others.join(","));
    assert_eq!(of("grow").as_deref(), Some("enlarg"));
    assert_eq!(of("enlarg").as_deref(), Some("grow"));
    assert_eq!(of("server").as_deref(), Some("virtual machin"));
    assert_eq!(of("virtual machin"), None);
    for wrong in ["alone", "a -> b", "grow,"] {
        let mistakes = words::thesaurus(wrong).expect_err(wrong);
        assert_eq!(mistakes[0].line, 1);
    }
    assert!(words::written(&meanings).contains(r#"Meaning{phrase:"grow",others:"enlarg"}"#));
}

#[test]
fn every_method_has_a_title_of_its_own_words() {
    for method in methods() {
        let title = method.title;
        assert!(title.len() >= 8 && title.len() <= 90, "{title}");
        assert!(title.starts_with(|letter: char| letter.is_uppercase()) && !title.ends_with('.'), "{title}");
        assert!(!title.contains('{'), "{title}");
    }
    let resize = find(Verb::Put, "/nodes/{node}/qemu/{vmid}/resize").expect("the method is there");
    assert_eq!(resize.title, "Grow a disk of a virtual machine");
    let other = &methods()[usize::from(resize.same[0])];
    assert_eq!(other.path, "/nodes/{node}/lxc/{vmid}/resize");
}
