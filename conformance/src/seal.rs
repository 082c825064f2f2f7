//! A state that a client carries for the server, and cannot change: which round of questions comes next.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// One process makes and opens its own seals; the suite is no attacker who knows this file.
const KEY: &[u8] = b"the fixtures of the conformance suite";

fn mac(name: &str, round: usize) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).ok()?;
    mac.update(format!("{name} {round}").as_bytes());
    Some(mac)
}

/// The state after so many rounds of what has this name.
pub fn seal(name: &str, round: usize) -> Option<String> {
    let tag = mac(name, round)?.finalize().into_bytes();
    let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
    Some(format!("{round}.{tag}"))
}

/// The round of a state that was sealed for this name.
pub fn open(name: &str, state: &str) -> Option<usize> {
    let (round, tag) = state.split_once('.')?;
    let round = round.parse().ok()?;
    let bytes = (0..tag.len()).step_by(2).map(|at| u8::from_str_radix(tag.get(at..at + 2)?, 16).ok());
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    mac(name, round)?.verify_slice(&bytes).ok()?;
    Some(round)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_opens_as_it_was_and_for_its_own_name() {
        let state = seal("a", 3).expect("sealed");
        assert_eq!(open("a", &state), Some(3));
        assert_eq!(open("b", &state), None);
        for bad in [format!("{state}-TAMPERED"), state.replacen('3', "4", 1), "3.".to_owned(), "é.é".to_owned()] {
            assert_eq!(open("a", &bad), None, "{bad}");
        }
    }
}
