//! Words that are no words: an address, an id, a size, a device. What they name says what is asked about.
//!
//! Knows how such values are written; must not know what exists.

/// A value that is known by its shape, as words that name it.
pub fn named(word: &str) -> Option<&'static str> {
    let lower = word.trim_matches(|letter: char| ",;:!?\"'()".contains(letter)).to_ascii_lowercase();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let after = |prefixes: &[&str]| prefixes.iter().any(|prefix| lower.strip_prefix(prefix).is_some_and(&digits));
    let host = lower.split('/').next().unwrap_or_default();
    if host.parse::<std::net::IpAddr>().is_ok() {
        return Some(if lower.contains('/') { "subnet address" } else { "ip address" });
    }
    if lower.starts_with("upid:") {
        return Some("task");
    }
    if lower.split(':').count() == 6 && lower.split(':').all(|part| part.len() == 2) {
        return Some("mac address");
    }
    if ["http://", "https://"].iter().any(|scheme| lower.starts_with(scheme)) {
        return Some("url");
    }
    if lower.starts_with("/dev/") || after(&["sda", "nvme"]) {
        return Some("disk");
    }
    if after(&["scsi", "virtio", "sata", "ide", "unused", "rootfs", "efidisk"]) {
        return Some("disk");
    }
    if after(&["net", "eth"]) {
        return Some("network card");
    }
    if after(&["pve", "node", "host", "pve-", "node-"]) {
        return Some("node");
    }
    if after(&["vmbr"]) {
        return Some("bridge");
    }
    if [".iso", ".img"].iter().any(|end| lower.ends_with(end)) {
        return Some("iso");
    }
    if let Some((name, realm)) = lower.split_once('@')
        && !name.is_empty()
        && !realm.contains('.')
    {
        return Some("user");
    }
    let number = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    if digits(number.trim_start_matches('+')) {
        match &lower[number.len()..] {
            "g" | "gb" | "gib" | "gig" | "gigs" | "t" | "tb" | "tib" => return Some("gigabytes"),
            "" if number.len() >= 3
                && !["443", "587", "8006", "8080", "3306", "5432", "3389", "9000"].contains(&number) =>
            {
                return Some("guest");
            }
            "" if ["22", "25", "53", "80", "443", "3306", "3389", "5432", "587", "8080"].contains(&number) => {
                return Some("port");
            }
            "" => return Some(""),
            _ => {}
        }
    }
    None
}
