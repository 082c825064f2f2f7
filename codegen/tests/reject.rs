//! One small catalogue per mistake, and the exact text that its author reads.
//!
//! `reject/<mistake>.yaml` says in its first line what is wrong with it; `reject/<mistake>.snap` beside it holds the whole
//! diagnostic. A message that gets worse shows up here as a changed file. To add a mistake, write the catalogue, add its
//! name to the list below, and accept the snapshot (`cargo insta review`).

use proxmox_codegen::{Source, compile};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reject")
}

/// Everything that a build says of a catalogue.
fn told(name: &str) -> String {
    let file = format!("{name}.yaml");
    let text = std::fs::read_to_string(folder().join(&file)).expect("the catalogue is there");
    match compile(&Source { file: &file, text: &text, templates: &[] }) {
        Ok(_) => "the catalogue was accepted".to_owned(),
        Err(problems) => problems.join("\n"),
    }
}

fn check(name: &str) {
    let told = told(name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("reject");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, told));
    assert!(told.ends_with("nothing was generated"), "{told}");
}

/// One test per catalogue, and the list of them.
macro_rules! rejected {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        const REJECTED: &[&str] = &[$(stringify!($name)),*];
    };
}

rejected! {
    completion_above_read, completion_field_typo, completion_not_a_get, completion_unused, instruction_condition, instruction_place, prompt_argument_unused, prompt_arguments_alone, prompt_completes_typo, prompt_example, prompt_may_be_left_out, prompt_place, prompt_place_open, prompt_tool_in_text, prompt_when, prompt_without_steps, resource_argument_missing, resource_place, resource_place_unused, resource_scheme, resource_segment, resource_twice, resource_writes, unknown_argument_prompt, unknown_tool_prompt,
    handler_and_call, handler_arguments, handler_typo, handler_without_schema, object_of_a_call, schema_of_a_call,
    alias_arguments_clash, alias_is_a_tool, all_at_once, also_not_a_get,
    answers_field_taken, answers_incomplete, answers_line_beginning, answers_line_place, answers_line_star,
    answers_parameter, answers_text, answers_without_log, argument_as_typo, argument_doc_too_long,
    argument_goes_nowhere, argument_needs_typo, argument_not_in_facts, argument_not_in_facts_of_a_kind,
    argument_own_by_itself, argument_reserved, argument_untyped, argument_without_text, call_and_cases, call_without_path,
    core_not_a_flag, last_without_start, page_api_without_arguments, core_too_many, toolset_reserved, cases_not_exhaustive, cases_unknown_subject, catalogue_version, catalogue_version_missing, columns_not_shown, columns_twice, columns_without_page, default_from_nowhere,
    default_not_a_value, default_outside_limits, default_wrong_type, delete_below_admin, delete_effect,
    derive_always_sent, derive_brace, derive_literal, derive_parameter, derive_part, derive_placeholder,
    dialect_rename_typo, dialect_tightens, dialect_unused, doc_empty, doc_too_long, duplicate_alias,
    duplicate_argument, duplicate_argument_spelling, duplicate_case, duplicate_field, duplicate_tool,
    effect_below_danger_list, effect_missing, enum_wider, example_missing_argument, example_out_of_range,
    example_rest_excluded, example_rest_typo, example_sends_parameter, example_sends_path, example_sends_value,
    example_sends_verb, example_unknown_argument, example_wrong_type, except_typo, fixed_not_a_value,
    fixed_not_in_facts, fixed_unknown_kind, guard_without_digest, key_without_value, kind_left_out,
    kind_unsupported_and_called, limit_maximum_wider, limit_minimum_wider, missing_example, missing_keys,
    more_than_twenty, name_argument_typo, name_preset_not_a_value, only_without_kinds, page_without_fields, path_constant,
    path_guest_typo, path_one_kind, path_parameter_missing, path_placeholder_without_argument, path_typo,
    path_typo_first, path_unknown_verb, path_wrong_verb, read_tier_on_danger_list, read_tier_sends_a_put,
    required_not_supplied, returns_filter_typo, returns_not_named, returns_of_a_task, returns_two_forms,
    returns_unknown_field, returns_unknown_sort, title_too_long, tool_name, toolset_empty, toolset_key_in_tool,
    toolset_shape, unit_unused, unknown_case, unknown_dialect, unknown_effect,
    unknown_given, unknown_key_argument, unknown_key_example, unknown_key_guard, unknown_key_hint, unknown_key_name,
    unknown_key_returns, unknown_key_tool, unknown_key_toolset, unknown_key_top, unknown_key_waiter, unknown_kind,
    unknown_match, unknown_outcome, unknown_parser, unknown_retry, unknown_tier, unknown_tool_before,
    unknown_tool_resume, unknown_type, unknown_waiter, vocabulary_lacks_a_word,
    vocabulary_unused, waiter_field, waiter_from, waiter_from_missing, waiter_placeholder, waiter_unused,
    wrong_form, yaml_alias, yaml_anchor, yaml_duplicate_key, yaml_empty, yaml_syntax,
}

#[test]
fn every_catalogue_has_a_test_and_every_snapshot_a_catalogue() {
    let mut found: [BTreeSet<String>; 2] = Default::default();
    for entry in std::fs::read_dir(folder()).expect("the folder is there") {
        let path = entry.expect("readable").path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("yaml") => found[0].insert(name),
            Some("snap") => found[1].insert(name),
            // What a failed run leaves to be reviewed.
            _ => continue,
        };
    }
    let listed: BTreeSet<String> = REJECTED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found[0], listed, "the catalogues in tests/reject, and the list of tests");
    assert_eq!(found[1], listed, "the snapshots in tests/reject, and the list of tests");
}

/// Nothing is told without a place to look at, and nothing about a place that does not exist.
#[test]
fn every_problem_shows_its_line() {
    for name in REJECTED {
        let told = told(name);
        let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).expect("the catalogue is there");
        let places = told.lines().filter(|line| line.starts_with(&format!("{name}.yaml:")));
        let places: Vec<&str> = places.collect();
        let (closing, places) = places.split_last().expect("a closing line");
        assert!(closing.contains("nothing was generated"), "{told}");
        for place in places {
            let mut parts = place.split(':').skip(1);
            let mut number = || parts.next().and_then(|part| part.parse::<usize>().ok()).expect("a number");
            let (line, column) = (number(), number());
            let shown = text.lines().nth(line - 1).unwrap_or_else(|| panic!("{name} has no line {line}"));
            assert!((1..=shown.chars().count() + 1).contains(&column), "{place}");
            assert!(told.contains(&format!("{line} | {shown}")), "{place}");
        }
    }
}
