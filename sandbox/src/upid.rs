//! Task ids: `UPID:NODE:PID:PSTART:START:TYPE:ID:USER:`, numbers in upper-case hex.
//!
//! Knows the format only; whether a task exists is somebody else's question.

use std::fmt;

/// The parts of a task id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upid {
    pub node: String,
    pub pid: u32,
    /// Start of the process in hundredths of a second since boot.
    pub pstart: u64,
    /// Start of the task in seconds since 1970.
    pub start: i64,
    pub kind: String,
    /// What the task works on; may be empty.
    pub id: String,
    /// `user@realm` or `user@realm!token`.
    pub user: String,
}

impl Upid {
    /// `None` for anything that the API cannot parse, a missing last colon included.
    pub(crate) fn parse(text: &str) -> Option<Upid> {
        let parts: Vec<&str> = text.strip_prefix("UPID:")?.strip_suffix(':')?.split(':').collect();
        let [node, pid, pstart, start, kind, id, user] = parts[..] else { return None };
        let hex = |part: &str, longest: usize| {
            ((8..=longest).contains(&part.len())).then(|| u64::from_str_radix(part, 16).ok()).flatten()
        };
        let plain = |part: &str| !part.is_empty() && !part.contains(['/', ' ', '\t', '\n']);
        if !plain(node) || !plain(kind) || !plain(user) {
            return None;
        }
        Some(Upid {
            node: node.to_owned(),
            pid: u32::try_from(hex(pid, 8)?).ok()?,
            pstart: hex(pstart, 9)?,
            start: i64::try_from(hex(start, 8)?).ok()?,
            kind: kind.to_owned(),
            id: id.to_owned(),
            user: user.to_owned(),
        })
    }

    /// The user without the token, and the token's name.
    pub(crate) fn user_and_token(&self) -> (&str, Option<&str>) {
        match self.user.split_once('!') {
            Some((user, token)) => (user, Some(token)),
            None => (&self.user, None),
        }
    }
}

impl fmt::Display for Upid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "UPID:{}:{:08X}:{:08X}:{:08X}:{}:{}:{}:",
            self.node, self.pid, self.pstart, self.start, self.kind, self.id, self.user
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_id_survives_the_round_trip() {
        let text = "UPID:pve1:0000742D:000B3C8D:6B01066A:qmcreate:2000:root@pam!oracle:";
        let upid = Upid::parse(text).unwrap();
        assert_eq!(upid.to_string(), text);
        assert_eq!(upid.user_and_token(), ("root@pam", Some("oracle")));
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in ["foo", "UPID:foo", "UPID:pve1:0000742D:000B3C8D:6B01066A:qmcreate:2000:root@pam!oracle"] {
            assert_eq!(Upid::parse(text), None, "{text}");
        }
    }
}
