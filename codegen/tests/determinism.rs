//! The same catalogue gives the same text, wherever and whenever it is compiled.

use proxmox_codegen::{Artifacts, Source, compile};

const ENTRY: &str = include_str!("entry.yaml");

fn made(file: &str) -> Artifacts {
    let templates = [];
    compile(&Source { file, text: ENTRY, templates: &templates })
        .unwrap_or_else(|problems| panic!("{}", problems.join("\n")))
}

fn texts(made: &Artifacts) -> Vec<&str> {
    let docs = made.docs.iter().flat_map(|(name, text)| [name.as_str(), text.as_str()]);
    [made.rust.as_str(), made.examples.as_str()].into_iter().chain(docs).collect()
}

#[test]
fn the_same_catalogue_gives_the_same_text() {
    let first = made("entry.yaml");
    // Another thread has other hash seeds.
    let second = std::thread::spawn(|| made("entry.yaml")).join().expect("no panic");
    assert_eq!(texts(&first), texts(&second));
}

#[test]
fn the_name_of_the_file_is_in_messages_only() {
    let (here, elsewhere) = (made("entry.yaml"), made("/some/where/else.yaml"));
    assert_eq!(texts(&here), texts(&elsewhere));
}

#[test]
fn neither_place_nor_time_of_the_build_is_in_the_text() {
    let made = made("entry.yaml");
    let here = std::env::current_dir().expect("a folder").display().to_string();
    let home = env!("CARGO_MANIFEST_DIR");
    for text in texts(&made) {
        for foreign in [here.as_str(), home, "OUT_DIR", "/target/", "/tmp/"] {
            assert!(!text.contains(foreign), "{foreign} is in the text");
        }
        // Dates of the examples alone.
        let years = text
            .match_indices("20")
            .filter_map(|(at, _)| text.get(at..at + 5))
            .filter(|year| year.ends_with('-') && year[..4].bytes().all(|byte| byte.is_ascii_digit()));
        assert!(years.into_iter().all(|year| ENTRY.contains(year)), "a date is in the text");
    }
}

#[test]
fn order_is_that_of_the_catalogue() {
    let made = made("entry.yaml");
    let tools: Vec<usize> = ["list_guests", "create_vm", "update_guest_config", "exec_guest", "get_task_status"]
        .iter()
        .map(|name| made.rust.find(&format!("pub mod {name} {{")).expect("every tool has a module"))
        .collect();
    assert!(tools.is_sorted());
}
