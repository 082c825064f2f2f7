//! The file that an upload sends: base64 text, or the path of a local file.
//!
//! Knows how the two are told apart and how much text is sensible; must not touch the file system: which paths may be
//! read is decided where the file is opened.

use super::fields::Fields;
use super::problem::Problem;
use crate::tool::Argument;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fmt;

/// Where the bytes of an upload come from.
#[derive(Clone, PartialEq, Eq)]
pub enum FileSource {
    /// Decoded base64, at most [`FileSource::LARGEST`] bytes.
    Bytes(Vec<u8>),
    /// A path as the caller wrote it, without `..`; to be opened below the upload folder.
    Path(String),
}

impl FileSource {
    /// Bytes that may come as base64 text: 8 MiB. Larger files come by path.
    pub const LARGEST: usize = 8 << 20;
}

/// A plan is logged in its debug form, and contents have no place there.
impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileSource::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            FileSource::Path(path) => write!(f, "Path({path:?})"),
        }
    }
}

/// Both alphabets are turned into the standard one; padding is often lost.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Fields<'_> {
    /// The file of an upload: exactly one of its contents as base64 and its path.
    pub fn file(&mut self, content: &'static Argument, path: &'static Argument) -> Option<FileSource> {
        match (self.peek(content), self.peek(path)) {
            (Some(taken), None) => match taken.value.as_str().map(decoded) {
                Some(Ok(bytes)) => Some(FileSource::Bytes(bytes)),
                Some(Err(wrong)) => {
                    self.refuse(content, wrong);
                    None
                }
                None => {
                    self.refuse(content, "is not a text; base64 is expected".to_owned());
                    None
                }
            },
            (None, Some(taken)) => {
                let text = self.said(path, &taken.value)?;
                let wrong = if text.trim().is_empty() {
                    "is empty"
                } else if text.chars().any(char::is_control) {
                    "must not contain control characters"
                } else if text.split(['/', '\\']).any(|part| part == "..") {
                    "must not contain `..`"
                } else {
                    return Some(FileSource::Path(text));
                };
                self.bad(path, &taken.value, wrong);
                None
            }
            (Some(_), Some(_)) => {
                let wrong = format!("is given beside `{}`; give one of the two", self.spelled(content));
                self.record(Problem::new(self.spelled(path), wrong));
                None
            }
            (None, None) => {
                let wrong = format!(
                    "is missing: give the file's content as base64 here, or its path as `{}`",
                    self.spelled(path)
                );
                self.record(Problem::new(self.spelled(content), wrong));
                None
            }
        }
    }
}

/// The bytes of base64 text; line breaks, a `data:` prefix and the URL-safe alphabet are fine.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let too_large = || {
        format!(
            "is larger than {} MiB; put the file into the upload folder and give its path",
            FileSource::LARGEST >> 20
        )
    };
    let text = match text.trim_start().strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map_or(rest, |(_, data)| data),
        None => text,
    };
    // Four characters make three bytes; the limit leaves room for line breaks.
    if text.len() / 3 > FileSource::LARGEST {
        return Err(too_large());
    }
    let plain: Vec<u8> = text
        .bytes()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            other => other,
        })
        .collect();
    if plain.is_empty() {
        return Err("is empty".to_owned());
    }
    let bytes = BASE64.decode(&plain).map_err(|bad| format!("is not base64: {bad}"))?;
    if bytes.len() > FileSource::LARGEST { Err(too_large()) } else { Ok(bytes) }
}
