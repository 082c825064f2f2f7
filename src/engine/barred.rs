//! What the API refuses to everybody but somebody who is logged in, whatever privileges they have: known from the facts,
//! and said before the call is tried.
//!
//! Knows methods that take no token and methods for root@pam alone (pve-access-control, `check_api2_permissions`; an API
//! token never equals its user there). Knows nothing of privileges.

use super::failure::{Failure, FailureKind};
use crate::client::PreparedRequest;
use crate::settings::Auth;

/// The one user for whom the API makes exceptions.
const ROOT: &str = "root@pam";

/// # Errors
/// The API would refuse this request of ours, and why.
pub fn check(auth: &Auth, request: &PreparedRequest) -> Result<(), Failure> {
    let Some(route) = proxmox_spec::route(request.verb, request.path()) else { return Ok(()) };
    let (method, id) = (route.method, auth.id());
    let call = format!("{} {}", method.verb, method.path);
    let says = match auth {
        Auth::Token { .. } if !method.allow_token => format!(
            "{call} takes no API token, whatever it may do, so `{id}` cannot call it: it wants somebody who is logged in. \
             A person does it in the web interface, or this server is set up with PROXMOX_USER and PROXMOX_PASSWORD_FILE \
             (or _COMMAND, _KEYRING) in the place of the token."
        ),
        Auth::Token { .. } if method.permissions.root_only => format!(
            "{call} is for {ROOT} itself, logged in with a password; no API token ever may, also not `{id}`. A person does \
             it in the web interface or on the node, or this server is set up with PROXMOX_USER={ROOT} and \
             PROXMOX_PASSWORD_FILE (or _COMMAND, _KEYRING) in the place of the token."
        ),
        Auth::Password { user, .. } if method.permissions.root_only && user != ROOT => {
            format!("{call} is for {ROOT} itself, and this server is logged in as `{user}`. A person does it.")
        }
        _ => return Ok(()),
    };
    Err(Failure::new(FailureKind::Forbidden, format!("{says} Nothing was sent.")))
}
