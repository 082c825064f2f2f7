//! Authentication and permissions: who sends a request, and what he may do.
//!
//! Four steps, in the order in which a client meets them: `identify` (401), `check` on the facts' expression before the
//! parameters are looked at (403), `inside` for what methods check in their own code after that (403), and `views` for
//! lists that are shortened in silence. All of them ask `rights`. How somebody gets in at all is in `login` and
//! `tickets`.

mod check;
mod identify;
mod inside;
mod login;
mod rights;
mod roles;
mod tickets;
mod views;

pub(crate) use check::{bare, permit};
pub(crate) use identify::identify;
pub(crate) use inside::{examine, vm_drives};
pub(crate) use login::{listed_paths, log_in, wrong_password};
pub(crate) use rights::{Rights, groups_of};
pub(crate) use roles::{PRIVILEGES, built_in, is_built_in};
pub(crate) use views::{shorten, shows_task};
