//! The reference: an index, a page per toolset, and the machine-readable catalogue.
//!
//! What is said is decided here and in the modules below, as flat views of text; how it is laid out is the templates'.
//! Knows nothing of recorded answers beyond where their files lie: these are made by running the examples.

mod arguments;
mod index;
mod machine;
pub(super) mod privileges;
mod tool;

use crate::catalogue::Catalogue;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

/// (path below `docs/`, text), in listing order. Without templates there are no pages, only `catalogue.json`.
pub fn emit(catalogue: &Catalogue, templates: &[(String, String)]) -> Result<Vec<(String, String)>, String> {
    let mut files = Vec::new();
    if !templates.is_empty() {
        let pages = Pages::new(templates)?;
        files.push(("tools.md".to_owned(), index::page(catalogue, &pages)?));
        for set in &catalogue.toolsets {
            files.push((format!("tools/{}.md", set.name), tool::page(catalogue, set, &pages)?));
        }
    }
    files.push(("catalogue.json".to_owned(), machine::catalogue(catalogue)));
    Ok(files)
}

/// The templates, ready to be filled.
struct Pages<'t> {
    environment: Environment<'t>,
}

impl<'t> Pages<'t> {
    fn new(templates: &'t [(String, String)]) -> Result<Pages<'t>, String> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
        environment.set_syntax(syntax.map_err(|error| format!("the templates' syntax: {error}"))?);
        // A name that a template misspells is an error, not a hole in the page.
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.add_filter("cell", |text: String| cell(&text));
        for (name, text) in templates {
            environment.add_template(name, text).map_err(|error| format!("templates/{name}: {error}"))?;
        }
        Ok(Pages { environment })
    }

    fn fill(&self, name: &str, view: impl Serialize) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| format!("templates/{name}: {error}"))?;
        let text = template.render(Serde(view)).map_err(|error| format!("templates/{name}: {error}"))?;
        Ok(tidy(&text))
    }
}

/// Never two empty lines in a row, and one line break at the end: templates need not count them.
fn tidy(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut blank = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

/// Text that can stand in a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `word` as code.
fn code(word: &str) -> String {
    format!("`{word}`")
}

/// `a, b and c`.
fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    }
}

/// A version as the facts know it; they begin at 6.4.
fn since(version: &str) -> String {
    if version == "6.4" { "6.4 or earlier".to_owned() } else { version.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_has_no_bar_and_no_line_break() {
        assert_eq!(cell("a | b\n  c "), "a \\| b c");
    }

    #[test]
    fn a_name_that_the_view_lacks_is_an_error_with_the_template() {
        let templates = [("one.md".to_owned(), "{{ missing }}".to_owned())];
        let error = Pages::new(&templates).and_then(|pages| pages.fill("one.md", ())).expect_err("strict");
        assert!(error.starts_with("templates/one.md: "), "{error}");
    }

    #[test]
    fn empty_lines_do_not_pile_up() {
        assert_eq!(tidy("\n# A\n\n\nb  \n\n"), "# A\n\nb\n");
    }

    #[test]
    fn block_lines_leave_no_empty_lines() {
        let templates =
            [("one.md".to_owned(), "a\n  {% for one in list %}\n- {{ one }}\n  {% endfor %}\nb\n".to_owned())];
        let pages = Pages::new(&templates).expect("parses");
        let view = std::collections::BTreeMap::from([("list", ["x", "y"])]);
        assert_eq!(pages.fill("one.md", view).expect("fills"), "a\n- x\n- y\nb\n");
    }
}
