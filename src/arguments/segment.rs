//! Segments of a request path: the only form in which a caller's text may enter one.
//!
//! Knows what could make a path mean something else; must not know which paths there are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt;

/// A text that is safe as one segment of a path, or as the remainder of one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment(String);

/// Why a text cannot stand in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadSegment {
    #[error("is empty, or has an empty part between slashes")]
    Empty,
    #[error("must not be or contain the path `.` or `..`")]
    Dots,
    #[error("must not contain a slash")]
    Slash,
    #[error("must not contain control characters")]
    Control,
    #[error("must not contain percent-encoded slashes, dots or control characters")]
    Encoded,
    #[error("is longer than {} bytes", Segment::LONGEST)]
    Long,
}

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Segment {
    /// Bytes; far above any id, name, volume or task id of the API.
    pub const LONGEST: usize = 1024;

    /// One segment.
    ///
    /// # Errors
    /// Empty, `.`, `..`, slashes, control characters, and percent-encoded forms of these: whatever decodes a path
    /// once more on the way must still see the same path.
    pub fn new(text: impl Into<String>) -> Result<Segment, BadSegment> {
        let text = text.into();
        check(&text)?;
        Ok(Segment(text))
    }

    /// The remainder of a path: slashes are allowed, and each part between them is checked as a segment.
    ///
    /// # Errors
    /// As [`Segment::new`].
    pub fn remainder(text: impl Into<String>) -> Result<Segment, BadSegment> {
        let text = text.into();
        if text.len() > Segment::LONGEST {
            return Err(BadSegment::Long);
        }
        text.split('/').try_for_each(check)?;
        Ok(Segment(text))
    }

    /// The text as given, decoded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it stands in a URL: everything but unreserved characters is percent-encoded, the slashes of a remainder too
    /// (the API decodes a path once, before it is routed).
    pub fn encoded(&self) -> String {
        utf8_percent_encode(&self.0, RESERVED).to_string()
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check(text: &str) -> Result<(), BadSegment> {
    if text.len() > Segment::LONGEST {
        return Err(BadSegment::Long);
    }
    plain(text)?;
    // Each round makes the text shorter, so this ends; the length was checked first.
    let mut seen = Cow::Borrowed(text);
    loop {
        let decoded = percent_decode_str(&seen).decode_utf8_lossy().into_owned();
        if decoded == *seen {
            return Ok(());
        }
        plain(&decoded).map_err(|_| BadSegment::Encoded)?;
        seen = Cow::Owned(decoded);
    }
}

fn plain(text: &str) -> Result<(), BadSegment> {
    if text.is_empty() {
        Err(BadSegment::Empty)
    } else if matches!(text, "." | "..") {
        Err(BadSegment::Dots)
    } else if text.contains('/') {
        Err(BadSegment::Slash)
    } else if text.chars().any(char::is_control) {
        Err(BadSegment::Control)
    } else {
        Ok(())
    }
}
