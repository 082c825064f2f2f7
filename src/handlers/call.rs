//! Calls of other tools: what one would do, and one that a person agreed to.
//!
//! Knows names of tools as a caller writes them, and hands them on: which may be called, the called one's own gates say.

use super::named;
use crate::arguments::{BadArguments, Fields};
use crate::catalogue;
use crate::clusters;
use crate::plan::{Instead, Intent, Locate, Plan};
use crate::tool::Argument;

/// What the call of a tool would do; nothing but reads is sent.
///
/// # Errors
/// No such tool, or arguments that are no object.
pub fn planned_call(f: &mut Fields<'_>, arguments: &'static [Argument]) -> Result<Plan, BadArguments> {
    call(f, arguments, |_| Intent::Plan)
}

/// The call of a tool whose plan was shown and agreed to.
///
/// # Errors
/// No such tool, no seal, or arguments that are no object.
pub fn confirmed_call(f: &mut Fields<'_>, arguments: &'static [Argument]) -> Result<Plan, BadArguments> {
    call(f, arguments, |f| {
        let seal = named(arguments, "seal").and_then(|argument| f.text(argument));
        Intent::Sealed(seal.unwrap_or_default())
    })
}

fn call(
    f: &mut Fields<'_>,
    arguments: &'static [Argument],
    intent: impl FnOnce(&mut Fields<'_>) -> Intent,
) -> Result<Plan, BadArguments> {
    let tool = named(arguments, "tool");
    let name = tool.and_then(|argument| f.text(argument));
    let surface = name.as_deref().and_then(|name| catalogue::surface_in(f.dialect(), name.trim()));
    if let (Some(argument), Some(name), None) = (tool, &name, surface) {
        let near = proxmox_spec::nearest(name, catalogue::SURFACES.iter().map(|surface| surface.name));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        f.refuse(argument, format!("there is no tool of this name{near}"));
    }
    // A plan of a plan would say nothing new, and could go on for ever.
    let nested = surface.filter(|surface| surface.tool.handled && leads_to_a_call(surface.tool.arguments));
    if let (Some(argument), Some(_)) = (tool, nested) {
        f.refuse(argument, "is itself about calls of tools; name the tool that does the work".to_owned());
    }
    let given = named(arguments, "arguments").and_then(|argument| f.object(argument)).unwrap_or_default();
    if let Some(argument) = named(arguments, "arguments")
        && given.contains_key(clusters::ARGUMENT)
    {
        let says = format!(
            "holds `{0}`, which stands beside `tool`: {{\"{0}\": …, \"tool\": …, \"arguments\": …}}",
            clusters::ARGUMENT
        );
        f.refuse(argument, says);
    }
    let intent = intent(f);
    f.finish()?;
    let Some(surface) = surface else { return Err(f.refused()) };
    let mut plan = Plan::new(Locate::Nothing);
    plan.instead = Some(Instead::Call { surface, arguments: given, intent });
    Ok(plan)
}

/// Whether a handled tool takes the name of another one.
fn leads_to_a_call(arguments: &'static [Argument]) -> bool {
    named(arguments, "tool").is_some() && named(arguments, "arguments").is_some()
}
