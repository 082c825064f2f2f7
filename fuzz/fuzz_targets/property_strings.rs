//! Property strings of every parameter that has them: what was read, once written, reads the same.
//!
//! The first line of the input is the name of a parameter (`net0` and `net[n]` are the same), the rest its value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use proxmox_spec::{Param, methods, property};
use std::sync::LazyLock;

/// Every parameter with sub-keys, once for each set of them.
static PARAMS: LazyLock<Vec<&'static Param>> = LazyLock::new(|| {
    let mut params: Vec<&'static Param> = methods().iter().flat_map(|method| method.params).copied().collect();
    params.retain(|param| !param.keys.is_empty());
    params.sort_by_key(|param| (param.name, param.keys.as_ptr()));
    params.dedup_by_key(|param| (param.name, param.keys.as_ptr()));
    params
});

fuzz_target!(|text: &str| {
    let Some((name, value)) = text.split_once('\n') else { return };
    let named = |param: &&&Param| param.name == name || param.index_of(name).is_some();
    for param in PARAMS.iter().filter(named) {
        let Ok(pairs) = property::parse(param.keys, value) else { continue };
        let pairs: Vec<(String, String)> = pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let Ok(written) = property::print(param.keys, &pairs) else { continue };
        let again = property::parse(param.keys, &written).expect("what was written can be read");
        let mut again: Vec<(String, String)> =
            again.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut pairs = pairs;
        pairs.sort();
        again.sort();
        assert_eq!(pairs, again, "{} wrote {written:?}", param.name);
    }
});
