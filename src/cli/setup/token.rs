//! The token: made on the cluster by the person's own login, or by hand with the lines that are shown.
//!
//! Knows what is asked before something is made, and that a token which is there goes on being used if its secret is known.

use super::keep::Safe;
use super::steps::{self, There, Wish};
use super::{Setup, Stop, Word, person::Person, read_secret};
use crate::checkup::grants::{self, Grant};
use crate::cli::{Exit, exit};
use crate::client::PreparedRequest;
use crate::engine::{Engine, FailureKind};
use crate::secret::Secret;
use crate::settings::{self, Auth, Flags, Settings};
use crate::tool::{Tier, Verb};
use secrecy::SecretString;

/// How a token is come by.
pub struct Making<'a> {
    pub setup: &'a Setup,
    pub flags: &'a Flags,
    /// Where the cluster is, and what the assistant may do there; nobody is logged in.
    pub connection: &'a Settings,
    /// `user@realm`.
    pub owner: &'a str,
    pub person: Person,
    pub safe: &'a mut Safe,
    /// What was done, for the person.
    pub said: &'a mut Vec<String>,
}

impl Making<'_> {
    /// Name and secret of the token, by the way that flags say. `None` = the lines were printed, and somebody makes it
    /// later.
    ///
    /// # Errors
    /// It was not made; or it was, and its secret is kept or shown.
    pub async fn token(&mut self, token: String) -> Result<Option<(String, SecretString)>, Stop> {
        if let Some(file) = &self.setup.token_file {
            return Ok(Some((token, read_secret(file, "--token-file").await?)));
        }
        if self.setup.print_commands {
            print_commands(&self.wanted(None), self.owner, &token, true)?;
            return Ok(self.typed(&token)?.map(|secret| (token, secret)));
        }
        self.log_in(token).await.map(Some)
    }

    /// Logs in and makes what is missing; where that is not allowed, shows the lines for it.
    async fn log_in(&mut self, mut token: String) -> Result<(String, SecretString), Stop> {
        let engine = self.session().await?;
        let owner = self.owner;
        engine.look(&PreparedRequest::plain(Verb::Get, "/version")).await?;
        let mut there = There::look(&engine, owner, &token).await?;
        let mut replace = self.setup.replace_token;
        while there.token && !replace {
            // What an earlier run made goes on being used, if it works.
            if let Some(secret) = self.working(&token).await {
                eprintln!("The token {owner}!{token} is there, and its secret as well.");
                let by_hand = self.agreed(&engine, &token, false, &there).await?;
                return Ok((token, by_hand.unwrap_or(secret)));
            }
            if !self.person.is_there() {
                let says = format!(
                    "the token {owner}!{token} is there, and its secret cannot be read again. Give --replace-token to \
                     make it anew, or another name with --token-name"
                );
                return Err(Stop::new(Exit::Usage, says));
            }
            eprintln!("The token {owner}!{token} is there, and its secret cannot be read again.");
            replace = self.person.trusts("Delete it and make it anew? What uses it now stops working")?;
            if !replace {
                let check = |name: &str| {
                    settings::token_owner(Some(owner), Some(name)).map(|_| ()).map_err(|bad| bad.to_string())
                };
                token = self.person.line("--token-name", "Another name for the token", None, check)?;
                there = There::look(&engine, owner, &token).await?;
            }
        }
        match self.agreed(&engine, &token, replace, &there).await? {
            Some(secret) => Ok((token, secret)),
            None => Err(Stop::new(Exit::Failed, "no token was made; run setup again")),
        }
    }

    /// The secret of an earlier run that this token still takes.
    async fn working(&self, token: &str) -> Option<SecretString> {
        for secret in self.safe.kept().await {
            let secret_of = Secret::given(secret.clone());
            let auth = Auth::Token { user: self.owner.to_owned(), name: token.to_owned(), secret: secret_of };
            let tried = Engine::new(Settings { auth, ..self.connection.clone() });
            if tried.look(&PreparedRequest::plain(Verb::Get, "/version")).await.is_ok() {
                return Some(secret);
            }
        }
        None
    }

    /// An engine with the login of the person, whose writes need that person's word.
    async fn session(&self) -> Result<Engine, Stop> {
        let user = match self.flags.user.as_deref().map(str::trim).filter(|user| !user.is_empty()) {
            Some(user) => user.to_owned(),
            None => {
                let prompt = "Who makes the user, role and token there";
                self.person.line("--user", prompt, Some("root@pam"), |text| match text.rsplit_once('@') {
                    Some((name, realm)) if !name.is_empty() && !realm.is_empty() => Ok(()),
                    _ => Err("give user and realm, e.g. root@pam".to_owned()),
                })?
            }
        };
        let said = std::env::var("PROXMOX_PASSWORD").ok().filter(|text| !text.is_empty());
        let password = match (&self.setup.password_file, said) {
            (Some(file), _) => read_secret(file, "--password-file").await?,
            (None, Some(password)) => SecretString::from(password),
            (None, None) => self.person.secret("--password-file", &format!("Password of {user}"))?,
        };
        let totp_seed = std::env::var("PROXMOX_TOTP_SEED").ok().filter(|text| !text.is_empty());
        let totp_seed = totp_seed.map(|seed| Secret::given(SecretString::from(seed)));
        let auth = Auth::Password { user, password: Secret::given(password), totp_seed };
        // The limits are those of the assistant, not of the person who sets it up.
        let free = Settings { tier: Tier::Admin, deny: Vec::new(), fences: Vec::new(), ..self.connection.clone() };
        Ok(Engine::new(Settings { auth, retries: 1, ..free }))
    }

    /// Shows what will be done, asks, and does it. Gives the secret of a new token, which is kept already, or one that
    /// the person typed after doing it by hand.
    async fn agreed(
        &mut self,
        engine: &Engine,
        token: &str,
        replace: bool,
        there: &There,
    ) -> Result<Option<SecretString>, Stop> {
        let grants = self.wanted(Some(there));
        let wish = Wish { grants: &grants, user: self.owner, token, replace };
        eprintln!("\nOn the cluster this will\n  {}", there.steps(&wish).join("\n  "));
        if !self.person.agrees("Do that?")? {
            let says = "nothing was changed: give --yes to do it, or --print-commands for the lines to do it by hand";
            return Err(Stop::new(Exit::Refused, says));
        }
        if !there.token || replace {
            self.safe.ready(self.person)?;
        }
        let mut new = None;
        let failure = match steps::make(engine, &wish, there, &Word(()), self.said).await {
            Ok(made) => {
                let kept = match &made {
                    Some(secret) => self.safe.keep_new(&format!("{}!{token}", self.owner), secret, self.said).await,
                    None => Ok(()),
                };
                new = made;
                // A token whose secret the person has on the screen needs its role as well.
                let failure = steps::empower(engine, &wish, &Word(()), self.said).await.err();
                kept?;
                failure
            }
            Err(failure) => Some(failure),
        };
        let failure = match failure {
            None => return Ok(new),
            Some(failure) if failure.kind() != FailureKind::Forbidden => return Err(failure.into()),
            Some(failure) => failure,
        };
        eprintln!("`{}` may not do that: {failure}", engine.settings().auth.id());
        print_commands(&grants, self.owner, token, false)?;
        if new.is_some() {
            let says = "the token was made, and its secret is kept: run the same again once somebody gave it its role \
                        with these lines";
            return Err(Stop::new(Exit::Failed, says));
        }
        match self.typed(token)? {
            Some(secret) => Ok(Some(secret)),
            None => Err(Stop::new(
                Exit::Failed,
                "run the same with --token-file FILE once somebody made the token with these lines",
            )),
        }
    }

    /// A secret that the person types after making the token by hand; `None` without a terminal.
    fn typed(&self, token: &str) -> Result<Option<SecretString>, Stop> {
        if !self.person.is_there() {
            return Ok(None);
        }
        let prompt =
            format!("Secret of {}!{token}, which `pveum user token add` printed (Ctrl-C to do that later)", self.owner);
        self.person.secret("--token-file", &prompt).map(Some)
    }

    /// The roles that are needed.
    fn wanted(&self, there: Option<&There>) -> Vec<Grant> {
        let known = there.and_then(There::known);
        let privileges = grants::privileges(grants::listed(self.connection), known);
        grants::grants(self.connection.tier, &privileges, self.connection)
    }
}

/// The lines on standard output, what they are for on standard error.
fn print_commands(grants: &[Grant], owner: &str, token: &str, all: bool) -> Result<(), Stop> {
    let when = if all { "" } else { " What is there already is refused, which does no harm." };
    eprintln!(
        "\nIn a shell on a node, as root or somebody with the rights.{when} The line with `token add` prints the secret:"
    );
    let lines = grants::commands(grants, owner, token).join("\n");
    match exit::output(&format!("{lines}\n"), Exit::Done) {
        Exit::Done => Ok(()),
        other => Err(Stop::new(other, "the lines could not be printed")),
    }
}
