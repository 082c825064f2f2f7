//! Ids of new guests are taken inside the fences, and settings say what they cannot be.

use super::*;

#[tokio::test]
async fn a_new_id_is_the_lowest_free_one_inside() {
    let fenced = fenced(|flags| {
        flags.fences.allow_guests = list(&["200-205", "100-103"]);
        flags.fences.deny_guests = list(&["103"]);
    })
    .await;
    // 100 to 102 and 200 to 202 are taken, 103 is denied.
    let answer = allowed(&fenced, "create_vm", json!({ "node": "pve1", "name": "new" })).await;
    assert_eq!(answer["vmid"], json!(203), "{answer}");
    let answer = allowed(&fenced, "clone_guest", json!({ "vmid": 102, "name": "copy" })).await;
    assert_eq!(answer["newid"].as_u64().or(answer["vmid"].as_u64()), Some(204), "{answer}");
    allowed(&fenced, "create_vm", json!({ "node": "pve1", "name": "last" })).await;
    let full = json!({ "node": "pve1", "name": "too-many" });
    refused(&fenced, "create_vm", full, &["No id", "free inside the fences"]).await;
    let given = json!({ "node": "pve1", "name": "outside", "vmid": 300 });
    refused(&fenced, "create_vm", given, &["guest 300"]).await;
}

#[test]
fn settings_say_what_they_cannot_be() {
    let says = |set: fn(&mut Flags)| {
        let mut flags = Flags::default();
        set(&mut flags);
        Settings::limits(&flags).map(|settings| settings.fences_shown()).map_err(|bad| bad.to_string())
    };
    let good = says(|flags| {
        flags.fences.allow_guests = list(&["100-199", " 300 ", ""]);
        flags.fences.deny_tags = list(&["PROD"]);
        flags.fences.allow_tools = list(&["snapshots"]);
    });
    assert_eq!(good.as_deref(), Ok("--allow-guests 100-199,300 --deny-tags prod --allow-tools snapshots"));
    type Set = fn(&mut Flags);
    let wrong: [(Set, &[&str]); 6] = [
        (
            |flags| flags.fences.allow_guests = list(&["99"]),
            &["PROXMOX_ALLOW_GUESTS (--allow-guests) is `99`", "100-199,300"],
        ),
        (|flags| flags.fences.deny_guests = list(&["200-100"]), &["--deny-guests", "give 100-200"]),
        (|flags| flags.fences.allow_guests = list(&["web-server"]), &["ids of guests"]),
        (|flags| flags.fences.deny_nodes = list(&["pve_1"]), &["PROXMOX_DENY_NODES", "a node's name"]),
        (|flags| flags.fences.protected_tags = list(&["a b"]), &["--protected-tags", "a tag"]),
        (
            |flags| flags.fences.allow_tools = list(&["start_gest"]),
            &["PROXMOX_ALLOW_TOOLS", "Did you mean `start_guest`?"],
        ),
    ];
    for (set, parts) in wrong {
        has(&says(set).expect_err("wrong"), parts);
    }
    assert_eq!(says(|_| {}).as_deref(), Ok(""));
}
