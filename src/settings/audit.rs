//! Where the audit log goes.

use std::fmt;
use std::path::PathBuf;

/// Where the audit log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditTo {
    /// Appended to this file.
    File(PathBuf),
    Stderr,
}

impl AuditTo {
    pub(super) fn parse(text: &str) -> AuditTo {
        if text.eq_ignore_ascii_case("stderr") { AuditTo::Stderr } else { AuditTo::File(PathBuf::from(text)) }
    }
}

impl fmt::Display for AuditTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AuditTo::File(path) => write!(f, "{}", path.display()),
            AuditTo::Stderr => f.write_str("on standard error"),
        }
    }
}
