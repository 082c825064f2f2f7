//! Makes texts of two runs comparable: what differs from run to run becomes a mark.

use std::sync::LazyLock;

use regex::Regex;

static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r#"UPID:[A-Za-z0-9]+:[0-9A-F]{8}:[0-9A-F]{8}:[0-9A-F]{8}:[^:]*:[^:]*:[^:\s"/]*:?"#, "<upid>"),
        (r"\b[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}\b", "<mac>"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "<uuid>"),
        (r"20\d\d_\d\d_\d\d-\d\d_\d\d_\d\d", "<time>"),
        (r"\b[0-9a-f]{32}([0-9a-f]{8}|[0-9a-f]{32})?\b", "<hex>"),
        (r#"PVE(VNC)?:[^\s"]*::[A-Za-z0-9+/=]+"#, "<ticket>"),
    ]
    .into_iter()
    .map(|(pattern, mark)| (Regex::new(pattern).expect("a pattern"), mark))
    .collect()
});

/// The text without what is different in every run.
pub fn normal(text: &str) -> String {
    PATTERNS.iter().fold(text.to_owned(), |text, (pattern, mark)| pattern.replace_all(&text, *mark).into_owned())
}

/// The name of the first backup archive in a text, without its extension.
pub fn archive(text: &str) -> Option<String> {
    static ARCHIVE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"vzdump-(lxc|qemu)-\d+-20\d\d_\d\d_\d\d-\d\d_\d\d_\d\d").expect("a pattern"));
    ARCHIVE.find(text).map(|found| found.as_str().to_owned())
}
