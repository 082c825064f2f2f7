//! Every form with good and bad values.

use super::statics::*;
use crate::arguments::{FileSource, GuestId};
use crate::tool::Kind;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Reads one argument alone.
macro_rules! one {
    ($method:ident, $name:literal, $value:expr) => {
        read(json!({ $name: $value }), |f| f.$method(argument($name)))
    };
}

fn strings(texts: &[&str]) -> Option<Vec<String>> {
    Some(texts.iter().map(|text| (*text).to_owned()).collect())
}

#[test]
fn whole_numbers() {
    for good in [json!(12), json!(12.0), json!("12"), json!(" 12 "), json!("12.0"), json!("+12")] {
        assert_eq!(one!(integer, "timeout", good), Ok(Some(12)));
    }
    let huge = json!(u64::MAX);
    for bad in [json!(1.5), json!("x"), json!(""), json!(true), json!([1]), json!(0), json!(3601), json!("inf"), huge] {
        assert!(one!(integer, "timeout", bad).unwrap_err().contains("Expected a whole number from 1 to 3600."));
    }
}

#[test]
fn numbers() {
    for good in [json!(0.5), json!("0.5"), json!(".5")] {
        assert_eq!(one!(number, "ratio", good), Ok(Some(0.5)));
    }
    for bad in [json!("nan"), json!("infinity"), json!(2), json!(-1), json!(false), json!("a")] {
        assert!(one!(number, "ratio", bad).is_err());
    }
}

#[test]
fn booleans() {
    for good in [json!(true), json!("true"), json!("Yes"), json!("ON"), json!("1"), json!(1), json!(1.0)] {
        assert_eq!(one!(boolean, "force_stop", good), Ok(Some(true)));
    }
    for good in [json!(false), json!("false"), json!("No"), json!("off"), json!("0"), json!(0)] {
        assert_eq!(one!(boolean, "force_stop", good), Ok(Some(false)));
    }
    for bad in [json!("maybe"), json!(2), json!(""), json!([]), json!({})] {
        assert!(one!(boolean, "force_stop", bad).is_err());
    }
}

#[test]
fn choices() {
    assert_eq!(one!(choice, "compress", "zstd"), Ok(Some("zstd".into())));
    assert_eq!(one!(choice, "compress", " ZSTD"), Ok(Some("zstd".into())));
    assert_eq!(one!(choice, "compress", 0), Ok(Some("0".into())));
    assert_eq!(one!(choice, "compress", false), Ok(Some("0".into())));
    let bad = one!(choice, "compress", "zst").unwrap_err();
    assert!(bad.contains("Expected one of 0, gzip, zstd. Did you mean `zstd`?"), "{bad}");
    assert!(one!(choice, "compress", json!(["zstd"])).is_err());
}

#[test]
fn texts() {
    assert_eq!(one!(text, "name", "web-1"), Ok(Some("web-1".into())));
    assert_eq!(one!(text, "name", 42), Ok(Some("42".into())));
    assert_eq!(one!(text, "code", "abc"), Ok(Some("abc".into())));
    for bad in [json!("a b"), json!("elevenchars"), json!(true), json!({}), json!([]), json!("")] {
        assert!(one!(text, "name", bad).is_err());
    }
    for bad in ["abcd", "ABC", "abc\n", "ab\0"] {
        assert!(one!(text, "code", bad).unwrap_err().contains("`code`"), "{bad:?}");
    }
    assert!(one!(text, "disk", "local,size=1T").unwrap_err().contains("comma"));
}

#[test]
fn the_urlencoded_format_is_encoded_once() {
    let encoded = "ssh-ed25519%20AAAA%20me%40host";
    assert_eq!(one!(text, "sshkeys", "ssh-ed25519 AAAA me@host"), Ok(Some(encoded.into())));
    assert_eq!(one!(text, "sshkeys", encoded), Ok(Some(encoded.into())));
}

#[test]
fn segments() {
    let segment = |value: Value| one!(segment, "disk", value).map(|segment| segment.map(|it| it.as_str().to_owned()));
    assert_eq!(segment(json!("scsi0")), Ok(Some("scsi0".into())));
    for bad in ["", ".", "..", "a/b", "a%2fb", "%2e%2e", "a\u{1}"] {
        assert!(segment(json!(bad)).is_err(), "{bad:?}");
    }
    let volume = one!(segment, "volume", "local:iso/debian.iso").unwrap().unwrap();
    assert_eq!(volume.encoded(), "local%3Aiso%2Fdebian.iso");
    assert!(one!(segment, "volume", "local:iso/../../x").is_err());
    assert_eq!(one!(segment, "pos", "3").unwrap().unwrap().as_str(), "3");
    assert!(one!(segment, "pos", "-1").is_err());
}

#[test]
fn lists() {
    for good in [json!(["a", "b"]), json!("a,b"), json!("a; b"), json!("a b"), json!("[\"a\",\"b\"]")] {
        assert_eq!(one!(list, "tags", good), Ok(strings(&["a", "b"])));
    }
    assert_eq!(one!(list, "tags", 5), Ok(strings(&["5"])));
    assert_eq!(one!(list, "tags", json!([])), Ok(Some(vec![])));
    assert_eq!(one!(list, "modes", "RO rw"), Ok(strings(&["ro", "rw"])));
    for bad in [json!({ "a": 1 }), json!(true), json!([["a"]]), json!([null]), json!(["a", "$"])] {
        assert!(one!(list, "tags", bad).is_err());
    }
    let bad = one!(list, "modes", json!(["x", "y"])).unwrap_err();
    assert!(bad.starts_with("shape_guest: 2 problems"), "{bad}");
}

#[test]
fn property_strings() {
    assert_eq!(one!(property, "net0", "virtio,bridge=vmbr0"), Ok(Some("virtio,bridge=vmbr0".into())));
    for bad in [json!({ "nope": 1 }), json!({ "bridge": "vmbr0" }), json!(7), json!(["x"])] {
        assert!(one!(property, "net0", bad.clone()).is_err(), "{bad}");
    }
    let text = "virtio=BC:24:11:00:00:01,bridge=vmbr0";
    assert_eq!(one!(property, "net0", text), Ok(Some(text.into())));
    let object = json!({ "model": "virtio", "bridge": "vmbr0", "firewall": true, "tag": "12" });
    let printed = one!(property, "net0", object.clone()).unwrap().unwrap();
    assert!(
        printed.contains("bridge=vmbr0") && printed.contains("firewall=1") && printed.contains("tag=12"),
        "{printed}"
    );
    assert_eq!(one!(property, "net0", object.to_string()).unwrap().unwrap(), printed);
    let bad = one!(property, "net0", json!({ "modle": "virtio", "tag": 9999 })).unwrap_err();
    assert!(bad.contains("`net0.modle`: is no sub-key of this property.") && bad.contains("mean `model`?"), "{bad}");
    assert!(bad.contains("`net0.tag`:") && bad.contains("(got 9999)"), "{bad}");
    let bad = one!(property, "net0", "model=virtoi").unwrap_err();
    assert!(bad.contains("`net0.model`: is not one of the possible values (got \"virtoi\")"), "{bad}");
    assert!(bad.contains("Did you mean `virtio`?"), "{bad}");
}

#[test]
fn an_alias_key_of_an_object_says_model_and_address() {
    let object = json!({ "virtio": "BC:24:11:00:00:01", "bridge": "vmbr0" });
    let printed = one!(property, "net0", object).unwrap().unwrap();
    assert!(printed.contains("virtio") && printed.contains("macaddr=BC:24:11:00:00:01"), "{printed}");
}

#[test]
fn guests() {
    let guest = |given: Value| read(given, |f| f.guest(argument("vmid"), argument("node"), argument("kind")));
    for id in [json!(100), json!("100"), json!(100.0)] {
        assert_eq!(guest(json!({ "vmid": id })).unwrap().unwrap().guest, GuestId::Id(100));
    }
    let named = guest(json!({ "vmid": "web", "node": "pve1", "kind": "vm" })).unwrap().unwrap();
    assert_eq!(named.guest, GuestId::Name("web".into()));
    assert_eq!(named.node.unwrap().as_str(), "pve1");
    assert_eq!((named.kind, named.preset), (Some(Kind::Qemu), false));
    for bad in [json!(99), json!(1_000_000_000), json!(-1), json!("a/b"), json!(""), json!(1.5), json!([100])] {
        assert!(guest(json!({ "vmid": bad })).unwrap_err().contains("`vmid`"));
    }
    let bad = guest(json!({ "vmid": 1, "node": "..", "kind": "docker" })).unwrap_err();
    assert!(bad.starts_with("shape_guest: 3 problems"), "{bad}");
}

#[test]
fn a_kind_counts_when_it_was_written_or_the_name_fixes_it() {
    let guest =
        |surface, given| read_on(surface, given, |f| f.guest(argument("vmid"), argument("node"), argument("kind")));
    let kind = |surface, given| guest(surface, given).0.map(|guest| (guest.kind, guest.preset));
    assert_eq!(kind(&DIALECT, json!({ "vmid": 100 })), Some((Some(Kind::Qemu), true)));
    assert_eq!(kind(&HINTED, json!({ "vmid": 100 })), Some((None, false)));
    assert_eq!(kind(&HINTED, json!({ "vmid": 100, "kind": "lxc" })), Some((Some(Kind::Lxc), false)));
    // The dialect's default makes the required argument optional.
    assert_eq!(guest(&DIALECT, json!({})).0.map(|guest| guest.guest), Some(GuestId::Id(100)));
}

#[test]
fn task_ids_agree_with_the_node() {
    let text = "UPID:pve1:0000ABCD:01234567:65A00000:qmstart:100:root@pam!ai:";
    let upid = |given: Value| read(given, |f| f.upid(argument("upid"), Some(argument("node"))));
    assert_eq!(upid(json!({ "upid": text })).unwrap().unwrap().node().as_str(), "pve1");
    assert!(upid(json!({ "upid": text, "node": "pve1" })).is_ok());
    let bad = upid(json!({ "upid": text, "node": "pve2" })).unwrap_err();
    assert!(bad.contains("`node`: is another node than the task's, which runs on `pve1` (got \"pve2\")"), "{bad}");
    assert!(upid(json!({ "upid": "qmstart" })).is_err());
    assert!(upid(json!({ "upid": 5 })).is_err());
}

#[test]
fn volumes_join_and_agree_with_their_storage() {
    let volid = |given: Value| {
        read(given, |f| f.volid(argument("volid"), Some(argument("storage")))).map(|volid| volid.map(|it| it.full()))
    };
    let bare = "vzdump-qemu-100-2026_01_31-10_00_00.vma.zst";
    let full = Ok(Some(format!("local:backup/{bare}")));
    assert_eq!(volid(json!({ "volid": bare, "storage": "local" })), full);
    assert_eq!(volid(json!({ "volid": format!("local:backup/{bare}") })), full);
    assert_eq!(volid(json!({ "volid": format!("local:{bare}"), "storage": "local" })), full);
    assert!(volid(json!({ "volid": bare })).unwrap_err().contains("or `storage` beside it"));
    let bad = volid(json!({ "volid": "local:iso/x.iso", "storage": "nfs" })).unwrap_err();
    assert!(bad.contains("`storage`: is another storage than `local` in `volid` (got \"nfs\")"), "{bad}");
    let bad = volid(json!({ "volid": bare, "storage": "-" })).unwrap_err();
    assert!(bad.starts_with("shape_guest: a problem"), "{bad}");
    for bad in ["", "a,b", "/etc/passwd", "local:", "local:../x"] {
        assert!(volid(json!({ "volid": bad, "storage": "local" })).is_err(), "{bad:?}");
    }
}

#[test]
fn sizes() {
    let size = |value: Value| one!(size, "size", value).map(|size| size.map(|it| it.api()));
    assert_eq!(size(json!("+10G")), Ok(Some("+10G".into())));
    assert_eq!(size(json!(32)), Ok(Some("32G".into())));
    assert_eq!(size(json!(0.5)), Ok(Some("512M".into())));
    for bad in [json!("big"), json!(0), json!("-5G"), json!(true), json!([])] {
        assert!(size(bad).is_err());
    }
    let bad = one!(size, "disk_size", "+5G").unwrap_err();
    assert!(bad.contains("nothing yet that could grow"), "{bad}");
}

#[test]
fn commands() {
    for good in [json!(["ls", "-la", "/a b"]), json!("ls -la '/a b'"), json!("[\"ls\", \"-la\", \"/a b\"]")] {
        assert_eq!(one!(argv, "command", good), Ok(strings(&["ls", "-la", "/a b"])));
    }
    // Quoted operators are words, and an array is taken as it is.
    assert_eq!(one!(argv, "command", "echo 'a | b' \"c;d\""), Ok(strings(&["echo", "a | b", "c;d"])));
    assert_eq!(one!(argv, "command", json!(["echo", "a | b", "$HOME"])), Ok(strings(&["echo", "a | b", "$HOME"])));
    assert_eq!(one!(argv, "command", "grep -c \\; a"), Ok(strings(&["grep", "-c", ";", "a"])));
    let operators = [
        "a | b",
        "a && b",
        "a; b",
        "a > b",
        "a < b",
        "echo $(id)",
        "echo `id`",
        "a &",
        "ls *",
        "echo $HOME",
        "echo \"$HOME\"",
        "a\nb",
        "X=1 env",
        "ls ~/x",
        "(a)",
    ];
    for text in operators {
        let bad = one!(argv, "command", text).unwrap_err();
        let shell = format!("[\"sh\", \"-c\", {}]", Value::from(text));
        assert!(bad.contains(&shell), "{bad}");
    }
    assert!(one!(argv, "command", "dir C:\\Windows").unwrap_err().contains("backslash"));
    let long = "x".repeat(10_001);
    for bad in
        [json!(""), json!("  "), json!([]), json!([""]), json!(["a\0"]), json!("a 'b"), json!([["a"]]), json!(long)]
    {
        assert!(one!(argv, "command", bad).is_err());
    }
}

proptest! {
    #[test]
    fn a_quoted_command_is_split_back(words in proptest::collection::vec("[ -~]{1,12}", 1..5)) {
        prop_assume!(words.iter().all(|word| !word.trim().is_empty() && !word.contains('=')));
        let text = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\"'\"'"))).collect::<Vec<_>>().join(" ");
        prop_assert_eq!(one!(argv, "command", text), Ok(Some(words)));
    }
}

#[test]
fn files_come_as_content_or_as_path() {
    let file = |given: Value| read(given, |f| f.file(argument("content"), argument("path")));
    assert_eq!(file(json!({ "content": "aGVs\nbG8" })), Ok(Some(FileSource::Bytes(b"hello".to_vec()))));
    assert_eq!(file(json!({ "content": "data:text/plain;base64,_-8=" })), Ok(Some(FileSource::Bytes(vec![255, 239]))));
    assert_eq!(file(json!({ "path": "iso/a.iso" })), Ok(Some(FileSource::Path("iso/a.iso".into()))));
    assert!(file(json!({})).unwrap_err().contains("or its path as `path`"));
    assert!(file(json!({ "content": "aGVsbG8=", "path": "a" })).unwrap_err().contains("give one of the two"));
    for bad in
        [json!({ "content": "!!!" }), json!({ "content": "" }), json!({ "content": 5 }), json!({ "path": "../a" })]
    {
        assert!(file(bad).is_err());
    }
    assert!(file(json!({ "content": "A".repeat(12 << 20) })).unwrap_err().contains("larger than 8 MiB"));
}

#[test]
fn expected_values_are_texts() {
    let given = json!({ "expected": { "action": "ACCEPT", "enable": true, "dport": 22 } });
    let pairs = read(given, |f| f.expect(argument("expected"))).unwrap().unwrap();
    let wanted = [("action", "ACCEPT"), ("enable", "1"), ("dport", "22")];
    assert_eq!(pairs, wanted.map(|(field, value)| (field.to_owned(), value.to_owned())));
    let bad = one!(expect, "expected", json!({ "a": [1], "b": null })).unwrap_err();
    assert!(bad.contains("`expected.a`") && bad.contains("`expected.b`"), "{bad}");
    assert!(one!(expect, "expected", "action").is_err());
}
