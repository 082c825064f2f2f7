//! A catalogue of 250 tools is compiled like a small one. How long it takes is measured by hand, see the example.

#[path = "../examples/scale.rs"]
mod scale;

use proxmox_codegen::{Source, compile};

#[test]
fn two_hundred_and_fifty_tools_compile() {
    let file = std::env::temp_dir().join(format!("proxmox-codegen-scale-{}.yaml", std::process::id()));
    std::fs::write(&file, scale::catalogue(250)).expect("the folder for temporary files can be written");
    let text = std::fs::read_to_string(&file).expect("it was written");
    std::fs::remove_file(&file).expect("it was written");
    let made = compile(&Source { file: "scale.yaml", text: &text, templates: &[] })
        .unwrap_or_else(|problems| panic!("{}", problems.join("\n")));
    assert_eq!(made.rust.matches("\npub mod ").count(), 250);
    assert_eq!(text.matches("\n        title: ").count(), 250);
}

/// One mistake among many tools is one mistake.
#[test]
fn a_mistake_among_many_tools_is_found_alone() {
    let text = scale::catalogue(250).replacen("create_vm_49:\n        title", "create_vm_49:\n        titel", 1);
    let Err(problems) = compile(&Source { file: "scale.yaml", text: &text, templates: &[] }) else {
        panic!("the mistake was not found");
    };
    assert_eq!(problems.len(), 2, "{}", problems.join("\n"));
    assert!(problems[0].contains("did you mean `title`?"), "{}", problems[0]);
}
