//! Task ids: what is read is written as it came, and never leaves its place in a path.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_mcp::arguments::Upid;

fuzz_target!(|text: &str| {
    let Ok(upid) = Upid::parse(text) else { return };
    let again = Upid::parse(upid.text()).expect("what was read can be read again");
    assert_eq!(upid, again);
    assert_eq!(upid.text().trim_end_matches(':'), text.trim().trim_end_matches(':'));
    for segment in [upid.segment(), upid.node()] {
        assert!(!segment.encoded().contains(['/', '?', '#', '&', ' ']), "{segment:?}");
    }
});
