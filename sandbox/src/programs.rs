//! What runs inside the virtual machines: a handful of programs that behave like the real ones, and no others.
//!
//! Knows argument vectors and their output; nothing of the agent's protocol beyond the process ids.

use std::collections::BTreeMap;

/// The commands that were started, by process id. A result is handed out once.
#[derive(Default)]
pub(crate) struct Runs {
    next: u32,
    runs: BTreeMap<(u32, u32), Run>,
}

/// One command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    /// When it is over, in milliseconds since 1970.
    pub ends: i64,
    pub exit_code: i32,
    pub out: String,
    pub err: String,
}

impl Runs {
    /// Keeps a run and answers its process id.
    pub(crate) fn start(&mut self, vmid: u32, run: Run) -> u32 {
        self.next += 1;
        let pid = 1_200 + self.next;
        self.runs.insert((vmid, pid), run);
        pid
    }

    /// The run, removed if it is over by `now`; `None` for an unknown process id.
    pub(crate) fn status(&mut self, vmid: u32, pid: u32, now: i64) -> Option<Option<Run>> {
        let over = self.runs.get(&(vmid, pid))?.ends <= now;
        Some(if over { self.runs.remove(&(vmid, pid)) } else { None })
    }
}

/// Runs an argument vector at `now` (milliseconds).
pub(crate) fn run(name: &str, argv: &[String], input: &str, now: i64) -> Run {
    let mut run = Run { ends: now + 500, ..Run::default() };
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => fail(&mut run, 127, "no command"),
        ["sh" | "bash" | "/bin/sh" | "/bin/bash", "-c" | "-lc", script, ..] => shell(name, script, input, &mut run),
        ["sleep" | "/bin/sleep", seconds] => {
            run.ends = now + (seconds.parse::<f64>().unwrap_or(0.0) * 1_000.0) as i64;
        }
        words => program(name, words, input, &mut run),
    }
    run
}

/// Commands joined by `;`, `&&`, `||` and `|`, words with simple quotes. No variables, no redirections.
fn shell(name: &str, script: &str, input: &str, run: &mut Run) {
    let mut skip = false;
    for (link, command) in commands(script) {
        skip = match link {
            Link::Always => false,
            Link::IfOk => skip || run.exit_code != 0,
            Link::IfNot => run.exit_code == 0,
        };
        if skip {
            continue;
        }
        let mut piped = input.to_owned();
        let stages: Vec<Vec<String>> = command;
        let last = stages.len().saturating_sub(1);
        for (place, words) in stages.iter().enumerate() {
            let mut stage = Run::default();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            program(name, &words, &piped, &mut stage);
            run.err.push_str(&stage.err);
            run.exit_code = stage.exit_code;
            if place == last {
                run.out.push_str(&stage.out);
            }
            piped = stage.out;
        }
    }
}

#[derive(Clone, Copy)]
enum Link {
    Always,
    IfOk,
    IfNot,
}

/// The commands of a script: how each hangs on the one before, and its pipe stages as words.
fn commands(script: &str) -> Vec<(Link, Vec<Vec<String>>)> {
    let mut commands = vec![(Link::Always, vec![Vec::new()])];
    let mut word = String::new();
    let mut open = false;
    let mut quote = None;
    let mut letters = script.chars().peekable();
    let end_word = |commands: &mut Vec<(Link, Vec<Vec<String>>)>, word: &mut String, open: &mut bool| {
        if *open {
            if let Some(words) = commands.last_mut().and_then(|(_, stages)| stages.last_mut()) {
                words.push(std::mem::take(word));
            }
            *open = false;
        }
    };
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (Some(mark), letter) if letter == mark => quote = None,
            (Some(_), letter) => word.push(letter),
            (None, '\'' | '"') => {
                quote = Some(letter);
                open = true;
            }
            (None, ';' | '\n' | '&' | '|') => {
                end_word(&mut commands, &mut word, &mut open);
                let doubled = letters.next_if_eq(&letter).is_some();
                match (letter, doubled) {
                    ('|', false) => {
                        if let Some((_, stages)) = commands.last_mut() {
                            stages.push(Vec::new());
                        }
                    }
                    ('|', true) => commands.push((Link::IfNot, vec![Vec::new()])),
                    ('&', true) => commands.push((Link::IfOk, vec![Vec::new()])),
                    _ => commands.push((Link::Always, vec![Vec::new()])),
                }
            }
            (None, letter) if letter.is_whitespace() => end_word(&mut commands, &mut word, &mut open),
            (None, letter) => {
                word.push(letter);
                open = true;
            }
        }
    }
    end_word(&mut commands, &mut word, &mut open);
    commands.retain(|(_, stages)| stages.iter().all(|words| !words.is_empty()));
    commands
}

fn program(name: &str, words: &[&str], input: &str, run: &mut Run) {
    let command = words.first().copied().unwrap_or_default();
    let rest = words.get(1..).unwrap_or_default();
    match (command.rsplit('/').next().unwrap_or_default(), rest) {
        ("echo", ["-n", rest @ ..]) => run.out.push_str(&rest.join(" ")),
        ("echo", rest) => run.out.push_str(&format!("{}\n", rest.join(" "))),
        ("true" | "sleep", _) => {}
        ("false", _) => run.exit_code = 1,
        ("exit", [code, ..]) => run.exit_code = code.parse().unwrap_or(2),
        ("hostname", _) => run.out.push_str(&format!("{name}\n")),
        ("whoami", _) => run.out.push_str("root\n"),
        ("id", _) => run.out.push_str("uid=0(root) gid=0(root) groups=0(root)\n"),
        ("pwd", _) => run.out.push_str("/root\n"),
        ("uname", ["-r"]) => run.out.push_str("6.1.0-18-amd64\n"),
        ("uname", ["-a"]) => {
            run.out.push_str(&format!("Linux {name} 6.1.0-18-amd64 #1 SMP PREEMPT_DYNAMIC Debian x86_64 GNU/Linux\n"));
        }
        ("uname", _) => run.out.push_str("Linux\n"),
        ("uptime", _) => run.out.push_str(" 08:00:00 up 10 days,  1 user,  load average: 0.08, 0.03, 0.01\n"),
        ("date", _) => run.out.push_str("Sun Nov  1 08:00:00 UTC 2026\n"),
        ("df", _) => run.out.push_str(
            "Filesystem     1K-blocks    Used Available Use% Mounted on\n\
             /dev/sda1       32895696 5873344  25326064  19% /\n",
        ),
        ("ls", rest) => list(rest, run),
        ("cat", []) => run.out.push_str(input),
        ("cat", files) => files.iter().for_each(|file| show(name, file, run)),
        ("wc", ["-l"]) => run.out.push_str(&format!("{}\n", input.lines().count())),
        ("grep", [pattern, ..]) => {
            let found: Vec<&str> = input.lines().filter(|line| line.contains(pattern)).collect();
            found.iter().for_each(|line| run.out.push_str(&format!("{line}\n")));
            run.exit_code = i32::from(found.is_empty());
        }
        ("head", _) => input.lines().take(10).for_each(|line| run.out.push_str(&format!("{line}\n"))),
        ("systemctl", ["is-active", unit]) => {
            let known =
                ["ssh", "sshd", "nginx", "cron", "qemu-guest-agent"].contains(&unit.trim_end_matches(".service"));
            run.out.push_str(if known { "active\n" } else { "inactive\n" });
            run.exit_code = if known { 0 } else { 3 };
        }
        _ => fail(run, 127, &format!("sh: 1: {command}: command not found")),
    }
}

fn list(rest: &[&str], run: &mut Run) {
    let target = rest.iter().find(|word| !word.starts_with('-')).copied().unwrap_or("/root");
    let names: &[&str] = match target {
        "/" => &["bin", "boot", "dev", "etc", "home", "root", "tmp", "usr", "var"],
        "/etc" => &["hostname", "hosts", "os-release"],
        "/root" | "." | "/tmp" | "/home" => &[],
        _ => {
            return fail(run, 2, &format!("ls: cannot access '{target}': No such file or directory"));
        }
    };
    if rest.iter().any(|word| word.starts_with('-') && word.contains('l')) {
        run.out.push_str(&format!("total {}\n", names.len() * 4));
        names.iter().for_each(|name| run.out.push_str(&format!("drwxr-xr-x 2 root root 4096 Nov  1 08:00 {name}\n")));
    } else {
        names.iter().for_each(|name| run.out.push_str(&format!("{name}\n")));
    }
}

fn show(name: &str, file: &str, run: &mut Run) {
    match file {
        "/etc/os-release" => run.out.push_str(
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\n\
             VERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n",
        ),
        "/etc/hostname" => run.out.push_str(&format!("{name}\n")),
        "/etc/hosts" => run.out.push_str(&format!("127.0.0.1 localhost\n127.0.1.1 {name}\n")),
        _ => fail(run, 1, &format!("cat: {file}: No such file or directory")),
    }
}

fn fail(run: &mut Run, code: i32, text: &str) {
    run.exit_code = code;
    run.err.push_str(text);
    run.err.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> (i32, String, String) {
        let run = run("web", &["sh", "-c", script].map(str::to_owned), "", 0);
        (run.exit_code, run.out, run.err)
    }

    #[test]
    fn a_shell_joins_and_pipes() {
        assert_eq!(sh("false || echo 'a b' && uname | wc -l"), (0, "a b\n1\n".to_owned(), String::new()));
        assert_eq!(sh("false && echo x; hostname").1, "web\n");
    }

    #[test]
    fn an_unknown_program_is_not_found() {
        let missing = run("web", &["ls -la".to_owned()], "", 0);
        assert_eq!((missing.exit_code, missing.err.contains("command not found")), (127, true));
    }

    #[test]
    fn a_result_is_handed_out_once() {
        let mut runs = Runs::default();
        let pid = runs.start(100, Run { ends: 10, ..Run::default() });
        assert_eq!(runs.status(100, pid, 5), Some(None));
        assert!(runs.status(100, pid, 10).flatten().is_some());
        assert_eq!(runs.status(100, pid, 11), None);
    }
}
