//! Questions to the person at the terminal, and what stands for an answer when there is none.
//!
//! Knows terminals (through dialoguer) and flags' names. Never asks where standard input is no terminal: then what is
//! missing is an error that names the flag.

use super::Stop;
use crate::cli::Exit;
use dialoguer::{Confirm, Input, Password};
use secrecy::SecretString;
use std::io::IsTerminal;

/// Who answers.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    /// There is a terminal for questions and answers.
    there: bool,
    /// Yes to whatever has a clear meaning, by a flag.
    yes: bool,
}

impl Person {
    pub fn find(yes: bool) -> Person {
        Person { there: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(), yes }
    }

    pub fn is_there(self) -> bool {
        self.there
    }

    /// A line of text. Without a terminal the default, if there is one.
    ///
    /// # Errors
    /// Nobody is there and there is no default; the terminal is gone.
    pub fn line(
        self,
        flag: &str,
        prompt: &str,
        default: Option<&str>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Result<String, Stop> {
        if !self.there {
            let Some(default) = default else { return Err(missing(flag, prompt)) };
            check(default).map_err(|says| Stop::new(Exit::Usage, says))?;
            return Ok(default.to_owned());
        }
        let mut input = Input::<String>::new().with_prompt(prompt);
        if let Some(default) = default {
            input = input.default(default.to_owned());
        }
        let good = |text: &String| check(text.trim());
        input.validate_with(good).interact().map(|text| text.trim().to_owned()).map_err(gone)
    }

    /// Something that is not shown while it is typed.
    ///
    /// # Errors
    /// Nobody is there; the terminal is gone.
    pub fn secret(self, flag: &str, prompt: &str) -> Result<SecretString, Stop> {
        if !self.there {
            return Err(missing(flag, prompt));
        }
        Password::new().with_prompt(prompt).interact().map(SecretString::from).map_err(gone)
    }

    /// Yes or no. Without a terminal it is yes only where a flag said so.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn agrees(self, prompt: &str) -> Result<bool, Stop> {
        if self.yes || !self.there {
            return Ok(self.yes);
        }
        self.trusts(prompt)
    }

    /// Yes or no, which no flag answers. Without a terminal it is no.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn trusts(self, prompt: &str) -> Result<bool, Stop> {
        if !self.there {
            return Ok(false);
        }
        Confirm::new().with_prompt(prompt).wait_for_newline(true).interact().map_err(gone)
    }
}

fn missing(flag: &str, prompt: &str) -> Stop {
    Stop::new(
        Exit::Usage,
        format!(
            "{flag} is missing ({prompt}). Nobody is asked, because standard input is no terminal: give it as a flag."
        ),
    )
}

fn gone(error: dialoguer::Error) -> Stop {
    Stop::new(Exit::Refused, format!("the question was not answered: {error}"))
}
