//! Who may call what: the tier of this server, and the single tools that were lifted or removed.
//!
//! Knows tiers and names only. Every request that changes something needs a [`Permit`], which nothing but
//! [`Access::permit`] can make, and for `proxmox-mcp setup` the [`Word`] of the person at the terminal; knows nothing of
//! how requests are sent.

mod set_by;

use crate::catalogue;
use crate::cli::Word;
use crate::tool::{Surface, Tier, Tool, Verb};
pub use set_by::{Places, SetBy};
use std::fmt;

/// What the person who started this server allowed.
#[derive(Debug, Clone)]
pub struct Access {
    pub tier: Tier,
    /// Canonical names lift a tool under all its names; a dialect's name lifts only itself.
    pub allow: Vec<String>,
    /// Any name of a tool removes it under all its names; that of a toolset all of its tools.
    pub deny: Vec<String>,
    /// Where tier and lists were set, for texts.
    places: Places,
    /// What holds besides: of a caller with less rights than the server, the server's own.
    within: Option<Box<Access>>,
}

/// Leave to send one request, given after the plan gate looked at it. Neither built nor copied anywhere else.
#[derive(Debug)]
pub struct Permit {
    verb: Verb,
}

impl Permit {
    /// The HTTP method that may leave.
    pub fn verb(&self) -> Verb {
        self.verb
    }
}

impl Permit {
    /// Leave by the word of the person at the terminal, for what no tool does: only the command line can give it.
    pub fn of_operator(verb: Verb, _word: &Word) -> Permit {
        Permit { verb }
    }
}

/// Why a tool may not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Removed with `--deny`, by this name.
    Denied { tool: &'static str, by: String, set: SetBy },
    /// Above the server's tier.
    Tier { tool: &'static str, needs: Tier, has: Tier, places: Places },
    /// The tool itself may be called, but not with these arguments.
    Raised { tool: &'static str, argument: String, because: String, needs: Tier, has: Tier, lifted: bool, set: SetBy },
    /// At tier `read` nothing but GET leaves.
    Writes { tool: &'static str, verb: Verb, set: SetBy },
}

impl Access {
    pub fn new(tier: Tier, allow: Vec<String>, deny: Vec<String>) -> Access {
        Access { tier, allow, deny, places: Places::default(), within: None }
    }

    /// The same, with the places where it was set.
    pub fn set_in(self, places: Places) -> Access {
        Access { places, ..self }
    }

    /// What both allow: `own` is a caller's, and can take away only.
    pub fn narrowed(&self, own: Access) -> Access {
        let tier = if own.tier < self.tier { SetBy::Token } else { self.places.tier.clone() };
        let places = Places { tier, allow: SetBy::Token, deny: SetBy::Token };
        Access { tier: own.tier.min(self.tier), places, within: Some(Box::new(self.clone())), ..own }
    }

    /// The tool gate: comes before anything else is looked at.
    ///
    /// # Errors
    /// The tool was denied, or is above the tier and was not allowed by name.
    pub fn check(&self, surface: &Surface) -> Result<(), Refusal> {
        if let Some(by) = self.denied(surface) {
            return Err(Refusal::Denied { tool: surface.name, by, set: self.places.deny.clone() });
        }
        if surface.tool.tier > self.tier && !self.lifted(surface) {
            let places = self.places.clone();
            return Err(Refusal::Tier { tool: surface.name, needs: surface.tool.tier, has: self.tier, places });
        }
        self.within.as_ref().map_or(Ok(()), |within| within.check(surface))
    }

    /// Was this tool allowed by name? Then its own tier does not count, whatever its arguments add does.
    pub fn lifted(&self, surface: &Surface) -> bool {
        self.allow.iter().any(|name| same(name, surface.tool.name) || same(name, surface.name))
    }

    fn denied(&self, surface: &Surface) -> Option<String> {
        let denied = |name: &&String| same(name, surface.name) || means(name, surface.tool);
        self.deny.iter().find(denied).cloned()
    }

    /// The tools that were denied, with the name that denies each, and where that name stands.
    pub fn without(&self) -> impl Iterator<Item = (&'static Tool, &str, &SetBy)> {
        let all = std::iter::successors(Some(self), |access| access.within.as_deref());
        let names: Vec<(&str, &SetBy)> =
            all.flat_map(|access| access.deny.iter().map(|name| (name.as_str(), &access.places.deny))).collect();
        let denying = move |tool: &'static Tool| names.iter().copied().find(|(name, _)| means(name, tool));
        catalogue::TOOLS.iter().filter_map(move |tool| denying(tool).map(|(name, set)| (tool, name, set)))
    }

    /// The plan gate's last word: leave to send a request of this method whose plan needs tier `needs`.
    ///
    /// # Errors
    /// As [`Access::check`]; or the plan needs more than the server's tier and more than the tool that was lifted.
    pub fn permit(&self, surface: &Surface, needs: &Needs<'_>, verb: Verb) -> Result<Permit, Refusal> {
        self.check(surface)?;
        let lifted = self.lifted(surface);
        let has = if lifted { self.tier.max(surface.tool.tier) } else { self.tier };
        if needs.tier > has {
            return Err(Refusal::Raised {
                tool: surface.name,
                argument: needs.argument.to_owned(),
                because: needs.because.to_owned(),
                needs: needs.tier,
                has,
                lifted,
                set: self.places.tier.clone(),
            });
        }
        if verb != Verb::Get && has == Tier::Read {
            return Err(Refusal::Writes { tool: surface.name, verb, set: self.places.tier.clone() });
        }
        if let Some(within) = &self.within {
            within.permit(surface, needs, verb)?;
        }
        Ok(Permit { verb })
    }

    /// Whether any call at all may send something other than GET.
    pub fn writes(&self) -> bool {
        let own = self.tier > Tier::Read || !self.allow.is_empty();
        own && self.within.as_ref().is_none_or(|within| within.writes())
    }

    /// The surfaces of one dialect (`None` = the canonical names) that may be called, in catalogue order.
    pub fn offered<'a>(&'a self, dialect: Option<&'a str>) -> impl Iterator<Item = &'static Surface> + 'a {
        let of = move |surface: &&'static Surface| surface.dialect == dialect && self.check(surface).is_ok();
        catalogue::SURFACES.iter().filter(of)
    }
}

/// What a finished plan needs, and which argument made it so (empty = the tool itself).
#[derive(Debug, Clone)]
pub struct Needs<'a> {
    pub tier: Tier,
    pub argument: &'a str,
    pub because: &'a str,
}

fn is(one: &Tool, other: &Tool) -> bool {
    one.name == other.name
}

/// Is this one of the tool's names, or its toolset's?
pub fn means(name: &str, tool: &Tool) -> bool {
    same(name, tool.name)
        || same(name, tool.toolset)
        || catalogue::SURFACES.iter().any(|other| is(other.tool, tool) && same(name, other.name))
}

/// Names are compared in any case, with dashes or underscores.
fn same(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'-' { b'_' } else { byte.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| plain(a) == plain(b))
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Denied { tool, by, set } => write!(
                f,
                "`{tool}` is switched off on this server: {} names `{by}`. Only whoever runs the server can change \
                 that; nothing was sent.",
                set.named("deny")
            ),
            Refusal::Tier { tool, needs, has, places } => {
                write!(
                    f,
                    "`{tool}` needs the tier `{needs}`; {} `{has}`. Whoever runs the server can ",
                    runs(&places.tier)
                )?;
                let (needs, allow) = (places.tier.with("tier", needs.as_str()), places.allow.adding("allow", tool));
                write!(f, "allow it with {needs}, or this tool alone with {allow}. Nothing was sent.")
            }
            Refusal::Raised { tool, argument, because, needs, has, lifted, set } => {
                if argument.is_empty() {
                    write!(f, "This call of `{tool}` needs the tier `{needs}`")?;
                } else {
                    write!(f, "`{tool}` with `{argument}` needs the tier `{needs}`")?;
                }
                if *lifted {
                    write!(f, "; allowing the tool by name gives it `{has}`")?;
                } else {
                    write!(f, "; {} `{has}`", runs(set))?;
                }
                let because = because.trim_end_matches('.');
                if !because.is_empty() {
                    write!(f, " ({because})")?;
                }
                write!(f, ". ")?;
                if !argument.is_empty() {
                    write!(f, "Call it without `{argument}`, or ask whoever runs the server for ")?;
                } else {
                    write!(f, "Whoever runs the server can allow it with ")?;
                }
                write!(f, "{}. Nothing was sent.", set.with("tier", needs.as_str()))
            }
            Refusal::Writes { tool, verb, set } => write!(
                f,
                "`{tool}` would send {verb}, and at the tier `read` nothing but GET leaves this server. Whoever runs \
                 the server can raise it with {}. Nothing was sent.",
                set.named("tier")
            ),
        }
    }
}

/// Whose tier it is.
fn runs(set: &SetBy) -> &'static str {
    if *set == SetBy::Token { "the caller's token has" } else { "this server runs at" }
}

impl std::error::Error for Refusal {}
