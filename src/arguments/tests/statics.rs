//! A made-up tool with one argument of every form, under its own name and under a dialect's.

use crate::arguments::{BadArguments, Fields};
use crate::plan::{Locate, Plan};
use crate::tool::{
    Answer, Argument, Effect, Fact, Form, Need, Preset, Returns, Route, Rule, Surface, Tier, Tool, Verb,
};
use serde_json::{Map, Value};

const fn plain(name: &'static str, form: Form) -> Argument {
    Argument { name, form, ..Argument::NONE }
}

const fn ruled(name: &'static str, form: Form, rule: Rule) -> Argument {
    Argument { rule, ..plain(name, form) }
}

const fn fact(verb: Verb, path: &'static str, param: &'static str) -> Option<Fact> {
    Some(Fact { verb, path, param })
}

pub const QEMU: Fact = Fact { verb: Verb::Post, path: "/nodes/{node}/qemu/{vmid}/config", param: "" };
pub const LXC: Fact = Fact { verb: Verb::Put, path: "/nodes/{node}/lxc/{vmid}/config", param: "" };
pub static ONLY_QEMU: [Fact; 1] = [QEMU];
pub static BOTH: [Fact; 2] = [QEMU, LXC];

static ARGUMENTS: [Argument; 29] = [
    Argument { required: true, ..plain("vmid", Form::Guest) },
    ruled("node", Form::Text, Rule { format: Some("pve-node"), ..Rule::NONE }),
    ruled("kind", Form::Choice, Rule { values: &["qemu", "lxc"], ..Rule::NONE }),
    plain("force_stop", Form::Boolean),
    ruled("timeout", Form::Integer, Rule { minimum: Some(1.0), maximum: Some(3600.0), ..Rule::NONE }),
    ruled("ratio", Form::Number, Rule { minimum: Some(0.0), maximum: Some(1.0), ..Rule::NONE }),
    ruled(
        "compress",
        Form::Choice,
        Rule {
            values: &["0", "gzip", "zstd"],
            refused: &[("lzma", "was never supported by the API; use zstd")],
            ..Rule::NONE
        },
    ),
    ruled("name", Form::Text, Rule { format: Some("dns-name"), max_length: Some(10), ..Rule::NONE }),
    ruled("code", Form::Text, Rule { pattern: Some("(?^:[a-z]{3})"), ..Rule::NONE }),
    ruled("disk", Form::Text, Rule { part: true, ..Rule::NONE }),
    ruled("tags", Form::List, Rule { format: Some("pve-tag-list"), ..Rule::NONE }),
    ruled("modes", Form::List, Rule { values: &["ro", "rw"], ..Rule::NONE }),
    ruled(
        "net0",
        Form::Property,
        Rule { fact: fact(Verb::Post, "/nodes/{node}/qemu/{vmid}/config", "net0"), ..Rule::NONE },
    ),
    Argument { default: Preset::Text("32G"), ..NEEDY },
    ruled("storage", Form::Text, Rule { format: Some("pve-storage-id"), ..Rule::NONE }),
    ruled("size", Form::Size, Rule { fact: fact(Verb::Put, "/nodes/{node}/qemu/{vmid}/resize", "size"), ..Rule::NONE }),
    plain("upid", Form::Upid),
    plain("volid", Form::Volid),
    plain("command", Form::Argv),
    plain("content", Form::File),
    plain("path", Form::Text),
    ruled(
        "config",
        Form::Rest,
        Rule {
            fact: Some(QEMU),
            except: &[("cores", "it is the argument `cores`"), ("unused[n]", "use delete_disk")],
            ..Rule::NONE
        },
    ),
    plain("expected", Form::Expect),
    Argument { secret: true, ..ruled("password", Form::Text, Rule { min_length: Some(8), ..Rule::NONE }) },
    ruled(
        "volume",
        Form::Text,
        Rule { fact: fact(Verb::Get, "/nodes/{node}/storage/{storage}/content/{volume}", "volume"), ..Rule::NONE },
    ),
    Argument { default: Preset::Integer(50), ..plain("limit", Form::Integer) },
    ruled("sshkeys", Form::Text, Rule { format: Some("urlencoded"), ..Rule::NONE }),
    Argument { needs: Some(Need { argument: "storage", note: "" }), ..plain("format", Form::Text) },
    ruled("pos", Form::Integer, Rule { minimum: Some(0.0), ..Rule::NONE }),
];

const NEEDY: Argument = Argument {
    needs: Some(Need { argument: "storage", note: "No disk was made, as no storage was named." }),
    ..plain("disk_size", Form::Size)
};

static RETURNS: Returns = Returns { form: Answer::Done, ..Returns::NONE };

pub static TOOL: Tool = Tool {
    name: "shape_guest",
    title: "",
    doc: "",
    toolset: "guests",
    core: false,
    tier: Tier::Configure,
    effect: Effect::Changes,
    most: Effect::Changes,
    arguments: &ARGUMENTS,
    routes: &[Route { kind: None, verb: Verb::Get, path: "/version", when: "", returns: &RETURNS, always: &[] }],
    beside: &[],
    unsupported: &[],
    waiter: None,
    told: &[],
    hints: &[],
    output_schema: "{}",
    line: 1,
    handled: false,
    plan: |fields| fields.finish().map(|()| Plan::new(Locate::Nothing)),
};

pub static SURFACE: Surface = Surface {
    name: "shape_guest",
    dialect: None,
    tool: &TOOL,
    title: "",
    description: "",
    input_schema: "{}",
    rename: &[],
    preset: &[],
    values: &[],
    defaults: &[],
    ignores: &[],
};

pub static DIALECT: Surface = Surface {
    name: "other_shape_vm",
    dialect: Some("other"),
    rename: &[("type", "kind"), ("storage", "volume"), ("pool_name", "storage")],
    preset: &[("kind", "\"qemu\""), ("force_stop", "true")],
    values: &[("compress", "none", "0"), ("modes", "read-only", "ro")],
    defaults: &[("limit", "null"), ("timeout", "60"), ("vmid", "100")],
    ignores: &[("colour", "colour has no meaning here.")],
    ..SURFACE
};

/// A dialect whose kind is only a default.
pub static HINTED: Surface = Surface { name: "hinted_shape", defaults: &[("kind", "\"qemu\"")], ..SURFACE };

pub fn argument(name: &str) -> &'static Argument {
    ARGUMENTS.iter().find(|argument| argument.name == name).expect("an argument of the test tool")
}

/// Reads one call on a surface: the value, and every problem with it.
pub fn read_on<T>(
    surface: &'static Surface,
    given: Value,
    read: impl FnOnce(&mut Fields<'_>) -> T,
) -> (T, Option<BadArguments>) {
    let map: Map<String, Value> = given.as_object().expect("an object").clone();
    let mut fields = Fields::new(surface, Some(&map));
    let value = read(&mut fields);
    let end = fields.finish().err();
    (value, end)
}

/// Reads one call under the canonical name; a bad one gives its text.
pub fn read<T>(given: Value, read: impl FnOnce(&mut Fields<'_>) -> Option<T>) -> Result<Option<T>, String> {
    let (value, end) = read_on(&SURFACE, given, read);
    match end {
        None => Ok(value),
        Some(bad) => {
            assert!(value.is_none(), "a bad value was answered all the same");
            Err(bad.to_string())
        }
    }
}
