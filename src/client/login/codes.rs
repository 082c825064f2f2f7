//! One-time codes: computed from a seed, or recognised in what a person typed.
//!
//! Knows TOTP (RFC 6238) as Proxmox VE sets it up: SHA-1, six digits, a new code every 30 seconds, each good once, and
//! the codes right before and after the present one taken too (pve-access-control, proxmox-tfa).

use std::fmt::Write;
use totp_rs::{Builder, Secret, Totp};

/// Seconds for which a code is the present one.
pub const STEP: u64 = 30;

/// The seed of a user's codes.
pub struct Seed(Totp);

impl Seed {
    /// Base32, as shown beside the QR code, with or without spaces; or the whole `otpauth://` address behind it.
    ///
    /// # Errors
    /// It is neither. The text repeats nothing of it.
    pub fn parse(text: &str) -> Result<Seed, &'static str> {
        let wrong =
            "is no seed of one-time codes: give the base32 text (A-Z and 2-7) that was shown beside the QR code";
        let seed = match text.trim().strip_prefix("otpauth://totp/") {
            Some(address) => {
                let fields = address.split_once('?').map(|(_, fields)| fields).unwrap_or_default();
                let field = |name: &str| fields.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
                let usual = |name: &str, usual: &str| field(name).is_none_or(|value| value.eq_ignore_ascii_case(usual));
                if !usual("digits", "6") || !usual("period", "30") || !usual("algorithm", "SHA1") {
                    return Err("makes other codes than Proxmox VE does (6 digits, 30 seconds, SHA-1)");
                }
                field("secret").ok_or(wrong)?
            }
            None => text.trim(),
        };
        let plain: String = seed.chars().filter(|letter| !matches!(letter, ' ' | '-' | '=')).collect();
        let secret = Secret::try_from_base32(plain.to_uppercase()).map_err(|_| wrong)?;
        if plain.is_empty() {
            return Err(wrong);
        }
        // Seeds that are shorter than the RFC wants are common, and it is not ours to refuse them.
        Ok(Seed(Builder::new().with_secret(secret).with_step_duration(STEP).build_noncompliant()))
    }

    /// The code of this step: seconds since 1970, divided by [`STEP`].
    pub fn code(&self, step: u64) -> String {
        self.0.generate(step * STEP).to_string()
    }
}

/// What a person typed, as the API takes it: `totp:CODE`, `recovery:CODE`, `yubico:CODE`. `None` = none of these.
pub fn typed(text: &str) -> Option<String> {
    let text = text.trim();
    if ["totp:", "recovery:", "yubico:"].iter().any(|kind| text.len() > kind.len() && text.starts_with(kind)) {
        return Some(text.to_owned());
    }
    let plain: String = text.chars().filter(|letter| !matches!(letter, ' ' | '-')).collect();
    if (6..=8).contains(&plain.len()) && plain.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(format!("totp:{plain}"));
    }
    // Four groups of four hexadecimal digits.
    if plain.len() == 16 && plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut code = "recovery:".to_owned();
        for (index, letter) in plain.to_lowercase().chars().enumerate() {
            let dash = if index > 0 && index % 4 == 0 { "-" } else { "" };
            // Writing to a String cannot fail.
            let _ = write!(code, "{dash}{letter}");
        }
        return Some(code);
    }
    // What a YubiKey types: 44 letters of its own alphabet.
    let own = |letter: char| "cbdefghijklnrtuv".contains(letter);
    (plain.len() == 44 && plain.chars().all(own)).then(|| format!("yubico:{plain}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B: the last six of its eight digits.
        let seed = Seed::parse("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").expect("a seed");
        assert_eq!(seed.code(59 / STEP), "287082");
        assert_eq!(seed.code(1_111_111_109 / STEP), "081804");
        assert_eq!(seed.code(20_000_000_000 / STEP), "353130");
    }

    #[test]
    fn seeds_are_taken_as_they_are_shown() {
        for text in [
            "JBSWY3DPEHPK3PXP",
            "jbsw y3dp ehpk 3pxp\n",
            "otpauth://totp/Proxmox:root@pam?secret=JBSWY3DPEHPK3PXP&issuer=Proxmox&algorithm=SHA1&digits=6&period=30",
        ] {
            assert_eq!(
                Seed::parse(text).map(|seed| seed.code(1)),
                Seed::parse("JBSWY3DPEHPK3PXP").map(|seed| seed.code(1))
            );
        }
        for wrong in ["", "hunter2!", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=8", "otpauth://totp/x"] {
            assert!(Seed::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_typed_is_told_apart() {
        assert_eq!(typed(" 123 456\n").as_deref(), Some("totp:123456"));
        assert_eq!(typed("00ab-cdef-0123-4567").as_deref(), Some("recovery:00ab-cdef-0123-4567"));
        assert_eq!(typed("00ABCDEF01234567").as_deref(), Some("recovery:00ab-cdef-0123-4567"));
        assert_eq!(typed("recovery:x").as_deref(), Some("recovery:x"));
        assert_eq!(typed(&"cb".repeat(22)), Some(format!("yubico:{}", "cb".repeat(22))));
        for nothing in ["", "12345", "hello", "totp:"] {
            assert_eq!(typed(nothing), None, "{nothing}");
        }
    }
}
