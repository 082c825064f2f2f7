//! How calls that delete, overwrite or interrupt are confirmed, and where they wait for a person.
//!
//! Knows texts only; makes no folder.

use super::BadSettings;
use super::checks::bad;
use std::path::PathBuf;

/// How a call that interrupts or destroys is confirmed. Chosen by the person who starts the server, never by an
/// argument of a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confirm {
    /// A person: through the client where it can ask, else in a terminal. What only interrupts may go by a second call.
    #[default]
    Ask,
    /// Through the client where it can ask, else by a second call. No person is guaranteed.
    Seal,
    /// Through the client, or not at all.
    ElicitOnly,
    /// Nothing is asked, but for what is protected.
    Off,
}

impl Confirm {
    pub const ALL: [Confirm; 4] = [Confirm::Ask, Confirm::Seal, Confirm::ElicitOnly, Confirm::Off];

    /// As it is written in the setting.
    pub fn as_str(self) -> &'static str {
        match self {
            Confirm::Ask => "ask",
            Confirm::Seal => "seal",
            Confirm::ElicitOnly => "elicit-only",
            Confirm::Off => "off",
        }
    }
}

pub(super) fn mode(given: Option<&str>, notices: &mut Vec<(bool, String)>) -> Result<Confirm, BadSettings> {
    let Some(text) = given else { return Ok(Confirm::default()) };
    let plain = text.to_lowercase().replace('_', "-");
    let Some(mode) = Confirm::ALL.into_iter().find(|mode| mode.as_str() == plain) else {
        let names = Confirm::ALL.map(Confirm::as_str);
        let near = proxmox_spec::nearest(&plain, names).map(|name| format!(" Did you mean `{name}`?"));
        let says = format!("give one of {}.{}", names.join(", "), near.unwrap_or_default());
        return Err(bad("PROXMOX_CONFIRM", "--confirm", text, says));
    };
    match mode {
        Confirm::Off => notices.push((
            true,
            "PROXMOX_CONFIRM is off: nobody is asked before an assistant deletes, overwrites or interrupts something. \
             Leave it out, and a person is asked."
                .to_owned(),
        )),
        Confirm::Seal => notices.push((
            false,
            "PROXMOX_CONFIRM is seal: where the client cannot ask a person, the assistant's own second call is the \
             confirmation."
                .to_owned(),
        )),
        Confirm::Ask | Confirm::ElicitOnly => {}
    }
    Ok(mode)
}

/// The folder for what has to outlive this process: as given, else the user's own for state.
pub(super) fn state_dir(given: Option<&str>, environment: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if let Some(folder) = given {
        return Some(PathBuf::from(folder));
    }
    // What is not absolute is to be ignored, by the specification of these variables.
    let absolute = |name| environment(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local").join("state")));
    Some(state?.join("proxmox-mcp"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_for_state_is_the_users_own() {
        let folder = |given: Option<&str>, set: &[(&str, &str)]| {
            let find = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            state_dir(given, &find).map(|path| path.to_string_lossy().into_owned())
        };
        let home = ("HOME", "/u");
        assert_eq!(folder(None, &[home]).as_deref(), Some("/u/.local/state/proxmox-mcp"));
        assert_eq!(folder(None, &[home, ("XDG_STATE_HOME", "/s")]).as_deref(), Some("/s/proxmox-mcp"));
        assert_eq!(folder(None, &[home, ("XDG_STATE_HOME", "s")]).as_deref(), Some("/u/.local/state/proxmox-mcp"));
        assert_eq!(folder(Some("/given"), &[home]).as_deref(), Some("/given"));
        assert_eq!(folder(None, &[]), None);
    }

    #[test]
    fn off_is_said_at_every_start() {
        let mut notices = Vec::new();
        assert_eq!(mode(Some("OFF"), &mut notices), Ok(Confirm::Off));
        assert!(
            notices.iter().any(|(warning, text)| *warning && text.contains("PROXMOX_CONFIRM is off")),
            "{notices:?}"
        );
        assert!(mode(Some("elicit"), &mut notices).expect_err("none").to_string().contains("elicit-only"));
    }
}
