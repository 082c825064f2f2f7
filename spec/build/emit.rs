//! Writes the entries as Rust statics.
//!
//! Knows the types of `src/model.rs` by name; must not correct or judge anything. Equal pieces are written once,
//! in the order of their first use, so the same facts give the same text.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

/// Pieces already written, by their text.
#[derive(Default)]
struct Pool {
    text: String,
    known: HashMap<String, String>,
    count: usize,
}

impl Pool {
    /// The name of a piece `kind NAME: ty = body`, written now unless it has been.
    fn piece(&mut self, kind: &str, ty: &str, body: String) -> String {
        let declaration = format!("{kind} :{ty}={body};");
        if let Some(name) = self.known.get(&declaration) {
            return name.clone();
        }
        let name = format!("X{}", self.count);
        self.count += 1;
        let _ = writeln!(self.text, "{kind} {name}:{ty}={body};");
        self.known.insert(declaration, name.clone());
        name
    }
}

/// The whole table.
pub fn table(entries: &[Value]) -> Result<String, String> {
    let mut pool = Pool::default();
    let mut methods = String::new();
    let mut texts = String::new();
    let call = |entry: &Value| format!("{} {}", word(entry, "method"), word(entry, "path"));
    let rows: HashMap<String, usize> = entries.iter().enumerate().map(|(row, entry)| (call(entry), row)).collect();
    for entry in entries {
        let row = method(&mut pool, entry)
            .map_err(|mistake| format!("{} {}: {mistake}", word(entry, "method"), word(entry, "path")))?;
        let same = entry["same"].as_array().into_iter().flatten();
        let same: Vec<String> =
            same.filter_map(Value::as_str).filter_map(|name| rows.get(name)).map(usize::to_string).collect();
        let _ = writeln!(methods, "Method{{same:&[{}],{row}}},", same.join(","));
        let _ = writeln!(texts, "Texts{{phrases:{:?},about:{:?}}},", word(entry, "words"), word(entry, "about"));
    }
    let routing = routing(entries);
    let count = entries.len();
    let texts = format!("static TEXTS:[Texts;{count}]=[\n{texts}];\n");
    Ok(format!("{}static METHODS:[Method;{count}]=[\n{methods}];\n{texts}{routing}", pool.text))
}

/// Where the router looks: the rows of a verb by the number of their segments, and those that take slashes at the end.
fn routing(entries: &[Value]) -> String {
    let mut closed: BTreeMap<(&str, usize), Vec<String>> = BTreeMap::new();
    let mut open: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut longest = 0;
    for (row, entry) in entries.iter().enumerate() {
        let verb = word(entry, "method");
        if flag(entry, "remainder") {
            open.entry(verb).or_default().push(row.to_string());
        } else {
            let segments = word(entry, "path").split('/').filter(|part| !part.is_empty()).count();
            longest = longest.max(segments);
            closed.entry((verb, segments)).or_default().push(row.to_string());
        }
    }
    let list = |rows: Option<&Vec<String>>| format!("&[{}]", rows.map(|rows| rows.join(",")).unwrap_or_default());
    let (mut by_length, mut remainders) = (String::new(), String::new());
    // In the order of `Verb`.
    for verb in ["GET", "POST", "PUT", "DELETE"] {
        let lengths: Vec<String> = (0..=longest).map(|length| list(closed.get(&(verb, length)))).collect();
        let _ = writeln!(by_length, "&[{}],", lengths.join(","));
        let _ = writeln!(remainders, "{},", list(open.get(verb)));
    }
    format!("static BY_LENGTH:[&[&[u16]];4]=[\n{by_length}];\nstatic REMAINDERS:[&[u16];4]=[\n{remainders}];\n")
}

fn method(pool: &mut Pool, entry: &Value) -> Result<String, String> {
    let verb = camel(word(entry, "method"));
    let path = word(entry, "path");
    let mut body = format!(
        "verb:Verb::{verb},path:{path:?},segments:&{},name:{:?},title:{:?},since:{:?}",
        segments(pool, path, flag(entry, "remainder")),
        word(entry, "name"),
        word(entry, "title"),
        word(entry, "since"),
    );
    let params = entry["params"].as_object().ok_or("`params` is not an object")?;
    if !params.is_empty() {
        let _ = write!(body, ",params:&{}", param_list(pool, params)?);
    }
    let _ = write!(body, ",returns:&{}", shape(pool, &entry["returns"])?);
    let _ = write!(body, ",permissions:&{}", permissions(pool, &entry["permissions"])?);
    for (key, field) in
        [("extra_params", "extra_params"), ("protected", "protected"), ("expose_credentials", "exposes_credentials")]
    {
        if flag(entry, key) {
            let _ = write!(body, ",{field}:true");
        }
    }
    if !flag(entry, "allowtoken") {
        body.push_str(",allow_token:false");
    }
    if word(entry, "proxyto") == "node" {
        body.push_str(",proxy_to_node:true");
    }
    match word(entry, "upid") {
        "" => {}
        known @ ("always" | "optional" | "field" | "hidden") => {
            let _ = write!(body, ",upid:Upid::{}", camel(known));
        }
        other => return Err(format!("unknown upid `{other}`")),
    }
    match word(entry, "kind") {
        "" => {}
        "upload-multipart" => body.push_str(",kind:Kind::Upload"),
        "download-stream" => body.push_str(",kind:Kind::Download"),
        "websocket" => body.push_str(",kind:Kind::Websocket"),
        "console-ticket" => body.push_str(",kind:Kind::ConsoleTicket"),
        other => return Err(format!("unknown kind `{other}`")),
    }
    if let Some(mark) = entry.get("danger") {
        let mark = danger(pool, mark);
        let _ = write!(body, ",danger:Some(&{})", pool.piece("static", "Danger", mark));
    }
    if let Some(mark) = entry.get("reach") {
        let mark = reach(mark);
        let _ = write!(body, ",reach:Some(&{})", pool.piece("static", "Reach", mark));
    }
    if flag(entry, "seldom") {
        body.push_str(",seldom:true");
    }
    Ok(format!("{body},..METHOD"))
}

fn segments(pool: &mut Pool, path: &str, remainder: bool) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let last = parts.len().saturating_sub(1);
    let list: Vec<String> = parts
        .iter()
        .enumerate()
        .map(|(index, part)| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(name) if remainder && index == last => format!("Segment::Remainder({name:?})"),
            Some(name) => format!("Segment::Param({name:?})"),
            None => format!("Segment::Literal({part:?})"),
        })
        .collect();
    pool.piece("static", &format!("[Segment;{}]", list.len()), format!("[{}]", list.join(",")))
}

fn param_list(pool: &mut Pool, params: &Map<String, Value>) -> Result<String, String> {
    let mut list = Vec::new();
    // Sorted here, so that the order never hangs on how the JSON reader keeps objects.
    for (name, value) in BTreeMap::from_iter(params) {
        let body = param(pool, name, value).map_err(|mistake| format!("{name}: {mistake}"))?;
        list.push(format!("&{}", pool.piece("static", "Param", body)));
    }
    Ok(pool.piece("static", &format!("[&Param;{}]", list.len()), format!("[{}]", list.join(","))))
}

fn param(pool: &mut Pool, name: &str, value: &Value) -> Result<String, String> {
    let mut body = format!("name:{name:?}");
    let ty = ty(value)?;
    if ty != "String" {
        let _ = write!(body, ",ty:Type::{ty}");
    }
    for (key, field) in [
        ("format", "format"),
        ("pattern", "pattern"),
        ("alias", "alias"),
        ("keyAlias", "key_alias"),
        ("requires", "requires"),
        ("since", "since"),
    ] {
        if let Some(text) = value.get(key).and_then(Value::as_str) {
            let _ = write!(body, ",{field}:Some({text:?})");
        }
    }
    for (key, field) in [("enum", "values"), ("instance-types", "instance_types")] {
        if let Some(list) = texts(pool, value, key) {
            let _ = write!(body, ",{field}:&{list}");
        }
    }
    limits(&mut body, value);
    for (key, field) in [("minLength", "min_length"), ("maxLength", "max_length"), ("index_max", "index_max")] {
        if let Some(number) = value.get(key).and_then(Value::as_u64) {
            let _ = write!(body, ",{field}:Some({number})");
        }
    }
    match value.get("default") {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => {
            let _ = write!(body, ",default:Some({text:?})");
        }
        Some(other) => {
            let _ = write!(body, ",default:Some({:?})", other.to_string());
        }
    }
    if let Some(names) = value.get("names").and_then(Value::as_str) {
        let _ = write!(body, ",names:Some(Names::{})", camel(names));
    }
    for key in ["optional", "default_key", "root_only", "secret"] {
        if flag(value, key) {
            let _ = write!(body, ",{key}:true");
        }
    }
    if word(value, "in") == "path" {
        body.push_str(",in_path:true");
    }
    if let Some(keys) = value.get("keys").and_then(Value::as_object).filter(|keys| !keys.is_empty()) {
        let _ = write!(body, ",keys:&{}", param_list(pool, keys)?);
    }
    if let Some(items) = value.get("items") {
        let item = param(pool, "", items)?;
        let _ = write!(body, ",items:Some(&{})", pool.piece("static", "Param", item));
    }
    if let Some(marks) = value.get("danger").and_then(Value::as_array) {
        let list: Vec<String> = marks.iter().map(|mark| danger(pool, mark)).collect();
        let list = pool.piece("static", &format!("[Danger;{}]", list.len()), format!("[{}]", list.join(",")));
        let _ = write!(body, ",danger:&{list}");
    }
    Ok(format!("Param{{{body},..PARAM}}"))
}

fn shape(pool: &mut Pool, value: &Value) -> Result<String, String> {
    let mut body = format!("ty:Type::{}", ty(value)?);
    if let Some(text) = value.get("format").and_then(Value::as_str) {
        let _ = write!(body, ",format:Some({text:?})");
    }
    if let Some(list) = texts(pool, value, "enum") {
        let _ = write!(body, ",values:&{list}");
    }
    limits(&mut body, value);
    for key in ["optional", "closed", "secret", "foreign"] {
        if flag(value, key) {
            let _ = write!(body, ",{key}:true");
        }
    }
    if let Some(properties) = value.get("properties").and_then(Value::as_object).filter(|fields| !fields.is_empty()) {
        let mut fields = Vec::new();
        for (name, field) in BTreeMap::from_iter(properties) {
            let field = shape(pool, field).map_err(|mistake| format!("{name}: {mistake}"))?;
            fields.push(format!("({name:?},&{field})"));
        }
        let ty = format!("[(&str,&Shape);{}]", fields.len());
        let _ = write!(body, ",fields:&{}", pool.piece("static", &ty, format!("[{}]", fields.join(","))));
    }
    if let Some(items) = value.get("items") {
        let _ = write!(body, ",items:Some(&{})", shape(pool, items)?);
    }
    Ok(pool.piece("static", "Shape", format!("Shape{{{body},..SHAPE}}")))
}

fn permissions(pool: &mut Pool, value: &Value) -> Result<String, String> {
    let mut body = String::new();
    if let Some(expression) = value.get("check") {
        let expression = check(pool, expression)?;
        let _ = write!(body, "check:Some(&{}),", pool.piece("static", "Check", expression));
    }
    for key in ["privileges", "privileges_in_code"] {
        if let Some(list) = texts(pool, value, key) {
            let _ = write!(body, "{key}:&{list},");
        }
    }
    for key in ["in_code", "root_only"] {
        if flag(value, key) {
            let _ = write!(body, "{key}:true,");
        }
    }
    if let Some(user) = value.get("user").and_then(Value::as_str) {
        let _ = write!(body, "user:Some({user:?}),");
    }
    Ok(pool.piece("static", "Permissions", format!("Permissions{{{body}..PERMISSIONS}}")))
}

fn check(pool: &mut Pool, value: &Value) -> Result<String, String> {
    let wrong = || format!("permission check not understood: {value}");
    let list = value.as_array().ok_or_else(wrong)?;
    let (name, arguments) = list.split_first().ok_or_else(wrong)?;
    match (name.as_str().ok_or_else(wrong)?, arguments) {
        (name @ ("and" | "or"), parts) => {
            let parts = parts.iter().map(|part| check(pool, part)).collect::<Result<Vec<_>, _>>()?;
            let parts = pool.piece("static", &format!("[Check;{}]", parts.len()), format!("[{}]", parts.join(",")));
            Ok(format!("Check::{}(&{parts})", camel(name)))
        }
        ("perm", [Value::String(path), Value::Array(_), options @ ..]) => {
            let privileges = texts(pool, value, "2").ok_or_else(wrong)?;
            let option =
                |name: &str| options.iter().position(|one| one == name).and_then(|index| options.get(index + 1));
            if options.len() % 2 != 0 {
                return Err(wrong());
            }
            let any = option("any").is_some_and(|value| value != 0);
            let require = option("require_param").and_then(Value::as_str);
            Ok(format!("Check::Perm{{path:{path:?},privileges:&{privileges},any:{any},require_param:{require:?}}}"))
        }
        (name, arguments) => {
            let words: Vec<String> = arguments
                .iter()
                .map(|argument| match argument {
                    Value::String(text) => text.clone(),
                    Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
                    other => other.to_string(),
                })
                .collect();
            let words = str_list(pool, &words);
            Ok(format!("Check::Other{{name:{name:?},arguments:&{words}}}"))
        }
    }
}

fn danger(pool: &mut Pool, mark: &Value) -> String {
    let values = texts(pool, mark, "values").unwrap_or_else(|| "[]".to_owned());
    format!(
        "Danger{{values:&{values},tier:Tier::{},effect:Effect::{},because:{:?}}}",
        camel(word(mark, "tier")),
        camel(word(mark, "effect")),
        word(mark, "because"),
    )
}

fn reach(mark: &Value) -> String {
    let extent: String = word(mark, "extent").split('_').map(camel).collect();
    let optional = |key: &str| mark.get(key).and_then(Value::as_str);
    let stored = optional("stored").and_then(|call| call.split_once(' '));
    let stored = match stored {
        Some((verb, path)) => format!("Some((Verb::{},{path:?}))", camel(verb)),
        None => "None".to_owned(),
    };
    format!(
        "Reach{{extent:Extent::{extent},disks:{},moves:{},stored:{stored},becomes:{:?},because:{:?}}}",
        flag(mark, "disks"),
        flag(mark, "moves"),
        optional("becomes"),
        word(mark, "because"),
    )
}

fn limits(body: &mut String, value: &Value) {
    for key in ["minimum", "maximum"] {
        if let Some(number) = value.get(key).and_then(Value::as_f64) {
            let _ = write!(body, ",{key}:Some({number:?})");
        }
    }
}

fn ty(value: &Value) -> Result<&'static str, String> {
    Ok(match word(value, "type") {
        "string" => "String",
        "integer" => "Integer",
        "number" => "Number",
        "boolean" => "Boolean",
        "array" => "Array",
        "object" => "Object",
        "null" => "Null",
        "any" | "" => "Any",
        other => return Err(format!("unknown type `{other}`")),
    })
}

/// The list of texts under a key (or, for an array, an index); none if there is none or it is empty.
fn texts(pool: &mut Pool, value: &Value, key: &str) -> Option<String> {
    let list = match key.parse::<usize>() {
        Ok(index) => value.get(index),
        Err(_) => value.get(key),
    }?
    .as_array()?;
    let words: Vec<String> =
        list.iter().map(|word| word.as_str().map_or_else(|| word.to_string(), str::to_owned)).collect();
    if words.is_empty() { None } else { Some(str_list(pool, &words)) }
}

fn str_list(pool: &mut Pool, words: &[String]) -> String {
    pool.piece("static", &format!("[&str;{}]", words.len()), format!("{words:?}"))
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// `GET` → `Get`, `always` → `Always`.
fn camel(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect()
}
