//! What the assistant may do at most, and by which token: said in flags, or asked for.
//!
//! Knows the words for tiers and toolsets; everything that can be wrong with them, the settings know.

use super::{Stop, known::Known, person::Person};
use crate::cli::Exit;
use crate::settings::{self, Flags, Settings};
use crate::tool::Tier;

/// The flags with tier and toolsets, and the limits that the config file has; asked for where they were not said.
///
/// # Errors
/// Something that was said is none of its sort; the terminal is gone.
pub fn limits(flags: &Flags, known: Option<&Known>, person: Person) -> Result<Flags, Stop> {
    let (asks_tier, asks_toolsets) =
        (flags.tier.as_deref().is_none_or(str::is_empty), flags.toolsets.iter().all(String::is_empty));
    let mut flags = flags.clone();
    if let Some(known) = known {
        let (complete, mut taken) = known.complete(&flags);
        // A mistake in the file is the file's.
        Settings::limits(&complete).map_err(|bad| Stop::new(Exit::Usage, format!("{}: {bad}", known.place())))?;
        // These two are asked for.
        taken.retain(|key| !(person.is_there() && ["tier", "toolsets"].contains(key)));
        if !taken.is_empty() {
            eprintln!("As {} says: {}", known.place(), taken.join(", "));
        }
        flags = complete;
    }
    if asks_tier {
        let names = Tier::ALL.map(Tier::as_str).join(", ");
        let check = |text: &str| {
            let given = Flags { tier: Some(text.to_owned()), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = format!("What may an assistant do at most ({names})");
        let usual = flags.tier.unwrap_or_else(|| "read".to_owned());
        flags.tier = Some(person.line("--tier", &prompt, Some(&usual), check)?);
    }
    if asks_toolsets {
        let check = |text: &str| {
            let given = Flags { toolsets: text.split(',').map(str::to_owned).collect(), ..Flags::default() };
            Settings::limits(&given).map(|_| ()).map_err(|bad| bad.to_string())
        };
        let prompt = "Which tools are listed (core, all, or names of toolsets with commas)";
        let usual = Some(flags.toolsets.join(",")).filter(|text| !text.is_empty());
        let text = person.line("--toolsets", prompt, Some(usual.as_deref().unwrap_or("core")), check)?;
        flags.toolsets = text.split(',').map(|one| one.trim().to_owned()).collect();
    }
    Ok(flags)
}

/// Owner and name of the token: `--token-name` in either form; or the one of the config file; or `mcp` of the user.
///
/// # Errors
/// They are none.
pub fn token_name(flags: &Flags, user: Option<&str>, known: Option<&Known>) -> Result<(String, String), Stop> {
    let given = flags.token_name.clone().filter(|name| !name.trim().is_empty());
    let of_file = || known.and_then(Known::token).filter(|_| user.is_none());
    let given = given.or_else(of_file).unwrap_or_else(|| "mcp".to_owned());
    let (owner, name) = match given.trim().split_once('!') {
        Some((owner, name)) => (owner.to_owned(), name.to_owned()),
        None => (user.unwrap_or("mcp@pve").to_owned(), given.trim().to_owned()),
    };
    settings::token_owner(Some(&owner), Some(&name))?;
    Ok((owner, name))
}
