//! A secret that a program prints: `pass`, `op`, `vault` and the like.
//!
//! Runs the program without a shell and without input. What it prints is the secret and is never repeated; what it says
//! on standard error when it fails is, but for what it printed as well.

use super::program::{self, Ended, NotEnded};
use super::{LONGEST, PATIENCE};
use secrecy::SecretString;
use std::time::Duration;
use tokio::process::Command;

pub async fn run(words: &[String]) -> Result<SecretString, String> {
    run_within(words, PATIENCE).await
}

async fn run_within(words: &[String], patience: Duration) -> Result<SecretString, String> {
    let Some((program, arguments)) = words.split_first() else { return Err("there is no command".to_owned()) };
    let shown = shell_words::quote(program);
    let ended = program::run(Command::new(program).args(arguments), None, patience).await;
    let Ended { printed, said, status } = ended.map_err(|why| match why {
        NotEnded::Missing => format!(
            "there is no program {shown}. Give its whole path: a program that is started by a desktop has another PATH \
             than a terminal. There is no shell in between; `sh -c '…'` is one."
        ),
        NotEnded::Broken(error) => format!("{shown} cannot be run: {error}"),
        NotEnded::Slow => format!(
            "{shown} did not end within {} s. Does it ask for something? It gets no input here: unlock it before, or \
             use its agent.",
            patience.as_secs()
        ),
    })?;
    if !status.success() {
        let said = without(said, &printed);
        let said =
            if said.is_empty() { "it says nothing on standard error".to_owned() } else { format!("it says: {said}") };
        return Err(format!("{shown} failed ({status}); {said}. Try the same command in a terminal."));
    }
    if printed.len() as u64 > LONGEST {
        return Err(format!("{shown} printed more than {} KiB; its first line is to be the secret", LONGEST / 1024));
    }
    let Ok(text) = String::from_utf8(printed) else { return Err(format!("{shown} printed no text")) };
    match text.lines().next().map(|line| line.trim_end_matches('\r')) {
        Some(line) if !line.trim().is_empty() => Ok(SecretString::from(line.to_owned())),
        _ => Err(format!("{shown} printed nothing on its first line, which is to be the secret")),
    }
}

/// What was said, without lines that were printed: a shell that tells each of its steps tells them the secret, too.
fn without(said: String, printed: &[u8]) -> String {
    let printed = String::from_utf8_lossy(printed);
    let lines = printed.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.fold(said, |said, line| said.replace(line, "***"))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    fn words(text: &str) -> Vec<String> {
        shell_words::split(text).expect("words")
    }

    #[tokio::test]
    async fn the_first_line_is_the_secret() {
        let secret = run(&words("printf 's3cret with spaces\\nurl: x\\n'")).await.expect("printed");
        assert_eq!(secret.expose_secret(), "s3cret with spaces");
    }

    #[tokio::test]
    async fn a_program_that_hangs_is_given_up_and_ended() {
        let text = run_within(&words("sleep 600"), Duration::from_millis(50)).await.expect_err("hangs");
        assert!(text.contains("did not end") && text.contains("agent"), "{text}");
    }

    #[tokio::test]
    async fn what_fails_is_told_with_its_own_words_and_nothing_of_what_it_printed() {
        let text = run(&words("sh -c 'echo hunter2; echo locked >&2; exit 3'")).await.expect_err("fails");
        assert!(text.contains("it says: locked") && text.contains('3') && !text.contains("hunter2"), "{text}");
        let text = run(&words("sh -xc 'echo hunter2; exit 3'")).await.expect_err("fails");
        assert!(text.contains("echo ***") && !text.contains("hunter2"), "{text}");
        for (command, says) in [("true", "printed nothing"), ("no-such-program-here", "there is no program")] {
            let text = run(&words(command)).await.expect_err("no secret");
            assert!(text.contains(says), "{text}");
        }
    }
}
