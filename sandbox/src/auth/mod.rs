//! Authentication and permissions: who sends a request, and what he may do.
//!
//! Four steps, in the order in which a client meets them: `identify` (401), `check` on the facts' expression before
//! the parameters are looked at (403), `inside` for what methods check in their own code after that (403), and `views`
//! for lists that are shortened in silence. All of them ask `rights`.

mod check;
mod identify;
mod inside;
mod rights;
mod roles;
mod views;

pub(crate) use check::{bare, permit};
pub(crate) use identify::{identify, listed_paths, log_in};
pub(crate) use inside::{examine, vm_drives};
pub(crate) use rights::{Rights, groups_of};
pub(crate) use roles::{PRIVILEGES, built_in, is_built_in};
pub(crate) use views::{shorten, shows_task};
