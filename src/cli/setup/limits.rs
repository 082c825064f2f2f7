//! What the assistant may do at most, and by which token: said in flags, or asked for.
//!
//! Knows the words for tiers and toolsets; everything that can be wrong with them, the settings know.

use super::{Stop, person::Person};
use crate::settings::{self, Flags, Settings};
use crate::tool::Tier;

/// The flags with tier and toolsets, asked for where they were not said.
///
/// # Errors
/// Something that was said is none of its sort; the terminal is gone.
pub fn limits(flags: &Flags, person: Person) -> Result<Flags, Stop> {
    let mut flags = flags.clone();
    if flags.tier.as_deref().is_none_or(str::is_empty) {
        let names = Tier::ALL.map(Tier::as_str).join(", ");
        let check = |text: &str| {
            let given = Flags { tier: Some(text.to_owned()), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = format!("What may an assistant do at most ({names})");
        flags.tier = Some(person.line("--tier", &prompt, Some("read"), check)?);
    }
    if flags.toolsets.iter().all(String::is_empty) {
        let check = |text: &str| {
            let given = Flags { toolsets: text.split(',').map(str::to_owned).collect(), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = "Which tools are listed (core, all, or names of toolsets with commas)";
        let text = person.line("--toolsets", prompt, Some("core"), check)?;
        flags.toolsets = text.split(',').map(|one| one.trim().to_owned()).collect();
    }
    Ok(flags)
}

/// Owner and name of the token: `--token-name` in either form, or `mcp` of the user.
///
/// # Errors
/// They are none.
pub fn token_name(flags: &Flags, user: String) -> Result<(String, String), Stop> {
    let given = flags.token_name.as_deref().map(str::trim).filter(|name| !name.is_empty()).unwrap_or("mcp");
    let (owner, name) = match given.split_once('!') {
        Some((owner, name)) => (owner.to_owned(), name.to_owned()),
        None => (user, given.to_owned()),
    };
    settings::token_owner(Some(&owner), Some(&name))?;
    Ok((owner, name))
}
