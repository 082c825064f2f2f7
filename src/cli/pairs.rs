//! The arguments of `call` as written on a command line: `key=text` and `key:=JSON`.

use serde_json::{Map, Value};

/// The arguments of one call.
///
/// # Errors
/// Says which word is wrong, and what would be right.
pub fn parse(words: &[String]) -> Result<Map<String, Value>, String> {
    let mut arguments = Map::new();
    for word in words {
        let Some((key, text)) = word.split_once('=') else {
            return Err(format!("`{word}` is not an argument: write NAME=TEXT or NAME:=JSON, e.g. vmid=100"));
        };
        let (key, value) = match key.strip_suffix(':') {
            None => (key, Value::String(text.to_owned())),
            Some(key) => match serde_json::from_str(text) {
                Ok(value) => (key, value),
                Err(error) => {
                    return Err(format!(
                        "`{key}:=` wants JSON, and this is not: {error}. For plain text write {key}=TEXT"
                    ));
                }
            },
        };
        if key.is_empty() {
            return Err(format!("`{word}` has no name before the `=`"));
        }
        if arguments.insert(key.to_owned(), value).is_some() {
            return Err(format!("`{key}` is given twice"));
        }
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(words: &[&str]) -> Result<Value, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        parse(&words).map(Value::Object)
    }

    #[test]
    fn text_and_json_are_told_apart() {
        let parsed = of(&["name=web=1", "vmid:=100", "net0:={\"bridge\":\"vmbr0\"}", "note="]);
        assert_eq!(parsed, Ok(json!({"name": "web=1", "vmid": 100, "net0": {"bridge": "vmbr0"}, "note": ""})));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(of(&["vmid"]).is_err_and(|text| text.contains("NAME=TEXT")));
        assert!(of(&["=1"]).is_err_and(|text| text.contains("no name")));
        assert!(of(&["a=1", "a:=2"]).is_err_and(|text| text.contains("twice")));
        assert!(of(&["a:=vmbr0"]).is_err_and(|text| text.contains("a=TEXT")));
    }
}
