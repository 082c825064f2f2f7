//! Sizes in any common notation.
//!
//! Knows units and how the API wants sizes written; must not know what is being sized.

use super::fields::Fields;
use super::scalar::numeral;
use crate::tool::Argument;
use serde_json::Value;

/// A size. Units count in 1024s, whatever they are called, as the API's do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub bytes: u64,
    /// Written with `+`: that much more than now.
    pub grow: bool,
}

/// Why a text is no size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSize {
    #[error("is not a size")]
    Form,
    #[error("has an unknown unit")]
    Unit,
    #[error("is nothing; a size is more than zero")]
    Zero,
    #[error("is negative; disks cannot be made smaller")]
    Negative,
    #[error("is too large")]
    Large,
}

const GIB: u64 = 1 << 30;

impl Size {
    /// Reads `32G`, `32 GB`, `32GiB`, `0.5T`, `512M`, `+10G`. A number without a unit counts GiB, which is what disks
    /// are counted in; `b` and `bytes` are bytes. Fractions that are no whole number of KiB are rounded up to one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Size, BadSize> {
        let text = text.trim();
        let (grow, text) = match text.strip_prefix('+') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, text),
        };
        if text.starts_with(['-', '−']) {
            return Err(BadSize::Negative);
        }
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
            return Err(BadSize::Form);
        }
        let unit = unit_of(unit.trim())?;
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| BadSize::Large)? };
        let bytes = whole.checked_mul(unit).ok_or(BadSize::Large)?;
        let bytes = bytes.checked_add(part_of(fraction, unit)).ok_or(BadSize::Large)?;
        if bytes == 0 { Err(BadSize::Zero) } else { Ok(Size { bytes, grow }) }
    }

    /// GiB as a plain number, exact: `32`, `0.5`. This is how a new volume's size is written (`storage:32`).
    pub fn gib(&self) -> String {
        let mut text = (self.bytes / GIB).to_string();
        let mut rest = self.bytes % GIB;
        if rest > 0 {
            text.push('.');
        }
        // Ends after at most thirty digits, as the divisor is a power of two.
        while rest > 0 {
            rest *= 10;
            text.push(char::from(b'0' + u8::try_from(rest / GIB).unwrap_or(9)));
            rest %= GIB;
        }
        text
    }

    /// As the API's resize calls write it: the largest unit that divides it, else bytes; `+` in front where it was said.
    pub fn api(&self) -> String {
        let sign = if self.grow { "+" } else { "" };
        let units = [('T', GIB << 10), ('G', GIB), ('M', 1 << 20), ('K', 1 << 10)];
        match units.into_iter().find(|(_, unit)| self.bytes.is_multiple_of(*unit)) {
            Some((letter, unit)) => format!("{sign}{}{letter}", self.bytes / unit),
            None => format!("{sign}{}", self.bytes),
        }
    }
}

fn unit_of(unit: &str) -> Result<u64, BadSize> {
    let unit = unit.to_ascii_lowercase();
    let letter = match unit.as_str() {
        "" => "g",
        "b" | "byte" | "bytes" => return Ok(1),
        unit => unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(unit),
    };
    match letter {
        "k" => Ok(1 << 10),
        "m" => Ok(1 << 20),
        "g" => Ok(GIB),
        "t" => Ok(GIB << 10),
        "p" => Ok(GIB << 20),
        _ => Err(BadSize::Unit),
    }
}

/// The bytes of a decimal fraction of a unit, rounded up to whole KiB where it is not exact; whole bytes for small units.
fn part_of(fraction: &str, unit: u64) -> u64 {
    const DIGITS: usize = 18;
    let digits = fraction.trim_end_matches('0');
    if digits.is_empty() {
        return 0;
    }
    // Digits beyond these are less than a byte of any unit; rounding up keeps what they say.
    let kept: u128 = digits.get(..DIGITS.min(digits.len())).unwrap_or_default().parse().unwrap_or(0);
    let scale = 10u128.pow(u32::try_from(DIGITS.min(digits.len())).unwrap_or(0));
    let numerator = kept * u128::from(unit) + u128::from(digits.len() > DIGITS);
    let grain = u128::from(unit.min(1 << 10));
    let bytes = numerator.div_ceil(scale * grain) * grain;
    u64::try_from(bytes).unwrap_or(unit)
}

impl Fields<'_> {
    /// A size; `+` in front only where the API takes a growth.
    pub fn size(&mut self, argument: &'static Argument) -> Option<Size> {
        let taken = self.take(argument)?;
        let text = match &*taken.value {
            Value::String(text) => text.clone(),
            Value::Number(number) => numeral(number),
            _ => String::new(),
        };
        let size = match Size::parse(&text) {
            Ok(size) => size,
            Err(bad) => {
                self.bad(argument, &taken.value, bad.to_string());
                return None;
            }
        };
        // Without an API parameter of its own it is the size of something new.
        if size.grow && argument.rule.fact.is_none() {
            self.bad(argument, &taken.value, "must not have a `+`: there is nothing yet that could grow");
            return None;
        }
        Some(size)
    }
}
