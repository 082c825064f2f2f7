//! What setup makes on the cluster: roles, user, token, and who has which role where.
//!
//! Knows the API's calls for that. Each step finds what is there already, so that running it again goes on. Sends
//! nothing without the person's word.

use super::Word;
use crate::arguments::Segment;
use crate::checkup::grants::{Grant, Privileges, ROLES};
use crate::client::PreparedRequest;
use crate::engine::{Engine, Failure, FailureKind};
use crate::tool::Verb;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    pub grants: &'a [Grant],
    /// `user@realm`.
    pub user: &'a str,
    /// The part after `!`.
    pub token: &'a str,
    /// An existing token of this name is deleted, and made anew.
    pub replace: bool,
}

/// What there is, as far as it may be read.
#[derive(Debug, Default)]
pub struct There {
    /// Roles and their privileges.
    pub roles: Vec<(String, Privileges)>,
    pub user: bool,
    pub token: bool,
    /// The roles of ours that the token has already, with their paths.
    pub held: Vec<Held>,
}

/// A role on a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    role: String,
    path: String,
}

impl Held {
    /// Those of ours that a token has, as far as they may be read.
    async fn look(engine: &Engine, full: &str) -> Vec<Held> {
        let rows = rows_or_none(engine, &PreparedRequest::plain(Verb::Get, "/access/acl")).await;
        let is = |row: &Map<String, Value>, field: &str, value: &str| text(row, field).as_deref() == Some(value);
        let of_token = rows.iter().filter(|row| is(row, "type", "token") && is(row, "ugid", full));
        let held = of_token.filter_map(|row| Some(Held { role: text(row, "roleid")?, path: text(row, "path")? }));
        held.filter(|one| one.role.starts_with(ROLES)).collect()
    }

    /// Is it among what is wanted?
    fn wanted(&self, wish: &Wish<'_>) -> bool {
        wish.grants.iter().any(|grant| grant.role == self.role && grant.paths.contains(&self.path))
    }
}

impl There {
    /// Looks.
    ///
    /// # Errors
    /// The roles cannot be read, which every user may.
    pub async fn look(engine: &Engine, user: &str, token: &str) -> Result<There, Failure> {
        let rows = rows(engine, &PreparedRequest::plain(Verb::Get, "/access/roles")).await?;
        let role = |row: &Map<String, Value>| Some((text(row, "roleid")?, privileges(&text(row, "privs")?)));
        let roles = rows.iter().filter_map(role).collect();
        let users = rows_or_none(engine, &PreparedRequest::plain(Verb::Get, "/access/users")).await;
        let known = users.iter().any(|row| text(row, "userid").as_deref() == Some(user));
        let tokens = match known {
            true => rows_or_none(engine, &at(Verb::Get, &["access", "users"], &[user], &["token"])?).await,
            false => Vec::new(),
        };
        let has = tokens.iter().any(|row| text(row, "tokenid").as_deref() == Some(token));
        let held = if has { Held::look(engine, &format!("{user}!{token}")).await } else { Vec::new() };
        Ok(There { roles, user: known, token: has, held })
    }

    /// Every privilege that the cluster knows: those of the administrator.
    pub fn known(&self) -> Option<&Privileges> {
        self.roles.iter().find(|(id, _)| id == "Administrator").map(|(_, privileges)| privileges)
    }

    fn role(&self, id: &str) -> Option<&Privileges> {
        self.roles.iter().find(|(known, _)| known == id).map(|(_, privileges)| privileges)
    }

    /// The steps in words, for the person who agrees to them.
    pub fn steps(&self, wish: &Wish<'_>) -> Vec<String> {
        let mut steps = Vec::new();
        for grant in wish.grants {
            let list = grant.privileges.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
            steps.push(match self.role(&grant.role) {
                None => format!("make the role {} with {list}", grant.role),
                Some(same) if *same == grant.privileges => format!("use the role {}, which is there", grant.role),
                Some(_) => format!("change the role {} to hold {list}", grant.role),
            });
        }
        if !self.user {
            steps.push(format!("make the user {}", wish.user));
        }
        if self.token && wish.replace {
            steps.push(format!("delete the token {}!{}: what uses it now stops working", wish.user, wish.token));
        }
        if !self.token || wish.replace {
            steps.push(format!("make the token {}!{} with privilege separation", wish.user, wish.token));
        }
        for grant in wish.grants {
            let paths = grant.paths.join(", ");
            steps.push(format!("give {} to both on {paths}", grant.role));
        }
        // With a token that is deleted goes all that it had.
        for held in self.held.iter().filter(|held| !wish.replace && !held.wanted(wish)) {
            steps.push(format!("take {} from the token on {}", held.role, held.path));
        }
        steps
    }
}

/// Makes what is missing, and says each thing that was made. The last of it is the token; the secret of a new one, which
/// cannot be read again, is what this gives.
///
/// # Errors
/// A step was refused or its end is not known; what was said before stays made.
pub async fn make(
    engine: &Engine,
    wish: &Wish<'_>,
    there: &There,
    word: &Word,
    said: &mut Vec<String>,
) -> Result<Option<SecretString>, Failure> {
    for grant in wish.grants {
        role(engine, grant, there, word, said).await?;
    }
    if !there.user {
        let request = PreparedRequest::plain(Verb::Post, "/access/users")
            .with("userid", wish.user)
            .with("comment", "AI assistant, through proxmox-mcp");
        match engine.act(&request, word).await {
            Ok(_) => said.push(format!("made the user {}", wish.user)),
            // It may not be listed to who makes it.
            Err(failure) if failure.to_string().contains("already exists") => {}
            Err(failure) => return Err(failure),
        }
    }
    give(engine, wish, "users", wish.user.to_owned(), word, said).await?;
    let full = format!("{}!{}", wish.user, wish.token);
    let token =
        |verb| at(verb, &["access", "users"], &[wish.user], &["token"]).and_then(|path| below(path, wish.token));
    if there.token && wish.replace {
        engine.act(&token(Verb::Delete)?, word).await?;
        said.push(format!("deleted the old token {full}"));
    }
    if there.token && !wish.replace {
        return Ok(None);
    }
    let request = token(Verb::Post)?.with("privsep", "1").with("comment", "made by proxmox-mcp setup");
    let answer = engine.act(&request, word).await?.data;
    said.push(format!("made the token {full}"));
    let Some(secret) = answer["value"].as_str() else {
        let says = format!("the token {full} was made, but the answer holds no secret: run setup with --replace-token");
        return Err(Failure::new(FailureKind::Unreadable, says));
    };
    Ok(Some(SecretString::from(secret.to_owned())))
}

/// Gives the roles to the token, and takes those away that an earlier setup with other limits gave it. The user keeps
/// them: other tokens of the same user may need them, and this one has what both have.
///
/// # Errors
/// As [`make`].
pub async fn empower(engine: &Engine, wish: &Wish<'_>, word: &Word, said: &mut Vec<String>) -> Result<(), Failure> {
    let full = format!("{}!{}", wish.user, wish.token);
    give(engine, wish, "tokens", full.clone(), word, said).await?;
    for held in Held::look(engine, &full).await.into_iter().filter(|held| !held.wanted(wish)) {
        let request = PreparedRequest::plain(Verb::Put, "/access/acl").with("path", held.path.as_str());
        let request = request.with("roles", held.role.as_str()).with("tokens", full.as_str()).with("delete", "1");
        engine.act(&request, word).await?;
        said.push(format!("took {} from {full} on {}", held.role, held.path));
    }
    Ok(())
}

async fn role(
    engine: &Engine,
    grant: &Grant,
    there: &There,
    word: &Word,
    said: &mut Vec<String>,
) -> Result<(), Failure> {
    let list = grant.privileges.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    match there.role(&grant.role) {
        Some(same) if *same == grant.privileges => {}
        Some(_) => {
            let request = at(Verb::Put, &["access", "roles"], &[&grant.role], &[])?.with("privs", list);
            engine.act(&request, word).await?;
            said.push(format!("changed the role {}", grant.role));
        }
        None => {
            let request = PreparedRequest::plain(Verb::Post, "/access/roles");
            engine.act(&request.with("roleid", &*grant.role).with("privs", list), word).await?;
            said.push(format!("made the role {}", grant.role));
        }
    }
    Ok(())
}

/// Gives the roles on their paths; giving what is there changes nothing.
async fn give(
    engine: &Engine,
    wish: &Wish<'_>,
    whom: &'static str,
    id: String,
    word: &Word,
    said: &mut Vec<String>,
) -> Result<(), Failure> {
    for grant in wish.grants {
        for path in &grant.paths {
            let request = PreparedRequest::plain(Verb::Put, "/access/acl").with("path", path.as_str());
            let request = request.with("roles", &*grant.role).with(whom, id.as_str());
            engine.act(&request, word).await?;
            said.push(format!("gave {} to {id} on {path}", grant.role));
        }
    }
    Ok(())
}

/// A path of the API with names of a person's in it.
fn at(verb: Verb, first: &[&str], names: &[&str], last: &[&str]) -> Result<PreparedRequest, Failure> {
    let mut request = PreparedRequest::new(verb);
    first.iter().for_each(|part| request.literal(part));
    for name in names {
        request = below(request, name)?;
    }
    last.iter().for_each(|part| request.literal(part));
    Ok(request)
}

fn below(mut request: PreparedRequest, name: &str) -> Result<PreparedRequest, Failure> {
    let bad = |error| Failure::new(FailureKind::BadArguments, format!("the name `{name}` {error}"));
    request.segment(&Segment::new(name).map_err(bad)?);
    Ok(request)
}

async fn rows(engine: &Engine, request: &PreparedRequest) -> Result<Vec<Map<String, Value>>, Failure> {
    let Value::Array(list) = engine.look(request).await?.data else { return Ok(Vec::new()) };
    Ok(list.into_iter().filter_map(|row| if let Value::Object(row) = row { Some(row) } else { None }).collect())
}

async fn rows_or_none(engine: &Engine, request: &PreparedRequest) -> Vec<Map<String, Value>> {
    rows(engine, request).await.unwrap_or_default()
}

fn text(row: &Map<String, Value>, field: &str) -> Option<String> {
    row.get(field)?.as_str().map(str::to_owned)
}

fn privileges(list: &str) -> Privileges {
    list.split([',', ' ', ';']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}
