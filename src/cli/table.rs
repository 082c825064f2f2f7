//! An answer as a person reads it: lists as tables, objects as names and values.
//!
//! Knows the forms that answers have (rows under a key, with `total`), and nothing of single tools.

use super::units;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};
use serde_json::{Map, Value};

/// Where the text of a column is wrapped, between words: a task id stays in one piece, so that it can be copied.
const WIDEST: u16 = 60;
/// Blanks between columns.
const GAP: u16 = 2;

/// The answer as text, ending with a line break.
pub fn answer(content: &Map<String, Value>) -> String {
    match objects(content) {
        Some(content) => laid_out(&content),
        None => laid_out(content),
    }
}

/// The answer with the rows of its form `table` as objects; `None` if it is not in that form.
fn objects(content: &Map<String, Value>) -> Option<Map<String, Value>> {
    let columns = content.get("columns")?.as_array()?;
    let rows = content.get("rows")?.as_array()?;
    let object = |row: &Value| -> Option<Value> {
        let cells = columns.iter().map(|name| name.as_str().map(str::to_owned)).zip(row.as_array()?.iter().cloned());
        let fields = cells.filter(|(_, value)| !value.is_null());
        fields.map(|(name, value)| Some((name?, value))).collect::<Option<Map<String, Value>>>().map(Value::Object)
    };
    let rows = rows.iter().map(object).collect::<Option<Vec<Value>>>()?;
    let mut content = content.clone();
    content.remove("columns");
    content.insert("rows".to_owned(), Value::Array(rows));
    Some(content)
}

fn laid_out(content: &Map<String, Value>) -> String {
    let lists: Vec<(&String, &Vec<Value>)> =
        content.iter().filter_map(|(key, value)| Some((key, rows(value)?))).collect();
    // The count of a list's rows; elsewhere a field of that name is a size.
    let count = content.get("total").and_then(Value::as_u64).filter(|_| !lists.is_empty());
    let mut text = String::new();
    let mut pairs = Vec::new();
    for (key, value) in content {
        let counted = matches!(key.as_str(), "total" | "offset" | "next_offset") && count.is_some();
        if rows(value).is_none() && !counted && key != "notes" && key != "log" {
            flatten(key, key, value, &mut pairs);
        }
    }
    if !pairs.is_empty() {
        let mut table = plain(&[]);
        for (key, value) in pairs {
            table.add_row([key, value]);
        }
        text += &finished(&table);
    }
    for (key, list) in &lists {
        if !text.is_empty() {
            text += "\n";
        }
        if lists.len() > 1 || !text.is_empty() {
            text += &format!("{key}:\n");
        }
        text += &finished(&of_rows(list));
    }
    if let Some(total) = count {
        let shown: usize = lists.first().map_or(0, |(_, list)| list.len());
        text += &match content.get("next_offset").and_then(Value::as_u64) {
            Some(next) => format!("\n{shown} of {total}; the next page begins at offset={next}\n"),
            None => format!("\n{total} in all\n"),
        };
    }
    for line in lines(content.get("log")) {
        text += &format!("  {line}\n");
    }
    for line in lines(content.get("notes")) {
        text += &format!("Note: {line}\n");
    }
    text
}

/// Rows of a table: a list of objects. An empty list is one, too: it has something to say.
fn rows(value: &Value) -> Option<&Vec<Value>> {
    value.as_array().filter(|list| list.iter().all(Value::is_object))
}

fn lines(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::Array(list)) => list.iter().map(|line| cell("", line)).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(Value::String(text)) => text.lines().map(clean).collect(),
        Some(other) => vec![cell("", other)],
    }
}

fn of_rows(list: &[Value]) -> Table {
    let mut columns: Vec<&str> = Vec::new();
    for key in list.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    if columns.is_empty() {
        let mut table = plain(&[]);
        table.add_row(["(none)"]);
        return table;
    }
    let mut table = plain(&columns);
    for row in list {
        let cells = columns.iter().map(|column| match row.get(column) {
            Some(value) => cell(column, value),
            None => String::new(),
        });
        table.add_row(cells);
    }
    table
}

/// A table without lines, for header and rows.
pub(super) fn plain(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(columns) = std::env::var("COLUMNS").ok().and_then(|text| text.parse::<u16>().ok()) {
        table.set_width(columns);
    }
    if !header.is_empty() {
        table.set_header(header.iter().map(|column| column.to_uppercase()));
    }
    table
}

/// The table as text, without the blanks at the ends of lines.
pub(super) fn finished(table: &Table) -> String {
    let mut table = table.clone();
    let words: Vec<u16> = (0..table.column_count()).map(|index| longest_word(&table, index)).collect();
    for (column, word) in table.column_iter_mut().zip(words) {
        column.set_padding((0, GAP));
        column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(word.max(WIDEST).saturating_add(GAP))));
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// The length of the longest word in bytes, which is never less than its width.
fn longest_word(table: &Table, column: usize) -> u16 {
    let cells = table.column_cells_iter(column).flatten();
    let longest = cells.flat_map(|cell| cell.content().split_whitespace().map(str::len).max()).max();
    u16::try_from(longest.unwrap_or(0)).unwrap_or(u16::MAX)
}

/// Objects inside objects become `outer.inner`.
fn flatten(path: &str, field: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) if !object.is_empty() => {
            for (key, value) in object {
                flatten(&format!("{path}.{key}"), key, value, pairs);
            }
        }
        other => pairs.push((path.to_owned(), cell(field, other))),
    }
}

fn cell(field: &str, value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => {
            units::of(field).and_then(|unit| units::human(unit, number)).unwrap_or_else(|| number.to_string())
        }
        Value::String(text) => clean(text),
        Value::Array(list) if list.iter().all(|item| !item.is_object() && !item.is_array()) => {
            list.iter().map(|item| cell(field, item)).collect::<Vec<_>>().join(", ")
        }
        nested => clean(&nested.to_string()),
    }
}

/// Text of others must not steer the terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(content: Value) -> String {
        content.as_object().map(answer).unwrap_or_default()
    }

    #[test]
    fn a_list_is_a_table_with_units_and_says_where_the_next_page_begins() {
        let text = shown(json!({
            "guests": [
                {"vmid": 100, "name": "web", "maxmem": 4_294_967_296_u64},
                {"vmid": 200, "name": "dns", "template": true},
            ],
            "total": 7,
            "next_offset": 2,
        }));
        let expected = "VMID  NAME  MAXMEM  TEMPLATE\n100   web   4 GiB\n200   dns           yes\n\n\
                        2 of 7; the next page begins at offset=2\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn the_form_table_looks_like_any_other_list() {
        let text = shown(json!({
            "columns": ["vmid", "lock"], "rows": [[100, null], [200, "backup"]], "total": 7, "next_offset": 2,
        }));
        assert_eq!(text, "VMID  LOCK\n100\n200   backup\n\n2 of 7; the next page begins at offset=2\n");
        assert_eq!(shown(json!({"columns": ["vmid"], "rows": [], "total": 0})), "(none)\n\n0 in all\n");
    }

    #[test]
    fn an_object_is_names_and_values() {
        let text = shown(json!({"version": "9.2.1", "memory": {"total": 2048, "used": 1024}, "notes": ["so it is"]}));
        assert_eq!(text, "version       9.2.1\nmemory.total  2 KiB\nmemory.used   1 KiB\nNote: so it is\n");
    }

    #[test]
    fn long_text_is_wrapped_and_a_task_id_is_not() {
        let upid = format!("UPID:pve1:{}:", "0".repeat(80));
        assert!(shown(json!({"upid": upid})).contains(&upid));
        let text = "word ".repeat(40);
        assert!(shown(json!({"text": text})).lines().count() > 1);
    }

    #[test]
    fn an_empty_list_says_so() {
        assert_eq!(shown(json!({"guests": [], "total": 0})), "(none)\n\n0 in all\n");
    }

    #[test]
    fn an_outcome_shows_the_end_of_the_log() {
        let text = shown(json!({"outcome": "failed", "log": ["a", "b"]}));
        assert_eq!(text, "outcome  failed\n  a\n  b\n");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(shown(json!({"name": "a\u{1b}[2Jb"})), "name  a [2Jb\n");
    }
}
