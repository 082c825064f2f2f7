//! Samples of the API's named text formats: what each takes, at its edges, and what is just outside of it.
//!
//! Written from what the formats mean (pve-common, pve-storage, pve-firewall), not from the code that checks them.

/// Name without `-list`, texts that it takes, texts that it refuses.
pub struct Format {
    pub name: &'static str,
    pub good: &'static [&'static str],
    /// Empty where only a running server can tell.
    pub bad: &'static [&'static str],
}

const fn format(name: &'static str, good: &'static [&'static str], bad: &'static [&'static str]) -> Format {
    Format { name, good, bad }
}

pub const FORMATS: &[Format] = &[
    format("pve-node", &["a", "pve1", "PVE-2", "0x", "a--b"], &["", "-a", "a-", "a.b", "a b", "a_b", "pvé"]),
    format("pve-vmid", &["100", "999999999"], &["99", "1000000000", "0100", "-100", "1e3", "abc", ""]),
    format("pve-storage-id", &["ab", "local-lvm", "a.b", "a_b", "Z9"], &["a", "-ab", "ab-", "9a", "a b", "a:b", ""]),
    format("pve-configid", &["ab", "net0", "a-b", "a_b", "A9"], &["a", "0a", "-ab", "a b", "a.b", "ab!", ""]),
    format("pve-poolid", &["a", "pool.1", "a/b", "a/b/c", "-"], &["", "a/", "/a", "a/b/c/d", "a b", "a:b"]),
    format("pve-tag", &["a", "_a", "prod", "9", "a-b+c.d"], &["-a", "+a", ".a", "a/b", "a:b", "ä"]),
    format("dns-name", &["a", "web-1", "a.b.c", "0", "WEB"], &["", "-a", "a-", "a..b", ".a", "a_b", "a b", "ä"]),
    format(
        "pve-storage-content",
        &["images", "rootdir", "vztmpl", "iso", "backup", "snippets", "import"],
        &["image", "ISO ", "", "iso,backup"],
    ),
    format(
        "mac-addr",
        &["BC:24:11:00:00:01", "02:00:00:00:00:00", "fe:ff:ff:ff:ff:ff"],
        &["BC:24:11:00:00", "BC:24:11:00:00:01:02", "01:00:00:00:00:00", "BC-24-11-00-00-01", "GC:24:11:00:00:01", ""],
    ),
    format(
        "pve-volume-id",
        &["local:iso/a.iso", "ab:1", "local-lvm:vm-100-disk-0"],
        &["local", "a:1", ":1", "local:", ""],
    ),
    format(
        "pve-volume-id-or-qm-path",
        &["none", "cdrom", "/dev/sda", "local-lvm:32", "local:iso/a.iso"],
        &["local", "/", "a:1", ":1", "non"],
    ),
    format("pve-volume-id-or-absolute-path", &["/mnt/a.qcow2", "local:import/a.qcow2"], &["local", "a", "/"]),
    format("pve-lxc-mp-string", &["/mnt/a", "/a"], &["/mnt/../a", "/mnt/./a", "/.."]),
    format("disk-size", &["1", "32G", "512M", "1.5T", "8K"], &["", "G", "32GB", "-1G", "1.G", "32 G"]),
    format("pve-bridge-id", &["vmbr0", "a", "_b", "x-y.1"], &["", "vmbr 0", "vmbr/0", "a:b"]),
    format("urlencoded", &["", "a%20b", "ssh-rsa%20AAAA", "~*'()"], &["a b", "a/b", "a+b", "ä"]),
    format("address", &["10.0.0.1", "::1", "dns.example.com"], &["10.0.0.1/8", "a b", "-a", "::g"]),
    format("ip", &["10.0.0.1", "::1"], &["10.0.0", "10.0.0.256", "::g", "a"]),
    format("ipv4", &["0.0.0.0", "255.255.255.255"], &["1.2.3", "1.2.3.256", "::1", ""]),
    format("ipv6", &["::", "fd00::1"], &["fd00:::1", "1.2.3.4", "fd00::g"]),
    format(
        "pve-ipv4-config",
        &["dhcp", "manual", "10.0.0.5/24", "10.0.0.5/32", "10.0.0.0/8"],
        &["10.0.0.5", "10.0.0.5/33", "10.0.0.5/7", "auto", "static"],
    ),
    format(
        "pve-ipv6-config",
        &["dhcp", "auto", "manual", "fd00::5/64", "fd00::5/128"],
        &["fd00::5", "fd00::5/129", "10.0.0.5/24"],
    ),
    format("pve-fw-dport-spec", &["22", "80,443", "8000:8080", "0", "65535", "ssh"], &["65536", "22,70000", "1:65536"]),
    format("pve-fw-sport-spec", &["22", "1024:65535"], &["65536", "1:65536"]),
    format(
        "pve-iface",
        &["net0", "ab", "eth0.100", "vmbr0:1"],
        &["", "a", "0net", "net 0", "net0/1", "eth0.", "a23456789012345678901234"],
    ),
    format("pve-startup-order", &["1", "order=2", "order=2,up=30,down=60", "up=5"], &["order=a", "up=-1", "left=1"]),
    format("CIDR", &["10.0.0.0/8", "fd00::/64"], &["10.0.0.0", "10.0.0.0/33", "a/8"]),
    format("CIDRv4", &["10.0.0.0/24"], &["fd00::/64", "10.0.0.0/33"]),
    format("CIDRv6", &["fd00::/64"], &["10.0.0.0/24", "fd00::/129"]),
    format("pve-vlan-id-or-range", &["2", "4094", "2-4094"], &["1", "4095", "5-2", "a"]),
    // What only a running server can judge: names of services, aliases, time zones, what a node has.
    format(
        "pve-fw-addr-spec",
        &["10.0.0.1", "10.0.0.0/8", "10.0.0.1-10.0.0.9", "+management", "10.0.0.1,10.0.0.2"],
        &[],
    ),
    format("pve-fw-protocol-spec", &["tcp", "udp", "icmp", "6"], &[]),
    format("pve-fw-icmp-type-spec", &["echo-request", "any"], &[]),
    format("pve-fw-comment-spec", &["a", "Allow HTTP/HTTPS, for all; see #12"], &[]),
    format("storage-pair", &["local-lvm", "local:local-lvm", "1"], &[]),
    format("pve-ct-timezone", &["host", "Europe/Berlin"], &[]),
    format("pve-cpuset", &["0", "0-3", "0,2,4-7"], &[]),
    format("lxc-ip-with-ll-iface", &["10.0.0.1", "fd00::1"], &[]),
    format("pve-hotplug-features", &["1", "0", "disk,network,usb"], &[]),
    format("pve-qm-boot", &["order=scsi0;net0", "cdn"], &[]),
    format("pve-qm-bootdisk", &["scsi0", "virtio15"], &[]),
];

pub fn of(name: &str) -> Option<&'static Format> {
    let base = name.strip_suffix("-list").unwrap_or(name);
    FORMATS.iter().find(|format| format.name == name || format.name == base)
}
