//! Volume ids, with and without a storage beside them: they stay on their storage and below it.
//!
//! The first line of the input is the volume id, the second one, if there is one, the storage beside it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_mcp::arguments::Volid;

fuzz_target!(|text: &str| {
    let (text, storage) = match text.split_once('\n') {
        Some((text, storage)) => (text, Some(storage)),
        None => (text, None),
    };
    let Ok(volid) = Volid::parse(text, storage) else { return };
    let full = volid.full();
    let again = Volid::parse(&full, None).expect("what was read can be read again");
    assert_eq!(volid, again);
    assert!(full.starts_with(&format!("{}:", volid.storage().as_str())));
    let path = full.split_once(':').map_or("", |(_, path)| path);
    assert!(!full.contains(',') && !path.split('/').any(|part| part == ".."), "{full}");
    assert!(volid.vmid().is_none_or(|vmid| (100..=999_999_999).contains(&vmid)));
    assert!(volid.vmid().is_none() || volid.kind().is_some());
    assert!(!volid.segment().encoded().contains(['?', '#', '&', ' ']));
});
