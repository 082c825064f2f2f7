//! The second half of a login: the one-time code that the API asks for after the password.
//!
//! A code comes from the seed, or from the person at the terminal. Never tries for ever: two codes of a seed, three
//! that somebody types.

use super::codes::{self, STEP, Seed};
use super::{Login, Post, Turn, read};
use crate::client::trouble::Trouble;
use crate::terminal::{self, Typed};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use std::time::Duration;

/// How often a person may type a code.
const ASKED: usize = 3;

/// Why there is no second half.
pub enum Failed {
    /// Known to fail again: leave the account alone for a while.
    Refused(String),
    Trouble(Trouble),
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Failed {
        Failed::Trouble(trouble)
    }
}

impl Login {
    /// `half` is the first answer; gives the complete one.
    pub(super) async fn second(&self, turn: &mut Turn, api: &dyn Post, half: &Value) -> Result<Value, Failed> {
        let Some(challenge) = half.get("ticket").and_then(Value::as_str) else {
            return Err(Failed::Refused("The API asks for a second factor, and says not which.".to_owned()));
        };
        self.known.keep_passing(challenge);
        match &self.totp_seed {
            Some(seed) => {
                let seed = seed.reveal().await.map_err(|error| Trouble::Setup(error.to_string()))?;
                self.known.keep(seed.expose_secret());
                let seed = Seed::parse(seed.expose_secret())
                    .map_err(|says| Trouble::Setup(format!("PROXMOX_TOTP_SEED {says} (it is not shown)")))?;
                self.computed(turn, api, challenge, &seed).await
            }
            None => self.asked(api, challenge).await,
        }
    }

    /// The present code; and the next one if that was used already, or was over when it arrived.
    async fn computed(&self, turn: &mut Turn, api: &dyn Post, challenge: &str, seed: &Seed) -> Result<Value, Failed> {
        let mut says = String::new();
        for _ in 0..2 {
            let step = (self.clock.now() / STEP).max(turn.sent.map_or(0, |sent| sent + 1));
            // One step ahead is taken; what is further away has to come nearer first.
            let early = (step * STEP).saturating_sub(STEP).saturating_sub(self.clock.now());
            tokio::time::sleep(Duration::from_secs(early)).await;
            turn.sent = Some(step);
            match self.answered(api, challenge, format!("totp:{}", seed.code(step))).await? {
                Ok(data) => return Ok(data),
                Err(refusal) => says = refusal,
            }
        }
        Err(Failed::Refused(format!(
            "Proxmox VE does not accept the one-time codes of `{}` ({says}). Does PROXMOX_TOTP_SEED (not shown) belong to \
             this user, and is the clock of this machine right? Codes are made from the time.",
            self.user
        )))
    }

    /// What a person types.
    async fn asked(&self, api: &dyn Post, challenge: &str) -> Result<Value, Failed> {
        let mut question = format!(
            "Proxmox VE asks `{}` for a second factor. One-time code, or recovery code (not shown): ",
            self.user
        );
        for _ in 0..ASKED {
            let text = match terminal::ask(&question).await {
                Typed::Text(text) => text,
                Typed::Nothing => {
                    return Err(Failed::Trouble(Trouble::login(
                        "No code was typed, so nobody is logged in.".to_owned(),
                    )));
                }
                Typed::NoTerminal => {
                    return Err(Failed::Refused(format!(
                        "The login of `{}` needs a second factor, and there is no terminal to ask for it. Set \
                         PROXMOX_TOTP_SEED_FILE, PROXMOX_TOTP_SEED_COMMAND or PROXMOX_TOTP_SEED_KEYRING to where the \
                         seed of its one-time codes is, or use an API token (PROXMOX_TOKEN_NAME), which needs none.",
                        self.user
                    )));
                }
            };
            let Some(code) = codes::typed(text.expose_secret()) else {
                question =
                    "That is neither a one-time code (6 digits) nor a recovery code (4 groups of 4). Code: ".to_owned();
                continue;
            };
            match self.answered(api, challenge, code).await? {
                Ok(data) => return Ok(data),
                Err(_) => question = "The code is not accepted. Another code: ".to_owned(),
            }
        }
        Err(Failed::Refused(format!("The second factor of `{}` was not accepted {ASKED} times.", self.user)))
    }

    /// The outer error is a trouble; the inner one the API's refusal of the code, in its words.
    async fn answered(&self, api: &dyn Post, challenge: &str, code: String) -> Result<Result<Value, String>, Trouble> {
        let mut form = self.form(SecretString::from(code));
        form.push(("tfa-challenge", SecretString::from(challenge.to_owned())));
        match read(api.post(&form).await?) {
            Ok(data) => Ok(Ok(data)),
            Err(Trouble::Rejected(rejection)) if (400..500).contains(&rejection.status) => Ok(Err(rejection.message)),
            Err(trouble) => Err(trouble),
        }
    }
}
