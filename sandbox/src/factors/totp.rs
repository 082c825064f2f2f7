//! Codes from an app: RFC 6238 over a shared seed, and the address by which an app learns the seed.
//!
//! Knows seeds, steps and digits. Which codes are used up is not known here.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// What codes are computed from.
#[derive(Clone)]
pub(crate) struct Totp {
    seed: Vec<u8>,
    algorithm: Algorithm,
    digits: u32,
    /// Seconds.
    period: u64,
}

/// The seed stays out of logs.
impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Totp").finish_non_exhaustive()
    }
}

#[derive(Clone, Copy)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Totp {
    /// Six digits every thirty seconds by SHA-1, as apps expect it; none if this is no base32. White space, hyphens,
    /// lower case and padding are fine.
    pub(crate) fn of_seed(base32: &str) -> Option<Totp> {
        let seed = plain_base32(base32);
        let seed = BASE32_NOPAD.decode(seed.as_bytes()).ok().filter(|seed| !seed.is_empty())?;
        Some(Totp { seed, algorithm: Algorithm::Sha1, digits: 6, period: 30 })
    }

    /// `otpauth://totp/LABEL?secret=BASE32&digits=6&period=30&algorithm=SHA1`, of which only the secret has to be there.
    ///
    /// # Errors
    ///
    /// A text that names the part that is wrong.
    pub(crate) fn of_address(address: &str) -> Result<Totp, String> {
        let rest = address.strip_prefix("otpauth://totp/").ok_or("not an otpauth uri for totp")?;
        let (_, query) = rest.split_once('?').ok_or("missing secret in otpauth uri")?;
        let mut totp = None;
        let (mut algorithm, mut digits, mut period) = (Algorithm::Sha1, 6, 30);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "secret" => totp = Some(Totp::of_seed(&value).ok_or("invalid secret in otpauth uri")?),
                "algorithm" => {
                    algorithm = match value.as_ref() {
                        "SHA1" => Algorithm::Sha1,
                        "SHA256" => Algorithm::Sha256,
                        "SHA512" => Algorithm::Sha512,
                        other => return Err(format!("unknown algorithm in otpauth uri: {other}")),
                    }
                }
                "digits" => {
                    digits = value.parse().ok().filter(|digits| (6..=8).contains(digits)).ok_or("invalid digits")?;
                }
                "period" => {
                    period =
                        value.parse().ok().filter(|period| (1..=3_600).contains(period)).ok_or("invalid period")?;
                }
                _ => {}
            }
        }
        let totp = totp.ok_or("missing secret in otpauth uri")?;
        Ok(Totp { algorithm, digits, period, ..totp })
    }

    /// The steps whose codes are good: the present one and its neighbours.
    pub(crate) fn steps(&self, now: SystemTime) -> std::ops::RangeInclusive<u64> {
        let now = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()) / self.period;
        now.saturating_sub(1)..=now + 1
    }

    /// The step that this code is of, if that is a good one.
    pub(crate) fn step_of(&self, code: &str, now: SystemTime) -> Option<u64> {
        self.steps(now).find(|step| self.code(*step) == code)
    }

    pub(crate) fn code(&self, step: u64) -> String {
        let hash = match self.algorithm {
            Algorithm::Sha1 => digest::<Hmac<Sha1>>(&self.seed, step),
            Algorithm::Sha256 => digest::<Hmac<Sha256>>(&self.seed, step),
            Algorithm::Sha512 => digest::<Hmac<Sha512>>(&self.seed, step),
        };
        let place = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
        let four = hash.iter().skip(place).take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte));
        let digits = self.digits as usize;
        format!("{:0digits$}", (four & 0x7fff_ffff) % 10_u32.pow(self.digits))
    }
}

fn digest<M: Mac + KeyInit>(seed: &[u8], step: u64) -> Vec<u8> {
    // A key of any length is taken.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(seed) else { return Vec::new() };
    mac.update(&step.to_be_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn plain_base32(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_ascii_uppercase();
    kept.trim_end_matches('=').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base32 of `12345678901234567890`, the seed of RFC 6238.
    const SEED: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    #[test]
    fn codes_are_those_of_the_rfc() {
        let totp = Totp::of_address(&format!("otpauth://totp/x?secret={SEED}&digits=8")).expect("good");
        for (seconds, code) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000, "65353130")] {
            assert_eq!(totp.code(seconds / 30), code);
        }
    }

    #[test]
    fn the_other_algorithms_are_those_of_the_rfc_too() {
        let long = |length: usize| {
            let text: Vec<u8> = b"1234567890".iter().copied().cycle().take(length).collect();
            BASE32_NOPAD.encode(&text)
        };
        for (name, length, code) in [("SHA256", 32, "46119246"), ("SHA512", 64, "90693936")] {
            let address = format!("otpauth://totp/x?secret={}&digits=8&algorithm={name}", long(length));
            assert_eq!(Totp::of_address(&address).expect("good").code(1), code, "{name}");
        }
    }

    #[test]
    fn a_seed_may_be_written_as_people_write_it() {
        let code = |seed: &str| Totp::of_seed(seed).map(|totp| totp.code(1));
        assert_eq!(code(SEED).as_deref(), Some("287082"));
        assert_eq!(code("gezd gnbv gy3t qojq gezd gnbv gy3t qojq"), code(SEED));
        assert_eq!(code("GEZD-GNBV-GY3T-QOJQ-GEZD-GNBV-GY3T-QOJQ=="), code(SEED));
        for wrong in ["", "not base32!", "01189"] {
            assert!(Totp::of_seed(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_address_is_refused_with_its_reason() {
        for (address, part) in [
            ("otpauth://hotp/x?secret=AA", "totp"),
            ("otpauth://totp/x", "secret"),
            ("otpauth://totp/x?digits=6", "secret"),
            ("otpauth://totp/x?secret=1", "secret"),
            ("otpauth://totp/x?secret=GEZDGNBV&digits=60", "digits"),
            ("otpauth://totp/x?secret=GEZDGNBV&period=0", "period"),
            ("otpauth://totp/x?secret=GEZDGNBV&algorithm=MD5", "MD5"),
        ] {
            let error = Totp::of_address(address).expect_err(address);
            assert!(error.contains(part), "{address}: {error}");
        }
    }
}
