//! Edge values of one argument: what its form and rule promise, how it may be written carelessly, and what is wrong.
//!
//! Knows forms and rules; must not know which tool an argument belongs to.

use crate::facts::{Scalar, Why, folded};
use crate::properties;
use proxmox_mcp::tool::{Argument, Form};
use serde_json::{Value, json};

/// A value that the decoder takes.
#[derive(Debug, Clone)]
pub struct Good {
    pub value: Value,
    /// What the wire says; several for a repeated key. `None` where the value has a meaning and no text of its own.
    pub wire: Option<Vec<String>>,
    /// What the schema does not promise although the decoder takes it.
    pub careless: Option<&'static str>,
}

/// A value that the decoder refuses.
#[derive(Debug, Clone)]
pub struct Bad {
    pub value: Value,
    pub why: Why,
}

#[derive(Debug, Default)]
pub struct Samples {
    pub good: Vec<Good>,
    pub bad: Vec<Bad>,
}

impl Samples {
    pub fn good(&mut self, value: Value, wire: impl Into<String>) {
        self.good.push(Good { value, wire: Some(vec![wire.into()]), careless: None });
    }

    fn list(&mut self, value: Value, wire: &[&str]) {
        let wire = wire.iter().map(|text| (*text).to_owned()).collect();
        self.good.push(Good { value, wire: Some(wire), careless: None });
    }

    fn silent(&mut self, value: Value) {
        self.good.push(Good { value, wire: None, careless: None });
    }

    fn careless(&mut self, value: Value, wire: impl Into<String>, what: &'static str) {
        self.good.push(Good { value, wire: Some(vec![wire.into()]), careless: Some(what) });
    }

    pub fn bad(&mut self, value: Value, why: Why) {
        if !self.bad.iter().any(|one| one.value == value) {
            self.bad.push(Bad { value, why });
        }
    }

    fn all_bad(&mut self, values: impl IntoIterator<Item = Value>, why: Why) {
        values.into_iter().for_each(|value| self.bad(value, why));
    }
}

const TASK: &str = "UPID:pve1:00001020:04978980:6AE583E0:qmstart:100:root@pam:";

/// `segment`: it stands in the path of the call.
pub fn of(argument: &'static Argument, segment: bool) -> Samples {
    let mut samples = Samples::default();
    match argument.form {
        Form::Text | Form::Choice | Form::Integer | Form::Number | Form::Boolean => {
            scalar(&mut samples, argument, segment)
        }
        Form::List => list(&mut samples, argument),
        Form::Property => properties::argument(&mut samples, argument),
        Form::Guest => guest(&mut samples),
        Form::Upid => upid(&mut samples),
        Form::Volid => volid(&mut samples),
        Form::Size => size(&mut samples, argument),
        Form::Argv => argv(&mut samples),
        Form::File => file(&mut samples),
        Form::Expect => expect(&mut samples),
        Form::Object => unreachable!("only handlers read an object"),
        // Every parameter of every method: see `rest.rs`.
        Form::Rest => {
            samples.list(json!({}), &[]);
            samples.all_bad([json!([]), json!(1), json!(true), json!("cores=4"), json!("{\"cores\":")], Why::Type);
        }
    }
    samples
}

fn scalar(samples: &mut Samples, argument: &'static Argument, segment: bool) {
    let fact = Scalar::from(argument);
    let unfit = |text: &str| {
        let odd = text.contains(['/', '\0']) || matches!(text, "" | "." | "..");
        (argument.rule.part && text.contains([',', '\n'])) || (segment && odd)
    };
    for (value, wire) in fact.good() {
        if unfit(&wire) {
            continue;
        }
        match argument.form {
            Form::Integer | Form::Number => {
                samples.careless(json!(format!(" {wire} ")), wire.clone(), "a number as text");
                samples.careless(json!(format!("{wire}.0")), wire.clone(), "a number as text");
            }
            Form::Boolean => {
                let words: &[Value] = if wire == "1" {
                    &[json!(1), json!("1"), json!("yes"), json!("On"), json!("TRUE")]
                } else {
                    &[json!(0), json!("0"), json!("no"), json!("Off"), json!("FALSE")]
                };
                let words = words.iter().cloned();
                words.for_each(|word| samples.careless(word, wire.clone(), "a boolean in other words"));
            }
            Form::Choice => {
                let others = fact.values.iter().filter(|other| folded(other) == folded(&wire)).count();
                let upper = wire.to_uppercase();
                if others == 1 && upper != wire {
                    samples.careless(json!(format!("{upper} ")), wire.clone(), "a value in another case");
                }
            }
            _ => {}
        }
        samples.good(value, wire);
    }
    if argument.form == Form::Integer
        && let Some((_, wire)) = fact.good().into_iter().next()
        && let Ok(number) = wire.parse::<f64>()
    {
        samples.good(json!(number), wire);
    }
    for (value, why) in fact.bad() {
        samples.bad(value, why);
    }
    if matches!(argument.form, Form::Text | Form::Choice) && argument.rule.values.is_empty() {
        samples.bad(json!(true), Why::Type);
        if argument.rule.part {
            samples.all_bad([json!("a,b"), json!("local,size=1G"), json!("a\nb")], Why::Letter);
        }
        if segment {
            samples.all_bad(["", ".", "..", "a/b", "../a", "a%2Fb", "%2e%2e", "a\u{7}"].map(Value::from), Why::Letter);
        }
    }
    for (value, _) in argument.rule.refused {
        samples
            .good
            .retain(|good| good.value != *value && folded(good.value.as_str().unwrap_or_default()) != folded(value));
        samples.bad(json!(value), Why::Refused);
        samples.bad(json!(value.to_uppercase()), Why::Refused);
    }
}

fn list(samples: &mut Samples, argument: &'static Argument) {
    let fact = Scalar::from(argument);
    let texts: Vec<String> =
        fact.texts().into_iter().filter(|text| !text.contains([',', ';', ' ']) && !text.is_empty()).collect();
    let all: Vec<&str> = texts.iter().take(3).map(String::as_str).collect();
    for text in &texts {
        samples.good(json!([text]), text.clone());
        samples.careless(json!(text), text.clone(), "a list as text");
    }
    samples.list(json!(all), &all);
    samples.careless(json!(all.join(", ")), all.join(","), "a list as text");
    samples.careless(json!(json!(all).to_string()), all.join(","), "a list as text");
    samples.all_bad([json!({"a": 1}), json!(true), json!([[1]]), json!([{}]), json!([true])], Why::Type);
    samples.bad(json!(["a\0b"]), Why::Letter);
    for (value, why) in fact.bad() {
        // A text is split, so an element has no separators and is not empty.
        if let Some(text) =
            value.as_str().filter(|text| !text.contains([',', ';', ' ', '\0', '\n']) && !text.is_empty())
        {
            samples.bad(json!([text]), why);
            samples.bad(json!([all[0], text]), why);
        }
    }
}

fn guest(samples: &mut Samples) {
    for (value, id) in
        [(json!(100), "100"), (json!(999_999_999), "999999999"), (json!(100.0), "100"), (json!("100"), "100")]
    {
        samples.good(value, id);
    }
    for name in ["web-server", "ä", "a.b", "x", &"x".repeat(255)] {
        samples.good(json!(name), name);
    }
    samples.bad(json!(99), Why::Minimum);
    samples.all_bad([json!(1_000_000_000), json!(1e15)], Why::Maximum);
    samples.all_bad([json!(0), json!(-100)], Why::Minimum);
    samples.all_bad([json!("99"), json!("1000000000"), json!("-1")], Why::Word);
    samples.bad(json!(100.5), Why::Fraction);
    samples.all_bad([json!(""), json!("  "), json!("a/b"), json!("../100"), json!("a\nb"), json!("a\0")], Why::Letter);
    samples.bad(json!("x".repeat(256)), Why::Long);
    samples.all_bad([json!(true), json!([100]), json!({"vmid": 100})], Why::Type);
}

fn upid(samples: &mut Samples) {
    let others = [
        "UPID:pve-2:00001020:104978980:6AE583E0:vzdump::root@pam!token:",
        "UPID:a:FFFFFFFF:FFFFFFFF:FFFFFFFF:x:local%3Aiso:user@realm:",
    ];
    for task in [TASK].into_iter().chain(others) {
        samples.good(json!(task), task);
    }
    samples.good(json!(format!(" {TASK}\n")), TASK);
    samples.good(json!(TASK.trim_end_matches(':')), TASK);
    samples.all_bad([json!(1), json!(true), json!([TASK]), json!({})], Why::Type);
    let bad = [
        "",
        "UPID",
        "UPID:",
        "qmstart",
        "UPID:pve1:00001020:04978980:6AE583E0:qmstart:100",
        "UPID:pve1:00001020:04978980:6AE583E0:qmstart:100:root@pam:more:",
        "UPID::00001020:04978980:6AE583E0:qmstart:100:root@pam:",
        "UPID:../x:00001020:04978980:6AE583E0:qmstart:100:root@pam:",
        "UPID:-pve1:00001020:04978980:6AE583E0:qmstart:100:root@pam:",
        "UPID:pve1:0000102:04978980:6AE583E0:qmstart:100:root@pam:",
        "UPID:pve1:0000102G:04978980:6AE583E0:qmstart:100:root@pam:",
        "UPID:pve1:00001020:0497898:6AE583E0:qmstart:100:root@pam:",
        "UPID:pve1:00001020:04978980:6AE583E00:qmstart:100:root@pam:",
        "UPID:pve1:00001020:04978980:6AE583E0::100:root@pam:",
        "UPID:pve1:00001020:04978980:6AE583E0:qmstart:100::",
        "UPID:pve1:00001020:04978980:6AE583E0:qm start:100:root@pam:",
        "UPID:pve1:00001020:04978980:6AE583E0:qmstart:1/0:root@pam:",
        "upid:pve1:00001020:04978980:6AE583E0:qmstart:100:root@pam:",
    ];
    samples.all_bad(bad.map(Value::from), Why::Form);
}

/// The storage of every sample is `local`; see `calls.rs`.
fn volid(samples: &mut Samples) {
    let backup = "backup/vzdump-qemu-100-2024_01_01-12_00_00.vma.zst";
    for path in [backup, "backup/vzdump-lxc-200-2024_01_01-12_00_00.tar.zst", "backup/ct/200/2026-10-01T02:05:00Z"] {
        samples.good(json!(format!("local:{path}")), format!("local:{path}"));
    }
    samples.good(json!("local:vzdump-qemu-100-2024_01_01-12_00_00.vma.zst"), format!("local:{backup}"));
    samples.all_bad([json!(1), json!(true), json!(["local:a"]), json!({})], Why::Type);
    let bad = [
        "",
        ":",
        "local:",
        ":a",
        "a:b",
        "9x:a",
        "local:a,b",
        "/var/lib/vz/a.iso",
        "local:../../etc/passwd",
        "local:a/../b",
        "local:a//b",
        "local:/a",
        "local:a\nb",
        "local:a\0b",
        "local:%2e%2e/x",
        "lo cal:a",
    ];
    samples.all_bad(bad.map(Value::from), Why::Form);
}

fn size(samples: &mut Samples, argument: &'static Argument) {
    // What makes something new is written in GiB and cannot grow.
    let grows = argument.rule.fact.is_some();
    let sizes = [
        ("1G", "1G", "1"),
        ("32G", "32G", "32"),
        ("32 GiB", "32G", "32"),
        ("0.5T", "512G", "512"),
        ("512M", "512M", "0.5"),
        ("2048 mb", "2G", "2"),
        ("1.5t", "1536G", "1536"),
        ("64", "64G", "64"),
        ("16777216K", "16G", "16"),
    ];
    for (text, api, gib) in sizes {
        samples.good(json!(text), if grows { api } else { gib });
    }
    let number = if grows { "32G" } else { "32" };
    samples.careless(json!(32), number, "a size as number");
    samples.careless(json!(32.0), number, "a size as number");
    if grows {
        samples.good(json!("+10G"), "+10G");
        samples.good(json!("+ 512 MiB"), "+512M");
    } else {
        samples.bad(json!("+10G"), Why::Form);
    }
    samples.all_bad([json!(true), json!([32]), json!({})], Why::Type);
    samples.all_bad([json!(-1), json!(0)], Why::Form);
    let bad = [
        "",
        "G",
        "-1G",
        "0",
        "0G",
        "1X",
        "1GG",
        "1.2.3G",
        "ten",
        "1,5G",
        "99999999999999999999G",
        "1e3G",
        "32G,ssd=1",
        "50%",
        "+",
        "++1G",
        "1G\0",
        "\u{661}G",
    ];
    samples.all_bad(bad.map(Value::from), Why::Form);
}

fn argv(samples: &mut Samples) {
    samples.list(json!(["ls"]), &["ls"]);
    samples.list(json!(["sh", "-c", "ls | wc -l; echo $HOME"]), &["sh", "-c", "ls | wc -l; echo $HOME"]);
    samples.list(json!(["echo", "", "ä b"]), &["echo", "", "ä b"]);
    samples.list(json!("ls -la '/a b'"), &["ls", "-la", "/a b"]);
    samples.list(json!("[\"ls\", \"-l\"]"), &["ls", "-l"]);
    samples.good.push(Good {
        value: json!(["sleep", 5]),
        wire: Some(vec!["sleep".to_owned(), "5".to_owned()]),
        careless: Some("a number in a command"),
    });
    samples.list(json!(["x".repeat(10_000)]), &["x".repeat(10_000).as_str()]);
    samples.bad(json!(["x".repeat(10_001)]), Why::Long);
    samples.all_bad([json!(1), json!(true), json!({}), json!([["ls"]]), json!([{"a": 1}])], Why::Type);
    samples.all_bad([json!([]), json!([""]), json!([" "]), json!(""), json!(["a\0"])], Why::Form);
    let shell = [
        "ls | wc",
        "a && b",
        "a; b",
        "echo $HOME",
        "echo `id`",
        "ls > x",
        "ls *",
        "A=1 ls",
        "cd ~",
        "a\nb",
        "echo 'x",
        "dir C:\\temp",
    ];
    samples.all_bad(shell.map(Value::from), Why::Form);
}

fn file(samples: &mut Samples) {
    for text in ["aXNv", "aXNvMQ==", "aXNvMQ", "aXN\nv", "data:application/octet-stream;base64,aXNv", "-_-_"] {
        samples.silent(json!(text));
    }
    samples.all_bad([json!(1), json!(true), json!(["aXNv"]), json!({})], Why::Type);
    samples.all_bad(["", " \n", "a", "!!!!", "aXNv%"].map(Value::from), Why::Form);
}

fn expect(samples: &mut Samples) {
    samples.silent(json!({"action": "ACCEPT"}));
    samples.silent(json!({"dport": 22, "enable": true, "comment": "ä"}));
    samples.all_bad(
        [json!([]), json!(1), json!(true), json!("ACCEPT"), json!({"a": [1]}), json!({"a": {}}), json!({"a": null})],
        Why::Type,
    );
}

/// The path half of a file.
pub fn path() -> Samples {
    let mut samples = Samples::default();
    for text in ["a.iso", "sub/a b.iso", "/srv/up/ä.iso", ".hidden", "..a"] {
        samples.good(json!(text), text);
    }
    samples.all_bad([json!(true), json!(["a.iso"]), json!({})], Why::Type);
    let bad = ["", " ", "..", "../a.iso", "a/../b.iso", "a\\..\\b", "a\nb", "a\0b"];
    samples.all_bad(bad.map(Value::from), Why::Letter);
    samples
}
