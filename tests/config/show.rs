//! `config show`, `config path`, `config schema`, and the documents that are made from the table of settings.

use super::TWO;
use crate::common::run;
use proxmox_mcp::settings::schema::schema;
use proxmox_mcp::settings::table::{Kind, Place, Setting, TABLE};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use tempfile::tempdir;

/// Exit code, standard output, standard error.
fn config(text: &str, arguments: &[&str], variables: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, text).expect("written");
    let mut all = vec!["--config", path.to_str().expect("text"), "config"];
    all.extend_from_slice(arguments);
    let output = run(&all, variables);
    let utf8 = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), utf8(&output.stdout), utf8(&output.stderr))
}

#[test]
fn every_value_is_shown_with_its_source() {
    let variables = [("PROXMOX_CONFIRM", ""), ("PROXMOX_WAIT", "7")];
    let (code, output, error) = config(TWO, &["show", "--json", "--tier", "read"], &variables);
    assert_eq!(code, Some(0), "{error}");
    let all: Value = serde_json::from_str(&output).expect("JSON");
    let home = &all["clusters"]["home"];
    assert_eq!(home["tier"], json!({"value": "read", "from": "--tier"}));
    assert_eq!(home["wait"], json!({"value": "7", "from": "PROXMOX_WAIT"}));
    assert_eq!(home["timeout"], json!({"value": "5000", "from": "file, line 5"}));
    assert_eq!(home["token_name"], json!({"value": "mcp@pve!home", "from": "file, line 10, [clusters.home]"}));
    assert_eq!(home["retry_delay"], json!({"value": "1000", "from": "default"}));
    assert_eq!(all["server"]["confirm"], json!({"value": "seal", "from": "file, line 4"}));
    assert!(home.get("confirm").is_none() && all["server"].get("tier").is_none());
    let (code, output, _) = config(TWO, &["show"], &[("PROXMOX_CONFIRM", "")]);
    assert_eq!(code, Some(0));
    for part in ["Cluster home:", "Cluster lab:", "pass show 'the lab'", "file, line 16, [clusters.lab]"] {
        assert!(output.contains(part), "`{part}` is missing in\n{output}");
    }
}

#[test]
fn a_secret_is_not_shown_and_not_read() {
    let text = "host = \"pve1\"\ntoken_name = \"a@pve!b\"\n";
    for arguments in [["show", "--json"].as_slice(), &["show"]] {
        let (code, output, error) = config(text, arguments, &[("PROXMOX_TOKEN_VALUE", "s3cret-of-mine")]);
        assert_eq!(code, Some(0), "{error}");
        assert!(output.contains("***") && output.contains("PROXMOX_TOKEN_VALUE"), "{output}");
        assert!(!format!("{output}{error}").contains("s3cret"), "{output}");
    }
    let text = format!("{text}token_value_command = [\"touch\", \"read-it\"]\n");
    let (code, _, error) = config(&text, &["show"], &[]);
    assert_eq!(code, Some(0), "{error}");
    assert!(!Path::new(env!("CARGO_TARGET_TMPDIR")).join("read-it").exists());
}

#[test]
fn a_login_in_an_address_is_refused_and_not_repeated() {
    for host in ["https://root:s3cret@pve1/", "root:s3cret@pve1:8006", "pve2,root@pam:s3cret@pve1"] {
        for arguments in [["show", "--json"].as_slice(), &["show"]] {
            let text = format!("host = \"{host}\"\ntoken_name = \"a@pve!b\"\ntoken_value_file = \"x\"\n");
            let (code, output, error) = config(&text, arguments, &[]);
            assert_eq!(code, Some(2), "{error}");
            assert!(error.contains("leave user and password out") && error.contains("line 1"), "{error}");
            assert!(!format!("{output}{error}").contains("s3cret"), "{output}{error}");
            let (code, output, error) = config("", arguments, &[("PROXMOX_HOST", host)]);
            assert_eq!(code, Some(2), "{error}");
            assert!(!format!("{output}{error}").contains("s3cret"), "{output}{error}");
        }
    }
}

#[test]
fn all_mistakes_are_told_at_once_with_exit_code_2() {
    let (code, output, error) = config("teir = 1\ntimeout = \"x\"\n", &["show"], &[]);
    assert_eq!((code, output.as_str()), (Some(2), ""));
    assert!(error.contains("line 1") && error.contains("line 2"), "{error}");
    let values = "host = \"pve1\"\ntoken_name = \"a@pve!b\"\ntier = \"amin\"\nwait = 999999\n";
    let (code, output, error) = config(values, &["show"], &[("PROXMOX_TOKEN_VALUE", "abc")]);
    assert_eq!(code, Some(2));
    assert!(error.contains("`tier` is `amin`") && error.contains("`wait` is `999999`"), "{error}");
    assert!(output.contains("amin"), "what there is is shown all the same: {output}");
}

#[test]
fn the_place_of_the_file_is_told() {
    let output = run(&["config", "path"], &[("HOME", "/home/somebody")]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "/home/somebody/.config/proxmox-mcp/config.toml\n");
    let output = run(&["config", "path", "--config", "none"], &[("HOME", "/home/somebody")]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_schema_takes_what_the_program_takes() {
    let (code, output, _) = config("", &["schema"], &[]);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Value>(&output).expect("JSON"), schema());
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let good = |text: &str| {
        let table: Value = toml::from_str(text).expect("TOML");
        let valid = validator.is_valid(&table);
        assert_eq!(valid, super::parsed(text).is_ok(), "{text}");
        valid
    };
    assert!(good(TWO));
    assert!(good("allow_guests = 100\nhost = \"a\"\n[clusters.a]\nfingerprint = [\"x\"]\n"));
    for bad in [
        "teir = 1",
        "timeout = \"1\"",
        "token_value = \"x\"",
        "[clusters.a]\nconfirm = \"ask\"",
        "[clusters.\"a b\"]",
        "insecure = 1",
    ] {
        assert!(!good(bad), "{bad}");
    }
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap_or_default()
}

/// The document is as it would be made now; UPDATE_DOCS=1 makes it so.
#[track_caller]
fn current(name: &str, made: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(name), made).expect("written");
    }
    assert!(document(name) == made, "{name} is not current: UPDATE_DOCS=1 cargo test --test config");
}

#[test]
fn the_written_schema_is_current() {
    current("docs/config.schema.json", &format!("{:#}\n", schema()));
}

fn row(setting: &Setting) -> String {
    let code = |text: &str| if text.is_empty() { "–".to_owned() } else { format!("`{text}`") };
    let key = match setting.place {
        Place::Nowhere | Place::Secret => "–".to_owned(),
        Place::Server => format!("`{}` (top level)", setting.key),
        Place::Cluster => format!("`{}`", setting.key),
    };
    let kind = match setting.kind {
        Kind::Choice(words) => {
            format!(": {}", words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "))
        }
        _ => String::new(),
    };
    format!(
        "| {key} | {} | {} | {} | {}{kind} |\n",
        code(setting.variable),
        code(setting.flag),
        setting.default,
        setting.says
    )
}

#[test]
fn the_table_in_the_guide_is_current() {
    let (begin, end) = ("<!-- settings -->\n", "<!-- end of settings -->");
    let guide = document("docs/config.md");
    let (head, rest) = guide.split_once(begin).expect("the begin is marked");
    let (_, tail) = rest.split_once(end).expect("the end is marked");
    let rows: String = TABLE.iter().map(row).collect();
    let table =
        format!("| In the file | Variable | Flag | Default | Meaning |\n| --- | --- | --- | --- | --- |\n{rows}");
    current("docs/config.md", &format!("{head}{begin}{table}{end}{tail}"));
}

#[test]
fn the_readme_names_settings_that_there_are() {
    let readme = document("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `PROXMOX_") || line.starts_with("| `LOG_LEVEL"));
    let mut found = 0;
    for line in rows {
        let mut cells = line.split(" | ");
        let names = |cell: Option<&str>| -> Vec<String> {
            let parts = cell.unwrap_or_default().split('`').skip(1).step_by(2);
            parts.map(str::to_owned).collect()
        };
        let (variables, flags) = (names(cells.next()), names(cells.next()));
        for (index, variable) in variables.iter().enumerate() {
            let setting =
                TABLE.iter().find(|setting| setting.variable == variable).unwrap_or_else(|| panic!("no {variable}"));
            assert_eq!(flags.get(index).map_or("", String::as_str), setting.flag, "{line}");
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

#[test]
fn the_guides_example_is_good() {
    let guide = document("docs/config.md");
    let examples: Vec<&str> = guide.split("```toml\n").skip(1).filter_map(|part| part.split("```").next()).collect();
    assert!(!examples.is_empty());
    for example in examples {
        assert!(super::parsed(example).is_ok(), "{:?}", super::parsed(example));
    }
}
