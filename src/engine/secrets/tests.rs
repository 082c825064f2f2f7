use super::*;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::json;

const SECRET: &str = "p w%d;\"é/<+0123456789";

fn secrets() -> Secrets {
    Secrets::new(["fedcba98-0000".to_owned(), SECRET.to_owned(), "ab".to_owned()])
}

fn hidden(text: &str) -> String {
    secrets().hide(text.to_owned())
}

#[test]
fn a_secret_is_hidden_as_it_is_and_in_every_escape() {
    for form in [
        SECRET,
        "p%20w%25d%3B%22%C3%A9%2F%3C%2B0123456789",
        "p+w%25d%3b%22%c3%a9%2f%3c%2b0123456789",
        "p%2520w%2525d%253B%2522%25C3%25A9%252F%253C%252B0123456789",
        "p w%d;\\\"é\\/<+0123456789",
        "p w%d;\\u0022é/\\u003c+0123456789",
        "p w%d;&quot;é/&lt;+0123456789",
    ] {
        assert_eq!(hidden(&format!("x {form} y")), "x *** y");
        assert_eq!(hidden(form), "***");
    }
    for other in ["p w%d", "0123456789", "50% of 1+1 & more", "p%20w%25e", "ab"] {
        assert_eq!(hidden(other), other);
    }
}

#[test]
fn a_secret_is_hidden_in_base64_wherever_it_stands_in_it() {
    for (before, behind) in [("", ""), ("x", ""), ("xy", "z"), ("user@pam!mcp:", "\n"), ("xyz", "zz")] {
        let whole = format!("{before}{SECRET}{behind}");
        for coded in [STANDARD.encode(&whole), URL_SAFE.encode(&whole)] {
            let shown = hidden(&format!("Basic {coded}."));
            // What stands around it stays, and some letters of the seam.
            assert!(shown.starts_with("Basic ") && shown.contains("***") && shown.ends_with('.'), "{shown}");
            assert!(shown.len() < 18 + (before.len() + behind.len()) * 2 + 8, "{shown}");
        }
    }
}

#[test]
fn the_rest_of_a_secret_before_a_cut_is_hidden() {
    assert_eq!(hidden("it was fedcba98…"), "it was ***…");
    assert_eq!(hidden("it was fedcba98… (HTTP 500)"), "it was ***… (HTTP 500)");
    assert_eq!(hidden("it was p%20w%25d%3B%22%C3…"), "it was ***…");
    assert_eq!(hidden("it was fed…"), "it was fed…");
    assert_eq!(hidden("it was fedcba98"), "it was fedcba98");
    let long = format!("{}fedcba98", "x".repeat(clean::LONGEST - 8));
    assert_eq!(hidden(&long), format!("{}***", "x".repeat(clean::LONGEST - 8)));
}

#[test]
fn names_of_fields_are_texts_too() {
    let mut value = json!({"a": [{"fedcba98-0000": 1}, "fedcba98-0000", 5], "plain": "text"});
    secrets().hide_within(&mut value);
    assert_eq!(value, json!({"a": [{"***": 1}, "***", 5], "plain": "text"}));
}

#[test]
fn what_was_cleaned_is_still_recognised() {
    let secrets = Secrets::new(["two  spaces\u{200b}and\tmore".to_owned()]);
    assert_eq!(secrets.hide("x two spacesand more".to_owned()), "x ***");
    assert_eq!(secrets.hide("x two  spacesand\tmore".to_owned()), "x ***");
}
