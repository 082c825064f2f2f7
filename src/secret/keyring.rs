//! A secret in the desktop's keyring: the Secret Service on Linux, the keychain on macOS, the credential manager on
//! Windows.
//!
//! Knows the crate that speaks to them, which is part of the cargo feature `keyring`.

use secrecy::SecretString;

#[cfg(feature = "keyring")]
pub async fn read(service: &str, account: &str) -> Result<SecretString, String> {
    let (one, other) = (service.to_owned(), account.to_owned());
    // It may wait for a person who unlocks it, so it gets a thread of its own.
    let asked = tokio::task::spawn_blocking(move || keyring::v1::Entry::new(&one, &other)?.get_password());
    let entry = format!("{service}/{account}");
    match tokio::time::timeout(super::PATIENCE, asked).await {
        Ok(Ok(Ok(text))) if text.trim().is_empty() => Err(format!("the entry `{entry}` of the keyring is empty")),
        Ok(Ok(Ok(text))) => Ok(SecretString::from(text.trim_end_matches(['\r', '\n']).to_owned())),
        Ok(Ok(Err(keyring::v1::Error::NoEntry))) => Err(format!(
            "the keyring has no entry `{entry}`. Make one: `secret-tool store --label 'Proxmox VE' service {} username \
             {}` on Linux, `security add-generic-password -s {0} -a {1} -w` on macOS.",
            shell_words::quote(service),
            shell_words::quote(account)
        )),
        Ok(Ok(Err(error))) => Err(format!(
            "the keyring cannot be asked for `{entry}`: {}. Is there a desktop session with a keyring that is unlocked? \
             Without one, use …_FILE or …_COMMAND.",
            crate::engine::clean::line(&error.to_string(), 300)
        )),
        Ok(Err(error)) => Err(format!("the keyring cannot be asked for `{entry}`: {error}")),
        Err(_) => Err(format!(
            "the keyring did not answer within {} s for `{entry}`. Unlock it, and try again.",
            super::PATIENCE.as_secs()
        )),
    }
}

#[cfg(not(feature = "keyring"))]
pub async fn read(service: &str, account: &str) -> Result<SecretString, String> {
    Err(format!(
        "this program was built without the keyring (cargo feature `keyring`), so `{service}/{account}` cannot be read. \
         …_COMMAND can ask for it, e.g. `secret-tool lookup service {} username {}` on Linux.",
        shell_words::quote(service),
        shell_words::quote(account)
    ))
}
