//! A question to the person at the terminal in which `proxmox-mcp call` runs.
//!
//! Reads from a terminal only: what is piped in is no person.

use super::table;
use crate::engine::consent::{Ask, Asker, Question, Said, Wants};
use futures_util::future::BoxFuture;
use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::Arc;

/// How whoever runs this command can be asked. The answer goes to standard output, which may be a file; the question
/// to standard error, which must be a terminal, too.
pub fn asker() -> Asker {
    if io::stdin().is_terminal() && io::stderr().is_terminal() { Asker::Now(Arc::new(Terminal)) } else { Asker::Apart }
}

struct Terminal;

impl Ask for Terminal {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Said> {
        let hint = match &question.wants {
            Wants::Yes => "yes or no",
            Wants::Typed(_) => "or `no`",
        };
        let text = format!("\r\x1b[2K{}\n{hint}: ", table::clean(&question.text));
        let yes = question.wants == Wants::Yes;
        Box::pin(async move {
            // A thread of its own: it blocks until a line is there, and the process does not wait for it.
            let read = tokio::task::spawn_blocking(move || -> io::Result<String> {
                let mut terminal = io::stderr();
                terminal.write_all(text.as_bytes())?;
                terminal.flush()?;
                let mut line = String::new();
                io::stdin().lock().read_line(&mut line)?;
                Ok(line)
            });
            let line = match read.await {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => return Said::Unasked(error.to_string()),
                Err(error) => return Said::Unasked(error.to_string()),
            };
            match line.trim() {
                "" => Said::Dismissed,
                "no" | "n" => Said::Declined,
                "yes" | "y" if yes => Said::Yes,
                typed => Said::Typed(typed.to_owned()),
            }
        })
    }

    fn is_on_screen(&self) -> bool {
        true
    }
}
